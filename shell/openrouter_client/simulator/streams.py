"""An answer in pieces: the chunks of a stream, as OpenRouter cuts them, and their bytes. Pure.

The last chunks come in OpenRouter's order: one with the finish_reason, one with the usage that repeats it, `[DONE]`.
"""

import msgspec

from openrouter_client.simulator.answers import Completion, head, reasoning_details, usage
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, text

DONE = b"data: [DONE]\n\n"
_LONGEST = 12


def event(chunk: object) -> bytes:
    """A chunk as a server-sent event."""
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def chunk(done: Completion, delta: Json, finish: str | None = None, native: str | None = None) -> Json:
    """One chunk of the stream; `role` stands in every delta."""
    choice: Json = {
        "index": 0,
        "delta": {"role": "assistant", "content": "", **delta},
        "finish_reason": finish,
        "native_finish_reason": native,
        "logprobs": None,
    }
    return {**head(done, "chat.completion.chunk"), "choices": [choice]}


def said(done: Completion, seed: int) -> list[Json]:
    """The chunks that carry the answer, up to but without the one with the finish_reason."""
    dice = Dice(seed, "pieces", done.id)
    return [chunk(done, delta) for delta in (*_thinking(done, dice), *_speaking(done, dice), *_calling(done, dice))]


def ended(done: Completion) -> list[Json]:
    """The two chunks that end the answer: the finish_reason, and the usage with the finish_reason again."""
    last = chunk(done, {}, done.finish, done.native_finish)
    return [last, {**last, "usage": usage(done)}]


def _thinking(done: Completion, dice: Dice) -> list[Json]:
    deltas: list[Json] = []
    for detail in reasoning_details(done):
        name = "summary" if "summary" in detail else "text" if "text" in detail else ""
        shared = {key: value for key, value in detail.items() if key not in {name, "signature"}}
        if not name:
            deltas.append({"reasoning_details": [detail]})
            continue
        pieces = dice.pieces(text(detail[name]), _LONGEST)
        deltas.extend({"reasoning": piece, "reasoning_details": [{**shared, name: piece}]} for piece in pieces)
        if "signature" in detail:
            deltas.append({"reasoning_details": [{**shared, "signature": detail["signature"]}]})
    return deltas


def _speaking(done: Completion, dice: Dice) -> list[Json]:
    return [{"content": piece} for piece in dice.pieces(done.content, _LONGEST)]


def _calling(done: Completion, dice: Dice) -> list[Json]:
    deltas: list[Json] = []
    for index, call in enumerate(done.tool_calls):
        named: Json = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        pieces: list[Json] = [{"function": {"arguments": piece}} for piece in dice.pieces(call.arguments, _LONGEST)]
        deltas.extend({"content": None, "tool_calls": [{"index": index, **piece}]} for piece in (named, *pieces))
    return deltas
