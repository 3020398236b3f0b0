"""Many limiters as one. Each of these takes limiters and is a limiter.

    All(a, b, ...)      the longest wait wins, the states multiply; associative, commutative, with All() as identity
    InCompany(a, n)     a hears of trouble only from calls that had n others beside them; a lone call is its own retry's
    Scoped(a)           one state of `a` for the key and one for each scope met; a call waits for its strictest scope

A refusal or a failure goes to the scope that the answer blames and to no other, so that one provider's limit does not
slow the others. Each scope counts its own attempts in flight.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from openrouter_core.limit.hold import Trial
from openrouter_core.limit.seen import NOTHING, Ask, Limiter, Seen

KEY = ""
"""The scope of the key itself; every call is in it."""


class All(msgspec.Struct, frozen=True):
    """All of the limiters at once. The state and the stamp are tuples in the order of `limiters`."""

    limiters: tuple[Limiter[Any, Any], ...] = ()

    def init(self, now: float) -> tuple[Any, ...]:
        """Give each its first state."""
        return tuple(limiter.init(now) for limiter in self.limiters)

    def admit(self, state: tuple[Any, ...], ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the one that asks for the longest wait."""
        waits = [one.admit(its, ask, in_flight, now) for one, its in zip(self.limiters, state, strict=True)]
        return max(waits, default=0.0)

    def on_send(self, state: tuple[Any, ...], ask: Ask, now: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Book with each."""
        booked = [one.on_send(its, ask, now) for one, its in zip(self.limiters, state, strict=True)]
        return tuple(its for its, _ in booked), tuple(stamp for _, stamp in booked)

    def on_outcome(
        self, state: tuple[Any, ...], stamp: tuple[Any, ...], seen: Seen, in_flight: int, now: float
    ) -> tuple[Any, ...]:
        """Tell each."""
        parts = zip(self.limiters, state, stamp, strict=True)
        return tuple(one.on_outcome(its, mark, seen, in_flight, now) for one, its, mark in parts)


class InCompany(msgspec.Struct, frozen=True):
    """Show `inner` the refusals and failures only of calls that had at least `others` others beside them.

    A lone call, and calls one after another, meet their specified retries and no more: what happens to them says
    nothing about too many calls at once.
    """

    inner: Limiter[Any, Any]
    others: int = 1

    def init(self, now: float) -> Any:
        """Give the inner state."""
        return self.inner.init(now)

    def admit(self, state: Any, ask: Ask, in_flight: int, now: float) -> float:
        """Ask the inner limiter."""
        return self.inner.admit(state, ask, in_flight, now)

    def on_send(self, state: Any, ask: Ask, now: float) -> tuple[Any, Any]:
        """Book with the inner limiter."""
        return self.inner.on_send(state, ask, now)

    def on_outcome(self, state: Any, stamp: Any, seen: Seen, in_flight: int, now: float) -> Any:
        """Tell the inner limiter, or tell it only that the attempt is over."""
        told = seen if seen.kind == "ok" or seen.company >= self.others else NOTHING
        return self.inner.on_outcome(state, stamp, told, in_flight, now)


class Scope(msgspec.Struct, frozen=True):
    """The inner state of one scope and its attempts in flight."""

    state: Any
    in_flight: int = 0


class Scoped(msgspec.Struct, frozen=True):
    """One state of `inner` per scope; beyond `most` scopes the oldest idle one is forgotten. Stamps are per scope."""

    inner: Limiter[Any, Any]
    most: int = 256

    def init(self, now: float) -> dict[str, Scope]:
        """Know the key only."""
        return {KEY: Scope(self.inner.init(now))}

    def scope(self, state: dict[str, Scope], name: str, now: float) -> Scope:
        """Give a scope, a new one if it has not been met."""
        return state.get(name) or Scope(self.inner.init(now))

    def admit(self, state: dict[str, Scope], ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the strictest of its scopes."""
        met = [self.scope(state, name, now) for name in names(ask)]
        return max(self.inner.admit(scope.state, ask, scope.in_flight, now) for scope in met)

    def on_send(self, state: dict[str, Scope], ask: Ask, now: float) -> tuple[dict[str, Scope], dict[str, Any]]:
        """Book in each scope of the call."""
        stamps: dict[str, Any] = {}
        after = dict(state)
        for name in names(ask):
            scope = self.scope(state, name, now)
            inner, stamps[name] = self.inner.on_send(scope.state, ask, now)
            after[name] = Scope(inner, scope.in_flight + 1)
        return self.bounded(after), stamps

    def bounded(self, state: dict[str, Scope]) -> dict[str, Scope]:
        """Forget the oldest idle scope when there are too many."""
        if len(state) > self.most:
            idle = next((name for name, scope in state.items() if name != KEY and not scope.in_flight), None)
            return {name: scope for name, scope in state.items() if name != idle}
        return state

    def on_outcome(
        self,
        state: dict[str, Scope],
        stamp: dict[str, Any],
        seen: Seen,
        in_flight: int,
        now: float,
    ) -> dict[str, Scope]:
        """Tell the scope that is blamed what happened, the others that the attempt is over; success is told to all."""
        after = dict(state)
        blamed = seen.scope if seen.scope in stamp else KEY
        for name, mark in stamp.items():
            scope = state[name]
            told = seen if seen.kind == "ok" or name == blamed else NOTHING
            others = scope.in_flight - 1
            after[name] = Scope(self.inner.on_outcome(scope.state, mark, told, others, now), others)
        return after


def names(ask: Ask) -> tuple[str, ...]:
    """Name the scopes of a call."""
    return (KEY, *ask.scopes)


def is_probe(stamp: object) -> bool:
    """Tell whether an attempt is an outage's probe: if it fails, that does not use up one of its call's attempts."""
    match stamp:
        case dict():
            return is_probe(tuple(cast("dict[str, object]", stamp).values()))
        case tuple():
            return any(is_probe(part) for part in cast("tuple[object, ...]", stamp))
        case _:
            return isinstance(stamp, Trial) and stamp.probe
