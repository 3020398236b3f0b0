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
        numbers = [state.rate, state.tat, state.since, state.epoch, state.capacity or 1.0, state.pause, state.below]
        assert all(math.isfinite(number) for number in numbers)
        assert learned.slowest <= state.rate <= learned.fastest
        assert min(state.sent, state.refused, state.total, state.below, state.pause) >= 0
        assert 0 <= learned.admit(state, ASK, 9, now) <= max(2 / learned.slowest, learned.seconds)


def test_the_bounds_bite() -> None:
    def unbounded(self: Any, rate: Any) -> Any:
        return rate

    def eager(self: Any, state: Any, stamp: Any, now: Any) -> Any:
        return self.next(state, 1.1 * state.rate, now)

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
        return self.next(state, 0.5 * state.rate, now)

    prop = test_an_ideal_bucket_refuses_few_and_is_used_well
    caught(prop, RATES, BURSTS, where=Learned, on_outcome=deaf)
    caught(prop, RATES, BURSTS, where=Learned, refuse=strangling)


@pytest.mark.parametrize("rate", [10.0, 50.0, 200.0])
def test_once_settled_one_refusal_per_hundred_sends(rate: float) -> None:
    assert against(rate, 10.0, 4000, 0.06)[1] <= 20


def engaged(capacity: float = 10.0, **changes: Any) -> LearnedState:
    start = LearnedState(rate=capacity, tat=0.0, since=0.0, epoch=0.0, capacity=capacity, sent=50)
    return msgspec.structs.replace(start, **changes)


def refused(state: LearnedState, *numbers: int, at: float = 4.9, now: float = 5.0) -> LearnedState:
    for number in numbers:
        state = Learned().on_outcome(state, Booked(state.generation, number, at), Seen(kind="rate"), 9, now)
    return state


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
    assert learned.on_outcome(state, Booked(2, 40, 0.0), Seen(kind="rate"), 9, 1.0) is state
    assert learned.on_outcome(state, Booked(3, 40, 0.0), Seen(kind="rate", limit=20.0), 9, 1.0) is state
    assert learned.on_outcome(state, Booked(3, 40, 0.0), Seen(kind="ok"), 9, 1.0) is state


def test_dense_refusals_cut_to_what_passed_where_nothing_had_settled() -> None:
    cut = refused(engaged(below=0.01), 39, 43, 47, 50)
    assert (cut.generation, cut.pause, cut.below) == (1, 0.0, 0.0)
    assert cut.rate == pytest.approx(10.0 * (1 - 3 / 11))


def test_dense_refusals_are_first_a_step_and_then_a_cut_where_the_quota_had_settled() -> None:
    """A strict server refuses every other call that comes a little too fast, as one does whose quota has halved."""
    stepped = refused(engaged(below=0.01, settled=True), 44, 46, 48, 50)
    assert stepped.capacity == pytest.approx(9.0 + 0.35)
    assert not stepped.settled
    cut = refused(msgspec.structs.replace(stepped, sent=50), 44, 46, 48, 50)
    assert cut.capacity == pytest.approx(0.5 * stepped.rate)


def test_a_wall_keeps_what_had_settled_and_waits_for_the_end_of_the_drought() -> None:
    learned = Learned()
    dry = refused(engaged(below=0.01, settled=True, rate=11.0), 48, 49, 50)
    assert (dry.capacity, dry.pause, dry.total) == (10.0, 4 / 11, 47)
    assert learned.admit(dry, ASK, 9, 5.0) == pytest.approx(4 / 11)
    probing, probe = learned.on_send(dry, ASK, 5.4)
    assert learned.admit(probing, ASK, 9, 5.4) == pytest.approx(4 / 11)
    longer = learned.on_outcome(probing, probe, Seen(kind="rate"), 9, 5.5)
    assert longer.pause == pytest.approx(1.3 * 4 / 11)
    assert learned.on_outcome(longer, probe, Seen(kind="ok"), 9, 5.6) is longer
    unsettled = refused(engaged(below=0.01), 47, 48, 49, 50)
    assert unsettled.capacity == 2.5
    assert unsettled.pause == pytest.approx(0.4)


def test_a_drought_ends_with_an_answer_or_when_a_probe_is_not_refused() -> None:
    """Then the capacity is what was accepted on average since the drought before, and a little of what it was."""
    learned = Learned()
    dry = engaged(20.0, sent=0, pause=1.0, total=99, tat=10.0, since=9.0)
    probing, probe = learned.on_send(dry, ASK, 10.0)
    answered = learned.on_outcome(probing, probe, Seen(kind="ok"), 9, 10.9)
    assert (answered.pause, answered.epoch, answered.total) == (0.0, 10.0, 0)
    assert answered.capacity == pytest.approx(9.9 * 1.05)
    silent, _ = learned.on_send(probing, ASK, 11.0)
    assert (silent.pause, silent.epoch, silent.sent) == (0.0, 11.0, 1)
    assert silent.capacity == pytest.approx(9.0 * 1.05)
    slower = msgspec.structs.replace(probing, capacity=9.5)
    kept = learned.on_outcome(slower, probe, Seen(kind="ok"), 9, 10.9)
    assert kept.capacity == pytest.approx(9.9)


def test_a_handful_of_accepted_calls_is_no_average_to_go_down_to() -> None:
    """The bug: a drought right after another, with nothing accepted between, leaves a rate of zero."""
    learned = Learned()
    dry = engaged(20.0, sent=1, pause=1.0, total=0, epoch=9.5)
    resumed = learned.on_outcome(dry, Booked(0, 1, 10.0), Seen(kind="ok"), 9, 10.1)
    assert (resumed.capacity, resumed.epoch, resumed.total) == (20.0, 9.5, 0)
    more = learned.on_outcome(msgspec.structs.replace(dry, total=19), Booked(0, 1, 10.0), Seen(kind="ok"), 9, 10.1)
    assert (more.capacity, more.total) == (38.0, 19)


def test_many_refusals_far_apart_go_back_to_what_was_delivered() -> None:
    state = engaged(refused=4)
    state = Learned().on_outcome(state, Booked(0, 50, 4.0), Seen(kind="rate"), 9, 10.0)
    assert state.generation == 1
    assert state.capacity == pytest.approx(45 / 10)
    assert state.rate == pytest.approx(0.95 * 45 / 10)


def test_a_lone_refusal_steps_back_after_a_full_generation_and_is_counted_before() -> None:
    early = refused(engaged(below=0.01, sent=150), 60, at=5.0, now=6.0)
    assert (early.rate, early.refused) == (10.0, 1)
    late = refused(early, 140, at=14.0, now=15.0)
    assert late.generation == 1
    measured = (150 - 0.3 * 2) / 15
    assert late.capacity == pytest.approx(measured + 0.35 * (10 - measured))
    assert late.rate == pytest.approx(0.975 * (measured + 0.35 * (10 - measured)))
    assert (late.sent, late.refused, late.total, late.settled) == (0, 0, 148, True)


def test_several_refusals_in_a_generation_step_back_to_what_was_accepted() -> None:
    late = refused(engaged(below=0.01, sent=150, refused=6), 140, at=14.0, now=18.0)
    assert late.capacity == pytest.approx(143 / 18 + 0.35 * (10 - 143 / 18))
    assert late.below == 0.05


def test_an_idle_time_does_not_count() -> None:
    learned, state = Learned(), engaged(below=0.01, sent=0)
    after, _ = learned.on_send(state, ASK, 1000.0)
    assert after.since == 1000.0
    assert after.rate == pytest.approx(9.9, rel=0.01)


def test_after_a_cut_a_lone_refusal_does_not_stop_the_climb() -> None:
    once = refused(engaged(sent=150), 100)
    assert (once.generation, once.refused) == (0, 1)
    assert refused(once, 110).generation == 1


def test_growth_is_slow_at_first_and_finds_a_multiple_in_time() -> None:
    """From the capacity after a cut, from under it after a step; no faster than 100 sends in two seconds."""
    learned = Learned()
    assert learned.grown(engaged(), 50, 1.0) == pytest.approx(10.35)
    assert learned.grown(engaged(), 5000, 1.0) == pytest.approx(10.35)
    assert learned.grown(engaged(), 260, 20.0) > 40.0
    assert learned.grown(engaged(below=0.02), 0, 0.0) == pytest.approx(9.8)
    assert learned.grown(engaged(below=0.02), 500, 2.0) == pytest.approx(10.0)
    assert learned.grown(engaged(below=0.02), 3, 60.0) == pytest.approx(10.35)
