"""The waiting line: first come, first served among equals, and a cancelled place is given back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

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
    def last_first(self: Any) -> Any:
        place = max(self._waiting)
        return place, self._waiting[place]

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
    line.push(Place(0, 10_000), 0)
    assert len(line._heap) < 40


def test_a_cancelled_place_can_be_taken_again() -> None:
    line = Line[str]()
    for name in ("a", "b"):
        line.push(Place(0, 1), name)
        line.cancel(Place(0, 1))
    line.push(Place(0, 1), "c")
    line.push(Place(0, 2), "d")
    assert [line.pop()[1], line.pop()[1]] == ["c", "d"]
    assert not line
