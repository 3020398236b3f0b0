"""How users tell failures apart, as their type checkers see it. Never run, only checked."""

from __future__ import annotations

import logging
from typing import assert_type

from openrouter_client import (
    AuthError,
    BudgetExceeded,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    EmptyCompletion,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
)

KINDS: tuple[type[DataSourceError], ...] = (
    AuthError,
    BudgetExceeded,
    ConnectError,
    DeadlineExceeded,
    Disconnected,
    EmptyCompletion,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
)


def common(error: DataSourceError) -> None:
    assert_type(error.message, str)
    assert_type(error.status, int | None)
    assert_type(error.code, int | str | None)
    assert_type(error.error_type, str | None)
    assert_type(error.provider_name, str | None)
    assert_type(error.generation_id, str | None)
    assert_type(error.raw, str)
    for attempt in error.attempts:
        logging.info("%s", attempt)  # noqa: LOG015 - what a user would write


def told_apart(error: DataSourceError) -> float | None:
    match error:
        case RateLimited(retry_after=seconds):
            assert_type(seconds, float | None)
            assert_type(error.resets_at, float | None)
            return seconds
        case Timeout():
            assert_type(error.clock, str)
        case InvalidRequest(field=field, value=value, bound=bound):
            assert_type((field, value, bound), tuple[str | None, str | None, str | None])
        case ConnectError():
            assert_type(error.host, str)
            assert_type(error.errno, int | None)
        case _:
            pass
    return None


def narrowed(error: DataSourceError) -> bool:
    return isinstance(error, ProviderError | Timeout | Disconnected)
