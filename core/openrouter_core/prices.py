"""What an attempt can cost at worst, from the request and the price list; None wherever that cannot be known.

    worst = prompt price * prompt tokens + completion price * completion tokens + price of a request

A token is at least one byte, so a request has at most as many prompt tokens as its JSON has bytes; images, audio and
files may become any number, up to the model's context. The answer is bounded by `max_completion_tokens`, else by what
the model can write at most. What costs extra in ways that no list tells (web search, plugins, server tools, presets,
generated images and audio) has no known worst case. The list has the price of a model's usual provider (OpenRouter
docs, api_reference/models); `provider.max_price` in a request keeps dearer ones out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from openrouter_core.endpoint import Endpoint
from openrouter_core.retry_after import number

UNPRICED = ("plugins", "web_search_options", "preset", "image_config", "audio", "deferred_tools")
"""Fields of a request that cost extra, in ways that no price list tells."""

TEXT_ONLY = ("text", "reasoning")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of a model in USD: per prompt token, per token written to a cache, per completion token, per request.

    Each is the dearest of its tiers. `context` is how many tokens prompt and answer may have, `most` the answer alone.
    """

    prompt: float
    completion: float
    cached: float = 0.0
    request: float = 0.0
    context: int | None = None
    most: int | None = None


Prices = Mapping[str, Price]
"""The price list, by the models' slugs."""


class Provided(msgspec.Struct, frozen=True):
    """What the list says of a model's usual provider."""

    max_completion_tokens: int | None = None


class Listed(msgspec.Struct, frozen=True):
    """A model of the list, as far as its cost goes."""

    id: str
    canonical_slug: str | None = None
    context_length: int | None = None
    pricing: Mapping[str, Any] = {}
    top_provider: Provided | None = None


class Catalogue(msgspec.Struct, frozen=True):
    """The answer of `GET /models`."""

    data: Sequence[Listed]


CATALOGUE: Endpoint[None, Catalogue] = Endpoint("GET", "/models", type(None), Catalogue)
"""List all models with their prices (OpenRouter API reference, GET /models)."""


def prices_in(catalogue: Catalogue) -> dict[str, Price]:
    """Read the price list, without models whose price is not fixed (routers have the price -1)."""
    prices: dict[str, Price] = {}
    for model in catalogue.data:
        price = price_of(model)
        if price is not None:
            prices |= dict.fromkeys((model.id, model.canonical_slug or model.id), price)
    return prices


def price_of(model: Listed) -> Price | None:
    """Read the price of a model; None where it has no fixed one."""
    overrides: Sequence[Any] = model.pricing.get("overrides") or ()
    tiers = [model.pricing, *(cast("Mapping[str, Any]", tier) for tier in overrides if isinstance(tier, dict))]
    prompt, completion = dearest(tiers, "prompt"), dearest(tiers, "completion")
    if prompt is None or completion is None:
        return None
    return Price(
        prompt=prompt,
        completion=max(completion, dearest(tiers, "internal_reasoning") or 0.0),
        cached=max(prompt, dearest(tiers, "input_cache_write") or 0.0, dearest(tiers, "input_cache_write_1h") or 0.0),
        request=dearest(tiers, "request") or 0.0,
        context=model.context_length,
        most=None if model.top_provider is None else model.top_provider.max_completion_tokens,
    )


def dearest(tiers: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Give the highest of a price's tiers in USD; None where it has none, or is not fixed."""
    told = [number(tier[name]) for tier in tiers if name in tier]
    known = [price for price in told if price is not None and price >= 0.0]
    return max(known) if told and len(known) == len(told) else None


def worst_case(body: bytes, prices: Prices) -> float | None:
    """Tell what a chat completion with this JSON can cost at most, in USD."""
    sent: dict[str, Any] = msgspec.json.decode(body)
    models = [slug for slug in (sent.get("model"), *(sent.get("models") or ())) if slug]
    if not models or any(sent.get(field) is not None for field in UNPRICED) or not plain(sent):
        return None
    most = sent.get("max_completion_tokens") or sent.get("max_tokens")
    size = None if has_media(sent) else len(body)
    costs = [cost_at(priced(slug, prices), size, most, cached=b'"cache_control"' in body) for slug in models]
    known = [cost for cost in costs if cost is not None]
    return max(known) if len(known) == len(costs) else None


def priced(slug: str, prices: Prices) -> Price | None:
    """Find the price of a model. Suffixes that only choose among its providers do not change it.

    An alias (`~x-ai/grok-latest`) that the list does not name can lead to any model of its family.
    """
    base, _, suffix = slug.partition(":")
    if slug in prices or (suffix and suffix not in {"nitro", "floor", "exacto"}):
        return prices.get(slug)
    if not base.startswith("~"):
        return prices.get(base)
    family = base[1:].removesuffix("latest").rstrip("-")
    return together([price for one, price in prices.items() if one.startswith(family)])


def together(prices: Sequence[Price]) -> Price | None:
    """Give a price that bounds all of these; None where there are none."""
    contexts = [price.context for price in prices]
    most = [price.most or price.context for price in prices]
    return (
        None
        if not prices
        else Price(
            prompt=max(price.prompt for price in prices),
            completion=max(price.completion for price in prices),
            cached=max(price.cached for price in prices),
            request=max(price.request for price in prices),
            context=None if None in contexts else max(one for one in contexts if one is not None),
            most=None if None in most else max(one for one in most if one is not None),
        )
    )


def plain(sent: Mapping[str, Any]) -> bool:
    """Tell a request whose answer is text, by tools that only the caller runs."""
    tools, modalities = sent.get("tools") or (), sent.get("modalities") or ()
    return all(tool.get("type", "function") == "function" for tool in tools) and all(
        kind in TEXT_ONLY for kind in modalities
    )


def has_media(sent: Mapping[str, Any]) -> bool:
    """Tell a request with parts that are not text: their tokens cannot be counted here."""
    messages: Sequence[Mapping[str, Any]] = sent.get("messages") or ()
    contents = [cast("Sequence[Any]", one["content"]) for one in messages if isinstance(one.get("content"), list)]
    return any(part.get("type") != "text" for parts in contents for part in parts)


def cost_at(price: Price | None, size: int | None, most: int | None, *, cached: bool) -> float | None:
    """Give the worst case in USD of a request of `size` bytes (None: of any size) with `most` tokens in its answer."""
    if price is None:
        return None
    answer = most or price.most or price.context
    bounds = [bound for bound in (size, price.context) if bound is not None]
    if answer is None or not bounds:
        return None
    return (price.cached if cached else price.prompt) * min(bounds) + price.completion * answer + price.request
