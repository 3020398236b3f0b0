"""The states of a call, each of them the effect that it waits for; `call` says which follows which. Shapes only."""

from __future__ import annotations

import math
from typing import Any, Generic, Literal, TypeVar

import msgspec
from returns.result import Result

from openrouter_core.admission import Stamp, Ticket
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.errors import DataSourceError
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING, Ask, Seen
from openrouter_core.policy import Policy
from openrouter_core.wire.attempt import Attempt

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


class Alternative(msgspec.Struct, frozen=True):
    """Where to go instead of failing: after which errors (their types' names), with which request, to which model."""

    after: tuple[str, ...]
    request: HttpRequest
    model: str = ""
    ask: Ask = Ask()


class Job(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """What is the same for all attempts of a call: what to send, how to read the answer, and how to behave.

    `mode` says how the answer comes: "whole", or as a stream that is "collected", "handed_out" chunk by chunk, or both,
    "watched": somebody sees the chunks while the caller waits for the whole. `place` is where the call stands in line,
    `ask` what an attempt uses, `max_cost` what all of them may cost in USD. `alternatives` are tried in their order.
    """

    endpoint: Endpoint[Any, T]
    request: HttpRequest
    policy: Policy
    mode: Mode = "whole"
    ask: Ask = Ask()
    place: Place = Place(0, 0)
    max_cost: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    model: str = ""


class Past(msgspec.Struct, frozen=True, gc=False):
    """What a call has behind it: when it began, and its attempts; `waited` is the wait before the next one.

    `error` is how the last attempt failed, `seen` what it showed. `free` counts the attempts that used up none of the
    call's tries, `refused` its refusals for the rate. `draws`: the next attempt draws on the budget of retries. `spent`
    is what the attempts have cost in USD, at worst where that is not known.
    """

    began: float
    attempts: tuple[Attempt, ...] = ()
    waited: float = 0.0
    error: DataSourceError | None = None
    seen: Seen = NOTHING
    free: int = 0
    refused: int = 0
    draws: bool = False
    spent: float = 0.0


class Queue(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Wait in line for the turn to send, until `expires` at the latest."""

    job: Job[T]
    past: Past
    ticket: Ticket
    expires: float


class Send(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Send the request; the outcome must be there when one of the `clocks` runs out. `number` counts from 1.

    `stamp` is due back in line when the attempt is over.
    """

    job: Job[T]
    past: Past
    number: int
    started: float
    clocks: Clocks
    stamp: Stamp = Stamp()


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


def charged(seen: Seen, ask: Ask) -> float:
    """Tell what an attempt is taken to have cost in USD: what was told, else the worst case."""
    return (ask.worst or 0.0) if seen.cost is None else seen.cost


def tries(state: Send[Any] | Sleep[Any]) -> int | None:
    """Tell how many attempts the call may make, with those that used up no try; None when there is no such limit."""
    limit = state.job.policy.attempts
    return None if limit is None else limit + state.past.free
