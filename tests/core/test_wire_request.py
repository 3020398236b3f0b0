"""The request's shapes: what their constructors make, in the form that goes over the wire."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openrouter_core.wire import formats, message, parts, plugins, routing, settings, tools
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ChatMessage, ToolCall
from openrouter_core.wire.request import ChatCompletionRequest


def wire_forms() -> list[tuple[Any, Any]]:
    """What constructors make, and its form."""
    return [
        (ChatMessage.system("s", name="n"), {"role": "system", "content": "s", "name": "n"}),
        (ChatMessage.developer("d", name="n"), {"role": "developer", "content": "d", "name": "n"}),
        (ChatMessage.user([parts.TextPart(text="t")]), {"role": "user", "content": [{"type": "text", "text": "t"}]}),
        (ChatMessage.user("u", name="n"), {"role": "user", "content": "u", "name": "n"}),
        (ChatMessage.assistant(), {"role": "assistant"}),
        (ChatMessage.tool("42", tool_call_id="c"), {"role": "tool", "content": "42", "tool_call_id": "c"}),
        (
            ChatMessage.assistant(tool_calls=[ToolCall.of("c", "f", "{}")]),
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        ),
        (
            parts.TextPart(text="t", cache_control=parts.CacheControl()),
            {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
        ),
        (parts.CacheBreakpoint(ttl="30m"), {"mode": "explicit", "ttl": "30m"}),
        (parts.ImagePart.of("u", "high"), {"type": "image_url", "image_url": {"url": "u", "detail": "high"}}),
        (parts.AudioPart.of("b64", "wav"), {"type": "input_audio", "input_audio": {"data": "b64", "format": "wav"}}),
        (parts.VideoPart.of("u", "static"), {"type": "video_url", "video_url": {"url": "u", "processing": "static"}}),
        (parts.FilePart.of("d", "f"), {"type": "file", "file": {"file_data": "d", "filename": "f"}}),
        (ResponseFormat.text(), {"type": "text"}),
        (ResponseFormat.json(), {"type": "json_object"}),
        (
            ResponseFormat.json_schema({"b": 1, "a": 2}, name="n", description="d"),
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"b": 1, "a": 2}, "strict": True, "description": "d"},
            },
        ),
        (
            ResponseFormat.json_schema({}),
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}, "strict": True}},
        ),
        (ResponseFormat.grammar("g"), {"type": "grammar", "grammar": "g"}),
        (ResponseFormat.python(), {"type": "python"}),
        (
            tools.FunctionTool.of("f", {"type": "object"}, description="d", strict=True),
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
            },
        ),
        (tools.ServerTool(type=tools.DATETIME), {"type": "openrouter:datetime"}),
        (tools.ToolChoice.of("f"), {"type": "function", "function": {"name": "f"}}),
        (tools.ToolChoice.server_tool(tools.BASH), {"type": "openrouter:bash"}),
        (tools.MaxCost(max_cost_in_dollars=0.5), {"type": "max_cost", "max_cost_in_dollars": 0.5}),
        (plugins.WebPlugin(max_results=3), {"id": "web", "max_results": 3}),
        (
            settings.DeferredTools.of({"type": "bm25"}),
            {"protocol": "v1", "profile": "portable", "validation": "runtime", "search": {"type": "bm25"}},
        ),
        (settings.Prediction(content="c"), {"type": "content", "content": "c"}),
        (
            message.ConfigurationUpdate(reasoning=settings.Reasoning(effort="low")),
            {"reasoning": {"effort": "low"}},
        ),
        (
            routing.ProviderPreferences(sort=routing.ProviderSort(by="price"), max_price={"prompt": "1"}),
            {"sort": {"by": "price"}, "max_price": {"prompt": "1"}},
        ),
        (formats.JsonSchema(name="n", strict=False), {"name": "n", "strict": False}),
    ]


def test_the_form_on_the_wire() -> None:
    for value, wire in wire_forms():
        assert msgspec.to_builtins(value) == wire


def test_shapes_are_immutable_and_say_only_what_is_set() -> None:
    request = ChatCompletionRequest(messages=[ChatMessage.user("hi")])
    assert repr(request) == "ChatCompletionRequest(messages=[ChatMessage(role='user', content='hi')])"
    with pytest.raises(AttributeError):
        request.model = "m"  # type: ignore[misc] # frozen is what is tested


def test_a_prompt_is_a_conversation_too() -> None:
    said = [ChatMessage.user("hi")]
    assert ChatCompletionRequest(messages=said, prompt="older").conversation == said
    assert ChatCompletionRequest(prompt="hi").conversation == said
    assert ChatCompletionRequest().conversation == []
