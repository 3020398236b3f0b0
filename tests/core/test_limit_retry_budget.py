"""Retries of failures are bounded by successes and time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.limit.retry_budget import BudgetState, NoRetryLeft, Retries, RetryBudget
from openrouter_core.limit.seen import Ask, Seen

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


ATTEMPTS = st.lists(
    st.tuples(
        st.floats(0, 0.3),
        st.integers(0, 30),
        st.lists(st.sampled_from(["ok", "server", "server", "timeout", "rate", "other"]), max_size=30),
    ),
    max_size=30,
)


@given(ATTEMPTS)
def test_failed_retries_never_exceed_what_successes_and_time_have_brought(events: list[Any]) -> None:
    """The bug: a retry that succeeds costs as much as one that fails, or one that fails gets its token back."""
    limiter = Retries()
    budget = limiter.budget
    state, now, failed, successes = limiter.init(0.0), 0.0, 0, 0
    out: list[bool] = []
    for passed, wanted, ends in events:
        now += passed
        for _ in range(wanted):
            if limiter.admit(state, Ask(retry=True), 0, now) == 0.0:
                state, stamp = limiter.on_send(state, Ask(retry=True), now)
                out.append(stamp)
                assert stamp
        for kind in ends[: len(out)]:
            state = limiter.on_outcome(state, out.pop(), Seen(kind=kind), 0, now)
            failed += kind in {"server", "timeout"}
            successes += kind == "ok"
        assert 0.0 <= state.tokens <= budget.most
        assert failed + len(out) <= budget.most + budget.per_success * successes + budget.per_second * now + 1e-6


def test_the_return_bites() -> None:
    def forgiving(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return self.budget.returned(state, now)

    prop = test_failed_retries_never_exceed_what_successes_and_time_have_brought
    caught(prop, ATTEMPTS, where=Retries, on_outcome=forgiving)


def test_after_an_outage_the_retries_of_hundreds_of_calls_get_through() -> None:
    """Each that succeeds makes room for itself and 0.3 more: 500 are through in a few rounds, 2 s each."""
    limiter = Retries()
    state, left, rounds = limiter.init(0.0), 500, 0
    while left:
        out: list[bool] = []
        now = 2.0 * rounds
        while len(out) < left and limiter.admit(state, Ask(retry=True), 0, now) == 0.0:
            state, stamp = limiter.on_send(state, Ask(retry=True), now)
            out.append(stamp)
        for stamp in out:
            state = limiter.on_outcome(state, stamp, Seen(kind="ok"), 0, now)
        left, rounds = left - len(out), rounds + 1
    assert rounds <= 25


def test_a_call_that_is_no_retry_neither_takes_nor_returns() -> None:
    limiter = Retries()
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(), 0.0)
    assert not stamp
    assert limiter.on_outcome(state, stamp, Seen(kind="server"), 0, 0.0) is state
    assert limiter.on_outcome(state, stamp, Seen(kind="ok"), 0, 9.0) is state


def test_what_successes_time_and_retries_change() -> None:
    """0.3 per success, 0.5 per second, 20 at most, and one for each retry."""
    budget, retries = RetryBudget(), Retries()
    assert budget.succeeded(BudgetState(5.0, 10.0), 12.0) == BudgetState(6.3, 12.0)
    assert budget.succeeded(BudgetState(19.9, 10.0), 10.0) == BudgetState(20.0, 10.0)
    full = BudgetState(20.0, 10.0)
    assert budget.succeeded(full, 12.0) is full
    assert budget.filled(BudgetState(5.0, 10.0), 9.0) == BudgetState(5.0, 10.0)
    assert budget.draw(BudgetState(0.4, 10.0), 10.0).failure().wait == 1.2
    assert budget.draw(BudgetState(1.0, 10.0), 10.0).unwrap() == BudgetState(0.0, 10.0)
    empty = BudgetState(0.4, 10.0)
    assert retries.on_send(empty, Ask(retry=True), 10.0) == (empty, False)
    assert retries.on_send(BudgetState(2.0, 10.0), Ask(retry=True), 10.0) == (BudgetState(1.0, 10.0), True)
    assert retries.on_outcome(empty, False, Seen(kind="ok"), 0, 10.0) == BudgetState(0.7, 10.0)
    assert retries.on_outcome(empty, True, Seen(kind="rate"), 0, 10.0) == BudgetState(1.4, 10.0)
    assert retries.on_outcome(empty, True, Seen(kind="server"), 0, 10.0) is empty
