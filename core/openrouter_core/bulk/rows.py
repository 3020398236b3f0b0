"""From a line of the input to a chat request, or what is wrong with it: line, field, value and remedy.

A row is a prompt (`prompt`, or columns for a template, or whole `messages`), or a whole request in the shape of
OpenAI's batches: `{"custom_id": ..., "body": {...}}`. What the settings say is for the rows that do not say it: a body
keeps its own model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.build import parse_request
from openrouter_core.bulk.template import Template, fill, parse_template
from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.strict import is_strict
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest

URLS = ("/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions")
"""What the `url` of a row in OpenAI's shape may say."""

IDS = ("custom_id", "id")
"""The columns that name a row, the first that is there."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks: the settings that make requests out of rows. All of them make up its fingerprint.

    `model` and `max_tokens` (of the answer) are for rows that name none, `system` goes before each prompt, `template`
    makes the prompt out of the columns; both may hold `{column}`. `schema` is the JSON schema of the answers.
    """

    model: str | None = None
    system: str | None = None
    template: str | None = None
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_tokens: int | None = None


class Plan(msgspec.Struct, frozen=True):
    """The settings of a run, read once for all its rows."""

    asking: Asking
    prompt: Template
    system: Template | None
    format: ResponseFormat | None


class Row(msgspec.Struct, frozen=True):
    """A row that can be asked: its own name, if it has one, and its request."""

    custom_id: str | None
    request: ChatCompletionRequest


def planned(asking: Asking) -> Result[Plan, InvalidRequest]:
    """Read the settings; fails for a template that is none, and for bounds that make no sense."""
    if asking.max_tokens is not None and asking.max_tokens < 1:
        return Failure(refuse("max_tokens", "must be at least 1", asking.max_tokens))
    prompt = parse_template("{prompt}" if asking.template is None else asking.template)
    if isinstance(prompt, Failure):
        return prompt
    system = None if asking.system is None else parse_template(asking.system, "system")
    if isinstance(system, Failure):
        return system
    wanted = (
        None
        if asking.schema is None
        else ResponseFormat.json_schema(
            dict(asking.schema), name=asking.schema_name, strict=is_strict(dict(asking.schema))
        )
    )
    return Success(Plan(asking, prompt.unwrap(), None if system is None else system.unwrap(), wanted))


def decoded(line: bytes, place: str) -> Result[Mapping[str, Any], InvalidRequest]:
    """Read a line of JSON; `place` says where it stands, such as "line 7"."""
    try:
        row: Any = msgspec.json.decode(line)
    except (ValueError, RecursionError) as error:
        return Failure(at(place, refuse("row", f"must be one JSON object on one line: {error}", line[:60])))
    if not isinstance(row, dict):
        return Failure(at(place, refuse("row", 'must be a JSON object, such as {"prompt": "..."}', row)))
    return Success(cast("Mapping[str, Any]", row))


def read_row(columns: Mapping[str, Any], place: str, plan: Plan) -> Result[Row, InvalidRequest]:
    """Make the request of a row."""
    name = next((columns[one] for one in IDS if columns.get(one) is not None), None)
    if not (name is None or isinstance(name, (str, int))):
        return Failure(at(place, refuse("custom_id", "must be a string", name)))
    made = of_body(columns) if columns.get("body") is not None else of_prompt(columns, plan)
    if isinstance(made, Failure):
        return Failure(at(place, made.failure()))
    return Success(Row(None if name is None else str(name), filled_in(made.unwrap(), plan)))


def of_body(columns: Mapping[str, Any]) -> Result[ChatCompletionRequest, InvalidRequest]:
    """Read a whole request in OpenAI's shape."""
    if columns.get("url") not in (None, *URLS):
        return Failure(refuse("url", f"must be {URLS[0]}: other endpoints are not run in bulk", columns["url"]))
    if columns.get("method") not in (None, "POST"):
        return Failure(refuse("method", "must be POST", columns["method"]))
    if not isinstance(columns["body"], dict):
        return Failure(refuse("body", "must be an object: a chat completion request", columns["body"]))
    return parse_request(msgspec.json.encode(columns["body"]))


def of_prompt(columns: Mapping[str, Any], plan: Plan) -> Result[ChatCompletionRequest, InvalidRequest]:
    """Make a conversation out of the columns."""
    said: list[ChatMessage] = []
    if plan.system is not None:
        system = fill(plan.system, columns)
        if isinstance(system, Failure):
            return Failure(lacking(system.failure(), "--system", columns))
        said = [ChatMessage.system(system.unwrap())]
    if plan.asking.template is None and columns.get("messages") is not None:
        parsed = parse_request(msgspec.json.encode({"messages": columns["messages"]}))
        return parsed.map(lambda one: msgspec.structs.replace(one, messages=(*said, *one.conversation)))
    prompt = fill(plan.prompt, columns)
    if isinstance(prompt, Failure):
        return Failure(lacking(prompt.failure(), "--template", columns))
    return Success(ChatCompletionRequest(messages=[*said, ChatMessage.user(prompt.unwrap())]))


def lacking(column: str, setting: str, columns: Mapping[str, Any]) -> InvalidRequest:
    """Make the error of a row without a column that it needs."""
    there = ", ".join(columns) or "none"
    return refuse(column, f"is missing: a row needs this column, or another {setting}; its columns are: {there[:200]}")


def filled_in(request: ChatCompletionRequest, plan: Plan) -> ChatCompletionRequest:
    """Add what the settings say and the row does not."""
    asking, changes = plan.asking, dict[str, Any]()
    if asking.model is not None and request.model is None and request.models is None:
        changes["model"] = asking.model
    if asking.max_tokens is not None and request.max_completion_tokens is None and request.max_tokens is None:
        changes["max_completion_tokens"] = asking.max_tokens
    if plan.format is not None and request.response_format is None:
        changes["response_format"] = plan.format
    return msgspec.structs.replace(request, **changes)


def at(place: str, error: InvalidRequest) -> InvalidRequest:
    """Say where in the input it is that something is wrong."""
    return msgspec.structs.replace(error, message=f"{place}: {error.message}")
