"""Carries a bulk run out: signals, the display, the summary at the end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import msgspec
from returns.result import Failure
from rich.console import Console

from openrouter_client.bulk.estimating import estimate
from openrouter_client.bulk.running import BatchRun
from openrouter_client.cli.batch.board import Board, board_on, pairs
from openrouter_client.cli.batch.refusing import refused
from openrouter_client.cli.batch.words import ending, estimated
from openrouter_core.bulk.estimate import Estimate
from openrouter_core.bulk.figures import COMPLETE, NOTHING, PARTIAL, Summary

REFRESH_SECS = 0.25
FIRST = "Finishing the {} calls that are under way; Ctrl-C again drops them, and they may be paid all the same."
SECOND = "Dropped."


async def carried(run: BatchRun, console: Console, *, json: bool, quiet: bool) -> int:
    """Run it, show it, and sum it up; give the exit code. With `quiet` the standard output is the lines' alone."""
    board = board_on(console)
    try:
        with interrupting(run, board):
            ticker = asyncio.create_task(ticking(run, board))
            try:
                result = await run.run()
            finally:
                ticker.cancel()
                with suppress(asyncio.CancelledError):
                    await ticker
    finally:
        board.close()
    if isinstance(result, Failure):
        return refused(result.failure())
    summary = result.unwrap()
    tell(summary, console, run, json=json, quiet=quiet)
    return summary.exit_code


async def ticking(run: BatchRun, board: Board) -> None:
    """Show how the run stands, from when it has rows."""
    while True:
        await asyncio.sleep(REFRESH_SECS)
        if run.counts.rows:
            board.show(run.progress(), run.stats(), run.slowest())


@contextmanager
def interrupting(run: BatchRun, board: Board) -> Generator[None, None, None]:
    """Let the first Ctrl-C end the run in good order, and the second one at once."""
    loop, times = asyncio.get_running_loop(), 0

    def interrupted() -> None:
        nonlocal times
        times += 1
        if times == 1:
            run.stop()
            board.say(FIRST.format(run.counts.in_flight))
        else:
            run.abort()
            board.say(SECOND)

    handled = [name for name in (signal.SIGINT, signal.SIGTERM) if handles(loop, name, interrupted)]
    try:
        yield
    finally:
        for name in handled:
            loop.remove_signal_handler(name)


def handles(loop: asyncio.AbstractEventLoop, name: signal.Signals, handler: Callable[[], None]) -> bool:
    """Handle a signal, where that can be done."""
    try:
        loop.add_signal_handler(name, handler)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows; a thread that is not the main one
        return False
    return True


def tell(summary: Summary, console: Console, run: BatchRun, *, json: bool, quiet: bool) -> None:
    """Sum the run up: in words on the standard error, or as JSON where that was asked for."""
    if json:
        out = sys.stderr if quiet else sys.stdout
        out.write(msgspec.json.encode(summary).decode() + "\n")
    else:
        console.print(pairs(ending(summary, str(run.parts.ledger))))


async def rehearsed(run: BatchRun, console: Console, *, json: bool) -> int:
    """Tell what a run would take; nothing is asked of a model."""
    result = await estimate(run)
    if isinstance(result, Failure):
        return refused(result.failure())
    made = result.unwrap()
    if json:
        sys.stdout.write(msgspec.json.encode(made).decode() + "\n")
    else:
        console.print(pairs(estimated(made)))
    return rehearsal_code(made)


def rehearsal_code(made: Estimate) -> int:
    """Tell whether all rows can be asked, some, or none."""
    if not made.invalid:
        return COMPLETE
    return PARTIAL if made.invalid < made.rows else NOTHING
