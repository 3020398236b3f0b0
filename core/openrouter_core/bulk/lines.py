"""From how a row's call ended to what is written down: the line of the output, and the figures beside it.

A line has the shape of OpenAI's batches: `custom_id`, and either `response` (with the answer in `response.body`) or
`error`. `row` counts from 1 in the order of the input; `value` is the typed answer, where one was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from returns.result import Failure, Result, Success

from openrouter_core.bulk.states import RowEvent, Stop, meaning
from openrouter_core.errors import AnyError, DataSourceError, Disconnected, known
from openrouter_core.evidence import cost_of
from openrouter_core.question import mismatched
from openrouter_core.schema import TypeSchema
from openrouter_core.typed import decode_as
from openrouter_core.wire.response import ChatCompletionResponse


class Told(msgspec.Struct, frozen=True):
    """An answer, as a line of the output has it."""

    status_code: int
    request_id: str | None
    body: ChatCompletionResponse


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the output. Exactly one of `response` and `error` is there."""

    row: int
    custom_id: str | None
    response: Told | None = None
    error: AnyError | None = None
    value: Any | UnsetType = UNSET


class Wanted(msgspec.Struct, frozen=True):
    """The type of the answers, and what describes it; any JSON where only a schema is known."""

    type: Any
    known: TypeSchema | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a row's call ended: the event, its line ("" where it has none yet), and what it took.

    `cost` is in USD, None where nobody told; `seconds` are those of the whole call; `stop` says that the run is over.
    """

    event: RowEvent
    line: bytes = b""
    cost: float | None = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    attempts: int = 0
    generation_id: str | None = None
    kind: str | None = None
    stop: Stop | None = None


Answer = Result[ChatCompletionResponse, DataSourceError]


def with_earlier(outcome: Outcome, earlier: Sequence[ChatCompletionResponse]) -> Outcome:
    """Add what the answers took that did not fit, before the one that ended the row."""
    costs, used = [outcome.cost, *(one.cost for one in earlier)], [tokens(one) for one in earlier]
    known = [cost for cost in costs if cost is not None]
    return msgspec.structs.replace(
        outcome,
        cost=sum(known) if len(known) == len(costs) else None,
        prompt_tokens=outcome.prompt_tokens + sum(prompt for prompt, _ in used),
        completion_tokens=outcome.completion_tokens + sum(completion for _, completion in used),
        attempts=outcome.attempts + sum(len(one.call.attempts) for one in earlier if one.call is not None),
    )


def outcome_of(row: int, custom_id: str | None, answer: Answer, wanted: Wanted | None, seconds: float) -> Outcome:
    """Tell what is written down about a row whose call has ended; `wanted` asks for a typed answer."""
    if isinstance(answer, Failure):
        return failed(row, custom_id, answer.failure(), seconds)
    good = answer.unwrap()
    value = UNSET if wanted is None else valued(good, wanted)
    if isinstance(value, Failure):
        return failed(row, custom_id, value.failure(), seconds)
    call, (prompt, completion) = good.call, tokens(good)
    body = msgspec.structs.replace(good, call=None)
    line = Line(
        row=row,
        custom_id=custom_id,
        response=Told(200, good.id, body),
        value=value if value is UNSET else value.unwrap(),
    )
    return Outcome(
        event="answer",
        line=encoded(line),
        cost=good.cost,
        prompt_tokens=prompt,
        completion_tokens=completion,
        seconds=seconds,
        attempts=0 if call is None else len(call.attempts),
        generation_id=good.id if call is None else call.generation_id or good.id,
    )


def tokens(answer: ChatCompletionResponse | None) -> tuple[int, int]:
    """Give the tokens of the prompt and of the completion, as far as an answer tells; 0 where it does not."""
    usage = None if answer is None else answer.usage
    return (0, 0) if usage is None else (usage.prompt_tokens or 0, usage.completion_tokens or 0)


def valued(answer: ChatCompletionResponse, wanted: Wanted) -> Result[Any, DataSourceError]:
    """Read the typed answer; a text that does not fit is a `ParseError` that carries what was paid for."""
    read = decode_as(wanted.type, answer.text, wanted.known)
    if isinstance(read, Failure):
        return Failure(mismatched((answer,), read.failure()))
    return Success(read.unwrap())


def failed(row: int, custom_id: str | None, error: DataSourceError, seconds: float) -> Outcome:
    """Tell what is written down about a row that failed, or that is to be as if it had not been asked."""
    means = meaning(error)
    there = means.event != "give_back"
    prompt, completion = tokens(error.partial)
    return Outcome(
        event=means.event,
        line=encoded(Line(row=row, custom_id=custom_id, error=known(error))) if there else b"",
        cost=cost_of(error) if there or error.attempts else 0.0,
        prompt_tokens=prompt,
        completion_tokens=completion,
        seconds=seconds,
        attempts=len(error.attempts),
        generation_id=error.generation_id,
        kind=type(error).__name__,
        stop=means.stop,
    )


def doubtful(row: int, custom_id: str | None, generation_id: str | None) -> Outcome:
    """Tell what is written down about a row in doubt that is not asked again."""
    error = in_doubt(generation_id)
    return Outcome(
        event="report",
        line=encoded(Line(row=row, custom_id=custom_id, error=error)),
        cost=None,
        generation_id=generation_id,
        kind=type(error).__name__,
    )


def in_doubt(generation_id: str | None) -> AnyError:
    """Make the error of a call that was under way when its run was killed."""
    return Disconnected(
        message="the run was killed while this call was under way: it may have been answered, and paid",
        generation_id=generation_id,
    )


def encoded(line: Line) -> bytes:
    """Write a line as JSON; a value that JSON cannot hold is written as its text."""
    return msgspec.json.encode(line, enc_hook=plain)


def plain(value: Any) -> Any:
    """Write a value of a caller's own type: a pydantic model as its fields, anything else as text."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
