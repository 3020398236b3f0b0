"""Rows sent as OpenRouter's own batches: what fits into one, how one is known again, and what its results mean.

A batch has one model and one endpoint, takes at most `MOST` requests and `LARGEST` bytes, and costs about half. There
is no idempotency key: a batch whose submission failed in doubt is looked for in the list, told by when it was made and
how many requests it has, and proven to be ours by the `custom_id`s of its results, which begin with its mark.

Source: OpenRouter docs, batch-quickstart and guides/features/batch-api; the OpenAPI schemas BatchSubmitBody and
BatchObject.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.build import BuildSettings, build_chat
from openrouter_core.bulk.estimate import VARIANT
from openrouter_core.bulk.lines import Answer, Outcome
from openrouter_core.classify import classify
from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints.inference import GET_BATCH
from openrouter_core.envelope import mapping, text
from openrouter_core.errors import (
    RAW_LIMIT,
    AuthError,
    BudgetExceeded,
    DataSourceError,
    DeadlineExceeded,
    Forbidden,
    HttpError,
    InvalidRequest,
    NotFound,
    ProviderError,
)
from openrouter_core.outcome import Responded
from openrouter_core.policy import may_have_acted
from openrouter_core.polling import Polling, told
from openrouter_core.refuse import refuse
from openrouter_core.retry_after import number
from openrouter_core.verdict import Accepted, Rules
from openrouter_core.wire.batches import CANCELLED, COMPLETED, EXPIRED, FAILED, Batch, BatchResult
from openrouter_core.wire.params import Id
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.shape import Shape

ENDPOINT = "/v1/chat/completions"
MOST = 5_000
"""How many requests a batch may have."""
LARGEST = 200_000_000
"""How many bytes the body of a submission may have."""
OVERHEAD = 200
"""How many bytes of a submission are not the requests'."""

SKEW_SECS = 600.0
"""How far the clock here may be ahead of OpenRouter's."""

FRESH_SECS = 60.0
"""For so long after its submission a batch may be unknown to whoever asks about it."""

LOOKS = 3
"""How often the list of batches is looked through before one is taken not to be there."""

ALONE: Mapping[str, str] = {
    "models": "must be left out: a batch has one model",
    "preset": "must be left out: a batch has one model",
    "plugins": "must be left out: batches have no plugins",
    "web_search_options": "must be left out: batches do not search the web",
    "audio": "must be left out: batches answer in text",
    "image_config": "must be left out: batches answer in text",
}
"""Fields that requests of a batch cannot have."""


TOLD = (InvalidRequest, AuthError, Forbidden, NotFound, BudgetExceeded)
"""Failures that tell that nothing was accepted."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A row in a batch: its number, its own name, the hash of its request, and the body that is submitted.

    `known`: the ledger has it; `worst` is the most that it can cost in USD, None where nobody knows.
    """

    row: int
    custom_id: str | None
    hashed: bytes
    known: bool
    body: bytes
    worst: float | None = None


class Fetched(Shape, frozen=True, kw_only=True):
    """A batch as it is asked about. Its parts are read one by one: one that is odd must not hide all others."""

    id: str
    status: str
    request_counts: Any = None
    usage: Any = None
    results: list[Any] | None = None
    error: Any = None

    @property
    def ended(self) -> bool:
        """Whether the batch will not change any more."""
        return self.status in (COMPLETED, FAILED, EXPIRED, CANCELLED)

    @property
    def unready(self) -> bool:
        """Whether it has ended, and some of it well, but its results are not there yet."""
        return self.results is None and self.ran("completed") > 0

    @property
    def cost(self) -> float | None:
        """What all of it cost in USD, if that is told."""
        return number(mapping(self.usage).get("cost"))

    def ran(self, how: str) -> int:
        """Tell how many requests are "completed" or "failed", as far as it tells."""
        return round(number(mapping(self.request_counts).get(how)) or 0)


FETCH_BATCH: Endpoint[Id, Fetched] = Endpoint("GET", GET_BATCH.path, Id, Fetched, reports=True)
"""Ask how a batch stands."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as the ledger has it. `at` is when it was about to be submitted, in seconds since the epoch.

    `id` is OpenRouter's, as soon as it is known; `proven` says that the batch with this id is ours, and `strangers` are
    ids that are not. `worst` is the most that it can cost in USD.
    """

    number: int
    mark: str
    model: str
    rows: int
    at: float
    id: str | None = None
    proven: bool = False
    status: str = "intended"
    completed: int = 0
    failed: int = 0
    worst: float = 0.0
    strangers: tuple[str, ...] = ()


def variant(model: str) -> Result[str, InvalidRequest]:
    """Give the slug under which a model runs in batches."""
    base, colon, suffix = model.partition(":")
    if colon and f":{suffix}" != VARIANT:
        return Failure(refuse("model", f"must have no other variant than {VARIANT} in a batch", model))
    return Success(base + VARIANT) if base else Failure(refuse("model", "must be named: a batch has one model"))


def body_of(built: bytes) -> Result[bytes, InvalidRequest]:
    """Make the body of a request in a batch from that of a call: without its model, which the batch has."""
    body: dict[str, Any] = msgspec.json.decode(built)
    for field, bound in ALONE.items():
        if body.get(field) is not None:
            return Failure(refuse(field, f"{bound}; or run it without --via batches", body[field]))
    if (body.get("provider") or {}).get("zdr"):
        return Failure(refuse("provider.zdr", "must be left out: batches keep the data for 30 days", value=True))
    body.pop("model", None)
    body.pop("stream", None)
    return Success(msgspec.json.encode(body))


def packable(request: ChatCompletionRequest, settings: BuildSettings) -> Result[tuple[str, bytes], InvalidRequest]:
    """Make of a request what goes into a batch: the slug of the batch's model, and the request's body."""
    if request.options is not None:
        return Failure(refuse("options", "must be left out: requests of a batch have no headers of their own"))
    built = build_chat(request, settings)
    if isinstance(built, Failure):
        return built
    model, body = variant(built.unwrap().model), body_of(built.unwrap().body)
    if isinstance(model, Failure):
        return model
    return body.map(lambda one: (model.unwrap(), one))


def taking(body: bytes) -> int:
    """Tell how many bytes of a submission a request with this body takes at most, with its `custom_id` around it."""
    return len(body) + 80


def full(count: int, size: int, more: int) -> bool:
    """Tell whether a batch of so many rows and bytes has no room for another row of so many bytes."""
    return count + 1 > MOST or size + more > LARGEST - OVERHEAD


def submission(model: str, mark: str, items: Sequence[Item]) -> bytes:
    """Write what is submitted. OpenRouter reads it as a stream, so the requests stand last."""
    head = msgspec.json.encode({"endpoint": ENDPOINT, "model": model, "completion_window": "24h"})[:-1]
    rows = (b'{"custom_id":"%b-%d","body":%b}' % (mark.encode(), item.row, item.body) for item in items)
    return head + b',"requests":[' + b",".join(rows) + b"]}"


def in_doubt(error: DataSourceError) -> bool:
    """Tell whether a submission that failed may have been accepted all the same."""
    if isinstance(error, DeadlineExceeded):
        return error.cause is not None and in_doubt(error.cause)
    refused = type(error) is HttpError and error.status is not None and error.status < 500
    return not refused and not isinstance(error, TOLD) and may_have_acted(error)


# --- known again ------------------------------------------------------------------------------------------------------


def candidates(intent: Intent, listed: Sequence[Batch], known: Collection[str]) -> list[str]:
    """Give the ids of the batches that may be the one intended, the likeliest first; `known` are others of ours."""
    found = [
        one
        for one in listed
        if one.id not in {*known, *intent.strangers}
        and one.endpoint in (None, ENDPOINT)
        and (one.created_at is None or one.created_at >= intent.at - SKEW_SECS)
        and (one.request_counts is None or one.request_counts.total in (None, 0, intent.rows))
    ]
    far = {one.id: math.inf if one.created_at is None else abs(one.created_at - intent.at) for one in found}
    found.sort(key=lambda one: (one.model != intent.model, far[one.id]))
    return [one.id for one in found]


def ours(intent: Intent, batch: Fetched) -> bool | None:
    """Tell whether a batch that has ended is the one intended: by its results. None is: nobody can tell.

    One in which nothing was run cost nothing: whose it is does not matter.
    """
    if batch.results:
        return any(id_of(one).startswith(intent.mark + "-") for one in batch.results)
    return None if batch.ran("completed") else False


def not_yet(intent: Intent, now: float) -> bool:
    """Tell whether a batch that nobody knows may have been submitted too recently; `now` in seconds of the epoch."""
    return now - intent.at < FRESH_SECS


# --- what its results mean --------------------------------------------------------------------------------------------


def results_of(intent: Intent, batch: Fetched) -> dict[int, BatchResult]:
    """Give the results by their rows, the first of each; those of strangers are left out."""
    found: dict[int, BatchResult] = {}
    for one in batch.results or ():
        mark, _, row = id_of(one).rpartition("-")
        if mark == intent.mark and row.isascii() and row.isdigit():
            found.setdefault(int(row), read(one))
    return found


def id_of(result: Any) -> str:
    """Give the `custom_id` of a result; nothing where it has none."""
    return text(mapping(result).get("custom_id")) or ""


def read(result: Any) -> BatchResult:
    """Read a result; one that is not what it should be is an error that has it whole."""
    try:
        return msgspec.convert(result, BatchResult)
    except msgspec.ValidationError as error:
        return BatchResult(error={"message": f"the result cannot be read: {error}", "result": result})


def answer_of(result: BatchResult | None, batch: Fetched) -> Answer:
    """Judge the result of a row as a call's answer is judged; None is: the batch ended without one."""
    if result is not None and result.response is not None:
        response = result.response
        body = b"" if response.body is None else msgspec.json.encode(response.body)
        verdict = classify(CHAT_COMPLETIONS, Responded(response.status_code or 200, body), Rules())
        return Success(verdict.value) if isinstance(verdict, Accepted) else Failure(verdict.error)
    if result is not None and result.error is not None:
        code: Any = mapping(result.error).get("code")
        code = code if isinstance(code, (int, str)) else None
        raw = msgspec.json.encode(result.error).decode()[:RAW_LIMIT]
        return Failure(ProviderError(message=told(result.error), code=code, raw=raw))
    why = f": {told(batch.error)}" if batch.error else ""
    return Failure(ProviderError(message=f"batch {batch.id} {batch.status} without a result for this row{why}"))


def costs_shared(outcomes: Sequence[Outcome], total: float | None) -> list[Outcome]:
    """Give answers whose cost nobody told an equal share of what is left of the batch's."""
    silent = sum(one.event == "answer" and one.cost is None for one in outcomes)
    if total is None or not silent:
        return list(outcomes)
    share = max(0.0, total - sum(one.cost or 0.0 for one in outcomes)) / silent
    return [
        msgspec.structs.replace(one, cost=share) if one.event == "answer" and one.cost is None else one
        for one in outcomes
    ]


def polling(longest: float, wait: float | None) -> Polling:
    """Tell when to ask about batches: ever more seldom, up to `longest` seconds apart, for `wait` seconds in all."""
    return Polling(min(10.0, longest), 1.5, longest, math.inf if wait is None else wait)
