"""A row becomes one request, or an error with its line, field, value and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_core.bulk.rows import Asking, Plan, decoded, planned, read_row
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def plan(**settings: Any) -> Plan:
    return planned(Asking(**settings)).unwrap()


def asked(columns: dict[str, Any], **settings: Any) -> ChatCompletionRequest:
    return read_row(columns, "line 1", plan(**settings)).unwrap().request


def test_a_prompt_is_a_message_of_the_user() -> None:
    row = read_row({"id": 7, "prompt": "Hi {x}"}, "line 1", plan()).unwrap()
    assert row.custom_id == "7"
    assert row.request == ChatCompletionRequest(messages=[ChatMessage.user("Hi {x}")])


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
    given = asked({"prompt": "a"}, model="other/model", max_tokens=9, schema=SCHEMA)
    assert (given.model, given.max_completion_tokens) == ("other/model", 9)
    assert given.response_format is not None
    assert asked({"body": {**body, "response_format": {"type": "text"}}}, schema=SCHEMA).response_format is not None


def test_unknown_names_of_a_body_are_sent_on() -> None:
    body = {"messages": [{"role": "user", "content": "a"}], "new_thing": 1}
    assert asked({"url": "/v1/chat/completions", "method": "POST", "body": body}).extra == {"new_thing": 1}


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({}, "prompt"),
        ({"prompt": None, "other": 1}, "prompt"),
        ({"custom_id": ["x"], "prompt": "a"}, "custom_id"),
        ({"body": "text"}, "body"),
        ({"body": {"messages": "text"}}, "messages"),
        ({"body": {}, "url": "/v1/embeddings"}, "url"),
        ({"body": {}, "method": "GET"}, "method"),
        ({"messages": "text"}, "messages"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_field(columns: dict[str, Any], field: str) -> None:
    error = read_row(columns, "line 12", plan()).failure()
    assert error.message.startswith("line 12: ")
    assert error.field == field
    assert error.bound


def test_a_column_that_the_system_prompt_lacks_is_named() -> None:
    error = read_row({"prompt": "a"}, "line 3", plan(system="{who}")).failure()
    assert error.field == "who"
    assert "--system" in error.message
    assert "prompt" in error.message


@pytest.mark.parametrize("line", [b"{", b"[1]", b'"text"', b"\xff", b"[" * 5000])
def test_a_line_that_is_no_object_is_told(line: bytes) -> None:
    error = decoded(line, "line 2").failure()
    assert error.message.startswith("line 2: row")


def test_a_line_is_decoded() -> None:
    assert decoded(b'{"prompt": "a"}', "line 1").unwrap() == {"prompt": "a"}


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"max_tokens": 0}, "max_tokens"), ({"template": "{"}, "template"), ({"system": "}"}, "system")],
)
def test_settings_that_make_no_sense_are_told(settings: dict[str, Any], field: str) -> None:
    assert planned(Asking(**settings)).failure().field == field
