"""The figures of a run add up, whatever happens in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk import figures
from openrouter_core.bulk.figures import (
    BUDGET,
    COMPLETE,
    INTERRUPTED,
    KEY,
    LEDGER,
    NOTHING,
    PARTIAL,
    TIME,
    WINDOW_SECS,
    Counts,
    Meter,
    Progress,
    Summary,
    exit_code,
    marked,
    progress,
    projected,
    rate,
    rate_of,
    sent,
    summed,
)
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import RowEvent, Stop

EVENTS: list[RowEvent] = ["answer", "fail", "refuse", "give_back"]
ENDS = st.lists(st.tuples(st.sampled_from(EVENTS), st.one_of(st.none(), st.floats(0, 1)), st.booleans()), max_size=30)


@given(ENDS)
def test_every_row_is_counted_once(ends: list[Any]) -> None:
    """The bug: a row that counts twice or not at all, and a cost that nobody told and counts as nothing."""
    counts, costs = Counts(rows=50, todo=50), list[float | None]()
    for event, cost, both in ends:
        counts = sent(sent(counts)) if both else sent(counts)
        counts = figures.counted(counts, Outcome(event=event, cost=cost, prompt_tokens=2, completion_tokens=1))
        counts = figures.counted(counts, Outcome(event="give_back")) if both else counts
        costs.append(cost)
    assert counts.todo + counts.in_flight + counts.ended == counts.rows
    assert counts.in_flight == 0
    assert counts.done == sum(event == "answer" for event, _, _ in ends)
    assert counts.to_come == counts.rows - counts.ended
    assert counts.cost_usd == pytest.approx(sum(cost or 0.0 for cost in costs))
    assert counts.cost_unknown == costs.count(None)
    assert counts.prompt_tokens == 2 * len(ends) == 2 * counts.completion_tokens


def test_a_call_that_is_left_is_in_doubt_if_it_was_sent() -> None:
    counts = Counts(rows=2, in_flight=2)
    assert figures.left(counts, sent=True) == Counts(rows=2, in_flight=1, in_doubt=1)
    assert figures.left(counts, sent=False) == Counts(rows=2, in_flight=1, todo=1)


def test_the_counting_bites() -> None:
    def forgetting(counts: Counts, outcome: Outcome) -> Counts:
        return msgspec.structs.replace(counts, done=counts.done + (outcome.event == "answer"))

    def free(counts: Counts, outcome: Outcome) -> Counts:
        return counted(counts, msgspec.structs.replace(outcome, cost=outcome.cost or 0.0))

    counted = figures.counted
    caught(test_every_row_is_counted_once, ENDS, where=figures, counted=forgetting)
    caught(test_every_row_is_counted_once, ENDS, where=figures, counted=free)


TICKS = st.lists(st.floats(0.01, 5.0), min_size=2, max_size=80)


@given(TICKS, st.floats(0.1, 100.0))
def test_a_steady_rate_is_found_and_the_marks_stay_few(ticks: list[float], speed: float) -> None:
    """The bug: a rate over all time, which is late to see a change, or marks without end."""
    meter, now = Meter(), 0.0
    for tick in ticks:
        now += tick
        meter = figures.marked(meter, now, int(now * speed * 1000))
        assert len(meter.marks) <= WINDOW_SECS + 3
        assert meter.marks[0][0] >= now - WINDOW_SECS - 2 * 5.0
        assert rate(meter, now, int(now * speed * 1000)) >= 0.0
    if now > meter.marks[0][0] + 1.0:
        assert rate(meter, now, int(now * speed * 1000)) == pytest.approx(speed * 1000, rel=0.1)


def test_the_meter_bites() -> None:
    def endless(meter: Meter, now: float, ended: int) -> Meter:
        return Meter((*meter.marks, (now, ended)))

    def stuck(meter: Meter, now: float, ended: int) -> Meter:
        return meter if meter.marks else Meter(((now, ended),))

    strategies = (TICKS, st.floats(0.1, 100.0))
    caught(test_a_steady_rate_is_found_and_the_marks_stay_few, *strategies, where=figures, marked=endless)
    caught(test_a_steady_rate_is_found_and_the_marks_stay_few, *strategies, where=figures, marked=stuck)


def test_a_mark_is_made_each_second_and_one_is_kept_from_before_the_window() -> None:
    first = marked(Meter(), 100.0, 0)
    assert marked(first, 100.5, 1) is first
    assert marked(marked(first, 101.0, 7), 131.0, 9) == Meter(((101.0, 7), (131.0, 9)))
    assert rate(first, 110.0, 5) == 0.5


def test_a_rate_is_read_from_when_rows_ended() -> None:
    assert rate_of([], 100.0) == rate_of([10.0], 100.0) == 0.0
    assert rate_of([99.0, 95.0, 90.0], 100.0) == pytest.approx(0.3)
    assert rate_of([99.0, 95.0, 10.0], 100.0) == pytest.approx(2 / WINDOW_SECS)
    assert rate_of([99.0, 70.0], 100.0) == pytest.approx(1 / WINDOW_SECS)
    assert rate_of([100.0] * 5, 100.0) == 5.0


def test_progress_tells_when_it_will_end_and_what_it_will_cost() -> None:
    counts = Counts(rows=100, todo=70, in_flight=10, done=20, cost_usd=2.0)
    assert progress(counts, marked(Meter(), 100.0, 0), 50.0, 140.0) == Progress(
        counts=counts, seconds=90.0, rate=0.5, eta=160.0, projected_usd=10.0
    )
    assert projected(Counts(rows=2, todo=1, done=1, cost_usd=2.0)) == 4.0


def test_progress_does_not_guess() -> None:
    counts = Counts(rows=2, todo=2)
    assert progress(counts, Meter(), 0.0, 10.0).eta is None
    assert progress(counts, marked(Meter(), 0.0, 0), 0.0, 0.0).projected_usd is None
    assert progress(Counts(rows=1, done=1), Meter(), 0.0, 1.0).eta == 0.0
    assert projected(Counts(rows=2, todo=1, done=1, cost_unknown=1)) is None


@pytest.mark.parametrize(
    ("done", "stop", "code"),
    [
        (3, None, COMPLETE),
        (2, None, PARTIAL),
        (0, None, NOTHING),
        (2, "budget", BUDGET),
        (2, "credits", BUDGET),
        (2, "interrupted", INTERRUPTED),
        (2, "ledger", LEDGER),
        (2, "key", KEY),
        (2, "deadline", TIME),
    ],
)
def test_the_exit_code_tells_how_it_ended(done: int, stop: Stop | None, code: int) -> None:
    assert exit_code(Counts(rows=3, done=done), stop) == code


def test_a_summary_is_of_this_run_and_its_counts_of_all() -> None:
    before, after = Counts(rows=10, done=4, failed=1, todo=5), Counts(rows=10, done=8, failed=2)
    assert summed(after, before, 0.5, None, "all well") == Summary(
        counts=after, answered_now=4, seconds=0.5, rate=10.0, exit_code=PARTIAL, told="all well"
    )
    assert summed(after, before, 0.0, "budget") == Summary(
        counts=after, answered_now=4, seconds=0.0, rate=0.0, exit_code=BUDGET, stop="budget"
    )
