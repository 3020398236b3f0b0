"""Before a run: whose ledger it is, who else has it open, and what is to become of what an earlier run left behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.locking import Lock
from openrouter_client.bulk.tables import Flight, Mismatch, Tables
from openrouter_core.bulk.figures import Counts
from openrouter_core.bulk.identity import Fingerprint, changes
from openrouter_core.bulk.lines import doubtful
from openrouter_core.bulk.states import FAILED, IN_DOUBT, REFUSED, Doubt
from openrouter_core.errors import DataSourceError, LedgerFailed


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a run wants of a ledger: which run it is, and what to do about rows in doubt and rows that failed.

    `rows` is how many rows of the input are to be run. `output` is where the lines go, None for a stream. The rows that
    are `held` are still asked, by workers that have outlived the run before.
    """

    ledger: Path
    output: Path | None
    fingerprint: Fingerprint
    rows: int
    in_doubt: Doubt
    retry_failed: bool
    held: frozenset[int] = frozenset()


class Opened(msgspec.Struct, frozen=True):
    """A ledger that is ours: its tables, the states of its rows, how they stand, and what was spent earlier in USD."""

    tables: Tables
    lock: Lock
    states: bytearray
    counts: Counts
    spent: float


def opened(wish: Wish) -> Result[Opened, DataSourceError]:
    """Open a ledger for a run, made if it is not there; it blocks, so it belongs on a thread."""
    lock = Lock(wish.ledger)
    try:
        holder = lock.take()
        if holder is not None:
            return Failure(in_use(wish.ledger, holder))
        ours = whose(wish)
        if isinstance(ours, Failure):
            lock.release()
            return ours
        tables = ours.unwrap()
        states, counts = tables.states(wish.rows), tables.counts(wish.rows)
        spent = max(float(tables.meta("spent") or 0.0), counts.cost_usd)
        return Success(Opened(tables, lock, states, counts, spent))
    except (OSError, sqlite3.Error, msgspec.MsgspecError, Mismatch) as error:
        lock.release()
        return Failure(unusable(wish.ledger, error))


def whose(wish: Wish) -> Result[Tables, DataSourceError]:
    """Open the tables, if they belong to this run, and put in order what an earlier run left behind."""
    there = wish.output is not None and wish.output.exists() and wish.output.stat().st_size > 0
    if there and not wish.ledger.exists():
        return Failure(
            LedgerFailed(
                message=f"{wish.output} is there already, and no ledger {wish.ledger} that it belongs to: "
                "name another output, or move it away",
                path=str(wish.output),
            )
        )
    tables = Tables.open(wish.ledger)
    try:
        flaw = claimed(tables, wish, output_there=there)
    except BaseException:
        tables.close()
        raise
    if flaw is not None:
        tables.close()
        return Failure(LedgerFailed(message=flaw, path=str(wish.ledger)))
    return Success(tables)


def claimed(tables: Tables, wish: Wish, *, output_there: bool) -> str | None:
    """Make a new ledger this run's own, or check that it is; say what is wrong."""
    before = tables.fingerprint()
    differing = () if before is None else changes(before, wish.fingerprint)
    if differing:
        return (
            f"the ledger {wish.ledger} belongs to another run, and nothing is mixed: {'; '.join(differing)}. "
            "Put back what has changed, or name another output or ledger"
        )
    output = None if wish.output is None else str(wish.output.resolve())
    if output_there and output != tables.meta("output"):
        return f"{wish.output} is there already, and was not written by this ledger: name another, or move it away"
    with tables.db:
        tables.db.execute("BEGIN IMMEDIATE")
        tables.set_meta(fingerprint=wish.fingerprint)
        if output is not None:
            tables.set_meta(output=output)
        tidied(tables, wish)
    return None


def tidied(tables: Tables, wish: Wish) -> None:
    """Settle the rows in doubt as the user wishes, and take up again those that failed, if he does."""
    tables.find(wish.held)
    decided(tables, wish.in_doubt)
    if wish.retry_failed:
        tables.retry(FAILED)
        tables.retry(REFUSED)


def decided(tables: Tables, choice: Doubt) -> None:
    """Let the user's choice apply to the rows in doubt."""
    if choice == "retry":
        tables.retry(IN_DOUBT)
    elif choice == "report":
        for one in tables.doubtful():
            flight = Flight(one.row, one.custom_id, b"", known=True)
            tables.end(flight, doubtful(one.row, one.custom_id, one.generation_id))


def in_use(ledger: Path, holder: str) -> LedgerFailed:
    """Make the error of a ledger that another process has."""
    return LedgerFailed(
        message=f"the ledger {ledger} is in use by {holder}: wait for it, or name another output or ledger "
        "(two runs on one ledger would both pay)",
        path=str(ledger),
    )


def unusable(ledger: Path, error: Exception) -> LedgerFailed:
    """Make the error of a ledger that cannot be opened."""
    return LedgerFailed(
        message=f"the ledger {ledger} cannot be used: {error}. Check the path, its permissions and the disk's room, "
        "or name another with --ledger",
        path=str(ledger),
    )
