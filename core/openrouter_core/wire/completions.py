"""Legacy completions: a text goes on.

Source: OpenRouter docs, api_reference/streaming, which names the endpoint; the shape is OpenAI's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openrouter_core.wire.params import AtLeastOne, AtLeastZero, Inference, Slug, ZeroToOne
from openrouter_core.wire.plugins import PluginLike
from openrouter_core.wire.request import MinusTwoToTwo, StopSequences, ZeroToTwo
from openrouter_core.wire.response import RouterMetadata, Usage
from openrouter_core.wire.settings import ReasoningLike
from openrouter_core.wire.shape import Shape


class CompletionRequest(Inference, frozen=True, kw_only=True):
    """A text to go on with."""

    prompt: str | Sequence[str]
    model: Slug | None = None
    models: Sequence[Slug] | None = None
    max_tokens: AtLeastOne | None = None
    temperature: ZeroToTwo | None = None
    top_p: ZeroToOne | None = None
    top_k: AtLeastZero | None = None
    frequency_penalty: MinusTwoToTwo | None = None
    presence_penalty: MinusTwoToTwo | None = None
    repetition_penalty: ZeroToTwo | None = None
    min_p: ZeroToOne | None = None
    top_a: ZeroToOne | None = None
    seed: int | None = None
    stop: str | StopSequences | None = None
    logit_bias: Mapping[str, Any] | None = None
    logprobs: int | None = None
    suffix: str | None = None
    echo: bool | None = None
    plugins: Sequence[PluginLike] | None = None
    reasoning: ReasoningLike | None = None


class CompletionChoice(Shape, frozen=True, kw_only=True):
    """One way to go on."""

    text: str | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    reasoning: str | None = None
    index: int | None = None
    logprobs: Any | None = None
    error: Any | None = None


class CompletionChunk(Shape, frozen=True, kw_only=True):
    """A piece of a streamed completion: the next text of its choices, or an `error`."""

    choices: list[CompletionChoice] | None = None
    id: str | None = None
    object: str | None = None
    model: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    created: int | None = None
    usage: Usage | None = None
    openrouter_metadata: RouterMetadata | None = None
    error: Any | None = None

    @property
    def text(self) -> str:
        """The first choice's next text; '' where there is none."""
        return (self.choices[0].text or "") if self.choices else ""


class CompletionResponse(Shape, frozen=True, kw_only=True):
    """The ways to go on. `created` is in seconds since the epoch."""

    choices: list[CompletionChoice]
    id: str | None = None
    object: str | None = None
    model: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    created: int | None = None
    usage: Usage | None = None
    openrouter_metadata: RouterMetadata | None = None

    @property
    def text(self) -> str:
        """The first choice's text; '' where there is none."""
        return (self.choices[0].text or "") if self.choices else ""
