"""A row becomes one request, or an error with its line, field, value and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_core.bulk.rows import Asking, Plan, decoded, planned, read_row
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}

LACKING = "is missing: a row needs this column, or another --template; its columns are:"


def plan(**settings: Any) -> Plan:
    return planned(Asking(**settings)).unwrap()


def asked(columns: dict[str, Any], **settings: Any) -> ChatCompletionRequest:
    return read_row(columns, "line 1", plan(**settings)).unwrap().request


def test_a_prompt_is_a_message_of_the_user() -> None:
    row = read_row({"id": 7, "prompt": "Hi {x}"}, "line 1", plan()).unwrap()
    assert row.custom_id == "7"
    assert row.request == ChatCompletionRequest(messages=[ChatMessage.user("Hi {x}")])
    assert read_row({"prompt": "a"}, "line 2", plan()).unwrap().custom_id is None


def test_a_template_and_a_system_prompt_are_filled_from_the_columns() -> None:
    request = asked({"city": "Rome", "n": 3}, template="{n} sights of {city}", system="You know {city}.")
    assert request.messages == [ChatMessage.system("You know Rome."), ChatMessage.user("3 sights of Rome")]


def test_whole_messages_are_taken_as_they_are() -> None:
    request = asked({"messages": [{"role": "user", "content": "a"}]}, system="s")
    assert [one.content for one in request.conversation if isinstance(one, ChatMessage)] == ["s", "a"]


def test_settings_are_for_rows_that_do_not_say_it_themselves() -> None:
    body = {"messages": [{"role": "user", "content": "a"}], "model": "own/model", "max_tokens": 5}
    kept = asked({"custom_id": "x", "body": body}, model="other/model", max_tokens=9)
    assert (kept.model, kept.max_tokens, kept.max_completion_tokens) == ("own/model", 5, None)
    given = asked({"prompt": "a"}, model="other/model", max_tokens=1, schema=SCHEMA)
    assert (given.model, given.max_completion_tokens) == ("other/model", 1)
    assert given.response_format == ResponseFormat.json_schema(SCHEMA, name="answer", strict=True)
    loose: dict[str, Any] = {"type": "object", "properties": {}}
    given = asked({"prompt": "a"}, schema=loose, schema_name="any")
    assert given.response_format == ResponseFormat.json_schema(loose, name="any", strict=False)
    own = asked({"body": {**body, "response_format": {"type": "text"}}}, schema=SCHEMA)
    assert own.response_format == ResponseFormat.text()


def test_unknown_names_of_a_body_are_sent_on() -> None:
    body = {"messages": [{"role": "user", "content": "a"}], "new_thing": 1}
    assert asked({"url": "/v1/chat/completions", "method": "POST", "body": body}).extra == {"new_thing": 1}


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({}, f"prompt {LACKING} none"),
        ({"prompt": None, "other": 1}, f"prompt {LACKING} prompt, other"),
        ({"x" * 300: 1}, f"prompt {LACKING} {'x' * 200}"),
        ({"custom_id": ["x"], "prompt": "a"}, "custom_id = ['x']: must be a string"),
        ({"body": "text"}, "body = 'text': must be an object: a chat completion request"),
        ({"body": {"messages": "text"}}, "messages = 'text': must be a list"),
        ({"body": {}, "url": "/v1/embeddings"}, "url = '/v1/embeddings': must be /v1/chat/completions: "),
        ({"body": {}, "method": "GET"}, "method = 'GET': must be POST"),
        ({"messages": "text"}, "messages = 'text': must be a list"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_field(columns: dict[str, Any], told: str) -> None:
    error = read_row(columns, "line 12", plan()).failure()
    assert error.message.startswith(f"line 12: {told}")
    assert error.message.endswith(str(error.bound))
    assert error.field == told.partition(" ")[0]
    assert "x" * 201 not in error.message


def test_a_column_that_the_system_prompt_lacks_is_named() -> None:
    error = read_row({"prompt": "a"}, "line 3", plan(system="{who}")).failure()
    assert error.field == "who"
    assert error.bound == LACKING.replace("--template", "--system") + " prompt"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "b'{': must be one JSON object"),
        (b"[1]", "[1]: must be a JSON object"),
        (b'"text"', "'text': must be a JSON object"),
        (b"\xff", r"b'\xff': must be one JSON object"),
        (b"[" * 5000, f"{b'[' * 60!r}: must be one JSON object"),
    ],
)
def test_a_line_that_is_no_object_is_told(line: bytes, told: str) -> None:
    assert decoded(line, "line 2").failure().message.startswith(f"line 2: row = {told}")


def test_a_line_is_decoded() -> None:
    assert decoded(b'{"prompt": "a"}', "line 1").unwrap() == {"prompt": "a"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_tokens": 0}, "max_tokens = 0: must be at least 1"),
        ({"template": "{"}, "template = '{': must name columns"),
        ({"system": "}"}, "system = '}': must name columns"),
    ],
)
def test_settings_that_make_no_sense_are_told(settings: dict[str, Any], told: str) -> None:
    error = planned(Asking(**settings)).failure()
    assert error.message.startswith(told)
    assert error.field == told.partition(" ")[0]
