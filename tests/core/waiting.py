"""A call that waits for a limiter, while what went before it comes back."""

from __future__ import annotations

import math
from typing import Any

from openrouter_core.limit.seen import Ask, Limiter, Seen

Pending = list[tuple[float, Any, Seen]]
"""Attempts that are under way: when they come back, their stamps, and what they will have shown."""


def let_go(limiter: Limiter[Any, Any], state: Any, ask: Ask, now: float, pending: Pending) -> tuple[Any, float]:
    """Wait until the call may go; tell the limiter of all that comes back until then. Give its state, and when it is.

    What has come back is struck from `pending`.
    """
    while True:
        due = [one for one in pending if one[0] <= now]
        pending[:] = [one for one in pending if one[0] > now]
        for at, stamp, seen in sorted(due, key=lambda one: one[0]):
            state = limiter.on_outcome(state, stamp, seen, 9, at)
        wait = limiter.admit(state, ask, 9, now)
        if wait <= 0:
            return state, now
        now = max(math.nextafter(now, math.inf), min([now + wait, *(one[0] for one in pending)]))
