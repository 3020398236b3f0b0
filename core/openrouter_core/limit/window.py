"""A documented quota in fixed windows, learned from a 429 that names its limit and its reset.

          a 429 names (limit, reset)                now >= end
   silent ----------------------> used up --------------------------> open:  used < limit
                                     ^                                  |
                                     '----------------------------------'
                                       `limit` sends, or another such 429

    admit    used < limit ? 0 : end - now
    429      limit, end = now + resets_in + skew + guard, used = limit
    roll     end = end + n * length: the grid of the server, not of our first send
    early    a 429 whose named reset has come on our clock: end = now + wait; each time that a window's first call meets
             it, wait doubles, and where it was the named end that it met, skew grows by it
    alone    the first call of a window goes min(0.25, length / 10) before the others
    length   as named or configured; else from one named reset to the next, by the server's clock, if exactly `limit`
             calls went from one to the other. Until it is known, call number limit + 1 goes alone too, to find out
             whether the window still lasts. A length that a later reset is no multiple of is forgotten.

OpenRouter's own quotas are such windows: 20 requests per UTC minute for `:free` models, 50 or 1000 per UTC day
(OpenRouter docs, api_reference/limits). If our clock is ahead, or the server's `Date` in whole seconds has told the end
a little too early, one call finds out and not a hundred.
"""

from __future__ import annotations

from math import floor, remainder

import msgspec

from openrouter_core.limit.seen import Ask, Seen


class WindowState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`limit` is None until one is known. `used`: sends in the window that ends at `end`.

    `skew`: how much later than named the window opens on our clock. `named`: the end, if it is one that was told and
    not guessed or rolled to; `reset`: the same in seconds since the epoch by the server's, None once it is no measure.
    `careful`: the next call opens a window. `eased`: no second call before this instant. `wait`: how long the last call
    that opened a window too early has made it wait.
    """

    limit: float | None
    length: float | None
    end: float
    used: float = 0.0
    skew: float = 0.0
    named: float = 0.0
    reset: float | None = None
    wait: float = 0.0
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
        return WindowState(limit=limit, length=self.length, end=now + (self.length or 0.0), named=now, eased=now)

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
        limit = state.limit
        if limit is None:
            return state, state.end
        state = self.rolled(state, now)
        if state.careful or not state.used:
            return self.opened(state, now), state.end
        if state.length is None and state.used + 1 > limit:
            return self.beyond(state, limit, now), state.end
        return msgspec.structs.replace(state, used=state.used + 1, wait=0.0), state.end

    def opened(self, state: WindowState, now: float) -> WindowState:
        """Let a window's first call go, alone. A window of unknown length that is not begun at once is no measure."""
        late = state.length is None and now > state.end + self.ease
        eased = now + self.eases(state)
        return msgspec.structs.replace(state, used=1.0, careful=False, eased=eased, reset=None if late else state.reset)

    def beyond(self, state: WindowState, limit: float, now: float) -> WindowState:
        """Let one call more go than a window of unknown length holds, alone: not refused, it was in another window."""
        if state.used > limit:
            return msgspec.structs.replace(state, used=1.0, reset=None)
        return msgspec.structs.replace(state, used=state.used + 1, eased=now + self.eases(state))

    def eases(self, state: WindowState) -> float:
        """Give the seconds between the first call of a window and the others."""
        return self.ease if state.length is None else min(self.ease, state.length / 10)

    def on_outcome(self, state: WindowState, stamp: float, seen: Seen, in_flight: int, now: float) -> WindowState:
        """Learn from a 429 that names a limit and a reset; one of an earlier window is old news."""
        if seen.kind != "rate" or seen.limit is None or seen.resets_in is None or stamp < state.end:
            return state
        if seen.resets_in <= 0.0:
            told = self.early(state, now)
        else:
            end = now + seen.resets_in + state.skew + self.guard
            told = msgspec.structs.replace(state, end=end, named=end)
        limit = max(1.0, seen.limit * self.share)
        return msgspec.structs.replace(
            told,
            limit=limit,
            length=seen.window or self.length or self.measured(state, seen.resets_at),
            used=max(limit, state.used),
            reset=seen.resets_at,
            careful=True,
        )

    def early(self, state: WindowState, now: float) -> WindowState:
        """Wait a little, and longer each time that the first call of a window is refused: our clock is ahead."""
        opening = state.used <= 1
        wait = max(self.eases(state), 2 * state.wait) if opening else self.eases(state)
        end = now + wait
        if opening and state.reset is not None and state.end - (state.length or 0.0) <= state.named + self.guard:
            return msgspec.structs.replace(state, end=end, named=end, skew=state.skew + wait, wait=wait)
        return msgspec.structs.replace(state, end=end, named=0.0, wait=wait)

    def measured(self, state: WindowState, resets_at: float | None) -> float | None:
        """Measure the length between two resets: from one window to the next if it is not known, else by the grid."""
        if state.reset is None or resets_at is None:
            return state.length
        since = resets_at - state.reset
        if state.length is not None:
            return state.length if abs(remainder(since, state.length)) < state.length / 10 else None
        return since if since > 0.0 and state.limit is not None and state.used > state.limit else None
