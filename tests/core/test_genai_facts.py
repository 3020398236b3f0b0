"""What telemetry tells of a call: its request, its answer, its attempts and its failure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.endpoints.inference import EMBEDDINGS, RERANK, TRANSCRIPTIONS
from openrouter_core.errors import RateLimited, TruncatedStream
from openrouter_core.genai import names
from openrouter_core.genai.content import input_content
from openrouter_core.genai.facts import (
    Asked,
    Used,
    answered,
    begun,
    failed,
    joined,
    operation,
    read_request,
    requested,
    span_name,
    tried,
    used,
)
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts
from openrouter_core.states import Job
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.messages import MessagesResponse
from openrouter_core.wire.response import ChatCompletionResponse, Choice, Usage
from openrouter_core.wire.responses import ResponsesResponse

URL = "https://openrouter.ai/api/v1/chat/completions"
LIST: Endpoint[Any, Any] = Endpoint("GET", "/models", dict, dict)


def job(endpoint: Endpoint[Any, Any], body: Any, url: str = URL) -> Job[Any]:
    return Job(endpoint, HttpRequest(endpoint.method, url, (), msgspec.json.encode(body)), Policy(schedule=Attempts(1)))


def first(endpoint: Endpoint[Any, Any], body: Any, url: str = URL) -> tuple[str, names.Attributes]:
    one = job(endpoint, body, url)
    told = begun(one, read_request(one.request.body))
    return span_name(told), told


def test_a_span_is_named_after_what_is_done_and_asked() -> None:
    name, told = first(CHAT_COMPLETIONS, {"model": "m/x"})
    assert name == "chat m/x"
    assert told == {
        names.OPERATION: "chat",
        names.PROVIDER: "openrouter",
        names.REQUEST_MODEL: "m/x",
        names.SERVER_ADDRESS: "openrouter.ai",
        names.SERVER_PORT: 443,
    }
    assert first(CHAT_COMPLETIONS, {"models": ["m/y", "m/z"]})[0] == "chat m/y"
    assert first(CHAT_COMPLETIONS, {"model": "", "models": [7, "m/y"]})[0] == "chat m/y"
    assert first(CHAT_COMPLETIONS, {"preset": "p"})[0] == "chat"
    assert first(EMBEDDINGS, {"model": "m/e"})[0] == "embeddings m/e"
    name, told = first(LIST, None, "http://[::1]/api/v1/models")
    assert name == "GET /models"
    assert told == {
        names.METHOD: "GET",
        names.TEMPLATE: "/models",
        names.SERVER_ADDRESS: "::1",
        names.SERVER_PORT: 80,
    }
    assert first(LIST, None, "/models")[1][names.SERVER_ADDRESS] == ""


def test_what_asks_a_model_has_an_operation() -> None:
    assert [operation(one) for one in (CHAT_COMPLETIONS, RERANK, TRANSCRIPTIONS, LIST)] == [
        "chat",
        "rerank",
        "audio_transcriptions",
        None,
    ]


def test_the_settings_of_a_request() -> None:
    body = {
        "max_tokens": 5,
        "temperature": 0,
        "n": 2,
        "stop": "x",
        "stream": True,
        "session_id": "s",
        "reasoning": {"effort": "low"},
        "response_format": {"type": "json_schema"},
        "encoding_format": "base64",
    }
    assert requested(read_request(msgspec.json.encode(body))) == {
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.request.stream": True,
        "gen_ai.conversation.id": "s",
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.output.type": "json",
        "gen_ai.request.encoding_formats": ["base64"],
    }
    assert requested(read_request(b'{"stop": ["a", 7, "b"]}')) == {"gen_ai.request.stop_sequences": ["a", "b"]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"modalities": ["text", "image"]}, "image"),
        ({"modalities": ["audio"]}, "speech"),
        ({"response_format": {"type": "text"}}, "text"),
        ({"response_format": {"type": "json_object"}}, "json"),
        ({"response_format": {"type": "grammar"}}, None),
        ({"modalities": ["text"]}, None),
        ({}, None),
    ],
)
def test_the_kind_of_output(body: Any, kind: str | None) -> None:
    assert requested(read_request(msgspec.json.encode(body))).get(names.OUTPUT_TYPE) == kind


@given(
    st.binary()
    | st.dictionaries(st.sampled_from(Asked.__struct_fields__), st.none() | st.booleans() | st.text()).map(
        msgspec.json.encode
    )
)
def test_any_request_can_be_read(body: bytes) -> None:
    """Bug: a request of the caller's own making, or a form, that no telemetry survives."""
    asked = read_request(body)
    told = requested(asked) | input_content(asked, 100)
    assert all(isinstance(value, (str, bool, list)) for value in told.values())


def test_the_facts_of_an_answer() -> None:
    answer = ChatCompletionResponse(
        id="gen-1",
        model="m/x",
        provider="Prov",
        choices=[Choice(finish_reason="stop"), Choice()],
        usage=Usage(prompt_tokens=3, completion_tokens=0),
        call=CallRecord(generation_id="gen-2"),
    )
    assert answered(answer) == {
        names.RESPONSE_ID: "gen-1",
        names.RESPONSE_MODEL: "m/x",
        names.UPSTREAM: "Prov",
        names.GENERATION: "gen-2",
        names.FINISH_REASONS: ["stop"],
        names.INPUT_TOKENS: 3,
        names.OUTPUT_TOKENS: 0,
    }

    class Odd(msgspec.Struct):
        choices: list[dict[str, str]]

    assert answered(Odd([{}])) == answered(b"sound") == answered(None) == {}


def test_what_an_answer_used_is_told_in_detail() -> None:
    usage: dict[str, Any] = {"prompt_tokens": 9, "completion_tokens": 4, "cost": 0.5}
    usage["prompt_tokens_details"] = {"cached_tokens": 5, "cache_write_tokens": 2}
    usage["completion_tokens_details"] = {"reasoning_tokens": 3}
    chat = msgspec.convert({"usage": usage}, ChatCompletionResponse)
    assert used(chat) == Used(input=9, output=4, cache_read=5, cache_write=2, reasoning=3, cost=0.5)
    renamed = {name.replace("prompt", "input").replace("completion", "output"): one for name, one in usage.items()}
    assert used(msgspec.convert({"id": "r", "usage": renamed}, ResponsesResponse)) == used(chat)


def test_what_a_message_used_counts_what_was_cached() -> None:
    """Bug: Anthropic's input tokens, which do not count the cached ones, beside everybody else's, which do."""
    usage = {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 3}
    answer = msgspec.convert(
        {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": usage},
        MessagesResponse,
    )
    spent = used(answer)
    assert (spent.input, spent.output, spent.cache_read, spent.cache_write) == (28, 2, 20, 3)
    assert answered(answer)[names.FINISH_REASONS] == ["end_turn"]


def test_a_failure_tells_no_message() -> None:
    error = RateLimited(message="your PROMPT", status=429, error_type="rate", provider_name="P", generation_id="g")
    assert failed(error) == {
        names.ERROR_TYPE: "RateLimited",
        names.STATUS: 429,
        names.ERROR_CODE: "rate",
        names.UPSTREAM: "P",
        names.GENERATION: "g",
    }
    cut = TruncatedStream(message="cut", partial=ChatCompletionResponse(id="gen-1", usage=Usage(prompt_tokens=3)))
    assert failed(cut) == {names.ERROR_TYPE: "TruncatedStream", names.RESPONSE_ID: "gen-1", names.INPUT_TOKENS: 3}


def test_names_are_bounded() -> None:
    """Bug: a server that sends a megabyte for a model's name, and so a megabyte for each metric."""
    long = "x" * 10_000
    answer = ChatCompletionResponse(id=long, model=long, choices=[Choice(finish_reason=long)])
    error = RateLimited(message="m", provider_name=long, error_type=long, partial=answer)
    asked = read_request(msgspec.json.encode({"model": long, "session_id": long, "stop": [long]}))
    told = [answered(answer), failed(error), requested(asked), first(CHAT_COMPLETIONS, {"model": long})[1]]
    assert all(len(text) <= 256 for one in told for value in one.values() for text in texts_in(value))


def texts_in(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def test_an_attempt() -> None:
    attempt = Attempt(number=1, started=0, ended=1, outcome="HTTP 200", status=200)
    assert tried(attempt, None) == {names.OUTCOME: "HTTP 200", names.STATUS: 200}
    assert tried(Attempt(number=1, started=0, ended=1, outcome="disconnected"), RateLimited(message="m")) == {
        names.OUTCOME: "disconnected",
        names.ERROR_TYPE: "RateLimited",
    }


def test_a_trace_is_named_without_touching_the_rest() -> None:
    request = HttpRequest("POST", URL, (), b'{"model":"m","n":1.50,"trace":{"trace_name":"t"}}')
    assert joined(request, "a", "b").body == (
        b'{"model":"m","n":1.50,"trace":{"trace_id":"a","parent_span_id":"b","trace_name":"t"}}'
    )
    untraced = HttpRequest("POST", URL, (), b'{"model":"m"}')
    assert joined(untraced, "a", "b").body == b'{"model":"m","trace":{"trace_id":"a","parent_span_id":"b"}}'
    for body in (b'{"trace":{"trace_id":"mine"}}', b"--form--", b"[]", b'{"trace":7}', b""):
        kept = HttpRequest("POST", URL, (), body)
        assert joined(kept, "a", "b") is kept
