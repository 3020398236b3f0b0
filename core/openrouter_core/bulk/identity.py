"""What makes a row, the settings of a run and its input the same as before: hashes of canonical JSON.

A row's key is the hash of its request and of a sample number, which tells copies of one request apart: each of them is
asked. It holds across runs, whatever the order of names in the JSON is.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.bulk.rows import Asking
from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import bounded_repr, refuse
from openrouter_core.wire.request import ChatCompletionRequest

SIZE = 16
"""The size of a key in bytes: among `10**9` rows the chance that two share one is below `10**-20`."""


class Fingerprint(msgspec.Struct, frozen=True):
    """What a ledger remembers of its run: the hash of the input and its number of rows, and the settings themselves."""

    input: str
    rows: int
    settings: Mapping[str, Any]


def digest(value: Any) -> bytes:
    """Hash a value by its canonical JSON: the order of names does not matter."""
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=SIZE).digest()


def digest_of(request: ChatCompletionRequest, default_model: str) -> Result[bytes, InvalidRequest]:
    """Hash a request as it is asked: one that names no model asks the default one. Fails for what is no JSON."""
    if request.model is None and request.models is None and request.preset is None:
        request = msgspec.structs.replace(request, model=default_model)
    try:
        return Success(digest(request))
    except (TypeError, ValueError, RecursionError) as error:
        return Failure(refuse("request", f"cannot be written as JSON: {error}"))


def key_of(hashed: bytes, sample: int) -> bytes:
    """Give a row's key: the hash of its request, and how many like it came before."""
    return blake2b(hashed + sample.to_bytes(8), digest_size=SIZE).digest()


def settings_of(asking: Asking, default_model: str) -> dict[str, Any]:
    """Give the settings that decide what is asked, as plain values."""
    told: dict[str, Any] = msgspec.to_builtins(asking)
    return told | {"model": asking.model or default_model}


def changes(before: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """Say what differs from the run that a ledger belongs to, one line each; nothing when it is the same run."""
    told: list[str] = []
    if before.input != now.input:
        told.append(f"the input has changed: it had {before.rows} rows ({before.input[:12]}), now {now.rows} rows")
    for name in sorted({*before.settings, *now.settings}):
        old, new = before.settings.get(name), now.settings.get(name)
        if digest(old) != digest(new):
            told.append(f"{name} was {bounded_repr(old)}, now {bounded_repr(new)}")
    return tuple(told)
