"""A token bucket for retries of 5xx and timeouts, so that a partial outage is not multiplied.

    tokens = min(20, tokens + 0.3 per success + 0.5 per second)       a retry takes 1, and gives it back unless it fails

Over any span, the retries that fail are at most 20 + 0.3 * successes + 0.5 * seconds. What a retry that succeeds took
comes back, so that hundreds of calls that an outage has failed get through quickly once it is over. A refusal for its
rate (429) draws nothing: it waits at the gate with the others. A retry that finds no token is told when there will be
one; whether it waits is the policy's choice.
"""

from __future__ import annotations

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.limit.seen import Ask, Seen


class BudgetState(msgspec.Struct, frozen=True, gc=False):
    """`tokens` at the instant `at` (monotonic seconds)."""

    tokens: float
    at: float


class NoRetryLeft(msgspec.Struct, frozen=True):
    """The budget is used up; `wait` is the seconds until the clock alone has made the next token."""

    wait: float


class RetryBudget(msgspec.Struct, frozen=True, kw_only=True):
    """`most` tokens at once, so many `per_success` and `per_second`."""

    most: float = 20.0
    per_success: float = 0.3
    per_second: float = 0.5

    def init(self, now: float) -> BudgetState:
        """Start full."""
        return BudgetState(self.most, now)

    def filled(self, state: BudgetState, now: float, extra: float = 0.0) -> BudgetState:
        """Add what time and `extra` have brought."""
        passed = max(0.0, now - state.at)
        return BudgetState(min(self.most, state.tokens + passed * self.per_second + extra), max(now, state.at))

    def succeeded(self, state: BudgetState, now: float) -> BudgetState:
        """Add what a success brings; nothing goes into a full bucket."""
        return state if state.tokens >= self.most else self.filled(state, now, self.per_success)

    def returned(self, state: BudgetState, now: float) -> BudgetState:
        """Give back the token of a retry that has not failed."""
        return self.filled(state, now, 1.0)

    def draw(self, state: BudgetState, now: float) -> Result[BudgetState, NoRetryLeft]:
        """Take the token of one retry, or say how long until there is one."""
        state = self.filled(state, now)
        if state.tokens < 1.0:
            return Failure(NoRetryLeft((1.0 - state.tokens) / self.per_second))
        return Success(BudgetState(state.tokens - 1.0, state.at))


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """The budget as a limiter: a retry waits for its token, every other call passes."""

    budget: RetryBudget = RetryBudget()

    def init(self, now: float) -> BudgetState:
        """Start full."""
        return self.budget.init(now)

    def admit(self, state: BudgetState, ask: Ask, in_flight: int, now: float) -> float:
        """Let a retry wait until there is a token."""
        if not ask.retry:
            return 0.0
        drawn = self.budget.draw(state, now)
        return drawn.failure().wait if isinstance(drawn, Failure) else 0.0

    def on_send(self, state: BudgetState, ask: Ask, now: float) -> tuple[BudgetState, bool]:
        """Draw the token of a retry; the stamp says whether it has drawn one."""
        if not ask.retry:
            return state, False
        drawn = self.budget.draw(state, now)
        return drawn.value_or(state), isinstance(drawn, Success)

    def on_outcome(self, state: BudgetState, stamp: bool, seen: Seen, in_flight: int, now: float) -> BudgetState:  # noqa: FBT001 - the Limiter's signature, whose stamp is a bool here
        """Add what a success brings, and give back what a retry took that has not failed."""
        if stamp and seen.kind not in {"server", "timeout"}:
            state = self.budget.returned(state, now)
        return self.budget.succeeded(state, now) if seen.kind == "ok" else state
