"""The messages of a conversation: one struct for all roles. Shapes only.

Source: OpenRouter docs, api_reference/overview; the OpenAPI schemas Chat*Message.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from openrouter_core.wire.parts import PartLike
from openrouter_core.wire.settings import ReasoningLike
from openrouter_core.wire.shape import Shape, open_union

SYSTEM: Final = "system"
DEVELOPER: Final = "developer"
USER: Final = "user"
ASSISTANT: Final = "assistant"
TOOL: Final = "tool"


def _function() -> str | None:
    return "function"


class FunctionCall(Shape, frozen=True, kw_only=True):
    """Which function a model wants called. `arguments` is JSON text as the model wrote it, so it may be malformed."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(Shape, frozen=True, kw_only=True):
    """A model's wish to call a tool. `index` comes over the wire, though no schema has it."""

    id: str | None = None
    # A factory, unlike a plain default, is encoded even when unchanged: the API requires `type`.
    type: str | None = msgspec.field(default_factory=_function)
    function: FunctionCall | None = None
    index: int | None = None

    @classmethod
    def of(cls, call_id: str, name: str, arguments: str) -> "ToolCall":
        """Make a call of a function; `arguments` is JSON text."""
        return cls(id=call_id, function=FunctionCall(name=name, arguments=arguments))


class ConfigurationUpdate(Shape, frozen=True, kw_only=True):
    """Changes reasoning effort from this message onward without invalidating the prompt cache before it."""

    reasoning: ReasoningLike


if TYPE_CHECKING:
    ToolCallLike: TypeAlias = ToolCall | Mapping[str, Any]
    ConfigurationUpdateLike: TypeAlias = ConfigurationUpdate | Mapping[str, Any]
else:
    ToolCallLike = open_union(other=ToolCall)
    ConfigurationUpdateLike = open_union(other=ConfigurationUpdate)


class ChatMessage(Shape, frozen=True, kw_only=True):
    """One message of a conversation, whoever speaks.

    `role` is "system", "developer", "user", "assistant" or "tool". `content` is text or a sequence of parts; only an
    assistant message may do without. `tool_call_id` belongs to tool messages; what follows it, to assistant messages:
    `reasoning_details` must be sent back unmodified and in order, and a `file` annotation sent back saves parsing a
    document again. `configuration_update` belongs to system and developer messages.
    """

    role: str
    content: str | Sequence[PartLike] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: Sequence[ToolCallLike] | None = None
    reasoning: str | None = None
    reasoning_details: Sequence[Mapping[str, Any]] | None = None
    refusal: str | None = None
    images: Sequence[Mapping[str, Any]] | None = None
    audio: Mapping[str, Any] | None = None
    annotations: Sequence[Mapping[str, Any]] | None = None
    model: str | None = None
    configuration_update: ConfigurationUpdateLike | None = None

    @classmethod
    def system(cls, content: str | Sequence[PartLike], *, name: str | None = None) -> "ChatMessage":
        """Say how the model should behave."""
        return cls(role=SYSTEM, content=content, name=name)

    @classmethod
    def developer(cls, content: str | Sequence[PartLike], *, name: str | None = None) -> "ChatMessage":
        """Say how the model should behave, to models that know this role in place of "system"."""
        return cls(role=DEVELOPER, content=content, name=name)

    @classmethod
    def user(cls, content: str | Sequence[PartLike], *, name: str | None = None) -> "ChatMessage":
        """Speak as the user."""
        return cls(role=USER, content=content, name=name)

    @classmethod
    def assistant(
        cls, content: str | Sequence[PartLike] | None = None, *, tool_calls: Sequence[ToolCallLike] | None = None
    ) -> "ChatMessage":
        """Repeat what the model said. A message from OpenRouter is better repeated by `ResponseMessage.to_message`."""
        return cls(role=ASSISTANT, content=content, tool_calls=tool_calls)

    @classmethod
    def tool(cls, content: str | Sequence[PartLike], *, tool_call_id: str) -> "ChatMessage":
        """Answer a tool call with what the tool gave."""
        return cls(role=TOOL, content=content, tool_call_id=tool_call_id)
