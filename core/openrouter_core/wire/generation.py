"""What is known afterwards about a generation. It takes some seconds to appear; until then the status is 404.

Source: OpenRouter docs, api-reference/generations; the OpenAPI schema GenerationResponse; recorded answers.
"""

from decimal import Decimal
from typing import Any

from openrouter_core.wire.params import Parameters, Slug
from openrouter_core.wire.shape import Shape


class ProviderAttempt(Shape, frozen=True, kw_only=True):
    """A provider that was tried, and the status it gave; `latency` is in milliseconds."""

    status: int | None = None
    latency: float | None = None
    is_byok: bool | None = None
    id: str | None = None
    endpoint_id: str | None = None
    model_permaslug: str | None = None
    provider_name: str | None = None
    routed_service_tier: str | None = None


class Generation(Shape, frozen=True, kw_only=True):
    """A generation. Money is in USD; `latency`, `generation_time` and `moderation_latency` are in milliseconds.

    Token counts are by OpenRouter's common measure; the `native_` ones are the provider's, and what is billed.
    """

    id: str
    model: str | None = None
    provider_name: str | None = None
    api_type: str | None = None
    created_at: str | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    service_tier: str | None = None
    data_region: str | None = None
    origin: str | None = None
    http_referer: str | None = None
    user_agent: str | None = None
    router: str | None = None
    preset_id: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    upstream_id: str | None = None
    workspace_id: str | None = None
    external_user: str | None = None
    web_search_engine: str | None = None
    response_cache_source_id: str | None = None
    app_id: int | None = None
    streamed: bool | None = None
    cancelled: bool | None = None
    is_byok: bool | None = None
    latency: float | None = None
    generation_time: float | None = None
    moderation_latency: float | None = None
    tokens_prompt: int | None = None
    tokens_completion: int | None = None
    native_tokens_prompt: int | None = None
    native_tokens_completion: int | None = None
    native_tokens_reasoning: int | None = None
    native_tokens_cached: int | None = None
    native_tokens_completion_images: int | None = None
    num_media_prompt: int | None = None
    num_media_completion: int | None = None
    num_input_audio_prompt: int | None = None
    num_search_results: int | None = None
    num_fetches: int | None = None
    usage: Decimal | None = None
    total_cost: Decimal | None = None
    upstream_inference_cost: Decimal | None = None
    cache_discount: Decimal | None = None
    provider_responses: list[ProviderAttempt] | None = None


class GenerationInput(Shape, frozen=True, kw_only=True):
    """What was asked: messages, or a prompt."""

    messages: list[Any] | None = None
    prompt: str | None = None


class GenerationOutput(Shape, frozen=True, kw_only=True):
    """What was answered."""

    completion: str | None = None
    reasoning: str | None = None


class GenerationFault(Shape, frozen=True, kw_only=True):
    """Why a provider failed; `raw` is what it said."""

    message: str | None = None
    provider_name: str | None = None
    raw: str | None = None
    status: int | None = None
    code: int | str | None = None
    previous_errors: list[dict[str, Any]] | None = None


class GenerationContent(Shape, frozen=True, kw_only=True):
    """What was asked and answered, where it is kept, and the error if it failed."""

    input: GenerationInput | None = None
    output: GenerationOutput | None = None
    error: GenerationFault | None = None


class GenerationFeedback(Parameters, frozen=True, kw_only=True):
    """What was wrong with a generation: a category such as "incoherence", and words."""

    generation_id: Slug
    category: Slug
    comment: str | None = None


class FeedbackTaken(Shape, frozen=True, kw_only=True):
    """Whether feedback was taken."""

    success: bool | None = None
