"""Hedging: when a call is slow, a second copy of it is sent, and the first good answer wins. Off unless asked for.

    delay     fixed, or the given percentile of the last answers' seconds, once there are enough of them
    budget    tokens = min(most, tokens + budget per call)          a second copy takes 1

so that over any span there are at most `most + budget * calls` second copies. Both copies may be billed: the loser's
connection is dropped, which stops the bill with some providers only (OpenRouter docs, api_reference/streaming).
"""

from __future__ import annotations

from math import ceil

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse

RECENT = 200
"""How many answers' times are remembered."""

ENOUGH = 20
"""From how many on a percentile is believed."""


class Hedge(msgspec.Struct, frozen=True, kw_only=True):
    """Send a second copy after `after_secs` seconds, or after the `percentile` (0..1) of the last answers' times.

    `budget` is how many second copies there may be per call, `most` how many at once beyond that.
    """

    after_secs: float | None = None
    percentile: float | None = None
    budget: float = 0.02
    most: float = 2.0


class HedgeState(msgspec.Struct, frozen=True):
    """`tokens` for second copies, and the last answers' times in seconds, the newest last."""

    tokens: float
    recent: tuple[float, ...] = ()


def checked_hedge(hedge: Hedge) -> Result[Hedge, InvalidRequest]:
    """Accept a hedge with one kind of delay and numbers that make sense."""
    after, share = hedge.after_secs, hedge.percentile
    sound = (
        ("after_secs", (after is None) != (share is None), "or percentile: set one of them"),
        ("after_secs", after is None or 0.0 <= after < 1e9, "must be a number of seconds, 0 or more"),
        ("percentile", share is None or 0.0 < share < 1.0, "must be between 0 and 1"),
        ("budget", 0.0 < hedge.budget <= 1.0, "must be above 0, and at most 1"),
        ("most", 1.0 <= hedge.most <= 1e6, "must be at least 1"),
    )
    for name, good, bound in sound:
        if not good:
            return Failure(refuse(f"hedge.{name}", bound, getattr(hedge, name)))
    return Success(hedge)


def initial(hedge: Hedge) -> HedgeState:
    """Start with a full budget, and no answers."""
    return HedgeState(hedge.most)


def begun(hedge: Hedge, state: HedgeState) -> HedgeState:
    """Count a call, which brings its part of a second copy."""
    return HedgeState(min(hedge.most, state.tokens + hedge.budget), state.recent)


def delay(hedge: Hedge, state: HedgeState) -> float | None:
    """Tell after how many seconds a call is slow; None while that is not known."""
    if hedge.after_secs is not None:
        return hedge.after_secs
    if len(state.recent) < ENOUGH:
        return None
    share = hedge.percentile or 1.0
    return sorted(state.recent)[min(len(state.recent), ceil(share * len(state.recent))) - 1]


def spent(state: HedgeState) -> HedgeState | None:
    """Pay for a second copy; None when the budget has nothing left."""
    return HedgeState(state.tokens - 1.0, state.recent) if state.tokens >= 1.0 else None


def answered(state: HedgeState, seconds: float) -> HedgeState:
    """Remember how long an answer took."""
    return HedgeState(state.tokens, (*state.recent[1 - RECENT :], seconds))
