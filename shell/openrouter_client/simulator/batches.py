"""Batches: submitted, validated, run in their time, and kept with their results. No I/O, no clock.

A batch is run when it is submitted, and shown only when its time has come. Refusals are worded after OpenRouter's docs
(batch-quickstart): endpoint and model stand before the requests, the model is a `:batch` variant, ids are unique.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from openrouter_client.simulator import catalog
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.envelopes import plain
from openrouter_client.simulator.faults import BatchEnds, Cut, Drip, Fault, Healthy, Lost, Slow, Unreadable
from openrouter_client.simulator.loose import Json, mapping, number, sequence, text
from openrouter_client.simulator.wire import Reply, json_reply

PATH = "/api/v1/batches"
ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings")
MOST = 5_000
LARGEST = 200_000_000
LONGEST_ID = 64
_DAY = 86_400
_EXPIRED: Json = {"code": "batch_expired", "message": "This request was not run before the batch expired."}

_TAKEN = (Healthy, Slow, Drip, Cut, Lost, BatchEnds)
"""What may go wrong with the answer of a submission that was accepted."""

Run = Callable[[str, Mapping[str, object]], tuple[int, Json]]
"""Answers one request for a model: the status and the body."""


class Kept(Struct, frozen=True, kw_only=True):
    """A batch that was accepted: when, how it ends, and its results, which are shown when it has ended."""

    id: str
    endpoint: str
    model: str
    created: float
    status: str
    total: int
    results: Sequence[Json] | None
    error: Json | None = None


class Batches:
    """All batches, the oldest first. They take `secs` seconds."""

    def __init__(self, seed: int, secs: float, run: Run) -> None:
        self._seed = seed
        self._secs = secs
        self._run = run
        self._kept: dict[str, Kept] = {}
        self._count = 0

    def answer(
        self, method: str, path: str, query: Mapping[str, str], *, body: bytes, fault: Fault, wall: float
    ) -> Reply:
        """Answer a request about batches; what a fault refuses is not submitted."""
        name = path.removeprefix(PATH).strip("/")
        if method == "POST" and not name:
            taken = isinstance(fault, _TAKEN) or (isinstance(fault, Unreadable) and fault.status < 300)
            return self._submit(body, fault, wall) if taken else json_reply("ok", 202, {})
        if method == "GET" and not name:
            return self._list(query, wall)
        if method not in ("GET", "DELETE") or not name:
            return plain(405, "Method Not Allowed", headers=(("Allow", "GET, POST" if not name else "DELETE, GET"),))
        found = self._kept.get(name)
        if found is None:
            return plain(404, f"Batch {name} not found")
        return self._delete(found, wall) if method == "DELETE" else json_reply("ok", 200, self._shown(found, wall))

    def _submit(self, body: bytes, fault: Fault, wall: float) -> Reply:
        if len(body) > LARGEST:
            return plain(413, "Request body too large", "413 invalid")
        try:
            fields = mapping(msgspec.json.decode(body))
        except msgspec.DecodeError:
            return plain(400, "Invalid JSON in request body", "400 invalid")
        wrong = _wrong(fields)
        if wrong:
            return plain(400, wrong, "400 invalid")
        self._count += 1
        kept = self._ended(f"batch_{Dice(self._seed, 'batch', self._count).letters(20)}", fields, fault, wall)
        self._kept[kept.id] = kept
        return json_reply("ok", 202, self._shown(kept, wall, submitted=True))

    def _ended(self, name: str, fields: Mapping[str, object], fault: Fault, wall: float) -> Kept:
        requests, model = list(map(mapping, sequence(fields["requests"]))), text(fields["model"])
        ends = fault if isinstance(fault, BatchEnds) else None
        share = 1.0 if ends is None else ends.share
        answered = requests[: round(len(requests) * share)]
        results = [self._result(one, model) for one in answered]
        if ends is not None and ends.status == "expired":
            results += [_line(one, None, _EXPIRED) for one in requests[len(answered) :]]
        failed = ends is not None and ends.status == "failed"
        return Kept(
            id=name,
            endpoint=text(fields["endpoint"]),
            model=model,
            created=wall,
            status="completed" if ends is None else ends.status,
            total=len(requests),
            results=None if failed else results,
            error={"message": "The batch could not be validated, as scripted"} if failed else None,
        )

    def _result(self, request: Mapping[str, object], model: str) -> Json:
        status, body = self._run(model.removesuffix(catalog.BATCH), mapping(request["body"]))
        return _line(request, {"status_code": status, "request_id": text(body.get("id")) or None, "body": body}, None)

    def _shown(self, kept: Kept, wall: float, *, listed: bool = False, submitted: bool = False) -> Json:
        """The batch as it stands: its results, and what they took, only when it has ended."""
        status = "validating" if submitted else self._status(kept, wall)
        ended = status == kept.status
        results = (kept.results or ()) if ended else ()
        good = [one for one in results if (mapping(one["response"]).get("status_code") or 500) == 200]
        usages = [mapping(mapping(mapping(one["response"]).get("body")).get("usage")) for one in good]
        return {
            "id": kept.id,
            "object": "batch",
            "endpoint": kept.endpoint,
            "model": kept.model,
            "provider": "Stand-in",
            "status": status,
            "completion_window": "24h",
            "created_at": int(kept.created),
            "expires_at": int(kept.created) + _DAY,
            "finalized_at": int(kept.created + self._secs) if ended else None,
            "request_counts": {"total": kept.total, "completed": len(good), "failed": len(results) - len(good)},
            "usage": _usage(usages) if ended and good else None,
            "results": kept.results if ended and not listed else None,
            "error": kept.error if ended else None,
        }

    def _status(self, kept: Kept, wall: float) -> str:
        part = (wall - kept.created) / self._secs if self._secs else 1.0
        steps = ((0.2, "validating"), (0.9, "in_progress"), (1.0, "finalizing"))
        return next((status for until, status in steps if part < until), kept.status)

    def _list(self, query: Mapping[str, str], wall: float) -> Reply:
        since = _instant(query.get("created_after"))
        found = [one for one in reversed(self._kept.values()) if since is None or one.created >= since]
        ids = [one.id for one in found]
        begin = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        most = min(100, max(1, int(number(_number(query.get("limit"))) or 20)))
        page = found[begin : begin + most]
        listed = {
            "object": "list",
            "data": [self._shown(one, wall, listed=True) for one in page],
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
            "has_more": begin + most < len(found),
        }
        return json_reply("ok", 200, listed)

    def _delete(self, kept: Kept, wall: float) -> Reply:
        if self._status(kept, wall) != kept.status:
            return plain(409, "Only a batch that has ended can be deleted")
        del self._kept[kept.id]
        deletion = {"openrouter": "deleted", "upstream": {"provider": "Stand-in", "status": "deleted"}}
        return json_reply("ok", 200, {"id": kept.id, "object": "batch", "deletion": deletion})


def _wrong(fields: Mapping[str, object]) -> str:
    """What is wrong with a submission; nothing where it is good."""
    names, model, requests = list(fields), text(fields.get("model")), sequence(fields.get("requests"))
    missing = [name for name in ("endpoint", "model", "requests") if not fields.get(name)]
    if missing:
        return f"{missing[0]}: Required"
    if names.index("requests") < max(names.index("endpoint"), names.index("model")):
        return "endpoint and model must appear before requests in the request body"
    if fields["endpoint"] not in ENDPOINTS:
        return f"endpoint: Expected one of {', '.join(ENDPOINTS)}"
    if not model.endswith(catalog.BATCH) or catalog.find(model) is None:
        return f"{model} is not available through the Batch API: use a {catalog.BATCH} variant"
    if len(requests) > MOST:
        return f"requests: at most {MOST} requests are allowed"
    ids = [text(mapping(one).get("custom_id")) for one in requests]
    if not all(0 < len(one) <= LONGEST_ID for one in ids):
        return f"custom_id: String must contain 1 to {LONGEST_ID} characters"
    if len(set(ids)) != len(ids):
        return "custom_id: must be unique within the batch"
    bodies = [mapping(one).get("body") for one in requests]
    if not all(isinstance(body, dict) for body in bodies):
        return "body: Required"
    if any(mapping(body).get("model", model) != model for body in bodies):
        return "body.model: must match the batch-level model"
    return ""


def _line(request: Mapping[str, object], response: Json | None, error: Json | None) -> Json:
    return {
        "id": f"batch_req_{text(request['custom_id'])}",
        "custom_id": request["custom_id"],
        "response": response,
        "error": error,
    }


def _usage(usages: Sequence[Mapping[str, object]]) -> Json:
    names = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
    return {name: sum(number(one.get(name)) or 0 for one in usages) for name in names}


def _instant(given: str | None) -> float | None:
    try:
        return None if given is None else datetime.fromisoformat(given).timestamp()
    except ValueError:
        return None


def _number(given: str | None) -> int | None:
    return int(given) if given is not None and given.isascii() and given.isdigit() else None
