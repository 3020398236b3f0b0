"""The tools that a request offers, how the model may choose among them, and when server tools stop. Shapes only.

Source: OpenRouter docs, guides/features/tool-calling and server-tools; the OpenAPI schema ChatFunctionTool.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from msgspec import Meta

from openrouter_core.wire.parts import CacheControlLike
from openrouter_core.wire.shape import Shape, open_union

FunctionName = Annotated[str, Meta(min_length=1, max_length=64)]
NotEmpty = Annotated[str, Meta(min_length=1)]

WEB_SEARCH: Final = "openrouter:web_search"
WEB_FETCH: Final = "openrouter:web_fetch"
DATETIME: Final = "openrouter:datetime"
IMAGE_GENERATION: Final = "openrouter:image_generation"
BASH: Final = "openrouter:bash"
FILES: Final = "openrouter:files"
FUSION: Final = "openrouter:fusion"
ADVISOR: Final = "openrouter:advisor"
SUBAGENT: Final = "openrouter:subagent"
SEARCH_MODELS: Final = "openrouter:experimental__search_models"


class FunctionDefinition(Shape, frozen=True, kw_only=True):
    """A function that the model may call. `parameters` is a JSON schema; the order of its keys is kept."""

    name: FunctionName
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None


if TYPE_CHECKING:
    FunctionDefinitionLike: TypeAlias = FunctionDefinition | Mapping[str, Any]
else:
    FunctionDefinitionLike = open_union(other=FunctionDefinition)


class FunctionTool(Shape, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A tool that the caller runs."""

    function: FunctionDefinitionLike
    cache_control: CacheControlLike | None = None
    defer_loading: bool | None = None

    @classmethod
    def of(
        cls,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        description: str | None = None,
        strict: bool | None = None,
    ) -> "FunctionTool":
        """Make the tool from the function's name and the JSON schema of its parameters."""
        return cls(
            function=FunctionDefinition(name=name, description=description, parameters=parameters, strict=strict)
        )


class ServerTool(Shape, frozen=True, kw_only=True):
    """A tool that OpenRouter runs. `type` is one of the names above, or any other that it registers (`GET /tools`)."""

    type: NotEmpty
    parameters: Mapping[str, Any] | None = None


class ChosenFunction(Shape, frozen=True, kw_only=True):
    """The name of the one function that must be called."""

    name: FunctionName


class ToolChoice(Shape, frozen=True, kw_only=True):
    """Makes the model call one given tool: a function by name, or a server tool by its type."""

    type: NotEmpty
    function: ChosenFunction | None = None

    @classmethod
    def of(cls, name: str) -> "ToolChoice":
        """Choose a function by its name."""
        return cls(type="function", function=ChosenFunction(name=name))

    @classmethod
    def server_tool(cls, tool_type: str) -> "ToolChoice":
        """Choose a server tool by its type, such as "openrouter:web_search"."""
        return cls(type=tool_type)


class StepCountIs(Shape, frozen=True, kw_only=True, tag_field="type", tag="step_count_is"):
    """Stops after so many steps."""

    step_count: int


class HasToolCall(Shape, frozen=True, kw_only=True, tag_field="type", tag="has_tool_call"):
    """Stops after a tool of this name has been called."""

    tool_name: NotEmpty


class MaxCost(Shape, frozen=True, kw_only=True, tag_field="type", tag="max_cost"):
    """Stops when the loop has cost more than this, in USD."""

    max_cost_in_dollars: float


class MaxTokensUsed(Shape, frozen=True, kw_only=True, tag_field="type", tag="max_tokens_used"):
    """Stops when the loop has used more tokens than this."""

    max_tokens: int


class FinishReasonIs(Shape, frozen=True, kw_only=True, tag_field="type", tag="finish_reason_is"):
    """Stops when the upstream model gives this finish reason."""

    reason: str


if TYPE_CHECKING:
    ToolLike: TypeAlias = FunctionTool | ServerTool | Mapping[str, Any]
    ToolChoiceLike: TypeAlias = str | ToolChoice | Mapping[str, Any]
    StopConditionLike: TypeAlias = (
        StepCountIs | HasToolCall | MaxCost | MaxTokensUsed | FinishReasonIs | Mapping[str, Any]
    )
else:
    ToolLike = open_union(FunctionTool, tag="type", other=ServerTool)
    ToolChoiceLike = open_union(other=ToolChoice, plain=(str,))
    StopConditionLike = open_union(StepCountIs, HasToolCall, MaxCost, MaxTokensUsed, FinishReasonIs, tag="type")
