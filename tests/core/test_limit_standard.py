"""The limiter that every client has leaves a lone call alone, and shows what it thinks."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit import standard as standard_module
from openrouter_core.limit.compose import KEY, All, Scoped, Scopes
from openrouter_core.limit.concurrency import Concurrency
from openrouter_core.limit.condition import Condition
from openrouter_core.limit.gate import Gate, GateState
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.hold import Hold
from openrouter_core.limit.learned import Learned, LearnedState
from openrouter_core.limit.places import Places
from openrouter_core.limit.quota import Quota
from openrouter_core.limit.retry_budget import Retries, RetryBudget
from openrouter_core.limit.seen import Ask, Kind, Seen
from openrouter_core.limit.standard import (
    FREE,
    LimitSettings,
    View,
    health,
    part_of,
    quota_state_type,
    quotas,
    scopes,
    seen_from_outside,
    share,
    share_of_state,
    standard,
    view,
)
from openrouter_core.limit.unnamed import Unnamed, UnnamedState
from openrouter_core.limit.window import Window

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
    from openrouter_core.limit import compose

    def gossip(seen: Any, others: Any) -> Any:
        return seen

    def pacing(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return max(0.0, state.tat - now)

    prop = test_calls_one_after_another_are_never_delayed
    caught(prop, KINDS, HINTS, st.floats(0, 1), where=compose, heard=gossip)
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


def test_each_setting_reaches_its_limiter() -> None:
    """The bug: a client that was told of a quota or a limit goes by the usual one."""
    quota = Quota(window=Window(limit=5.0), gate=Gate(guard=0.5), learned=Learned(first=9.0))
    retries = Retries(budget=RetryBudget(most=5.0))
    condition = Condition(concurrency=Concurrency(factor=0.5), hold=Hold(many=3), retries=retries)
    settings = LimitSettings(
        requests_per_minute=120.0,
        request_burst=3.0,
        tokens_per_minute=6000.0,
        max_concurrency=7,
        places=8,
        window=quota.window,
        gate=quota.gate,
        learned=quota.learned,
        concurrency=condition.concurrency,
        hold=condition.hold,
        crowd=2,
        retries=retries,
    )
    rates = Gcra(rate=2.0, burst=3.0), Gcra(rate=100.0, burst=100.0, unit="tokens")
    bounds = Concurrency(maximum=7), Places(8), Scoped(condition, counts=True, others=2)
    assert standard(settings) == All((*rates, Scoped(quota), *bounds))


def test_the_view_shows_each_scope() -> None:
    limiter = standard(LimitSettings())
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(("m",)), 0.0)
    state, _ = limiter.on_send(state, Ask(("n",)), 0.0)
    state = limiter.on_outcome(
        state, stamp, Seen(kind="rate", resets_in=5.0, limit=20.0, window=60.0, scope="m", company=1), 0, 0.0
    )
    key = View(rate=132.4, capacity=None, limit=None, in_flight=1, concurrency=None, paused=0.0, held=False)
    assert view(state, 1.0) == {
        "": key,
        "n": key,
        "m": msgspec.structs.replace(key, limit=20.0, in_flight=0, paused=5.0 + 0.02 - 1.0),
    }


def test_the_view_shows_trouble_where_it_is() -> None:
    """The bug: a dashboard that shows the key's state for a model that is held, or no capacity where one is known."""
    limiter = standard(LimitSettings(concurrency=Concurrency(maximum=7)))
    state, _ = driven(limiter, [(0.0, "m", "server", None, None, "m")] * 5)
    state, _ = driven(limiter, [(0.0, "n", "rate", None, None, "n")] * 3 + [(2.0, "n", "ok", None, None, "")], state)
    shown = view(state, 2.0)
    assert {name: (one.held, one.concurrency) for name, one in shown.items()} == {
        "": (False, 7),
        "m": (True, 7),
        "n": (False, 7),
    }
    assert (shown["n"].rate, shown["n"].capacity) == (3.0, 3.0)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 1.0, 1e5]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["ok", "ok", "rate", "rate", "rate", "server", "timeout", "other"]),
        st.sampled_from([None, 0.0, 1.0, 100.0]),
        st.sampled_from([None, 1.0, 20.0]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=60,
)
KNOWN = st.sampled_from(
    [
        LimitSettings(),
        LimitSettings(requests_per_minute=6e4),
        LimitSettings(requests_per_minute=6e4, tokens_per_minute=6e5),
        LimitSettings(tokens_per_minute=6e5, window=Window(limit=9.0, length=60.0)),
    ]
)


def driven(limiter: All, events: list[Any], state: Any = None) -> tuple[Any, float]:
    """Send a call per event and end it; give the state and the time."""
    state, now = state or limiter.init(0.0), 0.0
    for passed, route, kind, hint, limit, scope in events:
        now += passed
        state, stamp = limiter.on_send(state, Ask((route,), 7.0), now)
        seen = Seen(kind=kind, hint=hint, limit=limit, resets_in=hint, scope=scope, company=9, tokens=5.0)
        state = limiter.on_outcome(state, stamp, seen, 0, now)
    return state, now


@given(KNOWN, EVENTS)
def test_the_state_of_quotas_survives_being_written_and_read(settings: LimitSettings, events: list[Any]) -> None:
    """The bug: a state that JSON cannot hold (inf, a set, an untagged union) is lost between processes."""
    state, _ = driven(quotas(settings), events)
    kind = quota_state_type(settings)
    assert msgspec.json.decode(msgspec.json.encode(state), type=kind) == state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=kind) == state


def test_the_round_trip_bites() -> None:
    def endless(self: Any, now: Any) -> GateState:
        return GateState(math.inf)

    prop = test_the_state_of_quotas_survives_being_written_and_read
    caught(prop, KNOWN, EVENTS, where=Gate, init=endless, raises=msgspec.ValidationError)


@given(st.lists(st.sampled_from([(), ("a",), ("a", "b")]), max_size=20))
def test_where_nothing_has_happened_an_answer_leaves_the_quotas_the_same_object(asked: list[tuple[str, ...]]) -> None:
    """The bug: every answer of every process is a write to the shared state."""
    limiter = quotas(LimitSettings(requests_per_minute=60.0))
    state, stamps = limiter.init(0.0), list[Any]()
    for scope in asked:
        state, stamp = limiter.on_send(state, Ask(scope), 0.0)
        stamps.append(stamp)
    for stamp in stamps:
        assert limiter.on_outcome(state, stamp, Seen(kind="ok", company=9), 5, 1.0) is state


def test_the_sameness_bites() -> None:
    def rewriting(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return Scopes(state.known)

    prop = test_where_nothing_has_happened_an_answer_leaves_the_quotas_the_same_object
    caught(prop, st.lists(st.sampled_from([(), ("a",)])), where=Scoped, on_outcome=rewriting)


@given(KNOWN, EVENTS, st.sampled_from([0.25, 0.5, 1.0]))
def test_a_share_never_lets_a_call_go_earlier(settings: LimitSettings, events: list[Any], part: float) -> None:
    """The bug: a process that has lost the others goes on with the whole quota."""
    state, now = driven(quotas(settings), events)
    whole, local = quotas(settings), quotas(share(settings, part))
    reduced = share_of_state(state, part)
    for _ in range(20):
        wait = local.admit(reduced, Ask(("a",), 7.0), 3, now)
        # Where a window's length is not known, a call goes alone now and then, to find out: each at its own times.
        vague = any(window.limit and window.length is None for window, *_ in state[-1].known.values())
        earlier = settings.window.ease if vague else 0.0
        assert wait >= whole.admit(state, Ask(("a",), 7.0), 3, now) - earlier - 1e-6
        now += wait
        reduced, _ = local.on_send(reduced, Ask(("a",), 7.0), now)
        state, _ = whole.on_send(state, Ask(("a",), 7.0), now)
    for name, shown in view((*reduced, *All(health(settings)).init(now)), now).items():
        full = view((*state, *All(health(settings)).init(now)), now)[name]
        assert shown.limit == (None if full.limit is None else max(1.0, full.limit * part))


def test_the_share_bites() -> None:
    def whole(scope: Any, part: Any) -> Any:
        return scope

    prop = test_a_share_never_lets_a_call_go_earlier
    caught(prop, KNOWN, EVENTS, st.just(0.25), where=standard_module, part_of=whole)


def test_a_share_of_settings_is_a_part_of_what_is_known() -> None:
    known = LimitSettings(requests_per_minute=60.0, tokens_per_minute=600.0, token_burst=40.0, max_concurrency=3)
    assert share(msgspec.structs.replace(known, request_burst=8.0), 0.25).request_burst == 2.0
    part = share(known, 0.25)
    assert (part.requests_per_minute, part.request_burst) == (15.0, 1.0)
    assert (part.tokens_per_minute, part.token_burst) == (150.0, 10.0)
    assert (part.max_concurrency, part.window.share, part.learned.first) == (1, 0.25, 32.5)
    assert share(LimitSettings(), 1.0) == LimitSettings()


def test_the_parts_of_a_quota_are_those_of_the_settings() -> None:
    parts: dict[str, Any] = {"window": Window(ease=7.0), "gate": Gate(cap=7.0)}
    parts |= {"learned": Learned(first=7.0), "unnamed": Unnamed(pace=7.0)}
    assert quotas(LimitSettings(**parts)).limiters == (Scoped(inner=Quota(**parts)),)


def test_a_share_of_what_is_learned_is_a_part_of_rate_and_capacity() -> None:
    window, gate, learned, unnamed = Quota().init(0.0)
    for capacity, part in (None, None), (10.0, 5.0):
        known = LearnedState(rate=8.0, tat=1.0, since=2.0, epoch=3.0, capacity=capacity)
        told = LearnedState(rate=4.0, tat=1.0, since=2.0, epoch=3.0, capacity=part)
        assert part_of((window, gate, known, unnamed), 0.5) == (window, gate, told, unnamed)
    assert part_of((window, gate, learned, unnamed), 1.0) == (window, gate, learned, unnamed)
    for limit, its in (1, 1), (2, 1), (7, 3):
        before, after = (UnnamedState(0.0, 1.0, 2.0, length=10.0, limit=of) for of in (limit, its))
        assert part_of((window, gate, learned, before), 0.5)[3] == after


def test_a_scope_whose_window_is_known_shows_its_rate() -> None:
    limiter = standard(LimitSettings())
    scope = limiter.init(0.0)[0].known[KEY]
    known = (*scope[:3], UnnamedState(0.0, 1.0, 2.0, length=10.0, limit=70))
    condition = limiter.init(0.0)[1].known[KEY]
    seen = seen_from_outside(known, condition, 3, 0.0)
    assert (seen.rate, seen.capacity) == (7.0, 7.0)
    assert seen_from_outside(scope, condition, 3, 0.0).rate == Learned().first


def test_scopes_are_the_model_at_its_provider_and_all_free_models() -> None:
    assert scopes("x-ai/grok-4") == ("x-ai/grok-4",)
    assert scopes("x-ai/grok-4", "xai") == ("x-ai/grok-4@xai",)
    assert scopes("meta/llama:free") == (FREE, "meta/llama:free")


def test_where_nothing_is_learned_only_what_is_configured_is_left() -> None:
    """Bug: a client that was told to learn nothing still paces a burst, or forgets the quota that it was told of."""
    settings = LimitSettings(adaptive=False, requests_per_minute=60, places=3, max_concurrency=2)
    limiter = standard(settings)
    state = limiter.init(0.0)
    assert limiter.admit(state, Ask(), 0, 0.0) == 0.0
    state, stamp = limiter.on_send(state, Ask(), 0.0)
    assert limiter.admit(state, Ask(), 1, 0.0) == 1.0
    state = limiter.on_outcome(state, stamp, Seen(kind="rate", hint=9.0, company=9), 0, 0.5)
    assert limiter.admit(state, Ask(), 0, 0.5) == 0.5
    assert limiter.admit(state, Ask(), 2, 1.0) == math.inf
    assert view(state, 0.5) == {}
    assert share_of_state(state[:2], 0.5) == state[:2]
    free = standard(LimitSettings(adaptive=False))
    assert free.admit(free.init(0.0), Ask(retry=True), 10**6, 0.0) == 0.0
