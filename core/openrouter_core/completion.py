"""What a chat completion means, whole or streamed: an error in it or in a choice, nothing in it, or a good answer."""

from __future__ import annotations

from typing import Any, assert_never

from openrouter_core.envelope import Problem
from openrouter_core.errors import DataSourceError, EmptyCompletion, ParseError, Timeout, TruncatedStream, replaced
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Responded, Stalled, Streamed
from openrouter_core.verdict import (
    Accepted,
    Permanent,
    Rules,
    Transient,
    described,
    effective_status,
    interrupted,
    judged,
    problem_in,
)
from openrouter_core.wire.response import ERROR, ChatCompletionResponse, Choice

ONLY_STATUS = 502
"""The status that a provider's failure without a code counts as."""


def judged_completion(
    value: ChatCompletionResponse, answer: Responded | Streamed, rules: Rules
) -> Accepted[Any] | Transient | Permanent:
    """Judge a whole answer: an error in it, or in a choice, counts as if it were the status; so does emptiness."""
    failed = failed_completion(value, answer)
    if failed is not None:
        return failed
    choices = value.choices or []
    if not choices:
        return nothing("an answer without choices", value, answer)
    if rules.retry_empty and all(empty(choice, value) for choice in choices):
        return nothing("no content was generated", value, answer)
    return Accepted(value)


def nothing(what: str, value: ChatCompletionResponse, answer: Responded | Streamed) -> Transient:
    """Judge an answer with nothing in it."""
    problem = Problem(message=what, provider_name=value.provider, generation_id=value.id)
    return Transient(described(EmptyCompletion, what, answer, problem))


def failed_completion(value: ChatCompletionResponse, answer: Responded | Streamed) -> Transient | Permanent | None:
    """Look for an error in an answer: at its top, or in a choice."""
    error = value.error
    for choice in value.choices or ():
        error = error if error is not None else choice.error
        if error is None and choice.finish_reason == ERROR:
            error = {"code": ONLY_STATUS, "message": "the provider failed while it was generating"}
    if error is None:
        return None
    body = {"error": error, "id": value.id, "provider": value.provider}
    problem = problem_in(body, answer) or Problem(message="an error without content")
    return judged(effective_status(answer.status, problem), problem, answer)


def empty(choice: Choice, value: ChatCompletionResponse) -> bool:
    """Tell a choice in which nothing was generated: no content, tool call, reasoning, image or sound, no token."""
    message, usage = choice.message, value.usage
    if usage is not None and usage.completion_tokens:
        return False
    return message is None or not (
        message.content or message.tool_calls or message.reasoning or message.reasoning_details
        or message.images or message.audio or message.refusal
    )  # fmt: skip


def judged_stream(stream: Streamed, rules: Rules) -> Accepted[Any] | Transient | Permanent:
    """Judge a stream by what its chunks amount to, and by how it ended. Every failure carries what had arrived."""
    verdict = failed_completion(stream.answer, stream) or ended(stream, rules)
    match verdict:
        case Accepted():
            return verdict
        case Transient(error, hint):
            return Transient(with_partial(error, stream), hint)
        case Permanent(error):
            return Permanent(with_partial(error, stream))
        case _:
            assert_never(verdict)


def ended(stream: Streamed, rules: Rules) -> Accepted[Any] | Transient | Permanent:
    """Judge how a stream without errors in it ended."""
    match stream.end:
        case Finished() if stream.value is not None:
            return Accepted(stream.value)
        case Finished():
            return judged_completion(stream.answer, stream, rules)
        case Cut(detail):
            return repeatable(described(TruncatedStream, detail, stream), rules)
        case Malformed(event, detail):
            message = f"an event of the stream is no chunk: {detail}"
            return repeatable(described(ParseError, message, stream, text=event), rules)
        case Overlong(limit):
            return Permanent(described(ParseError, f"the stream is longer than {limit} bytes", stream))
        case Lost(detail):
            return interrupted(f"the stream broke off: {detail}", stream, rules, stream.received)
        case Stalled(clock, after):
            what = "the stream had not ended" if clock == "attempt" else "nothing new in the stream"
            message = f"{clock} timeout: {what} after {after:g} s"
            return repeatable(described(Timeout, message, stream, clock=clock, after=after), rules)
        case _:
            assert_never(stream.end)


def repeatable(error: DataSourceError, rules: Rules) -> Transient | Permanent:
    """Judge a stream that broke off: trying again may pay twice; the caller's rules decide."""
    return Transient(error) if rules.retry_sent else Permanent(error)


def with_partial(error: DataSourceError, stream: Streamed) -> DataSourceError:
    """Attach to an error what had arrived of the answer, and where that came from."""
    answer = stream.answer
    return replaced(
        error,
        partial=answer if answer.choices else None,
        generation_id=error.generation_id or answer.id,
        provider_name=error.provider_name or answer.provider,
    )
