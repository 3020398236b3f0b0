"""Streams of all kinds but chat, made after the documented and recorded ones, and the answers they are."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def framed(*events: dict[str, Any], named: bool = False) -> bytes:
    """Write events as a server does, with a comment before the first."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return b": \n\n" + "".join(lines).encode()


MESSAGE_ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
TEXT_PART = {"type": "output_text", "text": "Hello", "annotations": []}
CALL_ITEM = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'}
THOUGHT_ITEM = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Easy."}]}
OUTPUT = [THOUGHT_ITEM, {**MESSAGE_ITEM, "content": [TEXT_PART]}, CALL_ITEM]
STATE = {"id": "gen-1", "object": "response", "model": "openai/gpt-5-nano", "created_at": 1785882693, "error": None}
RESPONSE = {
    **STATE,
    "status": "completed",
    "output": OUTPUT,
    "usage": {"input_tokens": 9, "output_tokens": 4, "cost": 1e-6},
}

RESPONSE_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": {**STATE, "status": "in_progress", "output": []}, "sequence_number": 0},
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"id": "rs_1", "type": "reasoning", "summary": []},
    },
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Easy."},
    {"type": "response.output_item.added", "output_index": 1, "item": {**MESSAGE_ITEM, "content": []}},
    {"type": "response.content_part.added", "output_index": 1, "content_index": 0, "part": {**TEXT_PART, "text": ""}},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Hel", "item_id": "msg_1"},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "lo", "item_id": "msg_1"},
    {"type": "response.output_item.done", "output_index": 1, "item": {**MESSAGE_ITEM, "content": [TEXT_PART]}},
    {"type": "response.output_item.added", "output_index": 2, "item": {**CALL_ITEM, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": '{"a":'},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": " 1}"},
    {"type": "response.of_tomorrow", "new": True},
    {"type": "response.completed", "response": RESPONSE},
]

MESSAGE = {
    "id": "gen-2",
    "type": "message",
    "role": "assistant",
    "model": "anthropic/claude",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s1"},
        {"type": "text", "text": "Hello", "citations": [{"type": "char_location"}]},
        {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 9, "output_tokens": 12},
}

MESSAGE_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 9}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s1"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "citations_delta", "citation": {"type": "char_location"}},
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "delta_of_tomorrow"}},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t1", "name": "add", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": " 1}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 12}},
    {"type": "message_stop"},
]

IMAGES = {"created": 5, "data": [{"b64_json": "QUJD", "media_type": "image/png"}], "usage": {"total_tokens": 3}}

IMAGE_EVENTS: list[dict[str, Any]] = [
    {"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": "QQ=="},
    {"type": "image_generation.text_chunk", "phase": "done", "text": "Here"},
    {
        "type": "image_generation.completed",
        "created": 5,
        "b64_json": "QUJD",
        "media_type": "image/png",
        "usage": {"total_tokens": 3},
    },
]

COMPLETION_HEAD = {"id": "gen-3", "object": "text_completion", "created": 7, "model": "openai/gpt-4o-mini"}
COMPLETION = {
    **COMPLETION_HEAD,
    "choices": [
        {"index": 0, "text": "upon a time", "finish_reason": "stop", "reasoning": "Easy."},
        {"index": 1, "text": "more", "finish_reason": "length"},
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 5, "cost": 1e-6},
}

COMPLETION_EVENTS: list[dict[str, Any]] = [
    {**COMPLETION_HEAD, "choices": [{"index": 0, "text": "", "reasoning": "Easy.", "finish_reason": None}]},
    {**COMPLETION_HEAD, "choices": [{"index": 1, "text": "mo"}, {"index": 0, "text": "upon "}]},
    {**COMPLETION_HEAD, "choices": [{"index": 0, "text": "a time", "finish_reason": "stop"}]},
    {**COMPLETION_HEAD, "choices": [{"index": 1, "text": "re", "finish_reason": "length"}]},
    {**COMPLETION_HEAD, "choices": [], "usage": COMPLETION["usage"]},
]

FAILURES: dict[str, list[dict[str, Any]]] = {
    "responses": [
        {
            "type": "response.failed",
            "response": {
                "id": "resp_1",
                "status": "failed",
                "error": {"code": "server_error", "message": "Internal"},
                "error_type": "server",
            },
        },
        {
            "type": "response.failed",
            "response": {"id": "resp_1", "status": "failed", "error": None, "error_type": "server"},
        },
        {"type": "response.completed", "response": {"id": "resp_1", "status": "failed", "error": "server_error"}},
        {"type": "response.error", "error": {"code": "rate_limit_exceeded", "message": "Rate limit exceeded"}},
        {"type": "error", "error": {"code": "server_error", "message": "Internal"}},
        {"type": "error", "code": "server_error", "message": "Internal", "param": None, "sequence_number": 3},
        {"error": {"code": 502, "message": "Internal"}},
    ],
    "messages": [
        {
            "type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded", "error_type": "provider_overloaded"},
        },
        {"type": "error"},
    ],
    "completions": [
        {"error": {"code": 502, "message": "Internal"}},
        {**COMPLETION_HEAD, "choices": [], "error": {"code": 429, "message": "rate_limit"}},
        {
            "choices": [
                {"index": 0, "text": "", "finish_reason": "error", "error": {"code": 502, "message": "Internal"}}
            ]
        },
    ],
    "images": [{"type": "error", "error": {"message": "Generation failed", "code": "server_error"}}, {"type": "error"}],
}
"""Events that are failures: every one transient, by the table that serves HTTP statuses."""
