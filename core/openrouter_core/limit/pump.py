"""Who may go now: the heads of the lines, the oldest first, asked of the limiters.

There is a line for each set of scopes, and one more for its retries, which wait for their budget.

    Go(place, ask, call)    it has left the line: book it with on_send, send it, and ask again
    Wait(seconds)           ask again then, or at the next outcome or arrival, whichever is first; inf: at the next
    None                    nobody waits

A line whose head must wait does not stall the other lines. But while the key itself makes the oldest call wait, nobody
younger passes: otherwise small calls could keep a large one out for ever.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import Any, Generic, TypeVar

import msgspec

from openrouter_core.limit.queue import Line, Place
from openrouter_core.limit.seen import Ask, Limiter

T = TypeVar("T")


class Go(msgspec.Struct, Generic[T], frozen=True):
    """A call that goes now."""

    place: Place
    ask: Ask
    call: T


class Wait(msgspec.Struct, frozen=True):
    """Nobody goes for so many seconds, or until an outcome (inf)."""

    seconds: float


def first(head: tuple[Place, Any]) -> Place:
    """Give the place of a line's head, to sort by."""
    return head[0]


def kind(ask: Ask) -> Hashable:
    """Tell which line a call waits in: calls that wait for the same limits stand in the same line."""
    return ask.scopes, ask.retry


class Lines(Generic[T]):
    """All calls that wait, in one line for each set of scopes. Mutable and private to its owner, as `Line` is."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, Line[tuple[Ask, T]]] = {}

    def __len__(self) -> int:
        """Count the calls that wait."""
        return sum(len(line) for line in self._lines.values())

    def push(self, place: Place, ask: Ask, call: T) -> None:
        """Let a call wait."""
        self._lines.setdefault(kind(ask), Line()).push(place, (ask, call))

    def cancel(self, place: Place, ask: Ask) -> bool:
        """Give the place of a waiting call back; False when it does not wait."""
        line = self._lines.get(kind(ask))
        given_back = line is not None and line.cancel(place)
        self._tidy(kind(ask))
        return given_back

    def next(self, limiter: Limiter[Any, Any], state: Any, in_flight: int, now: float) -> Go[T] | Wait | None:
        """Let the oldest call go that may, or say how long nobody may."""
        heads = sorted((line.head() for line in self._lines.values()), key=first)
        soonest = inf
        for head in heads:
            place, (ask, call) = head
            wait = limiter.admit(state, ask, in_flight, now)
            if wait <= 0.0:
                self._taken(head)
                return Go(place, ask, call)
            for_the_key = limiter.admit(state, Ask((), ask.tokens), in_flight, now)
            if for_the_key > 0.0:
                return Wait(min(soonest, for_the_key))
            soonest = min(soonest, wait)
        return Wait(soonest) if heads else None

    def oldest(self) -> tuple[T, Ask] | None:
        """Take the oldest call out of its line; None when nobody waits."""
        heads = [line.head() for line in self._lines.values()]
        return self._taken(min(heads, key=first)) if heads else None

    def hopeless(
        self, limiter: Limiter[Any, Any], state: Any, in_flight: int, now: float, patience: float
    ) -> tuple[T, float] | None:
        """Take the oldest call out of its line that would have to wait longer than `patience`, with its wait."""
        for head in sorted((line.head() for line in self._lines.values()), key=first):
            wait = limiter.admit(state, head[1][0], in_flight, now)
            if patience < wait < inf:
                return self._taken(head)[0], wait
        return None

    def _taken(self, head: tuple[Place, tuple[Ask, T]]) -> tuple[T, Ask]:
        """Take a head out of its line."""
        _, (ask, call) = head
        self._lines[kind(ask)].pop()
        self._tidy(kind(ask))
        return call, ask

    def _tidy(self, key: Hashable) -> None:
        if key in self._lines and not self._lines[key]:
            del self._lines[key]
