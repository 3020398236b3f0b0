"""The limiter that every client has: what is put together from the others, and what its state looks like from outside.

    All( Retries, Gcra requests/min?, Gcra tokens/min?, Concurrency(max_concurrency)?, Places?,
         Scoped( All( Window, InCompany(Gate), InCompany(Learned), InCompany(Concurrency), InCompany(Hold, 4) ) ) )

With nothing configured only Retries and the Scoped part are there, and they make nobody wait until something has
happened, but for the ramp of a burst.
"""

from __future__ import annotations

from typing import Any

import msgspec

from openrouter_core.limit.compose import All, InCompany, Scoped
from openrouter_core.limit.concurrency import Concurrency
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.hold import Flowing, Hold
from openrouter_core.limit.learned import Learned
from openrouter_core.limit.places import Places
from openrouter_core.limit.retry_budget import Retries
from openrouter_core.limit.seen import Limiter
from openrouter_core.limit.window import Window

FREE = ":free"
"""The scope of all free models: their quota is the account's (OpenRouter docs, api_reference/limits)."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may know beforehand; None for what is not known. The rates are per minute, the bursts at once."""

    requests_per_minute: float | None = None
    request_burst: float = 1.0
    tokens_per_minute: float | None = None
    token_burst: float | None = None
    max_concurrency: int | None = None
    places: int | None = None
    window: Window = Window()
    gate: Gate = Gate()
    learned: Learned = Learned()
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
    outer: list[Limiter[Any, Any]] = [settings.retries]
    if settings.requests_per_minute is not None:
        outer.append(Gcra(rate=settings.requests_per_minute / 60, burst=settings.request_burst))
    if settings.tokens_per_minute is not None:
        burst = settings.tokens_per_minute / 60 if settings.token_burst is None else settings.token_burst
        outer.append(Gcra(rate=settings.tokens_per_minute / 60, burst=burst, unit="tokens"))
    if settings.max_concurrency is not None:
        outer.append(Concurrency(maximum=settings.max_concurrency))
    if settings.places is not None:
        outer.append(Places(settings.places))
    inner = All(
        (
            settings.window,
            InCompany(settings.gate),
            InCompany(settings.learned),
            InCompany(settings.concurrency),
            InCompany(settings.hold, settings.crowd),
        )
    )
    return All((*outer, Scoped(inner)))


def scopes(model: str, provider: str | None = None) -> tuple[str, ...]:
    """Name the scopes of a call besides the key: all free models, and the model (at the provider it is pinned to)."""
    route = model if provider is None else f"{model}@{provider}"
    return (FREE, route) if model.endswith(FREE) else (route,)


def view(state: tuple[Any, ...], now: float) -> dict[str, View]:
    """Show each scope of the standard limiter's state; the key is ""."""
    return {name: seen_from_outside(scope.state, scope.in_flight, now) for name, scope in state[-1].items()}


def seen_from_outside(inner: tuple[Any, ...], in_flight: int, now: float) -> View:
    """Show one scope."""
    window, gate, learned, concurrency, hold = inner
    return View(
        rate=learned.rate,
        capacity=learned.capacity,
        limit=window.limit,
        in_flight=in_flight,
        concurrency=concurrency.limit,
        paused=max(0.0, gate.until - now),
        held=not isinstance(hold, Flowing),
    )
