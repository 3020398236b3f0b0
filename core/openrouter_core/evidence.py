"""What the limiters are told: from a request to `Ask`, from an answer or an error to `Seen`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from openrouter_core.errors import (
    AuthError,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
)
from openrouter_core.limit.seen import Ask, Kind, Seen
from openrouter_core.limit.standard import FREE, scopes

KINDS: dict[type[DataSourceError], Kind] = {
    RateLimited: "rate",
    InsufficientCredits: "rate",
    ProviderError: "server",
    Disconnected: "server",
    ConnectError: "server",
    TruncatedStream: "server",
    Timeout: "timeout",
}
"""What kind of event an error is; all others are no evidence of load."""


LONGEST_HINT = 120.0
"""How far ahead a refusal may point, in seconds, to say something about the calls that follow."""

BYTES_PER_TOKEN = 4.0
"""How many bytes of a request's JSON make a token, about; the true number is settled by the answer."""

ANSWERED = Seen(kind="ok")
"""An answer that tells nothing of what it used."""


MAY_BE_BILLED = (408, 504, 524)
"""Statuses after which the provider may have completed, and billed, what nobody received."""

UNBILLED = (RateLimited, InsufficientCredits, ProviderError, AuthError, InvalidRequest, Forbidden, NotFound, HttpError)
"""Errors that the server itself tells: nothing was generated, and nothing is billed for nothing (OpenRouter docs,
features/zero-completion-insurance)."""


def asked(model: str, body: bytes, max_tokens: int | None, worst: float | None = None) -> Ask:
    """Tell what a call would use: the limits of its model, about so many tokens, and at worst so many USD."""
    return Ask(scopes(model) if model else (), len(body) / BYTES_PER_TOKEN + (max_tokens or 0), worst=worst)


def seen_in_answer(answer: Any) -> Seen:
    """Tell of an attempt that was answered, and of the tokens and the USD that it used, where it has a `usage`.

    Answers about jobs tell the usage again each time that one asks: they must not come here.
    """
    usage = getattr(answer, "usage", None)
    if not isinstance(usage, Struct):
        return ANSWERED
    tokens: int | None = getattr(usage, "total_tokens", None)
    if tokens is None:
        parts: list[int | None] = [getattr(usage, name, None) for name in ("input_tokens", "output_tokens")]
        tokens = None if parts == [None, None] else sum(part or 0 for part in parts)
    return Seen(kind="ok", tokens=tokens, cost=getattr(usage, "cost", None))


def cost_of(error: DataSourceError) -> float | None:
    """Tell what a failed attempt cost in USD; None where nobody told, which is never taken to be nothing."""
    if isinstance(error, ConnectError) or (isinstance(error, Timeout) and not error.sent):
        return 0.0
    if error.partial is not None:
        return error.partial.cost
    told = isinstance(error, UNBILLED) and error.status not in MAY_BE_BILLED and error.code not in MAY_BE_BILLED
    return 0.0 if told else None


def seen_in_error(error: DataSourceError, ask: Ask) -> Seen:
    """Tell of an attempt that failed.

    A final 402 is about money and no evidence. Nor is a refusal until much later (a daily quota): it ends the calls
    that meet it, and does not lock out the others on one answer's word. A failure that names a provider is blamed on
    the model, unless it documents a quota, which is OpenRouter's own: of all free models, or of the key. Where the
    deadline forbids the wait after a failure, it is that failure which says something.
    """
    if isinstance(error, DeadlineExceeded) and error.cause is not None:
        error = error.cause
    kind = KINDS.get(type(error), "other")
    hint: float | None = getattr(error, "retry_after", None)
    if (isinstance(error, InsufficientCredits) and hint is None) or (hint or 0.0) > LONGEST_HINT:
        kind = "other"
    known = isinstance(error, RateLimited) and error.limit is not None
    theirs = error.provider_name is not None and not known
    scope = ask.scopes[-1] if theirs and ask.scopes else FREE if FREE in ask.scopes else ""
    if not isinstance(error, RateLimited):
        return Seen(kind=kind, hint=hint, scope=scope, cost=cost_of(error))
    return Seen(
        kind=kind,
        hint=hint,
        limit=error.limit,
        resets_in=hint if known else None,
        resets_at=error.resets_at if known else None,
        window=error.window_secs,
        scope=scope,
        cost=0.0,
    )
