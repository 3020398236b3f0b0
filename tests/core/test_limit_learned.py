"""The learned rate: bounded, moved by evidence only, and as good as the tables say against ideal servers."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.waiting import Pending, let_go

from openrouter_core.limit.learned import Booked, Learned, LearnedState
from openrouter_core.limit.seen import Ask, Seen

ASK = Ask()
ON_SEND = Learned.on_send
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
            assert 0 <= after.paced <= after.sent
            state = after
        pending = [p for p in pending if p[0] > now]
        state, booked = learned.on_send(state, ASK, now)
        pending.append((now + latency, booked, Seen(kind=kind, hint=hint)))
        numbers = [state.rate, state.tat, state.since, state.epoch, state.capacity or 1.0, state.pause, state.known]
        assert all(math.isfinite(number) for number in numbers)
        assert learned.slowest <= state.rate <= learned.fastest
        assert min(state.sent, state.refused, state.total, state.known, state.mix, state.pause) >= 0
        assert 0 <= learned.admit(state, ASK, 9, now) <= max(2 / learned.slowest, learned.seconds)


def test_the_bounds_bite() -> None:
    def unbounded(self: Any, rate: Any) -> Any:
        return rate

    def eager(self: Any, state: Any, stamp: Any, now: Any) -> Any:
        return self.back(msgspec.structs.replace(state, rate=1.2 * state.rate, mix=1.0), now)

    prop = test_the_state_stays_finite_and_only_sends_and_answers_raise_the_rate
    caught(prop, EVENTS, where=Learned, bounded=unbounded)
    caught(prop, EVENTS, where=Learned, refuse=eager)


def against(rate: float, burst: float, sends: int, delay: float = 0.0) -> tuple[int, int, float]:
    """Send greedily to an ideal token bucket. Give the refusals in all, those of the second half, and the end."""
    learned = Learned()
    state, now, tokens, at = learned.init(0.0), 0.0, burst, 0.0
    refused = list[int]()
    pending: Pending = []
    for number in range(sends):
        state, now = let_go(learned, state, ASK, now, pending)
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
    def deaf(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return state

    def strangling(self: Any, state: Any, stamp: Any, now: Any) -> Any:
        return self.back(msgspec.structs.replace(state, rate=0.5 * state.rate), now)

    prop = test_an_ideal_bucket_refuses_few_and_is_used_well
    caught(prop, RATES, BURSTS, where=Learned, on_outcome=deaf)
    caught(prop, RATES, BURSTS, where=Learned, refuse=strangling)


@pytest.mark.parametrize("rate", [10.0, 50.0, 200.0])
def test_once_settled_one_refusal_per_hundred_sends(rate: float) -> None:
    assert against(rate, 10.0, 4000, 0.06)[1] <= 20


SLOW = (st.sampled_from([10.0, 50.0, 200.0]), st.sampled_from([10.0, 50.0]), st.floats(0.03, 0.6))


@settings(max_examples=10)
@given(*SLOW)
def test_refusals_that_take_long_are_no_more_once_settled(rate: float, burst: float, delay: float) -> None:
    """The bug: a rate that grows faster than refusals come back runs into the wall again and again."""
    assert against(rate, burst, 3000, delay)[1] <= 60


def test_the_slowness_bites() -> None:
    strides = Learned.strides

    def hasty(self: Any, state: Any, sent: Any, seconds: Any) -> Any:
        return strides(self, msgspec.structs.replace(state, delay=0.03), sent, seconds)

    prop = test_refusals_that_take_long_are_no_more_once_settled
    caught(prop, SLOW[0], SLOW[1], st.just(0.6), where=Learned, strides=hasty)


def test_how_long_refusals_take_is_learned_from_each() -> None:
    first = refused(engaged(delay=0.0), 3, at=4.0, now=4.5)
    assert first.delay == 0.5
    second = refused(first, 6, at=4.0, now=5.0)
    assert second.delay == pytest.approx(0.6)
    assert Learned().strides(engaged(known=10.0, delay=0.5), 1000, 16.0) == 2.0
    for kept in (Learned().back(second, 6.0), Learned().drought(second, 1.0, 6.0), Learned().resumed(second, 6.0)):
        assert kept.delay == second.delay
    assert Learned().on_send(second, ASK, 6.0)[0].delay == second.delay


def engaged(rate: float = 10.0, **changes: Any) -> LearnedState:
    start = LearnedState(rate=rate, tat=0.0, since=0.0, epoch=0.0, capacity=rate, sent=50, known=100.0, delay=0.0625)
    return msgspec.structs.replace(start, **{"paced": changes.get("sent", 50), **changes})


def refused(state: LearnedState, *numbers: int, at: float = 4.9, now: float = 5.0) -> LearnedState:
    for number in numbers:
        state = Learned().on_outcome(state, Booked(state.generation, number, at), Seen(kind="rate"), 9, now)
    return state


def test_a_call_that_is_alone_never_waits_while_nothing_is_known() -> None:
    learned = Learned()
    state, _ = learned.on_send(learned.init(0.0), ASK, 0.0)
    assert learned.admit(state, ASK, 0, 0.0) == 0.0
    assert learned.admit(state, ASK, 1, 0.0) == 1 / 132.4


def test_the_first_refusal_of_a_ramp_stops_it_for_as_long_as_it_took() -> None:
    learned = Learned()
    ramping = learned.init(0.0)
    for _ in range(9):
        ramping, _ = learned.on_send(ramping, ASK, ramping.tat)
    first = refused(ramping, 3, at=0.05, now=0.15)
    assert first.tat == pytest.approx(0.25)
    assert (first.refused, first.capacity, first.pause) == (1, None, 0.0)
    assert refused(msgspec.structs.replace(ramping, tat=0.5), 3, at=0.05, now=0.15).tat == 0.5
    second = refused(first, 5, at=0.06, now=0.22)
    assert (second.tat, second.refused, second.pause) == (first.tat, 2, 0.0)


@given(st.lists(st.floats(0.0, 0.01), min_size=1, max_size=300))
def test_calls_that_were_alone_leave_no_debt_to_those_that_are_not(pauses: list[float]) -> None:
    """The bug: each call that went past the pace because it was alone took a slot, and company waited for seconds."""
    learned = Learned()
    state, now = learned.init(0.0), 0.0
    for pause in pauses:
        now += pause
        assert learned.admit(state, ASK, 0, now) == 0.0
        state, _ = learned.on_send(state, ASK, now)
        assert learned.admit(state, ASK, 1, now) <= 1 / learned.first


def test_the_debt_bites() -> None:
    def indebted(self: Learned, state: LearnedState, ask: Ask, now: float) -> Any:
        booked, stamp = ON_SEND(self, state, ask, now)
        return msgspec.structs.replace(booked, tat=max(state.tat, now) + 1 / booked.rate), stamp

    caught(
        test_calls_that_were_alone_leave_no_debt_to_those_that_are_not,
        st.lists(st.floats(0.0, 0.01), min_size=1, max_size=300),
        where=Learned,
        on_send=indebted,
    )


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


@pytest.mark.parametrize("numbers", [(48, 49, 50), (39, 43, 47, 50)])
def test_refusals_in_a_row_or_close_together_begin_a_drought(numbers: tuple[int, ...]) -> None:
    learned = Learned()
    dry = refused(engaged(11.0, paced=40), *numbers)
    assert dry.paced == 0
    assert (dry.capacity, dry.pause, dry.total, dry.probes) == (11.0, 4 / 11, 50 - len(numbers), 0)
    assert (dry.generation, dry.since, dry.sent, dry.refused, dry.recent) == (1, 5.0, 0, 0, ())
    assert learned.admit(dry, ASK, 0, 5.0) == pytest.approx(4 / 11)
    probing, probe = learned.on_send(dry, ASK, 5.4)
    assert learned.admit(probing, ASK, 9, 5.4) == pytest.approx(4 / 11)
    longer = learned.on_outcome(probing, probe, Seen(kind="rate"), 9, 5.5)
    assert longer.pause == pytest.approx(1.3 * 4 / 11)
    assert (longer.probes, longer.total) == (1, dry.total)
    assert learned.on_outcome(longer, probe, Seen(kind="ok"), 9, 5.6) is longer


@pytest.mark.parametrize(
    ("probes", "epoch", "pause"), [(0, 0.0, 0.13), (1, 0.0, 0.5), (1, 1.2, 0.47), (1, 18.0, 0.13), (1, -99.0, 0.75)]
)
def test_from_the_second_refused_probe_on_a_pause_is_a_part_of_what_was_without_one(
    probes: int, epoch: float, pause: float
) -> None:
    probing = msgspec.structs.replace(engaged(), pause=0.1, probes=probes, epoch=epoch, sent=1)
    after = Learned().on_outcome(probing, Booked(0, 1, 19.9), Seen(kind="rate"), 9, 20.0)
    assert after.pause == pytest.approx(pause)


def test_a_slow_refusal_makes_a_longer_pause() -> None:
    assert refused(engaged(), 48, 49, 50, at=3.0, now=5.0).pause == 4.0


def test_four_refusals_far_apart_are_no_drought() -> None:
    assert refused(engaged(sent=60), 24, 28, 32, 36).pause == 0.0


def test_a_drought_ends_with_an_answer_or_when_a_probe_is_not_refused() -> None:
    """Then the capacity is what was accepted on average since the drought before."""
    learned = Learned()
    dry = engaged(10.5, sent=0, pause=1.0, probes=2, total=98, tat=10.0, since=9.0)
    probing, probe = learned.on_send(dry, ASK, 10.0)
    answered = learned.on_outcome(probing, probe, Seen(kind="ok"), 9, 10.9)
    assert (answered.pause, answered.epoch, answered.total, answered.probes) == (0.0, 10.0, 0, 0)
    assert answered.tat == 10.9  # and not since the probe went: a strict server would refuse those that catch up
    assert answered.capacity == pytest.approx(9.9 + 0.2 * 0.6)
    silent, _ = learned.on_send(probing, ASK, 11.0)
    assert (silent.pause, silent.epoch, silent.sent) == (0.0, 11.0, 1)
    assert silent.capacity == pytest.approx(9.0 + 0.2 * 1.5)


def test_a_drought_right_after_another_is_a_surprise() -> None:
    """The bug: nothing accepted between two droughts leaves a rate of zero, or is believed at once."""
    learned = Learned()
    dry = engaged(20.0, sent=1, pause=1.0, epoch=9.5)
    resumed = learned.on_outcome(dry, Booked(0, 1, 10.0), Seen(kind="ok"), 9, 10.1)
    assert (resumed.capacity, resumed.epoch, resumed.total, resumed.known) == (17.0, 10.0, 0, 50.0)


MEASURED: dict[str, tuple[dict[str, Any], float, tuple[float, float]]] = {
    "after the ramp: what was accepted, known to 1 in 50 at best": ({"capacity": None, "rate": 10.0}, 9.9, (9.9, 50.0)),
    "after the ramp, with a wide gap": ({"capacity": None, "rate": 20.0}, 5.0, (5.0, 4.0)),
    "never more than what was refused": ({}, 12.0, (10.0, 90.0)),
    "a bucket: a part of the gap is added": ({}, 9.0, (9.05, 90.0)),
    "a window: a larger part": ({"probes": 1, "total": 60}, 9.0, (9.2, 60.0)),
    "a window: at most 5 %": ({"probes": 1, "total": 300, "rate": 20.0}, 9.0, (9.45, 300.0)),
    "at 0.85 of it, it is none": ({"rate": 8.5}, 8.5, (8.5, 90.0)),
    "a surprise is believed by half": ({}, 5.0, (8.5, 50.0)),
    "the second time it tells": ({"known": 50.0}, 5.0, (5.25, 6.0)),
    "a window's too": ({"known": 50.0, "probes": 1, "total": 60}, 5.0, (5.25, 60.0)),
}


@pytest.mark.parametrize(("changes", "average", "expected"), MEASURED.values(), ids=MEASURED)
def test_the_end_of_a_drought_measures(changes: dict[str, Any], average: float, expected: tuple[float, float]) -> None:
    state = engaged(**{"capacity": 10.0, "total": 200, **changes})
    assert Learned().measured(state, average) == pytest.approx(expected)


def test_many_refusals_far_apart_step_back_early() -> None:
    state = engaged(refused=4, sent=45)
    state = Learned().on_outcome(state, Booked(0, 30, 3.0), Seen(kind="rate"), 9, 5.0)
    assert state.generation == 1
    assert state.mix == pytest.approx(0.45 - 0.1 * (1.25 - 0.45))
    assert state.capacity == pytest.approx(8.0 + state.mix * 2.0)
    assert state.rate == pytest.approx(0.99 * (state.capacity or 0.0))


def test_few_sends_are_not_many_refusals() -> None:
    assert refused(engaged(sent=19), 5, 12, 19).generation == 0


def test_a_lone_refusal_steps_back_after_half_a_length_and_is_counted_before() -> None:
    early = refused(engaged(sent=150), 40, at=4.0, now=5.0)
    assert (early.rate, early.refused, early.generation) == (10.0, 1, 0)
    late = refused(early, 140, at=14.0, now=15.0)
    measured = 148 / 15
    assert late.mix == pytest.approx(0.45 + 0.1 * (1.5 - 1.25))
    assert late.capacity == pytest.approx(measured + late.mix * (10 - measured))
    assert (late.sent, late.refused, late.total, late.known) == (0, 0, 148, 100.0)
    assert late.tat == 15 + 1 / late.rate


def test_a_short_generation_lowers_the_mix_and_a_long_one_raises_it() -> None:
    """Kills: a strict server's quota that is never filled, and a bucket's that is overrun."""
    state = engaged(sent=60)
    for _ in range(9):
        state = refused(state, 60, at=state.since + 6.0, now=state.since + 6.0)
        state = msgspec.structs.replace(state, sent=60, paced=60)
    assert state.mix == 0.2
    for _ in range(99):
        state = refused(state, 500, at=state.since + 50.0, now=state.since + 50.0)
        state = msgspec.structs.replace(state, sent=500, paced=500)
    assert state.mix == 0.8


def test_what_is_known_is_the_narrower_for_a_narrow_gap() -> None:
    learned = Learned()
    assert learned.precision(500, 9.0, 10.0) == pytest.approx(30.0)
    assert learned.precision(20, 9.0, 10.0) == 20
    assert learned.precision(1e9, 10.0, 10.0) == pytest.approx(3000.0)


GAPS = st.lists(st.floats(0.35, 100.0), min_size=1, max_size=300)


@given(GAPS)
def test_what_nobody_asked_for_teaches_nothing(gaps: list[float]) -> None:
    """The bugs: a rate that grows while fewer calls come than it allows, and a quota that is measured over that time.

    The next burst met hundreds of refusals, or a client that had served thousands a second began again with one.
    """
    learned, state, now = Learned(), engaged(sent=0), 0.0
    for gap in gaps:
        now += gap
        state, _ = learned.on_send(state, ASK, now)
    assert state.rate == pytest.approx(9.9, rel=0.01)
    assert (state.sent, state.paced) == (len(gaps), 0)
    assert max(now - state.since, now - state.epoch) <= len(gaps) / 10


def test_what_nobody_asked_for_bites() -> None:
    def growing(self: Learned, state: LearnedState, ask: Ask, now: float) -> Any:
        booked, stamp = ON_SEND(self, state, ask, now)
        return msgspec.structs.replace(booked, rate=self.grown(booked, booked.sent, now)), stamp

    def measuring(self: Learned, state: LearnedState, ask: Ask, now: float) -> Any:
        booked, stamp = ON_SEND(self, state, ask, now)
        return msgspec.structs.replace(booked, epoch=state.epoch), stamp

    caught(test_what_nobody_asked_for_teaches_nothing, GAPS, where=Learned, on_send=growing)
    caught(test_what_nobody_asked_for_teaches_nothing, GAPS, where=Learned, on_send=measuring)


def test_a_slot_that_stood_empty_for_a_moment_counts() -> None:
    """A pump that woke late, on a busy machine, is no idle time; nor is a slow key's pace."""
    state, _ = Learned().on_send(engaged(sent=0), ASK, 0.1)
    assert (state.paced, state.since) == (1, 0.0)
    slow, _ = Learned().on_send(engaged(1.0, sent=0), ASK, 2.0)
    assert (slow.paced, slow.since) == (1, 0.0)


def test_growth_is_slow_at_first_and_finds_a_multiple_in_time() -> None:
    """From under the capacity; where it is well known, a length is 100 sends, and no less than two seconds."""
    learned = Learned()
    assert learned.grown(engaged(), 0, 0.0) == pytest.approx(9.9)
    assert learned.grown(engaged(), 500, 2.0) == pytest.approx(10.0)
    assert learned.grown(engaged(), 5000, 4.0) == pytest.approx(10.35)
    assert learned.grown(engaged(), 600, 90.0) > 40.0
    assert learned.grown(engaged(), 3, 60.0) == pytest.approx(10.35)


def test_growth_is_quicker_where_little_is_known() -> None:
    learned = Learned()
    assert learned.grown(engaged(known=0.0), 20, 20.0) == pytest.approx(10.35)
    assert learned.grown(engaged(known=25.0), 50, 20.0) == pytest.approx(10.35)
    assert learned.grown(engaged(known=25.0), 500, 2.0) == pytest.approx(10.35)


@pytest.mark.parametrize(("sent", "seconds", "rate"), [(150, 3.0, 10.08125), (300, 6.0, 12.2), (50, 1.0, 9.9875)])
def test_growth_is_that_of_the_formula(sent: int, seconds: float, rate: float) -> None:
    """A length is 100 sends: x is 0.5, 2 and -0.5."""
    assert Learned().grown(engaged(), sent, seconds) == pytest.approx(rate)


def test_growth_is_finite_however_long_a_generation_lasts() -> None:
    rate = Learned(fastest=math.inf).grown(engaged(), 10**9, 1e9)
    assert rate == pytest.approx(10 * (1 + 0.01 * 999 + 0.025 * 999**3))


@pytest.mark.parametrize(
    ("rate", "late", "since"),
    [
        (100.0, 0.0625, 50.0),
        (100.0, 0.125, 50.0),
        (100.0, 0.25, 50.25),
        (0.5, 3.0, 50.0),
        (0.5, 5.0, 55.0),
        (1.0, 2.0, 50.0),
        (1.0, 2.5, 52.5),
    ],
)
def test_an_idle_time_is_longer_than_an_eighth_of_a_second_here_and_than_two_sends(
    rate: float, late: float, since: float
) -> None:
    state, _ = Learned(idle=0.125).on_send(engaged(rate, tat=100.0, since=50.0), ASK, 100.0 + late)
    assert state.since == since


def test_who_wakes_a_little_late_catches_up_and_no_more() -> None:
    learned, state = Learned(), engaged(tat=100.0, since=98.0, mix=0.3)
    soon, _ = learned.on_send(state, ASK, 100.01)
    assert soon.tat == 100.0 + 1 / soon.rate
    late, _ = learned.on_send(state, ASK, 100.5)
    assert late.tat == 100.5 - 0.02 + 1 / late.rate
    assert late.mix == 0.3


def test_a_droughts_probe_is_the_first_send_of_its_generation() -> None:
    dry = refused(engaged(11.0), 48, 49, 50)
    probing, probe = Learned().on_send(dry, ASK, 5.4)
    assert probe == Booked(dry.generation, 1, 5.4)
    assert probing.sent == 1
    assert Learned(mix=0.3).init(0.0).mix == 0.3


@pytest.mark.parametrize(("count", "generation"), [(2, 0), (3, 1)])
def test_more_than_2_and_5_percent_of_20_sends_are_many_refusals(count: int, generation: int) -> None:
    assert refused(engaged(sent=20, refused=count), 5).generation == generation


@pytest.mark.parametrize(("number", "generation"), [(49, 0), (50, 1)])
def test_a_refusal_counts_from_half_a_length_on_whenever_the_generation_began(number: int, generation: int) -> None:
    state = engaged(sent=150, since=100.0)
    assert refused(state, number, at=104.0, now=105.0).generation == generation


def test_no_less_than_nothing_is_accepted() -> None:
    learned = Learned()
    assert learned.accepted(engaged(sent=5, refused=3)) == 2
    assert learned.accepted(engaged(sent=3, refused=5)) == 0


def test_a_step_at_a_generations_first_instant_is_measured_over_one_send() -> None:
    assert Learned().back(engaged(sent=1, since=5.0), 5.0).capacity == pytest.approx(10.0)


def test_a_droughts_end_opens_a_generation_with_the_mix_as_it_was() -> None:
    dry = engaged(20.0, sent=1, pause=1.0, epoch=5.0, total=49, mix=0.3)
    resumed = Learned().on_outcome(dry, Booked(0, 1, 10.0), Seen(kind="ok"), 9, 10.1)
    assert (resumed.generation, resumed.mix) == (1, 0.3)


@pytest.mark.parametrize(("total", "epoch", "average"), [(49, 5.0, 10.0), (1, 5.0, 0.4), (5, 9.95, 60.0)])
def test_a_drought_measures_from_the_end_of_the_one_before(total: int, epoch: float, average: float) -> None:
    """Over a tenth of a second at least."""
    dry = engaged(100.0, capacity=None, sent=1, pause=1.0, epoch=epoch, total=total)
    resumed = Learned().on_outcome(dry, Booked(0, 1, 10.0), Seen(kind="ok"), 9, 10.1)
    assert resumed.capacity == pytest.approx(average)
    assert (resumed.total, resumed.epoch) == (0, 10.0)


def test_a_rate_stays_between_one_in_ten_minutes_and_a_hundred_thousand_a_second() -> None:
    bounded = [Learned().bounded(rate) for rate in (0.0, 1 / 601, 1 / 599, 9e4, 1e9)]
    assert bounded == [1 / 600, 1 / 600, 1 / 599, 9e4, 1e5]
