"""What an outcome means: one total, pure function from facts to a verdict."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, assert_never, cast

import msgspec

from openrouter_core.completion import judged_completion, judged_stream
from openrouter_core.endpoint import Endpoint, Raw
from openrouter_core.envelope import UNDECODABLE, Problem, bounded, page_text
from openrouter_core.errors import ConnectError, ParseError, Timeout
from openrouter_core.outcome import Interrupted, Outcome, Responded, Streamed, TimedOut, Unreachable
from openrouter_core.verdict import (
    Accepted,
    Permanent,
    Rules,
    Transient,
    Verdict,
    described,
    effective_status,
    failure_of,
    interrupted,
    judged,
    problem_in,
    shown,
)
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


def classify(endpoint: Endpoint[Any, T], outcome: Outcome, rules: Rules) -> Verdict[T]:
    """Decide what the outcome of one attempt means. Total: any status, headers and bytes give a verdict."""
    match outcome:
        case Responded():
            return judged_answer(endpoint, outcome, rules)
        case Streamed():
            return judged_stream(outcome, rules)
        case TimedOut():
            message = f"{outcome.clock} timeout: nothing complete within {outcome.after:g} s"
            timeout = Timeout(message=message, clock=outcome.clock, after=outcome.after, sent=outcome.sent)
            return Transient(timeout) if rules.retry_sent or not outcome.sent else Permanent(timeout)
        case Unreachable():
            lost = ConnectError(message=outcome.detail, kind=outcome.kind, host=outcome.host, errno=outcome.errno)
            return Permanent(lost) if outcome.kind == "closed" else Transient(lost)
        case Interrupted() if outcome.status is None or 200 <= outcome.status < 300:
            return interrupted(outcome.detail, outcome, rules, outcome.received)
        case Interrupted():
            broken = Problem(message=f"HTTP {outcome.status}, and then the body broke off: {outcome.detail}")
            return judged(outcome.status, broken, outcome)
        case _:
            assert_never(outcome)


def judged_answer(endpoint: Endpoint[Any, T], answer: Responded, rules: Rules) -> Verdict[T]:
    """Judge an HTTP answer: by its status, or, for a 2xx, by what is in it."""
    if not 200 <= answer.status < 300:
        problem = problem_in(plain(answer.body), answer) or Problem(message=untold(answer))
        return judged(effective_status(answer.status, problem), problem, answer)
    if answer.overflow:
        return Permanent(described(ParseError, "the answer is longer than max_response_bytes allows", answer))
    if endpoint.kind != "json":
        return judged_bytes(endpoint, answer)
    try:
        value: T = DECODERS(endpoint.answer).decode(answer.body)
    except UNDECODABLE as mismatch:
        return judged_mismatch(endpoint, answer, rules, str(mismatch))
    return judged_value(endpoint, value, answer, rules)


def judged_bytes(endpoint: Endpoint[Any, Any], answer: Responded) -> Verdict[Any]:
    """Judge a 2xx whose body is no JSON, as a file or a sound; where it is JSON after all, it may be an error."""
    told = answer.headers.get("content-type", "").startswith("application/json")
    problem = problem_in(plain(answer.body), answer) if told else None
    if problem is not None:
        return judged(effective_status(answer.status, problem), problem, answer)
    if endpoint.kind == "raw":
        return Accepted(Raw(answer.status, answer.headers, answer.body))
    return Accepted(answer.body if endpoint.kind == "bytes" else None)


def untold(answer: Responded) -> str:
    """Say what an HTTP error was that came without an error envelope."""
    if 300 <= answer.status < 400:
        return f"redirect to {bounded(answer.headers.get('location', 'nowhere'))} not followed: the key must not travel"
    return page_text(answer.body) or "no message in the body"


def judged_mismatch(
    endpoint: Endpoint[Any, Any], answer: Responded, rules: Rules, mismatch: str
) -> Transient | Permanent:
    """Judge a 2xx that is not what it should be: an error envelope, a body that was cut short, or something else."""
    problem = problem_in(plain(answer.body), answer)
    if problem is not None:
        return judged(effective_status(answer.status, problem), problem, answer)
    if cut_short(endpoint, answer.body, mismatch):
        return interrupted("the answer ended before its JSON did", answer, rules, len(answer.body))
    what, _, path = mismatch.partition(" - at `")
    message = f"the answer is not the JSON that was expected: {what}; it begins: {page_text(answer.body) or 'empty'}"
    return Permanent(
        described(ParseError, message, answer, path=path.removesuffix("`") or None, text=shown(answer.body))
    )


def cut_short(endpoint: Endpoint[Any, Any], body: bytes, mismatch: str) -> bool:
    """Tell whether a body is only the beginning of an answer.

    A number that breaks off in its middle is none to msgspec; with one more digit it is a cut like any other.
    """
    if mismatch == TRUNCATED:
        return True
    try:
        decoder(endpoint.answer).decode(body + b"0")
    except UNDECODABLE as other:
        return str(other) == TRUNCATED
    return False


def judged_value(endpoint: Endpoint[Any, T], value: T, answer: Responded, rules: Rules) -> Verdict[T]:
    """Judge a decoded answer: an error in it, or in a choice, counts as if it were the status; so does emptiness."""
    if isinstance(value, ChatCompletionResponse):
        return judged_completion(value, answer, rules)
    failed = None if endpoint.reports else judged_object(answer)
    return Accepted(value) if failed is None else failed


def judged_object(answer: Responded) -> Transient | Permanent | None:
    """Look for an error at the top of an answer that is none of a chat completion's, or for the status "failed".

    Its own error counts, with or without an `error_type` beside it (OpenRouter docs, api_reference/responses).
    """
    if not any(word in answer.body for word in TELLING):
        return None
    try:
        told = OUTLINE.decode(answer.body)
    except UNDECODABLE:  # it is no object, and so says nothing of itself
        return None
    error = failure_of(told.error, told.error_type, failed=told.status == "failed")
    problem = problem_in({"error": error, "id": told.id}, answer)
    return None if problem is None else judged(effective_status(answer.status, problem), problem, answer)


def plain(body: bytes) -> Any:
    """Decode a body as plain JSON values; what is not JSON gives an empty object."""
    try:
        return msgspec.json.decode(body)
    except UNDECODABLE:
        return {}


def decoder(answer: type[T]) -> msgspec.json.Decoder[T]:
    """Give the decoder of an answer's type."""
    return cast("msgspec.json.Decoder[T]", DECODERS(answer))


def truncated_message() -> str:
    """Learn how msgspec says that JSON ended too early; it has no type for it."""
    try:
        msgspec.json.decode(b"{")
    except msgspec.DecodeError as error:
        return str(error)
    return ""  # pragma: no cover - "{" is not JSON


TRUNCATED = truncated_message()
TELLING = (b'"error"', b'"failed"')
"""What the body of an answer contains that may be a failure."""


class Outline(msgspec.Struct, frozen=True):
    """What an answer says of its own failure, whatever else it is."""

    error: Any = None
    error_type: Any = None
    status: Any = None
    id: Any = None


OUTLINE = msgspec.json.Decoder(Outline)
DECODERS: Callable[[Any], msgspec.json.Decoder[Any]] = cache(msgspec.json.Decoder)
"""Builds a decoder once for each type."""
