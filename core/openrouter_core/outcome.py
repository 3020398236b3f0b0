"""The facts about one attempt, before anybody says what they mean.

An outcome is one of five cases, and the case tells whether the server may have acted on the request:

    Responded     it did: there is a status, and a body
    Streamed      it did: there is an answer that came in pieces, or the beginning of one
    TimedOut      a clock ran out; `sent` tells whether the request had left
    Unreachable   it did not: no connection was made, nothing was sent
    Interrupted   it may have: the connection was lost after the request had been sent
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from openrouter_core.wire.response import ChatCompletionResponse


class Responded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An HTTP answer, read to its end.

    `headers` have lower-case names. `at` is when the answer was complete, in seconds since the epoch by this
    machine's clock; hints that name an instant are measured against it. `overflow` says that the body was longer
    than the limit on answers and was not read further.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    at: float = 0.0
    overflow: bool = False


class TimedOut(msgspec.Struct, frozen=True, tag=True):
    """A clock ran out after `after` seconds: "connect", "attempt", and in streams "first_event" and "idle"."""

    clock: str
    after: float
    sent: bool = True


class Unreachable(msgspec.Struct, frozen=True, tag=True):
    """No connection was made, so nothing was sent.

    `kind` is the step that failed: "dns", "refused", "tls", "reset", "proxy", "closed" (the client itself), "other".
    """

    kind: str
    detail: str
    host: str = ""
    errno: int | None = None


class Interrupted(msgspec.Struct, frozen=True, tag=True):
    """The connection was lost after the request had been sent; `received` bytes of the answer's body had come.

    `status`, `headers` and `at` (as in `Responded`) are of an answer that broke off after its head.
    """

    detail: str
    received: int = 0
    status: int | None = None
    headers: Mapping[str, str] = {}
    at: float = 0.0


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The stream ended, and nothing of its answer is missing, unless the answer says so itself (`error`)."""


class Cut(msgspec.Struct, frozen=True, tag=True):
    """The stream ended in good order, but before its answer was whole."""

    detail: str


class Malformed(msgspec.Struct, frozen=True, tag=True):
    """An event came that is no chunk; `event` is its beginning."""

    event: str
    detail: str


class Overlong(msgspec.Struct, frozen=True, tag=True):
    """The stream, or one event of it, was longer than `limit` bytes."""

    limit: int


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The connection broke in the middle of the stream."""

    detail: str


class Stalled(msgspec.Struct, frozen=True, tag=True):
    """A clock ran out in the middle of the stream: "first_event", "idle" or "attempt", after `after` seconds."""

    clock: str
    after: float


StreamEnd = Finished | Cut | Malformed | Overlong | Lost | Stalled


class Streamed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An event stream, as far as it came: how it ended, and what its chunks amount to.

    `delivered` says that content was handed out to the caller, so that trying again would repeat it. `headers` have
    lower-case names, `at` is in seconds since the epoch, `received` in bytes. `value` is the answer where it is none of
    a chat completion's; then `answer` holds no more than an error, and where it came from.
    """

    status: int
    end: StreamEnd
    answer: ChatCompletionResponse
    headers: Mapping[str, str] = {}
    at: float = 0.0
    delivered: bool = False
    received: int = 0
    value: Any = None


Outcome = Responded | Streamed | TimedOut | Unreachable | Interrupted
"""How an attempt can end: facts, and no judgement."""


def summary(outcome: Outcome) -> str:
    """Name an outcome in a few words, for logs and for the list of attempts: no text of the answer is in it."""
    match outcome:
        case Responded():
            return f"HTTP {outcome.status}"
        case Streamed():
            return f"HTTP {outcome.status}, stream {type(outcome.end).__name__.lower()}"
        case TimedOut():
            return f"{outcome.clock} timeout after {outcome.after:g} s"
        case Unreachable():
            return f"unreachable ({outcome.kind})"
        case Interrupted():
            return "disconnected"
        case _:
            assert_never(outcome)
