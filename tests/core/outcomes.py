"""Outcomes and errors to try the core on: hand-made ones, and strategies biased towards what servers get wrong."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import strategies as st

from openrouter_core import errors as e
from openrouter_core.outcome import (
    Cut,
    Finished,
    Interrupted,
    Lost,
    Malformed,
    Outcome,
    Overlong,
    Responded,
    Stalled,
    Streamed,
    TimedOut,
    Unreachable,
)
from openrouter_core.wire.attempt import Attempt
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

AT = 1_900_000_800.0
"""An instant, in seconds since the epoch: 2030-03-17, 18:00 UTC, a Sunday."""

AT_DATE = "Sun, 17 Mar 2030 18:00:00 GMT"

PADDING = b"\n         \n\n         \n"
"""What OpenRouter sends to keep a connection alive."""

GOOD: dict[str, Any] = {
    "id": "gen-1900000000-aaaaaaaaaaaaaaaaaaaa",
    "object": "chat.completion",
    "model": "x-ai/grok-4.7",
    "provider": "SpaceXAI",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It will rain."}},
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "cost": 0.000125},
}


def said(body: Any, status: int = 200, headers: dict[str, str] | None = None, at: float = AT) -> Responded:
    """An HTTP answer; a body that is not bytes is written as JSON."""
    return Responded(status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {}, at)


def failed(status: int, headers: dict[str, str] | None = None, /, **error: Any) -> Responded:
    """An HTTP answer with OpenRouter's error envelope."""
    return said({"error": {"message": "it failed", **error}}, status, headers)


def within_200(headers: dict[str, str] | None = None, /, **error: Any) -> Responded:
    """The same error, under HTTP 200."""
    return failed(200, headers, **error)


def streamed(end: Any, *, text: str = "", error: Any = None, delivered: bool = False) -> Streamed:
    """A stream that ended so, with this text so far."""
    choice = Choice(index=0, finish_reason="stop", message=ResponseMessage(role="assistant", content=text))
    answer = ChatCompletionResponse(id="gen-1-s", choices=[choice] if text else None, error=error)
    return Streamed(200, end, answer, {"x-generation-id": "gen-1-h"}, AT, delivered=delivered, received=7)


# --- strategies -----------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY_FLOAT = st.floats() | st.sampled_from([0.0, -0.0, -1.0, 1.0, 2.0, 1e-320, 1e300, math.inf, -math.inf, math.nan])
NUMBERS = st.sampled_from([-1, 0, 1, 3, 40, 1e-9, 0.5, 86_400, 1e8, 1e11, AT + 5, (AT + 7) * 1000, 1e300, 10**400])
SCALARS = st.none() | st.booleans() | st.integers() | FINITE | NUMBERS | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
)

STATUSES = (
    st.sampled_from(
        [
            *(
                -1,
                0,
                99,
                100,
                101,
                199,
                200,
                201,
                204,
                299,
                300,
                301,
                304,
                399,
                400,
                401,
                402,
                403,
                404,
                405,
                408,
                409,
                410,
            ),
            *(
                412,
                413,
                418,
                422,
                425,
                429,
                431,
                451,
                499,
                500,
                501,
                502,
                503,
                504,
                520,
                524,
                529,
                599,
                600,
                999,
                10**30,
            ),
        ]
    )
    | st.integers()
)

CODES = (
    STATUSES
    | STATUSES.map(str)
    | st.sampled_from(["server_error", "rate_limit_exceeded", "invalid_prompt", "timeout", "", "429.0", "1e400", 429.0])
    | JSON
)

DATES = st.sampled_from(
    [
        AT_DATE,
        "Sun, 17 Mar 2030 18:01:00 GMT",
        "Sunday, 17-Mar-30 18:00:30 GMT",
        "Sun Mar 17 18:00:10 2030",
        "GMT",
        "Sun, 99 Mar 2030 18:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ]
)
HEADER_TEXT: st.SearchStrategy[str] = (
    st.text(max_size=20) | NUMBERS.map(str) | DATES | st.sampled_from(["nan", "inf", "-1", " 2 ", ""])
)
HEADER_NAMES = st.sampled_from(
    ["retry-after", "retry-after-ms", "x-ratelimit-reset", "date", "location", "x-generation-id", "x-other"]
)
HEADERS = st.dictionaries(HEADER_NAMES, HEADER_TEXT, max_size=4)

RAWS = (
    TEXT
    | JSON
    | JSON.map(json.dumps)
    | st.sampled_from(['{"error":{"message":"upstream said so"}}', "<html>", [{"error": {"message": "listed"}}]])
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "raw": RAWS,
        "provider_name": TEXT | JSON,
        "error_type": st.sampled_from(["rate_limit_exceeded", "refusal", "tomorrow"]) | JSON,
        "limit_source": st.sampled_from(["openrouter_free_tier_daily", "openrouter_in_flight_budget"]) | JSON,
        "reason": st.just("weight_exceeds_budget") | JSON,
        "retry_after_seconds": SCALARS,
        "headers": st.dictionaries(st.sampled_from(["Retry-After", "X-RateLimit-Reset", "DATE"]), HEADER_TEXT | JSON),
    },
)
PROBLEMS = st.fixed_dictionaries(
    {},
    optional={
        "code": CODES,
        "message": TEXT | JSON | st.just("Rate limit exceeded: free-models-per-day"),
        "name": st.just("ZodError") | JSON,
        "type": TEXT,
        "error_type": st.sampled_from(["server", "timeout", "not_found"]) | JSON,
        "http_status": CODES,
        "availability": st.fixed_dictionaries({}, optional={"retryable": JSON, "retry_after": SCALARS}) | JSON,
        "metadata": METADATA | JSON,
    },
)
CHOICES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "finish_reason": st.sampled_from(["stop", "error", None, "tomorrow"]),
        "message": st.sampled_from([None, {}, {"content": None}, {"content": "yes"}, {"tool_calls": []}]),
        "error": st.none() | PROBLEMS | JSON,
    },
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "error": PROBLEMS | JSON,
        "choices": st.none() | st.lists(CHOICES, max_size=2) | JSON,
        "id": JSON,
        "usage": st.sampled_from([None, {}, {"completion_tokens": 0}, {"completion_tokens": 3}]) | JSON,
    },
)
DEEP = st.integers(1, 3000).map(lambda n: b'{"error":' + b'[{"a":' * n + b"1" + b"}]" * n + b"}")
WHOLE = (ENVELOPES | JSON).map(lambda body: json.dumps(body).encode())
BODIES = (
    st.binary(max_size=60)
    | WHOLE
    | WHOLE.map(lambda body: PADDING + body)
    | st.tuples(WHOLE, st.integers(0, 300)).map(lambda cut: cut[0][: cut[1]])
    | DEEP
    | st.sampled_from([b"", PADDING, b"null", b"[]", b'"a"', b"\xff\xfe", b"<title>"])
    | st.just(b'{"error":1,"error":{"code":429}}')
)

NEARLY_GOOD = st.fixed_dictionaries(
    {},
    optional={
        "error": PROBLEMS | st.sampled_from([None, {}, False, "text"]),
        "choices": st.lists(CHOICES, max_size=2) | st.none(),
        "id": st.none(),
    },
).map(lambda changes: json.dumps(GOOD | changes).encode())
RESPONDED = st.builds(
    Responded,
    STATUSES | st.just(200),
    BODIES | NEARLY_GOOD,
    HEADERS,
    FINITE | st.just(AT),
    st.sampled_from([False, False, False, False, True]),
)
ANSWERS = st.builds(
    ChatCompletionResponse,
    id=st.none() | TEXT,
    choices=st.none()
    | st.lists(
        st.builds(
            Choice,
            finish_reason=st.sampled_from([None, "stop", "error"]),
            message=st.none() | st.builds(ResponseMessage, content=st.none() | TEXT),
            error=st.none() | PROBLEMS,
        ),
        max_size=2,
    ),
    usage=st.none() | st.builds(Usage, completion_tokens=st.integers(0, 2)),
    error=st.none() | PROBLEMS,
)
SECONDS = st.floats(0.0, 1e6)
ENDS = st.one_of(
    st.just(Finished()),
    st.builds(Cut, TEXT),
    st.builds(Malformed, TEXT, TEXT),
    st.builds(Overlong, st.integers(0, 9)),
    st.builds(Lost, TEXT),
    st.builds(Stalled, st.sampled_from(["first_event", "idle", "attempt"]), SECONDS),
)
STREAMED = st.builds(
    Streamed, STATUSES.filter(lambda status: 200 <= status < 300), ENDS, ANSWERS, HEADERS, SECONDS, st.booleans()
)
UNANSWERED: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(TimedOut, st.sampled_from(["connect", "attempt", "first_event", "idle"]), SECONDS, st.booleans()),
    st.builds(Unreachable, st.sampled_from(["dns", "refused", "tls", "reset", "proxy", "closed", "other"]), TEXT, TEXT),
    st.builds(Interrupted, TEXT, st.integers(0, 99), st.none() | STATUSES, HEADERS),
)
OUTCOMES: st.SearchStrategy[Outcome] = RESPONDED | STREAMED | UNANSWERED

ATTEMPTS = st.lists(
    st.builds(Attempt, number=st.integers(1, 9), started=SECONDS, ended=SECONDS, outcome=TEXT, waited=SECONDS),
    max_size=3,
).map(tuple)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "message": TEXT,
    "attempts": ATTEMPTS,
    "generation_id": st.none() | TEXT,
    "provider_name": st.none() | TEXT,
    "status": st.none() | st.integers(0, 999),
    "code": st.none() | st.integers(-(2**63), 2**63) | TEXT,
    "error_type": st.none() | TEXT,
    "raw": TEXT,
}
OWN: dict[type[e.DataSourceError], dict[str, st.SearchStrategy[Any]]] = {
    e.ConnectError: {"kind": TEXT, "host": TEXT, "errno": st.none() | st.integers(0, 200)},
    e.AuthError: {},
    e.InvalidRequest: {"field": st.none() | TEXT, "value": st.none() | TEXT, "bound": st.none() | TEXT},
    e.InsufficientCredits: {"retry_after": st.none() | SECONDS},
    e.Forbidden: {},
    e.NotFound: {},
    e.RateLimited: {"retry_after": st.none() | SECONDS, "resets_at": st.none() | SECONDS},
    e.Timeout: {"clock": TEXT, "after": SECONDS, "sent": st.booleans()},
    e.Disconnected: {"received": st.integers(0, 9)},
    e.HttpError: {},
    e.ProviderError: {},
    e.ParseError: {"path": st.none() | TEXT, "text": TEXT},
    e.EmptyCompletion: {},
    e.TruncatedStream: {"partial": st.none() | st.builds(ChatCompletionResponse, id=TEXT)},
    e.ToolLoopFailed: {
        "cause": st.builds(e.RateLimited, **COMMON) | st.builds(e.NotFound, **COMMON),
        "turns": st.integers(0, 9),
        "cost": st.none() | SECONDS,
    },
    e.LedgerFailed: {"path": TEXT},
    e.BudgetExceeded: {
        "maximum": SECONDS,
        "spent": SECONDS,
        "reserved": SECONDS,
        "worst": st.none() | SECONDS,
        "missing": st.none() | SECONDS,
    },
    e.DeadlineExceeded: {
        "deadline": SECONDS,
        "needed": st.none() | SECONDS,
        "cause": st.none() | st.builds(e.RateLimited, **COMMON) | st.builds(e.Timeout, **COMMON),
    },
}
"""Every kind of error, with its own fields."""

ERRORS: st.SearchStrategy[e.DataSourceError] = st.one_of(
    [st.builds(kind, **(COMMON | own)) for kind, own in OWN.items()]
)
