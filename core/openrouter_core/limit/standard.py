"""The limiter that every client has: what is put together from the others, and what its state looks like from outside.

    standard = All( *quotas, *health )
    quotas   = All( Gcra requests/min?, Gcra tokens/min?,
                    Scoped( Quota( Window, Gate, Learned or Unnamed ) ) )
    health   = Concurrency(max_concurrency)?, Places?,
               Scoped( Condition( Concurrency, Hold, Retries ) )?

With nothing configured they make nobody wait until something has happened, but for the ramp of a burst. Where they are
not `adaptive`, only what is configured is left of them: the known rates, the maximum in flight and the places.

The quotas are the key's, whoever uses it: their state may be shared by several processes on a common clock, written and
read as `quota_state_type`. It holds no counts of attempts in flight, and an answer that teaches nothing leaves it as
it was. What is in flight and how the server fares is each process's own. `share` and `share_of_state` are for a
process that has lost the others: a part of all that is known, so that the parts together stay within it.
"""

from __future__ import annotations

from functools import lru_cache
from types import GenericAlias
from typing import Any, TypeAlias

import msgspec

from openrouter_core.limit.compose import KEY, All, Scoped, Scopes
from openrouter_core.limit.concurrency import Concurrency
from openrouter_core.limit.condition import Condition, ConditionState
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra, GcraState
from openrouter_core.limit.hold import Flowing, Hold
from openrouter_core.limit.learned import Learned
from openrouter_core.limit.places import Places
from openrouter_core.limit.quota import Quota, QuotaScope
from openrouter_core.limit.retry_budget import Retries
from openrouter_core.limit.seen import Limiter
from openrouter_core.limit.unnamed import Unnamed
from openrouter_core.limit.window import Window

FREE = ":free"
"""The scope of all free models: their quota is the account's (OpenRouter docs, api_reference/limits)."""

QuotaState: TypeAlias = tuple[Any, ...]
"""The state of `quotas`: a GcraState for each known rate, then Scopes[QuotaScope], or () where nothing is learned."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may know beforehand; None for what is not known. The rates are per minute, the bursts at once.

    `adaptive`: quotas and outages are learned, and retries have a budget.
    """

    adaptive: bool = True
    requests_per_minute: float | None = None
    request_burst: float = 1.0
    tokens_per_minute: float | None = None
    token_burst: float | None = None
    max_concurrency: int | None = None
    places: int | None = None
    window: Window = Window()
    gate: Gate = Gate()
    learned: Learned = Learned()
    unnamed: Unnamed = Unnamed()
    concurrency: Concurrency = Concurrency()
    hold: Hold = Hold()
    crowd: int = 4
    retries: Retries = Retries()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a scope's limiters think: requests per second, whether calls are held, seconds until the gate opens."""

    rate: float
    capacity: float | None
    limit: float | None
    in_flight: int
    concurrency: float | None
    paused: float
    held: bool


def standard(settings: LimitSettings) -> All:
    """Put the client's limiter together."""
    return All((*quotas(settings).limiters, *health(settings)))


def quotas(settings: LimitSettings) -> All:
    """Put together what keeps the key within its quotas. The state is a `QuotaState`."""
    rates: list[Limiter[Any, Any]] = []
    if settings.requests_per_minute is not None:
        rates.append(Gcra(rate=settings.requests_per_minute / 60, burst=settings.request_burst))
    if settings.tokens_per_minute is not None:
        burst = settings.tokens_per_minute / 60 if settings.token_burst is None else settings.token_burst
        rates.append(Gcra(rate=settings.tokens_per_minute / 60, burst=burst, unit="tokens"))
    quota = Quota(window=settings.window, gate=settings.gate, learned=settings.learned, unnamed=settings.unnamed)
    known = quota if settings.adaptive else All()
    return All((*rates, Scoped(inner=known)))


def quota_state_type(settings: LimitSettings) -> Any:
    """Give the type by which msgspec reads the state of `quotas`."""
    known = [rate for rate in (settings.requests_per_minute, settings.tokens_per_minute) if rate is not None]
    scope = Scopes[QuotaScope] if settings.adaptive else Scopes[tuple[()]]
    return GenericAlias(tuple, (*(GcraState for _ in known), scope))


def health(settings: LimitSettings) -> tuple[Limiter[Any, Any], ...]:
    """Put together what bounds attempts in flight and retries, and holds the calls in an outage."""
    bounds: list[Limiter[Any, Any]] = []
    if settings.max_concurrency is not None:
        bounds.append(Concurrency(maximum=settings.max_concurrency))
    if settings.places is not None:
        bounds.append(Places(settings.places))
    if settings.adaptive:
        condition = Condition(concurrency=settings.concurrency, hold=settings.hold, retries=settings.retries)
        bounds.append(Scoped(inner=condition, counts=True, others=settings.crowd))
    return tuple(bounds)


def share(settings: LimitSettings, part: float) -> LimitSettings:
    """Give the settings for a part (0..1] of every known rate, limit and capacity. A burst is one call at least."""
    rpm, tpm, tokens = settings.requests_per_minute, settings.tokens_per_minute, settings.token_burst
    return msgspec.structs.replace(
        settings,
        requests_per_minute=None if rpm is None else rpm * part,
        request_burst=max(1.0, settings.request_burst * part),
        tokens_per_minute=None if tpm is None else tpm * part,
        token_burst=None if tokens is None else tokens * part,
        max_concurrency=None if settings.max_concurrency is None else max(1, int(settings.max_concurrency * part)),
        window=msgspec.structs.replace(settings.window, share=settings.window.share * part),
        learned=msgspec.structs.replace(settings.learned, first=settings.learned.first * part),
    )


def share_of_state(state: QuotaState, part: float) -> QuotaState:
    """Give the state of quotas for the same part; what others have used of a window counts as used."""
    *rates, scopes = state
    return (*rates, Scopes({name: part_of(scope, part) if scope else scope for name, scope in scopes.known.items()}))


def part_of(scope: QuotaScope, part: float) -> QuotaScope:
    """Give a part of what is known of one scope."""
    window, gate, learned, unnamed = scope
    limit = None if window.limit is None else max(1.0, window.limit * part)
    capacity = None if learned.capacity is None else learned.capacity * part
    return (
        msgspec.structs.replace(window, limit=limit),
        gate,
        msgspec.structs.replace(learned, rate=learned.rate * part, capacity=capacity),
        msgspec.structs.replace(unnamed, limit=max(min(1, unnamed.limit), int(unnamed.limit * part))),
    )


@lru_cache(256)
def scopes(model: str, provider: str | None = None) -> tuple[str, ...]:
    """Name the scopes of a call besides the key: all free models, and the model (at the provider it is pinned to)."""
    route = model if provider is None else f"{model}@{provider}"
    return (FREE, route) if model.endswith(FREE) else (route,)


def view(state: tuple[Any, ...], now: float) -> dict[str, View]:
    """Show each scope of the standard limiter's state; the key is "", and a scope without trouble is like the key.

    Where nothing is learned there is nothing to see.
    """
    parts: list[Scopes[Any]] = [part for part in state if isinstance(part, Scopes)]
    quota, condition = parts[0], parts[-1]
    if not quota.known[KEY]:
        return {}
    names = dict.fromkeys([KEY, *quota.known, *condition.known, *condition.flying])
    return {
        name: seen_from_outside(
            quota.known.get(name, quota.known[KEY]),
            condition.known.get(name, condition.known[KEY]),
            condition.flying.get(name, 0),
            now,
        )
        for name in names
    }


def seen_from_outside(quota: QuotaScope, condition: ConditionState, in_flight: int, now: float) -> View:
    """Show one scope."""
    window, gate, learned, unnamed = quota
    even = None if unnamed.length is None else unnamed.limit / unnamed.length
    concurrency, hold, _ = condition
    return View(
        rate=even or learned.rate,
        capacity=even or learned.capacity,
        limit=window.limit,
        in_flight=in_flight,
        concurrency=concurrency.limit,
        paused=max(0.0, gate.until - now),
        held=not isinstance(hold, Flowing),
    )
