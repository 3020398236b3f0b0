"""What is known of one quota: a documented window, a gate, a learned rate and an unnamed window, as one limiter.

It is All(Window, Gate, Learned, Unnamed), written out, because every call asks it: what a limiter knows nothing of is
not asked. The learned rate rests while the length of an unnamed window is known.

    admit       max(window, gate, unnamed, learned if it does not rest)
    429         window: always; gate, learned, unnamed: only of calls that had others beside them
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.gate import Gate, GateState
from openrouter_core.limit.learned import Booked, Learned, LearnedState
from openrouter_core.limit.seen import Ask, Seen, heard
from openrouter_core.limit.unnamed import Placed, Unnamed, UnnamedState
from openrouter_core.limit.window import Window, WindowState

QuotaScope = tuple[WindowState, GateState, LearnedState, UnnamedState]
"""What is known of the quota of one scope."""

Marks = tuple[float, int, Booked, Placed]
"""The stamps of a send, in the same order."""


RESTING = Booked(-1, 0, 0.0)
"""The learned rate's stamp of a send that it has no part in: of no generation."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """The four limiters of a quota. All but the window hear of refusals only from `others` others in company on."""

    window: Window = Window()
    gate: Gate = Gate()
    learned: Learned = Learned()
    unnamed: Unnamed = Unnamed()
    others: int = 1

    def init(self, now: float) -> QuotaScope:
        """Know what is configured."""
        return self.window.init(now), self.gate.init(now), self.learned.init(now), self.unnamed.init(now)

    def admit(self, state: QuotaScope, ask: Ask, in_flight: int, now: float) -> float:
        """Wait as long as the strictest."""
        window, gate, learned, unnamed = state
        wait = self.learned.admit(learned, ask, in_flight, now) if unnamed.length is None else 0.0
        if unnamed.length is not None or unnamed.shuts is not None:
            wait = max(wait, self.unnamed.admit(unnamed, ask, in_flight, now))
        if gate.until > now:
            wait = max(wait, self.gate.admit(gate, ask, in_flight, now))
        if window.limit is not None:
            wait = max(wait, self.window.admit(window, ask, in_flight, now))
        return wait

    def on_send(self, state: QuotaScope, ask: Ask, now: float) -> tuple[QuotaScope, Marks]:
        """Book with each."""
        window, in_window = self.window.on_send(state[0], ask, now)
        gate, at_gate = self.gate.on_send(state[1], ask, now)
        learned, booked = state[2], RESTING
        if state[3].length is None:
            learned, booked = self.learned.on_send(state[2], ask, now)
        unnamed, placed = self.unnamed.on_send(state[3], ask, now)
        return (window, gate, learned, unnamed), (in_window, at_gate, booked, placed)

    def on_outcome(self, state: QuotaScope, stamp: Marks, seen: Seen, in_flight: int, now: float) -> QuotaScope:
        """Tell each what it is to hear; when none has learned anything, the state is the same object."""
        told = heard(seen, self.others)
        window = self.window.on_outcome(state[0], stamp[0], seen, in_flight, now)
        gate = self.gate.on_outcome(state[1], stamp[1], told, in_flight, now)
        learned = self.learned.on_outcome(state[2], stamp[2], told, in_flight, now)
        unnamed = self.unnamed.on_outcome(state[3], stamp[3], told, in_flight, now)
        same = window is state[0] and gate is state[1] and learned is state[2] and unnamed is state[3]
        return state if same else (window, gate, learned, unnamed)
