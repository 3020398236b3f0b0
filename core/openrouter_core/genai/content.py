"""Prompts and answers in the form in which OpenTelemetry's conventions want them, as JSON, and bounded.

A message is a role and parts: text, reasoning, tool_call, tool_call_response, uri, blob. The bytes of images, sounds
and files are not told, only that they were there. Source: open-telemetry/semantic-conventions-genai, docs/gen-ai, the
JSON schemas of input and output messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from openrouter_core.envelope import UNDECODABLE, items, mapping
from openrouter_core.genai.facts import Asked
from openrouter_core.genai.names import INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS

Part = dict[str, Any]
Message = dict[str, Any]

MODALITIES = {"image": "image", "video": "video", "audio": "audio", "file": "document", "document": "document"}


def input_content(asked: Asked, limit: int) -> dict[str, str]:
    """Tell what was asked: the messages, the instructions and the tools; each at most about `limit` characters."""
    messages = decoded(asked.messages) or decoded(asked.prompt) or decoded(asked.input)
    instructions = decoded(asked.system) or decoded(asked.instructions)
    told = {
        INPUT_MESSAGES: written([message(one, "user") for one in listed(messages)], limit),
        SYSTEM_INSTRUCTIONS: written(parts(instructions), limit),
        TOOL_DEFINITIONS: written([tool(one) for one in items(decoded(asked.tools))], limit),
    }
    return {name: text for name, text in told.items() if text}


def output_content(answer: Any, limit: int) -> dict[str, str]:
    """Tell what was answered."""
    plain = mapping(msgspec.to_builtins(answer) if isinstance(answer, msgspec.Struct) else None)
    choices = items(plain.get("choices")) or items(plain.get("output")) or [plain]
    said = [choice(mapping(one)) for one in choices]
    text = written([one for one in said if one["parts"]], limit)
    return {OUTPUT_MESSAGES: text} if text else {}


def decoded(raw: msgspec.Raw) -> Any:
    """Decode what was left as JSON."""
    try:
        return msgspec.json.decode(raw)
    except UNDECODABLE:
        return None


def listed(value: Any) -> Sequence[Any]:
    """Take one thing, or several."""
    return items(value) if isinstance(value, list) else [] if value is None else [value]


def message(value: Any, role: str) -> Message:
    """Write a message; a plain text is the role's."""
    said = mapping(value)
    if not said:
        return {"role": role, "parts": parts(value)}
    kind = said.get("type")
    if kind not in (None, "message"):
        return {"role": "tool" if kind == "function_call_output" else "assistant", "parts": [part(said)]}
    calls = [tool_call(mapping(one)) for one in items(said.get("tool_calls"))]
    reasoning = said.get("reasoning")
    thought = [{"type": "reasoning", "content": reasoning}] if isinstance(reasoning, str) and reasoning else []
    content = parts(said.get("content"))
    if said.get("role") == "tool":
        content = [{"type": "tool_call_response", "id": said.get("tool_call_id"), "response": said.get("content")}]
    return {"role": str(said.get("role", role)), "parts": [*thought, *content, *calls]}


def choice(value: dict[str, Any] | Any) -> Message:
    """Write one answer."""
    inner = mapping(value.get("message"))
    text = value.get("text")
    said = inner or (value if not isinstance(text, str) else {"content": text})
    ended = value.get("finish_reason") or value.get("stop_reason")
    return {**message(dict(said), "assistant"), "finish_reason": ended or "stop"}


def parts(content: Any) -> list[Part]:
    """Write the content of a message."""
    return [part(one) for one in listed(content) if one not in ("", {})]


def part(value: Any) -> Part:
    """Write one part; of a kind that nobody knows, only the kind."""
    if isinstance(value, str):
        return {"type": "text", "content": value}
    said = mapping(value)
    kind = str(said.get("type"))
    match kind:
        case "text" | "input_text" | "output_text":
            return {"type": "text", "content": str(said.get("text", ""))}
        case "thinking" | "reasoning":
            return {"type": "reasoning", "content": str(said.get("thinking") or said.get("text") or "")}
        case "tool_use" | "function_call":
            return tool_call(said)
        case "tool_result" | "function_call_output":
            whose = said.get("tool_use_id") or said.get("call_id")
            return {"type": "tool_call_response", "id": whose, "response": said.get("content") or said.get("output")}
        case _:
            return medium(kind, said)


def tool_call(said: Any) -> Part:
    """Write the call of a tool."""
    function = mapping(said.get("function")) or said
    arguments = function.get("arguments", function.get("input"))
    return {
        "type": "tool_call",
        "id": said.get("call_id") or said.get("id"),
        "name": str(function.get("name")),
        "arguments": arguments,
    }


def medium(kind: str, said: Any) -> Part:
    """Write a picture, a sound or a file: its address, or that its bytes were there."""
    modality = next((name for word, name in MODALITIES.items() if word in kind), None)
    if modality is None:
        return {"type": kind}
    address = next((url for url in addresses(said) if isinstance(url, str)), None)
    if address and not address.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": address, "mime_type": None}
    media_type = address.removeprefix("data:").partition(";")[0] if address else None
    return {"type": "blob", "modality": modality, "mime_type": media_type, "content": ""}


def addresses(said: Any) -> Iterable[Any]:
    """Find where a part's address may be."""
    for name in ("image_url", "video_url", "file", "source"):
        inner = said.get(name)
        yield inner
        yield mapping(inner).get("url")
        yield mapping(inner).get("file_data")


def tool(value: Any) -> dict[str, Any]:
    """Write the definition of a tool."""
    said = mapping(value)
    function = mapping(said.get("function")) or said
    wanted = {name: function.get(name) for name in ("name", "description", "parameters")}
    return {"type": str(said.get("type", "function")), **{name: one for name, one in wanted.items() if one is not None}}


def written(told: Sequence[dict[str, Any]], limit: int) -> str:
    """Write as JSON, with long texts cut: the last things, and of the first ones that do not fit, only how many."""
    kept: list[str] = []
    left = limit
    for one in reversed(told):
        text = msgspec.json.encode(cut(one, limit)).decode()
        left -= len(text)
        if left < (0 if kept else -limit):
            kept.append(msgspec.json.encode(missing(one, len(told) - len(kept))).decode())
            break
        kept.append(text)
    return f"[{','.join(reversed(kept))}]" if kept else ""


def missing(one: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Stand for so many things that were left out, in the form of one of them."""
    note = {"type": "left_out", "count": count}
    return {"role": "system", "parts": [note]} if "role" in one else note


def cut(value: Any, limit: int) -> Any:
    """Cut the texts inside of a value."""
    match value:
        case str() if len(value) > limit:
            return f"{value[:limit]}... ({len(value) - limit} more characters)"
        case dict():
            return {name: cut(one, limit) for name, one in mapping(value).items()}
        case list():
            return [cut(one, limit) for one in items(value)]
        case _:
            return value
