"""The life of one call, as a state machine. The state of a call is the effect that it waits for.

              +---------------------------------------------+
              v                                             |
    begin -> Queue --admitted--> Send --answered--> Sleep --slept
              |                   |
              +--expired-->       +--answered-->    Done

    Queue   wait for a place to send        admitted -> Send      expired -> Done
    Send    send and wait for the outcome   answered -> Sleep | Done
    Sleep   wait                            slept    -> Queue
    Done    nothing: the call has ended, exactly once

Rules. A place is taken when the call is ready to send, not when its retry is decided. No attempt may outlast the
call's deadline, and none is started after it. Whoever drives the machine (the shell's interpreter, `simulate`) only
carries out the effect and reports what happened; `now` is in seconds on any clock that never goes back, `roll` is
uniform in [0, 1).
"""

from __future__ import annotations

import math
from typing import Any, Generic, Literal, TypeVar, assert_never

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.errors import DataSourceError, replaced
from openrouter_core.outcome import Outcome, Responded, Stalled, Streamed, TimedOut, summary
from openrouter_core.policy import Fail, Ok, Policy, Retry, deadline_passed, decide
from openrouter_core.schedule import History
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


Mode = Literal["whole", "collected", "watched", "handed_out"]


class Clocks(msgspec.Struct, frozen=True, gc=False):
    """The limits of one attempt, in seconds: the whole and, in a stream, the first event and the gap between two."""

    total: float
    first: float = math.inf
    idle: float = math.inf

    @property
    def silence(self) -> tuple[str, float]:
        """The clock that runs out first when nothing comes, and its limit in seconds."""
        return ("first_event", self.first) if self.first < self.total else ("attempt", self.total)


class Job(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """What is the same for all attempts of a call: what to send, how to read the answer, and how to behave.

    `mode` says how the answer comes: "whole", or as a stream that is "collected", "handed_out" chunk by chunk, or both,
    "watched": somebody sees the chunks while the caller waits for the whole.
    """

    endpoint: Endpoint[Any, T]
    request: HttpRequest
    policy: Policy
    mode: Mode = "whole"


class Past(msgspec.Struct, frozen=True, gc=False):
    """What a call has behind it: when it began, and its attempts; `waited` is the wait before the next one.

    `error` is how the last attempt failed.
    """

    began: float
    attempts: tuple[Attempt, ...] = ()
    waited: float = 0.0
    error: DataSourceError | None = None


class Queue(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Wait for a place to send, until `expires` at the latest."""

    job: Job[T]
    past: Past
    expires: float


class Send(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Send the request; the outcome must be there when one of the `clocks` runs out. `number` counts from 1."""

    job: Job[T]
    past: Past
    number: int
    started: float
    clocks: Clocks


class Sleep(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Wait for `delay` seconds, until `until`, because of `error`."""

    job: Job[T]
    past: Past
    delay: float
    until: float
    error: DataSourceError


class Done(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """The call has ended."""

    job: Job[T]
    past: Past
    ended: float
    result: Result[T, DataSourceError]


State = Queue[T] | Send[T] | Sleep[T] | Done[T]


def begin(job: Job[T], now: float) -> Queue[T]:
    """Begin a call: it waits for a place to send."""
    return Queue(job, Past(now), expiry(job, now))


def expiry(job: Job[Any], began: float) -> float:
    """Tell when a call's deadline is; infinity when it has none."""
    return math.inf if job.policy.deadline is None else began + job.policy.deadline


def admitted(state: Queue[T], now: float) -> Send[T] | Done[T]:
    """Send, now that there is a place; but not when the deadline has passed meanwhile."""
    left = state.expires - now
    if left <= 0.0:
        return expired(state, now)
    return Send(state.job, state.past, len(state.past.attempts) + 1, now, clocks(state.job, left))


def clocks(job: Job[Any], left: float) -> Clocks:
    """Set the clocks of an attempt, `left` seconds before the deadline.

    The deadline of a stream that is handed out is for its first event: after that the caller has what it waits for.
    """
    policy = job.policy
    match job.mode:
        case "whole":
            return Clocks(min(policy.timeout, left))
        case "collected" | "watched":
            return Clocks(min(policy.timeout, left), policy.first_event, policy.idle)
        case "handed_out":
            return Clocks(policy.timeout, min(policy.first_event, left), policy.idle)
        case _:
            assert_never(job.mode)


def out_of_time(state: Send[Any], outcome: Outcome) -> bool:
    """Tell whether it was the call's deadline that cut the attempt off, and not a limit of the attempt's own."""
    policy = state.job.policy
    match outcome:
        case TimedOut(clock="attempt") | Streamed(end=Stalled(clock="attempt")):
            return state.clocks.total < policy.timeout
        case TimedOut(clock="first_event") | Streamed(end=Stalled(clock="first_event")):
            return state.clocks.first < policy.first_event
        case _:
            return False


def expired(state: Queue[T], now: float) -> Done[T]:
    """End a call that found no place to send before its deadline."""
    waited = f"no place to send was free within {now - state.past.began:.3g} s"
    error = deadline_passed(state.job.policy.deadline, waited, state.past.error)
    return concluded(state.job, state.past, Failure(error), now)


def answered(state: Send[T], outcome: Outcome, now: float, roll: float) -> Sleep[T] | Done[T]:
    """Decide what follows from an attempt's outcome: the end of the call, or a wait and another attempt."""
    job, past = state.job, after(state, outcome, now)
    history = History(attempt=len(state.past.attempts), elapsed=now - past.began)
    decision = decide(job.policy, job.endpoint, outcome, history, roll)
    match decision:
        case Ok(value):
            return concluded(job, past, Success(recorded(value, past, outcome, now)), now)
        case Retry(_, error) | Fail(error) if out_of_time(state, outcome):
            cut = f"attempt {state.number} was cut off after {now - state.started:.3g} s"
            return concluded(job, past, Failure(deadline_passed(job.policy.deadline, cut, error)), now)
        case Retry(delay, error):
            return Sleep(job, msgspec.structs.replace(past, waited=delay, error=error), delay, now + delay, error)
        case Fail(error):
            return concluded(job, past, Failure(error), now)
        case _:
            assert_never(decision)


def slept(state: Sleep[T]) -> Queue[T]:
    """Queue again after a wait."""
    return Queue(state.job, state.past, expiry(state.job, state.past.began))


def after(state: Send[Any], outcome: Outcome, now: float) -> Past:
    """Add the attempt that has just ended to the past."""
    past = state.past
    attempt = Attempt(
        number=state.number,
        started=state.started - past.began,
        ended=now - past.began,
        outcome=summary(outcome),
        status=outcome.status if isinstance(outcome, (Responded, Streamed)) else None,
        waited=past.waited,
    )
    return Past(past.began, (*past.attempts, attempt))


def recorded(value: T, past: Past, outcome: Outcome, now: float) -> T:
    """Attach to an answer the record of how it was got."""
    if not isinstance(value, ChatCompletionResponse) or not isinstance(outcome, (Responded, Streamed)):
        return value
    record = CallRecord(
        attempts=past.attempts,
        elapsed_secs=now - past.began,
        generation_id=outcome.headers.get("x-generation-id") or value.id,
        cache_status=outcome.headers.get("x-openrouter-cache-status"),
    )
    return msgspec.structs.replace(value, call=record)


def concluded(job: Job[T], past: Past, result: Result[T, DataSourceError], now: float) -> Done[T]:
    """End a call; an error carries the list of attempts."""
    return Done(job, past, now, result.alt(lambda error: replaced(error, attempts=past.attempts)))
