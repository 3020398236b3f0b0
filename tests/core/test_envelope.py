"""Error envelopes: all shapes that OpenRouter sends, and anything else, are read into one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.outcomes import AT, ENVELOPES, JSON, PROBLEMS

from openrouter_core import envelope as v

BODIES = ENVELOPES | JSON | PROBLEMS.map(lambda error: {"error": error})


@given(BODIES)
def test_any_json_gives_a_bounded_problem_or_none(body: Any) -> None:
    """Bug: a message that is a list, a code that is a bool or a giant, a hint of nan: an exception, or a flood."""
    problem = v.problem_of(body, AT)
    if problem is None:
        return
    assert problem.message.splitlines() in ([problem.message], [])
    assert len(problem.message) <= v.TEXT_LIMIT
    assert not isinstance(problem.code, (bool, float))
    assert not isinstance(problem.code, int) or abs(problem.code) < 2**63
    assert problem.number is None or 100 <= problem.number <= 599
    assert problem.hint is None or 0.0 <= problem.hint < math.inf
    for name in (problem.error_type, problem.provider_name, problem.generation_id, problem.reason):
        assert name is None or len(name) <= v.NAME_LIMIT


@given(BODIES)
def test_there_is_a_problem_exactly_when_there_is_an_error(body: Any) -> None:
    """Bug: an error without a code, or one that is only a text, passes for none."""
    error = body.get("error") if isinstance(body, dict) else None
    assert (v.problem_of(body, AT) is not None) == (error not in (None, False, "", [], {}))


@given(st.text(min_size=1, max_size=40) | st.binary(max_size=9000))
def test_a_page_gives_one_bounded_line(page: str | bytes) -> None:
    """Bug: a whole HTML page as an error's message."""
    line = v.page_text(page if isinstance(page, bytes) else f"<html><TITLE lang=x>{page}</title>".encode())
    assert line.splitlines() in ([line], [])
    assert len(line) <= 200


def test_the_properties_bite() -> None:
    bounded = test_any_json_gives_a_bounded_problem_or_none
    caught(bounded, BODIES, where=v, bounded=lambda value: value)
    caught(bounded, BODIES, where=v, code_of=lambda code: code)
    caught(bounded, BODIES, where=v, mapping=lambda value: value, raises=AttributeError)
    exactly = test_there_is_a_problem_exactly_when_there_is_an_error
    strict = lambda body, _at: v.Problem(message="m") if "code" in v.mapping(v.mapping(body).get("error")) else None  # noqa: E731 - planted in the place of a function
    caught(exactly, BODIES, where=v, problem_of=strict)
    page = test_a_page_gives_one_bounded_line
    pages = st.binary(max_size=9000)
    caught(page, pages, where=v, page_text=lambda body: body.decode("utf-8", "replace"))


def problem(**error: Any) -> v.Problem:
    """The problem of an envelope of the common shape."""
    found = v.problem_of({"error": error}, AT)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "kept", "number"),
    [
        (429, 429, 429),
        ("429", "429", 429),
        ("server_error", "server_error", None),
        (429.0, None, 429),
        (429.5, None, None),
        (True, None, None),
        (None, None, None),
        ("", None, None),
        (0, 0, None),
        (-1, -1, None),
        (600, 600, None),
        (10**30, None, None),
        ({"code": 429}, None, None),
        ([429], None, None),
    ],
)
def test_a_code_is_a_number_a_text_or_nothing(code: Any, kept: int | str | None, number: int | None) -> None:
    found = problem(code=code, message="m")
    assert (found.code, found.number) == (kept, number)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("Too many requests", "it failed: Too many requests"),
        ('{"error":{"message":"Overloaded"}}', "it failed: Overloaded"),
        ({"error": {"message": "Overloaded"}}, "it failed: Overloaded"),
        ([{"error": {"code": 429, "message": "Quota", "status": "X"}}], "it failed: Quota"),
        ({"detail": [{"loc": ["a"], "msg": "field required"}]}, "it failed: field required"),
        ({"error": "flat"}, "it failed: flat"),
        ('{"code": 7}', 'it failed: {"code": 7}'),
        ({"code": 7}, "it failed"),
        ("it failed", "it failed"),
        ("<html>\n<b>no</b>", "it failed: <html> <b>no</b>"),
        ({"error": {"error": {"error": {"error": {"message": "too deep"}}}}}, "it failed"),
        ("", "it failed"),
        (None, "it failed"),
        (7, "it failed"),
        ([], "it failed"),
    ],
)
def test_the_providers_own_words_follow_the_message(raw: Any, words: str) -> None:
    assert problem(message="it failed", metadata={"raw": raw}).message == words


def test_a_typed_envelope_with_availability() -> None:
    found = problem(
        message="Full house",
        error_type="rate_limit_exceeded",
        http_status=429,
        availability={"code": "capacity_exhausted", "retryable": True, "retry_after": 40},
    )
    assert found == v.Problem(
        message="Full house", number=429, error_type="rate_limit_exceeded", retryable=True, hint=40.0
    )


def test_request_validation_tells_its_issues() -> None:
    issues = [{"path": ["messages", 0, "role"], "message": "Required"}, {"message": "Bad"}, {}, 3]
    found = v.problem_of({"success": False, "error": {"name": "ZodError", "message": json.dumps(issues)}}, AT)
    assert found == v.Problem(message="messages.0.role: Required; Bad", invalid=True)
    plain = v.problem_of({"success": False, "error": {"name": "ZodError", "message": "not a list"}}, AT)
    assert plain == v.Problem(message="not a list", invalid=True)


def test_the_anthropic_skin_and_responses() -> None:
    skin = {"type": "error", "error": {"type": "authentication_error", "message": "bad key"}, "request_id": "r"}
    assert v.problem_of(skin, AT) == v.Problem(message="bad key", error_type="authentication_error")
    responses = {"error": {"code": "invalid_prompt", "message": "no"}, "metadata": None}
    assert v.problem_of(responses, AT) == v.Problem(message="no", code="invalid_prompt")


@pytest.mark.parametrize(
    ("error", "message"),
    [("plain words", "plain words"), (["a"], "no message"), (True, "True"), ({"code": 5}, "no message")],
)
def test_an_error_of_another_shape_is_an_error_still(error: Any, message: str) -> None:
    found = v.problem_of({"error": error, "id": "gen-1", "provider": "Acme"}, AT)
    assert found is not None
    assert (found.message, found.generation_id) == (message, "gen-1")


@pytest.mark.parametrize(
    "body", [{}, {"error": None}, {"error": {}}, {"error": ""}, {"error": False}, [], None, "error"]
)
def test_no_error_is_none(body: Any) -> None:
    assert v.problem_of(body, AT) is None


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ({"metadata": {"retry_after_seconds": 3, "retry_after_seconds_raw": 3.4}}, 3.4),
        ({"metadata": {"retry_after": "5"}, "retry_after": 4}, 5.0),
        ({"metadata": {"headers": {"Retry-After": "6", "X-RateLimit-Reset": str(int((AT + 9) * 1000))}}}, 9.0),
        ({"metadata": {"headers": {"Retry-After": ["6"]}}}, None),
        ({"metadata": {"headers": {"RETRY-AFTER": 8}}}, 8.0),
        ({"metadata": {"retry_after_seconds": -3}, "retry_after": "soon"}, None),
        ({"metadata": None, "availability": None}, None),
    ],
)
def test_a_hint_may_stand_in_many_places_and_the_longest_counts(error: dict[str, Any], hint: float | None) -> None:
    assert problem(code=429, **error).hint == hint


def test_what_a_problem_takes_from_metadata() -> None:
    metadata = {"provider_name": "Acme", "limit_source": "x", "reason": "y", "error_type": "z"}
    found = problem(message="m", metadata=metadata)
    assert (found.provider_name, found.limit_source, found.reason, found.error_type) == ("Acme", "x", "y", "z")


def test_pages_and_texts() -> None:
    assert v.page_text(b"<html><head>\n<title class=a>502:\n Bad gateway</title>") == "502: Bad gateway"
    assert v.page_text(b"upstream  \n connect error") == "upstream connect error"
    assert v.page_text(b"") == ""
    assert v.bounded("x" * 601) == "x" * 599 + "…"
    assert v.bounded(" a\u2028b ") == "a b"
    assert v.parsed("{no") == "{no"


def test_a_status_and_a_limit_may_stand_beside_the_code() -> None:
    assert problem(message="m", code="x", status=429).number == 429
    assert problem(message="m", code=502, http_status=503, status=429).number == 502
    assert problem(message="m", http_status="503", status=429).number == 503
    assert problem(message="m", metadata={"headers": {"X-RateLimit-Limit": "20"}}).limit == 20.0
    assert (
        problem(message="m", metadata={"headers": {"X-RateLimit-Reset": "1900000000500"}}).resets_at == 1_900_000_000.5
    )


def test_what_stands_in_second_place_is_read_too() -> None:
    found = v.problem_of({"error": {"name": "BadThing"}, "provider": "Acme"}, AT)
    assert found == v.Problem(message="BadThing", provider_name="Acme")
    assert problem(metadata={"retry_after_seconds": 3}).hint == 3.0


def test_where_the_bounds_lie() -> None:
    assert [v.status_number(code) for code in (99, 100, 599, 600)] == [None, 100, 599, None]
    assert [v.code_of(code) for code in (2**63 - 1, 2**63, -(2**63))] == [2**63 - 1, None, None]
    assert v.page_text(b"x" * 300) == "x" * 200
    late = b"<title>t"
    assert v.page_text(b" " * (4096 - len(late)) + late) == "t"
    assert v.page_text(b" " * (4097 - len(late)) + late + b"u") == ""
    assert v.bounded("x" * 600) == "x" * 600
    assert v.bounded(" " * 1199 + "x") == "x"
    assert v.bounded(" " * 1200 + "x") == ""


def test_only_true_and_false_say_whether_to_try_again() -> None:
    assert [problem(availability={"retryable": flag}).retryable for flag in (True, False, 1, "yes", None)] == [
        True, False, None, None, None
    ]  # fmt: skip
