"""The chat completion request: every field that OpenRouter documents. Shapes only.

Constraints stand beside the fields as `Meta`; `validate.check` applies them, so that a request can be built freely and
is judged in one place. Source: OpenRouter docs, api_reference/parameters; the OpenAPI schema ChatRequest. "Docs only"
marks fields that the docs describe and the schema lacks.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from openrouter_core.wire.formats import ResponseFormatLike
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.options import RequestOptions, SessionId
from openrouter_core.wire.parts import CacheControlLike
from openrouter_core.wire.plugins import PluginLike
from openrouter_core.wire.response import ResponseMessage
from openrouter_core.wire.routing import ProviderLike
from openrouter_core.wire.settings import (
    AudioOutputLike,
    CacheOptionsLike,
    DebugOptionsLike,
    DeferredToolsLike,
    PredictionLike,
    ReasoningLike,
    StreamOptionsLike,
    TraceLike,
    UsageOptionsLike,
)
from openrouter_core.wire.shape import Shape, open_union
from openrouter_core.wire.tools import StopConditionLike, ToolChoiceLike, ToolLike

if TYPE_CHECKING:
    MessageLike: TypeAlias = ChatMessage | ResponseMessage | Mapping[str, Any]
else:
    MessageLike = open_union(other=ChatMessage)

Slug = Annotated[str, Meta(min_length=1)]
AtLeastOne = Annotated[int, Meta(ge=1)]
AtLeastZero = Annotated[int, Meta(ge=0)]
ZeroToOne = Annotated[float, Meta(ge=0, le=1)]
ZeroToTwo = Annotated[float, Meta(ge=0, le=2)]
MinusTwoToTwo = Annotated[float, Meta(ge=-2, le=2)]
TopLogprobs = Annotated[int, Meta(ge=0, le=20)]
StopSequences = Annotated[Sequence[str], Meta(max_length=4)]


class ChatCompletionRequest(Shape, frozen=True, kw_only=True):
    """What is asked of a model. A field that is None is not sent; nothing is checked until the request is sent.

    A request without a `model` takes the client's default model, unless `models` or a `preset` name one. `messages` may
    be absent where the older `prompt` is given. Settings such as `provider` or `reasoning` are taken as their struct or
    as a plain mapping, and any sequence will do for a list. `stream` is set by the client, not by callers.

    `extra` is merged into the top level of the JSON, for what OpenRouter adds tomorrow; it cannot shadow a field.
    `options` travels in headers.
    """

    model: Slug | None = None
    models: Sequence[Slug] | None = None
    messages: Sequence[MessageLike] | None = None
    prompt: str | None = None
    """Docs only: an older alternative to `messages`."""
    preset: Slug | None = None
    """Docs only: the slug of a preset; the request's own fields win over the preset's."""

    stream: bool | None = None
    stream_options: StreamOptionsLike | None = None
    usage: UsageOptionsLike | None = None

    max_completion_tokens: AtLeastOne | None = None
    max_tokens: AtLeastOne | None = None
    """Deprecated in favour of `max_completion_tokens`."""
    temperature: ZeroToTwo | None = None
    top_p: ZeroToOne | None = None
    top_k: AtLeastZero | None = None
    top_a: ZeroToOne | None = None
    min_p: ZeroToOne | None = None
    frequency_penalty: MinusTwoToTwo | None = None
    presence_penalty: MinusTwoToTwo | None = None
    repetition_penalty: ZeroToTwo | None = None
    seed: int | None = None
    stop: str | StopSequences | None = None
    logit_bias: Mapping[str, float] | None = None
    """From token ids (as text) to -100 .. 100."""
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None

    tools: Sequence[ToolLike] | None = None
    tool_choice: ToolChoiceLike | None = None
    """ "none", "auto", "required", or one given tool."""
    parallel_tool_calls: bool | None = None
    deferred_tools: DeferredToolsLike | None = None
    stop_server_tools_when: Sequence[StopConditionLike] | None = None
    max_tool_calls: AtLeastZero | None = None
    """Docs only; `stop_server_tools_when` overrides it."""

    response_format: ResponseFormatLike | None = None
    structured_outputs: bool | None = None
    """Docs only."""
    reasoning: ReasoningLike | None = None
    reasoning_effort: str | None = None
    """A shorthand of `reasoning.effort`, which it must not contradict."""
    include_reasoning: bool | None = None
    """Docs only; deprecated in favour of `reasoning.exclude`."""
    verbosity: str | None = None
    """Docs only: "low", "medium", "high", "xhigh" or "max"."""
    modalities: Sequence[str] | None = None
    """ "text", "image", "audio"; audio needs a stream."""
    audio: AudioOutputLike | None = None
    image_config: Mapping[str, Any] | None = None
    prediction: PredictionLike | None = None

    provider: ProviderLike | None = None
    plugins: Sequence[PluginLike] | None = None
    route: str | None = None
    """Docs only, and dropped from the schema: "fallback"."""
    transforms: Sequence[str] | None = None
    """Docs only; the plugin `context-compression` took its place."""
    web_search_options: Mapping[str, Any] | None = None
    service_tier: str | None = None
    """ "auto", "default", "fast", "flex", "priority", "scale" or "ultrafast"."""

    cache_control: CacheControlLike | None = None
    """Caches the last block that can be cached."""
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptionsLike | None = None
    session_id: SessionId | None = None
    user: str | None = None
    metadata: Mapping[str, str] | None = None
    """At most 16 pairs; keys of at most 64 characters, values of at most 512."""
    trace: TraceLike | None = None
    debug: DebugOptionsLike | None = None
    safe_prompt: Any = None
    """Docs only: passed on to providers that know it."""
    raw_mode: Any = None
    """Docs only: passed on to providers that know it."""

    # Not part of the body: an "@" keeps their names apart from whatever the API calls its fields.
    extra: Mapping[str, Any] | None = msgspec.field(default=None, name="@extra")
    options: RequestOptions | None = msgspec.field(default=None, name="@options")

    @property
    def conversation(self) -> Sequence[MessageLike]:
        """The messages; where there are none, the `prompt` as the user's."""
        return self.messages or ([] if self.prompt is None else [ChatMessage.user(self.prompt)])
