"""The responses API, OpenAI's successor of chat completions: request and answer.

It is stateless: `store` and `previous_response_id` are refused, and a conversation is sent again each time. Source:
OpenRouter docs, api_reference/responses; the OpenAPI schemas ResponsesRequest and OpenResponsesResult; recorded
answers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import field

from openrouter_core.wire.loose import objects_in, text_in
from openrouter_core.wire.params import AtLeastOne, AtLeastZero, Inference, Slug, ZeroToOne
from openrouter_core.wire.parts import CacheControlLike
from openrouter_core.wire.plugins import PluginLike
from openrouter_core.wire.request import MinusTwoToTwo, StopSequences, TopLogprobs, ZeroToTwo
from openrouter_core.wire.response import RouterMetadata, ServerToolUse
from openrouter_core.wire.settings import CacheOptionsLike, DebugOptionsLike, DeferredToolsLike, ReasoningLike
from openrouter_core.wire.shape import Shape, open_union
from openrouter_core.wire.tools import StopConditionLike

COMPLETED: Final = "completed"
INCOMPLETE: Final = "incomplete"
IN_PROGRESS: Final = "in_progress"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
MESSAGE: Final = "message"
FUNCTION_CALL: Final = "function_call"
REASONING: Final = "reasoning"
OUTPUT_TEXT: Final = "output_text"


class InputMessage(Shape, frozen=True, kw_only=True):
    """A message of the conversation: text, or parts such as `{"type": "input_text", "text": ...}`."""

    role: Slug
    content: str | Sequence[Mapping[str, Any]]


class FunctionResult(Shape, frozen=True, kw_only=True):
    """What a function gave back for the call `call_id`."""

    call_id: Slug
    output: str | Sequence[Mapping[str, Any]]
    type: str | None = None


if TYPE_CHECKING:
    ResponsesInputLike: TypeAlias = InputMessage | FunctionResult | Mapping[str, Any]
else:
    ResponsesInputLike = open_union()


class ResponsesRequest(Inference, frozen=True, kw_only=True):
    """What is asked of a model. Output items of earlier answers go back into `input` as they came.

    `reasoning`, `tools`, `plugins` and others are taken as their struct or as a plain mapping.
    """

    input: str | Sequence[ResponsesInputLike] | None = None
    instructions: str | None = None
    model: Slug | None = None
    models: Sequence[Slug] | None = None
    max_output_tokens: AtLeastOne | None = None
    temperature: ZeroToTwo | None = None
    top_p: ZeroToOne | None = None
    top_k: AtLeastZero | None = None
    top_logprobs: TopLogprobs | None = None
    frequency_penalty: MinusTwoToTwo | None = None
    presence_penalty: MinusTwoToTwo | None = None
    stop: str | StopSequences | None = None
    reasoning: ReasoningLike | None = None
    text: Mapping[str, Any] | None = None
    modalities: Sequence[str] | None = None
    include: Sequence[str] | None = None
    image_config: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: str | Mapping[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    background: bool | None = None
    store: bool | None = None
    max_tool_calls: AtLeastOne | None = None
    stop_server_tools_when: Sequence[StopConditionLike] | None = None
    deferred_tools: DeferredToolsLike | None = None
    plugins: Sequence[PluginLike] | None = None
    truncation: str | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    previous_response_id: Any = None
    prompt_cache_options: CacheOptionsLike | None = None
    cache_control: CacheControlLike | None = None
    prompt: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] | None = None
    debug: DebugOptionsLike | None = None


class ResponseItem(Shape, frozen=True, kw_only=True):
    """A message, or a part of one, of an answer: what to show."""

    id: str | None = None
    role: str | None = None
    status: str | None = None
    phase: str | None = None
    text: str


class FunctionCallItem(Shape, frozen=True, kw_only=True):
    """A function that the model wants to have called; `arguments` is JSON as text."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None


class InputDetails(Shape, frozen=True, kw_only=True):
    """How the input's tokens divide."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(Shape, frozen=True, kw_only=True):
    """How the output's tokens divide."""

    reasoning_tokens: int | None = None


class ResponsesCost(Shape, frozen=True, kw_only=True):
    """How the cost divides, in USD."""

    upstream_inference_cost: float | None = None
    upstream_inference_input_cost: float | None = None
    upstream_inference_output_cost: float | None = None
    server_tool_cost: float | None = None


class ResponsesUsage(Shape, frozen=True, kw_only=True):
    """What it used, in tokens; `cost` is in USD."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    cost: float | None = None
    is_byok: bool | None = None
    cost_details: ResponsesCost | None = None
    server_tool_use_details: ServerToolUse | None = None


class ResponsesResponse(Shape, frozen=True, kw_only=True):
    """A model's answer, as a list of items. Instants are in seconds since the epoch.

    `output` stays plain JSON, because items must be sent back as they came; `text`, `function_calls` and
    `reasoning_text` read it. `incomplete_details` says why an answer is only a part ("max_output_tokens",
    "content_filter").
    """

    id: str
    output: list[dict[str, Any]] = field(default_factory=list)
    object: str | None = None
    model: str | None = None
    status: str | None = None
    error_type: str | None = None
    service_tier: str | None = None
    truncation: str | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    user: str | None = None
    created_at: float | None = None
    completed_at: float | None = None
    error: Any | None = None
    incomplete_details: dict[str, Any] | None = None
    reasoning_config: dict[str, Any] | None = field(default=None, name="reasoning")
    text_config: dict[str, Any] | None = field(default=None, name="text")
    prompt: dict[str, Any] | None = None
    prompt_cache_options: dict[str, Any] | None = None
    instructions: Any | None = None
    tool_choice: Any | None = None
    tools: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    usage: ResponsesUsage | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    top_logprobs: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    background: bool | None = None
    store: bool | None = None
    parallel_tool_calls: bool | None = None
    openrouter_metadata: RouterMetadata | None = None
    safeguard_results: Any | None = None
    alignment: Any | None = None

    @property
    def text(self) -> str:
        """The text of all messages; '' where there is none."""
        parts = [
            part for item in self.output if item.get("type") == MESSAGE for part in objects_in(item.get("content"))
        ]
        return "".join(text_in(part.get("text")) for part in parts if part.get("type") == OUTPUT_TEXT)

    @property
    def reasoning_text(self) -> str:
        """What the model thought, or a summary of it; '' where that is not told."""
        items = [item for item in self.output if item.get("type") == REASONING]
        parts = [part for item in items for part in objects_in(item.get("content")) or objects_in(item.get("summary"))]
        return "".join(text_in(part.get("text")) for part in parts)

    @property
    def function_calls(self) -> list[FunctionCallItem]:
        """The functions that the model wants to have called."""
        return [
            FunctionCallItem(
                call_id=text_in(item.get("call_id")),
                name=text_in(item.get("name")),
                arguments=text_in(item.get("arguments")),
                id=text_in(item.get("id")) or None,
            )
            for item in self.output
            if item.get("type") == FUNCTION_CALL
        ]
