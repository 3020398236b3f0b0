"""Typed outputs end to end: what is asked, and what becomes of every kind of answer."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import json
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import jsonschema  # type: ignore[import-untyped] # it has no types
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from msgspec import Meta, Struct
from tests.core.types_and_values import typed_values
from tests.shell.loopback import OK, Loopback, Script, Talk, answer, asking, client_of, completion, error, silence

from openrouter_client import (
    ChatCompletionRequest,
    ChatMessage,
    DataSourceError,
    DeadlineExceeded,
    InvalidRequest,
    Parsed,
    ParseError,
    ProviderError,
    RateLimited,
    ResponseFormat,
    Result,
    unwrap,
)
from openrouter_client.simulator import Simulator


class Side(enum.Enum):
    YES = "yes"
    NO = "no"


class Prediction(Struct):
    """What will happen."""

    probability: Annotated[float, Meta(ge=0, le=1)]
    side: Side
    reasons: list[str] = []
    target: float | None = None


class Buy(Struct, tag=True):
    amount: int


class Wait(Struct, tag=True):
    days: int


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Place(TypedDict):
    city: str


class Row(NamedTuple):
    name: str
    size: int


class Model(pydantic.BaseModel):
    probability: float = pydantic.Field(ge=0, le=1)
    inner: dict[str, int] | None = None


GOOD = {"probability": 0.25, "side": "yes", "reasons": ["r"], "target": None}
VALUE = Prediction(0.25, Side.YES, ["r"])


def said(text: Any, **choice: Any) -> bytes:
    """An answer with this text, or this value as JSON."""
    message = {"role": "assistant", "content": text if isinstance(text, str) else json.dumps(text)}
    whole: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": message, **choice}
    return answer(200, completion(choices=[whole]))


def as_stream(text: str) -> bytes:
    """The same over a stream."""
    head = {"id": "gen-1", "object": "chat.completion.chunk", "model": "m"}
    deltas: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in text
    ]
    last: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.001}}
    body = b"".join(b"data: %s\n\n" % json.dumps({**head, **chunk}).encode() for chunk in (*deltas, last))
    return answer(200, body + b"data: [DONE]\n\n", {"Content-Type": "text/event-stream"})


async def got(
    wanted: Any, *scripts: Script, request: ChatCompletionRequest | None = None, **more: Any
) -> tuple[Result[Parsed[Any], DataSourceError], list[dict[str, Any]]]:
    """Ask a server that answers with these scripts; the bodies of all requests are given too."""
    async with Loopback(*scripts) as server, client_of(server, timeout_secs=5.0) as client:
        result = await client.chat_completion_as(wanted, request or asking("how likely?"), **more)
        return result, [json.loads(seen.body) for seen in server.requests]


# --- what is asked --------------------------------------------------------------------------------------------------


async def test_the_schema_on_the_wire_is_strict() -> None:
    request = ChatCompletionRequest(messages=[ChatMessage.system("Be brief."), ChatMessage.user("?")], temperature=0.5)
    result, bodies = await got(Prediction, said(GOOD), request=request)
    assert unwrap(result).value == VALUE
    form = bodies[0]["response_format"]
    assert form["type"] == "json_schema"
    assert (form["json_schema"]["name"], form["json_schema"]["strict"]) == ("Prediction", True)
    schema = form["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["probability", "side", "reasons", "target"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(GOOD, schema)
    assert [message["content"] for message in bodies[0]["messages"]] == ["Be brief.", "?"]
    assert bodies[0]["temperature"] == 0.5


CASES: list[tuple[Any, Any, Any]] = [
    (Prediction, GOOD, VALUE),
    (Point, {"x": 1, "y": 2}, Point(1, 2)),
    (Place, {"city": "Bern"}, {"city": "Bern"}),
    (Row, {"value": ["a", 1]}, Row("a", 1)),
    (Buy | Wait, {"value": {"type": "Wait", "days": 3}}, Wait(3)),
    (Literal["up", "down"], {"value": "up"}, "up"),
    (Annotated[int, Meta(ge=0)], {"value": 3}, 3),
    (list[Point], {"value": [{"x": 1, "y": 2}]}, [Point(1, 2)]),
    (Side, {"value": "no"}, Side.NO),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (Model, {"probability": 0.5, "inner": None}, Model(probability=0.5)),
    (int | None, {"value": None}, None),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("wanted", "raw", "value"), CASES)
async def test_any_type(wanted: Any, raw: Any, value: Any, *, streamed: bool) -> None:
    text = json.dumps(raw)
    result, bodies = await got(wanted, as_stream(text) if streamed else said(text), streamed=streamed)
    parsed = unwrap(result)
    assert (parsed.value, parsed.cost, parsed.earlier) == (value, 0.001, ())
    assert type(parsed.value) is type(value)
    assert parsed.response.text == text
    jsonschema.validate(raw, bodies[0]["response_format"]["json_schema"]["schema"])


@settings(max_examples=25)
@given(typed_values())
async def test_what_was_asked_for_comes_back(case: tuple[Any, Any]) -> None:
    """Exists for a type whose schema cannot be sent, or whose values do not come back from the wire as they were."""
    wanted, value = case
    bare = msgspec.json.decode(msgspec.json.encode(value))

    async def fitting(talk: Talk) -> None:
        schema = json.loads(talk.seen.body)["response_format"]["json_schema"]["schema"]
        wrapped = not jsonschema.Draft202012Validator(schema).is_valid(bare)
        await talk.say(said(msgspec.json.encode({"value": bare} if wrapped else bare).decode()))

    assert unwrap((await got(wanted, fitting))[0]).value == value


@pytest.mark.parametrize("wanted", [Point, Place, Buy | Wait, list[Point], Side, dict[str, int]])
async def test_the_simulator_honours_the_schema(wanted: Any) -> None:
    async with Simulator(seed=1) as sim, client_of(sim.base_url, api_key=sim.api_key) as client:
        for streamed in (False, True):
            parsed = unwrap(await client.chat_completion_as(wanted, asking("?"), repair=0, streamed=streamed))
            assert parsed.response.text
            assert parsed.cost == parsed.response.cost


# --- what is tolerated ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{}\n```",
        "```\n{}```",
        "Here you are:\n{}\nAnything else?",
        "Set {{1, 2}} [sic] gives ```json\n{}\n``` as asked",
        "<think>maybe {{}} or []</think>\n{}",
        "\ufeff {} \n",
    ],
)
async def test_fences_and_prose_around_the_answer(text: str) -> None:
    assert unwrap((await got(Prediction, said(text.format(json.dumps(GOOD)))))[0]).value == VALUE


# --- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "text", "path", "words"),
    [
        (Prediction, '{"probability": 2, "side": "yes"}', "$.probability", "Expected `float` <= 1.0"),
        (Prediction, '{"probability": 0.5, "side": "maybe"}', "$.side", "Invalid enum value"),
        (Prediction, "I cannot tell.", None, "malformed"),
        (Prediction, "", None, "the answer is empty"),
        (list[Point], '{"value": [{"x": 1, "y": "2"}]}', "$.value[0].y", "Expected `int`, got `str`"),
        (Model, '{"probability": 2}', "$.probability", "less than or equal to 1"),
    ],
)
async def test_a_wrong_answer_says_where_and_carries_the_text(
    wanted: Any, text: str, path: str | None, words: str
) -> None:
    result, bodies = await got(wanted, said(text))
    failure = result.failure()
    assert isinstance(failure, ParseError)
    assert (failure.path, failure.text, failure.generation_id, failure.provider_name) == (path, text, "gen-1", "xAI")
    assert words in failure.message
    assert failure.partial is not None
    assert failure.partial.cost == 0.001
    assert len(bodies) == 1


async def test_a_cut_answer_and_a_refusal_say_so() -> None:
    cut = (await got(Prediction, said('{"probability": 0.', finish_reason="length")))[0].failure()
    assert "raise max_completion_tokens" in cut.message
    refusal = {"role": "assistant", "content": None, "refusal": "I do not bet."}
    refused = (await got(Prediction, said("", message=refusal)))[0].failure()
    assert isinstance(refused, ParseError)
    assert "the model refused: I do not bet." in refused.message


@pytest.mark.parametrize(
    ("wanted", "more", "field"),
    [
        (complex, {}, "wanted"),
        (dict[str, list[complex]], {}, "wanted"),
        ("Prediction", {}, "wanted"),
        (Prediction, {"request": asking(response_format=ResponseFormat.json())}, "response_format"),
        (Prediction, {"request": asking(response_format={"type": "text"})}, "response_format"),
        (Prediction, {"repair": -1}, "repair"),
        (Prediction, {"repair": "1"}, "repair"),
        (Prediction, {"deadline_secs": -1}, "deadline_secs"),
        (Prediction, {"request": {"messages": [{"role": "user", "content": "hi"}]}}, "request"),
        (Prediction, {"request": ChatCompletionRequest()}, "messages"),
        (Prediction, {"request": ChatCompletionRequest(messages=3)}, "messages"),  # type: ignore[arg-type] # a wrong type is what is tested
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    wanted: Any, more: dict[str, Any], field: str
) -> None:
    result, bodies = await got(wanted, OK, **more)
    failure = result.failure()
    assert isinstance(failure, InvalidRequest)
    assert failure.field == field
    assert not bodies


async def test_a_call_that_fails_is_just_that_failure() -> None:
    assert isinstance((await got(Prediction, answer(500, error(500)), repair=3))[0].failure(), ProviderError)


# --- asking again ---------------------------------------------------------------------------------------------------


WRONG = '{"probability": "high", "side": "yes"}'


@pytest.mark.parametrize("streamed", [False, True])
async def test_it_is_asked_again_with_what_was_wrong(*, streamed: bool) -> None:
    make = as_stream if streamed else said
    request = ChatCompletionRequest(messages=[ChatMessage.system("Be brief."), ChatMessage.user("?")], model="m/m")
    result, bodies = await got(
        Prediction, make(WRONG), make(json.dumps(GOOD)), request=request, repair=1, streamed=streamed
    )
    parsed = unwrap(result)
    assert (parsed.value, parsed.cost) == (VALUE, 0.002)
    assert [one.text for one in parsed.earlier] == [WRONG]
    first, second = bodies
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][2] == {"role": "assistant", "content": WRONG}
    assert "At $.probability: Expected `float`, got `str`" in second["messages"][3]["content"]
    assert {**second, "messages": 0} == {**first, "messages": 0}


async def test_a_prompt_is_not_lost_when_it_is_asked_again() -> None:
    """Exists for a second question that held the wrong answer, and nothing of what had been asked."""
    result, bodies = await got(
        Prediction, said(WRONG), said(GOOD), request=ChatCompletionRequest(prompt="How likely?"), repair=1
    )
    assert unwrap(result).value == VALUE
    assert bodies[0]["prompt"] == "How likely?"
    assert "prompt" not in bodies[1]
    assert bodies[1]["messages"][0] == {"role": "user", "content": "How likely?"}


async def test_calls_of_tools_are_answered_when_it_is_asked_again() -> None:
    """Exists for a conversation that providers refuse: calls of tools that nobody answers."""
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    _, bodies = await got(Prediction, said("", message=message, finish_reason="tool_calls"), said(GOOD), repair=1)
    roles = [(one["role"], one.get("tool_call_id")) for one in bodies[1]["messages"]]
    assert roles == [("user", None), ("assistant", None), ("tool", "c1"), ("user", None)]


async def test_repairs_are_used_up() -> None:
    result, bodies = await got(Prediction, said(WRONG), repair=2)
    failure = result.failure()
    assert isinstance(failure, ParseError)
    assert "the last of 3 answers" in failure.message
    assert len(failure.attempts) == len(bodies) == 3
    assert [attempt.number for attempt in failure.attempts] == [1, 2, 3]


async def test_one_deadline_is_for_all_answers_together() -> None:
    """Exists for a deadline that begins anew with each question."""

    async def slowly(talk: Talk) -> None:
        await asyncio.sleep(0.1)
        await talk.say(said(WRONG))

    result, bodies = await got(Prediction, slowly, repair=50, deadline_secs=0.25)
    assert isinstance(result.failure(), DeadlineExceeded)
    assert len(bodies) <= 3


async def test_the_second_question_may_fail_by_itself() -> None:
    """It is that failure; nothing hangs or is asked once more."""
    assert isinstance(
        (await got(Prediction, said(WRONG), silence, repair=1, deadline_secs=0.25))[0].failure(), DeadlineExceeded
    )
    limited = (await got(Prediction, said(WRONG), answer(429, error(429), {"Retry-After": "999"}), repair=1))[
        0
    ].failure()
    assert isinstance(limited, RateLimited)
    result, bodies = await got(Prediction, said(WRONG), answer(503, error(503)), said(GOOD), repair=1)
    assert unwrap(result).value == VALUE
    assert len(bodies) == 3
