"""Many limiters as one. Each of these takes limiters and is a limiter.

    All(a, b, ...)      the longest wait wins, the states multiply; associative, commutative, with All() as identity
    Scoped(a)           one state of `a` for the key and one for each scope in trouble; a call waits for its strictest

A refusal or a failure goes to the scope that the answer blames and to no other, so that one provider's limit does not
slow the others. Until an answer blames it, a scope has no state of its own: then it forks off the key's state, and what
an attempt was stamped with for the key stands for the scope too.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import msgspec

from openrouter_core.limit.hold import Trial
from openrouter_core.limit.seen import NOTHING, Ask, Limiter, Seen, heard

S = TypeVar("S")

KEY = ""
"""The scope of the key itself; every call is in it."""


class All(msgspec.Struct, frozen=True):
    """All of the limiters at once. The state and the stamp are tuples in the order of `limiters`."""

    limiters: tuple[Limiter[Any, Any], ...] = ()

    def init(self, now: float) -> tuple[Any, ...]:
        """Give each its first state."""
        return tuple([limiter.init(now) for limiter in self.limiters])

    def admit(self, state: tuple[Any, ...], ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the one that asks for the longest wait."""
        longest = 0.0
        for number, one in enumerate(self.limiters):  # costs half of `zip`, here and below
            wait = one.admit(state[number], ask, in_flight, now)
            if wait > longest:  # noqa: PLR1730 - asked for each call
                longest = wait
        return longest

    def on_send(self, state: tuple[Any, ...], ask: Ask, now: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Book with each."""
        states: list[Any] = []
        stamps: list[Any] = []
        for number, one in enumerate(self.limiters):
            booked, stamp = one.on_send(state[number], ask, now)
            states.append(booked)
            stamps.append(stamp)
        return tuple(states), tuple(stamps)

    def on_outcome(
        self, state: tuple[Any, ...], stamp: tuple[Any, ...], seen: Seen, in_flight: int, now: float
    ) -> tuple[Any, ...]:
        """Tell each; when none has learned anything, the state is the same object."""
        news = state
        for number, one in enumerate(self.limiters):
            after = one.on_outcome(state[number], stamp[number], seen, in_flight, now)
            if after is not state[number]:
                news = (*news[:number], after, *news[number + 1 :])
        return news


class Scopes(msgspec.Struct, Generic[S], frozen=True, gc=False):
    """`known`: the key's state, and that of each scope that was blamed. `flying`: attempts in flight, where counted.

    `calm`: nothing has gone wrong so far, so that an answer has nothing to teach.
    """

    known: dict[str, S]
    flying: dict[str, int] = {}
    calm: bool = True


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """The stamp of an attempt: the scopes that it is in, and its stamps in those that were known when it went."""

    names: tuple[str, ...]
    marks: dict[str, Any]


class Scoped(msgspec.Struct, frozen=True):
    """One state of `inner` for the key and for each scope that was blamed; beyond `most` the oldest is forgotten.

    `counts`: each scope counts its own attempts in flight; otherwise `inner` is told of all that are. `inner` hears of
    trouble from `others` others in company on.
    """

    inner: Limiter[Any, Any]
    most: int = 256
    counts: bool = False
    others: int = 0

    def init(self, now: float) -> Scopes[Any]:
        """Know the key only."""
        return Scopes({KEY: self.inner.init(now)})

    def admit(self, state: Scopes[Any], ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the strictest of its scopes."""
        if len(state.known) == 1:
            others = state.flying.get(KEY, 0) if self.counts else in_flight
            return self.inner.admit(state.known[KEY], ask, others, now)
        longest = 0.0
        for name in (KEY, *ask.scopes):
            if name in state.known:
                others = state.flying.get(name, 0) if self.counts else in_flight
                wait = self.inner.admit(state.known[name], ask, others, now)
                if wait > longest:  # noqa: PLR1730 - asked for each call
                    longest = wait
        return longest

    def on_send(self, state: Scopes[Any], ask: Ask, now: float) -> tuple[Scopes[Any], Attempt]:
        """Book in each scope of the call that has a state."""
        names = (KEY, *ask.scopes)
        if len(state.known) == 1:  # the usual case
            after, mark = self.inner.on_send(state.known[KEY], ask, now)
            known, marks = {KEY: after}, {KEY: mark}
        else:
            known, marks = state.known.copy(), {}
            for name in names:
                if name in known:
                    known[name], marks[name] = self.inner.on_send(known[name], ask, now)
        if not self.counts:
            return Scopes(known, state.flying, state.calm), Attempt(names, marks)
        flying = state.flying.copy()
        for name in names:
            flying[name] = flying.get(name, 0) + 1
        return Scopes(known, flying, state.calm), Attempt(names, marks)

    def on_outcome(self, state: Scopes[Any], stamp: Attempt, seen: Seen, in_flight: int, now: float) -> Scopes[Any]:
        """Tell the scope that is blamed what happened, the others that the attempt is over; success is told to all."""
        flying = without(state.flying, stamp.names) if self.counts else state.flying
        good = seen.kind == "ok"
        if good and state.calm:
            return Scopes(state.known, flying) if self.counts else state
        seen = heard(seen, self.others)
        blamed = seen.scope if seen.scope in stamp.names else KEY
        troubled = not good and seen.kind != "other"
        known = self.forked(state.known, blamed) if troubled and blamed not in state.known else state.known
        for name in stamp.names:
            if name in known:
                mark = stamp.marks.get(name, stamp.marks[KEY])
                told = seen if good or name == blamed else NOTHING
                others = flying.get(name, 0) if self.counts else in_flight
                after = self.inner.on_outcome(known[name], mark, told, others, now)
                if after is not known[name]:
                    known = known | {name: after}
        if known is state.known and flying is state.flying:
            return state
        return Scopes(known, flying, calm=state.calm and known is state.known)

    def forked(self, known: dict[str, Any], name: str) -> dict[str, Any]:
        """Give a scope that is blamed for the first time the state of the key, and forget the oldest of too many."""
        oldest = list(known)[1 : 2 + len(known) - self.most]
        return {its: state for its, state in known.items() if its not in oldest} | {name: known[KEY]}


def without(flying: dict[str, int], names: tuple[str, ...]) -> dict[str, int]:
    """Count one attempt less in each of the scopes; a scope with none is not listed."""
    flying = flying.copy()
    for name in names:
        left = flying[name] - 1
        if left:
            flying[name] = left
        else:
            del flying[name]
    return flying


def is_probe(stamp: object) -> bool:
    """Tell whether an attempt is an outage's probe: if it fails, that does not use up one of its call's attempts.

    Asked for each attempt, hence the plain loop.
    """
    parts = [stamp]
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts.extend(cast("tuple[object, ...]", part))
        elif isinstance(part, Attempt):
            parts.extend(part.marks.values())
        elif isinstance(part, Trial) and part.probe:
            return True
    return False
