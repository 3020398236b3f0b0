"""validate: every documented constraint, just inside and just outside, and constructions that ought not to be."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.strategies import JSON, requests

from openrouter_core import plain, validate
from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import bounded_repr
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.options import RequestOptions
from openrouter_core.wire.plugins import FusionPlugin
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ResponseMessage
from openrouter_core.wire.settings import Reasoning

HI = [ChatMessage.user("hi")]


def request_with(**fields: Any) -> ChatCompletionRequest:
    return ChatCompletionRequest(**{"messages": HI, **fields})


def outcome(request: ChatCompletionRequest) -> InvalidRequest | None:
    """Check and encode: the error, if there is one."""
    checked = validate.check(request)
    if isinstance(checked, InvalidRequest):
        return checked
    written = validate.encode(checked.body)
    return written if isinstance(written, InvalidRequest) else None


def body_of(request: ChatCompletionRequest) -> dict[str, Any]:
    """Check a request that is good, and give its body."""
    checked = validate.check(request)
    assert isinstance(checked, validate.Checked)
    return checked.body


def refused(**fields: Any) -> InvalidRequest:
    error = outcome(request_with(**fields))
    assert error is not None
    return error


# --- the constraints, at their edges --------------------------------------------------------------------------------

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)

NUMBERS = [
    ("temperature", 0, 2, 0.1),
    ("top_p", 0, 1, 0.1),
    ("top_a", 0, 1, 0.1),
    ("min_p", 0, 1, 0.1),
    ("frequency_penalty", -2, 2, 0.1),
    ("presence_penalty", -2, 2, 0.1),
    ("repetition_penalty", 0, 2, 0.1),
    ("top_logprobs", 0, 20, 1),
]


@pytest.mark.parametrize(("field", "least", "most", "step"), NUMBERS)
def test_numbers_between_bounds(field: str, least: int, most: int, step: float) -> None:
    assert outcome(request_with(**{field: least})) is None
    assert outcome(request_with(**{field: most})) is None
    for value in (least - step, most + step):
        bound = f"must be between {least} and {most}"
        assert str(refused(**{field: value})) == f"InvalidRequest: {field} = {value!r}: {bound}"
        assert (refused(**{field: value}).field, refused(**{field: value}).value) == (field, repr(value))
        assert refused(**{field: value}).bound == bound


@pytest.mark.parametrize(
    ("field", "least"), [("max_tokens", 1), ("max_completion_tokens", 1), ("top_k", 0), ("max_tool_calls", 0)]
)
def test_numbers_with_a_least_value(field: str, least: int) -> None:
    assert outcome(request_with(**{field: least})) is None
    assert refused(**{field: least - 1}).message == f"{field} = {least - 1}: must be at least {least}"


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "x"}, fields]}


def function(name: str) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": name}}]}


def schema(name: str) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": name}}}


CONSTRAINTS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    # just inside, just outside, the field and the bound that the error must name
    ({"messages": HI}, {"messages": []}, "messages", "at least one message"),
    ({"messages": None, "prompt": "x"}, {"messages": None}, "messages", "at least one message"),
    ({"messages": HI, "prompt": "x"}, {"messages": [], "prompt": "x"}, "messages", "at least one message"),
    (message(role="user", content=""), message(role="user"), "messages[1].content", "is required in a user message"),
    (message(role="system", content=""), message(role="system"), "messages[1].content", "is required"),
    (message(role="developer", content=""), message(role="developer"), "messages[1].content", "is required"),
    (message(role="assistant"), message(role="robot"), "messages[1].role", "must be one of system, developer"),
    (
        message(role="tool", content="", tool_call_id="1"),
        message(role="tool", content=""),
        "messages[1].tool_call_id",
        "must be the id",
    ),
    (
        message(role="tool", content="", tool_call_id="1"),
        message(role="tool", content="", tool_call_id=""),
        "messages[1].tool_call_id",
        "must be the id",
    ),
    (
        message(role="tool", content="", tool_call_id="1"),
        message(role="tool", tool_call_id="1"),
        "messages[1].content",
        "",
    ),
    ({"model": "m"}, {"model": ""}, "model", "at least 1"),
    ({"models": ["m"]}, {"models": [""]}, "models[0]", "at least 1"),
    ({"models": ["m"]}, {"models": []}, "models", "at least one model"),
    ({"session_id": "x" * 256}, {"session_id": "x" * 257}, "session_id", "at most 256"),
    ({"stop": ["x"] * 4}, {"stop": ["x"] * 5}, "stop", "at most 4"),
    ({"stop": "x"}, {"stop": 1}, "stop", "must be a string or a list"),
    (
        {"metadata": dict.fromkeys(map(str, range(16)), "")},
        {"metadata": dict.fromkeys(map(str, range(17)), "")},
        "metadata",
        "at most 16 pairs, not 17",
    ),
    ({"metadata": {"k" * 64: ""}}, {"metadata": {"k" * 65: ""}}, "metadata", "at most 64 characters, not 65"),
    ({"metadata": {"k": "v" * 512}}, {"metadata": {"k": "v" * 513}}, "metadata.k", "at most 512 characters, not 513"),
    ({"metadata": {"k": "1"}}, {"metadata": {"j": "1", "k": 1}}, "metadata.k", "must be a string, not an integer"),
    ({"metadata": {"1": "v"}}, {"metadata": {1: "v"}}, "metadata", "strings as keys"),
    ({"logit_bias": {"7": 100}}, {"logit_bias": {"7": 100.5}}, "logit_bias.7", "between -100 and 100"),
    ({"logit_bias": {"7": -100}}, {"logit_bias": {"7": -101}}, "logit_bias.7", "between -100 and 100"),
    ({"logit_bias": {"7": 1}}, {"logit_bias": {"7": math.nan}}, "logit_bias.7", "between -100 and 100"),
    (function("f" * 64), function("f" * 65), "tools[0].function.name", "at most 64"),
    (function("f"), function(""), "tools[0].function.name", "at least 1"),
    (schema("s" * 64), schema("s" * 65), "response_format.json_schema.name", "at most 64"),
    (schema("s"), schema(""), "response_format.json_schema.name", "at least 1"),
    ({"plugins": [{"id": "new"}]}, {"plugins": [{"name": "web"}]}, "plugins[0].id", "is required"),
    (
        {"plugins": [{"id": "alignment", "rules": []}]},
        {"plugins": [{"id": "alignment"}]},
        "plugins[0].rules",
        "is required",
    ),
    (
        {"plugins": [FusionPlugin(max_tool_calls=16)]},
        {"plugins": [FusionPlugin(max_tool_calls=17)]},
        "plugins[0].max_tool_calls",
        "at most 16",
    ),
    (
        {"reasoning": {"effort": "low"}},
        {"reasoning": {"effort": "low", "max_tokens": 9}},
        "reasoning.max_tokens",
        "leave out one",
    ),
    (
        {"reasoning": Reasoning(max_tokens=9)},
        {"reasoning": Reasoning(max_tokens=-1)},
        "reasoning.max_tokens",
        "at least 0",
    ),
    (
        {"reasoning": {"effort": "low"}, "reasoning_effort": "low"},
        {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
        "reasoning_effort",
        "must equal reasoning.effort = 'low'",
    ),
    ({"modalities": ["audio"], "stream": True}, {"modalities": ["audio"]}, "modalities", "only in a stream"),
    ({"modalities": ["text"]}, {"modalities": "text"}, "modalities", "must be a list"),
    (
        {"debug": {"echo_upstream_body": True}, "stream": True},
        {"debug": {"echo_upstream_body": True}},
        "debug.echo_upstream_body",
        "only in a stream",
    ),
    ({"debug": {}}, {"debug": 1}, "debug", "must be a mapping"),
    ({"extra": {"x": 1}}, {"extra": {"temperature": 1}}, "extra.temperature", "set the field temperature instead"),
    (
        {"options": RequestOptions(cache_ttl_secs=1)},
        {"options": RequestOptions(cache_ttl_secs=0)},
        "options.cache_ttl_secs",
        "between 1 and 86400",
    ),
    (
        {"options": {"cache_ttl_secs": 86_400}},
        {"options": {"cache_ttl_secs": 86_401}},
        "options.cache_ttl_secs",
        "between 1 and 86400",
    ),
    ({"tool_choice": "auto"}, {"tool_choice": 1}, "tool_choice", "must be a mapping or a string, not an integer"),
    ({"provider": {"sort": "price"}}, {"provider": {"sort": 1}}, "provider.sort", "must be a mapping or a string"),
    ({"provider": {"only": ["xai"]}}, {"provider": {"only": "xai"}}, "provider.only", "must be a list"),
    ({"provider": {"zdr": True}}, {"provider": {"zdr": 1}}, "provider.zdr", "must be True or False"),
    ({"temperature": None}, {"temperature": "hot"}, "temperature", "must be a number or None, not a string"),
    ({"temperature": 1}, {"temperature": True}, "temperature", "must be a number or None, not True or False"),
    ({"temperature": 1}, {"temperature": math.nan}, "temperature", "between 0 and 2"),
    ({"seed": 2**64}, {"seed": 1.5}, "seed", "must be an integer"),
    ({"messages": tuple(HI)}, {"messages": "hi"}, "messages", 'such as [ChatMessage.user("...")]'),
    ({"messages": HI}, {"messages": ["hi"]}, "messages[0]", "must be a mapping, not a string"),
    ({"messages": HI}, {"messages": iter(HI)}, "messages", "has no form in JSON"),
    ({"messages": HI}, {"messages": [ChatMessage.user(b"hi")]}, "messages[0].content", "not bytes"),  # type: ignore[arg-type] # a wrong type is what is tested
    ({"seed": 1}, {"seed": 10**5000}, "seed", "cannot be written as JSON"),
    ({"stop": ["x"]}, {"stop": ["x", "\ud83d"]}, "stop[1]", "lone surrogates"),
    ({"user": "\U0001f600"}, {"user": "\ud83d"}, "user", "lone surrogates"),
    ({"metadata": {"ä": ""}}, {"metadata": {"\ud83d": ""}}, "metadata.'\\ud83d'", "lone surrogates"),
    ({"extra": {"x": 1.5}}, {"extra": {"x": [1, {"y": math.inf}]}}, "extra.x[1].y", "must be a finite number"),
    ({"extra": {"@x": 1.5}}, {"extra": {"@x": math.nan}}, "extra.@x", "must be a finite number"),
    ({"provider": {"of_tomorrow": None}}, {"provider": {"of_tomorrow": math.nan}}, "provider.of_tomorrow", "finite"),
    ({"extra": {"x": {"y": 1}}}, {"extra": {"x": {None: 1}}}, "extra.x", "cannot be written as JSON"),
    ({"extra": {"x": [[]]}}, {"extra": {"x": ENDLESS}}, "extra", "must not be nested so deeply, or contain itself"),
    ({"extra": {"x": "y"}}, {"extra": {"x": 1j}}, "extra.x", "a complex has no form in JSON"),
]


@pytest.mark.parametrize(("inside", "outside", "field", "bound"), CONSTRAINTS)
def test_a_constraint_holds_just_inside_and_is_named_just_outside(
    inside: dict[str, Any], outside: dict[str, Any], field: str, bound: str
) -> None:
    assert outcome(request_with(**inside)) is None
    error = refused(**outside)
    assert error.field == field
    assert bound in (error.bound or "")
    assert error.message.startswith(field)
    assert error.message.endswith(error.bound or "")
    assert error.value is None or (error.value in error.message and len(error.value) <= 80)
    found = found_at(field, request_with(**outside))
    shown = [bounded_repr(one) for one in (found, *(found if isinstance(found, dict) else ()))]
    assert error.value in (*shown, None) or found is None
    assert error.value or any(told in str(error.bound) for told in ("is required", "strings as keys", "in extra"))


def found_at(path: str, value: Any) -> Any:
    """Follow a path into a request; None where it leads nowhere."""
    for step in re.findall(r"[^.\[\]']+", path):
        match value:
            case dict():
                value = value.get(step)
            case list() | tuple():
                value = value[int(step)]
            case _:
                value = getattr(value, step, None)
    return value


# --- what is sent ---------------------------------------------------------------------------------------------------


class Odd(str):
    """A string of the caller's own kind."""

    __slots__ = ()


class OddInt(int):
    """An int of the caller's own kind."""


class OddFloat(float):
    """A float of the caller's own kind."""


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (collections.deque([1]), [1]),
        (MappingProxyType({"b": 1, "a": 2}), {"b": 1, "a": 2}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (range(2), [0, 1]),
        ((1, (2,)), [1, [2]]),
        (Odd("x"), "x"),
        (OddInt(3), 3),
        (OddFloat(0.5), 0.5),
        (Colour.RED, "red"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (ChatMessage.user("x"), {"role": "user", "content": "x"}),
    ],
)
def test_values_of_many_kinds_are_sent_as_json(value: Any, sent: Any) -> None:
    written = validate.encode(body_of(request_with(extra={"x": value})))
    assert isinstance(written, bytes)
    assert msgspec.json.decode(written)["x"] == sent


def test_a_message_of_an_answer_goes_back_as_it_is() -> None:
    said = ResponseMessage(role="assistant", content="x", reasoning_details=[{"type": "new", "z": 1, "a": None}])
    one = body_of(request_with(messages=[*HI, said]))
    other = body_of(request_with(messages=[*HI, said.to_message()]))
    assert one == other
    assert one["messages"][1]["reasoning_details"] == [{"type": "new", "z": 1, "a": None}]


def test_a_prompt_is_never_shown_in_full() -> None:
    error = refused(messages=[{"role": "user", "content": {"text": "secret " * 1000}}])
    assert len(str(error)) < 300


@pytest.mark.parametrize("garbage", [None, "hi", 3, [], object(), HI[0]])
def test_what_is_no_request_at_all_is_refused(garbage: Any) -> None:
    assert outcome(garbage) is not None


# --- hostile constructions ------------------------------------------------------------------------------------------


class Hostile(Mapping[str, Any]):
    """A mapping that fails whatever one asks of it."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("field", ["messages", "provider", "extra", "seed", "options"])
def test_objects_that_raise_are_refused(field: str) -> None:
    assert refused(**{field: Hostile()}).message == "request holds an object that cannot be read"


GARBAGE = st.one_of(
    JSON,
    st.builds(object),
    st.builds(Hostile),
    st.just(ENDLESS),
    st.just({"\ud800": 1}),
    st.sampled_from(
        [math.nan, math.inf, 10**5000, 1j, b"x", "\ud800", {1: 2}, {(): 1}, {1, "a"}, iter([1]), int, HI[0]]
    ),
)


@given(
    st.dictionaries(
        st.sampled_from(ChatCompletionRequest.__struct_fields__),
        GARBAGE | st.lists(GARBAGE, max_size=2) | st.dictionaries(st.sampled_from(["type", "id", "role"]), GARBAGE),
        max_size=3,
    )
)
def test_checking_never_raises(fields: dict[str, Any]) -> None:
    """Catches exceptions that come out of a call which promises a Result, whatever the caller put into a field."""
    error = outcome(request_with(**fields))
    assert error is None or error.message


def test_a_flaw_that_cannot_be_found_is_still_refused() -> None:
    """Near the limit of the stack, the whole may fail where no part does."""
    assert plain.unencodable(request_with()).message.endswith("cannot be written as JSON")


@given(requests())
def test_checking_leaves_the_request_as_it_was(request: ChatCompletionRequest) -> None:
    """Catches a check that edits what the caller owns: a retry or a second call would then send something else."""
    before = msgspec.to_builtins(request)
    outcome(request)
    assert msgspec.to_builtins(request) == before


@given(st.recursive(st.floats() | st.just("null"), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_nan_and_infinity_are_never_sent_as_null(value: Any) -> None:
    """Catches msgspec's silent null for NaN, which OpenRouter would take for a parameter that was not set."""
    written = validate.encode({"extra": value})
    assert not isinstance(written, bytes) or msgspec.json.decode(written) == {"extra": value}
    assert ("nan" in repr(value) or "inf" in repr(value)) == isinstance(written, InvalidRequest)


def test_a_request_is_told_from_what_looks_like_one() -> None:
    assert validate.is_request(ChatCompletionRequest())
    assert not validate.is_request({"messages": [ChatMessage.user("hi")]})
    assert not validate.is_request(None)
