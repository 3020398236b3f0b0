"""Anthropic's messages API, served for every model: request and answer.

Source: OpenRouter docs, api_reference/anthropic-messages; the OpenAPI schemas MessagesRequest and MessagesResult.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from openrouter_core.wire.loose import object_in, text_in
from openrouter_core.wire.params import AtLeastOne, AtLeastZero, Inference, Slug, ZeroToOne
from openrouter_core.wire.parts import CacheControlLike
from openrouter_core.wire.plugins import PluginLike
from openrouter_core.wire.response import CostDetails, RouterMetadata
from openrouter_core.wire.settings import DeferredToolsLike
from openrouter_core.wire.shape import Shape, open_union
from openrouter_core.wire.tools import StopConditionLike

END_TURN: Final = "end_turn"
MAX_TOKENS: Final = "max_tokens"
STOP_SEQUENCE: Final = "stop_sequence"
TOOL_USE: Final = "tool_use"
REFUSAL: Final = "refusal"


class InputTurn(Shape, frozen=True, kw_only=True):
    """A turn of the conversation: text, or blocks such as `{"type": "text", "text": ...}`."""

    role: Slug
    content: str | Sequence[Mapping[str, Any]]


if TYPE_CHECKING:
    InputTurnLike: TypeAlias = InputTurn | Mapping[str, Any]
else:
    InputTurnLike = open_union(other=InputTurn)


class MessagesRequest(Inference, frozen=True, kw_only=True):
    """What is asked of a model. Blocks of earlier answers go back into `messages` as they came."""

    model: Slug
    messages: Sequence[InputTurnLike]
    max_tokens: AtLeastOne | None = None
    system: str | Sequence[Mapping[str, Any]] | None = None
    models: Sequence[str] | None = None
    stop_sequences: Sequence[str] | None = None
    temperature: ZeroToOne | None = None
    top_p: ZeroToOne | None = None
    top_k: AtLeastZero | None = None
    thinking: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: Mapping[str, Any] | None = None
    output_config: Mapping[str, Any] | None = None
    context_management: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    fallbacks: Sequence[Mapping[str, Any]] | None = None
    safeguards: Sequence[Mapping[str, Any]] | None = None
    plugins: Sequence[PluginLike] | None = None
    stop_server_tools_when: Sequence[StopConditionLike] | None = None
    deferred_tools: DeferredToolsLike | None = None
    cache_control: CacheControlLike | None = None
    service_tier: str | None = None
    speed: str | None = None


class ToolUse(Shape, frozen=True, kw_only=True):
    """A tool that the model wants to have used, with its input."""

    id: str
    name: str
    input: dict[str, Any]


class MessagesUsage(Shape, frozen=True, kw_only=True):
    """What it used, in tokens; `cost` is in USD."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: dict[str, Any] | None = None
    server_tool_use: dict[str, Any] | None = None
    output_tokens_details: dict[str, Any] | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: list[dict[str, Any]] | None = None
    cost: float | None = None
    cost_details: CostDetails | None = None
    is_byok: bool | None = None


class MessagesResponse(Shape, frozen=True, kw_only=True):
    """A model's answer, as a list of blocks; `stop_reason` says why it ended (see the names above).

    `content` stays plain JSON, because blocks must be sent back as they came; `text`, `thinking` and `tool_uses` read
    it.
    """

    content: list[dict[str, Any]]
    id: str | None = None
    type: str | None = None
    role: str | None = None
    model: str | None = None
    provider: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    container: dict[str, Any] | None = None
    usage: MessagesUsage | None = None
    input_transformations: list[dict[str, Any]] | None = None
    openrouter_metadata: RouterMetadata | None = None

    @property
    def text(self) -> str:
        """The text of all blocks; '' where there is none."""
        return "".join(text_in(block.get("text")) for block in self.content if block.get("type") == "text")

    @property
    def thinking(self) -> str:
        """What the model thought; '' where that is not told."""
        return "".join(text_in(block.get("thinking")) for block in self.content if block.get("type") == "thinking")

    @property
    def tool_uses(self) -> list[ToolUse]:
        """The tools that the model wants to have used."""
        return [
            ToolUse(id=text_in(block.get("id")), name=text_in(block.get("name")), input=object_in(block.get("input")))
            for block in self.content
            if block.get("type") == TOOL_USE
        ]
