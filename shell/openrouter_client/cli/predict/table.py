"""The table: on a terminal, rows as they finish and retries while they happen; at the end all rows and the totals.

Draws with rich, decides nothing, waits for nothing. A live table shows as many rows as the terminal is high. Where
there is no terminal (a log, a pipe), retries and their ends are lines, and the table comes once, at the end.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from openrouter_client.cli.money import usd
from openrouter_client.cli.predict.boards import Board
from openrouter_client.cli.predict.report import (
    Heading,
    Wait,
    facts,
    intent,
    outcome_line,
    shorten,
    signed,
    stand_in_notice,
    wait_line,
)
from openrouter_client.cli.predict.rows import Call, Failed, NotDone, Predicted, Row, Summary

_SIDES = {"yes": "bold green", "no": "bold red", "hold": "yellow"}
_NARROWEST, _WIDEST = 20, 60
_NUMBERS_WIDTH = 61
"""What all columns but the market's take, spaces between them included."""

_WITHOUT_TERMINAL = 120
"""How wide the table is where no terminal says it, in characters."""

_PROGRESS_EVERY = 10
"""After how many rows a log is told how far the run is."""

_LINES_AROUND = 11
"""The lines of the heading and the notice, which stay in sight above the live table, and of the progress below it."""


@dataclass
class _Running:
    """A row that has no answer yet."""

    since: float
    attempt: int = 1
    wait: Wait | None = None
    until: float = 0.0


class Screen(Console):
    """The standard output. A pipe that nobody reads any more is an exception here, as it is for `print`."""

    def __init__(self) -> None:
        super().__init__(highlight=False)
        if not self.is_terminal:
            self.width = shutil.get_terminal_size((_WITHOUT_TERMINAL, 0)).columns

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the caller, who stops to ask."""
        raise BrokenPipeError


class TableBoard(Board):
    """A board for people."""

    def __init__(self, console: Console, questions: Sequence[str]) -> None:
        self._console = console
        self._questions = questions
        self._began = time.monotonic()
        self._running: dict[int, _Running] = {}
        self._rows: dict[int, Row] = {}
        self._finishing_order: list[int] = []
        self._retries = 0
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=console, auto_refresh=False, transient=True, get_renderable=self._view)

    def opened(self, heading: Heading) -> None:
        """Print what stays above the table, then begin to draw."""
        self._console.print(Text(intent(heading), style="dim"), soft_wrap=True)
        notice = stand_in_notice(heading)
        if notice:
            self._console.print(Panel(Text(notice), border_style="yellow", style="yellow"))
        if self._console.is_interactive:
            self._live.start(refresh=True)

    def asked(self, index: int) -> None:
        """Show the row as running."""
        self._running[index] = _Running(since=time.monotonic())

    def sending(self, index: int, attempt: int) -> None:
        """Show which attempt is under way."""
        if index in self._running:
            self._running[index].attempt = attempt
            self._running[index].wait = None

    def waiting(self, index: int, wait: Wait) -> None:
        """Show why the row is tried again, and count the wait down."""
        self._retries += 1
        if index in self._running:
            self._running[index].wait = wait
            self._running[index].until = time.monotonic() + wait.delay
        self._log(f"#{index + 1} {wait_line(wait, wait.delay)}")

    def finished(self, row: Row) -> None:
        """Show the row's result."""
        index = row.row - 1
        self._running.pop(index, None)
        self._rows[index] = row
        self._finishing_order.append(index)
        if isinstance(row, Failed) or (isinstance(row, Predicted) and row.call.retried):
            self._log(outcome_line(row))
        if len(self._rows) % _PROGRESS_EVERY == 0:
            self._log(f"{len(self._rows)} of {len(self._questions)} done")

    def refresh(self) -> None:
        """Draw again."""
        self._live.refresh()

    def closed(self, rows: Sequence[Row], summary: Summary) -> None:
        """Leave the whole table on the screen, the reasons of failures, and the totals."""
        self._live.stop()
        table = self._table()
        for row in rows:
            self._add_row(table, row)
        self._console.print(table)
        for row in rows:
            if isinstance(row, Failed):
                self._console.print(Text.assemble((f"#{row.row} failed: ", "red"), shorten(row.error, 400)))
        self._console.print(_totals(summary))

    def abandoned(self) -> None:
        """Stop drawing, and show the cursor again."""
        self._live.stop()

    def _log(self, line: str) -> None:
        """Print a line where nothing is drawn."""
        if not self._live.is_started:
            self._console.print(Text(f"    {line}", no_wrap=True, overflow="ellipsis"), soft_wrap=True)

    def _view(self) -> Group:
        """What is drawn while rows are running: those, the latest results that find room, and the progress."""
        now = time.monotonic()
        waits = [(index, state, state.wait) for index, state in sorted(self._running.items()) if state.wait is not None]
        lines = self._console.height - _LINES_AROUND - len(self._running) - len(waits)
        latest = self._finishing_order[-lines:] if lines > 0 else []
        table = self._table()
        for index in sorted({*latest, *self._running}):
            if index in self._running:
                self._add_running(table, index, self._running[index], now)
            else:
                self._add_row(table, self._rows[index])
        retries = [
            Text(
                f"    #{index + 1} {wait_line(wait, max(0.0, state.until - now))}",
                "yellow",
                no_wrap=True,
                overflow="ellipsis",
            )
            for index, state, wait in waits
        ]
        return Group(table, *retries, self._progress(now))

    def _table(self) -> Table:
        width = max(_NARROWEST, min(_WIDEST, self._console.width - _NUMBERS_WIDTH))
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
        table.add_column("#", justify="right", width=3, style="dim")
        table.add_column("Market", width=width, no_wrap=True, overflow="ellipsis")
        table.add_column("Call", width=6)
        table.add_column("Conf", justify="right", width=4)
        table.add_column("Price", justify="right", width=5)
        table.add_column("Fair", justify="right", width=5)
        table.add_column("Edge", justify="right", width=6)
        table.add_column("Cost", justify="right", width=8)
        table.add_column("Tries", justify="right", width=5)
        table.add_column("Time", justify="right", width=6)
        return table

    def _add_row(self, table: Table, row: Row) -> None:
        number, question = str(row.row), Text(shorten(row.question, _WIDEST))
        match row:
            case Predicted():
                edge_style = "dim" if row.edge == 0.0 else "green" if row.edge > 0.0 else "red"
                table.add_row(
                    number,
                    question,
                    Text(row.prediction.upper(), style=_SIDES[row.prediction]),
                    f"{row.confidence:.0%}",
                    f"{row.yes_price:.3f}",
                    f"{row.target_price:.3f}",
                    Text(signed(row.edge), style=edge_style),
                    *_call_cells(row.call),
                )
            case Failed():
                failed = Text("FAILED", style="bold white on red")
                table.add_row(number, question, failed, "", f"{row.yes_price:.3f}", "", "", *_call_cells(row.call))
            case NotDone(asked=True):
                table.add_row(number, question, Text("CUT", style="yellow"))
            case NotDone():
                pass

    def _add_running(self, table: Table, index: int, state: _Running, now: float) -> None:
        question = Text(shorten(self._questions[index], _WIDEST), style="dim")
        doing = self._spinner if state.wait is None else Text("retry", style="yellow")
        tries = Text(str(state.attempt), style="yellow" if state.attempt > 1 else "dim")
        elapsed = Text(f"{now - state.since:.1f} s", style="dim")
        table.add_row(str(index + 1), question, doing, "", "", "", "", "", tries, elapsed)

    def _progress(self, now: float) -> Table:
        done, total = len(self._rows), len(self._questions)
        failed = sum(isinstance(row, Failed) for row in self._rows.values())
        cost = sum(row.call.cost_usd or 0.0 for row in self._rows.values() if isinstance(row, Predicted | Failed))
        words = f"{done}/{total} done, {len(self._running)} running, {self._retries} retries, {failed} failed, "
        grid = Table.grid(padding=(1, 2, 0, 0))
        grid.add_row(
            ProgressBar(total=total, completed=done, width=30), Text(f"{words}{usd(cost)}, {now - self._began:.1f} s")
        )
        return grid


def _call_cells(call: Call) -> tuple[Text, Text, Text]:
    tries = Text(str(call.attempts), style="yellow" if call.attempts > 1 else "dim")
    return Text(usd(call.cost_usd)), tries, Text(f"{call.latency_secs:.1f} s", style="dim")


def _totals(summary: Summary) -> Panel:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold")
    grid.add_column()
    for label, words in facts(summary):
        grid.add_row(label, words)
    good = summary.failed == 0 and summary.not_done == 0
    subtitle = "made up by the local stand-in: not forecasts" if summary.stand_in else None
    return Panel(grid, title="Totals", subtitle=subtitle, border_style="green" if good else "yellow")
