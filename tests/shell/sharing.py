"""Clients that share a quota where waiting takes no time: their store, and a server with a quota."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from typing import Any

from tests.core.test_sharing import Store as Kept

from openrouter_client.shared import SharedLine
from openrouter_client.store import Lost
from openrouter_core.admission import Admitted, Ticket
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Seen
from openrouter_core.limit.standard import LimitSettings
from openrouter_core.sharing import Held, Swap


class Bucket:
    """A quota that refills evenly; it says nothing when it refuses."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def take(self, now: float) -> Seen | None:
        """Say None to accept a request, else how it is refused."""
        self.tokens, self.at = min(self.burst, self.tokens + (now - self.at) * self.rate), now
        if self.tokens < 1.0 - 1e-9:
            return Seen(kind="rate")
        self.tokens -= 1.0
        return None


class FarStore:
    """A store that is `way` seconds away, as one of its members sees it; `way` None: it does not answer."""

    def __init__(self, kept: Kept, member: int, way: float | None) -> None:
        self.kept, self.member, self.way, self.asked, self.closed = kept, member, way, 0, False

    async def swap(self, swap: Swap) -> Held:
        loop = asyncio.get_running_loop()
        self.asked += 1
        if self.way is None:
            await asyncio.sleep(0.25)
            raise Lost("no answer within 0.25 s")
        await asyncio.sleep(self.way)
        self.kept.now = 1_800_000_000.0 + loop.time()
        held = self.kept.swap(self.member, swap)
        await asyncio.sleep(self.way)
        return held

    async def close(self) -> None:
        self.closed = True


def line(kept: Kept, member: int, settings: LimitSettings, way: float | None = 0.001) -> SharedLine:
    """A line with a store that is not Redis."""
    store: Any = FarStore(kept, member, way)
    return SharedLine(settings, None, store, 4)


class Server:
    """A quota that answers after a while, or refuses at once."""

    def __init__(self, rate: float, burst: float, seed: int = 1) -> None:
        self.bucket = Bucket(rate, burst)
        self.dice = random.Random(seed)
        self.sent: list[tuple[float, int]] = []
        self.counts: Counter[str] = Counter()

    async def call(self, member: int) -> Seen:
        now = asyncio.get_running_loop().time()
        self.sent.append((now, member))
        refused = self.bucket.take(now)
        self.counts["ok" if refused is None else "rate"] += 1
        await asyncio.sleep(0.05 if refused else self.dice.uniform(0.2, 2.0))
        return refused or Seen(kind="ok")

    def burst(self, rate: float) -> float:
        """The smallest burst for which no span of time held more than rate * t + burst."""
        debt, last, most = 0.0, 0.0, 0.0
        for at, _ in self.sent:
            debt = max(0.0, debt - rate * (at - last)) + 1.0
            most, last = max(most, debt), at
        return most


async def caller(line: SharedLine, server: Server, member: int, until: float, numbers: Any) -> None:
    """Call again and again, and take every refused call up again at its place."""
    loop = asyncio.get_running_loop()
    with line:
        while loop.time() < until:
            place = Place(0, next(numbers))
            while True:
                turn = await line.enter(Ticket(place), math.inf)
                assert isinstance(turn, Admitted)
                seen = await server.call(member)
                line.leave(turn.stamp, seen)
                if seen.kind == "ok" or loop.time() > until:
                    break
                await asyncio.sleep(0.5)
