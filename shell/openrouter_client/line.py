"""The line of those who wait for their turn to send: the core's `Admission`, with the loop's clock and one timer."""

from __future__ import annotations

import asyncio
import math
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from openrouter_core.admission import Admission, Admitted, Stamp, Stats, Ticket, Turn
from openrouter_core.limit.money import Money
from openrouter_core.limit.pump import TurnedAway, Wait
from openrouter_core.limit.seen import UNSENT, Limiter, Seen
from openrouter_core.unshared import Unshared

Waiter = asyncio.Future["Turn[Any]"]

NOBODY: Any = None
"""Stands for the waiter of a call that does not wait, or waits no longer."""


class Line(Unshared):
    """Lets calls go when the core says so. It decides nothing: it asks at each arrival and each end, and on time."""

    def __init__(self, limiter: Limiter[Any, Any], money: Money | None = None) -> None:
        self.limiter: Limiter[Any, Any] = limiter
        self.money: Money | None = money
        self.timer: asyncio.TimerHandle | None = None
        self.due: float = math.inf  # when the timer rings: uvloop's do not tell, once it is the present
        self.handed: int = 0  # how many were told their turn, and have not gone on yet
        self.closed: bool = False

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the client belongs to."""
        return asyncio.get_running_loop()

    @cached_property
    def admission(self) -> Admission[Waiter]:
        """Who may send: known from the first call on."""
        return Admission(self.limiter, self.loop.time(), self.money)

    def stats(self) -> Stats:
        """Tell how things stand."""
        return self.admission.stats(self.loop.time())

    def __enter__(self) -> None:
        """Count a call that begins."""
        self.admission.alive += 1

    def __exit__(self, *raised: object) -> None:
        """Count a call that has ended."""
        self.admission.alive -= 1

    async def enter(self, ticket: Ticket, until: float) -> Turn[Any]:
        """Wait for the turn of a call, until the loop's clock shows `until` at the latest."""
        now = self.loop.time()
        if not self.handed and (got := self.admission.at_once(ticket, NOBODY, until, now)) is not None:
            return got
        turn: Waiter = self.loop.create_future()
        if (turned := self.admission.wait(ticket, turn, until, now)) is not None:
            return turned
        self.loop.call_soon(self.pump)  # once this call awaits its turn, as all do who are handed theirs in order
        try:
            return await turn
        except asyncio.CancelledError:
            self.forsake(ticket, turn)
            raise
        finally:
            if turn.done() and not turn.cancelled():
                self.handed -= 1

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        """Tell that an attempt is over, and what it showed."""
        self.admission.over(stamp, seen, self.loop.time())
        if self.admission.lines.waiting:
            self.pump()

    def forsake(self, ticket: Ticket, turn: Waiter) -> None:
        """Leave the line; a turn that came in the same instant goes on to the next."""
        if turn.cancelled():
            self.admission.cancel(ticket)
            self.pump()
        elif isinstance(got := turn.result(), Admitted):
            self.leave(got.stamp, UNSENT)

    def pump(self) -> None:
        """Let all go whose turn it is, and come back when the core says."""
        while True:
            now = self.loop.time()
            match self.admission.rush(now) if self.closed else self.admission.next(now):
                case Admitted(call=turn, stamp=stamp) if turn.done():  # cancelled in this very instant
                    self.admission.over(stamp, UNSENT, now)
                case Admitted(call=turn) | TurnedAway(call=turn) as got:
                    if not turn.done():
                        self.handed += 1
                        hand(turn, got)
                case Wait(seconds):
                    self.wake(max(now + seconds, math.nextafter(now, math.inf)))
                    return
                case None:
                    return

    def wake(self, at: float) -> None:
        """Ask again at an instant, unless that is done earlier anyway."""
        if self.timer is not None:
            if self.due <= at:
                return
            self.timer.cancel()
        self.timer, self.due = None if at == math.inf else self.loop.call_at(at, self.woken), at

    def woken(self) -> None:
        """Ask again: a limit has opened, or somebody's time is up."""
        self.timer = None
        self.pump()

    def close(self) -> None:
        """Let everybody go, to find out that the client is closed."""
        self.closed = True
        if self.timer is not None:
            self.timer.cancel()
        if "admission" in self.__dict__ and asyncio.get_running_loop() is self.loop:
            self.pump()

    async def disconnect(self) -> None:
        """Close what the line holds open: nothing."""


def hand(waiter: Waiter, turn: Turn[Waiter]) -> None:
    """Tell a waiter its turn; not with itself in it, or each would keep the other until the garbage collector comes."""
    waiter.set_result(replace(turn, call=NOBODY))
