"""Retries of failures are bounded by successes and time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.limit.retry_budget import BudgetState, NoRetryLeft, RetryBudget

EVENTS = st.lists(st.tuples(st.floats(0, 0.3), st.booleans(), st.integers(0, 5)), min_size=20, max_size=80)


@given(EVENTS)
def test_retries_never_exceed_what_successes_and_time_have_brought(events: list[Any]) -> None:
    """The bug: a bucket that overflows, goes negative, or is not drawn on."""
    budget = RetryBudget()
    state, now, drawn, successes = budget.init(0.0), 0.0, 0, 0
    for passed, succeeded, wanted in events:
        now += passed
        if succeeded:
            state, successes = budget.succeeded(state, now), successes + 1
        for _ in range(wanted):
            drew = budget.draw(state, now)
            if isinstance(drew, Success):
                state, drawn = drew.unwrap(), drawn + 1
            else:
                assert isinstance(budget.draw(state, now + drew.failure().wait + 1e-6), Success)
        assert 0.0 <= state.tokens <= budget.most
    assert drawn <= budget.most + budget.per_success * successes + budget.per_second * now + 1e-6


def test_the_bound_bites() -> None:
    def free(self: Any, state: Any, now: Any) -> Any:
        return Success(state)

    def overflowing(self: Any, state: Any, now: Any, extra: Any = 0.0) -> Any:
        return BudgetState(state.tokens + (now - state.at) + extra, now)

    prop = test_retries_never_exceed_what_successes_and_time_have_brought
    caught(prop, EVENTS, where=RetryBudget, draw=free)
    caught(prop, EVENTS, where=RetryBudget, filled=overflowing)


def test_a_clock_that_stands_still_or_goes_back_brings_nothing() -> None:
    budget = RetryBudget()
    empty = BudgetState(0.0, 10.0)
    assert budget.filled(empty, 5.0) == empty
    assert budget.draw(empty, 10.0) == Failure(NoRetryLeft(2.0))
