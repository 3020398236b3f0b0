"""The output: the lines of the ledger, appended as they come, each once, whatever kills the run.

A line is appended after it is durable in the ledger, in the order of the ledger, so that the output is always a
beginning of what the ledger holds, but for a torn last line. On the next run the torn line is cut off, the last whole
line tells where to go on, and what is missing is appended. A file that does not end as the ledger says, or that holds
lines of rows that were taken up again, is written anew beside itself, and then replaced.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from openrouter_client.bulk.looking import Looking
from openrouter_core.bulk.states import ENDED, IN_DOUBT

AT_ONCE = 2000
"""How many lines are taken from the ledger at once."""

TAIL = 2**16
"""How much of a file's end is read at once to find its last line, in bytes."""


class _Named(msgspec.Struct):
    row: int


class Output:
    """Where the lines go: a file, or (`path` None) a stream from its beginning.

    With `ordered` they go in the order of the input, each as soon as all before it are there; otherwise in the order in
    which they came. `at` is the number of the last line that went, or of the last row.
    """

    def __init__(self, path: Path | None, stream: IO[bytes] | None, *, ordered: bool) -> None:
        self.path: Path | None = path
        self.file: IO[bytes] | None = stream
        self.ordered: bool = ordered
        self.at: int = 0

    def prepare(self, ledger: Looking, *, stale: bool) -> None:
        """Open the file, mend its end, and bring it up to what the ledger holds; raises OSError."""
        if self.path is not None:
            file = self.path.open("ab+")
            self.file = file
            mend(file)
            last = last_line(file)
            at = self.place_after(ledger, last)
            if stale or at is None:
                file.close()
                self.rewrite(ledger, self.path)
            else:
                self.at = at
        self.catch_up(ledger)

    def place_after(self, ledger: Looking, line: bytes) -> int | None:
        """Tell where to go on after a file's last line; None where it is not the ledger's."""
        if not line:
            return 0
        try:
            row = msgspec.json.decode(line, type=_Named).row
        except msgspec.DecodeError:
            return None
        seq = ledger.place_of(row, line)
        return row if self.ordered and seq is not None else seq

    def rewrite(self, ledger: Looking, path: Path) -> None:
        """Write the file anew, and replace it when it is whole."""
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            self.file, self.at = file, 0
            self.catch_up(ledger)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        self.file = path.open("ab")

    def catch_up(self, ledger: Looking) -> None:
        """Append what the ledger holds and the output does not; raises OSError."""
        while True:
            lines, more = self.next_in_order(ledger) if self.ordered else self.next_as_they_came(ledger)
            if lines and self.file is not None:
                self.file.write(b"\n".join((*lines, b"")))
                self.file.flush()
            if not more:
                return

    def next_as_they_came(self, ledger: Looking) -> tuple[Sequence[bytes], bool]:
        """Give the next lines, and whether there may be more."""
        found = ledger.lines_after(self.at, AT_ONCE)
        if found:
            self.at = found[-1][0]
        return [line for _, line in found], len(found) == AT_ONCE

    def next_in_order(self, ledger: Looking) -> tuple[Sequence[bytes], bool]:
        """Give the next lines up to the first row that has not ended, and whether there may be more.

        Rows in doubt that are left alone are passed over.
        """
        found, lines = ledger.rows_from(self.at + 1, AT_ONCE), list[bytes]()
        for row, state, line in found:
            if row != self.at + 1 or state not in (*ENDED, IN_DOUBT):
                return lines, False
            self.at = row
            if line is not None:
                lines.append(line)
        return lines, len(found) == AT_ONCE

    def close(self) -> None:
        """Make the file durable and close it; a stream stays open."""
        if self.file is not None and self.path is not None and not self.file.closed:
            os.fsync(self.file.fileno())
            self.file.close()


def mend(file: IO[bytes]) -> None:
    """Cut off a torn last line."""
    end = file.seek(0, io.SEEK_END)
    whole = end
    while whole > 0:
        begin = max(0, whole - TAIL)
        file.seek(begin)
        cut = file.read(whole - begin).rfind(b"\n")
        if cut >= 0:
            whole = begin + cut + 1
            break
        whole = begin
    if whole != end:
        file.truncate(whole)
    file.seek(0, io.SEEK_END)


def last_line(file: IO[bytes]) -> bytes:
    """Give the last line of a file that ends with a line break, without it; nothing for an empty file."""
    end = file.seek(0, io.SEEK_END)
    begin, kept = end, b""
    while begin > 0:
        step = max(0, begin - TAIL)
        file.seek(step)
        kept = file.read(begin - step) + kept
        begin = step
        cut = kept.rfind(b"\n", 0, -1)
        if cut >= 0:
            kept = kept[cut + 1 :]
            break
    file.seek(0, io.SEEK_END)
    return kept.rstrip(b"\n")
