"""Hedging: when a call is slow, and how many second copies there may be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core import hedge as module
from openrouter_core.hedge import (
    ENOUGH,
    RECENT,
    Hedge,
    HedgeState,
    answered,
    begun,
    checked_hedge,
    delay,
    initial,
    spent,
)

HEDGES = st.builds(Hedge, after_secs=st.just(1.0), budget=st.floats(0.01, 1.0), most=st.floats(1.0, 5.0))
WISHES = st.lists(st.booleans(), max_size=200)


@given(HEDGES, WISHES)
def test_there_are_no_more_second_copies_than_the_budget_allows(hedge: Hedge, wishes: list[bool]) -> None:
    """Bug: each slow call is sent twice when all calls are slow, and a busy server is made twice as busy."""
    state, copies = initial(hedge), 0
    for calls, slow in enumerate(wishes, 1):
        state = module.begun(hedge, state)
        paid = spent(state) if slow else None
        if paid is not None:
            state, copies = paid, copies + 1
        assert 0.0 <= state.tokens <= hedge.most
        assert copies <= hedge.most + hedge.budget * calls + 1e-6


def test_the_property_bites() -> None:
    generous = lambda hedge, state: HedgeState(hedge.most, state.recent)  # noqa: E731 - planted in the place of a function
    caught(test_there_are_no_more_second_copies_than_the_budget_allows, HEDGES, WISHES, where=module, begun=generous)


@given(st.lists(st.floats(0.0, 100.0), min_size=ENOUGH, max_size=300), st.floats(0.01, 0.99))
def test_a_percentile_is_one_of_the_last_times_and_so_many_are_not_above_it(times: list[float], share: float) -> None:
    """Bug: a percentile that is off by one end of the list, or of times long past."""
    hedge = Hedge(percentile=share)
    state = initial(hedge)
    for seconds in times:
        state = answered(state, seconds)
    last = times[-RECENT:]
    assert state.recent == tuple(last)
    told = delay(hedge, state)
    assert told in last
    assert sum(seconds <= told for seconds in last) >= share * len(last) - 1e-9


def test_a_percentile_is_of_the_times_in_order() -> None:
    state = HedgeState(0.5)
    for seconds in range(RECENT + 5, 0, -1):
        state = answered(state, float(seconds))
    assert (state.tokens, len(state.recent), state.recent[0]) == (0.5, RECENT, float(RECENT))
    assert delay(Hedge(percentile=0.5), state) == RECENT / 2


def test_what_is_paid_leaves_the_times_alone() -> None:
    assert spent(HedgeState(1.0, (2.0,))) == HedgeState(0.0, (2.0,))
    assert begun(Hedge(after_secs=1.0, budget=0.5), HedgeState(1.0, (2.0,))) == HedgeState(1.5, (2.0,))


def test_a_percentile_needs_enough_answers_and_a_fixed_delay_none() -> None:
    few = HedgeState(1.0, (1.0,) * (ENOUGH - 1))
    assert delay(Hedge(percentile=0.5), few) is None
    assert delay(Hedge(percentile=0.5), answered(few, 1.0)) == 1.0
    assert delay(Hedge(after_secs=0.0), few) == 0.0
    assert spent(HedgeState(0.9)) is None
    assert begun(Hedge(after_secs=1.0, budget=0.5, most=1.0), HedgeState(0.9)).tokens == 1.0


@pytest.mark.parametrize(
    ("hedge", "field"),
    [
        (Hedge(), "hedge.after_secs"),
        (Hedge(after_secs=1.0, percentile=0.9), "hedge.after_secs"),
        (Hedge(after_secs=-1.0), "hedge.after_secs"),
        (Hedge(after_secs=math.nan), "hedge.after_secs"),
        (Hedge(percentile=1.0), "hedge.percentile"),
        (Hedge(percentile=math.nan), "hedge.percentile"),
        (Hedge(after_secs=1.0, budget=0.0), "hedge.budget"),
        (Hedge(after_secs=1e9), "hedge.after_secs"),
        (Hedge(percentile=0.0), "hedge.percentile"),
        (Hedge(after_secs=1.0, budget=1.5), "hedge.budget"),
        (Hedge(after_secs=1.0, most=0.5), "hedge.most"),
        (Hedge(after_secs=1.0, most=1e6 + 0.5), "hedge.most"),
    ],
)
def test_what_makes_no_sense_is_refused(hedge: Any, field: str) -> None:
    refused = checked_hedge(hedge)
    assert isinstance(refused, Failure)
    error = refused.failure()
    assert (error.field, error.value) == (field, repr(getattr(hedge, field.removeprefix("hedge."))))
    assert error.bound


def test_what_makes_sense_is_accepted() -> None:
    for good in (Hedge(percentile=0.98), *(Hedge(after_secs=0.0, budget=1.0, most=most) for most in (1.0, 1e6))):
        assert checked_hedge(good) == Success(good)
