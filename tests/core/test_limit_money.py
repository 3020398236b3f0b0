"""A budget in money is never overspent, whatever the interleaving, and unknown costs are not zero."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.limit.money import Money, MoneyState, Refused, Reserved, nano

USD = st.one_of(st.sampled_from([0.0, 1e-9, 0.1, 0.3, 1.0]), st.floats(0, 2))
CALLS = st.lists(
    st.tuples(st.one_of(st.none(), USD), st.one_of(st.none(), st.floats(0, 1)), st.booleans(), st.integers(0, 9)),
    max_size=60,
)


@given(CALLS)
def test_the_budget_is_never_overspent(calls: list[Any]) -> None:
    """The bug: concurrent calls that each fit alone, or a cost that never came and counts as nothing."""
    money = Money(maximum=3.0)
    state, true, pending = money.init(), 0.0, list[tuple[float, float | None, Reserved]]()
    for worst, share, now, which in calls:
        answer = money.reserve(state, worst)
        if isinstance(answer, Success):
            state, held = answer.unwrap()
            assert worst is not None
            pending.append((worst, share, held))
        else:
            refused = answer.failure()
            assert refused.worst is None or (refused.missing is not None and refused.missing > 0)
        if now and pending:
            worst_of, share_of, held = pending.pop(which % len(pending))
            true += worst_of * (1.0 if share_of is None else share_of)
            state = money.settle(state, held, None if share_of is None else worst_of * share_of)
        assert min(state.spent, state.reserved, state.guessed) >= 0
        assert state.spent + state.reserved <= 3_000_000_000
        assert state.spent >= (true - 1e-6) * 1e9
    assert state.reserved == sum(held.amount for _, _, held in pending)


def test_the_budget_bites() -> None:
    def unreserved(self: Any, state: Any, worst: Any) -> Any:
        return Success((state, Reserved(0)))

    def forgiving(self: Any, state: Any, held: Any, cost: Any) -> Any:
        return MoneyState(state.spent + int((cost or 0.0) * 1e9), state.reserved - held.amount, 0)

    caught(test_the_budget_is_never_overspent, CALLS, where=Money, reserve=unreserved)
    caught(test_the_budget_is_never_overspent, CALLS, where=Money, settle=forgiving)


def test_a_refusal_says_why_and_by_how_much() -> None:
    money = Money(maximum=1.0)
    state, held = money.reserve(money.init(), 0.75).unwrap()
    refused = money.reserve(state, 0.5).failure()
    assert refused.missing == 0.25
    assert "may cost 0.500000 USD, 0.250000 USD more than is left" in str(refused)
    assert "0.750000 USD reserved of 1.000000 USD" in str(refused)
    assert money.settle(state, held, None) == MoneyState(750_000_000, 0, 750_000_000)


def test_an_unknown_price_is_refused_or_assumed() -> None:
    refused = Money(maximum=1.0).reserve(MoneyState(), None).failure()
    assert refused.missing is None
    assert "unknown" in str(refused)
    assert isinstance(Money(maximum=1.0).reserve(MoneyState(), math.inf), Failure)
    assert Money(maximum=1.0, assumed=0.5).reserve(MoneyState(), None).unwrap()[1] == Reserved(500_000_000)


def test_the_whole_budget_can_be_spent() -> None:
    money = Money(maximum=0.29)
    assert isinstance(money.reserve(money.init(), 0.29), Success)
    assert money.settle(MoneyState(0, 5, 0), Reserved(5), math.nan) == MoneyState(5, 0, 5)


def test_a_nano_dollar_too_much_is_too_much() -> None:
    money = Money(maximum=1.0)
    state = MoneyState(500_000_000, 250_000_000, 7)
    assert money.reserve(state, 0.25).unwrap() == (MoneyState(500_000_000, 500_000_000, 7), Reserved(250_000_000))
    refused = money.reserve(state, 0.25 + 1e-10).failure()
    assert (refused.missing, refused.final) == (1e-9, False)
    assert money.reserve(state, 0.5 + 1e-10).failure().final
    assert not money.reserve(state, 0.5).failure().final


def test_what_is_not_finite_is_unknown() -> None:
    refused = Money(maximum=1.0).reserve(MoneyState(), math.inf).failure()
    assert (refused.worst, refused.missing, refused.final) == (None, None, True)


def test_a_refusal_of_which_half_is_unknown_says_so() -> None:
    refused = Refused(maximum=1.0, spent=0.0, reserved=0.0, worst=0.5, missing=None)
    assert "unknown" in str(refused)
    assert "unknown" in str(Refused(maximum=1.0, spent=0.0, reserved=0.0, worst=None, missing=0.5))


def test_nothing_costs_nothing_and_never_less() -> None:
    """Bug: each call without a price sets something aside, or a credit note enlarges the budget."""
    assert [nano(usd) for usd in (0.0, -1.0, 1e-9, 1.5e-9)] == [0, 0, 1, 2]
