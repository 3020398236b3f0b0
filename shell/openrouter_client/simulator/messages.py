"""The messages API over the stand-in's completions: a request read as a chat, its answer and its stream. Pure."""

from collections.abc import Mapping

import msgspec

from openrouter_client.simulator.answers import Completion
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, mapping, sequence, text, texts
from openrouter_client.simulator.streams import event

_LONGEST = 12


def asked(fields: Mapping[str, object]) -> Json:
    """The request as a chat's."""
    messages: list[object] = []
    system = fields.get("system")
    if system:
        messages.append({"role": "system", "content": system if isinstance(system, str) else texts(system)})
    for turn in map(mapping, sequence(fields.get("messages"))):
        results = [part for part in map(mapping, sequence(turn.get("content"))) if part.get("type") == "tool_result"]
        messages.extend(
            {"role": "tool", "tool_call_id": part.get("tool_use_id"), "content": text(part.get("content")) or "done"}
            for part in results
        )
        if not results:
            content = turn.get("content")
            messages.append(
                {"role": turn.get("role"), "content": content if isinstance(content, str) else texts(content)}
            )
    tools = [
        {"type": "function", "function": {"name": tool.get("name"), "parameters": tool.get("input_schema")}}
        for tool in map(mapping, sequence(fields.get("tools")))
        if tool.get("input_schema")
    ]
    kept = ("model", "stream", "temperature", "top_p", "top_k", "max_tokens")
    return {
        **{name: fields[name] for name in kept if fields.get(name) is not None},
        **({"stop": fields["stop_sequences"]} if fields.get("stop_sequences") else {}),
        **({"tools": tools} if tools else {}),
        "messages": messages,
    }


_STOPPED = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}


def _blocks(done: Completion) -> list[Json]:
    blocks: list[Json] = []
    if done.reasoning and done.shows_reasoning:
        sealed = Dice("sealed", done.reasoning).letters(64)
        blocks.append({"type": "thinking", "thinking": done.reasoning, "signature": sealed})
    for call in done.tool_calls:
        arguments: object = msgspec.json.decode(call.arguments)
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments})
    if not done.tool_calls:
        blocks.append({"type": "text", "text": done.content, "citations": None})
    return blocks


def body(done: Completion) -> Json:
    """The whole answer."""
    return {
        "id": done.id,
        "type": "message",
        "role": "assistant",
        "model": done.model.id,
        "provider": done.model.house.provider,
        "content": _blocks(done),
        "stop_reason": _STOPPED[done.finish],
        "stop_sequence": None,
        "usage": _usage(done, done.completion_tokens),
    }


def _usage(done: Completion, output: int) -> Json:
    return {
        "input_tokens": done.prompt_tokens,
        "output_tokens": output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        **({"cost": done.cost, "is_byok": False} if output else {}),
    }


def events(done: Completion, seed: int) -> list[bytes]:
    """The answer as a stream, in bytes."""
    begun: Json = {**body(done), "content": [], "stop_reason": None, "usage": _usage(done, 0)}
    told: list[Json] = [{"type": "message_start", "message": begun}]
    told.append({"type": "ping"})
    for index, block in enumerate(_blocks(done)):
        kind = text(block["type"])
        field = {"thinking": "thinking", "tool_use": "input", "text": "text"}[kind]
        whole = msgspec.json.encode(block["input"]).decode() if kind == "tool_use" else text(block[field])
        delta, name = {
            "thinking": ("thinking_delta", "thinking"),
            "tool_use": ("input_json_delta", "partial_json"),
            "text": ("text_delta", "text"),
        }[kind]
        empty: Json = {
            **block,
            field: {} if kind == "tool_use" else "",
            **({"signature": ""} if kind == "thinking" else {}),
        }
        told.append({"type": "content_block_start", "index": index, "content_block": empty})
        told.extend(
            {"type": "content_block_delta", "index": index, "delta": {"type": delta, name: piece}}
            for piece in Dice(seed, "pieces", done.id, index).pieces(whole, _LONGEST)
        )
        if kind == "thinking":
            signed: Json = {"type": "signature_delta", "signature": block["signature"]}
            told.append({"type": "content_block_delta", "index": index, "delta": signed})
        told.append({"type": "content_block_stop", "index": index})
    ending: Json = {"stop_reason": _STOPPED[done.finish], "stop_sequence": None}
    counted = _usage(done, done.completion_tokens)
    told.append({"type": "message_delta", "delta": ending, "usage": counted})
    told.append({"type": "message_stop"})
    return [b"event: " + text(one["type"]).encode() + b"\n" + event(one) for one in told]


def failure(done: Completion, trouble: Json) -> bytes:
    """The event of a stream that fails; types are Anthropic's."""
    del done
    kind = "rate_limit_error" if trouble["code"] in (429, "429") else "api_error"
    error: Json = {"type": kind, "message": trouble["message"]}
    known = mapping(trouble["metadata"]).get("error_type")
    told: Json = {"type": "error", "error": {**error, "error_type": known} if known else error}
    return b"event: error\n" + event(told)
