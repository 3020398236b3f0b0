"""The table of statuses, and the words that stand for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.outcomes import AT, STATUSES

from openrouter_core import errors as e
from openrouter_core import verdict as v
from openrouter_core.envelope import Problem
from openrouter_core.outcome import Interrupted, Responded
from openrouter_core.retry_after import server_time
from openrouter_core.verdict import Permanent, Transient

DOCUMENTED = {
    400: "context_length_exceeded max_tokens_exceeded token_limit_exceeded string_too_long invalid_request "
    "invalid_prompt content_policy_violation refusal invalid_image image_too_large image_too_small "
    "unsupported_image_format image_download_failed",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found image_not_found",
    412: "precondition_failed",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "server unmapped",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
}
"""OpenRouter docs, api_reference/errors-and-debugging: the error types, by status."""


@pytest.mark.parametrize(("name", "status"), [(name, n) for n, names in DOCUMENTED.items() for name in names.split()])
def test_every_documented_error_type_stands_for_its_status(name: str, status: int) -> None:
    assert v.effective_status(200, Problem(message="m", error_type=name)) == status
    assert v.effective_status(200, Problem(message="m", code=name)) == status
    assert v.effective_status(400, Problem(message="m", code=name)) == (status if v.transient(status) else 400)


@given(STATUSES, st.none() | STATUSES)
def test_the_body_may_soften_a_4xx_but_not_excuse_a_5xx(status: int, told: int | None) -> None:
    """Bug: the body's code replaces the status everywhere, and a 503 around a 400 is given up."""
    number = told if told is not None and 100 <= told <= 599 else None
    effective = v.effective_status(status, Problem(message="m", number=number))
    wrapped = 400 <= status < 500 and number is not None and (number in (408, 429) or number >= 500)
    assert effective == (number if wrapped or 200 <= status < 300 else status)


@given(STATUSES)
def test_408_429_and_5xx_pass_and_nothing_else_does(status: int) -> None:
    """Bug: 409 or 425 is retried, or 524 and 529 are not."""
    verdict = v.judged(status, Problem(message="m"), Responded(status, b"", {}, AT))
    passing = status in (408, 429, 500, 502, 503, 504, 520, 524, 529, 599) or 500 <= status < 600
    assert isinstance(verdict, Transient if passing else Permanent)
    assert verdict.error.status == status


def test_the_properties_bite() -> None:
    caught(
        test_408_429_and_5xx_pass_and_nothing_else_does,
        STATUSES,
        where=v,
        transient=lambda s: s in (429, 500, 502, 503),
    )
    caught(
        test_408_429_and_5xx_pass_and_nothing_else_does, STATUSES, where=v, transient=lambda s: s >= 408 and s != 410
    )
    caught(
        test_the_body_may_soften_a_4xx_but_not_excuse_a_5xx,
        STATUSES,
        st.none() | STATUSES,
        where=v,
        effective_status=lambda status, problem: problem.number or status,
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (None, e.ProviderError),
        (500, e.ProviderError),
        (599, e.ProviderError),
        (600, e.HttpError),
        (408, e.ProviderError),
        (418, e.HttpError),
        (302, e.HttpError),
    ],
)
def test_which_error_a_status_is(status: int | None, kind: type[e.DataSourceError]) -> None:
    assert v.error_type(status) is kind


@pytest.mark.parametrize(
    ("headers", "problem", "kind", "hint"),
    [
        ({"retry-after": "3"}, Problem(message="m", hint=2.0), Transient, 3.0),
        ({"retry-after": "3"}, Problem(message="m", hint=4.0), Transient, 4.0),
        ({}, Problem(message="m", retryable=False, hint=4.0), Permanent, 4.0),
        ({}, Problem(message="m", retryable=True), Transient, None),
        ({}, Problem(message="m", limit_source="openrouter_credits"), Permanent, None),
        ({}, Problem(message="m", limit_source="openrouter_free_tier_daily"), Permanent, 6 * 3600.0),
        ({"date": "Sun, 17 Mar 2030 17:00:00 GMT"}, Problem(message="limit_rpd"), Permanent, 7 * 3600.0),
    ],
)
def test_a_429_and_what_is_said_of_it(
    headers: dict[str, str], problem: Problem, kind: type[Transient | Permanent], hint: float | None
) -> None:
    result = v.judged(429, problem, Responded(429, b"", headers, AT))
    assert isinstance(result, kind)
    assert isinstance(result.error, e.RateLimited)
    assert result.error.retry_after == hint
    assert result.error.resets_at == (None if hint is None else server_time(headers, AT) + hint)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (Problem(message="m"), Permanent),
        (Problem(message="m", hint=2.0), Permanent),
        (Problem(message="m", limit_source="openrouter_in_flight_budget"), Permanent),
        (Problem(message="m", limit_source="openrouter_in_flight_budget", hint=2.0), Transient),
        (Problem(message="m", limit_source="openrouter_in_flight_budget", hint=2.0, reason="weight_exceeds_budget"),
         Permanent),
    ],
)  # fmt: skip
def test_a_402_passes_only_for_credits_held_for_requests_in_flight(
    problem: Problem, kind: type[Transient | Permanent]
) -> None:
    result = v.judged(402, problem, Responded(402, b"", {}, AT))
    assert isinstance(result, kind)
    assert isinstance(result.error, e.InsufficientCredits)
    assert result.error.retry_after == problem.hint


def test_a_lost_connection_is_the_callers_choice() -> None:
    lost = Interrupted("reset", 3, None, {"x-generation-id": "gen-1"})
    for rules, kind in ((v.Rules(), Transient), (v.Rules(retry_sent=False), Permanent)):
        result = v.interrupted("reset", lost, rules, 3)
        assert isinstance(result, kind)
        assert result.error == e.Disconnected(message="reset", received=3, generation_id="gen-1")


def test_a_validation_error_in_a_200_is_a_400() -> None:
    assert v.effective_status(200, Problem(message="m", invalid=True)) == 400


def test_instants_in_a_body_are_by_the_servers_clock() -> None:
    body = {"error": {"metadata": {"headers": {"X-RateLimit-Reset": str(int(AT * 1000))}}}}
    answer = Responded(429, b"", {"date": "Sun, 17 Mar 2030 17:59:30 GMT"}, AT)
    found = v.problem_in(body, answer)
    assert found is not None
    assert found.hint == 30.0


def test_a_body_is_shown_without_padding_and_bounded() -> None:
    assert v.shown(b"\n   \n{}") == "{}"
    assert v.shown(b"\xff" * 9999) == "\ufffd" * e.RAW_LIMIT


def test_only_a_2xx_is_the_bodys_and_only_a_4xx_is_softened() -> None:
    """Bug: a bound that is off by one, so that a 300 is good, or a 500 around a 429 is no server's failure."""
    within = [(200, 429), (299, 429), (400, 429), (499, 429)]
    beside = [(199, 199), (300, 300), (399, 399), (500, 500)]
    for status, effective in within + beside:
        assert v.effective_status(status, Problem(message="m", number=429)) == effective


@pytest.mark.parametrize("error", [None, False, "", {}, []])
def test_no_error_is_an_error_only_where_the_answer_says_that_it_failed(error: object) -> None:
    assert v.failure_of(error, "timeout", failed=False) is None
    told = v.failure_of(error, "timeout", failed=True)
    assert "failed" in told["message"]
    assert told["error_type"] == "timeout"


def test_the_type_in_an_error_goes_before_the_type_beside_it() -> None:
    assert v.failure_of({"code": 1}, "timeout", failed=False) == {"code": 1, "error_type": "timeout"}
    assert v.failure_of({"error_type": "server"}, "timeout", failed=True) == {"error_type": "server"}
    assert v.failure_of("broken", "timeout", failed=False) == "broken"


@pytest.mark.parametrize(
    ("headers", "limit", "message", "told"),
    [
        ({}, None, "m", (None, None)),
        ({}, 20.0, "free-models-per-min", (20.0, 60.0)),
        ({"x-ratelimit-limit": "50"}, 20.0, "free-models-per-day", (50.0, 86_400.0)),
        ({"x-ratelimit-limit": "50"}, None, "limit_rpm/some", (50.0, 60.0)),
    ],
)
def test_a_429_names_the_quota_by_the_headers_or_by_the_body(
    headers: dict[str, str], limit: float | None, message: str, told: tuple[float | None, float | None]
) -> None:
    error = v.judged(429, Problem(message=message, limit=limit), Responded(429, b"", headers, AT)).error
    assert isinstance(error, e.RateLimited)
    assert (error.limit, error.window_secs) == told


def test_an_error_is_described_with_or_without_what_the_body_says() -> None:
    answer = Responded(429, b"", {}, AT)
    bare = v.described(e.RateLimited, "m", answer)
    assert isinstance(bare, e.RateLimited)
    assert (bare.limit, bare.code) == (None, None)
    both = v.described(e.Disconnected, "m", answer, Problem(message="m", code="c"), received=3)
    assert isinstance(both, e.Disconnected)
    assert (both.code, both.received) == ("c", 3)


def test_a_number_goes_before_words() -> None:
    """Bug: a code that is a number in a text, or a type beside it, hides the status."""
    assert v.effective_status(200, Problem(message="m", number=429, code="429")) == 429
    assert v.effective_status(200, Problem(message="m", number=429, code="429", error_type="server")) == 429


def test_the_header_names_the_generation_before_the_body() -> None:
    problem = Problem(message="m", generation_id="gen-body")
    assert v.judged(500, problem, Responded(500, b"", {}, AT)).error.generation_id == "gen-body"
    head = Responded(500, b"", {"x-generation-id": "gen-head"}, AT)
    assert v.judged(500, problem, head).error.generation_id == "gen-head"
