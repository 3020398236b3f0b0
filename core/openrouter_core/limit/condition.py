"""How a server fares: attempts in flight that yield to timeouts, a hold in outages, and a budget of retries, as one.

    admit       max(concurrency, hold, budget)      Flowing, a retry
                max(concurrency, hold)              otherwise: what the hold lets go one by one needs no ration

The budget keeps a partial outage, which only some calls see, from being multiplied. In a full one it would be in the
way: when hundreds of attempts fail at once, their retries are held, and come back by the slow start after the probe,
which bounds the load better than any ration does.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.concurrency import Concurrency, ConcurrencyState
from openrouter_core.limit.hold import Flowing, Hold, HoldState, Trial
from openrouter_core.limit.retry_budget import BudgetState, Retries
from openrouter_core.limit.seen import Ask, Seen

ConditionState = tuple[ConcurrencyState, HoldState, BudgetState]
"""What is known of the server's condition in one scope."""

Marks = tuple[int, Trial, bool]
"""The stamps of a send, in the same order."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A concurrency limit, a hold, and a budget of retries for as long as the hold lets all calls flow."""

    concurrency: Concurrency = Concurrency()
    hold: Hold = Hold()
    retries: Retries = Retries()

    def init(self, now: float) -> ConditionState:
        """Start flowing, without a limit, with a full budget."""
        return self.concurrency.init(now), self.hold.init(now), self.retries.init(now)

    def admit(self, state: ConditionState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for room, for the hold and, while all is well but for some, for the ration."""
        concurrency, hold, budget = state
        wait = self.hold.admit(hold, ask, in_flight, now)
        if concurrency.limit is not None:
            wait = max(wait, self.concurrency.admit(concurrency, ask, in_flight, now))
        if ask.retry and isinstance(hold, Flowing):
            wait = max(wait, self.retries.admit(budget, ask, in_flight, now))
        return wait

    def on_send(self, state: ConditionState, ask: Ask, now: float) -> tuple[ConditionState, Marks]:
        """Book with each; what is sent in an outage draws nothing."""
        concurrency, hold, budget = state
        drawn = False
        if ask.retry and isinstance(hold, Flowing):
            budget, drawn = self.retries.on_send(budget, ask, now)
        hold, trial = self.hold.on_send(hold, ask, now)
        return (concurrency, hold, budget), (concurrency.generation, trial, drawn)

    def on_outcome(self, state: ConditionState, stamp: Marks, seen: Seen, in_flight: int, now: float) -> ConditionState:
        """Tell each."""
        concurrency = self.concurrency.on_outcome(state[0], stamp[0], seen, in_flight, now)
        hold = self.hold.on_outcome(state[1], stamp[1], seen, in_flight, now)
        budget = self.retries.on_outcome(state[2], stamp[2], seen, in_flight, now)
        same = concurrency is state[0] and hold is state[1] and budget is state[2]
        return state if same else (concurrency, hold, budget)
