"""How prompts and answers are written down for telemetry: whole in form, bounded, and without the bytes of media."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.genai import names
from openrouter_core.genai.content import input_content, output_content, written
from openrouter_core.genai.facts import read_request
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage


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
    assert parts_of(
        "a",
        {"type": "input_text", "text": "b"},
        {"type": "text", "text": "c"},
        {"type": "output_text"},
        {"type": "thinking", "thinking": "d"},
        {"type": "reasoning", "text": "e"},
        {"type": "reasoning", "encrypted": "f"},
    ) == [
        {"type": "text", "content": "a"},
        {"type": "text", "content": "b"},
        {"type": "text", "content": "c"},
        {"type": "text", "content": ""},
        {"type": "reasoning", "content": "d"},
        {"type": "reasoning", "content": "e"},
        {"type": "reasoning", "content": ""},
    ]
    assert messages_of({"type": "message", "role": "system", "content": "hi"}, {"content": "", "reasoning": ""}) == [
        {"role": "system", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "user", "parts": []},
    ]
    assert said({}) == said({"messages": []}) == {}


def test_media_are_told_without_their_bytes() -> None:
    data = "data:image/png;base64,SECRETBYTES"
    told = parts_of(
        {"type": "image_url", "image_url": {"url": data}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "SECRETBYTES", "format": "wav"}},
        {"type": "file", "file": {"filename": "f", "file_data": "data:text/csv;charset=utf-8;base64,SECRETBYTES"}},
        {"type": "video_url", "video_url": {"url": "https://a/v"}},
        {"type": "input_image", "image_url": "https://a/c.png"},
        {"type": "image", "source": {"type": "url", "url": "https://a/d.png"}},
        {"type": "novelty", "more": "SECRETBYTES"},
        7,
    )
    assert told == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
        {"type": "uri", "modality": "image", "uri": "https://a/b.png", "mime_type": None},
        {"type": "blob", "modality": "audio", "mime_type": None, "content": ""},
        {"type": "blob", "modality": "document", "mime_type": "text/csv", "content": ""},
        {"type": "uri", "modality": "video", "uri": "https://a/v", "mime_type": None},
        {"type": "uri", "modality": "image", "uri": "https://a/c.png", "mime_type": None},
        {"type": "uri", "modality": "image", "uri": "https://a/d.png", "mime_type": None},
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
    assert [one["role"] for one in told] == ["assistant", "tool", "assistant", "tool", "user", "assistant"]
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
    searching = {"type": "openrouter:web_search", "more": 1}
    assert said({"tools": [definition, {"name": "g"}, searching], "system": "be kind"}) == {
        names.TOOL_DEFINITIONS: [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
            {"type": "function", "name": "g"},
            {"type": "openrouter:web_search"},
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

    class Items(msgspec.Struct):
        output: list[dict[str, Any]]

    text = {"type": "output_text", "text": "hi"}
    items = Items([{"type": "message", "role": "assistant", "content": [text]}, {"type": "function_call", "name": "f"}])
    assert out(items) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": None, "name": "f", "arguments": None}],
            "finish_reason": "stop",
        },
    ]
    assert out(b"sound") is out(None) is out(object()) is out(ChatCompletionResponse()) is None


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


def test_what_just_fits_is_kept() -> None:
    told = [{"t": "aaaa"}, {"t": "bbbb"}]  # twelve characters each
    assert written(told, 24) == '[{"t":"aaaa"},{"t":"bbbb"}]'
    assert written(told, 23) == '[{"type":"left_out","count":1},{"t":"bbbb"}]'
    assert written([{"t": "a" * 8}], 8) == '[{"t":"aaaaaaaa"}]'
    assert written([{"t": "a" * 8}], 7) == '[{"type":"left_out","count":1}]'


def test_content_that_is_no_text_is_left_out() -> None:
    """Bug: bytes that are no UTF-8, in a body of the caller's own making."""
    assert input_content(read_request(b'{"messages": ["\xff"]}'), 100) == {}
