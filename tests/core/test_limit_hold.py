"""An outage: hold, probe with one call, start slowly after."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.hold import Flowing, GivenUp, Held, Hold, HoldState, Probing, Recovering, Trial
from openrouter_core.limit.seen import Ask, Seen, dense, noted

OK, BAD, SLOW, OTHER = Seen(kind="ok"), Seen(kind="server"), Seen(kind="timeout"), Seen(kind="other")
ASK = Ask()
EVENTS = st.lists(
    st.tuples(st.floats(0, 4), st.sampled_from([BAD, BAD, BAD, SLOW, OTHER, OK]), st.floats(0, 12)), max_size=80
)


def outage(hold: Hold, at: float = 0.0) -> HoldState:
    state = hold.init(at)
    for _ in range(hold.many):
        state, stamp = hold.on_send(state, ASK, at)
        state = hold.on_outcome(state, stamp, BAD, 9, at)
    return state


@given(EVENTS)
def test_in_an_outage_probes_go_one_by_one_and_never_stop(events: list[Any]) -> None:
    """The bug: probes in parallel, a probe whose end is lost and with it all the others, a wait without bound."""
    hold = Hold(patience=1e9)
    state, now, last, number = outage(hold), 0.0, 0.0, 0
    pending: list[tuple[float, Any, Seen]] = []
    for think, seen, latency in events:
        now += think
        for at, stamp, outcome in sorted((p for p in pending if p[0] <= now), key=lambda p: p[0]):
            state = hold.on_outcome(state, stamp, outcome, len(pending), at)
        pending = [p for p in pending if p[0] > now]
        if isinstance(state, Flowing | Recovering):
            return
        wait = hold.admit(state, ASK, len(pending), now)
        assert 0 <= wait <= hold.silence + 1e-9
        if wait == 0:
            out = [p for p in pending if p[1].number == number]
            assert not out or now - last >= hold.silence - 1e-9
            state, stamp = hold.on_send(state, ASK, now)
            assert stamp.probe
            assert stamp.number == number + 1
            assert hold.admit(state, ASK, 1, now) == pytest.approx(hold.silence)
            last, number = now, stamp.number
            pending.append((now + latency, stamp, seen))


def test_the_probes_bite() -> None:
    def crowded(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return 0.0

    def deaf(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return Held(state.generation, 0.0, 1e9, 0)

    prop = test_in_an_outage_probes_go_one_by_one_and_never_stop
    caught(prop, EVENTS, where=Hold, admit=crowded)
    caught(prop, EVENTS, where=Hold, on_outcome=deaf)


def ended(hold: Hold, state: HoldState, seens: list[Seen]) -> HoldState:
    """Send as many calls as there are outcomes, one after another."""
    for seen in seens:
        state, stamp = hold.on_send(state, ASK, 7.0)
        state = hold.on_outcome(state, stamp, seen, 9, 7.0)
    return state


def test_five_sends_that_fail_in_a_row_hold_and_an_answer_between_forgives() -> None:
    hold = Hold()
    assert outage(hold, 7.0) == Held(1, 7.0, 8.0)
    assert ended(hold, hold.init(0.0), [BAD, SLOW, BAD, SLOW, OTHER, OK] * 5) == Flowing(0, 30, ())


def test_answers_to_what_was_sent_before_an_outage_do_not_hide_it() -> None:
    """The bug: the last answers from before keep coming in for seconds, and each one starts the count anew."""
    hold = Hold()
    state, old = hold.on_send(hold.init(0.0), ASK, 0.0)
    for _ in range(5):
        state, stamp = hold.on_send(state, ASK, 1.0)
        state = hold.on_outcome(state, old, OK, 9, 1.0)
        state = hold.on_outcome(state, stamp, BAD, 9, 1.0)
    assert isinstance(state, Held)


def test_failures_by_chance_that_come_back_first_do_not_hold() -> None:
    """The bug: failures are quick and answers slow, so a burst's first outcomes are all failures."""
    hold = Hold()
    state = hold.init(0.0)
    stamps: list[Trial] = []
    for _ in range(100):
        state, stamp = hold.on_send(state, ASK, 0.0)
        stamps.append(stamp)
    for stamp in stamps[::15]:
        state = hold.on_outcome(state, stamp, BAD, 90, 0.2)
    assert isinstance(state, Flowing)


ORDERS = st.integers(10, 60).flatmap(lambda many: st.permutations(range(many)))


@given(ORDERS)
def test_an_outage_that_ends_all_that_is_in_flight_holds_before_they_come_back(order: list[int]) -> None:
    """The bug: failures in any order are never of consecutive sends, and all of them are sent once more."""
    hold = Hold()
    state, stamps = hold.init(0.0), list[Trial]()
    for _ in order:
        state, stamp = hold.on_send(state, ASK, 0.0)
        stamps.append(stamp)
    for failed, number in enumerate(order, 1):
        state = hold.on_outcome(state, stamps[number], BAD, len(order) - failed, 1.0)
    assert state == Held(1, 1.0, 2.0)


def test_the_row_bites() -> None:
    def scattered(self: Any, state: Any, stamp: Any, in_flight: Any, now: Any) -> Any:
        recent = noted(state.recent, stamp.number, self.many)
        held = dense(recent, self.many, self.among)
        return Held(state.generation + 1, now, now + 1.0) if held else Flowing(0, state.sent, recent)

    prop = test_an_outage_that_ends_all_that_is_in_flight_holds_before_they_come_back
    caught(prop, ORDERS, where=Hold, failing=scattered)


def test_probes_come_after_one_second_and_then_every_two() -> None:
    hold = Hold()
    state, now, waits = outage(hold), 0.0, list[float]()
    for _ in range(5):
        waits.append(hold.admit(state, ASK, 0, now))
        now += waits[-1]
        state, stamp = hold.on_send(state, ASK, now)
        state = hold.on_outcome(state, stamp, BAD, 0, now)
    assert waits == [1.0, 2.0, 2.0, 2.0, 2.0]


def test_when_an_outage_began_does_not_matter() -> None:
    """Bug: patience is measured from the clock's beginning, and an outage after five minutes holds nobody."""
    hold = Hold()
    held = outage(hold, 1000.0)
    assert hold.admit(held, ASK, 0, 1000.0) == 1.0
    assert hold.on_send(held, ASK, 1001.0)[1].probe


@pytest.mark.parametrize("state", [Flowing(), Recovering(2, 50)])
def test_a_row_of_failures_goes_on_over_the_sends_between_them(state: HoldState) -> None:
    """Bug: each send begins the row anew, and an outage whose failures come back far apart is not noticed."""
    hold, stamps = Hold(), list[Trial]()
    for _ in range(50):
        state, stamp = hold.on_send(state, ASK, 0.0)
        stamps.append(stamp)
    for stamp in stamps[0:40:10]:
        state = hold.on_outcome(state, stamp, BAD, 5, 1.0)
        assert isinstance(state, Flowing | Recovering)
        state, _ = hold.on_send(state, ASK, 1.0)
    assert isinstance(hold.on_outcome(state, stamps[40], BAD, 5, 1.0), Held)


def test_a_probe_that_ends_without_evidence_lets_the_next_go_at_once() -> None:
    hold = Hold()
    state, stamp = hold.on_send(outage(hold), ASK, 1.0)
    assert hold.admit(hold.on_outcome(state, stamp, OTHER, 0, 1.5), ASK, 0, 1.5) == 0.0


def test_old_news_is_ignored_but_any_probes_answer_counts() -> None:
    hold = Hold()
    held = outage(hold)
    assert hold.on_outcome(held, Trial(0, 1), OK, 0, 0.0) == held
    first, one = hold.on_send(held, ASK, 1.0)
    second, two = hold.on_send(first, ASK, 12.0)
    assert hold.on_outcome(second, one, BAD, 1, 13.0) == second
    assert hold.on_outcome(second, one, OK, 1, 13.0) == Recovering(2, 8)
    back = hold.on_outcome(second, two, BAD, 1, 13.0)
    assert isinstance(back, Held)
    assert hold.on_outcome(back, one, BAD, 0, 13.0) == back


def test_recovery_is_slow_and_may_fail() -> None:
    hold = Hold(full=10)
    state: HoldState = Recovering(2, 8)
    assert hold.admit(state, ASK, 7, 0.0) == 0.0
    assert hold.admit(state, ASK, 8, 0.0) == inf
    state = ended(hold, state, [OK])
    assert state == Recovering(2, 9, 1)
    assert ended(hold, state, [OTHER, OK]) == Flowing(2, 3)
    assert ended(hold, state, [BAD] * 5) == Held(3, 7.0, 8.0)


def test_after_five_minutes_everything_goes_until_an_answer_comes() -> None:
    hold = Hold()
    held = outage(hold)
    assert hold.admit(held, ASK, 0, 300.0) == 0.0
    given_up, stamp = hold.on_send(held, ASK, 300.0)
    assert (given_up, stamp) == (GivenUp(2), Trial(2, 0))
    assert hold.admit(given_up, ASK, 99, 300.0) == 0.0
    assert hold.on_send(given_up, ASK, 300.0) == (given_up, Trial(2, 0))
    assert hold.on_outcome(given_up, stamp, BAD, 0, 301.0) == given_up
    assert hold.on_outcome(given_up, stamp, OK, 0, 301.0) == Recovering(3, 8)
    probing, _ = hold.on_send(held, ASK, 299.0)
    assert isinstance(probing, Probing)
    assert hold.admit(probing, ASK, 0, 300.0) == 0.0


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (Flowing(0, 20, (5,)), Flowing(0, 20)),
        (Flowing(0, 20, (5, 15)), Flowing(0, 20, (15,))),
        (Flowing(0, 20, (), 2), Flowing(0, 20)),
        (Recovering(0, 8, 20, (5, 15), 2), Recovering(0, 9, 20, (15,))),
        (Recovering(0, 511, 20, (5, 15), 2), Flowing(0, 20, (15,))),
    ],
)
def test_an_answer_ends_the_row_and_forgives_what_was_sent_before(state: HoldState, after: HoldState) -> None:
    assert Hold().on_outcome(state, Trial(0, 9), OK, 0, 1.0) == after


def test_an_answer_where_all_is_well_changes_nothing() -> None:
    state = Flowing(0, 20)
    assert Hold().on_outcome(state, Trial(0, 9), OK, 0, 1.0) is state


def test_timeouts_alone_are_an_outage() -> None:
    assert isinstance(ended(Hold(), Hold().init(0.0), [SLOW] * 5), Held)


@pytest.mark.parametrize(("failed", "delay"), [(1, 2.0), (2, 4.0), (3, 8.0), (2000, 2.0**30)])
def test_the_pause_between_probes_doubles_up_to_the_longest(failed: int, delay: float) -> None:
    state = Hold(longest=inf).on_outcome(Probing(1, 0.0, 9.0, failed), Trial(1, failed, probe=True), SLOW, 0, 5.0)
    assert state == Held(1, 0.0, 5.0 + delay, failed)
