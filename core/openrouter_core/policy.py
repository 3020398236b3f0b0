"""What to do after an attempt, as data: a schedule, two clocks and two rules; and the function that reads them.

Ok(value)             the call is done
Retry(delay, error)   try again after `delay` seconds; `error` is why
Fail(error)           the call has failed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, assert_never

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.classify import classify
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import Endpoint
from openrouter_core.errors import (
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    InsufficientCredits,
    InvalidRequest,
    RateLimited,
    Timeout,
    known,
    replaced,
)
from openrouter_core.outcome import Outcome, Streamed
from openrouter_core.retry_after import number
from openrouter_core.schedule import (
    Attempts,
    Both,
    Capped,
    Exhausted,
    Exponential,
    Heeding,
    History,
    Jittered,
    Schedule,
    Within,
    next_delay,
    retries,
)
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient

T = TypeVar("T")


class Ok(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """The call is done."""

    value: T


class Retry(msgspec.Struct, frozen=True, gc=False):
    """Try again after `delay` seconds."""

    delay: float
    error: DataSourceError


class Fail(msgspec.Struct, frozen=True):
    """The call has failed."""

    error: DataSourceError


Decision = Ok[T] | Retry | Fail


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a call behaves: when it is retried, and its limits, in seconds.

    `timeout` is for one attempt, `deadline` for the whole call; in a stream, `first_event` is for the first data event
    and `idle` for the gap between two. `rate_schedule` is for refusals of a quota (429) that meet a call with at least
    `crowd` others beside it: they wait at the gate together, and none of its tries is used up. None: as all failures.
    """

    schedule: Schedule
    rate_schedule: Schedule | None = None
    crowd: int = 1
    timeout: float = 60.0
    first_event: float = 60.0
    idle: float = 30.0
    deadline: float | None = None
    rules: Rules = Rules()

    @property
    def attempts(self) -> int | None:
        """How many attempts a call may make at most, the first one included; None when there is no such limit."""
        limit = retries(self.schedule)
        return None if limit is None else limit + 1


RATE_RETRIES = 8
"""How often a call with others beside it may be refused for its rate and try again: a refusal says nothing of the call,
and is not billed."""


def policy_of(config: OpenRouterConfig) -> Policy:
    """Make the policy that a config describes.

    The waits are `retry_delay_ms * 2**attempt`, capped, for at most `max_retries` retries, never shorter than a
    server's hint, and none that would end after the deadline.
    """
    refusals = RATE_RETRIES if config.max_rate_retries is None else config.max_rate_retries
    cap = config.max_retry_delay_ms / 1000.0
    ours: Schedule = Capped(Exponential(config.retry_delay_ms / 1000.0), cap)
    if config.jitter != "none":
        ours = Jittered(ours, config.jitter)
    heeding = Heeding(cap, config.hint_spread)
    return with_deadline(
        Policy(
            schedule=Both(Both(ours, Attempts(config.max_retries)), heeding),
            rate_schedule=Both(Both(ours, Attempts(refusals)), heeding),
            crowd=1 if config.max_rate_retries is None else 0,
            timeout=config.timeout_secs,
            first_event=config.first_event_timeout_secs,
            idle=config.idle_timeout_secs,
            rules=Rules(retry_empty=config.retry_empty, retry_sent=config.retry_sent),
        ),
        config.deadline_secs,
    )


def with_deadline(policy: Policy, seconds: float | None) -> Policy:
    """Bound a policy's calls by a deadline in seconds; the earlier of two counts."""
    if seconds is None or (policy.deadline is not None and policy.deadline <= seconds):
        return policy
    return msgspec.structs.replace(policy, deadline=seconds)


def until(policy: Policy, began: float) -> float | None:
    """Tell when the deadline of something that began at `began` is; None when it has none."""
    return None if policy.deadline is None else began + policy.deadline


_NO_DEADLINE: Result[float | None, DataSourceError] = Success(None)


def checked_deadline(seconds: float | None) -> Result[float | None, DataSourceError]:
    """Accept a call's own deadline in seconds: nothing, or a positive, finite number."""
    if seconds is None:
        return _NO_DEADLINE
    if (number(seconds) or 0.0) > 0.0:
        return Success(float(seconds))
    return Failure(unfit("deadline_secs", seconds, "must be a positive number of seconds"))


def checked_options(priority: int, max_cost: float | None) -> Result[None, DataSourceError]:
    """Accept a call's priority, a whole number, and its budget, an amount of USD that is not negative."""
    if type(priority) is not int:
        return Failure(unfit("priority", priority, "must be a whole number; lower goes first"))
    if max_cost is not None and (number(max_cost) is None or max_cost < 0.0):
        return Failure(unfit("max_cost_usd", max_cost, "must be a number of USD, 0 or more"))
    return Success(None)


def unfit(field: str, value: object, bound: str) -> InvalidRequest:
    """Make the error of an option of a call that does not fit."""
    shown = repr(value)[:80]
    return InvalidRequest(message=f"{field} = {shown}: {bound}", field=field, value=shown, bound=bound)


def decide(policy: Policy, endpoint: Endpoint[Any, T], outcome: Outcome, history: History, roll: float) -> Decision[T]:
    """Decide what follows from the outcome of an attempt, given the retries and the seconds that the call has had."""
    verdict = classify(endpoint, outcome, policy.rules)
    if isinstance(verdict, Accepted):
        return Ok(verdict.value)
    return resolve(policy, outcome, verdict, history, roll, repeatable=endpoint.repeatable)


def resolve(
    policy: Policy, outcome: Outcome, verdict: Transient | Permanent, history: History, roll: float, *, repeatable: bool
) -> Retry | Fail:
    """Decide whether an attempt that has failed is followed by another; `repeatable`: sending it twice does no harm."""
    match verdict:
        case Permanent(error):
            return Fail(error)
        case Transient(error) if isinstance(outcome, Streamed) and outcome.delivered:
            return Fail(error)  # trying again would repeat what the caller has already been given
        case Transient(error) if not repeatable and may_have_acted(error):
            return Fail(error)  # trying again could make the same thing twice
        case Transient(error, hint):
            waiting = policy.rate_schedule if pardoned(policy, error, history.company) else None
            attempt = history.attempt if waiting is None else history.refused
            schedule = in_all(policy, policy.schedule if waiting is None else waiting)
            delay = next_delay(schedule, History(attempt, history.elapsed, hint), roll)
            return delay.map(retrying(error)).lash(giving_up(error, hint)).unwrap()
        case _:
            assert_never(verdict)


def may_have_acted(error: DataSourceError) -> bool:
    """Tell whether the server may have done what was asked: not if it refused for the rate, or nothing was sent."""
    return not (refusal(error) or isinstance(error, ConnectError) or (isinstance(error, Timeout) and not error.sent))


def refusal(error: DataSourceError) -> bool:
    """Tell a refusal for the rate, or for the budget in flight, from a failure: the request itself was not at fault."""
    return isinstance(error, (RateLimited, InsufficientCredits))


def pardoned(policy: Policy, error: DataSourceError, company: int) -> bool:
    """Decide that a failure uses up none of its call's tries: a refusal that many calls at once have brought about."""
    return policy.rate_schedule is not None and company >= policy.crowd and refusal(error)


def in_all(policy: Policy, schedule: Schedule) -> Schedule:
    """Give a schedule of a policy with its deadline."""
    return schedule if policy.deadline is None else Within(schedule, policy.deadline)


def retrying(error: DataSourceError) -> Callable[[float], Retry | Fail]:
    """Retry after a failure, once the delay is known."""
    return lambda delay: Retry(delay, error)


def giving_up(error: DataSourceError, hint: float | None) -> Callable[[Exhausted], Result[Retry | Fail, Exhausted]]:
    """Fail for good, once the schedule has said that there is no next attempt."""
    return lambda exhausted: Success(Fail(given_up(error, exhausted, hint)))


def given_up(error: DataSourceError, exhausted: Exhausted, hint: float | None) -> DataSourceError:
    """Say why a failure that could be retried is not: the error itself, or the deadline that forbids the wait.

    A 429 that says when to come back stays itself, for that is what the caller must know.
    """
    if exhausted.limit == "attempts":
        return error
    needed = exhausted.needed or 0.0
    if exhausted.limit == "hint" or (isinstance(error, RateLimited) and hint is not None):
        asked = f"it asks to wait {hint:g} s, and waiting {needed:g} s is longer than is allowed"
        return replaced(error, message=f"{error.message} ({asked})")
    what = f"the next attempt would have to wait {needed:g} s"
    return deadline_passed(exhausted.allowed, what, error, needed)


def deadline_passed(
    deadline: float | None, what: str, cause: DataSourceError | None = None, needed: float | None = None
) -> DeadlineExceeded:
    """Make the error of a call that cannot end in time: what stood in the way, and the failure before it, if any."""
    cause = cause.cause if isinstance(cause, DeadlineExceeded) else cause  # the deadline is no failure of its own
    last = "" if cause is None else f"; the last failure: {cause.message}"
    return DeadlineExceeded(
        message=f"the deadline of {deadline or 0.0:g} s does not allow it: {what}{last}",
        deadline=deadline or 0.0,
        needed=needed,
        cause=None if cause is None else known(cause),
        status=None if cause is None else cause.status,
        generation_id=None if cause is None else cause.generation_id,
    )
