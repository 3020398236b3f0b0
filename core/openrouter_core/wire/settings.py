"""The smaller groups of settings of a request: reasoning, prediction, caching, tracing, streaming. Shapes only.

Source: OpenRouter docs, api_reference/parameters and guides/best-practices/reasoning-tokens; the OpenAPI schema
ChatRequest. "Docs only" marks what the docs describe and the schema lacks.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from msgspec import Meta

from openrouter_core.wire.parts import TextPart
from openrouter_core.wire.shape import Shape, open_union

Count = Annotated[int, Meta(ge=0)]


class Reasoning(Shape, frozen=True, kw_only=True):
    """How much a model should think. `effort` and `max_tokens` are alternatives.

    `effort` is "max", "xhigh", "high", "medium", "low", "minimal" or "none"; `summary` is "auto", "concise" or
    "detailed". Docs only: `max_tokens`, `exclude` (think, but do not send the thoughts), `enabled`, `context`, `mode`.
    """

    effort: str | None = None
    summary: str | None = None
    max_tokens: Count | None = None
    exclude: bool | None = None
    enabled: bool | None = None
    context: Any = None
    mode: Any = None


class AudioOutput(Shape, frozen=True, kw_only=True):
    """The voice and the format of generated audio. Docs only."""

    voice: str | None = None
    format: str | None = None


if TYPE_CHECKING:
    PredictedTextLike: TypeAlias = TextPart | Mapping[str, Any]
else:
    PredictedTextLike = open_union(TextPart, tag="type")


class Prediction(Shape, frozen=True, kw_only=True, tag_field="type", tag="content"):
    """Output that is known in advance, which makes some models faster."""

    content: str | Sequence[PredictedTextLike]


class CacheOptions(Shape, frozen=True, kw_only=True, tag_field="mode", tag="explicit"):
    """Caches only what explicit breakpoints mark (GPT-5.6 and newer). `ttl` is "30m" or "12h"."""

    ttl: str | None = None


class StreamOptions(Shape, frozen=True, kw_only=True):
    """Deprecated and without effect: usage is always sent."""

    include_usage: bool | None = None


class UsageOptions(Shape, frozen=True, kw_only=True):
    """Deprecated and without effect: usage is always sent. Docs only."""

    include: bool | None = None


class DebugOptions(Shape, frozen=True, kw_only=True):
    """Asks for the transformed upstream request as the first chunk of a stream. Streaming only."""

    echo_upstream_body: bool | None = None


class Trace(Shape, frozen=True, kw_only=True):
    """What observability tools should know about the request. Give a mapping to pass on other keys too."""

    trace_id: str | None = None
    trace_name: str | None = None
    span_name: str | None = None
    generation_name: str | None = None
    parent_span_id: str | None = None


class DeferredTools(Shape, frozen=True, kw_only=True, tag_field="protocol", tag="v1"):
    """Lets OpenRouter load tools on demand. `search` is `{"type": "bm25"}`, "regex" or "custom", with its settings.

    `profile` is "portable" and `validation` "runtime": the only values so far, and both are required.
    """

    profile: str
    validation: str
    search: Mapping[str, Any]

    @classmethod
    def of(cls, search: Mapping[str, Any]) -> "DeferredTools":
        """Make the settings with the only values that there are for the other two."""
        return cls(profile="portable", validation="runtime", search=search)


if TYPE_CHECKING:
    ReasoningLike: TypeAlias = Reasoning | Mapping[str, Any]
    AudioOutputLike: TypeAlias = AudioOutput | Mapping[str, Any]
    PredictionLike: TypeAlias = Prediction | Mapping[str, Any]
    CacheOptionsLike: TypeAlias = CacheOptions | Mapping[str, Any]
    StreamOptionsLike: TypeAlias = StreamOptions | Mapping[str, Any]
    UsageOptionsLike: TypeAlias = UsageOptions | Mapping[str, Any]
    DebugOptionsLike: TypeAlias = DebugOptions | Mapping[str, Any]
    TraceLike: TypeAlias = Trace | Mapping[str, Any]
    DeferredToolsLike: TypeAlias = DeferredTools | Mapping[str, Any]
else:
    ReasoningLike = open_union(other=Reasoning)
    AudioOutputLike = open_union(other=AudioOutput)
    PredictionLike = open_union(Prediction, tag="type")
    CacheOptionsLike = open_union(CacheOptions, tag="mode")
    StreamOptionsLike = open_union(other=StreamOptions)
    UsageOptionsLike = open_union(other=UsageOptions)
    DebugOptionsLike = open_union(other=DebugOptions)
    TraceLike = open_union(other=Trace)
    DeferredToolsLike = open_union(DeferredTools, tag="protocol")
