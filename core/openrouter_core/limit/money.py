"""A budget in money: reserve the worst case before sending, settle by what it cost.

    reserve    spent + reserved + worst <= maximum, else refused with what is missing;
               for good where spent + worst > maximum, or the worst case is unknown
    settle     reserved -= worst;  spent += cost             an unknown cost is taken to be the worst case, never zero

Amounts are whole nano-dollars inside (1e-9 USD, rounded up), so that any interleaving gives the same sums exactly; USD
as floats at the edge. A call that failed before it was sent is settled with 0.0.
"""

from __future__ import annotations

from math import ceil, isfinite

import msgspec
from returns.result import Failure, Result, Success

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""


class MoneyState(msgspec.Struct, frozen=True):
    """Nano-dollars. `guessed`: the part of `spent` that is a worst case because the true cost never came."""

    spent: int = 0
    reserved: int = 0
    guessed: int = 0


class Reserved(msgspec.Struct, frozen=True):
    """What one attempt holds, in nano-dollars."""

    amount: int


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why an attempt may not be paid for, in USD. `missing`: what the budget lacks, None if that cannot be known.

    `final`: it never can be; otherwise attempts that are under way may turn out to cost less than was set aside.
    """

    maximum: float
    spent: float
    reserved: float
    worst: float | None
    missing: float | None
    final: bool = True

    def __str__(self) -> str:
        """Say why and by how much, in one line."""
        held = f"{self.spent:.6f} USD spent and {self.reserved:.6f} USD reserved of {self.maximum:.6f} USD"
        if self.worst is None or self.missing is None:
            return f"the worst case of this call is unknown (no price, or no bound on its tokens); {held}"
        return f"this call may cost {self.worst:.6f} USD, {self.missing:.6f} USD more than is left; {held}"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """At most `maximum` USD. `assumed` is the worst case in USD of a call whose price is unknown; None refuses it."""

    maximum: float
    assumed: float | None = None

    def init(self) -> MoneyState:
        """Start with nothing spent."""
        return MoneyState()

    def reserve(self, state: MoneyState, worst: float | None) -> Result[tuple[MoneyState, Reserved], Refused]:
        """Set the worst case (USD) of one attempt aside, or refuse it."""
        worst = self.assumed if worst is None else worst
        known = worst is not None and isfinite(worst)
        amount = nano(worst) if worst is not None and known else 0
        over = state.spent + state.reserved + amount - nano(self.maximum)
        if known and over <= 0:
            return Success((MoneyState(state.spent, state.reserved + amount, state.guessed), Reserved(amount)))
        return Failure(
            Refused(
                maximum=self.maximum,
                spent=state.spent / NANO,
                reserved=state.reserved / NANO,
                worst=worst if known else None,
                missing=over / NANO if known else None,
                final=not known or over > state.reserved,
            )
        )

    def settle(self, state: MoneyState, held: Reserved, cost: float | None) -> MoneyState:
        """Replace the reservation by the cost (USD); None means that the cost never came."""
        known = cost is not None and isfinite(cost)
        spent = nano(cost) if cost is not None and known else held.amount
        guessed = 0 if known else held.amount
        return MoneyState(state.spent + spent, state.reserved - held.amount, state.guessed + guessed)


def nano(usd: float) -> int:
    """Give an amount in nano-dollars, rounded up, never negative."""
    return max(0, ceil(usd * NANO))
