"""A fixed number of places: at most so many attempts are in flight, whatever happens.

admit   in_flight < most ? 0 : inf
"""

from __future__ import annotations

from math import inf

import msgspec

from openrouter_core.limit.seen import Ask, Seen


class Places(msgspec.Struct, frozen=True):
    """At most `most` attempts in flight; the state is None."""

    most: int

    def init(self, now: float) -> None:
        """Know nothing, for there is nothing to learn."""

    def admit(self, state: None, ask: Ask, in_flight: int, now: float) -> float:
        """Let a call go while there is a place."""
        return 0.0 if in_flight < self.most else inf

    def on_send(self, state: None, ask: Ask, now: float) -> tuple[None, None]:
        """Book nothing: `in_flight` counts."""
        return None, None

    def on_outcome(self, state: None, stamp: None, seen: Seen, in_flight: int, now: float) -> None:
        """Learn nothing."""
