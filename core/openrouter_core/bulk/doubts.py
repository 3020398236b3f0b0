"""What became of a call that was under way when its run was killed, as far as OpenRouter tells afterwards.

A generation that is on record was run, and its record says what it cost; where its content is kept too, it is the
answer. One that is not on record proves nothing: records come late, and of some calls there are none.
"""

from __future__ import annotations

import msgspec

from openrouter_core.wire.generation import Generation, GenerationContent
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

CACHE_SECS = 240.0
"""How long after a completed call asking it again is surely free, with `safe_retries` (OpenRouter docs,
features/response-caching: 300 s by default)."""


class Free(msgspec.Struct, frozen=True):
    """Asking again costs nothing more: nothing was paid, or what was paid comes out of the cache."""

    cost_known: bool = True


class Paid(msgspec.Struct, frozen=True):
    """It was paid, and its answer is lost. `cost` is in USD."""

    cost: float


class Answered(msgspec.Struct, frozen=True):
    """It was answered, and here is the answer."""

    answer: ChatCompletionResponse


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can tell."""


Settled = Free | Paid | Answered | Unknown


def cached(sent: float | None, now: float, *, safe: bool) -> bool:
    """Tell whether asking again what was sent at an instant is free; instants are in seconds since the epoch.

    `safe`: it was sent, and is asked again, with `safe_retries`.
    """
    return safe and sent is not None and 0.0 <= now - sent < CACHE_SECS


def settled(record: Generation, content: GenerationContent | None) -> Settled:
    """Tell what became of a call, by the record of its generation, and by its content where that is kept."""
    cost = record.total_cost if record.total_cost is not None else record.usage
    if cost is None:
        return Unknown()
    if not cost and not (record.native_tokens_completion or record.tokens_completion):
        return Free()
    text = None if content is None or content.output is None else content.output.completion
    if not text or record.finish_reason not in ("stop", "length"):
        return Paid(float(cost))
    return Answered(answer_of(record, text, float(cost)))


def answer_of(record: Generation, text: str, cost: float) -> ChatCompletionResponse:
    """Make the answer that a call would have had, as far as its record tells."""
    prompt = record.native_tokens_prompt if record.native_tokens_prompt is not None else record.tokens_prompt
    completion = (
        record.native_tokens_completion if record.native_tokens_completion is not None else record.tokens_completion
    )
    message = ResponseMessage(role="assistant", content=text)
    return ChatCompletionResponse(
        id=record.id,
        model=record.model,
        provider=record.provider_name,
        choices=[Choice(index=0, finish_reason=record.finish_reason, message=message)],
        usage=Usage(prompt_tokens=prompt, completion_tokens=completion, cost=cost),
    )
