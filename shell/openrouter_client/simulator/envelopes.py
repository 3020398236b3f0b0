"""OpenRouter's error envelopes: a refusal to its status, headers and body. Pure.

Sources: OpenRouter docs, api_reference/errors-and-debugging (envelopes, `availability`, `Retry-After`) and
api_reference/limits (`X-RateLimit-*`, whose reset is in milliseconds since 1970; the daily cap ends at 00:00 UTC).
"""

import email.utils
import math

import msgspec

from openrouter_client.simulator.faults import Refusal
from openrouter_client.simulator.loose import Json
from openrouter_client.simulator.wire import Reply, json_reply

_DAY = 86_400
_USER = "user_simulator"

Headers = tuple[tuple[str, str], ...]


def plain(status: int, message: str, kind: str | None = None, headers: Headers = ()) -> Reply:
    """The commonest envelope: a code and a message."""
    return json_reply(kind or str(status), status, {"error": {"message": message, "code": status}}, headers)


def refuse(refusal: Refusal, model: str, provider: str, wall: float) -> Reply:
    """The answer that a refusal stands for; `wall` is the time in seconds since 1970, for the hints that name one."""
    message = _filled(refusal.message, model, provider)
    headers, hints = _hints(refusal, wall)
    metadata: Json = {
        key: _filled(value, model, provider) if isinstance(value, str) else value
        for key, value in refusal.metadata.items()
    } | hints
    if refusal.zod:
        issues = msgspec.json.encode([{"code": "invalid_type", "path": ["model"], "message": message}]).decode()
        body: Json = {"success": False, "error": {"name": "ZodError", "message": issues}}
    elif refusal.availability:
        unavailable = _availability(refusal, message, model)
        body = {"error": {**unavailable, "metadata": metadata} if metadata else unavailable}
    else:
        code = refusal.status if refusal.code is None else refusal.code
        error: Json = {"message": message, "code": code}
        if metadata:
            error["metadata"] = metadata
        body = {"error": error, "user_id": _USER}
    return json_reply(str(refusal.status), refusal.status, body, headers)


def _availability(refusal: Refusal, message: str, model: str) -> Json:
    availability: Json = {
        "code": refusal.availability,
        "retryable": refusal.retryable,
        "requested_models": [model],
        "docs_url": f"https://openrouter.ai/docs/errors#{refusal.availability}",
    }
    if "availability" in refusal.hints:
        availability["retry_after"] = math.ceil(refusal.seconds)
    return {
        "message": message,
        "error_type": refusal.error_type,
        "http_status": refusal.status,
        "availability": availability,
    }


def _hints(refusal: Refusal, wall: float) -> tuple[Headers, Json]:
    """The headers and the metadata that say when to come back."""
    whole = math.ceil(refusal.seconds)
    headers: list[tuple[str, str]] = []
    metadata: Json = {}
    for hint in refusal.hints:
        match hint:
            case "retry-after":
                headers.append(("Retry-After", str(whole)))
            case "retry-date":
                headers.append(("Retry-After", email.utils.formatdate(math.ceil(wall + refusal.seconds), usegmt=True)))
            case "rate-limit":
                headers += rate_limit(20, 0, wall + refusal.seconds)
            case "mirrored":
                metadata["headers"] = dict(rate_limit(20, 0, wall + refusal.seconds))
            case "daily":
                midnight = (wall // _DAY + 1) * _DAY
                headers += rate_limit(50, 0, midnight)
                metadata["headers"] = dict(rate_limit(50, 0, midnight))
            case "body":
                metadata |= {"retry_after_seconds": whole, "retry_after_seconds_raw": refusal.seconds}
            case "availability":
                pass
    return tuple(headers), metadata


def rate_limit(limit: int, remaining: int, resets_at: float) -> Headers:
    """The three headers of OpenRouter's own limits; `resets_at` is in seconds since 1970."""
    return (
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(math.ceil(resets_at * 1000))),
    )


def _filled(value: str, model: str, provider: str) -> str:
    return value.replace("{model}", model).replace("{provider}", provider)
