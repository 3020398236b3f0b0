"""Bulk runs on Ray: actors are killed (kill -9), and no row is lost, none twice, and only calls in flight paid twice.

`tests/shell/test_spread.py` has the same machines without Ray, and more cases.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import re
import runpy
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.shell.bulk import lines, prompts
from tests.shell.loopback import Loopback, Talk, answer, completion
from tests.spread.conftest import KEY, actors, eventually

from openrouter_client import (
    BatchRun,
    BatchSettings,
    OpenRouterConfig,
    RayBatchRun,
    unwrap,
)
from openrouter_client.simulator import Simulator
from openrouter_core.bulk.figures import COMPLETE, INTERRUPTED, PARTIAL

pytestmark = pytest.mark.filterwarnings("ignore:::ray")  # what Ray itself still uses, and will not for long

ROOT = Path(__file__).resolve().parents[2]
ROWS = 200
AT_ONCE = 20


class Paying:
    """A server that counts what it is asked, and takes its time."""

    def __init__(self) -> None:
        self.paid = Counter[str]()
        self.under_way = 0

    async def __call__(self, talk: Talk) -> None:
        assert talk.seen.header("Authorization") == f"Bearer {KEY}"
        self.paid[json.loads(talk.seen.body)["messages"][-1]["content"]] += 1
        self.under_way += 1
        await asyncio.sleep(0.25)
        self.under_way -= 1
        await talk.say(answer(200, completion()))


def made(server: Any, source: Path, **settings: Any) -> RayBatchRun:
    """Prepare a run with two workers."""
    return unwrap(
        RayBatchRun.new(
            source,
            source.with_name("out.jsonl"),
            BatchSettings(**{"max_in_flight": AT_ONCE} | settings),
            config=OpenRouterConfig(base_url=server.base_url, retry_delay_ms=1),
            worker_options={"num_cpus": 0.5},
        )
    )


def alone(server: Any, source: Path) -> BatchRun:
    """Prepare the same run without Ray."""
    config = OpenRouterConfig(api_key=KEY, base_url=server.base_url, retry_delay_ms=1)
    settings = BatchSettings(max_in_flight=AT_ONCE)
    return unwrap(BatchRun.new(source, source.with_name("out.jsonl"), settings, config=config))


def rows_of(folder: Path) -> list[int]:
    return sorted(line["row"] for line in lines(folder / "out.jsonl"))


async def test_a_run_with_faults_is_stopped_and_goes_on_without_ray(cluster: Path, tmp_path: Path) -> None:
    source, faults = prompts(tmp_path, ROWS), "503:0.1,429:0.05,reset:0.05,400:0.02"
    async with Simulator(seed=4, faults=faults, latency=(0.1, 0.3), api_key=KEY) as server:
        run = made(server, source)
        task = asyncio.create_task(run.run())
        await eventually(lambda: len(server.requests) > ROWS // 2)
        stats, progress = await run.stats(), await run.progress()
        assert stats is not None
        assert progress is not None
        assert stats.answered > 0
        assert 0 < progress.counts.ended < progress.counts.rows == ROWS
        assert 0 < len(await run.slowest(2)) <= 2
        await run.stop()
        first = unwrap(await task)
        assert (first.exit_code, first.counts.in_doubt, first.counts.in_flight) == (INTERRUPTED, 0, 0)
        assert await run.progress() is None
        assert (await run.stats(), await run.slowest()) == (None, [])
        second = unwrap(await alone(server, source).run())
    assert (second.exit_code, second.counts.todo, second.counts.in_flight) == (PARTIAL, 0, 0)
    assert second.answered_now == second.counts.done - first.counts.done
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    failed = [line for line in lines(tmp_path / "out.jsonl") if line["error"]]
    assert 0 < len(failed) == second.counts.failed + second.counts.refused < ROWS // 10
    written = [path for folder in (cluster, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert any("worker" in path.name for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


async def test_a_worker_is_killed_and_then_the_coordinator(cluster: Path, tmp_path: Path) -> None:
    pay = Paying()
    async with Loopback(pay) as server:
        task = asyncio.create_task(made(server, prompts(tmp_path, ROWS)).run())
        await eventually(lambda: sum(pay.paid.values()) >= ROWS // 4)
        os.kill(actors("WorkerActor")[0], signal.SIGKILL)
        await eventually(lambda: len(pay.paid) >= ROWS // 2 and len(actors("WorkerActor")) == 2)
        twice = sum(pay.paid.values()) - len(pay.paid)
        os.kill(actors("CoordinatorActor")[0], signal.SIGKILL)
        summary = unwrap(await task)
    assert (summary.exit_code, summary.counts.done, summary.answered_now) == (COMPLETE, ROWS, ROWS)
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    assert len(pay.paid) == ROWS
    assert twice <= AT_ONCE
    assert sum(pay.paid.values()) - ROWS <= AT_ONCE
    await eventually(lambda: not actors("WorkerActor") and not actors("CoordinatorActor"))


def test_what_travels_has_no_key(cluster: Path, tmp_path: Path) -> None:
    run = unwrap(RayBatchRun.new(prompts(tmp_path, 1), tmp_path / "out.jsonl", config=OpenRouterConfig(api_key=KEY)))
    assert KEY.encode() not in pickle.dumps(run.spec)
    assert KEY not in f"{run.spec!r} {run!r} {vars(run)}"


@pytest.mark.parametrize("number", [0, 1])
async def test_the_examples_run(
    cluster: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    program = tmp_path / "example.py"
    program.write_text(re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[number], encoding="utf-8")
    async with Simulator(seed=0, api_key=KEY) as server:
        monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
        await asyncio.to_thread(runpy.run_path, str(program), run_name="__main__")
    assert re.search(r"^100 \d+ rows/s$" if number == 0 else r"^Rome \S", capfd.readouterr().out, re.MULTILINE)
