"""`batch status`, `batch export` and `batch failures`: a look at a ledger, which a run may be writing to."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from openrouter_client.bulk import parcels
from openrouter_client.bulk.locking import Lock
from openrouter_client.bulk.looking import Looking
from openrouter_client.bulk.settings import beside
from openrouter_client.cli.batch.words import Status, standing_still
from openrouter_client.cli.exits import DONE
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import usage
from openrouter_core.bulk.figures import rate_of

LAST = 5_000
"""From how many rows at most the rate is told."""


class _Failed(msgspec.Struct):
    row: int
    custom_id: str | None
    error: dict[str, Any]


def looked(out: Output, path: Path, look: Callable[[Looking, Output], int]) -> int:
    """Open a ledger, found beside an output too, and look at it; or say why that cannot be done."""
    try:
        with opened(path) as ledger:
            return look(ledger, out)
    except BrokenPipeError:
        raise
    except (sqlite3.Error, OSError) as error:
        return out.failed(usage("the ledger", path, f"{error}; give the ledger of a run, or its output"))


@contextmanager
def opened(path: Path) -> Generator[Looking]:
    """Open a ledger to look at it; raises sqlite3.Error and OSError."""
    place = beside(path) if path.suffix != ".ledger" and beside(path).exists() else path
    if not place.exists():
        raise FileNotFoundError("there is no such ledger")
    ledger = Looking.at(place)
    try:
        yield ledger
    finally:
        ledger.close()


def status(ledger: Looking, out: Output) -> int:
    """Show how a run stands."""
    told = status_of(ledger, time.time())
    if told is None:
        return out.failed(usage("the ledger", "", "was never used"))
    if out.json:
        out.value(told)
    else:
        out.lines(list(standing_still(told)))
    return DONE


def status_of(ledger: Looking, now: float) -> Status | None:
    """Tell how a run stands; None for a ledger that was never used. What no run has in hand any more is in doubt."""
    known = ledger.fingerprint()
    if known is None:
        return None
    running, counts, speed = Lock(ledger.path).holder(), ledger.counts(known.rows), 0.0
    slowest = tuple((row, name, now - sent) for row, name, sent in ledger.slowest(3))
    if running is None:
        lost = counts.in_flight - parcels.rows_left(ledger)
        counts = msgspec.structs.replace(counts, in_flight=counts.in_flight - lost, in_doubt=counts.in_doubt + lost)
        slowest = ()
    else:
        speed = rate_of(ledger.ends(LAST), now)
    return Status(
        counts=counts,
        settings=known.settings,
        running=running,
        rate=speed,
        eta=counts.to_come / speed if speed > 0.0 else None,
        slowest=slowest,
        batches=tuple(parcels.opened(ledger)),
    )


def export(ledger: Looking, output: Path | None) -> int:
    """Write all lines, in the order of the input; a file is replaced when all of it is written."""
    if output is None:
        written(ledger.in_order(), sys.stdout.buffer)
        return DONE
    fresh = output.with_name(output.name + ".new")
    with fresh.open("wb") as file:
        written(ledger.in_order(), file)
    fresh.replace(output)
    return DONE


def failures(ledger: Looking, out: Output) -> int:
    """Show the rows that failed, and why."""
    if out.json:
        written(ledger.failures(), sys.stdout.buffer)
        return DONE
    found = [msgspec.json.decode(line, type=_Failed) for line in ledger.failures()]
    if found:
        cells = [(one.row, one.custom_id or "", one.error.get("type"), one.error.get("message")) for one in found]
        out.table(("row", "id", "error", "message"), cells, numbers=("row",))
    else:
        out.remark("No row has failed.")
    return DONE


def written(lines: Iterator[bytes], file: IO[bytes]) -> None:
    """Write lines, as they are read."""
    for line in lines:
        file.write(line + b"\n")
    file.flush()
