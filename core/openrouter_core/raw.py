"""Requests that no endpoint of the table stands for: a method, a path and JSON -> the HTTP request, or what is wrong.

Pure; never raises. What comes back is judged as all answers are, and handed over as it came (`endpoint.Raw`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from returns.result import Failure, Result, Success

from openrouter_core.assemble import NUMBERS, quoted
from openrouter_core.endpoint import CallSettings, Endpoint, Headers, HttpRequest, Key, Raw
from openrouter_core.errors import InvalidRequest
from openrouter_core.headers import JSON_BODY, merge
from openrouter_core.plain import encoded
from openrouter_core.refuse import refuse
from openrouter_core.wire.params import Parameters

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that do no more when they are sent twice (RFC 9110, section 9.2.2)."""

QueryValue = str | int | float | bool
KEYS: Final = ("inference", "management", "none")


def raw_endpoint(method: str, path: str, key: Key, *, repeat: bool) -> Endpoint[Parameters, Raw]:
    """Describe such a request as an endpoint: it is repeated if its method is idempotent, or the caller says so."""
    return Endpoint(method, path, Parameters, Raw, key=key, repeatable=repeat or method in IDEMPOTENT)


def build_raw(
    endpoint: Endpoint[Parameters, Raw],
    settings: CallSettings,
    *,
    json: Any = None,
    query: Mapping[str, QueryValue] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Result[HttpRequest, InvalidRequest]:
    """Make what is sent. `path` is relative to the API's root: the key goes nowhere else."""
    problem = _problem(endpoint)
    if problem is not None:
        return Failure(problem)
    body, kind = b"", Headers()
    if json is not None:
        flaw = encoded({"json": json}, encoder=NUMBERS)
        if isinstance(flaw, InvalidRequest):
            return Failure(flaw)
        body, kind = NUMBERS.encode(json), JSON_BODY
    merged = merge(kind + settings.headers, {"headers": dict(headers or {})})
    if isinstance(merged, Failure):
        return merged
    pairs: list[str] = []
    for name, value in (query or {}).items():
        text = _text(value)
        if isinstance(encoded({"name": name, "value": text}), InvalidRequest):
            return Failure(refuse(f"query[{name!r}]", "must be text without lone surrogates"))
        pairs.append(f"{quoted(name)}={quoted(text)}")
    asked = f"?{'&'.join(pairs)}" if pairs else ""
    url = f"{settings.base_url.rstrip('/')}{endpoint.path}{asked}"
    return Success(HttpRequest(endpoint.method, url, merged.unwrap(), body, endpoint.key))


def _problem(endpoint: Endpoint[Parameters, Raw]) -> InvalidRequest | None:
    """Find what cannot be sent, or would go to another address than the API's."""
    method, path, key = endpoint.method, endpoint.path, endpoint.key
    if method not in METHODS:
        return refuse("method", f"must be one of {', '.join(METHODS)}", method)
    if key not in KEYS:
        return refuse("key", f"must be one of {', '.join(KEYS)}", key)
    if not re.fullmatch(r"/[!-\"$->@-~]*", path) or any(step in (".", "..") for step in path.split("/")):
        return refuse("path", "must begin with / and be percent-encoded, without ?, # and the steps . and ..", path)
    return None


def _text(value: QueryValue) -> str:
    """Write a value as it stands in an address."""
    return value if isinstance(value, str) else NUMBERS.encode(value).decode()
