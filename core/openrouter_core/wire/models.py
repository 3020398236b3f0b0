"""What OpenRouter serves: models, their endpoints and prices, providers.

Prices are in USD per unit, exact, and read from text and numbers alike; -1 is a price that varies, as with routers.
Source: OpenRouter docs, api-reference/models and endpoints; the OpenAPI schemas Model and PublicEndpoint.
"""

from decimal import Decimal
from typing import Any

from openrouter_core.wire.params import Paged, Parameters, Slug, Usd
from openrouter_core.wire.shape import Shape


class PricingOverride(Shape, frozen=True, kw_only=True):
    """Other prices, from so many prompt tokens on, or at some hours of some days (UTC)."""

    prompt: Decimal | None = None
    completion: Decimal | None = None
    audio: Decimal | None = None
    input_audio_cache: Decimal | None = None
    input_cache_read: Decimal | None = None
    input_cache_write: Decimal | None = None
    input_cache_write_1h: Decimal | None = None
    min_prompt_tokens: float | None = None
    utc_start: float | None = None
    utc_end: float | None = None
    utc_days: list[str] | None = None


class Pricing(Shape, frozen=True, kw_only=True):
    """What things cost, in USD per token unless the name says otherwise; `discount` is a fraction of 1."""

    prompt: Decimal | None = None
    completion: Decimal | None = None
    request: Decimal | None = None
    image: Decimal | None = None
    image_token: Decimal | None = None
    image_output: Decimal | None = None
    audio: Decimal | None = None
    audio_output: Decimal | None = None
    input_audio_cache: Decimal | None = None
    input_cache_read: Decimal | None = None
    input_cache_write: Decimal | None = None
    input_cache_write_1h: Decimal | None = None
    internal_reasoning: Decimal | None = None
    web_search: Decimal | None = None
    discount: float | None = None
    overrides: list[PricingOverride] | None = None


class Architecture(Shape, frozen=True, kw_only=True):
    """What goes in and what comes out ("text", "image", "audio", ...), and how text is split into tokens."""

    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None
    modality: str | None = None
    tokenizer: str | None = None
    instruct_type: str | None = None


class DefaultParameters(Shape, frozen=True, kw_only=True):
    """What a model is asked with where the request says nothing."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None


class ModelReasoning(Shape, frozen=True, kw_only=True):
    """Whether a model thinks: always (`mandatory`), by default, how hard, and whether a budget can be set."""

    mandatory: bool | None = None
    default_enabled: bool | None = None
    supports_max_tokens: bool | None = None
    default_effort: str | None = None
    supported_efforts: list[str | None] | None = None


class TopProvider(Shape, frozen=True, kw_only=True):
    """Limits, in tokens, of the provider that OpenRouter prefers."""

    context_length: int | None = None
    max_completion_tokens: int | None = None
    is_moderated: bool | None = None


class AliasTarget(Shape, frozen=True, kw_only=True):
    """The model that an alias (`~author/family-latest`) stands for today."""

    slug: str | None = None
    name: str | None = None


class ArenaScore(Shape, frozen=True, kw_only=True):
    """A place in an arena where people choose between answers; `win_rate` is a fraction of 1."""

    arena: str | None = None
    category: str | None = None
    elo: float | None = None
    win_rate: float | None = None
    rank: int | None = None


class IntelligenceIndex(Shape, frozen=True, kw_only=True):
    """Scores by Artificial Analysis."""

    agentic_index: float | None = None
    coding_index: float | None = None
    intelligence_index: float | None = None


class ModelBenchmarks(Shape, frozen=True, kw_only=True):
    """How a model did in public benchmarks."""

    design_arena: list[ArenaScore] | None = None
    artificial_analysis: IntelligenceIndex | None = None


class ModelLinks(Shape, frozen=True, kw_only=True):
    """Where more is told of a model; relative to the API's root."""

    details: str | None = None


class TokenLimits(Shape, frozen=True, kw_only=True):
    """The most tokens that one request may have."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None


class Model(Shape, frozen=True, kw_only=True):
    """A model. `created` is in seconds since the epoch, `context_length` in tokens, `expiration_date` a day."""

    id: str
    """What requests name, such as "x-ai/grok-4.7"."""
    canonical_slug: str | None = None
    name: str | None = None
    description: str | None = None
    hugging_face_id: str | None = None
    knowledge_cutoff: str | None = None
    expiration_date: str | None = None
    created: int | None = None
    context_length: int | None = None
    architecture: Architecture | None = None
    pricing: Pricing | None = None
    top_provider: TopProvider | None = None
    default_parameters: DefaultParameters | None = None
    per_request_limits: TokenLimits | None = None
    supported_parameters: list[str] | None = None
    supported_voices: list[str] | None = None
    reasoning: ModelReasoning | None = None
    alias_target: AliasTarget | None = None
    benchmarks: ModelBenchmarks | None = None
    links: ModelLinks | None = None


class Percentiles(Shape, frozen=True, kw_only=True):
    """Percentiles of the last 30 minutes: latency in milliseconds, or throughput in tokens per second."""

    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


class WorkloadPerformance(Shape, frozen=True, kw_only=True):
    """How fast an endpoint was with one kind of work."""

    latency: Percentiles | None = None
    throughput: Percentiles | None = None
    request_count: int | None = None


class ToolChoiceSupport(Shape, frozen=True, kw_only=True):
    """Which values of `tool_choice` an endpoint heeds."""

    auto: bool | None = None
    none: bool | None = None
    required: bool | None = None
    function: bool | None = None


class ModelEndpoint(Shape, frozen=True, kw_only=True):
    """A model at a provider: what it costs there, what it can, how it has been. Uptime is in percent."""

    name: str | None = None
    model_id: str | None = None
    model_name: str | None = None
    provider_name: str | None = None
    tag: str | None = None
    quantization: str | None = None
    service_tier: str | None = None
    context_length: int | None = None
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    status: int | None = None
    pricing: Pricing | None = None
    supported_parameters: list[str] | None = None
    supports_tool_choice: ToolChoiceSupport | None = None
    supports_implicit_caching: bool | None = None
    supports_diarization: bool | None = None
    supports_image_reference: bool | None = None
    supports_multiple_audio_references: bool | None = None
    supports_voice_cloning: bool | None = None
    native_tools: Any | None = None
    latency_last_30m: Percentiles | None = None
    throughput_last_30m: Percentiles | None = None
    uptime_last_5m: float | None = None
    uptime_last_30m: float | None = None
    uptime_last_1d: float | None = None
    perf_last_30m_by_workload: dict[str, WorkloadPerformance | None] | None = None


class ModelEndpoints(Shape, frozen=True, kw_only=True):
    """A model and where it can be had."""

    endpoints: list[ModelEndpoint]
    id: str | None = None
    name: str | None = None
    description: str | None = None
    created: int | None = None
    architecture: Architecture | None = None


class ModelsCount(Shape, frozen=True, kw_only=True):
    """How many models there are."""

    count: int


class Provider(Shape, frozen=True, kw_only=True):
    """A provider of models; `datacenters` and `headquarters` are country codes."""

    slug: str
    name: str | None = None
    headquarters: str | None = None
    privacy_policy_url: str | None = None
    status_page_url: str | None = None
    terms_of_service_url: str | None = None
    datacenters: list[str] | None = None


class ModelName(Parameters, frozen=True, kw_only=True):
    """Names a model by the two halves of its slug, `author/slug`."""

    author: Slug
    slug: Slug


class OutputModalities(Parameters, frozen=True, kw_only=True):
    """Which models count: those with one of these outputs, comma-separated; "text" if left out, "all" for all."""

    output_modalities: str | None = None


class ListModels(Paged, frozen=True, kw_only=True):
    """Which models to list. Without `offset` and `limit` it is all of them, else at most 1,000.

    Lists are comma-separated text. Prices are in USD per million tokens, `context` in tokens, rates are fractions of 1.
    `distillable` and `zdr` are "true" or "false"; `sort` is such as "pricing-low-to-high".
    """

    q: str | None = None
    sort: str | None = None
    category: str | None = None
    arch: str | None = None
    model_authors: str | None = None
    providers: str | None = None
    region: str | None = None
    distillable: str | None = None
    zdr: str | None = None
    supported_parameters: str | None = None
    input_modalities: str | None = None
    output_modalities: str | None = None
    context: int | None = None
    min_age_days: int | None = None
    max_age_days: int | None = None
    min_price: Usd | None = None
    max_price: Usd | None = None
    min_output_price: Usd | None = None
    max_output_price: Usd | None = None
    min_intelligence_index: float | None = None
    max_intelligence_index: float | None = None
    min_coding_index: float | None = None
    max_coding_index: float | None = None
    min_agentic_index: float | None = None
    max_agentic_index: float | None = None
    min_tool_success_rate: float | None = None
    max_tool_success_rate: float | None = None


class ListUserModels(Paged, frozen=True, kw_only=True):
    """Which of the models that the account's settings allow to list."""

    output_modalities: str | None = None
    sort: str | None = None
