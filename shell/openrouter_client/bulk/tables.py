"""The ledger's tables and the statements on them. Everything here runs on the ledger's own thread, or reads only.

    meta       whose ledger it is: fingerprints, the output, what was spent
    rows       a row for each that was sent, or ended without: its state, and what it took
    outcomes   the lines of the output, in the order in which they came; what is retried loses its line
    repeats    how many copies of a request there are, where there is more than one
    batches    OpenRouter's own batches that rows were sent in (see `parcels`)

Keys are random, so they stand in an index of their own, and lines grow at the end of a table: nothing that is large
moves.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from openrouter_client.bulk.looking import Looking
from openrouter_core.bulk.identity import key_of
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import IN_DOUBT, IN_FLIGHT, TODO, RowEvent, after, before

VERSION = 2

ABSENT = 255
"""Stands in `states` for a row that the ledger does not know."""

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE rows (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    state INTEGER NOT NULL,
    sends INTEGER NOT NULL DEFAULT 0,
    outcome INTEGER,
    cost REAL NOT NULL DEFAULT 0.0,
    unknown INTEGER NOT NULL DEFAULT 0,
    prompt INTEGER NOT NULL DEFAULT 0,
    completion INTEGER NOT NULL DEFAULT 0,
    seconds REAL,
    sent REAL,
    generation TEXT,
    kind TEXT,
    custom_id TEXT,
    batch INTEGER
);
CREATE UNIQUE INDEX rows_key ON rows (key);
CREATE INDEX rows_batch ON rows (batch) WHERE batch IS NOT NULL;
CREATE TABLE batches (number INTEGER PRIMARY KEY, open INTEGER NOT NULL, intent BLOB NOT NULL);
CREATE TABLE repeats (hash BLOB PRIMARY KEY, copies INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outcomes (seq INTEGER PRIMARY KEY, row INTEGER NOT NULL, at REAL NOT NULL, line BLOB NOT NULL);
"""

PRAGMAS = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -16384",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA temp_store = MEMORY",
)


COPIES = """
INSERT INTO repeats VALUES (?, 1) ON CONFLICT (hash) DO UPDATE SET copies = copies + 1 RETURNING copies
"""


class Flight(msgspec.Struct):
    """A row that is being asked, as the ledger needs it.

    `known`: the ledger has it; `sent`: an attempt has left; `ended`: how it ended is about to be written.
    """

    row: int
    custom_id: str | None
    hashed: bytes
    known: bool
    sent: bool = False
    ended: bool = False


class Doubtful(msgspec.Struct, frozen=True):
    """A row in doubt, with the generation that it may have become, and when it was sent (seconds since the epoch)."""

    row: int
    custom_id: str | None
    generation_id: str | None
    sent: float | None = None


class Mismatch(Exception):
    """The ledger does not hold what it must: somebody else wrote to it."""


class Tables(Looking):
    """The ledger through one connection, which is the only one that writes. `last` is the number of the last line."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self.last: int = 0

    @classmethod
    def open(cls, path: Path) -> Tables:
        """Open a ledger to write to it, made if it is not there; raises sqlite3.Error and `Mismatch`.

        It holds prompts and answers: one that is made here is for its owner alone, and so are SQLite's files beside it.
        """
        with contextlib.suppress(OSError):  # it is there already, or SQLite says what is wrong
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in PRAGMAS:
                db.execute(pragma)
            usable(db)
            made = cls(db, path)
            made.last = db.execute("SELECT coalesce(max(seq), 0) FROM outcomes").fetchone()[0]
        except BaseException:
            db.close()
            raise
        return made

    def set_meta(self, **facts: Any) -> None:
        """Write facts about the ledger down."""
        for name, value in facts.items():
            self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, msgspec.json.encode(value)))

    # --- rows ---------------------------------------------------------------------------------------------------------

    def intend(self, flight: Flight, at: float, spent: float | None) -> None:
        """Write down that a row is about to be sent, at an instant in seconds since the epoch.

        `spent` is the most that the run can have cost in USD, this attempt included.
        """
        if flight.known:
            self.move(flight.row, "intend", "sends = sends + 1, generation = NULL, sent = ?", at)
        else:
            self.insert(flight, int(after("intend", TODO)), 1, at)
        if spent is not None:
            self.set_meta(spent=spent)

    def insert(self, flight: Flight, state: int, sends: int = 0, at: float | None = None) -> None:
        """Add a row. Copies of a request that is there already have keys of their own."""
        values = (flight.row, key_of(flight.hashed, 0), state, sends, at, flight.custom_id)
        statement = "INSERT INTO rows (row, key, state, sends, sent, custom_id) VALUES (?, ?, ?, ?, ?, ?)"
        try:
            self.db.execute(statement, values)
        except sqlite3.IntegrityError:
            copies = self.db.execute(COPIES, (flight.hashed,)).fetchall()[0][0]
            self.db.execute(statement, (flight.row, key_of(flight.hashed, copies), *values[2:]))
        flight.known = True

    def move(self, row: int, event: RowEvent, changes: str, *values: Any) -> None:
        """Let something happen to a row; raises `Mismatch` where the row is in no state for it."""
        if self.db.execute(moving(event, changes), (*values, row)).rowcount != 1:
            raise Mismatch(f"row {row} is in no state for {event!r}")

    def note(self, row: int, generation_id: str) -> None:
        """Write down which generation a row's call is."""
        self.db.execute("UPDATE rows SET generation = ? WHERE row = ?", (generation_id, row))

    def end(self, flight: Flight, outcome: Outcome) -> None:
        """Write down how a row's call ended, with its line."""
        if not flight.known:
            if outcome.event == "give_back":
                return
            self.insert(flight, TODO)
        seq = None
        if outcome.line:
            seq = self.last = self.last + 1
            self.db.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?)", (seq, flight.row, time.time(), outcome.line))
        self.move(
            flight.row,
            outcome.event,
            "outcome = ?, cost = cost + ?, unknown = unknown + ?, prompt = prompt + ?, completion = completion + ?, "
            "seconds = ?, generation = coalesce(?, generation), kind = ?, batch = NULL",
            seq,
            outcome.cost or 0.0,
            outcome.cost is None,
            outcome.prompt_tokens,
            outcome.completion_tokens,
            outcome.seconds,
            outcome.generation_id,
            outcome.kind,
        )

    # --- when a run begins --------------------------------------------------------------------------------------------

    def find(self, held: Collection[int] = ()) -> int:
        """Put the rows in doubt that a killed run left in flight; tell how many are in doubt now.

        What was sent in a batch is no doubt: the batch goes on, and tells. Those that are `held` somebody still asks.
        """
        self.db.execute(
            f"UPDATE rows SET state = {IN_DOUBT:d}, unknown = unknown + 1 "  # noqa: S608 - the words are ours
            f"WHERE state = {IN_FLIGHT:d} AND batch IS NULL AND row NOT IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(sorted(held)).decode(),),
        )
        found: int = self.db.execute("SELECT count(*) FROM rows WHERE state = ?", (IN_DOUBT,)).fetchone()[0]
        return found

    def doubtful(self) -> list[Doubtful]:
        """List the rows in doubt."""
        found = self.db.execute(
            "SELECT row, custom_id, generation, sent FROM rows WHERE state = ? ORDER BY row", (IN_DOUBT,)
        )
        return [Doubtful(*one) for one in found]

    def known_cost(self, row: int, cost: float) -> None:
        """Write down what a call in doubt cost in USD, after all."""
        self.db.execute("UPDATE rows SET cost = cost + ?, unknown = max(0, unknown - 1) WHERE row = ?", (cost, row))

    def retry(self, state: int) -> int:
        """Take all rows of a state up again, and their lines out of the output; tell how many."""
        lines = self.db.execute(
            "DELETE FROM outcomes WHERE seq IN (SELECT outcome FROM rows WHERE state = ?)", (state,)
        ).rowcount
        taken = self.db.execute(
            "UPDATE rows SET state = ?, outcome = NULL, kind = NULL WHERE state = ?", (TODO, state)
        ).rowcount
        if lines or (taken and self.meta("ordered")):
            self.set_meta(stale=True)
        return taken

    def doubt(self, row: int, *, again: bool) -> None:
        """Put a row in doubt whose call was left by a process that is no more; with `again`, it is to be asked anew."""
        self.move(row, "find", "unknown = unknown + 1")
        if again:
            self.move(row, "retry", "outcome = NULL")

    def states(self, rows: int) -> bytearray:
        """Give the state of each row, from row 1 at place 1; `ABSENT` where the ledger does not know it."""
        states = bytearray([ABSENT]) * (rows + 1)
        for row, state in self.db.execute("SELECT row, state FROM rows WHERE row <= ?", (rows,)):
            states[row] = state
        return states


def usable(db: sqlite3.Connection) -> None:
    """Make the tables in a new file; raises `Mismatch` for a file that has other ones."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise Mismatch(f"it is no ledger of this version ({VERSION}), but of {version}")


@cache
def moving(event: RowEvent, changes: str) -> str:
    """Write the statement by which something happens to a row: only where the row is in a state for it."""
    (target,) = {int(after(event, state)) for state in before(event)}
    states = ", ".join(str(int(state)) for state in before(event))
    return f"UPDATE rows SET state = {target}, {changes} WHERE row = ? AND state IN ({states})"  # noqa: S608 - numbers and names of our own, no input
