"""Carries a bulk run out: Ctrl-C, the display, the summary at the end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import msgspec
from returns.result import Failure

from openrouter_client.bulk.estimating import estimate
from openrouter_client.bulk.running import BatchRun
from openrouter_client.cli.batch.board import Board
from openrouter_client.cli.batch.words import doubts, ending, estimated
from openrouter_client.cli.output import Output
from openrouter_core.bulk.estimate import Estimate
from openrouter_core.bulk.figures import COMPLETE, NOTHING, PARTIAL, Summary

REFRESH_SECS = 0.25
FIRST = "Finishing the {} calls that are under way; Ctrl-C again drops them, and they may be paid all the same."
SECOND = "Dropped."
LEAVING = "Leaving the batches to OpenRouter, where they go on; Ctrl-C again drops even what is being sent to it now."


class Interruptions:
    """Hears Ctrl-C: the first one ends the run in good order, and the second one at once."""

    def __init__(self, run: BatchRun, board: Board) -> None:
        self._run = run
        self._board = board
        self._times = 0

    def __call__(self) -> None:
        """Hear one."""
        self._times += 1
        if self._times == 1:
            self._run.stop()
            batches = self._run.parts.settings.via == "batches"
            self._board.say(LEAVING if batches else FIRST.format(self._run.counts.in_flight))
        else:
            self._run.abort()
            self._board.say(SECOND)


async def carried(run: BatchRun, board: Board, out: Output, *, quiet: bool) -> int:
    """Run it, show it, and sum it up; give the exit code. With `quiet` the standard output is the lines' alone."""
    try:
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
        return out.failed(result.failure())
    summary = result.unwrap()
    if any(run.doubts.values()):
        out.remark(doubts(run.doubts))
    tell(summary, out, run, quiet=quiet)
    return summary.exit_code


async def ticking(run: BatchRun, board: Board) -> None:
    """Show how the run stands, from when it has rows."""
    while True:
        await asyncio.sleep(REFRESH_SECS)
        if run.counts.rows:
            board.show(run.progress(), run.stats(), run.slowest(), run.batches)


def tell(summary: Summary, out: Output, run: BatchRun, *, quiet: bool) -> None:
    """Sum the run up: in words on the standard error, or as JSON where that was asked for."""
    if out.json and quiet:
        sys.stderr.write(msgspec.json.encode(summary).decode() + "\n")
    elif out.json:
        out.value(summary)
    else:
        out.facts(ending(summary, str(run.parts.ledger)))


async def rehearsed(run: BatchRun, out: Output) -> int:
    """Tell what a run would take; nothing is asked of a model."""
    with out.waiting("reading the rows"):
        result = await estimate(run)
    if isinstance(result, Failure):
        return out.failed(result.failure())
    made = result.unwrap()
    if out.json:
        out.value(made)
    else:
        out.facts(estimated(made))
    return rehearsal_code(made)


def rehearsal_code(made: Estimate) -> int:
    """Tell whether all rows can be asked, some, or none."""
    if not made.invalid:
        return COMPLETE
    return PARTIAL if made.invalid < made.rows else NOTHING
