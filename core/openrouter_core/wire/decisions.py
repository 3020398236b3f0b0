"""Decisions about a state of affairs: answers to typed questions. Alpha at OpenRouter.

Source: the OpenAPI schemas DecisionsRequest and DecisionsResponse.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from openrouter_core.wire.params import Inference, Slug
from openrouter_core.wire.shape import Shape, open_union


class DecisionQuestion(Shape, frozen=True, kw_only=True):
    """A question. `type` is "choice", "score", "noul" or "box"; `criteria` say what each answer means."""

    type: Slug
    instructions: Any
    criteria: Any | None = None


if TYPE_CHECKING:
    DecisionQuestionLike: TypeAlias = DecisionQuestion | Mapping[str, Any]
else:
    DecisionQuestionLike = open_union(other=DecisionQuestion)


class DecisionsRequest(Inference, frozen=True, kw_only=True):
    """Questions, by names of one's own, about a `state`: text, or any JSON object or array."""

    model: Slug
    state: Any
    questions: Mapping[str, DecisionQuestionLike]


class Box(Shape, frozen=True, kw_only=True):
    """A part of an image, as fractions of its width and height."""

    left: float | None = None
    top: float | None = None
    right: float | None = None
    bottom: float | None = None


class DecisionAnswer(Shape, frozen=True, kw_only=True):
    """An answer; the field that its `type` names is set. `confidence` and `probabilities` are fractions of 1."""

    type: str | None = None
    choice: str | None = None
    noul: float | None = None
    score: float | None = None
    confidence: float | None = None
    box: Box | None = None
    probabilities: dict[str, float] | None = None
    legend: dict[str, Any] | None = None


class DecisionsUsage(Shape, frozen=True, kw_only=True):
    """What it used, in tokens; `cost` is in USD."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


class DecisionsResponse(Shape, frozen=True, kw_only=True):
    """The answers, by the names of the questions."""

    answers: dict[str, DecisionAnswer]
    id: str | None = None
    model: str | None = None
    provider: str | None = None
    usage: DecisionsUsage | None = None
