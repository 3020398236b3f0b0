"""The headers that a request travels with: values -> checked (name, value) pairs. Pure; never raises.

The key is not here: the transport adds `Authorization`, and nothing else may. Source of the names: OpenRouter docs,
api_reference/overview and guides/features.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse

Headers = tuple[tuple[str, str], ...]

JSON_BODY: Headers = (("Content-Type", "application/json"),)
SAFE_RETRIES: Headers = (("X-OpenRouter-Cache", "true"),)

RESERVED = frozenset(
    {"authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect", "host"}
    | {"keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that make the HTTP request work, or carry secrets: not for callers to set."""

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The characters of a header's name (RFC 9110, section 5.6.2)."""


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _switch(value: Any) -> str:
    return "enabled" if value else "disabled"


def _listed(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(value)


_OPTIONS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("session_id", "x-session-id", str),
    ("cache", "X-OpenRouter-Cache", _flag),
    ("cache_ttl_secs", "X-OpenRouter-Cache-TTL", str),
    ("cache_clear", "X-OpenRouter-Cache-Clear", _flag),
    ("metadata", "X-OpenRouter-Metadata", _switch),
    ("anthropic_beta", "x-anthropic-beta", _listed),
    ("app_visibility", "X-OpenRouter-App-Visibility", str),
)
"""Which header an option of a request is, and how its value is written."""


def app_headers(
    app_url: str | None = None, app_title: str | None = None, app_categories: Sequence[str] | str | None = None
) -> Result[Headers, InvalidRequest]:
    """Give the headers by which OpenRouter knows an application: its address, title and categories."""
    given = (
        ("app_url", "HTTP-Referer", app_url),
        ("app_title", "X-OpenRouter-Title", app_title),
        ("app_categories", "X-OpenRouter-Categories", _listed(app_categories or "")),
    )
    headers = tuple((name, value) for _, name, value in given if value)
    for field, name, value in given:
        if value and (problem := problem_with(field, name, value)) is not None:
            return Failure(problem)
    return Success(headers)


def merge(base: Headers, options: Mapping[str, Any] | None) -> Result[Headers, InvalidRequest]:
    """Add a request's options, as plain values, to the headers that all requests have; an option wins over those."""
    if not options:
        return Success(base)
    merged = {name.lower(): (name, value) for name, value in base}
    for option, name, written in _OPTIONS:
        value = options.get(option)
        if value is not None:
            text = written(value)
            if (problem := problem_with(f"options.{option}", name, text)) is not None:
                return Failure(problem)
            merged[name.lower()] = (name, text)
    others: Mapping[str, str] = options.get("headers") or {}
    for name, text in others.items():
        if (problem := problem_with(f"options.headers[{name!r}]", name, text)) is not None:
            return Failure(problem)
        merged[name.lower()] = (name, text)
    return Success(tuple(merged.values()))


def problem_with(field: str, name: str, value: str) -> InvalidRequest | None:
    """Say what is wrong with a header, if anything. The value is not shown: it may be a secret."""
    if not name or not _TOKEN.issuperset(name):
        return refuse(field, "must have a header's name: letters, digits and some punctuation")
    if name.lower() in RESERVED:
        return refuse(field, "cannot be set: the client sets it, or it is not to be sent")
    if not value.isascii() or not value.isprintable():
        # Other characters arrive garbled, and a line break would start a new header.
        return refuse(field, "must be printable ASCII text, without line breaks")
    return None
