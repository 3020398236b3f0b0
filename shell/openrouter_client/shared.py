"""The line of a client that shares its key's quota with others through Redis: `Shared`, with a clock and a `Store`."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from functools import cached_property
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.line import Line, Waiter, hand
from openrouter_client.records import write
from openrouter_client.store import Lost, Store
from openrouter_core.admission import Admitted, Sharing, Stamp, Stats, Ticket, Turn, limits_of, money_of
from openrouter_core.config import OpenRouterConfig, refused, shown
from openrouter_core.errors import DataSourceError
from openrouter_core.limit.common import store_names
from openrouter_core.limit.money import Money
from openrouter_core.limit.pump import Wait
from openrouter_core.limit.seen import UNSENT, Seen
from openrouter_core.limit.standard import LimitSettings, standard
from openrouter_core.sharing import Shared, Swap

LOOK = 1.0
"""How many seconds lie between two looks for a lost Redis."""

WANTED = 'needs the package redis: pip install "aio-openrouter[redis]"'


def shared_line(config: OpenRouterConfig, url: str) -> Result[Line, DataSourceError]:
    """Make a line that shares its quota through the Redis at `url`."""
    if importlib.util.find_spec("redis") is None:
        return Failure(refused("redis_url", shown("redis_url", url), WANTED))
    limits = limits_of(config)
    store = Store(url, store_names(limits, config.base_url, config.api_key), config.ca_file)
    return Success(SharedLine(limits, money_of(config), store, config.redis_processes))


class SharedLine(Line):
    """Lets calls go when all processes together may. What does not need the store is done at once, without a task."""

    def __init__(self, settings: LimitSettings, money: Money | None, store: Store, assumed: int) -> None:
        super().__init__(standard(settings), money)
        self.settings: LimitSettings = settings
        self.store: Store = store
        self.assumed: int = assumed
        self.working: asyncio.Task[None] | None = None
        self.looking: asyncio.Task[None] | None = None

    @cached_property
    def shared(self) -> Shared[Waiter]:
        """What is decided: known from the first call on."""
        return Shared(self.admission, self.settings, self.assumed)

    @property
    def sharing(self) -> Sharing | None:
        """How the quota is shared; None before the first call."""
        return self.shared.sharing if "shared" in self.__dict__ else None

    def stats(self) -> Stats:
        """Tell how things stand; what is shared is on the store's clock."""
        now = self.loop.time() + (self.shared.ahead or 0.0)
        return msgspec.structs.replace(self.admission.stats(now), sharing=self.sharing)

    async def enter(self, ticket: Ticket, until: float) -> Turn[Any]:
        """Wait for the turn of a call, until the loop's clock shows `until` at the latest."""
        turn: Waiter = self.loop.create_future()
        self.shared.wait(ticket, turn, until, self.loop.time())
        self.pump()
        try:
            return await turn
        except asyncio.CancelledError:
            self.forsake(ticket, turn)
            raise
        finally:
            self.shared.standing.pop(turn, None)

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        """Tell that an attempt is over, and what it showed."""
        self.shared.over(stamp, seen, self.loop.time())
        self.pump()

    def forsake(self, ticket: Ticket, turn: Waiter) -> None:
        """Leave the line; a turn that comes all the same is given back by `give`."""
        if turn.cancelled():
            self.shared.cancel(turn)
            self.pump()
        else:
            super().forsake(ticket, turn)

    def pump(self) -> None:
        """Do what can be done now; ask the store if it must be asked."""
        if self.closed:
            super().pump()
        elif self.working is None:
            step = self.step()
            if step is not None:
                self.working = self.loop.create_task(self.work(step))

    def step(self) -> Swap | None:
        """Decide a round: what the store must be asked, or None when nothing more can be done now."""
        now = self.loop.time()
        step = self.shared.begin(now)
        self.deliver()
        if isinstance(step, Wait):
            self.wake(max(now + step.seconds, math.nextafter(now, math.inf)))
            return None
        return step

    async def work(self, step: Swap | None) -> None:
        """Ask the store, round by round, until nothing more can be done now."""
        while step is not None:
            sent = self.loop.time()
            try:
                held = await self.store.swap(step)
            except Lost as lost:
                self.lose(str(lost))
            else:
                self.shared.settle(held, sent, self.loop.time())
                self.deliver()
            step = self.step()
        self.working = None

    def deliver(self) -> None:
        """Let those go who have been chosen, each at its instant."""
        now = self.loop.time()
        for leaving in self.shared.taken():
            if leaving.at <= now:
                self.give(leaving.turn)
            else:
                self.loop.call_at(leaving.at, self.give, leaving.turn)

    def give(self, turn: Turn[Waiter]) -> None:
        """Let one call go; what was booked for one that was cancelled is given back."""
        if not turn.call.done():
            hand(turn.call, turn)
        elif isinstance(turn, Admitted):
            self.shared.over(turn.stamp, UNSENT, self.loop.time())
            self.loop.call_soon(self.pump)

    def lose(self, why: str) -> None:
        """Go on without Redis, say so, and look for it."""
        self.shared.lost(self.loop.time())
        write(
            "redis.lost",
            "Redis is lost (%s); this process goes on with 1/%d of what was known of the quota",
            why,
            self.shared.members,
            members=self.shared.members,
            reason=why,
        )
        self.looking = self.loop.create_task(self.look())

    async def look(self) -> None:
        """Look for Redis until it is back."""
        step: Swap | None = Swap()
        while step is not None:
            await asyncio.sleep(LOOK)
            step = Swap()
            try:
                while step is not None:
                    sent = self.loop.time()
                    held = await self.store.swap(step)
                    step = self.shared.back(held, sent, self.loop.time())
            except Lost:
                step = Swap()
        self.looking = None
        members = self.shared.members
        write("redis.back", "Redis is back; the quota is shared by %d again", members, members=members)
        self.pump()

    def close(self) -> None:
        """Let everybody go, to find out that the client is closed."""
        if "shared" in self.__dict__:
            self.shared.undone()
        super().close()

    async def disconnect(self) -> None:
        """End what is under way, and close the connection."""
        tasks = [task for task in (self.working, self.looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.working = self.looking = None
        await self.store.close()
