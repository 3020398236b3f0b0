"""The account: credits and what they were spent on. Amounts are in USD.

Source: OpenRouter docs, api-reference/credits and analytics; the OpenAPI schemas ActivityItem and
QueryAnalyticsRequestBody.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import field

from openrouter_core.wire.params import AtLeastOne, Parameters, Slug
from openrouter_core.wire.shape import Shape, open_union


class Credits(Shape, frozen=True, kw_only=True):
    """Credits bought and credits used, in all."""

    total_credits: Decimal
    total_usage: Decimal


class Activity(Shape, frozen=True, kw_only=True):
    """What one endpoint was used for on one day (UTC). Money is in USD."""

    date: str
    model: str | None = None
    model_permaslug: str | None = None
    provider_name: str | None = None
    endpoint_id: str | None = None
    workspace_id: str | None = None
    requests: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    usage: Decimal | None = None
    byok_usage_inference: Decimal | None = None


class GetActivity(Parameters, frozen=True, kw_only=True):
    """Which activity: of one `date` (YYYY-MM-DD) of the last 30, of one key, member or workspace."""

    date: str | None = None
    api_key_hash: str | None = None
    user_id: str | None = None
    group_by: str | None = None
    workspace_id: str | None = None


class AnalyticsName(Shape, frozen=True, kw_only=True):
    """A name that queries use, and what people call it."""

    name: str | None = None
    display_label: str | None = None


class AnalyticsMetric(Shape, frozen=True, kw_only=True):
    """Something that can be measured."""

    name: str | None = None
    display_label: str | None = None
    display_format: str | None = None
    is_rate: bool | None = None


class AnalyticsOperator(Shape, frozen=True, kw_only=True):
    """A comparison that filters use."""

    name: str | None = None
    value_type: str | None = None


class AnalyticsMeta(Shape, frozen=True, kw_only=True):
    """What queries can ask for."""

    metrics: list[AnalyticsMetric] | None = None
    dimensions: list[AnalyticsName] | None = None
    granularities: list[AnalyticsName] | None = None
    operators: list[AnalyticsOperator] | None = None


class AnalyticsFilter(Shape, frozen=True, kw_only=True):
    """Keeps what compares with `value` as the operator says."""

    field: Slug
    operator: Slug
    value: Any
    include_unset: bool | None = None


class AnalyticsOrder(Shape, frozen=True, kw_only=True):
    """What to sort by; `direction` is "asc" or "desc"."""

    field: Slug
    direction: Slug


class TimeRange(Shape, frozen=True, kw_only=True):
    """From when to when, in ISO 8601."""

    start: Slug
    end: Slug


if TYPE_CHECKING:
    AnalyticsFilterLike: TypeAlias = AnalyticsFilter | Mapping[str, Any]
else:
    AnalyticsFilterLike = open_union(other=AnalyticsFilter)

if TYPE_CHECKING:
    AnalyticsOrderLike: TypeAlias = AnalyticsOrder | Mapping[str, Any]
else:
    AnalyticsOrderLike = open_union(other=AnalyticsOrder)

if TYPE_CHECKING:
    TimeRangeLike: TypeAlias = TimeRange | Mapping[str, Any]
else:
    TimeRangeLike = open_union(other=TimeRange)


class QueryAnalytics(Parameters, frozen=True, kw_only=True):
    """What to measure, by what, of what. Names are those that `GET /analytics/meta` lists."""

    metrics: Sequence[str]
    dimensions: Sequence[str] | None = None
    filters: Sequence[AnalyticsFilterLike] | None = None
    granularity: str | None = None
    time_range: TimeRangeLike | None = None
    order_by: AnalyticsOrderLike | None = None
    limit: AtLeastOne | None = None
    group_limit: AtLeastOne | None = None
    classifier_dimensions: Mapping[str, Any] | None = None
    classifier_filters: Mapping[str, Any] | None = None


class AnalyticsQueryFacts(Shape, frozen=True, kw_only=True):
    """How a query went, in milliseconds and rows; `truncated` says that there were more."""

    query_time_ms: float | None = None
    row_count: int | None = None
    truncated: bool | None = None


class AnalyticsRows(Shape, frozen=True, kw_only=True):
    """The rows, by the names of metrics and dimensions."""

    data: list[dict[str, Any]]
    metadata: AnalyticsQueryFacts | None = None
    cached_at: float | None = field(default=None, name="cachedAt")
    warnings: list[str] | None = None
