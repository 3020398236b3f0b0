"""The places: a fixed number of attempts in flight."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.limit.places import Places
from openrouter_core.limit.seen import NOTHING, Ask
from openrouter_core.limit.standard import LimitSettings, standard


@given(st.integers(1, 1000), st.integers(0, 2000), st.floats(0.0, 1e9))
def test_exactly_so_many_are_in_flight(most: int, in_flight: int, now: float) -> None:
    """Bug: one place more, or one less, than there is."""
    places = Places(most)
    places.init(now)
    assert places.on_send(None, Ask(), now) == (None, None)
    places.on_outcome(None, None, NOTHING, in_flight, now)
    assert places.admit(None, Ask(), in_flight, now) == (0.0 if in_flight <= most - 1 else inf)


def test_the_standard_limiter_has_places_where_they_are_set() -> None:
    limiter = standard(LimitSettings(places=2))
    state = limiter.init(0.0)
    assert limiter.admit(state, Ask(), 1, 0.0) == 0.0
    assert limiter.admit(state, Ask(), 2, 0.0) == inf
