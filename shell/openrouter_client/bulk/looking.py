"""What a ledger tells whoever looks at it; nothing here changes it. See `tables` for what is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from openrouter_core.bulk.figures import Counts
from openrouter_core.bulk.identity import Fingerprint
from openrouter_core.bulk.states import DONE, FAILED, IN_DOUBT, IN_FLIGHT, REFUSED, TODO


class Looking:
    """A ledger through a connection. Opened with `at` it cannot write, and does not stop the run that does."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.db: sqlite3.Connection = connection
        self.path: Path = path

    @classmethod
    def at(cls, path: Path) -> Looking:
        """Open a ledger only to look at it, while a run writes to it too; raises sqlite3.Error."""
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("SELECT value FROM meta LIMIT 1")
        except BaseException:
            db.close()
            raise
        return cls(db, path)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def meta(self, name: str) -> Any:
        """Give a fact about the ledger; None where it has none."""
        found = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else msgspec.json.decode(found[0])

    def fingerprint(self) -> Fingerprint | None:
        """Tell which run the ledger belongs to; None for one that was never used."""
        found = self.meta("fingerprint")
        return None if found is None else msgspec.convert(found, Fingerprint)

    def counts(self, rows: int) -> Counts:
        """Count the first so many rows of the input."""
        found = self.db.execute(
            "SELECT state, count(*), sum(cost), sum(unknown), sum(prompt), sum(completion) FROM rows "
            "WHERE row <= ? GROUP BY state",
            (rows,),
        ).fetchall()
        many = {state: count for state, count, *_ in found}
        return Counts(
            rows=rows,
            todo=rows - sum(many.values()) + many.get(TODO, 0),
            in_flight=many.get(IN_FLIGHT, 0),
            done=many.get(DONE, 0),
            failed=many.get(FAILED, 0),
            refused=many.get(REFUSED, 0),
            in_doubt=many.get(IN_DOUBT, 0),
            cost_usd=sum(one[2] for one in found),
            cost_unknown=sum(one[3] for one in found),
            prompt_tokens=sum(one[4] for one in found),
            completion_tokens=sum(one[5] for one in found),
        )

    def lines_after(self, seq: int, most: int) -> list[tuple[int, bytes]]:
        """Give the next lines in the order in which they came, with their numbers."""
        return self.db.execute(
            "SELECT seq, line FROM outcomes WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most)
        ).fetchall()

    def rows_from(self, row: int, most: int) -> list[tuple[int, int, bytes | None]]:
        """Give the next rows in the order of the input: number, state and line."""
        return self.db.execute(
            "SELECT r.row, r.state, o.line FROM rows r LEFT JOIN outcomes o ON o.seq = r.outcome "
            "WHERE r.row >= ? ORDER BY r.row LIMIT ?",
            (row, most),
        ).fetchall()

    def place_of(self, row: int, line: bytes) -> int | None:
        """Tell the number of a line that was written for a row; None where it is not what the ledger holds."""
        found = self.db.execute(
            "SELECT o.seq, o.line FROM rows r JOIN outcomes o ON o.seq = r.outcome WHERE r.row = ?", (row,)
        ).fetchone()
        return found[0] if found is not None and found[1] == line else None

    def slowest(self, most: int) -> list[tuple[int, str | None, float]]:
        """Give the rows whose calls are under way for longest: number, name, and when the last attempt was sent."""
        return self.db.execute(
            "SELECT row, custom_id, sent FROM rows WHERE state = ? AND batch IS NULL ORDER BY sent LIMIT ?",
            (IN_FLIGHT, most),
        ).fetchall()

    def ends(self, most: int) -> list[float]:
        """Tell when the last rows ended, the latest first, in seconds since the epoch."""
        return [at for (at,) in self.db.execute("SELECT at FROM outcomes ORDER BY seq DESC LIMIT ?", (most,))]

    def failures(self) -> Iterator[bytes]:
        """Give the lines of the rows that failed, in the order of the input."""
        for (line,) in self.db.execute(
            "SELECT o.line FROM rows r JOIN outcomes o ON o.seq = r.outcome WHERE r.state IN (?, ?) ORDER BY r.row",
            (FAILED, REFUSED),
        ):
            yield line

    def in_order(self) -> Iterator[bytes]:
        """Give all lines in the order of the input."""
        for (line,) in self.db.execute("SELECT o.line FROM rows r JOIN outcomes o ON o.seq = r.outcome ORDER BY r.row"):
            yield line
