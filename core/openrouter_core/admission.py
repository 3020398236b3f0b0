"""Who may send now: the one mutable cell that all calls of a client share.

It holds the limiter's state, the lines of those who wait, and two counts. Whoever owns it tells it what happens and
asks `next` until nobody may go, then again at the next event or when the wait that it named is over. None of its
methods waits, and nothing may come between two of them.
"""

from __future__ import annotations

import math
from typing import Any, Generic, TypeVar

import msgspec

from openrouter_core.limit.pump import Go, Lines, Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask, Limiter, Seen

T = TypeVar("T")

PATIENCE = 150.0
"""The longest wait, in seconds, that a known limit may ask of the head of a line. A longer one (a daily quota) turns
the call away: it would not be queueing but sleeping until tomorrow."""


def hopeless(needed: float, left: float) -> bool:
    """Decide that waiting is in vain: the known wait is too long, or ends after the deadline in `left` seconds."""
    return needed < math.inf and (needed >= left or needed > PATIENCE)


class Ticket(msgspec.Struct, frozen=True):
    """What a call that waits shows: its place, which it keeps for life, and what it would use."""

    place: Place
    ask: Ask = Ask()


class Admitted(msgspec.Struct, Generic[T], frozen=True):
    """A call that goes now; its `stamp` is due back when the attempt is over."""

    call: T
    stamp: Any


class TurnedAway(msgspec.Struct, Generic[T], frozen=True):
    """A call that would have to wait for `needed` seconds at least, which is too long."""

    call: T
    needed: float


class Admission(Generic[T]):
    """The shared cell. `alive` counts the calls that have begun and not ended, `in_flight` the attempts under way."""

    def __init__(self, limiter: Limiter[Any, Any], now: float) -> None:
        self.limiter: Limiter[Any, Any] = limiter
        self.state: Any = limiter.init(now)
        self.lines: Lines[T] = Lines()
        self.alive: int = 0
        self.in_flight: int = 0

    def wait(self, ticket: Ticket, call: T) -> None:
        """Let a call wait in its line."""
        self.lines.push(ticket.place, ticket.ask, call)

    def cancel(self, ticket: Ticket) -> bool:
        """Take a call out of its line; False when it does not stand in one."""
        return self.lines.cancel(ticket.place, ticket.ask)

    def needed(self, ticket: Ticket, now: float) -> float:
        """Tell how many seconds a call must wait at least; infinity when that depends on others."""
        return self.limiter.admit(self.state, ticket.ask, self.in_flight, now)

    def next(self, now: float) -> Admitted[T] | TurnedAway[T] | Wait | None:
        """Decide who is next: one who goes, one who has no hope, how long nobody goes, or that nobody waits."""
        chosen = self.lines.next(self.limiter, self.state, self.in_flight, now)
        match chosen:
            case Go(_, ask, call):
                return self._let_go(call, ask, now)
            case Wait():
                vain = self.lines.hopeless(self.limiter, self.state, self.in_flight, now, PATIENCE)
                return chosen if vain is None else TurnedAway(*vain)
            case _:
                return chosen

    def rush(self, now: float) -> Admitted[T] | None:
        """Let the oldest call go, whatever the limiters say; None when nobody waits."""
        oldest = self.lines.oldest()
        return None if oldest is None else self._let_go(*oldest, now)

    def _let_go(self, call: T, ask: Ask, now: float) -> Admitted[T]:
        """Book a call that has left its line."""
        self.state, stamp = self.limiter.on_send(self.state, ask, now)
        self.in_flight += 1
        return Admitted(call, stamp)

    def over(self, stamp: Any, seen: Seen, now: float) -> None:
        """Learn from an attempt that has ended."""
        self.in_flight -= 1
        told = msgspec.structs.replace(seen, company=self.company)
        self.state = self.limiter.on_outcome(self.state, stamp, told, self.in_flight, now)

    @property
    def company(self) -> int:
        """How many other calls are alive beside one that is."""
        return max(0, self.alive - 1)
