"""Batches: many requests, answered within a day for half the price.

Source: OpenRouter docs, batch-quickstart; the OpenAPI schemas BatchSubmitBody and BatchObject.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from openrouter_core.wire.params import AtLeastOne, Parameters, Slug
from openrouter_core.wire.routing import ProviderLike
from openrouter_core.wire.shape import Shape, open_union
from openrouter_core.wire.usage import ProviderUsage

VALIDATING: Final = "validating"
IN_PROGRESS: Final = "in_progress"
FINALIZING: Final = "finalizing"
COMPLETED: Final = "completed"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"


class BatchItem(Shape, frozen=True, kw_only=True):
    """One request: a `custom_id` to know its answer by, and the body as the endpoint takes it."""

    custom_id: Slug
    body: Mapping[str, Any]


if TYPE_CHECKING:
    BatchItemLike: TypeAlias = BatchItem | Mapping[str, Any]
else:
    BatchItemLike = open_union(other=BatchItem)


class BatchRequest(Parameters, frozen=True, kw_only=True):
    """The requests, all for one endpoint (such as "/v1/chat/completions") and one model.

    OpenRouter reads the body as a stream, so the requests stand last. `completion_window` is "24h".
    """

    endpoint: Slug
    model: Slug
    completion_window: str | None = None
    callback_url: str | None = None
    provider: ProviderLike | None = None
    requests: Sequence[BatchItemLike]


class BatchCounts(Shape, frozen=True, kw_only=True):
    """How many requests there are, and how many of them have ended, and how."""

    total: int | None = None
    completed: int | None = None
    failed: int | None = None


class BatchAnswer(Shape, frozen=True, kw_only=True):
    """What the endpoint answered: its status and body."""

    status_code: int | None = None
    request_id: str | None = None
    body: dict[str, Any] | None = None


class BatchResult(Shape, frozen=True, kw_only=True):
    """What became of one request: an answer, or an error."""

    custom_id: str | None = None
    id: str | None = None
    response: BatchAnswer | None = None
    error: Any | None = None


class Batch(Shape, frozen=True, kw_only=True):
    """A batch, as it stands. Instants are in seconds since the epoch; `error` says why it failed."""

    id: str
    status: str
    object: str | None = None
    endpoint: str | None = None
    model: str | None = None
    provider: str | None = None
    completion_window: str | None = None
    created_at: int | None = None
    finalized_at: int | None = None
    expires_at: int | None = None
    request_counts: BatchCounts | None = None
    usage: ProviderUsage | None = None
    results: list[BatchResult] | None = None
    error: Any | None = None

    @property
    def ended(self) -> bool:
        """Whether the batch will not change any more."""
        return self.status in (COMPLETED, FAILED, EXPIRED, CANCELLED)


class DeletionAt(Shape, frozen=True, kw_only=True):
    """What became of the copies at a provider."""

    provider: str | None = None
    status: str | None = None


class DeletionTargets(Shape, frozen=True, kw_only=True):
    """What became of the copies at OpenRouter, and upstream."""

    openrouter: str | None = None
    upstream: DeletionAt | None = None


class DeletedBatch(Shape, frozen=True, kw_only=True):
    """The batch that was deleted."""

    id: str
    object: str | None = None
    deletion: DeletionTargets | None = None


class ListBatches(Parameters, frozen=True, kw_only=True):
    """Which batches to list: at most `limit` (1 to 100) after the batch `after`, newest first.

    `status` may be several. `created_after` and `created_before` are days or instants in ISO 8601.
    """

    limit: AtLeastOne | None = None
    after: str | None = None
    status: Sequence[str] | None = None
    created_after: str | None = None
    created_before: str | None = None
