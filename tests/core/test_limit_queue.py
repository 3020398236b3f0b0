"""The waiting line: first come, first served among equals, and a cancelled place is given back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught, last_first

from openrouter_core.limit.queue import Line, Place

STEPS = st.lists(
    st.tuples(st.sampled_from(["push", "push", "cancel", "pop"]), st.integers(0, 2), st.integers(0, 40)), max_size=150
)


@given(STEPS)
def test_the_line_behaves_as_a_sorted_list(steps: list[Any]) -> None:
    """The bug: a struck place that is served, a tie served out of order, a lost call after a rebuild."""
    line, model = Line[int](), dict[Place, int]()
    for number, (step, priority, which) in enumerate(steps):
        if step == "push":
            place = Place(priority, number)
            line.push(place, number)
            model[place] = number
        elif step == "cancel":
            place = sorted(model)[which % len(model)] if model else Place(0, -1)
            assert line.cancel(place) == (model.pop(place, None) is not None)
            assert not line.cancel(place)
        elif model:
            first = min(model)
            assert line.head() == (first, model[first])
            assert line.pop() == (first, model.pop(first))
        assert len(line) == len(model)
    assert [line.pop()[0] for _ in range(len(line))] == sorted(model)


def test_the_order_bites() -> None:
    def deaf(self: Any, place: Any) -> Any:
        return place in self._waiting

    caught(test_the_line_behaves_as_a_sorted_list, STEPS, where=Line, head=last_first)
    caught(test_the_line_behaves_as_a_sorted_list, STEPS, where=Line, cancel=deaf)


def test_a_place_is_taken_once() -> None:
    line = Line[str]()
    line.push(Place(0, 1), "a")
    with pytest.raises(ValueError, match="taken"):
        line.push(Place(0, 1), "b")


def test_cancelled_places_do_not_pile_up() -> None:
    line = Line[int]()
    for number in range(10_000):
        line.push(Place(0, number), number)
        line.cancel(Place(0, number))
        line.push(Place(1, number), number, expires=1.0)
        line.cancel(Place(1, number))
    line.push(Place(0, 10_000), 0)
    assert len(line._queue) + len(line._heap) + len(line._expiring) < 80


def test_a_cancelled_place_can_be_taken_again() -> None:
    line = Line[str]()
    for name in ("a", "b"):
        line.push(Place(0, 1), name)
        line.cancel(Place(0, 1))
    line.push(Place(0, 1), "c")
    line.push(Place(0, 2), "d")
    assert [line.pop()[1], line.pop()[1]] == ["c", "d"]
    assert not line


EXPIRING = st.lists(
    st.tuples(st.sampled_from(["push", "push", "cancel", "pop", "overdue"]), st.integers(0, 9)), max_size=120
)


@given(EXPIRING)
def test_those_whose_time_is_up_leave_the_line_and_nobody_else(steps: list[Any]) -> None:
    """The bug: somebody who has gone is told that his time is up, or who has come back is forgotten."""
    line, model = Line[int](), dict[int, float]()
    for step, which in steps:
        if step == "push" and which not in model:
            model[which] = math.inf if which == 9 else which / 2
            line.push(Place(0, which), which, model[which])
        elif step == "cancel":
            assert line.cancel(Place(0, which)) == (model.pop(which, None) is not None)
        elif step == "pop" and model:
            first = min(model)
            assert line.pop() == (Place(0, first), first)
            model.pop(first)
        elif step == "overdue":
            late = line.overdue(which / 2)
            due = [call for call, expires in model.items() if expires <= which / 2]
            assert (late in due) if due else late is None
            if late is not None:
                expires = model.pop(late)
                assert all(expires <= model[call] for call in due if call != late)
        assert line.soonest() == min(model.values(), default=math.inf)
        assert len(line) == len(model)


def test_that_bites() -> None:
    def careless(self: Any) -> float:
        """Planted: who has gone still counts."""
        return self._expiring[0][0] if self._expiring else math.inf

    caught(test_those_whose_time_is_up_leave_the_line_and_nobody_else, EXPIRING, where=Line, soonest=careless)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), st.booleans()), max_size=60))
def test_those_ahead_are_never_counted_too_many(calls: list[Any]) -> None:
    """The bug: a call is dismissed because of others that will not go before it."""
    line = Line[None]()
    waiting: set[Place] = set()
    for priority, number, leaves in calls:
        place = Place(priority, number)
        ahead = line.ahead(place)
        assert ahead <= sum(other < place for other in waiting)
        if place not in waiting:
            line.push(place, None)
            waiting.add(place)
        if leaves:
            line.cancel(place)
            waiting.discard(place)


def test_a_newcomer_knows_all_who_are_ahead() -> None:
    line = Line[str]()
    for number in range(5):
        line.push(Place(0, number), "equal")
    line.push(Place(-1, 5), "urgent")
    assert line.ahead(Place(0, 6)) == 6
    assert line.ahead(Place(-1, 7)) == 1
    assert line.ahead(Place(0, 2)) == 1  # a retry: those before it cannot be told from those behind
    line.pop()
    line.pop()
    assert line.ahead(Place(0, 6)) == 4


@pytest.mark.parametrize("order", [range(40), range(41), [*range(20, 40), *range(20)]])
def test_what_is_struck_is_swept_out_once_it_is_more_than_half(order: Sequence[int]) -> None:
    """Bug: sweeping costs as much as the line is long, and is done for each call that leaves; or never."""
    line = Line[int]()
    for number in order:
        line.push(Place(0, number), number)
    for number in range(28):
        line.cancel(Place(0, number))
    assert len(line._queue) + len(line._heap) == len(order)
    line.cancel(Place(0, 28))
    assert len(line._queue) + len(line._heap) == len(line) == len(order) - 29
    assert line.head() == (Place(0, 29), 29)
