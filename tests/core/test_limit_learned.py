"""The learned rate: bounded, moved by evidence only, and as good as the tables say against ideal servers."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.learned import Booked, Learned, LearnedState
from openrouter_core.limit.seen import Ask, Seen

ASK = Ask()
OUTCOMES = st.sampled_from(["ok", "ok", "rate", "rate", "rate", "server", "timeout", "other"])
HINTS = st.one_of(st.none(), st.sampled_from([0.0, 120.0]), st.floats(0, 120))
EVENTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.01, 3.0, 1e6]), OUTCOMES, HINTS, st.one_of(st.just(0.05), st.floats(0, 90))),
    max_size=150,
)


@given(EVENTS)
def test_the_state_stays_finite_and_only_sends_and_answers_raise_the_rate(events: list[Any]) -> None:
    """The bug: a refusal that speeds up, a rate of zero that never recovers, inf or nan after a long idle time."""
    learned = Learned(slowest=5.0, fastest=100.0)
    state, now = learned.init(0.0), 0.0
    pending: list[tuple[float, Booked, Seen]] = []
    for think, kind, hint, latency in events:
        now += think + learned.admit(state, ASK, len(pending), now + think)
        for at, stamp, seen in sorted((p for p in pending if p[0] <= now), key=lambda p: p[0]):
            after = learned.on_outcome(state, stamp, seen, 0, at)
            assert seen.kind == "ok" or after.rate <= state.rate * (1 + 1e-12)
            assert seen.kind in {"ok", "rate"} or after == state
            assert after.generation >= state.generation
            state = after
        pending = [p for p in pending if p[0] > now]
        state, booked = learned.on_send(state, ASK, now)
        pending.append((now + latency, booked, Seen(kind=kind, hint=hint)))
        numbers = [state.rate, state.tat, state.since, state.epoch, state.capacity or 1.0]
        assert all(math.isfinite(number) for number in numbers)
        assert learned.slowest <= state.rate <= learned.fastest
        assert min(state.sent, state.refused, state.total, state.origin) >= 0
        assert 0 <= learned.admit(state, ASK, 9, now) <= 2 / learned.slowest


def test_the_bounds_bite() -> None:
    def unbounded(self: Any, rate: Any) -> Any:
        return rate

    def eager(self: Any, state: Any, stamp: Any, now: Any) -> Any:
        return self.hard(state, 1.1 * state.rate, 0, now)

    prop = test_the_state_stays_finite_and_only_sends_and_answers_raise_the_rate
    caught(prop, EVENTS, where=Learned, bounded=unbounded)
    caught(prop, EVENTS, where=Learned, refuse=eager)


def against(rate: float, burst: float, sends: int, delay: float = 0.0) -> tuple[int, int, float]:
    """Send greedily to an ideal token bucket. Give the refusals in all, those of the second half, and the end."""
    learned = Learned()
    state, now, tokens, at = learned.init(0.0), 0.0, burst, 0.0
    refused = list[int]()
    pending: list[tuple[float, Booked, Seen]] = []
    for number in range(sends):
        while True:
            for due, booked, seen in [p for p in pending if p[0] <= now]:
                state = learned.on_outcome(state, booked, seen, 9, due)
            pending = [p for p in pending if p[0] > now]
            wait = learned.admit(state, ASK, 9, now)
            if wait <= 0:
                break
            now = max(math.nextafter(now, math.inf), min([now + wait, *(p[0] for p in pending)]))
        state, booked = learned.on_send(state, ASK, now)
        tokens, at = min(burst, tokens + (now - at) * rate), now
        kind: str = "ok"
        if tokens >= 1 - 1e-9:
            tokens -= 1
        else:
            kind = "rate"
            refused.append(number)
        pending.append((now + delay, booked, Seen(kind="rate" if kind == "rate" else "ok")))
    return len(refused), sum(1 for number in refused if number > sends // 2), now


RATES = st.one_of(st.sampled_from([0.7, 1.0, 10.0, 80.0, 500.0]), st.floats(0.7, 500))
BURSTS = st.one_of(st.just(1), st.integers(1, 60))


@given(RATES, BURSTS)
def test_an_ideal_bucket_refuses_few_and_is_used_well(rate: float, burst: int) -> None:
    """The bug: a limiter that does not engage, or one that strangles itself."""
    sends = 1500
    refused, _, ended = against(rate, float(burst), sends)
    assert refused <= 50 + 0.03 * sends + 4 * ended / 30
    assert sends - refused >= 0.75 * rate * (ended - 10) - burst


def test_the_use_bites() -> None:
    def deaf(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917
        return state

    def strangling(self: Any, state: Any, stamp: Any, now: Any) -> Any:
        return self.hard(state, 0.5 * state.rate, 0, now)

    prop = test_an_ideal_bucket_refuses_few_and_is_used_well
    caught(prop, RATES, BURSTS, where=Learned, on_outcome=deaf)
    caught(prop, RATES, BURSTS, where=Learned, refuse=strangling)


@pytest.mark.parametrize("rate", [10.0, 50.0, 200.0])
def test_once_settled_one_refusal_per_hundred_sends(rate: float) -> None:
    assert against(rate, 10.0, 4000, 0.06)[1] <= 20


def engaged(capacity: float = 10.0, **changes: object) -> LearnedState:
    start = LearnedState(rate=capacity, tat=0.0, since=0.0, epoch=0.0, capacity=capacity, sent=50, dry=0)
    return msgspec.structs.replace(start, **changes)


def test_a_call_that_is_alone_never_waits_while_nothing_is_known() -> None:
    learned = Learned()
    state, _ = learned.on_send(learned.init(0.0), ASK, 0.0)
    assert learned.admit(state, ASK, 0, 0.0) == 0.0
    assert learned.admit(state, ASK, 1, 0.0) == 1 / 81.4


def test_a_lone_refusal_changes_nothing_while_nothing_is_known() -> None:
    learned = Learned()
    state, booked = learned.on_send(learned.init(0.0), ASK, 0.0)
    for number in range(1, 30):
        state, booked = learned.on_send(state, ASK, number / 10)
    after = learned.on_outcome(state, booked, Seen(kind="rate"), 9, 3.0)
    assert after.rate == state.rate
    assert after.capacity is None


def test_refusals_of_an_older_generation_and_documented_ones_are_ignored() -> None:
    learned, state = Learned(), engaged(generation=3)
    assert learned.on_outcome(state, Booked(2, 40, 0.0), Seen(kind="rate"), 9, 1.0) == state
    assert learned.on_outcome(state, Booked(3, 40, 0.0), Seen(kind="rate", limit=20.0), 9, 1.0) == state


@pytest.mark.parametrize(("numbers", "share"), [((47, 48, 49, 50), 0.25), ((39, 43, 47, 50), 1 - 3 / 11)])
def test_dense_refusals_cut_to_what_passed(numbers: tuple[int, ...], share: float) -> None:
    learned, state = Learned(), engaged(below=1)
    for number in numbers:
        state = learned.on_outcome(state, Booked(0, number, 4.0), Seen(kind="rate"), 9, 5.0)
    assert state.generation == 1
    assert state.rate == pytest.approx(10.0 * share, rel=1e-9)


def test_many_refusals_far_apart_cut_to_what_was_delivered() -> None:
    learned, state = Learned(), engaged(refused=3)
    state = learned.on_outcome(state, Booked(0, 50, 4.0), Seen(kind="rate"), 9, 10.0)
    assert state.generation == 1
    assert state.rate == pytest.approx(46 / 10)


def test_a_lone_refusal_steps_back_after_a_full_ledger_and_is_counted_before() -> None:
    learned, state = Learned(), engaged(below=1, sent=150)
    early = learned.on_outcome(state, Booked(0, 60, 5.0), Seen(kind="rate"), 9, 6.0)
    assert (early.rate, early.refused) == (10.0, 1)
    late = learned.on_outcome(state, Booked(0, 140, 14.0), Seen(kind="rate"), 9, 15.0)
    assert late.generation == 0
    assert late.rate == pytest.approx(9.7)
    assert (late.origin, late.refused, late.total) == (150, 0, 149)


def test_a_drought_ends_at_what_was_accepted_between_two_ends() -> None:
    learned = Learned()
    dry = engaged(0.5, generation=4, dry=1, total=99, sent=1, since=9.0)
    resumed = learned.on_outcome(dry, Booked(4, 1, 10.0), Seen(kind="ok"), 9, 12.0)
    assert resumed.capacity == pytest.approx(10.0)
    assert (resumed.generation, resumed.epoch, resumed.total) == (5, 10.0, 0)
    faster = msgspec.structs.replace(dry, rate=20.0)
    kept = learned.on_outcome(faster, Booked(4, 1, 10.0), Seen(kind="ok"), 9, 12.0)
    assert (kept.rate, kept.dry, kept.epoch) == (20.0, 0, 10.0)


def test_an_idle_time_does_not_count() -> None:
    learned, state = Learned(), engaged(below=1, sent=0)
    after, _ = learned.on_send(state, ASK, 1000.0)
    assert after.since == 1000.0
    assert after.rate == pytest.approx(9.7, rel=0.01)


def test_several_refusals_in_a_ledger_step_back_to_what_was_accepted() -> None:
    learned, state = Learned(), engaged(below=1, sent=150, refused=5)
    late = learned.on_outcome(state, Booked(0, 140, 14.0), Seen(kind="rate"), 9, 18.0)
    assert late.capacity == pytest.approx(8.0 + 0.4 * 2.0)
