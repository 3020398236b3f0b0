"""The cap in flight yields to dense timeouts in company, and stays between its bounds."""

from __future__ import annotations

from math import inf
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.concurrency import Concurrency, ConcurrencyState
from openrouter_core.limit.seen import Ask, Seen

MAXIMA = st.one_of(st.none(), st.integers(2, 100))
EVENTS = st.lists(
    st.tuples(st.sampled_from(["ok", "timeout", "timeout", "server", "rate"]), st.integers(0, 60)), max_size=200
)


@given(MAXIMA, EVENTS)
def test_the_cap_stays_within_its_bounds_and_is_raised_by_successes_only(
    maximum: int | None, events: list[Any]
) -> None:
    """The bug: a cap that collapses to nothing, or outgrows what the user allowed."""
    limiter = Concurrency(maximum=maximum)
    state = limiter.init(0.0)
    for kind, in_flight in events:
        state, stamp = limiter.on_send(state, Ask(), 0.0)
        after = limiter.on_outcome(state, stamp, Seen(kind=kind), in_flight, 0.0)
        before = inf if state.limit is None else state.limit
        limit = inf if after.limit is None else after.limit
        assert 2 <= limit <= (inf if maximum is None else maximum)
        assert kind == "ok" or limit <= before
        assert limiter.admit(after, Ask(), int(min(limit, 1e9)), 0.0) == (0.0 if after.limit is None else inf)
        assert limiter.admit(after, Ask(), 0, 0.0) == 0.0
        state = after


def test_the_bounds_bite() -> None:
    def collapsing(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return ConcurrencyState((state.limit or 9) * 0.7 if seen.kind == "timeout" else state.limit)

    prop = test_the_cap_stays_within_its_bounds_and_is_raised_by_successes_only
    caught(prop, MAXIMA, EVENTS, where=Concurrency, on_outcome=collapsing)


def timeouts(limiter: Concurrency, many: int, in_flight: int) -> ConcurrencyState:
    state = limiter.init(0.0)
    for _ in range(many):
        state = limiter.on_outcome(state, 0, Seen(kind="timeout"), in_flight, 0.0)
    return state


def test_dense_timeouts_cut_once_per_generation() -> None:
    state = timeouts(Concurrency(), 10, 39)
    assert state.limit == 0.7 * 40
    assert state.generation == 1


def test_lone_timeouts_change_nothing() -> None:
    assert timeouts(Concurrency(maximum=50), 3, 39).limit == 50
    assert timeouts(Concurrency(maximum=50), 10, 1).limit == 50


def test_successes_win_the_cap_back() -> None:
    state = timeouts(Concurrency(), 4, 9)
    assert Concurrency().on_outcome(state, 1, Seen(kind="ok"), 3, 0.0).limit == 7.0 + 1 / 7.0
    assert Concurrency(maximum=7).on_outcome(state, 1, Seen(kind="ok"), 3, 0.0).limit == 7.0


@pytest.mark.parametrize(
    ("before", "kind", "in_flight", "after"),
    [
        ((10.0, 0, 5, (3,)), "ok", 9, (10.1, 0, 6, (3,))),
        ((10.0, 0, 5, (3,)), "server", 9, (10.0, 0, 6, (3,))),
        ((10.0, 0, 5, (3,)), "timeout", 1, (10.0, 0, 6, (3,))),
        ((10.0, 0, 5, (3,)), "timeout", 2, (10.0, 0, 6, (3, 6))),
        ((10.0, 0, 11, (1, 2, 3)), "timeout", 5, (4.2, 1, 0, ())),
        ((10.0, 0, 12, (1, 2, 3)), "timeout", 5, (10.0, 0, 13, (1, 2, 3, 13))),
        ((4.0, 0, 9, (7, 8, 9)), "timeout", 9, (2.8, 1, 0, ())),
        ((2.0, 0, 9, (7, 8, 9)), "timeout", 9, (2.0, 1, 0, ())),
        ((None, 0, 5, (3,)), "ok", 9, (None, 0, 6, (3,))),
    ],
)
def test_what_an_outcome_teaches(before: Any, kind: Any, in_flight: int, after: Any) -> None:
    state, expected = ConcurrencyState(*before), ConcurrencyState(*after)
    learned = Concurrency().on_outcome(state, 0, Seen(kind=kind), in_flight, 0.0)
    assert learned == msgspec.structs.replace(expected, limit=learned.limit)
    assert learned.limit == pytest.approx(expected.limit)
    assert Concurrency().on_outcome(state, 7, Seen(kind=kind), in_flight, 0.0) is state


def test_a_fraction_of_a_place_is_none_but_one_call_may_always_go() -> None:
    limiter = Concurrency()
    waits = [limiter.admit(ConcurrencyState(limit), Ask(), busy, 0.0) for limit, busy in [(2.9, 1), (2.9, 2), (0.5, 0)]]
    assert waits == [0.0, inf, 0.0]
    assert limiter.admit(ConcurrencyState(0.5), Ask(), 1, 0.0) == inf
