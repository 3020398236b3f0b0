"""The life of one call, as a state machine. The state of a call is the effect that it waits for.

              +--------------------------------------------+
              v                                            |
    begin -> Queue --entered--> Send --answered--> Sleep --slept
              |  ^                |
              |  '---answered-----+  another model
              +---entered-->      +--answered-->   Done

    Queue   wait in line for the turn to send   entered  -> Send | Done
    Send    send and wait for the outcome       answered -> Sleep | Queue | Done
    Sleep   wait                                slept    -> Queue
    Done    nothing: the call has ended, exactly once

Rules. A turn is taken when the call is ready to send, not when its retry is decided. No attempt may outlast the
call's deadline, and none is started after it, or when it could cost more than the call may. Whoever drives the machine
(the shell's interpreter, `simulate`) only carries out the effect and reports what happened; `company` counts the other
calls that are alive, `now` is in seconds on any clock that never goes back, `roll` is uniform in [0, 1).
"""

from __future__ import annotations

import math
from typing import Any, TypeVar, assert_never

import msgspec
from returns.result import Failure, Success

from openrouter_core.admission import Admitted, Ticket, Turn
from openrouter_core.classify import classify
from openrouter_core.errors import BudgetExceeded, DataSourceError, replaced
from openrouter_core.evidence import ANSWERED, seen_in_answer, seen_in_error
from openrouter_core.limit.money import Money, MoneyState, Refused, nano
from openrouter_core.limit.pump import TurnedAway
from openrouter_core.limit.seen import Seen
from openrouter_core.outcome import Outcome, Responded, Stalled, Streamed, TimedOut, summary
from openrouter_core.policy import (
    Fail,
    Retry,
    deadline_passed,
    pardoned,
    refusal,
    resolve,
)
from openrouter_core.schedule import History
from openrouter_core.states import Clocks, Done, Job, Past, Queue, Send, Sleep, charged
from openrouter_core.verdict import Accepted
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


def begin(job: Job[T], now: float) -> Queue[T] | Done[T]:
    """Begin a call: it waits for its turn to send."""
    return queued(job, Past(now), now)


def queued(job: Job[T], past: Past, now: float) -> Queue[T] | Done[T]:
    """Stand in line, unless the next attempt could cost more than the call may."""
    if job.max_cost is not None:
        refused = Money(maximum=job.max_cost).reserve(MoneyState(spent=nano(past.spent)), job.ask.worst)
        if isinstance(refused, Failure):
            return concluded(job, past, too_dear(refused.failure(), "this call"), now)
    ask = msgspec.structs.replace(job.ask, retry=True) if past.draws else job.ask
    return Queue(job, past, Ticket(job.place, ask), expiry(job, past.began))


def expiry(job: Job[Any], began: float) -> float:
    """Tell when a call's deadline is; infinity when it has none."""
    return math.inf if job.policy.deadline is None else began + job.policy.deadline


def entered(state: Queue[T], turn: Turn[Any], now: float) -> Send[T] | Done[T]:
    """Send, now that it is the call's turn; or end, if it was turned away, or its deadline has passed meanwhile."""
    job, past = state.job, state.past
    match turn:
        case Admitted() if state.expires > now:
            number = len(past.attempts) + 1
            return Send(job, past, number, now, clocks(job, state.expires - now), turn.stamp)
        case TurnedAway(refused=Refused() as refused):
            return concluded(job, past, too_dear(refused, "this client"), now)
        case TurnedAway(needed=needed) if now < state.expires:
            why = f"it would have to wait in line for at least {needed:.3g} s"
            return concluded(job, past, deadline_passed(job.policy.deadline, why, past.error, needed), now)
        case Admitted() | TurnedAway():
            why = f"no place to send was free within {now - past.began:.3g} s"
            return concluded(job, past, deadline_passed(job.policy.deadline, why, past.error), now)
        case _:
            assert_never(turn)


def too_dear(refused: Refused, whose: str) -> BudgetExceeded:
    """Make the error of a call that may not be paid for."""
    return BudgetExceeded(
        message=f"the budget of {whose} does not allow it: {refused}",
        maximum=refused.maximum,
        spent=refused.spent,
        reserved=refused.reserved,
        worst=refused.worst,
        missing=refused.missing,
    )


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


def answered(state: Send[T], outcome: Outcome, company: int, now: float, roll: float) -> Sleep[T] | Queue[T] | Done[T]:
    """Decide what follows from an attempt's outcome: the call's end, a wait and another attempt, or another model."""
    job, before = state.job, state.past
    verdict = classify(job.endpoint, outcome, job.policy.rules)
    if isinstance(verdict, Accepted):
        seen = ANSWERED if job.endpoint.reports else seen_in_answer(verdict.value)
        past = after(state, outcome, now, seen)
        return Done(job, past, now, Success(recorded(verdict.value, past, outcome, now)))
    probe = state.stamp.probe
    history = History(
        len(before.attempts) - before.free - probe, now - before.began, refused=before.refused, company=company
    )
    decision = resolve(job.policy, outcome, verdict, history, roll, repeatable=job.endpoint.repeatable)
    past = troubled(state, outcome, decision, now, free=probe or pardoned(job.policy, decision.error, company))
    match decision:
        case Retry(_, error) | Fail(error) if out_of_time(state, outcome):
            cut = f"attempt {state.number} was cut off after {now - state.started:.3g} s"
            return concluded(job, past, deadline_passed(job.policy.deadline, cut, error), now)
        case Retry(delay, error):
            return Sleep(job, past, delay, now + delay, error)
        case Fail(error):
            other = None if isinstance(outcome, Streamed) and outcome.delivered else instead(job, error)
            if other is not None and expiry(job, past.began) > now:
                afresh = msgspec.structs.replace(past, free=len(past.attempts), refused=0, draws=False)
                return queued(other, afresh, now)
            return concluded(job, past, error, now)
        case _:
            assert_never(decision)


def slept(state: Sleep[T], now: float) -> Queue[T] | Done[T]:
    """Stand in line again after a wait."""
    return queued(state.job, state.past, now)


def instead(job: Job[T], error: DataSourceError) -> Job[T] | None:
    """Find the first alternative that is meant for an error; those before it are passed over for good."""
    for number, other in enumerate(job.alternatives, 1):
        if type(error).__name__ in other.after:
            left = job.alternatives[number:]
            return msgspec.structs.replace(
                job, request=other.request, ask=other.ask, model=other.model, alternatives=left
            )
    return None


def after(state: Send[Any], outcome: Outcome, now: float, seen: Seen) -> Past:
    """Add the attempt that has just ended to the past, with what it showed."""
    past = state.past
    attempt = Attempt(
        number=state.number,
        started=state.started - past.began,
        ended=now - past.began,
        outcome=summary(outcome),
        status=outcome.status if isinstance(outcome, (Responded, Streamed)) else None,
        waited=past.waited,
        model=state.job.model,
    )
    spent = past.spent + charged(seen, state.job.ask)
    return Past(past.began, (*past.attempts, attempt), seen=seen, free=past.free, refused=past.refused, spent=spent)


def troubled(state: Send[Any], outcome: Outcome, decision: Retry | Fail, now: float, *, free: bool) -> Past:
    """Add an attempt that failed; `free`: it uses up none of the call's tries."""
    error = decision.error
    seen = seen_in_error(error, state.job.ask)
    if out_of_time(state, outcome):
        seen = msgspec.structs.replace(seen, kind="other")  # a hasty deadline is no sign of a slow server
    past = after(state, outcome, now, seen)
    return msgspec.structs.replace(
        past,
        waited=decision.delay if isinstance(decision, Retry) else 0.0,
        error=error,
        free=past.free + free,
        refused=past.refused + refusal(error),
        draws=seen.kind in ("server", "timeout") and not state.stamp.probe,
    )


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


def concluded(job: Job[T], past: Past, error: DataSourceError, now: float) -> Done[T]:
    """End a call without an answer; its error carries the list of attempts."""
    return Done(job, past, now, Failure(replaced(error, attempts=past.attempts)))
