"""Which providers may serve a request, in which order, and at what price. Shapes only.

Source: OpenRouter docs, guides/routing/provider-selection; the OpenAPI schema ProviderPreferences.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from openrouter_core.wire.shape import Shape, open_union


class ProviderSort(Shape, frozen=True, kw_only=True):
    """How providers are sorted. `by` is "price", "throughput", "latency" or "exacto"; `partition` "model" or "none"."""

    by: str | None = None
    partition: str | None = None


class MaxPrice(Shape, frozen=True, kw_only=True):
    """The most to pay, in USD: per million tokens for `prompt` and `completion`, else per image, audio unit or request.

    The schema has decimal strings, the docs show numbers; both are accepted.
    """

    prompt: float | str | None = None
    completion: float | str | None = None
    image: float | str | None = None
    audio: float | str | None = None
    request: float | str | None = None


class Percentiles(Shape, frozen=True, kw_only=True):
    """Limits by percentile: seconds for a latency, tokens per second for a throughput."""

    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


if TYPE_CHECKING:
    ProviderSortLike: TypeAlias = str | ProviderSort | Mapping[str, Any]
    MaxPriceLike: TypeAlias = MaxPrice | Mapping[str, Any]
    PercentilesLike: TypeAlias = float | Percentiles | Mapping[str, Any]
else:
    ProviderSortLike = open_union(other=ProviderSort, plain=(str,))
    MaxPriceLike = open_union(other=MaxPrice)
    PercentilesLike = open_union(other=Percentiles, plain=(float, int))


class ProviderPreferences(Shape, frozen=True, kw_only=True):
    """Which providers may serve the request. Lists hold provider slugs ("xai", "amazon-bedrock", ...).

    `order` is tried first, `only` and `ignore` restrict; these merge with the account's settings. `data_collection` is
    "allow" or "deny", `zdr` demands zero data retention, `quantizations` are "fp8", "bf16", ... `require_parameters`
    leaves out providers that would silently drop a parameter. `preferred_max_latency` (seconds) and
    `preferred_min_throughput` (tokens per second) are a number or percentiles. `options` are keyed by provider slug.
    """

    order: Sequence[str] | None = None
    only: Sequence[str] | None = None
    ignore: Sequence[str] | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: str | None = None
    zdr: bool | None = None
    enforce_distillable_text: bool | None = None
    quantizations: Sequence[str] | None = None
    sort: ProviderSortLike | None = None
    max_price: MaxPriceLike | None = None
    preferred_min_throughput: PercentilesLike | None = None
    preferred_max_latency: PercentilesLike | None = None
    options: Mapping[str, Any] | None = None


if TYPE_CHECKING:
    ProviderLike: TypeAlias = ProviderPreferences | Mapping[str, Any]
else:
    ProviderLike = open_union(other=ProviderPreferences)
