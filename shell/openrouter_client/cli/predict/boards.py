"""Where the command shows what happens: what every board is told, and the board for machines.

A board is told of events and shows them; it decides nothing. `table.py` holds the one for people.
"""

from collections.abc import Sequence
from typing import TextIO

import msgspec

from openrouter_client.cli.predict.report import Heading, Wait, stand_in_notice
from openrouter_client.cli.predict.rows import Row, Summary


class Board:
    """What is told of a run, in this order: `opened`, then events of rows by index from 0, then `closed`.

    This one shows nothing; a board overrides what it shows.
    """

    def opened(self, heading: Heading) -> None:
        """Say what is about to be done."""

    def asked(self, index: int) -> None:
        """A row's call begins."""

    def sending(self, index: int, attempt: int) -> None:
        """A row's attempt begins, counted from 1."""

    def waiting(self, index: int, wait: Wait) -> None:
        """A row's attempt failed; the next comes after a wait."""

    def finished(self, row: Row) -> None:
        """A row has ended, well or not."""

    def refresh(self) -> None:
        """Time has passed; called some times a second."""

    def closed(self, rows: Sequence[Row], summary: Summary) -> None:
        """All is over. `rows` are in the order of the file."""

    def abandoned(self) -> None:
        """The run broke off with an exception: leave the screen as it was found."""


class JsonBoard(Board):
    """One JSON object a line for each market, in the order of the file, then the summary. People read `notes`."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self._out = out
        self._notes = notes
        self._held: dict[int, Row] = {}
        self._next = 1

    def opened(self, heading: Heading) -> None:
        """Say on `notes` that the answers are made up, if they are."""
        notice = stand_in_notice(heading)
        if notice:
            print(notice, file=self._notes, flush=True)

    def finished(self, row: Row) -> None:
        """Print the rows before which all others have been printed."""
        self._held[row.row] = row
        while self._next in self._held:
            self._print(self._held.pop(self._next))
            self._next += 1

    def closed(self, rows: Sequence[Row], summary: Summary) -> None:
        """Print the summary."""
        del rows
        self._print(summary)

    def _print(self, value: Row | Summary) -> None:
        print(msgspec.json.encode(value).decode(), file=self._out, flush=True)
