"""Composition: the longest wait wins, states multiply, scopes do not touch each other, a lone call is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit import compose
from openrouter_core.limit.compose import KEY, All, Attempt, Scoped, Scopes, is_probe
from openrouter_core.limit.concurrency import Concurrency
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.hold import Hold, Trial
from openrouter_core.limit.learned import Learned
from openrouter_core.limit.seen import Ask, Kind, Limiter, Seen

ALONE = Ask()
KINDS = st.sampled_from(["ok", "ok", "rate", "rate", "server", "timeout", "other"])
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 2.0]), KINDS, st.sampled_from([None, 1.0, 5.0]), st.sampled_from([0.0, 0.5, 3.0])
    ),
    max_size=80,
)
SMALL = st.sampled_from(
    [Gcra(rate=3.0, burst=2.0), Gcra(rate=1.0), Gate(), Learned(), Concurrency(maximum=3), Hold(), All()]
)


def sends(
    limiter: Limiter[Any, Any], events: list[tuple[float, Kind, float | None, float]], ask: Ask = ALONE
) -> list[float]:
    """Drive a limiter greedily; give up waiting for a call after 500 s."""
    state, now, sent = limiter.init(0.0), 0.0, list[float]()
    pending: list[tuple[float, Any, Any]] = []
    for think, kind, hint, latency in events:
        now += think
        wait = 0.0
        for _ in range(200):
            for at, stamp, seen in sorted((p for p in pending if p[0] <= now), key=lambda p: p[0]):
                pending.remove((at, stamp, seen))
                state = limiter.on_outcome(state, stamp, seen, len(pending), at)
            wait = limiter.admit(state, ask, len(pending), now)
            assert wait >= 0
            step = min([now + wait, *(p[0] for p in pending)])
            if wait == 0 or step > 1e6:
                break
            now = max(step, now + 1e-9)
        if wait == 0:
            state, stamp = limiter.on_send(state, ask, now)
            sent.append(now)
            pending.append((now + latency, stamp, Seen(kind=kind, hint=hint, company=9)))
    return sent


@given(SMALL, SMALL, SMALL, EVENTS)
def test_all_is_associative_commutative_idempotent_and_has_an_identity(
    one: Limiter[Any, Any], two: Limiter[Any, Any], three: Limiter[Any, Any], events: list[Any]
) -> None:
    """The bug: an order of limiters that matters."""
    base = sends(All((one, two, three)), events)
    assert sends(All((All((one, two)), three)), events) == base
    assert sends(All((one, All((two, three)))), events) == base
    assert sends(All((three, one, two)), events) == base
    assert sends(All((one, two, three, one)), events) == base
    assert sends(All((All(), one, two, three)), events) == base


def test_the_order_bites() -> None:
    def shortest(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return min(
            (one.admit(its, ask, in_flight, now) for one, its in zip(self.limiters, state, strict=True)), default=0.0
        )

    prop = test_all_is_associative_commutative_idempotent_and_has_an_identity
    caught(prop, SMALL, SMALL, SMALL, EVENTS, where=All, admit=shortest)


@given(SMALL, EVENTS)
def test_a_composition_admits_no_more_than_its_strictest_part(other: Limiter[Any, Any], events: list[Any]) -> None:
    """The bug: a composition that loses the guarantee of a known rate."""
    at = sends(Scoped(inner=All((Gcra(rate=2.0, burst=3.0), other))), events, Ask(("m",)))
    for first, start in enumerate(at):
        assert all(n <= 2.0 * (end - start) + 3 + 1e-6 for n, end in enumerate(at[first:], 1))


SCOPES = st.sampled_from(["", "a", "b"])
BLAMES = st.lists(st.tuples(SCOPES, KINDS, SCOPES), max_size=60)


@given(BLAMES)
def test_trouble_in_one_scope_leaves_the_others_alone(blames: list[Any]) -> None:
    """The bug: one provider's limit slows the other providers."""
    limiter = Scoped(inner=All((Gate(many=1), Learned(), Hold(many=1))), counts=True)
    state = limiter.init(0.0)
    troubled = set[str]()
    for now, (route, kind, scope) in enumerate(blames):
        ask = Ask((route,) if route else ())
        state, stamp = limiter.on_send(state, ask, float(now))
        seen = Seen(kind=kind, hint=500.0, scope=scope, company=9)
        state = limiter.on_outcome(state, stamp, seen, 0, float(now))
        if kind in {"rate", "server", "timeout"}:
            troubled.add(scope if scope in ask.scopes else KEY)
    for name in {"", "a", "b"} - troubled:
        if name in state.known:
            gate, learned, hold = state.known[name]
            assert (gate.recent, learned.refused, hold.generation) == ((), 0, 0)
    assert {"a", "b"} & troubled <= set(state.known)
    assert state.flying == {}


def test_the_isolation_bites() -> None:
    def gossiping(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        told = {n: self.inner.on_outcome(state.known[n], mark, seen, 0, now) for n, mark in stamp.marks.items()}
        return Scopes(state.known | told)

    caught(test_trouble_in_one_scope_leaves_the_others_alone, BLAMES, where=Scoped, on_outcome=gossiping)


@given(st.permutations(range(8)), st.lists(KINDS, min_size=8, max_size=8))
def test_outcomes_of_different_scopes_commute(order: list[int], kinds: list[Kind]) -> None:
    """The bug: shared mutable parts between scopes."""
    limiter = Scoped(inner=All((Gate(), Learned(), Hold(many=1))))

    def play(numbers: list[int]) -> dict[str, Any]:
        state = limiter.init(0.0)
        stamps = []
        for number in range(8):
            state, stamp = limiter.on_send(state, Ask((f"m{number}",)), 0.0)
            stamps.append(stamp)
        for number in numbers:
            seen = Seen(kind=kinds[number], hint=1.0, scope=f"m{number}", company=9)
            state = limiter.on_outcome(state, stamps[number], seen, 0, 1.0)
        return {name: scope for name, scope in state.known.items() if name != KEY}

    assert play(list(order)) == play(list(range(8)))


def test_a_lone_call_is_no_evidence_and_success_always_is() -> None:
    limiter = Scoped(inner=Hold(many=1), others=4)
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(), 0.0)
    assert limiter.on_outcome(state, stamp, Seen(kind="server", company=3), 0, 0.0) == state
    held = limiter.on_outcome(state, stamp, Seen(kind="server", company=4), 0, 0.0)
    assert limiter.admit(held, Ask(), 0, 0.0) == 1.0
    probing, probe = limiter.on_send(held, Ask(), 1.0)
    assert limiter.admit(limiter.on_outcome(probing, probe, Seen(kind="ok"), 0, 1.0), Ask(), 0, 1.0) == 0.0


TWO_SCOPES = st.lists(st.tuples(st.sampled_from([(), ("a",), ("a", "b")]), st.integers(0, 5), KINDS), max_size=40)


@given(TWO_SCOPES)
def test_each_scope_counts_its_own_calls_in_flight(events: list[Any]) -> None:
    """The bug: a count that drifts, because a scope was met or forgotten while attempts were in flight."""
    limiter = Scoped(inner=Hold(), most=2, counts=True)
    state, out = limiter.init(0.0), list[Any]()
    for scopes, which, kind in events:
        state, stamp = limiter.on_send(state, Ask(scopes), 0.0)
        out.append((scopes, stamp))
        if which < len(out):
            _, stamp = out.pop(which)
            state = limiter.on_outcome(state, stamp, Seen(kind=kind, scope="b", company=9), len(out), 0.0)
        counts = {name: sum(name in (KEY, *its) for its, _ in out) for name in (KEY, "a", "b")}
        assert state.flying == {name: count for name, count in counts.items() if count}
        assert KEY in state.known
        assert len(state.known) <= 2


def test_the_counts_bite() -> None:
    def leaking(flying: Any, names: Any) -> Any:
        return flying

    prop = test_each_scope_counts_its_own_calls_in_flight
    caught(prop, TWO_SCOPES, where=compose, without=leaking)


def test_a_scope_has_no_state_until_it_is_blamed_and_then_counts_what_went_before() -> None:
    limiter = Scoped(inner=Hold())
    state = limiter.init(0.0)
    stamps: list[Any] = []
    for _ in range(5):
        state, stamp = limiter.on_send(state, Ask(("m",)), 0.0)
        stamps.append(stamp)
    state = limiter.on_outcome(state, stamps[0], Seen(kind="ok", scope="m"), 0, 0.0)
    assert set(state.known) == {KEY}
    for stamp in stamps:
        state = limiter.on_outcome(state, stamp, Seen(kind="server", scope="m"), 0, 0.0)
    assert limiter.admit(state, Ask(("m",)), 0, 0.0) == 1.0
    assert limiter.admit(state, Ask(("n",)), 0, 0.0) == 0.0


def test_the_oldest_scope_is_forgotten() -> None:
    limiter = Scoped(inner=Hold(), most=3)
    state = limiter.init(0.0)
    for name in ("a", "b", "c"):
        state, stamp = limiter.on_send(state, Ask((name,)), 0.0)
        state = limiter.on_outcome(state, stamp, Seen(kind="server", scope=name), 0, 0.0)
    assert list(state.known) == ["", "b", "c"]


def test_a_probe_is_found_in_any_stamp() -> None:
    assert is_probe(((1, Attempt(("",), {"": (2, Trial(1, 1, probe=True))})),))
    assert not is_probe((1, Attempt(("",), {"": (2, Trial(1, 1))}), ()))


class Told:
    """A limiter that keeps what it is told; its state counts that."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def init(self, now: float) -> int:
        return 0

    def admit(self, state: int, ask: Ask, in_flight: int, now: float) -> float:
        self.heard.append((ask, in_flight, now))
        return float(state)

    def on_send(self, state: int, ask: Ask, now: float) -> tuple[int, int]:
        self.heard.append((ask, now))
        return state + 1, state + 1

    def on_outcome(self, state: int, stamp: int, seen: Seen, in_flight: int, now: float) -> int:
        self.heard.append((stamp, seen.kind, in_flight, now))
        return state + 1

    def last(self) -> list[Any]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


@pytest.mark.parametrize("counts", [False, True])
def test_what_the_inner_limiter_is_told(*, counts: bool) -> None:
    """With one scope, when another is blamed, and with both."""
    inner, ask, bare = Told(), Ask(("m",)), Ask()
    scoped = Scoped(inner=inner, counts=counts)
    state = scoped.init(0.0)
    assert scoped.admit(state, ask, 7, 1.0) == 0.0
    assert inner.last() == [(ask, 0 if counts else 7, 1.0)]
    state, attempt = scoped.on_send(state, ask, 2.0)
    assert inner.last() == [(ask, 2.0)]
    assert state.calm
    assert scoped.admit(state, bare, 7, 2.0) == 1.0
    assert inner.last() == [(bare, 1 if counts else 7, 2.0)]
    state = scoped.on_outcome(state, attempt, Seen(kind="rate", scope="m"), 6, 3.0)
    assert inner.last() == [(1, "other", 0 if counts else 6, 3.0), (1, "rate", 0 if counts else 6, 3.0)]
    assert (state.known, state.calm) == ({"": 2, "m": 2}, False)
    assert scoped.admit(state, ask, 7, 4.0) == 2.0
    assert inner.last() == [(ask, 0 if counts else 7, 4.0)] * 2
    state, attempt = scoped.on_send(state, ask, 5.0)
    assert inner.last() == [(ask, 5.0)] * 2
    assert (attempt.names, attempt.marks, state.calm) == (("", "m"), {"": 3, "m": 3}, False)
    assert scoped.admit(state, ask, 7, 5.0) == 3.0
    assert inner.last() == [(ask, 1 if counts else 7, 5.0)] * 2
    state = scoped.on_outcome(state, attempt, Seen(kind="ok"), 6, 6.0)
    assert inner.last() == [(3, "ok", 0 if counts else 6, 6.0)] * 2
    assert state.flying == {}


def test_whom_an_attempt_does_not_know_is_not_blamed() -> None:
    scoped = Scoped(inner=Told())
    state, attempt = scoped.on_send(scoped.init(0.0), Ask(("m",)), 0.0)
    assert scoped.on_outcome(state, attempt, Seen(kind="rate", scope="stranger"), 0, 1.0).known == {"": 2}


@pytest.mark.parametrize("kind", ["ok", "other"])
def test_only_trouble_makes_a_scope_known(kind: Kind) -> None:
    scoped = Scoped(inner=Told())
    state, attempt = scoped.on_send(Scopes({"": 0}, calm=False), Ask(("m",)), 0.0)
    assert scoped.on_outcome(state, attempt, Seen(kind=kind, scope="m"), 0, 1.0).known == {"": 2}


def test_each_scope_gets_its_own_mark_back() -> None:
    inner = Told()
    scoped = Scoped(inner=inner)
    state, attempt = scoped.on_send(Scopes({"": 2, "m": 9}, calm=False), Ask(("m",)), 0.0)
    inner.last()
    scoped.on_outcome(state, attempt, Seen(kind="ok"), 0, 1.0)
    assert inner.last() == [(3, "ok", 0, 1.0), (10, "ok", 0, 1.0)]


def test_of_what_is_in_flight_in_each_scope_the_others_are_told() -> None:
    inner = Told()
    scoped = Scoped(inner=inner, counts=True)
    state, first = scoped.on_send(Scopes({"": 0, "m": 0}, calm=False), Ask(("m",)), 0.0)
    state, _ = scoped.on_send(state, Ask(("m",)), 0.0)
    state, _ = scoped.on_send(state, Ask(), 0.0)
    inner.last()
    scoped.on_outcome(state, first, Seen(kind="ok"), 9, 1.0)
    assert inner.last() == [(1, "ok", 2, 1.0), (1, "ok", 1, 1.0)]
