"""The responses API over the stand-in's completions: a request read as a chat, its answer and its stream. Pure."""

from collections.abc import Iterable, Mapping

from openrouter_client.simulator.answers import Completion, usage
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, mapping, sequence, text, texts
from openrouter_client.simulator.streams import DONE, event

_LONGEST = 12


def asked(fields: Mapping[str, object]) -> Json:
    """The request as a chat's."""
    words = fields.get("input")
    messages: list[object] = [{"role": "user", "content": words}] if isinstance(words, str) else []
    messages += [message for item in sequence(words) if (message := _message_of(mapping(item))) is not None]
    if fields.get("instructions"):
        messages.insert(0, {"role": "system", "content": fields["instructions"]})
    tools = [
        {"type": "function", "function": {key: value for key, value in mapping(tool).items() if key != "type"}}
        for tool in sequence(fields.get("tools"))
        if mapping(tool).get("type") == "function"
    ]
    form = mapping(mapping(fields.get("text")).get("format"))
    kind = text(form.get("type"))
    shaped: Json = {"type": kind, "json_schema": form} if kind == "json_schema" else {"type": kind}
    kept = ("model", "models", "stream", "temperature", "top_p", "reasoning", "user", "session_id")
    return {
        **{name: fields[name] for name in kept if fields.get(name) is not None},
        **({"max_tokens": fields["max_output_tokens"]} if fields.get("max_output_tokens") is not None else {}),
        **({"tools": tools} if tools else {}),
        **({"response_format": shaped} if kind and kind != "text" else {}),
        "messages": messages,
    }


def _message_of(item: Mapping[str, object]) -> Json | None:
    if item.get("type") == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": text(item.get("output"))}
    if item.get("type", "message") != "message":
        return None
    content = item.get("content")
    return {"role": item.get("role"), "content": content if isinstance(content, str) else texts(content)}


def _items(done: Completion) -> list[Json]:
    items: list[Json] = []
    mark = done.id[-12:]
    if done.reasoning and done.shows_reasoning:
        summary = [{"type": "summary_text", "text": done.reasoning}]
        items.append({"type": "reasoning", "id": f"rs_{mark}", "status": "completed", "summary": summary})
    items.extend(
        {
            "type": "function_call",
            "id": f"fc_{call.id}",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for call in done.tool_calls
    )
    if not done.tool_calls:
        part: Json = {"type": "output_text", "text": done.content, "annotations": [], "logprobs": []}
        items.append(
            {"type": "message", "id": f"msg_{mark}", "role": "assistant", "status": "completed", "content": [part]}
        )
    return items


def body(done: Completion, status: str = "") -> Json:
    """The whole answer."""
    full = not status
    cut = done.finish == "length"
    counted = usage(done)
    return {
        "id": done.id,
        "object": "response",
        "created_at": done.created,
        "completed_at": done.created + 1 if full else None,
        "model": done.model.id,
        "status": status or ("incomplete" if cut else "completed"),
        "output": _items(done) if full else [],
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if full and cut else None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "presence_penalty": None,
        "frequency_penalty": None,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": done.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": done.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": done.reasoning_tokens},
            "total_tokens": done.prompt_tokens + done.completion_tokens,
            "cost": done.cost,
            "is_byok": False,
            "cost_details": {
                "upstream_inference_cost": counted["cost"],
                "upstream_inference_input_cost": done.prompt_cost,
                "upstream_inference_output_cost": done.completion_cost,
            },
        }
        if full
        else None,
    }


def events(done: Completion, seed: int) -> list[bytes]:
    """The answer as a stream, in bytes."""
    going = body(done, "in_progress")
    told: list[Json] = [
        {"type": "response.created", "response": going},
        {"type": "response.in_progress", "response": going},
    ]
    for place, item in enumerate(_items(done)):
        told.extend(_grown(place, item, Dice(seed, "pieces", done.id, place)))
    last = "response.incomplete" if done.finish == "length" else "response.completed"
    told.append({"type": last, "response": body(done)})
    return [*(event({**one, "sequence_number": number}) for number, one in enumerate(told)), DONE]


def _grown(place: int, item: Json, dice: Dice) -> Iterable[Json]:
    """One item as it grows: announced empty, in deltas, and whole."""
    here: Json = {"output_index": place, "item_id": item["id"]}
    kind = item["type"]
    field = {"message": "content", "reasoning": "summary"}.get(text(kind), "arguments")
    empty: object = "" if field == "arguments" else []
    added: Json = {**item, field: empty, "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": place, "item": added}
    if kind == "message":
        part = mapping(sequence(item["content"])[0])
        said_ = text(part.get("text"))
        here["content_index"] = 0
        yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
        for piece in dice.pieces(said_, _LONGEST):
            yield {"type": "response.output_text.delta", **here, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **here, "text": said_, "logprobs": []}
        yield {"type": "response.content_part.done", **here, "part": part}
    elif kind == "function_call":
        for piece in dice.pieces(text(item["arguments"]), _LONGEST):
            yield {"type": "response.function_call_arguments.delta", **here, "delta": piece}
        finished: Json = {"name": item["name"], "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **here, **finished}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def failure(done: Completion, trouble: Json) -> bytes:
    """The event of a stream that fails; codes are OpenAI's."""
    code = "rate_limit_exceeded" if trouble["code"] in (429, "429") else "server_error"
    error: Json = {"code": code, "message": trouble["message"]}
    kind = mapping(trouble["metadata"]).get("error_type")
    return event({"type": "response.failed", "response": {**body(done, "failed"), "error": error, "error_type": kind}})
