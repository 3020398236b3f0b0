"""What is known of one quota: a documented window, a gate and a learned rate, as one limiter.

It is All(Window, Gate, Learned), written out, because every call asks it: what a limiter knows nothing of is not asked.

    admit       max(window, gate, learned)
    429         window: always; gate, learned: only of calls that had others beside them
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.gate import Gate, GateState
from openrouter_core.limit.learned import Booked, Learned, LearnedState
from openrouter_core.limit.seen import Ask, Seen, heard
from openrouter_core.limit.window import Window, WindowState

QuotaScope = tuple[WindowState, GateState, LearnedState]
"""What is known of the quota of one scope."""

Marks = tuple[float, int, Booked]
"""The stamps of a send, in the same order."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """The three limiters of a quota. A gate and a learned rate hear of refusals from `others` others in company on."""

    window: Window = Window()
    gate: Gate = Gate()
    learned: Learned = Learned()
    others: int = 1

    def init(self, now: float) -> QuotaScope:
        """Know what is configured."""
        return self.window.init(now), self.gate.init(now), self.learned.init(now)

    def admit(self, state: QuotaScope, ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the strictest of the three."""
        window, gate, learned = state
        wait = self.learned.admit(learned, ask, in_flight, now)
        if gate.until > now:
            wait = max(wait, self.gate.admit(gate, ask, in_flight, now))
        if window.limit is not None:
            wait = max(wait, self.window.admit(window, ask, in_flight, now))
        return wait

    def on_send(self, state: QuotaScope, ask: Ask, now: float) -> tuple[QuotaScope, Marks]:
        """Book with each."""
        window, in_window = self.window.on_send(state[0], ask, now)
        gate, at_gate = self.gate.on_send(state[1], ask, now)
        learned, booked = self.learned.on_send(state[2], ask, now)
        return (window, gate, learned), (in_window, at_gate, booked)

    def on_outcome(self, state: QuotaScope, stamp: Marks, seen: Seen, in_flight: int, now: float) -> QuotaScope:
        """Tell each what it is to hear; when none has learned anything, the state is the same object."""
        told = heard(seen, self.others)
        window = self.window.on_outcome(state[0], stamp[0], seen, in_flight, now)
        gate = self.gate.on_outcome(state[1], stamp[1], told, in_flight, now)
        learned = self.learned.on_outcome(state[2], stamp[2], told, in_flight, now)
        same = window is state[0] and gate is state[1] and learned is state[2]
        return state if same else (window, gate, learned)
