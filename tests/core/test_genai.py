"""genai: what telemetry tells of a call, and how prompts and answers are written down."""

from __future__ import annotations

import json
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
from openrouter_core.genai.content import input_content, output_content
from openrouter_core.genai.facts import (
    Asked,
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
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.messages import MessagesResponse
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

URL = "https://openrouter.ai/api/v1/chat/completions"
LIST: Endpoint[Any, Any] = Endpoint("GET", "/models", dict, dict)


def job(endpoint: Endpoint[Any, Any], body: Any, url: str = URL) -> Job[Any]:
    return Job(endpoint, HttpRequest(endpoint.method, url, (), msgspec.json.encode(body)), Policy(schedule=Attempts(1)))


def first(endpoint: Endpoint[Any, Any], body: Any, url: str = URL) -> tuple[str, names.Attributes]:
    one = job(endpoint, body, url)
    told = begun(one, read_request(one.request.body))
    return span_name(told), told


# --- facts ------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"modalities": ["text", "image"]}, "image"),
        ({"modalities": ["audio"]}, "speech"),
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
    assert answered(b"sound") == answered(None) == {}


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
    for body in (b'{"trace":{"trace_id":"mine"}}', b"--form--", b"[]", b'{"trace":7}', b""):
        kept = HttpRequest("POST", URL, (), body)
        assert joined(kept, "a", "b") is kept


# --- content ----------------------------------------------------------------------------------------------------------


def said(body: Any, limit: int = 1000) -> dict[str, Any]:
    told = input_content(read_request(msgspec.json.encode(body)), limit)
    return {name: json.loads(text) for name, text in told.items()}


def messages_of(*messages: Any) -> Any:
    return said({"messages": list(messages)})[names.INPUT_MESSAGES]


def parts_of(*parts: Any) -> Any:
    return messages_of({"role": "user", "content": list(parts)})[0]["parts"]


def test_texts() -> None:
    assert messages_of({"role": "user", "content": "hi"}) == [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
    ]
    assert said({"prompt": "hi"}) == said({"input": "hi"}) == said({"messages": [{"role": "user", "content": "hi"}]})
    assert said({"input": ["a", "b"]})[names.INPUT_MESSAGES][1]["parts"] == [{"type": "text", "content": "b"}]
    assert parts_of("a", {"type": "input_text", "text": "b"}, {"type": "thinking", "thinking": "c"}) == [
        {"type": "text", "content": "a"},
        {"type": "text", "content": "b"},
        {"type": "reasoning", "content": "c"},
    ]
    assert said({}) == said({"messages": []}) == {}


def test_media_are_told_without_their_bytes() -> None:
    data = "data:image/png;base64,SECRETBYTES"
    told = parts_of(
        {"type": "image_url", "image_url": {"url": data}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "SECRETBYTES", "format": "wav"}},
        {"type": "file", "file": {"filename": "f", "file_data": "data:application/pdf;base64,SECRETBYTES"}},
        {"type": "video_url", "video_url": {"url": "https://a/v"}},
        {"type": "input_image", "image_url": "https://a/c.png"},
        {"type": "novelty", "more": "SECRETBYTES"},
        7,
    )
    assert told == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
        {"type": "uri", "modality": "image", "uri": "https://a/b.png", "mime_type": None},
        {"type": "blob", "modality": "audio", "mime_type": None, "content": ""},
        {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": ""},
        {"type": "uri", "modality": "video", "uri": "https://a/v", "mime_type": None},
        {"type": "uri", "modality": "image", "uri": "https://a/c.png", "mime_type": None},
        {"type": "novelty"},
        {"type": "None"},
    ]


def test_tools() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    told = messages_of(
        {"role": "assistant", "content": None, "reasoning": "hm", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
        {"type": "function_call", "call_id": "d", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "d", "output": "43"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "e", "content": "44"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "e", "name": "h", "input": {"x": 1}}]},
    )
    assert [one["parts"] for one in told] == [
        [
            {"type": "reasoning", "content": "hm"},
            {"type": "tool_call", "id": "c", "name": "f", "arguments": '{"a": 1}'},
        ],
        [{"type": "tool_call_response", "id": "c", "response": "42"}],
        [{"type": "tool_call", "id": "d", "name": "g", "arguments": "{}"}],
        [{"type": "tool_call_response", "id": "d", "response": "43"}],
        [{"type": "tool_call_response", "id": "e", "response": "44"}],
        [{"type": "tool_call", "id": "e", "name": "h", "arguments": {"x": 1}}],
    ]
    definition = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    assert said({"tools": [definition, {"name": "g"}], "system": "be kind"}) == {
        names.TOOL_DEFINITIONS: [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
            {"type": "function", "name": "g"},
        ],
        names.SYSTEM_INSTRUCTIONS: [{"type": "text", "content": "be kind"}],
    }


def out(answer: Any) -> Any:
    told = output_content(answer, 1000)
    return json.loads(told[names.OUTPUT_MESSAGES]) if told else None


def test_answers() -> None:
    call = ToolCall(id="c", function=FunctionCall(name="f", arguments="{}"))
    answer = ChatCompletionResponse(
        choices=[
            Choice(finish_reason="stop", message=ResponseMessage(role="assistant", content="yes", reasoning="hm")),
            Choice(finish_reason="tool_calls", message=ResponseMessage(role="assistant", tool_calls=[call])),
            Choice(),
        ]
    )
    assert out(answer) == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "yes"}],
            "finish_reason": "stop",
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": "{}"}],
            "finish_reason": "tool_calls",
        },
    ]

    class Legacy(msgspec.Struct):
        choices: list[dict[str, str]]

    assert out(Legacy([{"text": "and on", "finish_reason": "length"}]))[0] == {
        "role": "assistant",
        "parts": [{"type": "text", "content": "and on"}],
        "finish_reason": "length",
    }

    class Message(msgspec.Struct):
        content: list[dict[str, str]]
        stop_reason: str

    assert out(Message([{"type": "text", "text": "hi"}], "end_turn"))[0]["finish_reason"] == "end_turn"
    assert out(b"sound") is out(None) is out(ChatCompletionResponse()) is None


@given(st.lists(st.text(max_size=50), min_size=1, max_size=30), st.integers(1, 300))
def test_content_is_bounded_and_still_json(texts: list[str], limit: int) -> None:
    """Bug: an attribute as long as the prompt; JSON that was cut in the middle; the newest message left out."""
    told = input_content(
        read_request(msgspec.json.encode({"messages": [{"role": "user", "content": texts}] * 5})), limit
    )
    text = told[names.INPUT_MESSAGES]
    assert len(text) <= 3 * limit + 200
    assert isinstance(json.loads(text), list)


def test_the_last_things_are_kept() -> None:
    body = {"messages": [{"role": "user", "content": str(number) * 20} for number in range(9)]}
    told = said(body, 200)[names.INPUT_MESSAGES]
    assert told[0] == {"role": "system", "parts": [{"type": "left_out", "count": 7}]}
    assert [one["parts"][0]["content"][0] for one in told[1:]] == ["7", "8"]
    cut = said({"messages": [{"role": "user", "content": "a" * 500}]}, 100)[names.INPUT_MESSAGES]
    assert cut[0]["parts"][0]["content"] == "a" * 100 + "... (400 more characters)"
    tools = said({"tools": [{"name": "t" * 50}] * 9}, 100)[names.TOOL_DEFINITIONS]
    assert tools[0] == {"type": "left_out", "count": 8}


def test_content_that_is_no_text_is_left_out() -> None:
    """Bug: bytes that are no UTF-8, in a body of the caller's own making."""
    assert input_content(read_request(b'{"messages": ["\xff"]}'), 100) == {}
