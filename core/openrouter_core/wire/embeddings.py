"""Vectors for texts and other things.

Source: OpenRouter docs, api-reference/embeddings; recorded answers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from openrouter_core.wire.params import AtLeastOne, Inference, Slug
from openrouter_core.wire.parts import PartLike
from openrouter_core.wire.response import Usage
from openrouter_core.wire.shape import Shape


class EmbeddingInput(Shape, frozen=True, kw_only=True):
    """Something to embed that is not only text: its parts."""

    content: Sequence[PartLike]


if TYPE_CHECKING:
    EmbeddingInputs: TypeAlias = (
        str
        | Sequence[str]
        | Sequence[int]
        | Sequence[Sequence[int]]
        | Sequence[EmbeddingInput]
        | Sequence[Mapping[str, Any]]
    )
else:
    EmbeddingInputs = str | Sequence[Any]


class EmbeddingsRequest(Inference, frozen=True, kw_only=True):
    """What to embed: a text, several, tokens, or things with parts.

    `encoding_format` is "float" or "base64", `input_type` such as "query" or "document"; `dimensions` shortens the
    vectors.
    """

    model: Slug
    input: EmbeddingInputs
    encoding_format: str | None = None
    input_type: str | None = None
    dimensions: AtLeastOne | None = None


class Embedding(Shape, frozen=True, kw_only=True):
    """One vector: numbers, or base64 of little-endian 32-bit floats where that was asked for."""

    embedding: list[float] | str
    index: int | None = None
    object: str | None = None


class EmbeddingsResponse(Shape, frozen=True, kw_only=True):
    """The vectors, in the order of the input."""

    data: list[Embedding]
    id: str | None = None
    object: str | None = None
    model: str | None = None
    provider: str | None = None
    usage: Usage | None = None
