"""The limiter that every client has leaves a lone call alone, and shows what it thinks."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.seen import Ask, Kind, Seen
from openrouter_core.limit.standard import FREE, LimitSettings, View, scopes, standard, view

KINDS = st.lists(st.sampled_from(["ok", "rate", "server", "timeout", "other"]), max_size=60)
HINTS = st.one_of(st.none(), st.floats(0, 100))


@given(KINDS, HINTS, st.floats(0, 1))
def test_calls_one_after_another_are_never_delayed(kinds: list[Kind], hint: float | None, latency: float) -> None:
    """The bug: five failures of lone calls trip the hold, or the ramp paces calls that are alone."""
    limiter = standard(LimitSettings())
    state, now = limiter.init(0.0), 0.0
    for kind in kinds:
        assert limiter.admit(state, Ask(("m",)), 0, now) == 0.0
        state, stamp = limiter.on_send(state, Ask(("m",)), now)
        now += latency
        state = limiter.on_outcome(state, stamp, Seen(kind=kind, hint=hint), 0, now)


def test_the_leniency_bites() -> None:
    from openrouter_core.limit.compose import InCompany
    from openrouter_core.limit.learned import Learned

    def gossip(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917
        return self.inner.on_outcome(state, stamp, seen, in_flight, now)

    def pacing(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return max(0.0, state.tat - now)

    prop = test_calls_one_after_another_are_never_delayed
    caught(prop, KINDS, HINTS, st.floats(0, 1), where=InCompany, on_outcome=gossip)
    caught(prop, KINDS, HINTS, st.floats(0, 1), where=Learned, admit=pacing)


def test_what_is_known_beforehand_is_kept() -> None:
    settings = LimitSettings(requests_per_minute=60.0, tokens_per_minute=6000.0, max_concurrency=2)
    limiter = standard(settings)
    state, _ = limiter.on_send(limiter.init(0.0), Ask((), 150.0), 0.0)
    assert limiter.admit(state, Ask((), 100.0), 1, 0.0) == 1.5
    assert limiter.admit(state, Ask((), 0.0), 1, 0.0) == 1.0
    assert limiter.admit(state, Ask((), 0.0), 2, 9.0) == float("inf")
    bursty = standard(LimitSettings(tokens_per_minute=60.0, token_burst=100.0))
    state, _ = bursty.on_send(bursty.init(0.0), Ask((), 50.0), 0.0)
    assert bursty.admit(state, Ask((), 50.0), 1, 0.2) == 0.0


def test_the_view_shows_each_scope() -> None:
    limiter = standard(LimitSettings())
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(("m",)), 0.0)
    state = limiter.on_outcome(
        state, stamp, Seen(kind="rate", resets_in=5.0, limit=20.0, window=60.0, scope="m", company=1), 0, 0.0
    )
    assert set(view(state, 1.0)) == {"", "m"}
    assert view(state, 1.0)["m"] == View(
        rate=81.4, capacity=None, limit=20.0, in_flight=0, concurrency=None, paused=5.0 + 0.02 - 1.0, held=False
    )


def test_scopes_are_the_model_at_its_provider_and_all_free_models() -> None:
    assert scopes("x-ai/grok-4") == ("x-ai/grok-4",)
    assert scopes("x-ai/grok-4", "xai") == ("x-ai/grok-4@xai",)
    assert scopes("meta/llama:free") == (FREE, "meta/llama:free")
