"""The budget of retries, and relief from it in an outage: what the hold lets go one by one needs no ration.

    admit       Flowing: max(hold, budget)        Held, Probing, Recovering, GivenUp: hold alone

The budget keeps a partial outage, which only some calls see, from being multiplied. In a full one it would be in the
way: when hundreds of attempts fail at once, their retries are held, and come back by the slow start after the probe,
which bounds the load better than any ration does.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.hold import Flowing, Hold, HoldState, Trial
from openrouter_core.limit.retry_budget import BudgetState, Retries
from openrouter_core.limit.seen import Ask, Seen

Both = tuple[HoldState, BudgetState]
Stamps = tuple[Trial, bool]


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """A hold, and a budget of retries for as long as it lets all calls flow."""

    hold: Hold = Hold()
    retries: Retries = Retries()

    def init(self, now: float) -> Both:
        """Start flowing, with a full budget."""
        return self.hold.init(now), self.retries.init(now)

    def admit(self, state: Both, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the hold and, while all is well but for some, for the ration."""
        hold, budget = state
        wait = self.hold.admit(hold, ask, in_flight, now)
        if not (ask.retry and isinstance(hold, Flowing)):
            return wait
        return max(wait, self.retries.admit(budget, ask, in_flight, now))

    def on_send(self, state: Both, ask: Ask, now: float) -> tuple[Both, Stamps]:
        """Book with both; what is sent in an outage draws nothing."""
        hold, budget = state
        drawn = False
        if ask.retry and isinstance(hold, Flowing):
            budget, drawn = self.retries.on_send(budget, ask, now)
        hold, trial = self.hold.on_send(hold, ask, now)
        return (hold, budget), (trial, drawn)

    def on_outcome(self, state: Both, stamp: Stamps, seen: Seen, in_flight: int, now: float) -> Both:
        """Tell both."""
        hold = self.hold.on_outcome(state[0], stamp[0], seen, in_flight, now)
        budget = self.retries.on_outcome(state[1], stamp[1], seen, in_flight, now)
        return state if hold is state[0] and budget is state[1] else (hold, budget)
