"""The line of those who wait for a place to send: first come, first served."""

from __future__ import annotations

import asyncio
import math
from collections import deque


class Line:
    """A number of places, and a queue for them. A place is handed from who leaves to who has waited longest."""

    def __init__(self, places: int) -> None:
        self.free: int = places
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, until: float) -> bool:
        """Take a place, waiting for one until the running loop's clock shows `until`; tell whether it was got."""
        if self.free:
            self.free -= 1
            return True
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            async with asyncio.timeout_at(until if until < math.inf else None):
                await turn
        except TimeoutError:
            self.forsake(turn)
            return False
        except asyncio.CancelledError:
            self.forsake(turn)
            raise
        return True

    def leave(self) -> None:
        """Give the place to the next in line."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1

    def forsake(self, turn: asyncio.Future[None]) -> None:
        """Leave the line; a place that was handed over in the same instant goes on to the next."""
        if turn.done() and not turn.cancelled():
            self.leave()
