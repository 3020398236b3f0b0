"""How many attempts may be in flight: the user's maximum, less when timeouts come thick.

    admit       in_flight < limit ? 0 : inf
    ok          limit = min(maximum, limit + 1 / limit)
    timeouts    4 among 12 outcomes in company:  limit = max(2, 0.7 * min(limit, in_flight + 1)), a new generation

A server whose queue outgrows the client's timeout does work that nobody waits for; only fewer calls in flight cure it.
A lone timeout, and timeouts of calls that were (nearly) alone, say nothing about the load and change nothing.
"""

from __future__ import annotations

from math import inf

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dense, noted


class ConcurrencyState(msgspec.Struct, frozen=True, gc=False):
    """`limit`: attempts in flight, None for no bound. `ended`: outcomes so far. `recent`: timeouts, by outcome."""

    limit: float | None
    generation: int = 0
    ended: int = 0
    recent: tuple[int, ...] = ()


class Concurrency(msgspec.Struct, frozen=True, kw_only=True):
    """`maximum`: attempts in flight at most, None for as many as there are."""

    maximum: int | None = None
    least: int = 2
    factor: float = 0.7
    many: int = 4
    among: int = 12

    def init(self, now: float) -> ConcurrencyState:
        """Start at the maximum."""
        return ConcurrencyState(self.maximum)

    def admit(self, state: ConcurrencyState, ask: Ask, in_flight: int, now: float) -> float:
        """Go while there is room; else an outcome makes room."""
        return 0.0 if state.limit is None or in_flight < max(1, int(state.limit)) else inf

    def on_send(self, state: ConcurrencyState, ask: Ask, now: float) -> tuple[ConcurrencyState, int]:
        """Stamp the send with the generation."""
        return state, state.generation

    def on_outcome(
        self,
        state: ConcurrencyState,
        stamp: int,
        seen: Seen,
        in_flight: int,
        now: float,
    ) -> ConcurrencyState:
        """Cut on dense timeouts of this generation, recover one by one with successes."""
        if stamp != state.generation or (seen.kind != "timeout" and state.limit is None and not state.recent):
            return state
        ended = state.ended + 1
        if seen.kind == "timeout" and in_flight >= self.least:
            recent = noted(state.recent, ended, self.many)
            if not dense(recent, self.many, self.among):
                return ConcurrencyState(state.limit, state.generation, ended, recent)
            limit = min(inf if state.limit is None else state.limit, in_flight + 1.0)
            return ConcurrencyState(max(float(self.least), self.factor * limit), state.generation + 1)
        limit_now = state.limit
        if seen.kind == "ok" and limit_now is not None:
            grown = limit_now + 1 / limit_now
            limit_now = grown if self.maximum is None else min(float(self.maximum), grown)
        return ConcurrencyState(limit_now, state.generation, ended, state.recent)
