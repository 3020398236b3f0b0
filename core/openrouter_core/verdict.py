"""What an error means: a verdict, by its status and by what the server itself says of it.

    Accepted(value)          an answer, whole and without an error anywhere
    Transient(error, hint)   trying again may help; the server asked for `hint` seconds, if it asked
    Permanent(error)         trying again cannot help

One table, `STATUS`, and one function, `judged`, serve HTTP errors, errors inside a 200, errors of a choice and error
events of streams alike. Sources: OpenRouter docs, api_reference/errors-and-debugging and api_reference/limits.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from openrouter_core.envelope import Problem, mapping, problem_of
from openrouter_core.errors import (
    RAW_LIMIT,
    AuthError,
    DataSourceError,
    Disconnected,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ProviderError,
    RateLimited,
)
from openrouter_core.outcome import Interrupted, Responded, Streamed
from openrouter_core.retry_after import documented, hint_of, longest, reset_of, server_time, until_midnight

T = TypeVar("T")


class Accepted(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """The answer is good."""

    value: T


class Transient(msgspec.Struct, frozen=True):
    """It failed, and may succeed when tried again, not before `hint` seconds if that is set."""

    error: DataSourceError
    hint: float | None = None


class Permanent(msgspec.Struct, frozen=True):
    """It failed, and would fail again."""

    error: DataSourceError


Verdict = Accepted[T] | Transient | Permanent
"""What an outcome means: an answer, a failure that may pass, or one that will not."""


class Rules(msgspec.Struct, frozen=True):
    """The caller's choices: whether to retry an empty answer, and to repeat what may have been billed."""

    retry_empty: bool = False
    retry_sent: bool = True


STATUS: dict[int, type[DataSourceError]] = {
    400: InvalidRequest,
    401: AuthError,
    402: InsufficientCredits,
    403: Forbidden,
    404: NotFound,
    408: ProviderError,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""Which error a status is; 5xx are ProviderErrors, all others HttpErrors."""

ERROR_TYPE_STATUS: dict[str, int] = {
    **dict.fromkeys(
        (
            "context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long",
            "invalid_request", "invalid_prompt", "content_policy_violation", "refusal", "invalid_image",
            "image_too_large", "image_too_small", "unsupported_image_format", "image_download_failed",
            "invalid_request_error", "bad_request",
        ),
        400,
    ),
    **dict.fromkeys(("authentication", "authentication_error"), 401),
    **dict.fromkeys(("payment_required", "billing_error", "insufficient_quota"), 402),
    **dict.fromkeys(("permission_denied", "permission_error"), 403),
    **dict.fromkeys(("not_found", "image_not_found", "not_found_error"), 404),
    "precondition_failed": 412,
    **dict.fromkeys(("payload_too_large", "request_too_large"), 413),
    "unprocessable": 422,
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error", "rate_limit", "rate_limited"), 429),
    **dict.fromkeys(("server", "unmapped", "server_error", "api_error", "internal_server_error"), 500),
    "provider_unavailable": 502,
    **dict.fromkeys(("provider_overloaded", "overloaded_error", "overloaded"), 503),
    "timeout": 504,
}  # fmt: skip
"""The status that stands behind a canonical `error_type`, or behind a code that is a word."""

NO_WAIT_HELPS = frozenset({
    "openrouter_credits", "openrouter_key_limit", "openrouter_guardrail_budget", "openrouter_workspace_budget",
})  # fmt: skip
"""Values of `metadata.limit_source` for quotas of money."""

FREE_DAILY = "openrouter_free_tier_daily"
"""The `metadata.limit_source` of the daily quota of free models, which starts afresh at 00:00 UTC."""

DAILY = ("free-models-per-day", "limit_rpd")
"""What the message of a daily quota contains where `limit_source` is missing."""

WINDOWS = {"per-min": 60.0, "_rpm": 60.0, "per-day": 86_400.0, "_rpd": 86_400.0}
"""The length of a quota's window in seconds, by what its message contains (free-models-per-min, limit_rpm/...)."""

IN_FLIGHT = "openrouter_in_flight_budget"
"""The one 402 that passes by itself: credits held for requests in flight."""


def problem_in(body: Any, answer: Responded | Streamed) -> Problem | None:
    """Read the error in a decoded body; what it says of instants is measured by the server's clock."""
    return problem_of(body, server_time(answer.headers, answer.at))


def effective_status(status: int, problem: Problem) -> int | None:
    """Decide which status counts. In a 2xx it is the body's; in a 4xx the body's when that is a transient one.

    OpenRouter answers 200 before it knows whether the model will, and wraps failures of a provider in a 400.
    """
    told = problem.number
    if told is None and isinstance(problem.code, str):
        told = ERROR_TYPE_STATUS.get(problem.code)
    if 200 <= status < 300:
        if told is None and problem.error_type is not None:
            told = ERROR_TYPE_STATUS.get(problem.error_type)
        return 400 if problem.invalid else told
    if 400 <= status < 500 and told is not None and transient(told):
        return told
    return status


def failure_of(error: Any, error_type: Any, *, failed: bool) -> Any:
    """Give the error of an object that has one, or that says it `failed`; None where there is none.

    Responses have their `error_type` beside the error, not in it.
    """
    if error in (None, False, "", {}, []):
        return {"message": "the answer says that it failed, and not why", "error_type": error_type} if failed else None
    inside = mapping(error)
    return {**inside, "error_type": inside.get("error_type") or error_type} if inside else error


def transient(status: int) -> bool:
    """Tell the statuses that trying again may change: 408, 429 and every 5xx, 524 and 529 too."""
    return status in (408, 429) or 500 <= status <= 599


def judged(status: int | None, problem: Problem, answer: Responded | Streamed | Interrupted) -> Transient | Permanent:
    """Decide whether to try again after an error, by its status and by what the server itself says of it.

    A failure inside a 200 without any code (`status` None) is a provider's, and transient: OpenRouter gives its own
    refusals a code.
    """
    hint = longest(problem.hint, hint_of(answer.headers, answer.at))
    daily = status == 429 and (problem.limit_source == FREE_DAILY or any(word in problem.message for word in DAILY))
    if daily and hint is None:
        hint = until_midnight(server_time(answer.headers, answer.at))
    error = described(error_type(status), problem.message, answer, problem, hint=hint)
    if problem.retryable is not None:
        return Transient(error, hint) if problem.retryable else Permanent(error)
    if status == 402:
        passing = problem.limit_source == IN_FLIGHT and hint is not None and problem.reason != "weight_exceeds_budget"
        return Transient(error, hint) if passing else Permanent(error)
    if daily or (status == 429 and problem.limit_source in NO_WAIT_HELPS):
        return Permanent(error)
    return Transient(error, hint) if status is None or transient(status) else Permanent(error)


def error_type(status: int | None) -> type[DataSourceError]:
    """Name the error for a status."""
    if status is None or 500 <= status <= 599:
        return ProviderError
    return STATUS.get(status, HttpError)


def described(
    kind: type[DataSourceError],
    message: str,
    answer: Responded | Streamed | Interrupted,
    problem: Problem | None = None,
    *,
    hint: float | None = None,
    **more: Any,
) -> DataSourceError:
    """Make an error with everything that the answer tells about where it came from."""
    if problem is not None:
        more |= {"code": problem.code, "error_type": problem.error_type, "provider_name": problem.provider_name}
    if hint is not None and kind in (RateLimited, InsufficientCredits):
        more["retry_after"] = hint
    if kind is RateLimited:
        told = reset_of(answer.headers) or (None if problem is None else problem.resets_at)
        more["resets_at"] = None if hint is None else told or server_time(answer.headers, answer.at) + hint
        more["limit"] = documented(answer.headers) or (None if problem is None else problem.limit)
        more["window_secs"] = next((secs for word, secs in WINDOWS.items() if word in message), None)
    if isinstance(answer, Responded):
        more["raw"] = shown(answer.body)
    header = answer.headers.get("x-generation-id")
    generation = header or (problem.generation_id if problem is not None else None)
    return kind(message=message, status=answer.status, generation_id=generation, **more)


def interrupted(
    detail: str, answer: Responded | Streamed | Interrupted, rules: Rules, received: int
) -> Transient | Permanent:
    """Judge a lost connection: the request was sent, so trying again may pay twice; the caller's rules decide."""
    error = described(Disconnected, detail, answer, received=received)
    return Transient(error) if rules.retry_sent else Permanent(error)


def shown(body: bytes) -> str:
    """Give the beginning of a body as text, without the white space that OpenRouter pads it with."""
    return body.lstrip()[:RAW_LIMIT].decode("utf-8", "replace")
