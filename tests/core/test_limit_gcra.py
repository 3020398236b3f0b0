"""A known rate is never exceeded in any window, and settles what was estimated."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.waiting import Pending, let_go

from openrouter_core.limit.gcra import Gcra, GcraState
from openrouter_core.limit.seen import Ask, Seen

RATES = st.one_of(st.sampled_from([1 / 600, 0.5, 1.0, 10.0, 1e4]), st.floats(0.01, 1000))
BURSTS = st.integers(1, 20)
THINKS = st.lists(st.one_of(st.just(0.0), st.floats(0, 5)), min_size=1, max_size=60)


def instants(limiter: Gcra, thinks: list[float], tokens: float = 0.0) -> list[float]:
    state, now, sends = limiter.init(0.0), 0.0, list[float]()
    for think in thinks:
        now += think
        now += limiter.admit(state, Ask((), tokens), 0, now)
        state, _ = limiter.on_send(state, Ask((), tokens), now)
        sends.append(now)
    return sends


def within(sends: list[tuple[float, float]], rate: float, burst: float) -> bool:
    for first, (start, _) in enumerate(sends):
        weight = 0.0
        for at, cost in sends[first:]:
            weight += cost
            if weight > (rate * (at - start) + burst) * (1 + 1e-9) + 1e-6:
                return False
    return True


@given(RATES, BURSTS, THINKS)
def test_no_window_holds_more_than_rate_times_its_length_plus_the_burst(
    rate: float, burst: int, thinks: list[float]
) -> None:
    """The bug: a burst one too large, or time credited that had passed before (idle credit without bound)."""
    sends = instants(Gcra(rate=rate, burst=burst), thinks)
    assert within([(at, 1.0) for at in sends], rate, burst)


def test_the_bound_bites() -> None:
    def generous(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return max(0.0, state.tat - self.burst / self.rate - now)

    def hoarding(self: Any, state: Any, ask: Any, now: Any) -> Any:
        return GcraState(state.tat + 1 / self.rate), None

    prop = test_no_window_holds_more_than_rate_times_its_length_plus_the_burst
    caught(prop, RATES, BURSTS, THINKS, where=Gcra, admit=generous)
    caught(prop, RATES, BURSTS, THINKS, where=Gcra, on_send=hoarding)


@given(RATES, BURSTS, THINKS)
def test_the_rate_is_reached_and_no_call_waits_longer_than_needed(rate: float, burst: int, thinks: list[float]) -> None:
    """The bug: a limiter that is safe because it is too slow."""
    limiter = Gcra(rate=rate, burst=burst)
    sends = instants(limiter, [0.0] * len(thinks))
    assert sends[-1] == pytest.approx(max(0.0, (len(thinks) - burst) / rate), rel=1e-9, abs=1e-6)


USES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 12.0]),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from([0.0, 6.0, 25.0]),
        st.sampled_from([1.0, 5.0, 10.0]),
    ),
    min_size=3,
    max_size=30,
)


@given(USES)
def test_settled_tokens_stay_within_the_bound(uses: list[Any]) -> None:
    """The bug: giving back what time had already made up for erases a later booking."""
    limiter = Gcra(rate=1.0, burst=10.0, unit="tokens")
    state, now = limiter.init(0.0), 0.0
    sends: list[tuple[float, float]] = []
    pending: Pending = []
    for think, share, latency, tokens in uses:
        ask = Ask((), tokens)
        state, now = let_go(limiter, state, ask, now + think, pending)
        state, stamp = limiter.on_send(state, ask, now)
        sends.append((now, tokens * share))
        pending.append((now + latency, stamp, Seen(kind="ok", tokens=tokens * share)))
        assert math.isfinite(state.tat)
    assert within(sends, 1.0, 10.0)


def test_the_settlement_bites() -> None:
    def careless(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return GcraState(state.tat - (stamp.cost - (seen.tokens or 0.0)) / self.rate, 0.0)

    caught(test_settled_tokens_stay_within_the_bound, USES, where=Gcra, on_outcome=careless)


@given(st.integers(1, 100), BURSTS, THINKS)
def test_floats_agree_with_exact_arithmetic(rate: int, burst: int, thinks: list[float]) -> None:
    """The bug: rounding that drifts. The oracle is the textbook recurrence in fractions."""
    tat = now = Fraction(0)
    exact = []
    for think in thinks:
        now += Fraction(think)
        now += max(Fraction(0), tat - Fraction(burst - 1, rate) - now)
        tat = max(tat, now) + Fraction(1, rate)
        exact.append(float(now))
    assert instants(Gcra(rate=float(rate), burst=float(burst)), thinks) == pytest.approx(exact, abs=1e-6)


def test_more_tokens_than_estimated_are_paid_for_later() -> None:
    limiter = Gcra(rate=10.0, burst=10.0, unit="tokens")
    state, stamp = limiter.on_send(limiter.init(0.0), Ask((), 5.0), 0.0)
    assert limiter.on_outcome(state, stamp, Seen(kind="ok", tokens=25.0), 0, 0.0).tat == pytest.approx(2.5)
    assert limiter.on_outcome(state, stamp, Seen(kind="ok"), 0, 0.0) == state


def test_a_call_larger_than_the_burst_goes_alone() -> None:
    limiter = Gcra(rate=1.0, burst=2.0, unit="tokens")
    state, _ = limiter.on_send(limiter.init(0.0), Ask((), 50.0), 0.0)
    assert limiter.admit(limiter.init(0.0), Ask((), 50.0), 0, 0.0) == 0.0
    assert limiter.admit(state, Ask((), 50.0), 0, 0.0) == 50.0


def test_requests_are_not_settled() -> None:
    limiter = Gcra(rate=1.0)
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(), 0.0)
    assert limiter.on_outcome(state, stamp, Seen(kind="ok", tokens=3.0), 0, 0.0) == state


def test_those_before_a_call_each_take_their_time() -> None:
    """The bug: a call that comes after a hundred others is told that it may go at once."""
    limiter = Gcra(rate=2.0, burst=3.0)
    state = limiter.init(0.0)
    assert [limiter.admit(state, Ask(ahead=n), 0, 0.0) for n in (0, 2, 3, 4)] == [0.0, 0.0, 0.5, 1.0]
    assert Gcra(rate=2.0, burst=3.0, unit="tokens").admit(state, Ask(tokens=1.0, ahead=50), 0, 0.0) == 0.0


def test_what_was_given_back_is_not_given_back_again() -> None:
    """Step by step: A and B are booked and settled early, C is booked after that; B has moved forward by what A left.

    Bug: the bookings that follow are thought to end later than they do, and more is given back than lies ahead.
    """
    limiter = Gcra(rate=1.0, burst=10.0, unit="tokens")
    state, a = limiter.on_send(limiter.init(0.0), Ask((), 4.0), 0.0)
    state, b = limiter.on_send(state, Ask((), 4.0), 0.0)
    assert state == GcraState(8.0, 0.0)
    state = limiter.on_outcome(state, a, Seen(kind="ok", tokens=1.0), 1, 0.0)
    assert state == GcraState(5.0, 3.0)
    state = limiter.on_outcome(state, b, Seen(kind="ok", tokens=0.0), 0, 2.0)
    assert state == GcraState(2.0, 6.0)
    state, c = limiter.on_send(state, Ask((), 4.0), 2.0)
    assert state == GcraState(6.0, 6.0)
    assert limiter.on_outcome(state, c, Seen(kind="ok", tokens=5.0), 0, 3.0) == GcraState(7.0, 6.0)
    assert limiter.on_outcome(state, c, Seen(kind="ok", tokens=0.0), 0, 3.0) == GcraState(3.0, 9.0)


def test_of_an_estimate_only_what_lies_ahead_is_given_back() -> None:
    tokens = Gcra(rate=1.0, burst=1.0, unit="tokens")
    booked, stamp = tokens.on_send(tokens.init(0.0), Ask(tokens=10.0), 0.0)
    settled = tokens.on_outcome(booked, stamp, Seen(kind="ok", tokens=9.5), 0, 9.8)
    assert (settled.tat, settled.returned) == pytest.approx((9.8, 0.2))
