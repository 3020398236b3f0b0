"""The chat completion answer, as it comes over the wire. Shapes only.

Every field is optional and every enumeration open, because the wire is wider than any schema of it: a field documented
as required may be null or absent, and names and values are added without notice. Unknown fields are ignored. What must
be sent back unchanged (reasoning details, images, audio, annotations) stays plain JSON, so that nothing is lost.
Source: OpenRouter docs, api_reference/overview; the OpenAPI schema ChatResult; recorded answers for what both lack.
"""

from typing import Any, Final

import msgspec

from openrouter_core.wire.attempt import CallRecord
from openrouter_core.wire.message import ASSISTANT, ChatMessage, ToolCall
from openrouter_core.wire.shape import Shape

STOP: Final = "stop"
LENGTH: Final = "length"
TOOL_CALLS: Final = "tool_calls"
CONTENT_FILTER: Final = "content_filter"
ERROR: Final = "error"


class PromptTokensDetails(Shape, frozen=True, kw_only=True):
    """How the prompt's tokens divide."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    video_tokens: int | None = None
    image_tokens: int | None = None
    file_tokens: int | None = None
    text_tokens: int | None = None


class CompletionTokensDetails(Shape, frozen=True, kw_only=True):
    """How the completion's tokens divide."""

    reasoning_tokens: int | None = None
    image_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class CostDetails(Shape, frozen=True, kw_only=True):
    """How the cost divides, in USD."""

    upstream_inference_cost: float | None = None
    upstream_inference_prompt_cost: float | None = None
    upstream_inference_completions_cost: float | None = None
    server_tool_cost: float | None = None


class ServerToolUse(Shape, frozen=True, kw_only=True):
    """How often server tools were used. A web search may count among the tool calls too: do not add them up."""

    web_search_requests: int | None = None
    tool_calls_requested: int | None = None
    tool_calls_executed: int | None = None


class Usage(Shape, frozen=True, kw_only=True):
    """What the answer used: tokens, and `cost` in USD. A cost of None is unknown; it does not mean free."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cost: float | None = None
    is_byok: bool | None = None
    cost_details: CostDetails | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None
    server_tool_use_details: ServerToolUse | None = None


class TopLogprob(Shape, frozen=True, kw_only=True):
    """A token that was likely in this place. `bytes` is its UTF-8."""

    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None


class TokenLogprob(Shape, frozen=True, kw_only=True):
    """A token of the answer, with its likely alternatives."""

    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class Logprobs(Shape, frozen=True, kw_only=True):
    """Log probabilities, token by token."""

    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


class ResponseMessage(Shape, frozen=True, kw_only=True):
    """What the model said. It may be put into `messages` of the next request as it is.

    `content` may be None beside tool calls, and also without them.
    """

    role: str | None = None
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | None = None
    images: list[dict[str, Any]] | None = None
    audio: dict[str, Any] | None = None
    annotations: list[dict[str, Any]] | None = None
    model: str | None = None

    @property
    def text(self) -> str:
        """The content as text; '' where there is none."""
        if isinstance(self.content, list):
            return "".join(text for part in self.content if isinstance(text := part.get("text"), str))
        return self.content or ""

    def to_message(self) -> ChatMessage:
        """Give the message to send back, with everything that must come back unchanged."""
        return ChatMessage(
            role=self.role or ASSISTANT,
            content=self.content,
            name=self.name,
            tool_calls=self.tool_calls,
            reasoning=self.reasoning,
            reasoning_details=self.reasoning_details,
            refusal=self.refusal,
            images=self.images,
            audio=self.audio,
            annotations=self.annotations,
            model=self.model,
        )


class Choice(Shape, frozen=True, kw_only=True):
    """One answer. `finish_reason` is OpenRouter's word (see the names above), `native_finish_reason` the provider's.

    `error` is set, together with partial content, when the provider failed midway.
    """

    index: int | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    message: ResponseMessage | None = None
    logprobs: Logprobs | None = None
    error: Any = None


class RoutedEndpoint(Shape, frozen=True, kw_only=True):
    """An endpoint that the router considered."""

    provider: str | None = None
    model: str | None = None
    selected: bool | None = None


class RoutedEndpoints(Shape, frozen=True, kw_only=True):
    """The endpoints that the router considered."""

    total: int | None = None
    available: list[RoutedEndpoint] | None = None


class RoutedAttempt(Shape, frozen=True, kw_only=True):
    """A provider that OpenRouter tried, and the status it gave."""

    provider: str | None = None
    model: str | None = None
    status: int | None = None


class PipelineStage(Shape, frozen=True, kw_only=True):
    """Something that OpenRouter did on the way: a plugin, a guardrail, server tools. `cost_usd` is in USD."""

    type: str | None = None
    name: str | None = None
    summary: str | None = None
    data: dict[str, Any] | None = None
    cost_usd: float | None = None
    guardrail_id: str | None = None
    guardrail_scope: str | None = None


class RouterMetadata(Shape, frozen=True, kw_only=True):
    """How the request was routed; present where `RequestOptions(metadata=True)` asked for it."""

    requested: str | None = None
    strategy: str | None = None
    region: str | None = None
    summary: str | None = None
    attempt: int | None = None
    is_byok: bool | None = None
    endpoints: RoutedEndpoints | None = None
    attempts: list[RoutedAttempt] | None = None
    params: dict[str, Any] | None = None
    pipeline: list[PipelineStage] | None = None
    generation_time: float | None = None


class ChatCompletionResponse(Shape, frozen=True, kw_only=True):
    """A model's answer. `created` is in seconds since the epoch; `model` says which model answered.

    `error` and `user_id` are part of an answer that failed under HTTP 200. `safeguard_results` and `alignment` are beta
    and left as JSON. `call` is not OpenRouter's: it tells how this client obtained the answer.
    """

    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    provider: str | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    openrouter_metadata: RouterMetadata | None = None
    safeguard_results: Any = None
    alignment: Any = None
    error: Any = None
    user_id: str | None = None
    call: CallRecord | None = msgspec.field(default=None, name="@call")

    @property
    def choice(self) -> Choice | None:
        """The first choice, where there is one."""
        return self.choices[0] if self.choices else None

    @property
    def message(self) -> ResponseMessage | None:
        """The first choice's message, where there is one."""
        return self.choices[0].message if self.choices else None

    @property
    def text(self) -> str:
        """The first choice's text; '' where there is none."""
        message = self.choices[0].message if self.choices else None
        return message.text if message else ""

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended."""
        return self.choice.finish_reason if self.choice else None

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The first choice's tool calls; empty where there are none."""
        return (self.message.tool_calls if self.message else None) or []

    @property
    def cost(self) -> float | None:
        """What the answer cost in USD; None where that is unknown, which never means free."""
        return self.usage.cost if self.usage else None
