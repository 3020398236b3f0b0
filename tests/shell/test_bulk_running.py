"""A bulk run over loopback: every row asked once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from returns.result import Failure
from tests.shell.bulk import config_of, lines, made, paid, prompts, ran, states
from tests.shell.loopback import Loopback, Talk, answer, completion, error, until

from openrouter_client import (
    AuthError,
    BatchRun,
    BatchSettings,
    Fallback,
    InvalidRequest,
    LedgerFailed,
    OpenRouterConfig,
    unwrap,
)
from openrouter_client.bulk.estimating import estimate
from openrouter_client.bulk.looking import Looking
from openrouter_client.simulator import Simulator
from openrouter_core.bulk.figures import BUDGET, COMPLETE, INTERRUPTED, KEY, LEDGER, PARTIAL
from openrouter_core.bulk.states import DONE, IN_FLIGHT

MODEL = "openai/gpt-4o-mini"


class Point(Struct):
    x: int


async def test_every_row_is_asked_once_and_has_a_line(tmp_path: Path) -> None:
    source = prompts(tmp_path, 60)
    async with Simulator(seed=1, faults="503:0.05,reset:0.02") as server:
        summary = await ran(server, source, max_in_flight=7)
        assert (summary.exit_code, summary.answered_now, summary.counts.done) == (COMPLETE, 60, 60)
        asked = sum(paid(server).values())
        again = await ran(server, source, max_in_flight=7)
        assert (again.exit_code, again.answered_now, sum(paid(server).values())) == (COMPLETE, 0, asked)
    written = lines(tmp_path / "out.jsonl")
    assert sorted(line["row"] for line in written) == list(range(1, 61))
    assert {line["custom_id"] for line in written} == {f"r{n}" for n in range(1, 61)}
    assert summary.counts.cost_usd == pytest.approx(sum(line["response"]["body"]["usage"]["cost"] for line in written))


async def test_an_ordered_output_has_the_order_of_the_input(tmp_path: Path) -> None:
    async with Simulator(seed=1, latency=(0.0, 0.05)) as server:
        await ran(server, prompts(tmp_path, 40), ordered=True)
    assert [line["row"] for line in lines(tmp_path / "out.jsonl")] == list(range(1, 41))


async def test_a_limit_runs_the_first_rows_and_can_be_raised(tmp_path: Path) -> None:
    source = prompts(tmp_path, 20)
    async with Simulator(seed=1) as server:
        first = await ran(server, source, limit=5)
        assert (first.exit_code, first.counts.rows) == (COMPLETE, 5)
        rest = await ran(server, source)
        assert (rest.answered_now, rest.counts.done) == (15, 20)
    assert set(paid(server).values()) == {1}


async def test_no_more_calls_than_wished_are_under_way_and_no_more_tasks(tmp_path: Path) -> None:
    most, tasks = 0, 0

    async def slow(talk: Talk) -> None:
        nonlocal most, tasks
        most = max(most, len(server.open))
        tasks = max(tasks, sum("_work" in str(task.get_coro()) for task in asyncio.all_tasks()))
        await asyncio.sleep(0.002)
        await talk.say(answer(200, completion()))

    async with Loopback(slow) as server:
        await ran(server, prompts(tmp_path, 100), max_in_flight=6)
    assert most <= 6
    assert tasks == 6


async def test_rows_that_cannot_be_asked_are_data(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = ['{"prompt": "a"}', "{", '{"x": 1}', '{"body": {"messages": [], "temperature": 9}}', '{"prompt": "a"}']
    source.write_text("\n".join(rows))
    async with Simulator(seed=1) as server:
        summary = await ran(server, source)
        assert (summary.exit_code, summary.counts.done, summary.counts.refused) == (PARTIAL, 2, 3)
        assert sum(paid(server).values()) == 2
    flaws = {line["row"]: line["error"] for line in lines(tmp_path / "out.jsonl") if line["error"]}
    assert sorted(flaws) == [2, 3, 4]
    assert all(flaw["message"].startswith(f"line {row}: ") for row, flaw in flaws.items())
    assert flaws[3]["field"] == "prompt"


async def test_failed_rows_are_asked_again_on_demand_and_have_one_line(tmp_path: Path) -> None:
    source = prompts(tmp_path, 4)
    good, bad = answer(200, completion()), answer(200, error(502))
    async with Loopback(bad, good, good, bad, good) as server:
        first = await ran(server, source, max_in_flight=1, max_retries=0)
        assert (first.counts.done, first.counts.failed, first.exit_code) == (2, 2, PARTIAL)
        same = await ran(server, source, max_in_flight=1)
        assert (same.answered_now, len(server.requests)) == (0, 4)
        last = await ran(server, source, retry_failed=True)
        assert (last.answered_now, last.exit_code, len(server.requests)) == (2, COMPLETE, 6)
    written = lines(tmp_path / "out.jsonl")
    assert sorted(line["row"] for line in written) == [1, 2, 3, 4]
    assert not any(line["error"] for line in written)


async def test_typed_answers_are_checked_and_written(tmp_path: Path) -> None:
    source = prompts(tmp_path, 2)
    wrong = answer(200, completion("no idea"))
    async with Loopback(answer(200, completion('{"x": 3}')), wrong) as server:
        summary = await ran(server, source, wanted=Point, max_in_flight=1)
    assert (summary.counts.done, summary.counts.failed) == (1, 1)
    first, second = lines(tmp_path / "out.jsonl")
    assert first["value"] == {"x": 3}
    assert (second["error"]["type"], second["error"]["text"]) == ("ParseError", "no idea")
    assert json.loads(server.requests[0].body)["response_format"]["json_schema"]["name"] == "Point"


SMALL = {"type": "object", "properties": {"x": {"type": "integer", "maximum": 9}}, "required": ["x"]}


async def test_answers_are_held_against_a_schema(tmp_path: Path) -> None:
    wrong = answer(200, completion('{"x": 10}'))
    async with Loopback(answer(200, completion('Here: {"x": 3}')), wrong) as server:
        summary = await ran(server, prompts(tmp_path, 2), schema=SMALL, max_in_flight=1)
    assert (summary.counts.done, summary.counts.failed) == (1, 1)
    first, second = lines(tmp_path / "out.jsonl")
    assert first["value"] == {"x": 3}
    assert (second["error"]["path"], second["error"]["text"]) == ("$.x", '{"x": 10}')
    assert "at most 9" in second["error"]["message"]
    assert json.loads(server.requests[0].body)["response_format"]["json_schema"]["strict"] is False


async def test_an_answer_that_does_not_fit_is_repaired_and_all_of_it_is_paid(tmp_path: Path) -> None:
    wrong, right = answer(200, completion('{"x": 10}')), answer(200, completion('{"x": 3}'))
    async with Loopback(wrong, wrong, right, wrong, wrong, wrong) as server:
        summary = await ran(server, prompts(tmp_path, 2), schema=SMALL, repair=2, max_in_flight=1)
        assert (summary.counts.done, summary.counts.failed, len(server.requests)) == (1, 1, 6)
        assert summary.counts.cost_usd == pytest.approx(0.006)
        assert "at most 9" in json.loads(server.requests[1].body)["messages"][-1]["content"]
    first, second = lines(tmp_path / "out.jsonl")
    assert (first["value"], second["error"]["text"]) == ({"x": 3}, '{"x": 10}')


async def test_a_batch_holds_answers_against_a_schema_too(tmp_path: Path) -> None:
    async with Simulator(seed=1) as server:
        settings: dict[str, Any] = {"via": "batches", "poll_secs": 0.02, "model": MODEL, "max_in_flight": 3}
        summary = await ran(server, prompts(tmp_path, 3), schema=SMALL, **settings)
        assert (summary.exit_code, summary.counts.done) == (COMPLETE, 3)
    assert all(line["value"]["x"] <= 9 for line in lines(tmp_path / "out.jsonl"))


async def test_a_budget_is_for_all_runs_of_a_ledger(tmp_path: Path) -> None:
    source = prompts(tmp_path, 60)
    settings: dict[str, Any] = {"model": MODEL, "max_tokens": 40}
    async with Simulator(seed=1) as server:
        first = await ran(server, source, max_cost_usd=0.001, **settings)
        assert (first.exit_code, first.stop) == (BUDGET, "budget")
        assert "BudgetExceeded" in first.told
        assert 0 < first.counts.done < 60
        assert first.counts.done + first.counts.todo == 60
        again = await ran(server, source, max_cost_usd=0.001, **settings)
        assert again.exit_code == BUDGET
        assert again.counts.cost_usd <= 0.001
        assert server.cost == pytest.approx(again.counts.cost_usd)
        rest = await ran(server, source, max_cost_usd=1.0, **settings)
        assert (rest.exit_code, rest.counts.done) == (COMPLETE, 60)
    assert set(paid(server).values()) == {1}


async def test_what_may_have_been_spent_is_durable_before_it_is_sent(tmp_path: Path) -> None:
    """A run that is killed has spent at worst what its calls in flight may cost."""
    source = prompts(tmp_path, 1)
    catalogue = {"data": [{"id": "m/a", "pricing": {"prompt": "0.001", "completion": "0.001"}, "context_length": 9999}]}
    seen: list[float] = []

    async def look(talk: Talk) -> None:
        ledger = Looking.at(tmp_path / "out.jsonl.ledger")
        seen.append(ledger.meta("spent"))
        ledger.close()
        await talk.say(answer(200, completion()))

    async with Loopback(answer(200, catalogue), look) as server:
        await ran(server, source, model="m/a", max_tokens=10, max_cost_usd=5.0)
    assert 0.01 < seen[0] < 1.0


@pytest.mark.parametrize(("status", "stop", "code"), [(402, "credits", BUDGET), (401, "key", KEY)])
async def test_what_all_rows_would_meet_stops_the_run(tmp_path: Path, status: int, stop: str, code: int) -> None:
    async with Loopback(answer(status, error(status))) as server:
        summary = await ran(server, prompts(tmp_path, 50), max_in_flight=2)
        assert len(server.requests) <= 4
    assert (summary.stop, summary.exit_code, summary.counts.todo) == (stop, code, 50)
    assert lines(tmp_path / "out.jsonl") == []


async def test_an_intent_is_durable_before_its_request_and_the_id_before_the_answer(tmp_path: Path) -> None:
    found: list[Any] = []

    def look() -> Any:
        ledger = Looking.at(tmp_path / "out.jsonl.ledger")
        row = ledger.db.execute("SELECT state, sends, generation FROM rows").fetchone()
        ledger.close()
        return row

    async def two_parts(talk: Talk) -> None:
        found.append(look())
        head, body = answer(200, completion(), {"X-Generation-Id": "gen-early"}).split(b"\r\n\r\n")
        await talk.say(head + b"\r\n\r\n")
        await until(lambda: look()[2])
        found.append(look())
        await talk.say(body)

    async with Loopback(answer(503, error(503)), two_parts) as server:
        await ran(server, prompts(tmp_path, 1))
    assert found == [(IN_FLIGHT, 2, None), (IN_FLIGHT, 2, "gen-early")]
    assert states(tmp_path) == {DONE: 1}


async def test_a_stop_finishes_what_was_sent_and_leaves_the_rest(tmp_path: Path) -> None:
    source = prompts(tmp_path, 30)

    async def slow(talk: Talk) -> None:
        if len(server.requests) == 3:
            run.stop()
        await asyncio.sleep(0.05)
        await talk.say(answer(200, completion()))

    async with Loopback(slow) as server:
        run = made(server, source, max_in_flight=8, max_connections=8)
        summary = unwrap(await run.run())
        done = summary.counts.done
        assert (summary.exit_code, summary.counts.in_doubt, summary.counts.todo) == (INTERRUPTED, 0, 30 - done)
        assert len(server.requests) == done == len(lines(tmp_path / "out.jsonl"))
        assert 3 <= done <= 8
        rest = await ran(server, source)
        assert (rest.exit_code, rest.answered_now, len(server.requests)) == (COMPLETE, 30 - done, 30)


async def test_an_abort_drops_what_was_sent_and_puts_it_in_doubt(tmp_path: Path) -> None:
    source = prompts(tmp_path, 10)

    async def never(talk: Talk) -> None:
        if len(server.requests) == 4:
            run.stop()
            run.abort()
        await talk.gone()

    async with Loopback(never) as server:
        run = made(server, source, max_in_flight=4)
        summary = unwrap(await run.run())
    assert (summary.counts.in_doubt, summary.counts.todo) == (4, 6)
    async with Simulator(seed=1) as server_of_today:
        skipped = await ran(server_of_today, source, in_doubt="skip")
        assert (skipped.counts.done, skipped.counts.in_doubt, skipped.exit_code) == (6, 4, PARTIAL)
        reported = await ran(server_of_today, source, in_doubt="report")
        assert (reported.counts.done, reported.counts.failed, reported.counts.in_doubt) == (6, 4, 0)
        assert sum(paid(server_of_today).values()) == 6
        last = await ran(server_of_today, source, retry_failed=True)
        assert last.exit_code == COMPLETE
    assert sorted(line["row"] for line in lines(tmp_path / "out.jsonl")) == list(range(1, 11))


async def test_an_answer_that_openrouter_has_kept_settles_a_doubt(tmp_path: Path) -> None:
    """Killed between headers and body: the generation's id is in the ledger, and its answer is not paid again."""
    source = prompts(tmp_path, 3)
    async with Simulator(seed=1) as server:
        server.script(*["drip"] * 3)
        run = made(server, source)
        task = asyncio.create_task(run.run())
        await until(lambda: generations(tmp_path) == 3)
        run.stop()
        run.abort()
        assert unwrap(await task).counts.in_doubt == 3
        again = made(server, source, in_doubt="report")
        summary = unwrap(await again.run())
        assert (summary.exit_code, summary.counts.done, again.doubts) == (COMPLETE, 3, {"answered": 3})
        assert set(paid(server).values()) == {1}
        assert summary.counts.cost_usd == pytest.approx(server.cost)
        assert summary.counts.cost_unknown == 0
    assert sorted(line["row"] for line in lines(tmp_path / "out.jsonl")) == [1, 2, 3]


async def test_rows_in_doubt_are_asked_again_where_that_is_free(tmp_path: Path) -> None:
    source = prompts(tmp_path, 3)
    async with Simulator(seed=1) as server:
        server.script(*["silent"] * 3)
        run = made(server, source, safe_retries=True)
        task = asyncio.create_task(run.run())
        await until(lambda: len(server.requests) == 3)
        run.stop()
        run.abort()
        assert unwrap(await task).counts.in_doubt == 3
        again = made(server, source, in_doubt="report", safe_retries=True)
        summary = unwrap(await again.run())
        assert (summary.exit_code, again.doubts) == (COMPLETE, {"free": 3})


def generations(folder: Path) -> int:
    """Count the rows of a ledger whose generation is known."""
    path = folder / "out.jsonl.ledger"
    if not path.exists():
        return 0
    try:
        ledger = Looking.at(path)
    except sqlite3.Error:  # it is just being made
        return 0
    try:
        found: int = ledger.db.execute("SELECT count(generation) FROM rows").fetchone()[0]
    finally:
        ledger.close()
    return found


async def test_who_cancels_the_run_ends_it(tmp_path: Path) -> None:
    async def never(talk: Talk) -> None:
        await talk.gone()

    async with Loopback(never) as server:
        task = asyncio.create_task(made(server, prompts(tmp_path, 10), max_in_flight=4).run())
        await until(lambda: len(server.requests) == 4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert states(tmp_path) == {IN_FLIGHT: 4}


async def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = prompts(tmp_path, 200)
    from openrouter_client.bulk import tables

    monkeypatch.setattr(tables, "PRAGMAS", (*tables.PRAGMAS, "PRAGMA max_page_count = 30"))
    async with Simulator(seed=1) as server:
        summary = await ran(server, source, max_in_flight=20)
        assert (summary.exit_code, summary.stop) == (LEDGER, "ledger")
        assert "disk is full" in summary.told
        monkeypatch.undo()
        written = len(lines(tmp_path / "out.jsonl"))
        assert 0 < written < 200
        rest = await ran(server, source)
        assert (rest.exit_code, rest.counts.done) == (COMPLETE, 200)
    assert sorted(line["row"] for line in lines(tmp_path / "out.jsonl")) == list(range(1, 201))
    assert sum(paid(server).values()) <= 200 + 20


async def test_lines_can_go_to_a_stream_from_its_beginning(tmp_path: Path) -> None:
    source = prompts(tmp_path, 9)
    async with Simulator(seed=1) as server:
        for _ in range(2):
            stream = io.BytesIO()
            await ran(server, source, stream, ordered=True, ledger=tmp_path / "a.ledger")
            rows = [json.loads(text)["row"] for text in stream.getvalue().splitlines()]
            assert rows == list(range(1, 10))
        assert sum(paid(server).values()) == 9


async def test_progress_can_be_watched(tmp_path: Path) -> None:
    seen: list[Any] = []

    pair = asyncio.Barrier(2)

    async def slow(talk: Talk) -> None:
        await asyncio.sleep(0.01)
        await pair.wait()  # so that both are under way when one looks
        seen.append((run.progress(), run.stats(), run.slowest()))
        await talk.say(answer(200, completion()))

    async with Loopback(slow) as server:
        run = made(server, prompts(tmp_path, 10), max_in_flight=2)
        await run.run()
    progress, stats, slowest = seen[5]
    assert progress.counts.rows == 10
    assert progress.counts.done + progress.counts.in_flight + progress.counts.todo == 10
    assert stats.in_flight == 2
    assert len(slowest) == 2
    assert run.progress().projected_usd == pytest.approx(0.01)


async def test_other_models_are_asked_where_the_first_cannot(tmp_path: Path) -> None:
    source = prompts(tmp_path, 1)
    good = answer(200, completion())
    async with Loopback(answer(404, error(404)), good) as server:
        other = [Fallback("other/model")]
        out = tmp_path / "out.jsonl"
        run = unwrap(BatchRun.new(source, out, BatchSettings(model="m/a"), config=config_of(server), fallbacks=other))
        assert unwrap(await run.run()).exit_code == COMPLETE
    assert json.loads(server.requests[-1].body)["model"] == "other/model"


async def test_an_estimate_sends_nothing_to_a_model(tmp_path: Path) -> None:
    source = prompts(tmp_path, 30)
    source.write_text(source.read_text() + '{"x": 1}\n{"body": {"messages": [], "temperature": 9}}\n')
    async with Simulator(seed=1) as server:
        estimated = unwrap(await estimate(made(server, source, model=MODEL, max_tokens=10)))
        assert sum(paid(server).values()) == 0
    assert (estimated.rows, estimated.invalid, len(estimated.flaws), estimated.most_tokens) == (32, 2, 2, 300)
    assert 0 < estimated.about_usd < estimated.most_usd
    assert not (tmp_path / "out.jsonl.ledger").exists()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"in_doubt": "perhaps"}, "in_doubt"),
        ({"template": "{"}, "template"),
        ({"schema": {}, "wanted": Point}, "schema"),
        ({"schema": {"type": "int"}}, "schema"),
        ({"repair": -1}, "repair"),
        ({"repair": 1, "via": "batches"}, "repair"),
        ({"via": "fax"}, "via"),
        ({"poll_secs": 0.0}, "poll_secs"),
        ({"wait_secs": float("nan")}, "wait_secs"),
        ({"wanted": object()}, "wanted"),
    ],
)
def test_settings_that_make_no_sense_are_told(tmp_path: Path, settings: dict[str, Any], field: str) -> None:
    config = OpenRouterConfig(api_key="sk-or-v1-x")
    result = BatchRun.new(prompts(tmp_path, 1), tmp_path / "o", BatchSettings(**settings), config=config)
    assert isinstance(result, Failure)
    told = result.failure()
    assert isinstance(told, InvalidRequest)
    assert told.field == field


async def test_an_input_without_rows_and_a_changed_one_are_told(tmp_path: Path) -> None:
    source = prompts(tmp_path, 3)
    async with Simulator(seed=1) as server:
        await ran(server, source)
        prompts(tmp_path, 4)
        assert isinstance((await made(server, source).run()).failure(), LedgerFailed)
        source.write_text("\n \n")
        assert "has no rows" in str((await made(server, source).run()).failure())
        assert "has no rows" in str((await estimate(made(server, source))).failure())
        source.unlink()
        source.mkdir()
        assert "must be a file" in str(BatchRun.new(source, tmp_path / "o", config=config_of(server)).failure())


async def test_a_run_without_a_key_is_refused_before_it_begins(tmp_path: Path) -> None:
    run = unwrap(BatchRun.new(prompts(tmp_path, 1), tmp_path / "o", config=OpenRouterConfig()))
    assert isinstance((await run.run()).failure(), AuthError)
    assert not (tmp_path / "o.ledger").exists()


async def test_the_key_is_nowhere(tmp_path: Path) -> None:
    async with Simulator(seed=1, faults="400:0.3,500:0.3") as server:
        await ran(server, prompts(tmp_path, 20), max_retries=0)
        key = server.api_key.encode()
    for path in tmp_path.iterdir():
        assert key not in path.read_bytes(), path
