"""The error envelopes that OpenRouter and what stands before it send, read into one shape, `Problem`.

    {"error": {"code", "message", "metadata"?}, "user_id"?}                          most errors
    {"error": {"message", "error_type", "http_status", "availability"}}              since 2026-08
    {"success": false, "error": {"name": "ZodError", "message": "[...]"}}            request validation
    {"type": "error", "error": {"type", "message"}, "request_id"}                    the Anthropic skin
    {"error": {"code": "invalid_prompt", "message"}, "metadata": null}               /responses
    HTML or nothing                                                                  Cloudflare

`code` comes as an int, as a string, or not at all; `metadata.raw` as text, as JSON in a string, or as an object.
Reading is total: any JSON, and any bytes, give a `Problem` or None. Sources: OpenRouter docs,
api_reference/errors-and-debugging, and bodies recorded by public projects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from openrouter_core.retry_after import documented, hint_of, longest, number, positive, reset_of

TEXT_LIMIT = 600
"""How much of a message an error keeps, in characters."""

NAME_LIMIT = 200
"""How much of a name (of a provider, an error type, a generation) an error keeps, in characters."""

UNDECODABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""Everything that msgspec raises for bytes that it cannot decode."""

DEEPEST = 4
"""How far an upstream's own error may be wrapped and still be found."""

VALIDATION_NAMES = frozenset({"ZodError"})
TITLE = rb"(?i)<title[^>]*>([^<]{1,200})"
"""Where an HTML page has its title. `re` compiles it, and keeps it, when the first page comes."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What an error envelope says. `code` is as it came, `number` the HTTP-like status in it, if there is one.

    `hint` is the wait in seconds that the body asks for; `retryable` the server's own word on trying again. `limit` and
    `resets_at` are the quota's, as the body mirrors their headers.
    """

    message: str
    code: int | str | None = None
    number: int | None = None
    error_type: str | None = None
    provider_name: str | None = None
    generation_id: str | None = None
    limit_source: str | None = None
    reason: str | None = None
    retryable: bool | None = None
    hint: float | None = None
    limit: float | None = None
    resets_at: float | None = None
    invalid: bool = False


def problem_of(body: Any, at: float) -> Problem | None:
    """Read the error in a decoded body; None when there is none. `at` is when it came, in seconds since the epoch."""
    body = mapping(body)
    if body.get("error") in (None, False, "", {}, []):
        return None
    error = mapping(body["error"])
    if not error:
        return Problem(message=scalar(body["error"]) or "no message", generation_id=name(body.get("id")))
    metadata, availability = mapping(error.get("metadata")), mapping(error.get("availability"))
    code = error.get("code")
    return Problem(
        message=message_of(error, metadata),
        code=code_of(code),
        number=status_number(code) or status_number(error.get("http_status")) or status_number(error.get("status")),
        error_type=name(error.get("error_type")) or name(metadata.get("error_type")) or name(error.get("type")),
        provider_name=name(metadata.get("provider_name")) or name(body.get("provider")),
        generation_id=name(body.get("id")),
        limit_source=name(metadata.get("limit_source")),
        reason=name(metadata.get("reason")),
        retryable=flag(availability.get("retryable")),
        limit=documented(mirrored(metadata)),
        resets_at=reset_of(mirrored(metadata)),
        hint=hint_in(error, metadata, availability, at),
        invalid=name(error.get("name")) in VALIDATION_NAMES,
    )


def hint_in(
    error: Mapping[str, Any], metadata: Mapping[str, Any], availability: Mapping[str, Any], at: float
) -> float | None:
    """Find the longest wait in seconds that a body asks for, in any of its fields or in the headers it mirrors."""
    fields = (
        availability.get("retry_after"),
        metadata.get("retry_after_seconds"),
        metadata.get("retry_after_seconds_raw"),
        metadata.get("retry_after"),
        error.get("retry_after"),
    )
    waits = [positive(seconds) for seconds in map(number, fields) if seconds is not None]
    return longest(*waits, hint_of(mirrored(metadata), at))


def mirrored(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Give the headers that a body repeats, with lower-case names."""
    return {header.lower(): scalar(value) for header, value in mapping(metadata.get("headers")).items()}


def message_of(error: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Give OpenRouter's message, and behind it the provider's own words, which say what really happened."""
    message = text(error.get("message")) or text(error.get("name")) or "no message"
    if name(error.get("name")) in VALIDATION_NAMES:
        message = validation_text(message)
    upstream = upstream_text(metadata.get("raw"))
    return bounded(message if not upstream or upstream in message else f"{message}: {upstream}")


def upstream_text(raw: Any) -> str:
    """Find the telling text in `metadata.raw`, which is text, JSON in a string, or an object."""
    value: Any = parsed(raw) if isinstance(raw, str) else raw
    for _ in range(DEEPEST):
        inner = mapping(next(iter(items(value)), value))
        value = next((inner[key] for key in ("error", "message", "detail", "msg") if inner.get(key)), value)
    return value if isinstance(value, str) else raw if isinstance(raw, str) else ""


def validation_text(message: str) -> str:
    """Read a ZodError's message, which is a JSON list of issues in a string, as `path: message` pairs."""
    told = [
        f"{'.'.join(map(scalar, items(issue.get('path'))))}: {scalar(issue.get('message'))}".removeprefix(": ")
        for issue in map(mapping, items(parsed(message)))
        if issue
    ]
    return "; ".join(told) or message


def page_text(body: bytes) -> str:
    """Give the title of an HTML page, or the first words of any other text."""
    title = re.search(TITLE, body[:4096])
    told = title.group(1) if title else body[:200]
    return " ".join(told.decode("utf-8", "replace").split())


def parsed(value: str) -> Any:
    """Decode JSON in a string; text that is not JSON comes back as it is."""
    try:
        return msgspec.json.decode(value)
    except UNDECODABLE:
        return value


def status_number(code: Any) -> int | None:
    """Read an HTTP status from a code that is a whole number, or a string of one; other codes have none."""
    status = number(code)
    return int(status) if status is not None and status.is_integer() and 100 <= status <= 599 else None


def code_of(code: Any) -> int | str | None:
    """Take a code that is an int or a text; a giant, which no protocol means, is none."""
    if isinstance(code, int) and not isinstance(code, bool):
        return code if abs(code) < 2**63 else None
    return name(code)


def mapping(value: Any) -> Mapping[str, Any]:
    """Take a JSON object, or an empty one for anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """Take a JSON array, or an empty one for anything else."""
    return list(cast("Sequence[Any]", value)) if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Take a text that is not empty."""
    return value if isinstance(value, str) and value else None


def name(value: Any) -> str | None:
    """Take a text as a name: one line, and not long."""
    return bounded(value[:NAME_LIMIT]) if isinstance(value, str) and value else None


def scalar(value: Any) -> str:
    """Write a text or a number as one line; anything else gives nothing, for it may be nested without end."""
    return bounded(str(value)) if isinstance(value, (str, int, float)) else ""


def flag(value: Any) -> bool | None:
    """Take a boolean, or nothing."""
    return value if isinstance(value, bool) else None


def bounded(value: str) -> str:
    """Cut a text at the limit, and make it one line."""
    line = " ".join(value[: 2 * TEXT_LIMIT].split())
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 1]}…"
