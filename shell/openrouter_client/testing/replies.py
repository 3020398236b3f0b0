"""What a scripted server may say, as `Reply` values: the same for `ScriptedWorld` and for `simulate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openrouter_core.outcome import Interrupted, Responded, Unreachable
from openrouter_core.simulate import Reply

MODEL = "test/scripted"

EVENTS: dict[str, str] = {"content-type": "text/event-stream"}


def says(text: str = "yes", *, after: float = 0.0, cost: float = 0.0, **fields: Any) -> Reply:
    """Make a good answer with a text, after so many seconds; `fields` replace those of the chat completion."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": cost}
    message = {"role": "assistant", "content": text}
    body = {
        "id": "gen-scripted",
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": usage,
        **fields,
    }
    return gives(body, after=after)


def gives(body: Any, *, status: int = 200, after: float = 0.0, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer of JSON: of any endpoint, with any status."""
    return Reply(Responded(status, msgspec.json.encode(body), lowered(headers)), after)


def fails(
    status: int,
    message: str = "scripted",
    *,
    after: float = 0.0,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
    **metadata: Any,
) -> Reply:
    """Make an error in OpenRouter's envelope; `retry_after` (seconds) becomes the header."""
    hint = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    error = {"code": status, "message": message, **({"metadata": metadata} if metadata else {})}
    return gives({"error": error}, status=status, after=after, headers={**hint, **lowered(headers)})


def streams(*texts: str, after: float = 0.0, whole: bool = True) -> Reply:
    """Make a streamed answer, a chunk for each text; without `whole` it is cut off after them."""
    events = [chunk({"content": text}) for text in texts]
    if whole:
        usage = {"prompt_tokens": 1, "completion_tokens": len(texts), "total_tokens": 1 + len(texts), "cost": 0.0}
        events += [chunk({"content": ""}, finish="stop", usage=usage), b"data: [DONE]\n\n"]
    return Reply(Responded(200, b"".join(events), EVENTS), after)


def chunk(delta: Mapping[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    """Make an event of a stream."""
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
    body = {"id": "gen-scripted", "model": MODEL, "choices": [choice], **fields}
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def disconnects(*, after: float = 0.0) -> Reply:
    """Make a connection that is lost after the request was sent."""
    return Reply(Interrupted("scripted"), after)


def refuses(kind: str = "refused") -> Reply:
    """Make a server that cannot be reached: "dns", "refused", "tls", "reset", "proxy", "other"."""
    return Reply(Unreachable(kind, "scripted"))


def is_silent() -> Reply:
    """Make a server that never answers: the attempt's clock runs out."""
    return Reply(Responded(200, b""), math.inf)


def lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Give headers as outcomes have them."""
    return {name.lower(): value for name, value in (headers or {}).items()}


def pieces(body: bytes) -> Sequence[bytes]:
    """Cut the body of a stream into its events."""
    return [event + b"\n\n" for event in body.split(b"\n\n") if event]
