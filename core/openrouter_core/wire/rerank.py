"""Documents in the order of their relevance.

Source: OpenRouter docs, api-reference/rerank; recorded answers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from openrouter_core.wire.params import AtLeastOne, Inference, Slug
from openrouter_core.wire.shape import Shape, open_union


class RerankDocument(Shape, frozen=True, kw_only=True):
    """A document: text, or an image as a URL or data URL."""

    text: str | None = None
    image: str | None = None


if TYPE_CHECKING:
    RerankDocumentLike: TypeAlias = str | RerankDocument | Mapping[str, Any]
else:
    RerankDocumentLike = open_union(other=RerankDocument, plain=(str,))


class RerankRequest(Inference, frozen=True, kw_only=True):
    """What to look for, and in what; `top_n` is how many to give back."""

    model: Slug
    query: Slug
    documents: Sequence[RerankDocumentLike]
    top_n: AtLeastOne | None = None


class RerankResult(Shape, frozen=True, kw_only=True):
    """A document, its place in the request, and how well it fits: the higher, the better."""

    index: int
    relevance_score: float
    document: RerankDocument | None = None


class RerankUsage(Shape, frozen=True, kw_only=True):
    """What it used; `cost` is in USD."""

    total_tokens: int | None = None
    search_units: int | None = None
    cost: float | None = None


class RerankResponse(Shape, frozen=True, kw_only=True):
    """The documents that fit best, the best first."""

    results: list[RerankResult]
    id: str | None = None
    model: str | None = None
    provider: str | None = None
    usage: RerankUsage | None = None
