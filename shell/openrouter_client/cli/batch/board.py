"""Where a bulk run is shown: a live display on a terminal, a line every few seconds elsewhere. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar

from openrouter_client.cli.batch.words import Slow, in_batches, lines, money, standing
from openrouter_client.cli.output import pairs, printable
from openrouter_core.admission import Stats
from openrouter_core.bulk.batches import Intent
from openrouter_core.bulk.figures import Progress

EVERY_SECS = 10.0
"""How often a log is told how the run stands."""


class Board(Protocol):
    """Whoever shows a run."""

    def show(self, progress: Progress, stats: Stats, slowest: Sequence[Slow], batches: Sequence[Intent] = ()) -> None:
        """Show how the run stands."""
        ...

    def say(self, text: str) -> None:
        """Say something between."""
        ...

    def close(self) -> None:
        """Stop showing."""
        ...


class LiveBoard:
    """A display that renews itself below what is said."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, progress: Progress, stats: Stats, slowest: Sequence[Slow], batches: Sequence[Intent] = ()) -> None:
        """Draw how the run stands."""
        counts = progress.counts
        bar = ProgressBar(total=max(1, counts.rows), completed=counts.ended)
        self._live.update(Group(bar, pairs(lines(progress, stats, slowest, batches))), refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the display."""
        self._console.print(printable(text), markup=False)

    def close(self) -> None:
        """Take the display away."""
        self._live.stop()


class PlainBoard:
    """Lines for a log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = EVERY_SECS

    def show(self, progress: Progress, stats: Stats, slowest: Sequence[Slow], batches: Sequence[Intent] = ()) -> None:
        """Write a line, if it is time for one."""
        del stats, slowest
        if progress.seconds >= self._next:
            self._next = progress.seconds + EVERY_SECS
            told = [standing(progress), money(progress.counts), *([in_batches(batches)] if batches else [])]
            self.say("; ".join(told))

    def say(self, text: str) -> None:
        """Write a line."""
        self._console.print(printable(text), markup=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing is left to do."""


def board_on(console: Console) -> Board:
    """Choose how to show a run."""
    return LiveBoard(console) if console.is_terminal else PlainBoard(console)
