"""Where commands show things: data on the standard output, remarks on the standard error.

In a pipe there are no colours, no frames and no progress, and NO_COLOR is honoured: that is rich's doing. Data is JSON
with --json, otherwise a table or lines; a table in a pipe is lines with tabs.
"""

import io
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from openrouter_client.cli.exits import code_of
from openrouter_client.cli.pipes import PipeConsole
from openrouter_client.cli.problems import words_of
from openrouter_core.errors import DataSourceError, ToolLoopFailed

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def printable(text: str) -> str:
    """Strike out of a text what a terminal would obey: a model's answer must not steer it."""
    return text.translate(_CONTROLS)


def cell(value: object) -> str:
    """Write a value into a line with tabs: on one line, and without tabs."""
    return " ".join(str(value).split())


def take_every_character(out: object, *, json: bool) -> None:
    """Make an output lose no more than a character that it cannot show: what comes there was paid for."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8" if json else None, errors=None if json else "replace")


def pairs(told: Iterable[tuple[str, str]]) -> Table:
    """Lay labels and lines out, side by side."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, line in told:
        table.add_row(label, Text(printable(line)))
    return table


class Output:
    """One command's output. `command` is named in front of its remarks; `json` is for machines."""

    def __init__(self, command: str, *, json: bool = False) -> None:
        take_every_character(sys.stdout, json=json)
        take_every_character(sys.stderr, json=False)
        self.command: str = command
        self.json: bool = json
        self.console: PipeConsole = PipeConsole(highlight=False)
        self.remarks: PipeConsole = PipeConsole(stderr=True, highlight=False, soft_wrap=True)

    def value(self, value: Any) -> None:
        """Print one JSON object on a line of its own."""
        self.write(_ENCODER.encode(value).decode() + "\n")

    def write(self, text: str) -> None:
        """Print text at once as it is; to a terminal without what would steer it."""
        sys.stdout.write(printable(text) if self.console.is_terminal else text)
        sys.stdout.flush()

    def lines(self, facts: Sequence[tuple[str, object]]) -> None:
        """Print facts, each as a label and a value."""
        width = max((len(label) for label, _ in facts), default=0)
        for label, value in facts:
            self.write(
                f"{label:<{width}}  {cell(value)}\n" if self.console.is_terminal else f"{label}\t{cell(value)}\n"
            )

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
        """Print a table; in a pipe as lines with tabs, the headings first. Columns named in `numbers` stand right."""
        if not self.console.is_terminal:
            for row in (headings, *rows):
                self.write("\t".join(cell(value) for value in row) + "\n")
            return
        table = Table()
        for heading in headings:
            table.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(printable(str(value)) for value in row))
        self.console.print(table, markup=False)

    def remark(self, words: str) -> None:
        """Say something to people."""
        self.remarks.print(printable(words), markup=False)

    def facts(self, told: Iterable[tuple[str, str]]) -> None:
        """Say facts to people, each as a label and a line."""
        self.remarks.print(pairs(told), soft_wrap=False)

    def failed(self, error: DataSourceError) -> int:
        """Say why there is no answer, as JSON with --json; the result is the exit code that it means."""
        blamed = error.cause if isinstance(error, ToolLoopFailed) else error
        code = code_of(type(blamed).__name__)
        if self.json:
            line = _ENCODER.encode({"error": error, "exit_code": code}).decode()
            sys.stderr.write(line + "\n")
        else:
            self.remark(f"{self.command}: {words_of(error)}")
        return code

    @contextmanager
    def waiting(self, words: str) -> Generator[None, None, None]:
        """Show that something takes its time, on a terminal; nothing elsewhere."""
        if not self.remarks.is_terminal or self.json:
            yield
            return
        with self.remarks.status(words):
            yield
