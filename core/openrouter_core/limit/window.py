"""A documented quota in fixed windows, learned from a 429 that names its limit and its reset.

          a 429 names (limit, reset)                now >= end
   silent ----------------------> used up --------------------------> open:  used < limit
                                     ^                                  |
                                     '----------------------------------'
                                       `limit` sends, or another such 429

    admit    used < limit ? 0 : end - now
    429      limit, end = now + resets_in + skew + guard, used = limit
    roll     end = end + n * window: the grid of the server, not of our first send
    early    a 429 whose named reset has come on our clock: skew = max(0.25, 2 * skew), end = now + the difference
    open     with one call, and min(0.25, length / 10) later with the others

OpenRouter's own quotas are such windows: 20 requests per UTC minute for `:free` models, 50 or 1000 per UTC day
(OpenRouter docs, api_reference/limits). If our clock is ahead, or the server's `Date` in whole seconds has told the end
a little too early, one call finds out and not a hundred. Where the window's length is neither named nor configured, it
is read off the next reset, which costs one more episode of refusals.
"""

from __future__ import annotations

from math import floor

import msgspec

from openrouter_core.limit.seen import Ask, Seen


class WindowState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`limit` is None until one is known. `used`: sends in the window that ends at `end`.

    `skew`: how much later than named the window opens on our clock. `careful`: the next call opens a window, though its
    length is not known. `eased`: no second call before this instant.
    """

    limit: float | None
    length: float | None
    end: float
    used: float = 0.0
    skew: float = 0.0
    careful: bool = False
    eased: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """`limit` requests per `length` seconds where known beforehand; `share` of them is ours. Spans in seconds."""

    limit: float | None = None
    length: float | None = None
    share: float = 1.0
    guard: float = 0.05
    ease: float = 0.25

    def init(self, now: float) -> WindowState:
        """Start with what is configured; a window of unknown phase begins now."""
        limit = None if self.limit is None else max(1.0, self.limit * self.share)
        return WindowState(limit=limit, length=self.length, end=now + (self.length or 0.0), eased=now)

    def rolled(self, state: WindowState, now: float) -> WindowState:
        """Open the window that `now` falls in."""
        if state.length is None or now < state.end:
            return state
        end = state.end + (floor((now - state.end) / state.length) + 1) * state.length
        return msgspec.structs.replace(state, end=max(end, now), used=0.0)

    def admit(self, state: WindowState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the next window when this one is used up."""
        if state.limit is None:
            return 0.0
        full = self.rolled(state, now).used + 1 > state.limit
        return max(state.eased - now, self.rolled(state, now).end - now if full else 0.0)

    def on_send(self, state: WindowState, ask: Ask, now: float) -> tuple[WindowState, float]:
        """Count the send; the stamp is the end of its window."""
        if state.limit is None:
            return state, state.end
        state = self.rolled(state, now)
        eased = now + self.eases(state) if state.careful or not state.used else state.eased
        return msgspec.structs.replace(state, used=state.used + 1, careful=False, eased=eased), state.end

    def eases(self, state: WindowState) -> float:
        """Give the seconds between the first call of a window and the others."""
        return self.ease if state.length is None else min(self.ease, state.length / 10)

    def on_outcome(self, state: WindowState, stamp: float, seen: Seen, in_flight: int, now: float) -> WindowState:
        """Learn from a 429 that names a limit and a reset; one of an earlier window is old news."""
        if seen.kind != "rate" or seen.limit is None or seen.resets_in is None or stamp < state.end:
            return state
        limit = max(1.0, seen.limit * self.share)
        learned = msgspec.structs.replace(state, limit=limit, used=max(limit, state.used), careful=True)
        named = seen.resets_in + self.guard + state.skew
        if seen.resets_in <= 0.0:
            skew = max(self.ease, 2 * state.skew)
            return msgspec.structs.replace(
                learned, end=now + max(self.guard, skew - state.skew), skew=skew, length=seen.window or state.length
            )
        length = seen.window or state.length
        if length is None and state.limit is not None and now + named > state.end + self.guard:
            length = now + named - state.end
        return msgspec.structs.replace(learned, end=now + named, length=length)
