"""The ledger and the output: what is told to be durable is, and whoever waits is answered, whatever breaks."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from returns.result import Failure, Success

from openrouter_client.bulk.ledger import Broken, Ledger
from openrouter_client.bulk.locking import Lock
from openrouter_client.bulk.looking import Looking
from openrouter_client.bulk.opening import Opened, Wish, opened
from openrouter_client.bulk.output import TAIL, Output
from openrouter_client.bulk.tables import ABSENT, Flight, Mismatch, Tables
from openrouter_core.bulk.identity import Fingerprint
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import DONE, FAILED, IN_DOUBT, IN_FLIGHT, TODO
from openrouter_core.errors import LedgerFailed


def flight(row: int, hashed: bytes | None = None) -> Flight:
    return Flight(row, f"r{row}", hashed or b"%d" % row, known=False)


def line(row: int, size: int = 0) -> bytes:
    return json.dumps({"row": row, "text": "x" * size}).encode()


def answered(row: int, size: int = 0) -> Outcome:
    return Outcome(event="answer", line=line(row, size), cost=0.5, prompt_tokens=2, completion_tokens=3)


def failing(row: int) -> Outcome:
    return Outcome(event="fail", line=line(row), cost=None, kind="Timeout")


@asynccontextmanager
async def ledger_at(folder: Path, *, ordered: bool = False, follow: bool = True) -> AsyncIterator[Ledger]:
    output = Output(folder / "out.jsonl", None, ordered=ordered)
    ledger = Ledger(Tables.open(folder / "a.ledger"), output)
    if follow:
        await ledger.prepare()
    try:
        yield ledger
    finally:
        await ledger.close()


async def asked(ledger: Ledger, row: int, outcome: Outcome | None) -> None:
    """Ask a row, and let it end, or stay in flight."""
    one = flight(row)
    await ledger.write(lambda tables: tables.intend(one, 1.0, None))
    if outcome is not None:
        await ledger.write(lambda tables: tables.end(one, outcome))


def rows_of(path: Path) -> list[int]:
    return [json.loads(text)["row"] for text in path.read_text().splitlines()]


async def test_what_was_written_is_there_and_in_the_output_once(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as ledger:
        await asyncio.gather(*(asked(ledger, row, answered(row)) for row in range(1, 301)))
    async with ledger_at(tmp_path) as ledger:
        await asked(ledger, 301, answered(301))
    assert sorted(rows_of(tmp_path / "out.jsonl")) == list(range(1, 302))
    looking = Looking.at(tmp_path / "a.ledger")
    counts = looking.counts(400)
    looking.close()
    assert (counts.done, counts.todo, counts.cost_usd) == (301, 99, 150.5)
    assert (counts.prompt_tokens, counts.completion_tokens) == (602, 903)


async def test_an_ordered_output_waits_for_the_rows_before(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    async with ledger_at(tmp_path, ordered=True) as ledger:
        await asked(ledger, 1, None)
        for row in (3, 2, 5):
            await asked(ledger, row, answered(row))
        assert rows_of(out) == []
        known = Flight(1, None, b"", known=True)
        await ledger.write(lambda tables: tables.end(known, answered(1)))
    assert rows_of(out) == [1, 2, 3]
    async with ledger_at(tmp_path, ordered=True) as ledger:
        await asked(ledger, 4, answered(4))
    assert rows_of(out) == [1, 2, 3, 4, 5]
    async with ledger_at(tmp_path):
        pass
    assert rows_of(out) == [3, 2, 5, 1, 4]  # in another order, it is written anew


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("cut", [1, 7, TAIL, 3 * TAIL + 5])
async def test_a_torn_line_is_mended(tmp_path: Path, cut: int, *, ordered: bool) -> None:
    """Whatever the end of the file is cut to, in a line or between two, each line is there once afterwards."""
    out = tmp_path / "out.jsonl"
    async with ledger_at(tmp_path, ordered=ordered) as ledger:
        for row in range(1, 6):
            await asked(ledger, row, answered(row, size=TAIL if row > 1 else 3))
    whole = out.read_bytes()
    for end in (max(0, len(whole) - cut), 0, 3):
        out.write_bytes(whole[:end])
        async with ledger_at(tmp_path, ordered=ordered):
            pass
        assert out.read_bytes() == whole


@pytest.mark.parametrize("end", [b"\0\0\0\n", b'{"row": 1, "text": "other"}\n', b"[]\n", b'{"row": 77}\n'])
async def test_an_output_that_ends_strangely_is_written_anew(tmp_path: Path, end: bytes) -> None:
    out = tmp_path / "out.jsonl"
    async with ledger_at(tmp_path) as ledger:
        await asked(ledger, 1, answered(1))
        await asked(ledger, 2, answered(2))
    whole = out.read_bytes()
    out.write_bytes(whole + end)
    async with ledger_at(tmp_path):
        pass
    assert out.read_bytes() == whole


async def test_a_full_disk_fails_everybody_who_waits_and_loses_nothing(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as ledger:
        await ledger.write(lambda tables: tables.db.execute("PRAGMA max_page_count = 60"))
        results = await asyncio.gather(
            *(asked(ledger, row, answered(row, size=2000)) for row in range(1, 501)), return_exceptions=True
        )
        with pytest.raises(Broken, match="disk is full"):
            await ledger.write(lambda _: None)
    told = [row for row, result in enumerate(results, start=1) if result is None]
    assert all(isinstance(result, Broken) for result in results if result is not None)
    assert 0 < len(results) - len(told) < 501
    async with ledger_at(tmp_path) as ledger:
        held = await ledger.write(lambda tables: tables.states(500))
    assert {held[row] for row in told} <= {DONE}
    assert set(told) <= set(rows_of(tmp_path / "out.jsonl"))


async def test_an_output_that_cannot_be_written_stops_the_ledger(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    ledger = Ledger(Tables.open(tmp_path / "a.ledger"), Output(None, Full(), ordered=False))
    await ledger.prepare()
    await asked(ledger, 1, answered(1))
    broken = await ledger.close()
    assert broken is not None
    assert "make room" in str(broken)
    with pytest.raises(Broken, match="make room"):
        await asked(ledger, 2, answered(2))


async def test_a_write_that_raises_leaves_nothing_half_written(tmp_path: Path) -> None:
    async with ledger_at(tmp_path, follow=False) as ledger:

        def half(tables: Tables) -> None:
            tables.insert(flight(1), TODO)
            raise Mismatch("this cannot be")

        with pytest.raises(Broken, match="changed by somebody else: this cannot be"):
            await ledger.write(half)
    tables = Tables.open(tmp_path / "a.ledger")
    assert tables.states(1)[1] == ABSENT
    tables.close()


async def test_a_row_ends_once(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as ledger:
        await asked(ledger, 1, answered(1))
        again = Flight(1, None, b"", known=True)
        with pytest.raises(Broken, match="row 1 is in no state for 'answer'"):
            await ledger.write(lambda tables: tables.end(again, answered(1)))


async def test_copies_of_a_request_have_keys_of_their_own(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as ledger:
        for row in range(1, 6):
            one = flight(row, b"the same")
            await ledger.write(partial(Tables.intend, flight=one, at=1.0, spent=None))
        keys = await ledger.write(lambda tables: tables.db.execute("SELECT DISTINCT key FROM rows").fetchall())
        assert len(keys) == 5


# --- opening ----------------------------------------------------------------------------------------------------------


def wish(folder: Path, **changes: Any) -> Wish:
    values: dict[str, Any] = {
        "ledger": folder / "a.ledger",
        "output": folder / "out.jsonl",
        "fingerprint": Fingerprint("hash", 9, {"model": "m/a"}),
        "rows": 9,
        "in_doubt": "retry",
        "retry_failed": False,
    }
    return Wish(**(values | changes))


def taken(result: Any) -> Opened:
    assert isinstance(result, Success), result
    given: Opened = result.unwrap()
    return given


def left(one: Opened) -> None:
    one.tables.close()
    one.lock.release()


def killed(folder: Path) -> None:
    """Leave a ledger as a killed run does: row 1 done, row 2 in flight, row 3 failed."""
    one = taken(opened(wish(folder)))
    for row, outcome in ((1, answered(1)), (2, None), (3, failing(3))):
        of = flight(row)
        one.tables.intend(of, 1.0, 0.75)
        if outcome is not None:
            one.tables.end(of, outcome)
    one.tables.note(2, "gen-2")
    left(one)


@pytest.mark.parametrize(("in_doubt", "state"), [("retry", TODO), ("skip", IN_DOUBT), ("report", FAILED)])
def test_rows_in_doubt_are_settled_as_one_wishes(tmp_path: Path, in_doubt: Any, state: int) -> None:
    killed(tmp_path)
    one = taken(opened(wish(tmp_path, in_doubt=in_doubt)))
    assert list(one.states[1:5]) == [DONE, state, FAILED, ABSENT]
    assert (one.counts.cost_unknown >= 2, one.spent) == (True, 0.75)
    if in_doubt == "report":
        assert b"gen-2" in next(iter(one.tables.failures()))
    left(one)


def test_failed_rows_are_taken_up_again_and_lose_their_lines(tmp_path: Path) -> None:
    killed(tmp_path)
    one = taken(opened(wish(tmp_path, retry_failed=True)))
    assert one.states[3] == TODO
    assert one.tables.meta("stale")
    assert [json.loads(text)["row"] for text in one.tables.in_order()] == [1]
    left(one)


def test_a_changed_input_or_model_is_told_and_nothing_is_mixed(tmp_path: Path) -> None:
    killed(tmp_path)
    other = Fingerprint("other", 10, {"model": "m/b"})
    result = opened(wish(tmp_path, fingerprint=other))
    assert isinstance(result, Failure)
    told = str(result.failure())
    assert "it had 9 rows" in told
    assert "model was 'm/a', now 'm/b'" in told
    left(taken(opened(wish(tmp_path))))


def test_a_second_process_is_told_who_has_the_ledger(tmp_path: Path) -> None:
    one = taken(opened(wish(tmp_path)))
    program = (
        "import sys; from pathlib import Path; from openrouter_client.bulk.locking import Lock;"
        "print(Lock(Path(sys.argv[1])).take())"
    )
    asked = [sys.executable, "-c", program, str(tmp_path / "a.ledger")]
    other = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert other.stdout.startswith("process ")
    result = opened(wish(tmp_path))
    assert isinstance(result.failure(), LedgerFailed)
    assert "in use by process" in str(result.failure())
    left(one)
    again = Lock(tmp_path / "a.ledger")
    assert again.take() is None
    again.release()


def test_an_output_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("precious\n")
    assert "name another output, or move it away" in str(opened(wish(tmp_path)).failure())
    assert not (tmp_path / "a.ledger").exists()
    (tmp_path / "out.jsonl").unlink()
    killed(tmp_path)
    (tmp_path / "new.jsonl").write_text("precious\n")
    assert "was not written by this ledger" in str(opened(wish(tmp_path, output=tmp_path / "new.jsonl")).failure())
    assert (tmp_path / "new.jsonl").read_text() == "precious\n"


def test_what_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ledger").write_text("no database at all, but long enough to be looked at as one" * 20)
    assert "cannot be used" in str(opened(wish(tmp_path)).failure())
    (tmp_path / "a.ledger").unlink()
    db = sqlite3.connect(tmp_path / "a.ledger")
    db.execute("CREATE TABLE other (x)")
    db.close()
    assert "no ledger of this version" in str(opened(wish(tmp_path)).failure())
    assert "cannot be used" in str(opened(wish(tmp_path, ledger=tmp_path / "none" / "a.ledger")).failure())


async def test_a_ledger_can_be_looked_at_while_it_is_written(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as ledger:
        await asked(ledger, 1, None)
        looking = Looking.at(tmp_path / "a.ledger")
        assert looking.counts(1).in_flight == 1
        await asked(ledger, 2, answered(2))
        assert looking.counts(2).done == 1
        assert [row for row, _, _ in looking.slowest(3)] == [1]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            looking.db.execute("DELETE FROM rows")
        looking.close()
    assert IN_FLIGHT == 1


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
async def test_a_ledger_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Kills: prompts and answers that everybody can read, in the ledger or in SQLite's files beside it."""
    before = os.umask(0o000)
    try:
        async with ledger_at(tmp_path) as ledger:
            await asked(ledger, 1, answered(1))
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("a.ledger*")}
    finally:
        os.umask(before)
    assert "a.ledger" in modes
    assert set(modes.values()) == {0o600}
    (tmp_path / "a.ledger").chmod(0o640)  # as its owner wants it
    async with ledger_at(tmp_path):
        assert (tmp_path / "a.ledger").stat().st_mode & 0o777 == 0o640
