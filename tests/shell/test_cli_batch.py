"""The command `batch`, as its users meet it."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest
from rich.console import Console
from tests.shell.bulk import command as started
from tests.shell.bulk import commanded, lines, paid, prompts, states
from tests.shell.command_line import CommandLine
from tests.shell.loopback import Loopback, Talk, answer, completion, error, until

from openrouter_client.cli.batch import words
from openrouter_client.cli.batch.board import LiveBoard, PlainBoard, board_on
from openrouter_client.cli.exits import KEY, LEDGER, USAGE
from openrouter_client.simulator import Simulator
from openrouter_core.admission import Stats
from openrouter_core.bulk.figures import BUDGET, COMPLETE, INTERRUPTED, NOTHING, PARTIAL, TIME, Counts, Progress
from openrouter_core.limit.standard import View

MODEL = "openai/gpt-4o-mini"


async def test_a_run_and_a_look_at_it(tmp_path: Path) -> None:
    source = tmp_path / "cities.csv"
    source.write_text("id,city\na,Rome\nb,Oslo\nc,\n")
    out = tmp_path / "out.jsonl"
    (tmp_path / "prompt.txt").write_text("Where is {city}?")
    async with Simulator(seed=1) as server:
        template = f"@{tmp_path / 'prompt.txt'}"
        asked = ("run", source, "-o", out, "--template", template, "--system", "Be brief.", "--json")
        code, told, _ = await commanded(server, *asked)
        assert code == PARTIAL
        assert json.loads(told)["counts"]["done"] == 2
        assert paid(server) == {"Where is Rome?": 1, "Where is Oslo?": 1}
        code, told, _ = await commanded(server, "status", out)
        assert code == 0
        assert "2 of 3 rows done, 1 refused" in told
        code, told, _ = await commanded(server, "status", out, "--json")
        assert json.loads(told)["counts"]["refused"] == 1
        code, told, _ = await commanded(server, "failures", out)
        assert "line 4: city is missing" in " ".join(told.split())
        code, told, _ = await commanded(server, "failures", out, "--json")
        assert json.loads(told)["row"] == 3
        code, told, _ = await commanded(server, "export", out)
        assert [json.loads(line)["row"] for line in told.splitlines()] == [1, 2, 3]
        await commanded(server, "export", str(out) + ".ledger", "-o", tmp_path / "all.jsonl")
        assert [line["row"] for line in lines(tmp_path / "all.jsonl")] == [1, 2, 3]
    assert len(lines(out)) == 3


async def test_rows_come_from_and_go_to_the_streams(tmp_path: Path) -> None:
    rows = b'{"prompt": "one"}\n{"prompt": "two"}\n'
    async with Simulator(seed=1) as server:
        code, out, err = await commanded(server, "run", "-", "-o", "-", given=rows)
        assert (code, out) == (USAGE, "")
        assert "--ledger" in err
        asked = ("run", "-", "-o", "-", "--order", "--json", "--ledger", tmp_path / "a.ledger")
        code, out, err = await commanded(server, *asked, given=rows)
        assert code == COMPLETE
        assert [json.loads(line)["row"] for line in out.splitlines()] == [1, 2]
        assert json.loads(err)["counts"]["done"] == 2


async def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    source = prompts(tmp_path, 10)
    async with Simulator(seed=1) as server:
        asked = ("run", source, "-o", tmp_path / "o", "--model", MODEL, "--max-tokens", "20", "--dry-run")
        code, _, err = await commanded(server, *asked)
        assert code == COMPLETE
        assert "at most 200 out" in err
        code, out, _ = await commanded(server, *asked, "--json", "--template", "{nothing}")
        assert code == NOTHING
        assert json.loads(out)["invalid"] == 10
        assert not paid(server)
    assert not (tmp_path / "o").exists()


def test_a_dry_run_needs_no_key_and_no_network(command: CommandLine) -> None:
    asked = ("batch", "run", str(prompts(command.home, 10)), "-o", str(command.home / "o"), "--dry-run")
    told = command.run(*asked, "--base-url", "http://127.0.0.1:9/api/v1", "--retries", "0")
    assert told.code == COMPLETE
    assert "unknown, without the price list (ConnectError" in " ".join(told.err.split())
    told = command.run(*asked, "--base-url", "http://127.0.0.1:9/api/v1", "--retries", "0", "--json")
    assert "ConnectError" in told.values[0]["priceless"]


async def test_a_dry_run_without_a_key_knows_the_prices(command: CommandLine) -> None:
    async with Simulator(seed=1) as server:
        asked = ("batch", "run", str(prompts(command.home, 10)), "-o", str(command.home / "o"), "--dry-run", "--json")
        told = await command.asked(*asked, "--model", MODEL, "--max-tokens", "9", "--base-url", server.base_url)
        assert (told.code, told.values[0]["priceless"], told.values[0]["unpriced"]) == (COMPLETE, "", 0)
        assert told.values[0]["most_usd"] > 0
        assert not paid(server)


def test_a_stand_in_answers_and_its_answers_are_not_mixed_with_a_models(command: CommandLine) -> None:
    asked = ("batch", "run", str(prompts(command.home, 10)), "-o", str(command.home / "out.jsonl"))
    told = command.run(*asked, "--simulate", "--faults", "503:0.2", "--retry-delay-ms", "1", "--seed", "3", "--json")
    assert (told.code, told.values[0]["counts"]["done"]) == (COMPLETE, 10)
    assert "LOCAL STAND-IN" in told.err
    assert command.run(*asked, "--simulate").code == COMPLETE
    command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
    told = command.run(*asked)
    assert told.code == LEDGER
    assert "server was 'on this machine'" in " ".join(told.err.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--schema", "none"), "--schema none: No such file"),
        (("--template", "@none"), "--template none: No such file"),
        (("--faults", "503:1"), "--faults 503:1: is for the local stand-in"),
    ],
)
def test_options_that_make_no_sense_are_named(command: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    ended = command.run("batch", "run", str(prompts(command.home, 1)), "-o", str(command.home / "o"), *arguments)
    assert ended.code == USAGE
    assert told in ended.err
    machine = command.run(
        "batch", "run", str(prompts(command.home, 1)), "-o", str(command.home / "o"), *arguments, "--json"
    )
    assert machine.error["type"] == "InvalidRequest"


async def test_batches_are_waited_for_and_looked_at(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 5), tmp_path / "out.jsonl"
    asked = ("run", source, "-o", out, "--model", MODEL, "--via", "batches", "--poll", "0.05")
    async with Simulator(seed=1, batch_secs=3.0) as server:
        code, _, err = await commanded(server, *asked, "--deadline", "0.1")
        assert code == TIME
        assert "5 rows are in batches" in " ".join(err.split())
        code, told, _ = await commanded(server, "status", out)
        assert "batch_" in told
        assert "of 5" in told
        code, told, _ = await commanded(server, "status", out, "--json")
        assert json.loads(told)["batches"][0]["rows"] == 5
        code, told, _ = await commanded(server, *asked, "--json")
        assert (code, json.loads(told)["counts"]["done"], json.loads(told)["in_batches"]) == (COMPLETE, 5, 0)
        assert sum(request.method == "POST" for request in server.requests) == 1


async def test_ctrl_c_leaves_the_batches(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 5), tmp_path / "out.jsonl"
    asked = ("run", source, "-o", out, "--model", MODEL, "--via", "batches", "--poll", "0.05")
    async with Simulator(seed=1, batch_secs=60.0) as server:
        run = await started(server, *asked)
        await until(lambda: len(server.requests) >= 3)
        run.send_signal(signal.SIGINT)
        _, err = await run.communicate()
        assert run.returncode == INTERRUPTED
        assert b"Leaving the batches to OpenRouter" in err


def test_a_dry_run_of_batches_tells_their_price(command: CommandLine) -> None:
    source = str(prompts(command.home, 5))
    asked = ("batch", "run", source, "-o", str(command.home / "o"), "--simulate", "--dry-run", "--via", "batches")
    told = command.run(*asked, "--model", MODEL, "--max-tokens", "9")
    assert told.code == COMPLETE
    assert "batches 1" in " ".join(told.err.split())
    assert "full price" not in told.err
    told = command.run(*asked, "--model", "anthropic/claude-haiku-4.5", "--max-tokens", "9")
    assert "at the full price for 5 rows" in " ".join(told.err.split())


async def test_a_budget_says_how_to_go_on(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 30), tmp_path / "out.jsonl"
    async with Simulator(seed=1) as server:
        asked = ("run", source, "-o", out, "--model", MODEL, "--max-tokens", "20")
        code, _, err = await commanded(server, *asked, "--max-cost", "0.0002")
        assert code == BUDGET
        assert "run the same command again" in " ".join(err.split())
        code, _, _ = await commanded(server, *asked)
        assert code == COMPLETE


async def test_none_answered_and_usage_have_codes_of_their_own(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 3), tmp_path / "out.jsonl"
    async with Loopback(answer(404, error(404))) as server:
        assert (await commanded(server, "run", source, "-o", out))[0] == NOTHING
        code, _, err = await commanded(server, "run", source, "-o", out, "--model", "other/model")
        assert code == LEDGER
        assert "belongs to another run" in err
        assert (await commanded(server, "run", source))[0] == USAGE
        assert (await commanded(server, "run", tmp_path / "none", "-o", out))[0] == USAGE
        assert (await commanded(server, "run", source, "-o", out, "--schema", tmp_path / "none"))[0] == USAGE
        assert (await commanded(server, "status", tmp_path / "none"))[0] == USAGE


async def test_ctrl_c_finishes_and_a_second_one_drops(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 20), tmp_path / "out.jsonl"
    release = asyncio.Event()

    async def held(talk: Talk) -> None:
        await release.wait()
        await talk.say(answer(200, completion()))

    asked = ("run", source, "-o", out, "--max-in-flight", "4")
    async with Loopback(held) as server:
        run = await started(server, *asked)
        assert run.stderr is not None
        await until(lambda: len(server.requests) == 4)
        run.send_signal(signal.SIGINT)
        assert b"Ctrl-C again drops them" in await run.stderr.readline()
        release.set()
        _, err = await run.communicate()
        assert (run.returncode, len(lines(out)), len(server.requests)) == (INTERRUPTED, 4, 4)
        assert b"run the same command again" in err

        release.clear()
        run = await started(server, *asked)
        assert run.stderr is not None
        await until(lambda: len(server.requests) == 8)
        run.send_signal(signal.SIGINT)
        await run.stderr.readline()
        run.send_signal(signal.SIGINT)
        _, err = await run.communicate()
        assert (run.returncode, len(lines(out))) == (INTERRUPTED, 4)
        assert b"--in-doubt" in err
        assert sum(states(tmp_path).values()) == 8


async def test_a_run_without_a_key_is_told_where_one_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Loopback(answer(404, error(404))) as server:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        code, _, err = await commanded(server, "run", prompts(tmp_path, 3), "-o", tmp_path / "out.jsonl", key="")
        assert code == KEY
        assert "OPENROUTER_API_KEY" in err
        assert "chmod 600" in err
        assert not server.requests


async def test_a_second_run_is_told_who_has_the_ledger(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 5), tmp_path / "out.jsonl"

    async def never(talk: Talk) -> None:
        await talk.gone()

    async with Loopback(never) as server:
        run = await started(server, "run", source, "-o", out)
        await until(lambda: len(server.requests) >= 1)
        code, _, err = await commanded(server, "run", source, "-o", out)
        assert code == LEDGER
        assert f"in use by process {run.pid}" in err
        code, told, _ = await commanded(server, "status", out)
        assert "in flight" in told
        assert f"process {run.pid} is at work" in told
        assert "slowest" in told
        run.kill()
        await run.communicate()
        code, told, _ = await commanded(server, "status", out)
        assert "none is at work" in told
        assert "in doubt" in told
        assert "in flight" not in told


async def test_status_tells_how_fast_it_goes(tmp_path: Path) -> None:
    source, out = prompts(tmp_path, 30), tmp_path / "out.jsonl"

    async def some(talk: Talk) -> None:
        if len(server.requests) > 10:
            await talk.gone()
        await talk.say(answer(200, completion()))

    async with Loopback(some) as server:
        run = await started(server, "run", source, "-o", out, "--max-in-flight", "2")
        await until(lambda: len(server.requests) >= 12)
        code, told, _ = await commanded(server, "status", out, "--json")
        run.kill()
        await run.communicate()
    found = json.loads(told)
    assert (code, found["counts"]["done"]) == (0, 10)
    assert found["rate"] > 0
    assert found["eta"] == pytest.approx(20 / found["rate"])


# --- words and boards -------------------------------------------------------------------------------------------------

COUNTS = Counts(rows=1000, todo=500, in_flight=100, done=390, failed=10, cost_usd=1.5, cost_unknown=2)
PROGRESS = Progress(counts=COUNTS, seconds=60.0, rate=6.5, eta=92.3, projected_usd=3.75)
SCOPE = View(rate=12.5, capacity=1.0, limit=None, in_flight=1, concurrency=None, paused=0.0, held=False)
STATS = Stats(
    alive=0,
    waiting=3,
    in_flight=100,
    answered=95,
    refused=5,
    failed=0,
    refused_share=0.05,
    held=True,
    scopes={"": SCOPE, "m/a": SCOPE},
    spent_usd=0.0,
    reserved_usd=0.0,
    guessed_usd=0.0,
)


def test_a_live_display_shows_all_that_is_known() -> None:
    console = Console(force_terminal=True, width=200, record=True)
    board = board_on(console)
    assert isinstance(board, LiveBoard)
    board.show(PROGRESS, STATS, [(7, "seven", 12.0), (8, None, 3.0)])
    board.say("between")
    board.close()
    told = dict(words.lines(PROGRESS, STATS, [(7, "seven", 12.0), (8, None, 3.0)]))
    assert told["rows"] == "390 of 1,000 rows done, 10 failed, 100 in flight, 500 to do; 6.5 rows/s, 1 min 32 s left"
    assert told["cost"] == "$1.5000 for 0 tokens in, 0 out; unknown for 2 calls; all rows: about $3.7500"
    assert told["quota"].startswith("all models: about 12.5 requests/s, m/a: about 12.5 requests/s, 5.0% refused (429)")
    assert told["quota"].endswith("3 wait for their turn, held by an outage")
    assert told["slowest"] == "row 7 (seven) for 12 s"
    assert "between" in console.export_text()


def test_a_log_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    board = board_on(Console(width=200))
    assert isinstance(board, PlainBoard)
    for _ in range(3):
        board.show(PROGRESS, STATS, [])
    board.close()
    assert capsys.readouterr().out.count("390 of 1,000 rows done") == 1


def test_durations_and_amounts_are_readable() -> None:
    assert [words.duration(secs) for secs in (None, 5.4, 65.0, 3725.0)] == ["?", "5 s", "1 min 05 s", "1 h 02 min"]
    assert [words.usd(amount) for amount in (None, 0.00012, 1234.5)] == ["$?", "$0.0001", "$1,234.50"]
