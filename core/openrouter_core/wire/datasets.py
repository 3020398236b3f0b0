"""What OpenRouter publishes: rankings, costs of sessions, benchmarks, what models are used for.

Source: OpenRouter docs, api-reference/datasets; the OpenAPI schemas RankingsDailyItem and UnifiedBenchmarksResponse.
"""

from decimal import Decimal
from typing import Any

from openrouter_core.wire.params import AtLeastOne, Paged, Parameters
from openrouter_core.wire.shape import Shape


class AppRanking(Shape, frozen=True, kw_only=True):
    """An app, and what went through it. Token counts may come as text."""

    app_name: str | None = None
    app_id: int | None = None
    rank: int | None = None
    total_requests: int | None = None
    total_tokens: int | str | None = None


class GetAppRankings(Paged, frozen=True, kw_only=True):
    """Which apps; `sort` is "popular" or "trending", days are YYYY-MM-DD."""

    category: str | None = None
    subcategory: str | None = None
    sort: str | None = None
    start_date: str | None = None
    end_date: str | None = None


class DailyRanking(Shape, frozen=True, kw_only=True):
    """What went through a model on a day. Token counts may come as text."""

    date: str | None = None
    model_permaslug: str | None = None
    total_tokens: int | str | None = None


class GetDailyRankings(Parameters, frozen=True, kw_only=True):
    """Which days and what kind of use; days are YYYY-MM-DD."""

    start_date: str | None = None
    end_date: str | None = None
    period: str | None = None
    modality: str | None = None
    context_bucket: str | None = None
    category: str | None = None
    language_type: str | None = None


class SessionCost(Shape, frozen=True, kw_only=True):
    """What a session with an app and a model costs in the median, in USD."""

    app_name: str | None = None
    app_slug: str | None = None
    model_permaslug: str | None = None
    turn_range: str | None = None
    median_session_cost_usd: Decimal | None = None


class GetSessionCosts(Paged, frozen=True, kw_only=True):
    """Which sessions."""

    app_slug: str | None = None
    model: str | None = None
    turn_range: str | None = None


class BenchmarkResult(Shape, frozen=True, kw_only=True):
    """A score of a model; which fields there are depends on the `source`. Money is in USD, times in milliseconds."""

    source: str | None = None
    model_permaslug: str | None = None
    display_name: str | None = None
    benchmark_type: str | None = None
    arena: str | None = None
    category: str | None = None
    last_run_timestamp: str | None = None
    primary_metric: str | None = None
    search_engine: str | None = None
    search_surface: str | None = None
    agentic_index: float | None = None
    coding_index: float | None = None
    intelligence_index: float | None = None
    accuracy: float | None = None
    accuracy_stddev: float | None = None
    elo: float | None = None
    win_rate: float | None = None
    primary_score: float | None = None
    avg_generation_time_ms: float | None = None
    avg_latency_per_task_ms: float | None = None
    avg_cost_per_task: Decimal | None = None
    total_tasks: int | None = None
    pricing: dict[str, Decimal] | None = None
    tournament_stats: dict[str, Any] | None = None
    run_config: dict[str, Any] | None = None


class GetBenchmarks(Parameters, frozen=True, kw_only=True):
    """Which benchmarks; `source` is such as "artificial-analysis" or "design-arena"."""

    source: str | None = None
    task_type: str | None = None
    benchmark_type: str | None = None
    search_engine: str | None = None
    search_surface: str | None = None
    arena: str | None = None
    category: str | None = None
    include_run_config: bool | None = None
    max_results: AtLeastOne | None = None


class TaskModel(Shape, frozen=True, kw_only=True):
    """A model's share of a kind of task; shares are fractions of 1."""

    id: str | None = None
    tag_token_share: float | None = None
    tag_usage_share: float | None = None


class TaskShare(Shape, frozen=True, kw_only=True):
    """A kind of task and its share of all use."""

    tag: str | None = None
    display_name: str | None = None
    macro_category: str | None = None
    token_share: float | None = None
    usage_share: float | None = None
    category_token_share: float | None = None
    category_usage_share: float | None = None
    models: list[TaskModel] | None = None


class TaskCategory(Shape, frozen=True, kw_only=True):
    """Kinds of tasks together."""

    key: str | None = None
    label: str | None = None
    token_share: float | None = None
    usage_share: float | None = None


class TaskShares(Shape, frozen=True, kw_only=True):
    """What models are used for, over the last `window_days` days."""

    classifications: list[TaskShare]
    macro_categories: list[TaskCategory] | None = None
    as_of: str | None = None
    window_days: int | None = None


class GetTaskShares(Parameters, frozen=True, kw_only=True):
    """Over which days: "7d"."""

    window: str | None = None
