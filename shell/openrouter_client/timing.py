"""A limit of time for a block of code: what `asyncio.timeout_at` does, by the same rules, for half of its price.

Every attempt has one, and every wait for a piece of a stream. This one is a plain `with` (no coroutines to enter and
leave it), sets its timer once, and is known while it is in force to whoever may have to bring it forward.
"""

from __future__ import annotations

import asyncio
import math
from asyncio import CancelledError
from types import TracebackType
from typing import Any, Self


class Limit:
    """`with Limit(until, known):` cancels the block once the loop's clock shows `until`, and raises TimeoutError.

    A cancellation that comes from elsewhere at the same time stays a cancellation. `known` has the limit while it is
    in force. To be used once.
    """

    __slots__ = ("cancelling", "expired", "handle", "known", "loop", "task", "until")

    def __init__(self, until: float, known: set[Limit]) -> None:
        self.until: float = until
        self.known: set[Limit] = known
        self.expired: bool = False
        self.handle: asyncio.Handle | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a limit of time needs a task to cancel")
        self.task: asyncio.Task[Any] = task
        self.cancelling: int = task.cancelling()
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        if self.until < math.inf:
            self.handle = self.loop.call_at(self.until, self.expire)
        self.known.add(self)
        return self

    def expire(self) -> None:
        """Cancel the block."""
        self.expired = True
        self.task.cancel()

    def bring_forward(self) -> None:
        """Let it run out as soon as the loop comes around."""
        if not self.expired:
            if self.handle is not None:
                self.handle.cancel()
            self.handle = self.loop.call_soon(self.expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.known.discard(self)
        if self.handle is not None:
            self.handle.cancel()
        if self.expired and self.task.uncancel() <= self.cancelling and kind is CancelledError:
            raise TimeoutError from error
