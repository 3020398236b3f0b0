"""Asking about a job until it has ended: the loop that waits. When to ask, and whether to, is the core's to say."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from returns.result import Failure, Result

from openrouter_client.world import RealWorld
from openrouter_core.errors import DataSourceError, DeadlineExceeded, known, replaced
from openrouter_core.polling import Polling, ask_again, next_ask

T = TypeVar("T")


async def until_ended(
    world: RealWorld,
    ask: Callable[[float], Awaitable[Result[T, DataSourceError]]],
    ended: Callable[[T], bool],
    polling: Polling,
    what: str,
) -> Result[T, DataSourceError]:
    """Ask, with so many seconds left, and wait, until what is asked about has ended, or the time is over.

    A question that fails is asked again where that can help; `what` is told by the failure, so that it can be found.
    """
    began, asked, quickest = world.now(), 0, math.inf
    while True:
        elapsed = world.now() - began
        answer = await ask(max(polling.deadline - elapsed, 0.001))
        took = world.now() - began - elapsed
        elapsed, quickest = elapsed + took, min(quickest, took)
        if not isinstance(answer, Failure) and ended(answer.unwrap()):
            return answer
        error = answer.failure() if isinstance(answer, Failure) else None
        if error is not None and not (isinstance(error, DeadlineExceeded) or ask_again(polling, error, elapsed)):
            return Failure(replaced(error, message=f"{error.message} ({what})"))
        wait = next_ask(polling, asked, elapsed, quickest)
        if wait is None:
            return Failure(late(polling, what, error))
        asked += 1
        await world.sleep(wait)


def late(polling: Polling, what: str, error: DataSourceError | None) -> DeadlineExceeded:
    """Make the error of a job that has not ended in time; it goes on."""
    cause = error.cause if isinstance(error, DeadlineExceeded) else error
    return DeadlineExceeded(
        message=f"{what} has not ended within {polling.deadline:g} s; it goes on, and can be asked for again",
        deadline=polling.deadline,
        cause=None if cause is None else known(cause),
    )


def within(polling: Polling, deadline_secs: float | None) -> Polling:
    """Give a way of asking that ends after so many seconds, if that is told."""
    return polling if deadline_secs is None else msgspec.structs.replace(polling, deadline=deadline_secs)
