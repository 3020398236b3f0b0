"""What an outcome means: the whole table, row by row, and that nothing a server sends can break it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.outcomes import (
    AT,
    AT_DATE,
    DEEP,
    GOOD,
    OUTCOMES,
    PADDING,
    RESPONDED,
    STATUSES,
    failed,
    said,
    within_200,
)

from openrouter_core import classify as c
from openrouter_core import completion, verdict
from openrouter_core import errors as e
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.endpoint import Endpoint
from openrouter_core.outcome import Interrupted, Outcome, Responded, Streamed, TimedOut, Unreachable
from openrouter_core.retry_after import server_time
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient
from openrouter_core.wire.response import ChatCompletionResponse

RULES = st.builds(Rules, st.booleans(), st.booleans())
DEFAULT = Rules()


class Anything(msgspec.Struct):
    """An answer that is no chat completion."""

    value: int = 0


ENDPOINTS: st.SearchStrategy[Endpoint[Any, Any]] = st.sampled_from(
    [
        CHAT_COMPLETIONS,
        Endpoint("GET", "/x", dict, Anything),
        Endpoint("GET", "/y", dict, Any),
        Endpoint("GET", "/z", dict, bytes),
        Endpoint("DELETE", "/z", dict, type(None)),
        Endpoint("POST", "/z", dict, Anything, reports=True),
    ]
)


def classified(outcome: Outcome, rules: Rules = DEFAULT) -> Accepted[Any] | Transient | Permanent:
    """The verdict on the outcome of a chat completion."""
    return c.classify(CHAT_COMPLETIONS, outcome, rules)


# --- properties -----------------------------------------------------------------------------------------------------


@given(ENDPOINTS, OUTCOMES, RULES)
def test_every_outcome_has_a_verdict(endpoint: Endpoint[Any, Any], outcome: Outcome, rules: Rules) -> None:
    """Bug: one odd body (a code that is a list, JSON nested without end, a status of 999) raises in the retry loop."""
    match c.classify(endpoint, outcome, rules):
        case Accepted():
            assert isinstance(outcome, (Responded, Streamed))
        case Transient(error, hint):
            assert str(error).splitlines() == [str(error)]
            assert hint is None or 0.0 <= hint < float("inf")
        case Permanent(error):
            assert str(error).splitlines() == [str(error)]
            assert len(error.raw) <= e.RAW_LIMIT


@given(OUTCOMES, RULES)
def test_only_an_answer_with_choices_and_without_any_error_is_accepted(outcome: Outcome, rules: Rules) -> None:
    """Bug: HTTP 200 is taken for success, and the caller gets an answer that carries an error, or nothing."""
    result = classified(outcome, rules)
    if isinstance(result, Accepted):
        assert isinstance(outcome, (Responded, Streamed))
        assert 200 <= outcome.status < 300
        assert result.value.choices
        assert result.value.error is None
        assert all(choice.error is None and choice.finish_reason != "error" for choice in result.value.choices)


@given(RESPONDED, RULES)
def test_a_4xx_that_is_not_listed_is_permanent(answer: Responded, rules: Rules) -> None:
    """Bug: a request that is wrong is sent again and again."""
    body = c.plain(answer.body)
    error = body.get("error") if isinstance(body, dict) else None
    if 400 <= answer.status < 500 and answer.status not in (402, 408, 429) and not isinstance(error, dict):
        assert isinstance(classified(answer, rules), Permanent)


@given(st.integers(400, 499), st.integers(0, 99), RULES)
def test_a_4xx_whose_body_broke_off_is_judged_like_one_that_did_not(status: int, received: int, rules: Rules) -> None:
    """Bug: a refusal is sent again and again, because the connection was lost while its body came."""
    lost = classified(Interrupted("reset", received, status), rules)
    whole = classified(Responded(status, b""), rules)
    assert type(lost) is type(whole)
    assert not isinstance(lost, Accepted)
    assert not isinstance(whole, Accepted)
    assert type(lost.error) is type(whole.error)
    assert "reset" in lost.error.message


def test_the_status_of_a_broken_answer_bites() -> None:
    def forgetful(status: Any, problem: Any, answer: Any) -> Transient | Permanent:
        if isinstance(answer, Interrupted):
            return verdict.interrupted(problem.message, answer, DEFAULT, answer.received)
        return verdict.judged(status, problem, answer)

    prop = test_a_4xx_whose_body_broke_off_is_judged_like_one_that_did_not
    caught(prop, st.integers(400, 499), st.integers(0, 99), RULES, where=c, judged=forgetful)


@given(RESPONDED, st.booleans())
def test_the_servers_own_word_on_trying_again_wins(answer: Responded, retryable: bool) -> None:
    """Bug: the status is believed, and not `availability.retryable`."""
    error = {"code": 400, "message": "m", "availability": {"retryable": retryable}}
    answer = msgspec.structs.replace(answer, body=json.dumps({"error": error}).encode(), overflow=False)
    assert isinstance(classified(answer), Transient if retryable else Permanent)


@given(st.integers(0, 400), st.booleans())
def test_a_good_answer_cut_anywhere_was_cut(length: int, padded: bool) -> None:
    """Bug: an answer cut in the middle of a number or a letter counts as "not JSON", and is not tried again."""
    whole = json.dumps(GOOD | {"note": "häß", "n": [-1.5e-7, True, None]}, ensure_ascii=False).encode()
    body = (PADDING if padded else b"") + whole
    result = classified(said(body[: min(length, len(body) - 1)]))
    assert isinstance(result, Transient)
    assert isinstance(result.error, e.Disconnected)


@given(STATUSES, st.booleans())
def test_an_error_means_the_same_as_a_status_and_within_a_200(status: int, as_text: bool) -> None:
    """Bug: errors inside a 200, or codes written as text, are judged by other rules than statuses."""
    if 400 <= status < 600:
        code = str(status) if as_text else status
        outer, inner = classified(failed(status, code=code)), classified(within_200(code=code))
        assert type(outer) is type(inner)
        assert type(outer.error) is type(inner.error)  # type: ignore[union-attr] # a verdict of another kind fails the test too


def by_status_only(status: int, _problem: Any) -> int:
    """Planted: HTTP 200 is success enough."""
    return status


def test_the_properties_bite() -> None:
    whole = test_every_outcome_has_a_verdict
    odd = OUTCOMES | st.sampled_from([said(b'{"id": "\xff"}'), said(b"[" * 9000)])
    caught(whole, ENDPOINTS, odd, RULES, where=c, UNDECODABLE=(msgspec.DecodeError,), raises=Exception)
    only = test_only_an_answer_with_choices_and_without_any_error_is_accepted
    caught(only, OUTCOMES, RULES, where=completion, failed_completion=lambda _value, _answer: None)
    caught(only, OUTCOMES, RULES, where=c, judged_completion=lambda value, _answer, _rules: Accepted(value))
    fatal = test_a_4xx_that_is_not_listed_is_permanent
    caught(fatal, RESPONDED, RULES, where=verdict, transient=lambda status: status >= 404)
    word = test_the_servers_own_word_on_trying_again_wins
    original = verdict.judged
    deaf = lambda status, problem, answer: original(status, msgspec.structs.replace(problem, retryable=None), answer)  # noqa: E731 - planted in the place of a function
    caught(word, RESPONDED, st.booleans(), where=c, judged=deaf)
    caught(test_a_good_answer_cut_anywhere_was_cut, st.integers(0, 400), st.booleans(), where=c, TRUNCATED="?")
    same = test_an_error_means_the_same_as_a_status_and_within_a_200
    caught(same, STATUSES, st.booleans(), where=completion, effective_status=by_status_only)


def test_json_nested_without_end_is_no_more_than_not_json() -> None:
    for status in (200, 400):
        result = classified(Responded(status, b"[" * 10**6))
        assert isinstance(result, (Transient, Permanent))
    assert isinstance(classified(Responded(200, b'{"a":' * 10**5 + b"1" + b"}" * 10**5)), Permanent)


# --- the table ------------------------------------------------------------------------------------------------------

TRANSIENT, PERMANENT = Transient, Permanent
RESET = str(int((AT + 50) * 1000))
IN_FLIGHT = {"limit_source": "openrouter_in_flight_budget", "reason": "in_flight_budget_exhausted"}
HEAVY = {"limit_source": "openrouter_in_flight_budget", "reason": "weight_exceeds_budget"}
MIDNIGHT = 6 * 3600.0


def choice(**fields: Any) -> dict[str, Any]:
    """A good answer with a choice that is changed."""
    return GOOD | {"choices": [GOOD["choices"][0] | fields]}


ROWS: list[tuple[str, Outcome, type[Transient | Permanent], type[e.DataSourceError], float | None]] = [
    # An error in a 2xx is judged by its code, or else its type, as if it were the status.
    ("200, error only", within_200(code=429), TRANSIENT, e.RateLimited, None),
    ("200, error padded", said(PADDING + b'{"error":{"code":503,"message":"m"}}'), TRANSIENT, e.ProviderError, None),
    ("200, code as text", within_200(code="429"), TRANSIENT, e.RateLimited, None),
    ("200, code a word", within_200(code="server_error"), TRANSIENT, e.ProviderError, None),
    ("200, code a word for no", within_200(code="invalid_prompt"), PERMANENT, e.InvalidRequest, None),
    ("200, type only", within_200(error_type="rate_limit_exceeded"), TRANSIENT, e.RateLimited, None),
    ("200, type in metadata", within_200(metadata={"error_type": "refusal"}), PERMANENT, e.InvalidRequest, None),
    ("200, code before type", within_200(code=404, error_type="server"), PERMANENT, e.NotFound, None),
    ("200, http_status", within_200(http_status=403), PERMANENT, e.Forbidden, None),
    ("200, no code at all", within_200(), TRANSIENT, e.ProviderError, None),
    ("200, code of no meaning", within_200(code=1302), TRANSIENT, e.ProviderError, None),
    ("200, 400", within_200(code=400), PERMANENT, e.InvalidRequest, None),
    ("200, 401", within_200(code=401), PERMANENT, e.AuthError, None),
    ("200, 402", within_200(code=402), PERMANENT, e.InsufficientCredits, None),
    ("200, 402 in flight", within_200({"retry-after": "2"}, code=402, metadata=IN_FLIGHT), TRANSIENT,
     e.InsufficientCredits, 2.0),
    ("200, 502", within_200(code=502), TRANSIENT, e.ProviderError, None),
    ("200, validation", said({"success": False, "error": {"name": "ZodError", "message": "[]"}}), PERMANENT,
     e.InvalidRequest, None),
    ("200, error and choices", said(GOOD | {"error": {"code": 502, "message": "m"}}), TRANSIENT, e.ProviderError, None),
    ("200, empty error and choices", said(GOOD | {"error": {}}), TRANSIENT, e.ProviderError, None),
    ("200, error as text", said({"error": "no"}), TRANSIENT, e.ProviderError, None),
    ("200, error of a choice", said(choice(error={"code": 400, "message": "m"})), PERMANENT, e.InvalidRequest, None),
    ("200, choice that failed", said(choice(finish_reason="error")), TRANSIENT, e.ProviderError, None),
    ("201, error", said({"error": {"code": 429, "message": "m"}}, 201), TRANSIENT, e.RateLimited, None),
    ("200, error and a shape of its own", said({"choices": 7, "error": {"code": 429}}), TRANSIENT, e.RateLimited, None),
    # Nothing in it.
    ("200, choices null", said(GOOD | {"choices": None}), TRANSIENT, e.EmptyCompletion, None),
    ("200, choices empty", said(GOOD | {"choices": []}), TRANSIENT, e.EmptyCompletion, None),
    ("200, choices absent", said({"id": "gen-1"}), TRANSIENT, e.EmptyCompletion, None),
    # Not what it should be, or only its beginning.
    ("200, HTML", said(b"<html><title>Hello</title>"), PERMANENT, e.ParseError, None),
    ("200, null", said(None), PERMANENT, e.ParseError, None),
    ("200, array", said([]), PERMANENT, e.ParseError, None),
    ("200, scalar", said(3), PERMANENT, e.ParseError, None),
    ("200, another shape", said(GOOD | {"choices": {"index": 0}}), PERMANENT, e.ParseError, None),
    ("200, not UTF-8", said(b'{"id":"\xff\xfe"}'), PERMANENT, e.ParseError, None),
    ("200, trailing garbage", said(json.dumps(GOOD).encode() + b"x"), PERMANENT, e.ParseError, None),
    ("200, text that ends in a point", said(b"{Sorry."), PERMANENT, e.ParseError, None),
    ("200, nothing", said(b""), TRANSIENT, e.Disconnected, None),
    ("200, only padding", said(PADDING), TRANSIENT, e.Disconnected, None),
    ("200, cut short", said(json.dumps(GOOD).encode()[:-30]), TRANSIENT, e.Disconnected, None),
    ("200, cut in a number", said(b'{"usage":{"cost":0.'), TRANSIENT, e.Disconnected, None),
    ("200, too long", Responded(200, b"{", overflow=True), PERMANENT, e.ParseError, None),
    # 408, 429 and 5xx, and how long to wait.
    ("408", failed(408), TRANSIENT, e.ProviderError, None),
    ("429", failed(429), TRANSIENT, e.RateLimited, None),
    ("429, seconds", failed(429, {"retry-after": "7"}), TRANSIENT, e.RateLimited, 7.0),
    ("429, date", failed(429, {"retry-after": "Sun, 17 Mar 2030 18:00:09 GMT"}), TRANSIENT, e.RateLimited, 9.0),
    ("429, date by the server's clock", failed(429, {"retry-after": AT_DATE, "date": "Sun, 17 Mar 2030 17:59:00 GMT"}),
     TRANSIENT, e.RateLimited, 60.0),
    ("429, reset", failed(429, {"x-ratelimit-reset": RESET}), TRANSIENT, e.RateLimited, 50.0),
    ("429, body", failed(429, metadata={"retry_after_seconds": 3}), TRANSIENT, e.RateLimited, 3.0),
    ("429, availability", failed(429, availability={"retry_after": 40}), TRANSIENT, e.RateLimited, 40.0),
    ("429, mirrored", failed(429, metadata={"headers": {"X-RateLimit-Reset": RESET}}), TRANSIENT, e.RateLimited, 50.0),
    ("429, mirrored, by the server's clock", failed(429, {"date": "Sun, 17 Mar 2030 17:59:50 GMT"},
     metadata={"headers": {"X-RateLimit-Reset": RESET}}), TRANSIENT, e.RateLimited, 60.0),
    ("429, the longest", failed(429, {"retry-after": "7", "x-ratelimit-reset": RESET}, retry_after=8), TRANSIENT,
     e.RateLimited, 50.0),
    ("429, too long a body", msgspec.structs.replace(failed(429), overflow=True), TRANSIENT, e.RateLimited, None),
    ("500", failed(500), TRANSIENT, e.ProviderError, None),
    ("502, HTML", said(b"<title>Bad gateway</title>", 502), TRANSIENT, e.ProviderError, None),
    ("502, nothing", said(b"", 502), TRANSIENT, e.ProviderError, None),
    ("503, hint", failed(503, {"retry-after": "4"}), TRANSIENT, e.ProviderError, 4.0),
    ("504", failed(504), TRANSIENT, e.ProviderError, None),
    ("520, HTML", said(b"<html>", 520), TRANSIENT, e.ProviderError, None),
    ("524", said(b"", 524), TRANSIENT, e.ProviderError, None),
    ("529", failed(529), TRANSIENT, e.ProviderError, None),
    ("599", failed(599), TRANSIENT, e.ProviderError, None),
    ("500, code 400", failed(500, code=400), TRANSIENT, e.ProviderError, None),
    # Quotas that no wait helps.
    ("429, daily by source", failed(429, metadata={"limit_source": "openrouter_free_tier_daily"}), PERMANENT,
     e.RateLimited, MIDNIGHT),
    ("429, daily by message", failed(429, message="Rate limit exceeded: free-models-per-day-high-balance"), PERMANENT,
     e.RateLimited, MIDNIGHT),
    ("429, daily with reset", failed(429, {"x-ratelimit-reset": RESET}, message="limit_rpd/acme"), PERMANENT,
     e.RateLimited, 50.0),
    ("429, daily in a 200", within_200(code=429, message="free-models-per-day"), PERMANENT, e.RateLimited, MIDNIGHT),
    ("429, key budget", failed(429, metadata={"limit_source": "openrouter_key_limit"}), PERMANENT, e.RateLimited, None),
    ("429, shared pool", failed(429, metadata={"limit_source": "upstream_provider_shared_pool"}), TRANSIENT,
     e.RateLimited, None),
    # 402
    ("402", failed(402), PERMANENT, e.InsufficientCredits, None),
    ("402, Retry-After alone", failed(402, {"retry-after": "2"}), PERMANENT, e.InsufficientCredits, 2.0),
    ("402, in flight", failed(402, {"retry-after": "2"}, metadata=IN_FLIGHT), TRANSIENT, e.InsufficientCredits, 2.0),
    ("402, in flight, at once", failed(402, {"retry-after": "0"}, metadata=IN_FLIGHT), TRANSIENT,
     e.InsufficientCredits, 0.0),
    ("402, in flight, no hint", failed(402, metadata=IN_FLIGHT), PERMANENT, e.InsufficientCredits, None),
    ("402, too heavy", failed(402, {"retry-after": "2"}, metadata=HEAVY), PERMANENT, e.InsufficientCredits, 2.0),
    # A failure of a provider wrapped in a 4xx.
    ("400 around 502", failed(400, code=502), TRANSIENT, e.ProviderError, None),
    ("400 around '502'", failed(400, code="502"), TRANSIENT, e.ProviderError, None),
    ("400 around 429", failed(400, {"retry-after": "3"}, code=429), TRANSIENT, e.RateLimited, 3.0),
    ("400 around 408", failed(400, code=408), TRANSIENT, e.ProviderError, None),
    ("404 around 529", failed(404, code=529), TRANSIENT, e.ProviderError, None),
    ("400 around a daily quota", failed(400, code=429, message="free-models-per-day"), PERMANENT, e.RateLimited,
     MIDNIGHT),
    ("400 around 401", failed(400, code=401), PERMANENT, e.InvalidRequest, None),
    # Any other 4xx, and what is no status of an answer.
    ("400", failed(400, code=400), PERMANENT, e.InvalidRequest, None),
    ("400, type only", failed(400, error_type="provider_overloaded"), PERMANENT, e.InvalidRequest, None),
    ("401", failed(401), PERMANENT, e.AuthError, None),
    ("403", failed(403), PERMANENT, e.Forbidden, None),
    ("404", failed(404), PERMANENT, e.NotFound, None),
    ("409", failed(409), PERMANENT, e.HttpError, None),
    ("410", failed(410), PERMANENT, e.HttpError, None),
    ("412", failed(412), PERMANENT, e.HttpError, None),
    ("413", failed(413), PERMANENT, e.InvalidRequest, None),
    ("422", failed(422), PERMANENT, e.InvalidRequest, None),
    ("425", failed(425), PERMANENT, e.HttpError, None),
    ("499", failed(499), PERMANENT, e.HttpError, None),
    ("101", said(b"", 101), PERMANENT, e.HttpError, None),
    ("302", said(b"", 302, {"location": "https://evil"}), PERMANENT, e.HttpError, None),
    ("304", said(b"", 304), PERMANENT, e.HttpError, None),
    ("600", said(b"", 600), PERMANENT, e.HttpError, None),
    ("0", said(b"", 0), PERMANENT, e.HttpError, None),
    ("-1", said(b"", -1), PERMANENT, e.HttpError, None),
    # The server's own word.
    ("404, retryable", failed(404, availability={"retryable": True, "retry_after": 2}), TRANSIENT, e.NotFound, 2.0),
    ("429, not retryable", failed(429, availability={"retryable": False}), PERMANENT, e.RateLimited, None),
    ("503, not retryable", failed(503, availability={"retryable": False}), PERMANENT, e.ProviderError, None),
    ("503, retryable is a text", failed(503, availability={"retryable": "no"}), TRANSIENT, e.ProviderError, None),
    ("402, retryable", failed(402, availability={"retryable": True}), TRANSIENT, e.InsufficientCredits, None),
    ("daily, retryable", failed(429, message="limit_rpd", availability={"retryable": True, "retry_after": 3}),
     TRANSIENT, e.RateLimited, 3.0),
    # No answer.
    ("timeout", TimedOut("attempt", 60.0), TRANSIENT, e.Timeout, None),
    ("connect timeout", TimedOut("connect", 10.0, sent=False), TRANSIENT, e.Timeout, None),
    ("never connected", Unreachable("refused", "no", "host", 111), TRANSIENT, e.ConnectError, None),
    ("closed by us", Unreachable("closed", "closed"), PERMANENT, e.ConnectError, None),
    ("lost", Interrupted("reset", 12, 200), TRANSIENT, e.Disconnected, None),
    ("206, lost", Interrupted("reset", 12, 206), TRANSIENT, e.Disconnected, None),
    ("lost before the head", Interrupted("reset"), TRANSIENT, e.Disconnected, None),
    # An error whose body broke off after its head is still that error.
    ("401, lost", Interrupted("reset", 3, 401, {}, AT), PERMANENT, e.AuthError, None),
    ("404, lost", Interrupted("reset", 3, 404, {"retry-after": "3"}, AT), PERMANENT, e.NotFound, None),
    ("302, lost", Interrupted("reset", 0, 302, {}, AT), PERMANENT, e.HttpError, None),
    ("402, lost", Interrupted("reset", 3, 402, {"retry-after": "3"}, AT), PERMANENT, e.InsufficientCredits, 3.0),
    ("429, lost", Interrupted("reset", 3, 429, {"retry-after": "3"}, AT), TRANSIENT, e.RateLimited, 3.0),
    ("429, lost, until an instant", Interrupted("reset", 3, 429, {"x-ratelimit-reset": RESET}, AT), TRANSIENT,
     e.RateLimited, 50.0),
    ("503, lost", Interrupted("reset", 3, 503, {"retry-after": "4"}, AT), TRANSIENT, e.ProviderError, 4.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "meaning", "error", "hint"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_table(
    outcome: Outcome, meaning: type[Transient | Permanent], error: type[e.DataSourceError], hint: float | None
) -> None:
    result = classified(outcome)
    assert type(result) is meaning
    assert not isinstance(result, Accepted)
    assert type(result.error) is error
    if isinstance(result, Transient):
        assert result.hint == hint
    if isinstance(result.error, (e.RateLimited, e.InsufficientCredits)):
        assert result.error.retry_after == hint
    if isinstance(result.error, e.RateLimited):
        now = server_time(outcome.headers, AT) if isinstance(outcome, Responded) else AT
        assert result.error.resets_at == (None if hint is None else now + hint)


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD | {"error": None},
        GOOD | {"tomorrow": {"a": [1]}},
        choice(message=None),
        choice(message={"role": "assistant", "content": None}, error=None),
        choice(finish_reason="tomorrow"),
        choice(finish_reason=None),
        {"choices": [{}]},
    ],
)
@pytest.mark.parametrize("padding", [b"", PADDING])
@pytest.mark.parametrize("status", [200, 201, 299])
def test_the_row_of_success(body: dict[str, Any], padding: bytes, status: int) -> None:
    result = classified(said(padding + json.dumps(body).encode(), status))
    assert isinstance(result, Accepted)
    assert isinstance(result.value, ChatCompletionResponse)


@pytest.mark.parametrize(
    "outcome",
    [TimedOut("attempt", 60.0), Interrupted("reset"), said(b'{"id":'), said(b"")],
    ids=lambda o: type(o).__name__,
)
def test_retry_sent_false_gives_up_what_may_have_been_billed(outcome: Outcome) -> None:
    assert isinstance(classified(outcome), Transient)
    assert isinstance(classified(outcome, Rules(retry_sent=False)), Permanent)


@pytest.mark.parametrize("outcome", [TimedOut("connect", 10.0, sent=False), Unreachable("dns", "no"), failed(503)])
def test_retry_sent_false_still_retries_what_was_not_sent_or_was_answered(outcome: Outcome) -> None:
    assert isinstance(classified(outcome, Rules(retry_sent=False)), Transient)


# --- what errors tell -----------------------------------------------------------------------------------------------


def error_of(outcome: Outcome) -> e.DataSourceError:
    """The error in the verdict on an outcome."""
    result = classified(outcome)
    assert not isinstance(result, Accepted)
    return result.error


def test_an_error_tells_all_that_the_answer_told() -> None:
    body = {
        "error": {
            "code": "429",
            "message": "Provider returned error",
            "metadata": {"raw": "slow down", "provider_name": "Acme", "error_type": "rate_limit_exceeded"},
        },
        "id": "gen-1-body",
    }
    error = error_of(said(body, 429, {"x-generation-id": "gen-1-head", "retry-after": "9"}))
    assert error == e.RateLimited(
        message="Provider returned error: slow down",
        status=429,
        code="429",
        error_type="rate_limit_exceeded",
        provider_name="Acme",
        generation_id="gen-1-head",
        raw=json.dumps(body),
        retry_after=9.0,
        resets_at=AT + 9.0,
    )
    assert error_of(said(body, 429)).generation_id == "gen-1-body"


def test_an_error_keeps_the_beginning_of_the_body_only() -> None:
    error = error_of(said(PADDING + b"<p>" + b"x" * 10**6, 502))
    assert len(error.raw) == e.RAW_LIMIT
    assert error.raw.startswith("<p>")
    assert len(str(error)) < 400


def test_a_redirect_says_where_to_and_why_not() -> None:
    assert "https://elsewhere not followed" in str(error_of(said(b"", 307, {"location": "https://elsewhere"})))
    for status in (300, 307, 399):
        assert "redirect to nowhere not followed" in error_of(said(b"", status)).message
    for status in (199, 400):
        assert error_of(said(b"", status)).message == "no message in the body"
    assert error_of(said(b"busy", 500)).message == "busy"


def test_a_300_is_no_answer() -> None:
    """Bug: a bound that is off by one takes a list of choices of another kind for an answer."""
    assert isinstance(error_of(said(GOOD, 300)), e.HttpError)
    assert isinstance(error_of(Interrupted("lost", 5, 300)), e.HttpError)
    assert isinstance(error_of(Interrupted("lost", 5, 299)), e.Disconnected)


def test_a_body_of_another_shape_says_where() -> None:
    error = error_of(said(GOOD | {"choices": [{"index": "one"}]}))
    assert isinstance(error, e.ParseError)
    assert error.path == "$.choices[0].index"
    assert error.text.startswith("{")
    assert error_of(said(b"oops!")).message.endswith("; it begins: oops!")
    assert error_of(said(b"<title> </title>")).message.endswith("; it begins: empty")
    cut = error_of(said(b'{"id": '))
    assert isinstance(cut, e.Disconnected)
    assert (cut.message, cut.received) == ("the answer ended before its JSON did", 7)
    assert error_of(said(b"oops!")) == e.ParseError(
        message=error_of(said(b"oops!")).message, status=200, raw="oops!", text="oops!"
    )


def test_what_never_arrived_says_which_step_failed() -> None:
    assert error_of(Unreachable("dns", "no such host", "openrouter.ai", -2)) == e.ConnectError(
        message="no such host", kind="dns", host="openrouter.ai", errno=-2
    )
    timeout = error_of(TimedOut("connect", 10.0, sent=False))
    assert timeout == e.Timeout(
        message="connect timeout: nothing complete within 10 s", clock="connect", after=10.0, sent=False
    )
    lost = error_of(Interrupted("reset", 5, 200, {"x-generation-id": "gen-1"}))
    assert lost == e.Disconnected(message="reset", received=5, status=200, generation_id="gen-1")


def test_another_endpoints_answer_is_accepted_as_it_decodes() -> None:
    endpoint: Endpoint[Any, Anything] = Endpoint("GET", "/x", dict, Anything)
    assert c.classify(endpoint, said({"value": 3}), DEFAULT) == Accepted(Anything(3))
    assert isinstance(c.classify(endpoint, said({"value": "x"}), DEFAULT), Permanent)
    assert isinstance(c.classify(Endpoint("GET", "/y", dict, Any), said(b"1."), DEFAULT), Permanent)
    limited = c.classify(endpoint, said({"value": "x", "error": {"code": 429}}), DEFAULT)
    assert isinstance(limited, Transient)


RESPONSES: Endpoint[Any, Any] = Endpoint("POST", "/responses", dict, Anything)


@pytest.mark.parametrize(
    ("body", "kind", "transient"),
    [
        (b'{"error": {"code": 429, "message": "slow"}, "value": 1}', e.RateLimited, True),
        (b'{"error": {"code": "invalid_prompt", "message": "no"}, "metadata": null}', e.InvalidRequest, False),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}', e.ProviderError, True),
        (b'{"id": "r", "status": "failed", "error": null}', e.ProviderError, True),
        (b'{"id": "r", "status": "failed", "error": null, "error_type": "authentication"}', e.AuthError, False),
        (b'{"id": "r", "error": {"message": "no"}, "error_type": "payment_required"}', e.InsufficientCredits, False),
        (b'{"id": "r", "status": "failed", "error": "server_error"}', e.ProviderError, True),
    ],
)
def test_an_object_that_failed_is_a_failure(body: bytes, kind: type[e.DataSourceError], transient: bool) -> None:
    """OpenRouter answers 200 before it knows; responses and messages say so inside, as chat completions do."""
    verdict_of = c.classify(RESPONSES, Responded(200, body, {}), DEFAULT)
    assert isinstance(verdict_of, Transient if transient else Permanent)
    assert isinstance(verdict_of.error, kind)
    assert verdict_of.error.generation_id == msgspec.json.decode(body).get("id")


@pytest.mark.parametrize(
    "body", [b'{"value": 5, "error": null}', b'{"value": 5, "said": ["error", "failed"]}', b'{"value": 5, "error": {}}']
)
def test_an_object_that_did_not_fail_is_good(body: bytes) -> None:
    assert c.classify(RESPONSES, Responded(200, body, {}), DEFAULT) == Accepted(Anything(5))


def test_a_job_that_failed_is_an_answer_about_it() -> None:
    job = Endpoint("GET", "/videos/{id}", dict, Anything, reports=True)
    body = b'{"value": 5, "status": "failed", "error": "too dark"}'
    assert c.classify(job, Responded(200, body, {}), DEFAULT) == Accepted(Anything(5))


def test_a_list_that_speaks_of_errors_is_good() -> None:
    listing: Endpoint[Any, Any] = Endpoint("GET", "/x", dict, Any)
    assert c.classify(listing, Responded(200, b'[{"error": 1}]', {}), DEFAULT) == Accepted([{"error": 1}])


def test_bytes_are_handed_over_as_they_came_unless_they_are_an_error() -> None:
    sound: Endpoint[Any, Any] = Endpoint("POST", "/audio/speech", dict, bytes)
    broken = b'{"error": {"code": 503, "message": "busy"}}'
    as_json = {"content-type": "application/json; charset=utf-8"}
    assert c.classify(sound, Responded(200, b"\xff", {"content-type": "audio/mpeg"}), DEFAULT) == Accepted(b"\xff")
    assert c.classify(sound, Responded(200, broken, {"content-type": "text/plain"}), DEFAULT) == Accepted(broken)
    assert c.classify(sound, Responded(200, b"[1]", as_json), DEFAULT) == Accepted(b"[1]")
    assert isinstance(c.classify(sound, Responded(200, broken, as_json), DEFAULT), Transient)
    wrong = broken.replace(b"503", b"400")
    assert isinstance(c.classify(sound, Responded(200, wrong, as_json), DEFAULT), Permanent)
    nothing: Endpoint[Any, Any] = Endpoint("DELETE", "/x", dict, type(None))
    assert c.classify(nothing, Responded(204, b"", {}), DEFAULT) == Accepted(None)


@pytest.mark.parametrize("status", [200, 302, 429])
def test_headers_with_bytes_that_are_no_unicode_are_no_obstacle(status: int) -> None:
    headers = dict.fromkeys(["location", "x-generation-id", "retry-after", "x-ratelimit-reset", "date"], "\udcff")
    result = classified(said(b"\xff", status, headers))
    assert isinstance(result, (Transient, Permanent))


@given(DEEP)
def test_an_error_nested_deeply_is_an_error(body: bytes) -> None:
    """Bug: writing a value that could just be decoded recurses once too often."""
    assert isinstance(classified(said(body, 400)), Permanent)


def test_how_msgspec_says_that_json_ended_too_early() -> None:
    assert c.truncated_message() == c.TRUNCATED
    assert "truncated" in c.TRUNCATED
