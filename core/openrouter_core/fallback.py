"""Which model to ask instead, after which errors, as data.

OpenRouter itself goes on to the next of `models` when one cannot answer (OpenRouter docs, guides/routing/model-
fallbacks); that costs no second request, and is used where it suffices. What only the client sees (a clock that ran
out, a broken connection, an answer that is cut, empty or no JSON) needs a request of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse

SEEN_BY_SERVER = ("RateLimited", "ProviderError", "NotFound", "Forbidden", "InvalidRequest")
"""The errors after which OpenRouter itself asks the next of `models`."""

SEEN_BY_CLIENT = ("Timeout", "Disconnected", "TruncatedStream", "EmptyCompletion", "ParseError")
"""The errors that only the client sees."""


class Fallback(msgspec.Struct, frozen=True):
    """Ask `model` when the call would fail with one of the errors that `after` names (types of `DataSourceError`).

    The call's retries are used up first; they begin afresh with the other model, its deadline and budget do not.
    """

    model: str
    after: tuple[str, ...] = SEEN_BY_SERVER + SEEN_BY_CLIENT


def by_server(fallbacks: Sequence[Fallback]) -> tuple[str, ...]:
    """Name the models that OpenRouter can go on to by itself: the first ones that need nothing that the client sees."""
    return tuple(one.model for one in takewhile(lambda one: set(one.after) <= set(SEEN_BY_SERVER), fallbacks))


def checked_fallbacks(fallbacks: Sequence[Fallback]) -> Result[tuple[Fallback, ...], InvalidRequest]:
    """Accept fallbacks that name a model and errors that there are."""
    given: Sequence[Any] = fallbacks  # callers without type checkers may pass anything
    for number, one in enumerate(given):
        where = f"fallbacks[{number}]"
        if not isinstance(one, Fallback):
            return Failure(refuse(where, "must be a Fallback", one))
        slug: Any = one.model
        if not isinstance(slug, str) or not slug:
            return Failure(refuse(f"{where}.model", "must be the slug of a model", slug))
        unknown = [name for name in one.after if name not in SEEN_BY_SERVER + SEEN_BY_CLIENT]
        if unknown or not one.after:
            known = ", ".join(SEEN_BY_SERVER + SEEN_BY_CLIENT)
            return Failure(refuse(f"{where}.after", f"must be some of {known}", one.after))
    return Success(tuple(fallbacks))
