"""The answer's shapes: what real bodies hold, what may be missing, and the way back into a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.core.strategies import answers

from openrouter_core.build import BuildSettings, build_chat
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage

DATA = Path(__file__).parent / "data"
DECODER = msgspec.json.Decoder(ChatCompletionResponse)
RETURNED = ("content", "reasoning", "reasoning_details", "tool_calls", "annotations", "images", "audio", "refusal")


def answer(name: str) -> ChatCompletionResponse:
    return DECODER.decode((DATA / f"answer_{name}.json").read_bytes())


def first_message(body: Any) -> dict[str, Any]:
    message: dict[str, Any] = ((body.get("choices") or [{}])[0] or {}).get("message") or {}
    return message


@given(answers())
def test_any_answer_decodes(body: dict[str, Any]) -> None:
    """Catches a field taken to be present, not null, or of a closed set: an answer that was paid for is lost."""
    decoded = DECODER.decode(msgspec.json.encode(body))
    assert isinstance(decoded.text, str)
    assert decoded.cost == (body.get("usage") or {}).get("cost")
    assert len(decoded.tool_calls) == len(first_message(body).get("tool_calls") or [])


@given(answers())
def test_what_must_come_back_unchanged_does(body: dict[str, Any]) -> None:
    """Catches reasoning details, annotations or images that lose keys or order: providers refuse those."""
    message = DECODER.decode(msgspec.json.encode(body)).message
    if message is None:
        return
    raw, back = first_message(body), msgspec.to_builtins(message.to_message())
    for name in ("reasoning_details", "annotations", "images", "audio", "content"):
        assert msgspec.json.encode(back.get(name)) == msgspec.json.encode(raw.get(name))


@pytest.mark.parametrize("path", sorted(DATA.glob("answer_*.json")), ids=lambda path: path.stem)
def test_recorded_kinds_of_bodies_go_back_unchanged(path: Path) -> None:
    raw = first_message(msgspec.json.decode(path.read_bytes()))
    message = DECODER.decode(path.read_bytes()).message or ResponseMessage()
    turn = ChatCompletionRequest(messages=[ChatMessage.user("x"), message.to_message()])
    straight = ChatCompletionRequest(
        messages=[ChatMessage.user("x"), msgspec.structs.replace(message, role="assistant")]
    )
    settings = BuildSettings(url="")
    body = build_chat(turn, settings).unwrap().body
    sent = msgspec.json.decode(body)["messages"][1]
    assert {name: raw[name] for name in RETURNED if raw.get(name) is not None} == {
        name: sent[name] for name in RETURNED if name in sent
    }
    assert build_chat(straight, settings).unwrap().body == body


def test_the_shortcuts() -> None:
    plain = answer("padded")
    assert (plain.text, plain.finish_reason, plain.cost, plain.tool_calls) == ("Yes, at 0.62.", "stop", 0.000123, [])
    assert answer("annotations_images_audio").text == "See this."


def test_a_cost_of_zero_is_a_float_and_an_unknown_cost_is_none() -> None:
    free = answer("free_cost_int_no_fingerprint")
    assert isinstance(free.cost, float)
    assert free.cost == 0
    assert free.usage is not None
    assert free.usage.server_tool_use_details is not None
    assert free.usage.server_tool_use_details.web_search_requests == 2
    assert answer("everything_null").cost is None
    assert ChatCompletionResponse(choices=[]).cost is None


def test_tool_calls() -> None:
    calls = answer("reasoning_and_tool_calls")
    assert [(call.id, call.index, call.function and call.function.name) for call in calls.tool_calls] == [
        ("call_1", 0, "price"),
        ("call_2", 1, "depth"),
    ]
    assert calls.finish_reason == "tool_calls"
    assert calls.text == ""


def test_wire_only_fields_and_metadata() -> None:
    full = answer("logprobs_router_metadata")
    assert (full.provider, full.service_tier, full.alignment) == ("SpaceXAI", "provisioned", {"calls": []})
    choice, routed = full.choice, full.openrouter_metadata
    assert choice is not None
    assert choice.native_finish_reason == "completed"
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert choice.logprobs.content[0].bytes == [89, 101, 115]
    assert routed is not None
    assert routed.attempts is not None
    assert (routed.attempts[0].status, routed.params) == (503, {"quality_floor": 0.5})


def test_errors_stay_where_the_classifier_looks_for_them() -> None:
    assert answer("error_in_200").error["code"] == 502
    half = answer("choice_error")
    assert half.choice is not None
    assert (half.text, half.choice.error["code"]) == ("Half an ans", "server_error")


def test_an_empty_answer_has_no_text_and_no_reason() -> None:
    for empty in (answer("everything_null"), ChatCompletionResponse(choices=[Choice()])):
        assert (empty.text, empty.finish_reason, empty.message, empty.tool_calls) == ("", None, None, [])


def test_the_message_to_send_back_has_what_the_answer_had() -> None:
    told = {"role": "assistant", "content": "x", "name": "n", "refusal": "r", "model": "m"}
    assert msgspec.to_builtins(msgspec.convert(told, ResponseMessage).to_message()) == told


def test_a_message_without_a_role_is_the_assistants() -> None:
    assert ResponseMessage(content="x").to_message() == ChatMessage.assistant("x")


def test_our_own_record_travels_beside_the_answer() -> None:
    record = CallRecord(
        attempts=(Attempt(number=1, started=0.0, ended=0.5, outcome="200", status=200),), elapsed_secs=0.5
    )
    kept = msgspec.structs.replace(answer("padded"), call=record)
    assert DECODER.decode(msgspec.json.encode(kept)) == kept
    assert answer("padded").call is None


@pytest.mark.parametrize(
    ("data", "text", "reasoning"),
    [
        (b'{"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes"},"finish_reason":null}]}', "Yes", ""),
        (b'{"choices":[{"index":0,"delta":{"content":null,"reasoning":"hm"}}]}', "", "hm"),
        (b'{"choices":[{"index":0,"delta":null}]}', "", ""),
        (b'{"choices":[],"usage":{"cost":0}}', "", ""),
        (b'{"error":{"code":"429","message":"x"}}', "", ""),
        (b'{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"","function":{"arguments":"{"}}]}}]}', "", ""),
    ],
)
def test_chunks(data: bytes, text: str, reasoning: str) -> None:
    chunk = msgspec.json.decode(data, type=ChatCompletionChunk)
    assert (chunk.text, chunk.reasoning) == (text, reasoning)
    assert (chunk.delta is None) == (not chunk.choices or chunk.choices[0].delta is None)
    assert ((chunk.delta.content if chunk.delta else None) or "") == text
