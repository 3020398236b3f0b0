"""build: the bytes and headers that are sent, and the way back."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.strategies import requests

from openrouter_core import build
from openrouter_core.build import RETIRED, BuildSettings, Built, build_chat, parse_request
from openrouter_core.errors import InvalidRequest
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.options import RequestOptions
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.shape import OpenUnion

BARE = BuildSettings(url="https://openrouter.ai/api/v1/chat/completions")
SPECIFIED = BuildSettings(url=BARE.url, default_model="x-ai/grok-3-latest")
HI = (ChatMessage.user("hi"),)


def built(request: ChatCompletionRequest, settings: BuildSettings = BARE) -> Built:
    return build_chat(request, settings, stream=bool(request.stream)).unwrap()


def sent(request: ChatCompletionRequest, settings: BuildSettings = BARE) -> Any:
    return msgspec.json.decode(built(request, settings).body)


def refused(data: bytes) -> InvalidRequest:
    return parse_request(data).failure()


# --- properties -----------------------------------------------------------------------------------------------------


@given(requests())
def test_reading_back_what_was_written_gives_the_request(request: ChatCompletionRequest) -> None:
    """Catches a field that is renamed, dropped, or read as something else."""
    assert parse_request(built(request).body).unwrap() == request


@given(requests())
def test_the_same_request_gives_the_same_bytes(request: ChatCompletionRequest) -> None:
    """Catches bytes that depend on anything but the request, which would make every repetition a paid one."""
    again = parse_request(built(request).body).unwrap()
    assert built(request).body == built(request).body
    assert built(again).body == built(parse_request(built(again).body).unwrap()).body


@given(requests())
def test_nothing_that_was_not_set_is_sent(request: ChatCompletionRequest) -> None:
    """Catches defaults that leak into the body: OpenRouter treats null and absent differently for some fields."""
    given_names = {name for name in request.__struct_fields__ if getattr(request, name) is not None}
    assert set(sent(request)) == (given_names - {"extra", "options"}) | set(request.extra or {})


@given(st.binary(max_size=60) | st.from_regex(rb'\{"(model|messages|stop|extra)":[\[\]{}"a1,:null]{0,12}\}'))
def test_reading_never_raises(data: bytes) -> None:
    """Catches bodies that break the reader: a stand-in server has to answer 400, not die."""
    parse_request(data)


def test_a_reader_that_loses_unknown_keys_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(kind: type[OpenUnion], value: Any) -> Any:
        return msgspec.convert(value, kind.other) if kind.other else value

    body = built(ChatCompletionRequest(messages=HI, provider={"only": ["xai"], "of_tomorrow": 1})).body
    assert parse_request(body).unwrap().provider == {"only": ["xai"], "of_tomorrow": 1}
    monkeypatch.setattr(build, "restore", lossy)
    assert parse_request(body).unwrap().provider != {"only": ["xai"], "of_tomorrow": 1}


# --- the body -------------------------------------------------------------------------------------------------------


def test_the_body_as_documented() -> None:
    request = ChatCompletionRequest(
        model="openai/gpt-4o-mini", messages=[ChatMessage.system("Be brief."), ChatMessage.user("hi")], temperature=0.5
    )
    assert built(request).body == (
        b'{"model":"openai/gpt-4o-mini","messages":[{"role":"system","content":"Be brief."},'
        b'{"role":"user","content":"hi"}],"temperature":0.5}'
    )


def test_unknown_keys_and_the_order_of_keys_survive() -> None:
    schema = {"zebra": 1, "apple": {"y": 1, "x": 2}}
    provider = MappingProxyType({"of_tomorrow": [1], "only": ("xai",)})
    request = ChatCompletionRequest(messages=HI, provider=provider, web_search_options=schema)
    assert b'"provider":{"of_tomorrow":[1],"only":["xai"]}' in built(request).body
    assert b'{"zebra":1,"apple":{"y":1,"x":2}}' in built(request).body


def test_extra_is_merged_into_the_top_level_and_options_are_not_sent() -> None:
    options = RequestOptions(session_id="s")
    assert sent(ChatCompletionRequest(messages=HI, extra={"of_tomorrow": None}, options=options)) == {
        "messages": [{"role": "user", "content": "hi"}],
        "of_tomorrow": None,
    }


@pytest.mark.parametrize(
    ("data", "field", "value", "bound"),
    [
        (b"", "request", None, "must be JSON: "),
        (b"{", "request", None, "must be JSON: "),
        (b"[1]", "request", "[1]", "must be a JSON object"),
        (b"[" * 100_000, "request", None, "must be JSON: "),
        (b'"\x80"', "request", None, "must be JSON: "),
        (b'{"temperature":"hot"}', "temperature", "'hot'", "must be a number"),
        (b'{"messages":[{"content":"x"}]}', "messages[0].role", None, "is required"),
    ],
)
def test_what_is_no_request_says_why(data: bytes, field: str, value: str | None, bound: str) -> None:
    error = refused(data)
    assert (error.field, error.value) == (field, value)
    assert str(error.bound).startswith(bound)


def test_any_depth_is_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for depth in range(1, 1200, 7):
        parse_request(b'{"provider":' + b'{"a":' * depth + b"1" + b"}" * (depth + 1))

    def too_deep(_kind: object, _value: object) -> object:
        raise RecursionError

    monkeypatch.setattr(build, "restore", too_deep)
    assert refused(b'{"provider":{}}').message == "request must not be nested so deeply"


def test_an_invalid_request_is_not_built() -> None:
    assert build_chat(ChatCompletionRequest(), BARE).failure().field == "messages"
    assert build_chat("hi", BARE).failure().message  # type: ignore[arg-type]  # as a caller may err
    assert build_chat(ChatCompletionRequest(messages=HI, user="\ud800"), BARE).failure().field == "user"
    options = RequestOptions(headers={"a": "\n"})
    assert (
        build_chat(ChatCompletionRequest(messages=HI, options=options), BARE).failure().field == "options.headers['a']"
    )


@pytest.mark.parametrize("asked", [None, True])
def test_a_stream_asks_for_one(asked: bool | None) -> None:
    ready = build_chat(ChatCompletionRequest(messages=HI, stream=asked), BARE, stream=True).unwrap()
    assert msgspec.json.decode(ready.body)["stream"] is True
    whole = build_chat(ChatCompletionRequest(messages=HI), BARE).unwrap()
    assert "stream" not in msgspec.json.decode(whole.body)


@pytest.mark.parametrize(
    ("stream", "remedy"), [(True, "use chat_completion(streamed=False)"), (False, "use stream_chat_completion")]
)
def test_a_request_cannot_ask_for_the_other_way(stream: bool, remedy: str) -> None:
    request = ChatCompletionRequest(messages=HI, stream=not stream)
    error = build_chat(request, BARE, stream=stream).failure()
    assert error.message == f"stream = {not stream}: is set by the client: leave it out, or {remedy}"


# --- the model ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ({}, "~x-ai/grok-latest"),
        ({"model": "a/b"}, "a/b"),
        ({"models": ["a/b", "c/d"]}, None),
        ({"preset": "p"}, None),
        ({"model": "a/b", "preset": "p"}, "a/b"),
    ],
)
def test_a_default_model_is_filled_in_only_where_nothing_else_names_one(named: Any, model: str | None) -> None:
    assert sent(ChatCompletionRequest(messages=HI, **named), SPECIFIED).get("model") == model


@pytest.mark.parametrize("suffix", ["", ":online", ":free", "@preset/mine"])
def test_a_retired_slug_is_replaced_with_its_suffixes(suffix: str) -> None:
    ready = built(ChatCompletionRequest(messages=HI, model="x-ai/grok-3-latest" + suffix))
    assert ready.model == "~x-ai/grok-latest" + suffix
    assert ready.replaced == (("x-ai/grok-3-latest" + suffix, ready.model),)


def test_retired_slugs_among_fallbacks_are_replaced_too() -> None:
    ready = built(ChatCompletionRequest(messages=HI, models=["a/b", *RETIRED]))
    assert msgspec.json.decode(ready.body)["models"] == ["a/b", *RETIRED.values()]
    assert (ready.model, ready.replaced) == ("a/b", tuple(RETIRED.items()))


@pytest.mark.parametrize("slug", ["x-ai/grok-3-latest-mini", "x-ai/grok-3", "y/x-ai/grok-3-latest"])
def test_other_slugs_are_left_alone(slug: str) -> None:
    ready = built(ChatCompletionRequest(messages=HI, model=slug))
    assert (ready.model, ready.replaced) == (slug, ())


def test_replacing_can_be_switched_off() -> None:
    settings = BuildSettings(url=BARE.url, default_model="x-ai/grok-3-latest", resolve_retired=False)
    ready = built(ChatCompletionRequest(messages=HI), settings)
    assert (ready.model, ready.replaced) == ("x-ai/grok-3-latest", ())


def test_without_any_model_none_is_sent() -> None:
    assert built(ChatCompletionRequest(messages=HI)).model == ""


# --- headers --------------------------------------------------------------------------------------------------------


def test_all_requests_carry_the_standing_headers() -> None:
    settings = BuildSettings(url=BARE.url, headers=(("X-OpenRouter-Title", "t"),), safe_retries=True)
    assert built(ChatCompletionRequest(messages=HI), settings).headers == (
        ("Content-Type", "application/json"),
        ("X-OpenRouter-Title", "t"),
        ("X-OpenRouter-Cache", "true"),
    )


def test_nothing_is_asked_for_that_the_settings_do_not_name() -> None:
    assert built(ChatCompletionRequest(messages=HI)).headers == (("Content-Type", "application/json"),)


def test_a_request_may_refuse_the_cache_that_safe_retries_ask_for() -> None:
    settings = BuildSettings(url=BARE.url, safe_retries=True)
    request = ChatCompletionRequest(messages=HI, options=RequestOptions(cache=False))
    assert dict(built(request, settings).headers)["X-OpenRouter-Cache"] == "false"
