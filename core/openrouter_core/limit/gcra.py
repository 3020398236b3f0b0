"""A known rate: the generic cell rate algorithm, for requests or for tokens.

The state is one instant, the theoretical arrival time `tat`. With T = 1 / rate and a call of cost c:

    admit       max(0, tat + n * T + c * T - burst * T - now)     n: others before it, of requests
    on_send     tat = max(tat, now) + c * T
    on_outcome  used > c:  tat = max(tat, now) + (used - c) * T
                used < c:  tat = tat - min((c - used) * T, what of the booking still lies ahead of now)

so that no window of any length w holds more than rate * w + burst. What time has already made up for is not given back:
it would erase a later booking. Nothing is learned and no answer is evidence.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from openrouter_core.limit.seen import Ask, Seen


class GcraState(msgspec.Struct, frozen=True, gc=False):
    """`tat`: when the quota will have made up for everything sent. `returned`: seconds given back so far."""

    tat: float
    returned: float = 0.0


class Booking(msgspec.Struct, frozen=True, gc=False):
    """The stamp of a send: its cost, where its booking ends, and `returned` as it was."""

    cost: float
    end: float
    returned: float


class Gcra(msgspec.Struct, frozen=True, kw_only=True):
    """At most `rate` per second and `burst` at once, counted in requests or in tokens.

    A call that costs more than `burst` waits until nothing else weighs on the quota, and then goes alone.
    """

    rate: float
    burst: float = 1.0
    unit: Literal["requests", "tokens"] = "requests"

    def cost(self, ask: Ask) -> float:
        """Give what the call weighs."""
        return 1.0 if self.unit == "requests" else ask.tokens

    def init(self, now: float) -> GcraState:
        """Start with a full burst."""
        return GcraState(now)

    def admit(self, state: GcraState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait until the burst has room for the call."""
        room = max(0.0, self.burst - self.cost(ask)) / self.rate
        others = ask.ahead / self.rate if self.unit == "requests" else 0.0
        return max(0.0, state.tat + others - room - now)

    def on_send(self, state: GcraState, ask: Ask, now: float) -> tuple[GcraState, Booking]:
        """Book the estimate."""
        cost = self.cost(ask)
        end = max(state.tat, now) + cost / self.rate
        return GcraState(end, state.returned), Booking(cost, end, state.returned)

    def on_outcome(self, state: GcraState, stamp: Booking, seen: Seen, in_flight: int, now: float) -> GcraState:
        """Settle the estimate by what was used; unknown use keeps the estimate."""
        if self.unit == "requests" or seen.tokens is None:
            return state
        spare = (stamp.cost - seen.tokens) / self.rate
        if spare <= 0.0:
            return GcraState(max(state.tat, now) - spare, state.returned)
        ahead = stamp.end - (state.returned - stamp.returned) - now
        back = min(spare, max(0.0, ahead))
        return GcraState(state.tat - back, state.returned + back)
