"""The loops that wait. They carry out the effects of a call and report back; they decide nothing."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar, assert_never

from returns.result import Result

from openrouter_client.streaming import Handle
from openrouter_client.world import Watcher, World
from openrouter_core.call import Done, Job, Queue, Send, Sleep, State, admitted, answered, begin, expired, slept
from openrouter_core.errors import DataSourceError
from openrouter_core.outcome import Outcome, Streamed
from openrouter_core.wire.chunk import ChatCompletionChunk

T = TypeVar("T")


async def run(world: World, job: Job[T], watcher: Watcher, began: float | None = None) -> Result[T, DataSourceError]:
    """Run one call to its end. Cancelling the task gives its place back and drops its connection.

    The deadline counts from `began`, or from now.
    """
    now = world.now() if began is None else began
    state: Send[T] | Done[T] = await until_send(world, begin(job, now), now, watcher)
    while isinstance(state, Send):
        try:
            if job.mode == "whole":
                outcome = await world.send(job.request, state.clocks.total)
            else:
                outcome = await world.stream(job.request, state.clocks, handing_out=False).collect()
        finally:
            world.leave()
        state = await until_send(world, *told(world, state, outcome, watcher), watcher)
    return state.result


async def run_stream(
    world: World, job: Job[T], watcher: Watcher, handle: Handle[T], began: float | None = None
) -> AsyncGenerator[Sequence[ChatCompletionChunk], None]:
    """Run a call whose answer is handed out as it comes; its result is in `handle` when the chunks have ended.

    Closing the generator, or cancelling the task, drops the connection at once and ends the call.
    """
    now = world.now() if began is None else began
    state: Send[T] | Done[T] = await until_send(world, begin(job, now), now, watcher)
    while isinstance(state, Send):
        handle.exchange = exchange = world.stream(job.request, state.clocks, handing_out=True)
        try:
            async with aclosing(exchange.batches()) as batches:
                async for chunks in batches:
                    yield chunks
        except (GeneratorExit, CancelledError):
            leave_early(world, state, exchange.outcome(), watcher, handle)
            raise
        finally:
            world.leave()
        state = await until_send(world, *told(world, state, exchange.outcome(), watcher), watcher)
    handle.end(state)


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
            case Queue():
                got = await world.enter(state.expires)
                now = world.now()
                state = admitted(state, now) if got else expired(state, now)
                if got and isinstance(state, Done):
                    world.leave()
            case Sleep():
                await world.sleep(max(0.0, state.until - world.now()))
                now = world.now()
                state = slept(state)
            case Send() | Done():
                return state
            case _:
                assert_never(state)


def told(world: World, state: Send[T], outcome: Outcome, watcher: Watcher) -> tuple[Sleep[T] | Done[T], float]:
    """Tell the call how its attempt ended; give its new state, and the instant of it."""
    now, roll = world.now(), world.roll()
    watcher.outcome(now, outcome, roll)
    return answered(state, outcome, now, roll), now
