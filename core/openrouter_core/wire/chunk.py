"""One event of a streamed answer. Shapes only; `fold` puts chunks together.

Everything is optional, as in `response`. Source: OpenRouter docs, api_reference/streaming; the schema ChatStreamChunk.
"""

from typing import Any

from openrouter_core.wire.response import Logprobs, RouterMetadata, Usage
from openrouter_core.wire.shape import Shape


class FunctionCallDelta(Shape, frozen=True, kw_only=True):
    """More of a function call: its name, or the next piece of its arguments."""

    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(Shape, frozen=True, kw_only=True):
    """More of a tool call. `index` tells which, but not every provider numbers them well."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCallDelta | None = None


class Delta(Shape, frozen=True, kw_only=True):
    """What this chunk adds to the message."""

    role: str | None = None
    content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    audio: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None


class StreamChoice(Shape, frozen=True, kw_only=True):
    """What this chunk adds to one choice."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    logprobs: Logprobs | None = None
    error: Any = None


class ChatCompletionChunk(Shape, frozen=True, kw_only=True):
    """One event of a stream. Any `error` means that the stream failed. The last chunk but `[DONE]` carries `usage`.

    `debug` holds `echo_upstream_body` where `DebugOptions` asked for it.
    """

    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    provider: str | None = None
    choices: list[StreamChoice] | None = None
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    openrouter_metadata: RouterMetadata | None = None
    safeguard_results: Any = None
    alignment: Any = None
    debug: Any = None
    error: Any = None
    user_id: str | None = None

    @property
    def delta(self) -> Delta | None:
        """What this chunk adds to the first choice's message, where there is one."""
        return self.choices[0].delta if self.choices else None

    @property
    def text(self) -> str:
        """The text that this chunk adds; '' where it adds none."""
        delta = self.choices[0].delta if self.choices else None
        return (delta.content if delta else None) or ""

    @property
    def reasoning(self) -> str:
        """The reasoning that this chunk adds; '' where it adds none."""
        delta = self.choices[0].delta if self.choices else None
        return (delta.reasoning if delta else None) or ""
