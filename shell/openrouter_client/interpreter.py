"""The loops that wait. They carry out the effects of a call and report back; they decide nothing."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from returns.result import Result

from openrouter_client.world import Exchange, Watcher, World
from openrouter_core.admission import Admitted
from openrouter_core.call import answered, begin, entered, slept
from openrouter_core.errors import DataSourceError
from openrouter_core.limit.seen import NOTHING, UNSENT
from openrouter_core.outcome import Outcome, Streamed
from openrouter_core.states import Done, Job, Queue, Send, Sleep, State

if TYPE_CHECKING:  # only streams need it
    from openrouter_client.streaming import Handle

T = TypeVar("T")


async def run(world: World, job: Job[T], watcher: Watcher, began: float | None = None) -> Result[T, DataSourceError]:
    """Run one call to its end. Cancelling the task gives its turn back and drops its connection.

    The deadline counts from `began`, or from now.
    """
    now = world.now() if began is None else began
    with world.attended():
        try:
            state: Send[T] | Done[T] = await until_send(world, begin(job, now), now, watcher)
            while isinstance(state, Send):
                seen = NOTHING
                try:
                    if job.mode == "whole":
                        outcome = await world.send(state.job.request, state.clocks.total)
                    else:
                        outcome = await prepared(world, state, watcher, handing_out=False).collect()
                    after, now = told(world, state, outcome, watcher)
                    seen = after.past.seen
                finally:
                    world.leave(state.stamp, seen)
                state = await until_send(world, after, now, watcher)
        except BaseException:
            watcher.left(world.now())
            raise
    return state.result


async def run_stream(
    world: World, job: Job[T], watcher: Watcher, handle: Handle[T], began: float | None = None
) -> AsyncGenerator[Sequence[Any], None]:
    """Run a call whose answer is handed out as it comes; its result is in `handle` when the chunks have ended.

    Closing the generator, or cancelling the task, drops the connection at once and ends the call.
    """
    now = world.now() if began is None else began
    with world.attended():
        try:
            state: Send[T] | Done[T] = await until_send(world, begin(job, now), now, watcher)
            while isinstance(state, Send):
                seen = NOTHING
                handle.exchange = exchange = prepared(world, state, watcher, handing_out=True)
                try:
                    async with aclosing(exchange.batches()) as batches:
                        async for chunks in batches:
                            yield chunks
                    after, now = told(world, state, exchange.outcome(), watcher)
                    seen = after.past.seen
                except (GeneratorExit, CancelledError):
                    leave_early(world, state, exchange.outcome(), watcher, handle)
                    raise
                finally:
                    world.leave(state.stamp, seen)
                state = await until_send(world, after, now, watcher)
        except BaseException:
            watcher.left(world.now())
            raise
    handle.end(state)


def prepared(world: World, state: Send[Any], watcher: Watcher, *, handing_out: bool) -> Exchange:
    """Prepare a streamed attempt."""
    job = state.job
    return world.stream(job.endpoint, job.request, state.clocks, handing_out=handing_out, heard=watcher.heard)


def leave_early(world: World, state: Send[T], outcome: Outcome, watcher: Watcher, handle: Handle[T]) -> None:
    """Note how a stream ended that its user left. Before its first content it is as if it had not been."""
    if isinstance(outcome, Streamed) and outcome.delivered:
        ended, now = told(world, state, outcome, watcher)
        watcher.state(now, ended)
        handle.end(ended)


async def until_send(world: World, state: State[T], now: float, watcher: Watcher) -> Send[T] | Done[T]:
    """Carry out the waits of a call until it is to send, or has ended.

    The clock is read once for each transition, so that what the watcher is told is enough to play the call again.
    """
    while True:
        watcher.state(now, state)
        match state:
            case Send() | Done():
                return state
            case Queue():
                turn = await world.enter(state.ticket, state.expires)
                now = world.now()
                state = entered(state, turn, now)
                if isinstance(turn, Admitted) and over(state):
                    world.leave(turn.stamp, UNSENT)
            case Sleep():
                await world.sleep(max(0.0, state.until - world.now()))
                now = world.now()
                state = slept(state, now)
            case _:
                assert_never(state)


def over(state: State[Any]) -> bool:
    """Tell a call that has ended."""
    return isinstance(state, Done)


def told(
    world: World, state: Send[T], outcome: Outcome, watcher: Watcher
) -> tuple[Sleep[T] | Queue[T] | Done[T], float]:
    """Tell the call how its attempt ended; give its new state, and the instant of it."""
    now, roll, company = world.now(), world.roll(), world.company()
    watcher.outcome(now, outcome, roll, company)
    return answered(state, outcome, company, now, roll), now
