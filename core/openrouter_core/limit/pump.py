"""Who may go now: the heads of the lines, the oldest first, asked of the limiters.

There is a line for each set of scopes, and one more for its retries, which wait for their budget.

    Go(place, ask, call)       it has left the line: book it, send it, and ask again
    TurnedAway(call, needed)   it has left the line without hope: it cannot wait as long as it would have to
    Wait(seconds)              ask again then, or at the next outcome or arrival, whichever is first; inf: at the next
    None                       nobody waits

A line whose head must wait does not stall the other lines. But while the key itself makes the oldest call wait, nobody
younger passes: otherwise small calls could keep a large one out for ever. A call that must wait for a time that is
known, and longer than its deadline allows, is told at once and not when the deadline has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import inf
from typing import Any, Generic, TypeVar

import msgspec

from openrouter_core.limit.money import Refused
from openrouter_core.limit.queue import Line, Place
from openrouter_core.limit.seen import Ask

T = TypeVar("T")

MANY = 64
"""From how many lines on those in which nobody waits are forgotten."""

Admit = Callable[[Ask], float | Refused]
"""What the limiters say of a call: seconds to wait, inf to wait for an outcome, or that it will never be let go."""


class Go(msgspec.Struct, Generic[T], frozen=True):
    """A call that goes now."""

    place: Place
    ask: Ask
    call: T


class TurnedAway(msgspec.Struct, Generic[T], frozen=True):
    """A call that waits no longer: `needed` seconds are more than it has, or there is no money for it (`refused`)."""

    call: T
    needed: float
    refused: Refused | None = None


class Wait(msgspec.Struct, frozen=True):
    """Nobody goes for so many seconds, or until an outcome (inf)."""

    seconds: float


class Lines(Generic[T]):
    """All calls that wait, in one line for each set of scopes. Mutable and private to its owner, as `Line` is.

    `waiting` counts them.
    """

    def __init__(self) -> None:
        self._lines: dict[Hashable, Line[tuple[Ask, T]]] = {}
        self.waiting: int = 0

    def push(self, place: Place, ask: Ask, call: T, expires: float = inf) -> None:
        """Let a call wait, until `expires` at the latest."""
        line = self._lines.get(kind(ask))
        if line is None:
            if len(self._lines) >= MANY:
                self._lines = {key: one for key, one in self._lines.items() if one}
            line = self._lines[kind(ask)] = Line()
        line.push(place, (ask, call), expires)
        self.waiting += 1

    def ahead(self, place: Place, ask: Ask) -> int:
        """Count those who will go before a call that comes now, at least."""
        line = self._lines.get(kind(ask))
        return 0 if line is None else line.ahead(place)

    def cancel(self, place: Place, ask: Ask) -> bool:
        """Give the place of a waiting call back; False when it does not wait."""
        line = self._lines.get(kind(ask))
        left = line is not None and line.cancel(place)
        self.waiting -= left
        return left

    def next(self, admit: Admit, now: float) -> Go[T] | TurnedAway[T] | Wait | None:
        """Let the oldest call go that may, turn one away that has no hope, or say how long nobody goes."""
        lines = [line for line in self._lines.values() if line]
        ordered = sorted(lines, key=front) if len(lines) > 1 else lines  # nearly always there is one
        soonest, held = inf, 0.0
        for number, line in enumerate(ordered, 1):
            ask = line.head()[1][0]
            wait = held or admit(ask)
            if isinstance(wait, Refused):
                return TurnedAway(self._taken(line).call, 0.0, wait)
            late = line.overdue(now + wait if wait < inf else now)
            if late is not None:
                self.waiting -= 1
                return TurnedAway(late[1], wait)
            if wait <= 0.0:
                return self._taken(line)
            if not held and number < len(ordered):
                held = for_the_key(admit, ask)
            soonest = min(soonest, wait, line.soonest() - now)
        return Wait(soonest) if ordered else None

    def oldest(self) -> Go[T] | None:
        """Take the oldest call out of its line; None when nobody waits."""
        waiting = [line for line in self._lines.values() if line]
        return self._taken(min(waiting, key=front)) if waiting else None

    def _taken(self, line: Line[tuple[Ask, T]]) -> Go[T]:
        """Take a head out of its line."""
        place, (ask, call) = line.pop()
        self.waiting -= 1
        return Go(place, ask, call)


def front(line: Line[Any]) -> Place:
    """Give the place of a line's head, to sort by."""
    return line.head()[0]


def kind(ask: Ask) -> Hashable:
    """Tell which line a call waits in: calls that wait for the same limits stand in the same line."""
    return ask.scopes, ask.retry


def for_the_key(admit: Admit, ask: Ask) -> float:
    """Tell how long the key itself makes a call wait, whatever its scopes say."""
    wait = admit(Ask((), ask.tokens, worst=ask.worst))
    return 0.0 if isinstance(wait, Refused) else wait
