"""What happens in a call, as values that can be written as JSON, read back and replayed.

Every state of a call and every outcome that it is told becomes one `Moment`. The shell's interpreter and `simulate`
tell the same moments in the same order; logging and hooks are built on them, and `replay` gives the call's result
again from them alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeVar, assert_never

import msgspec

from openrouter_core.admission import Admitted, Stamp
from openrouter_core.call import answered, begin, concluded, entered, slept
from openrouter_core.errors import AnyError, DataSourceError, known
from openrouter_core.limit.hold import Trial
from openrouter_core.outcome import Outcome, summary
from openrouter_core.states import Done, Job, Queue, Send, Sleep, State, tries

T = TypeVar("T")


class Queued(msgspec.Struct, frozen=True, tag=True):
    """The call is ready to send and waits for its place, until `expires` seconds on the clock of the moments.

    None: for as long as it takes.
    """

    expires: float | None


class Sent(msgspec.Struct, frozen=True, tag=True):
    """Attempt `number` (from 1) of at most `of` is on its way; it may take `timeout` seconds, or any time (None).

    `probe`: it tries out a server that has failed; its failure will be none of the call's tries.
    """

    number: int
    of: int | None
    timeout: float | None
    probe: bool = False


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended in `outcome`.

    `roll` is the chance that the decision after it was given, and `company` the number of the client's other calls.
    """

    outcome: Outcome
    roll: float
    company: int = 0


class Slept(msgspec.Struct, frozen=True, tag=True):
    """Attempt `number` of at most `of` failed with `error`; the next one begins after `delay` seconds."""

    number: int
    of: int | None
    delay: float
    error: AnyError


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The call ended after `attempts` attempts and `elapsed` seconds; `error` is None when it got its answer."""

    attempts: int
    elapsed: float
    error: AnyError | None = None


class Left(msgspec.Struct, frozen=True, tag=True):
    """The call was left before its end, after `elapsed` seconds: its task was cancelled, or its stream was closed.

    `attempts` counts those that had begun.
    """

    attempts: int
    elapsed: float


Event = Queued | Sent | Answered | Slept | Ended | Left
"""What can happen in a call."""


class Moment(msgspec.Struct, frozen=True):
    """One event of one call.

    `call` is the call's number within its client, `at` is in seconds on a clock that never goes back.
    """

    call: int
    at: float
    event: Event


def event_of(state: State[Any]) -> Event:
    """Tell a state of a call as an event."""
    match state:
        case Queue():
            return Queued(bounded(state.expires))
        case Send():
            return Sent(state.number, tries(state), bounded(state.clocks.total), state.stamp.probe)
        case Sleep():
            return Slept(len(state.past.attempts), tries(state), state.delay, known(state.error))
        case Done():
            error = state.result.swap().map(known).value_or(None)
            return Ended(len(state.past.attempts), state.ended - state.past.began, error)
        case _:
            assert_never(state)


def left(state: State[Any], at: float) -> Left:
    """Tell that a call was left in this state, at an instant."""
    return Left(len(state.past.attempts) + isinstance(state, Send), at - state.past.began)


def told(moment: Moment) -> str:
    """Tell a moment in one line."""
    match moment.event:
        case Queued():
            what = "queue"
        case Sent(number, of, timeout):
            most = "" if timeout is None else f", {timeout:g} s at most"
            what = f"send {number}{'' if of is None else f' of {of}'}{most}"
        case Answered(outcome):
            what = summary(outcome)
        case Slept(delay=delay):
            what = f"wait {delay:g} s"
        case Ended(error=None):
            what = "done"
        case Ended(error=error):
            what = f"failed: {error}"
        case Left():
            what = "left"
        case _:
            assert_never(moment.event)
    return f"{moment.at:12.3f} s  call {moment.call}  {what}"


PROBE = Stamp(Trial(0, 0, probe=True))
"""The stamp of an attempt that tries out a server which has failed."""


def bounded(limit: float) -> float | None:
    """Write a limit that is none, infinity, as None: JSON has no infinity."""
    return limit if limit < math.inf else None


def replay(job: Job[T], moments: Iterable[Moment]) -> State[T]:
    """Run a call again from its moments: the same inputs at the same instants give the same states."""
    steps = list(moments)
    state: State[T] = begin(job, steps[0].at)
    for moment in steps[1:]:
        state = step(state, moment)
    return state


def step(state: State[T], moment: Moment) -> State[T]:
    """Take the transition that a moment tells of."""
    match state, moment.event:
        case Queue(), Sent():
            return entered(state, Admitted(None, PROBE if moment.event.probe else Stamp()), moment.at)
        case Queue(), Ended(error=DataSourceError() as error):
            return concluded(state.job, state.past, error, moment.at)  # it was turned away: the error says why
        case Send(), Answered(outcome, roll, company):
            return answered(state, outcome, company, moment.at, roll)
        case Sleep(), Queued() | Ended():
            return slept(state, moment.at)
        case _:
            return state  # the moment tells the state that the call is in already
