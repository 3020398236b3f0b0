"""What a row of a run may become, as a table; what a failure means for its row and for the whole run.

                 intend             answer -> DONE
      TODO ----------------> IN_FLIGHT --- fail -> FAILED       it may do better another time
       ^  ^                  |  |  ^  '--- refuse -> REFUSED  it will hardly
       |  '---- give_back ---'  |  |
       |                   find |  | intend, the next attempt of the same call
       |                        v
       +------ retry ------- IN_DOUBT --- report -> FAILED      (FAILED and REFUSED are retried on demand)
                             '---- answer -> DONE, where OpenRouter still has the answer

A row is IN_FLIGHT from just before its request is sent until its outcome is written down. Whoever opens a ledger finds
the rows that a killed run left there: they may have been paid, and are IN_DOUBT.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

import msgspec

from openrouter_core.errors import (
    AuthError,
    BudgetExceeded,
    ConnectError,
    DataSourceError,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
)


class RowState(IntEnum):
    """Where a row stands; the numbers are what a ledger holds."""

    TODO = 0
    IN_FLIGHT = 1
    DONE = 2
    FAILED = 3
    REFUSED = 4
    IN_DOUBT = 5


RowEvent = Literal["intend", "answer", "fail", "refuse", "give_back", "find", "retry", "report"]

Doubt = Literal["retry", "skip", "report"]
"""What to do about rows in doubt: ask again, leave them alone, or put them down as failed."""

Stop = Literal["budget", "credits", "key", "interrupted", "deadline", "ledger"]
"""Why a run ended before its rows did."""

TODO, IN_FLIGHT, DONE, FAILED, REFUSED, IN_DOUBT = RowState

MOVES: Mapping[RowEvent, Mapping[RowState, RowState]] = {
    "intend": {TODO: IN_FLIGHT, IN_FLIGHT: IN_FLIGHT},
    "answer": {IN_FLIGHT: DONE, IN_DOUBT: DONE},
    "fail": {TODO: FAILED, IN_FLIGHT: FAILED},
    "refuse": {TODO: REFUSED, IN_FLIGHT: REFUSED},
    "give_back": {TODO: TODO, IN_FLIGHT: TODO},
    "find": {IN_FLIGHT: IN_DOUBT},
    "retry": {IN_DOUBT: TODO, FAILED: TODO, REFUSED: TODO},
    "report": {IN_DOUBT: FAILED},
}
"""Each event: from which state to which. What is not listed cannot happen."""

ENDED = (DONE, FAILED, REFUSED)
"""The states of rows that have a line in the output."""

STOPPING: Mapping[type[DataSourceError], Stop] = {
    BudgetExceeded: "budget",
    InsufficientCredits: "credits",
    AuthError: "key",
}
"""Failures that every other row would meet too: the run stops, and the row is as if it had not been asked."""

HOPELESS = (InvalidRequest, NotFound, Forbidden)
"""Failures that the same request would meet again."""


class Meaning(msgspec.Struct, frozen=True):
    """What a failure means: what happens to its row, and whether the run stops."""

    event: RowEvent
    stop: Stop | None = None


def meaning(error: DataSourceError) -> Meaning:
    """Tell what a row's failure means."""
    stop = STOPPING.get(type(error))
    if stop is not None:
        return Meaning("give_back", stop)
    if isinstance(error, ConnectError) and error.kind == "closed":
        return Meaning("give_back", "interrupted")
    final = isinstance(error, HOPELESS) or (
        isinstance(error, HttpError) and error.status is not None and 300 <= error.status < 500
    )
    return Meaning("refuse" if final and not retryable(error) else "fail")


def retryable(error: DataSourceError) -> bool:
    """Tell the statuses below 500 that are about the moment and not about the request; a 429 is no `HttpError`."""
    return error.status in (408, 409, 425)


def before(event: RowEvent) -> tuple[RowState, ...]:
    """Give the states in which an event can happen."""
    return tuple(MOVES[event])


def after(event: RowEvent, state: RowState) -> RowState:
    """Give the state that an event leads to; KeyError where it cannot happen."""
    return MOVES[event][state]
