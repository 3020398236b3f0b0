"""The shared gate: when the server asks for a pause and means everybody, everybody pauses.

                  a documented reset, or 3 refusals with a hint among 8 sends
         open  ------------------------------------------------------------>  closed until T
               <------------------------------------------------------------
                                        now >= T

    T = max(T, now + min(hint, cap) + guard)

A lone hinted refusal closes nothing: upstream pools refuse single calls at random, and gating on each one made 2 % of
such refusals cost six times the time. Nor does a hint of exactly one second, documented resets apart: `Retry-After`
comes in whole seconds, rounded up, so it says no more than "not at once"; closing on it cost quotas of 200 per second a
third of their rate. The learned rate paces the others. The call that was told waits for its hint all the same; its
retry sees to that.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dense, noted


class GateState(msgspec.Struct, frozen=True, gc=False):
    """`until`: closed before this instant. `sent`: sends so far. `recent`: the last hinted refusals, by send."""

    until: float
    sent: int = 0
    recent: tuple[int, ...] = ()


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """Close on `many` hinted refusals among `among` sends, but not on a `vague` hint.

    `cap` bounds a pause, `guard` is added to it; all in seconds.
    """

    many: int = 3
    among: int = 8
    vague: float = 1.0
    cap: float = 120.0
    guard: float = 0.02

    def init(self, now: float) -> GateState:
        """Start open."""
        return GateState(now)

    def admit(self, state: GateState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait until the gate opens."""
        return state.until - now if state.until > now else 0.0

    def on_send(self, state: GateState, ask: Ask, now: float) -> tuple[GateState, int]:
        """Number the send."""
        sent = state.sent + 1
        return GateState(state.until, sent, state.recent), sent

    def on_outcome(self, state: GateState, stamp: int, seen: Seen, in_flight: int, now: float) -> GateState:
        """Close on a documented reset at once, on a mere hint when it comes in quick succession."""
        if seen.kind != "rate":
            return state
        documented = seen.resets_in is not None
        asked = max(seen.hint or 0.0, seen.resets_in or 0.0)
        if asked <= 0.0:
            return state
        recent = noted(state.recent, stamp, self.many)
        closes = documented or (asked != self.vague and dense(recent, self.many, self.among))
        until = now + min(asked, self.cap) + self.guard if closes else state.until
        return GateState(max(state.until, until), state.sent, recent)
