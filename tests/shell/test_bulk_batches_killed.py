"""kill -9 at every step of a batch, and run again: no row lost, none twice, and no batch submitted twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.shell.bulk import command as started
from tests.shell.bulk import commanded, lines, prompts
from tests.shell.loopback import until

from openrouter_client.simulator import Simulator
from openrouter_core.bulk.figures import COMPLETE

ROWS = 30
VIA = ("--via", "batches", "--poll", "0.05", "--model", "openai/gpt-4o-mini")

# The command, which kills itself the moment that something is about to be done: `kill_at` names it.
KILLED = """
import os, signal, sys
from openrouter_client.bulk import batching, merging, parcels
from openrouter_client.cli import main

def killing(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

place, name = {place!r}.rsplit(".", 1)
places = {{"batching": batching, "batching.Batches": batching.Batches, "merging": merging, "parcels": parcels}}
setattr(places[place], name, killing)
sys.exit(main())
"""


def accepted(server: Simulator) -> Counter[str]:
    """Count how often each prompt was in a batch that was accepted."""
    asked = Counter[str]()
    for request in server.requests:
        if request.method == "POST":
            body: Any = request.json()
            asked.update(one["body"]["messages"][-1]["content"] for one in body["requests"])
    return asked


async def begun(ledger: Path, run: asyncio.subprocess.Process) -> None:
    """Wait until a run has made its ledger, or has ended."""
    await until(lambda: ledger.exists() or run.returncode is not None)


@pytest.mark.parametrize(
    "place",
    [
        "parcels.intend",  # before the intent is written
        "batching.submission",  # between the intent and the submission
        "batching.Batches._save",  # between the submission's answer and its record
        "batching.next_ask",  # between two questions
        "merging.results_of",  # between the answer and the merge
        "parcels.over",  # after all rows, before the batch is over
    ],
)
async def test_a_run_that_is_killed_at_a_step_goes_on(tmp_path: Path, place: str) -> None:
    source, out = prompts(tmp_path, ROWS), tmp_path / "out.jsonl"
    code = KILLED.format(place=place)
    async with Simulator(seed=1, batch_secs=0.3) as server:
        arguments = ("run", source, "-o", out, *VIA)
        run = await started(server, *arguments, code=code)
        await run.communicate()
        assert run.returncode == -9
        code_of_second, _, err = await commanded(server, *arguments)
        assert code_of_second == COMPLETE, err
        assert set(accepted(server).values()) == {1}
        assert len(accepted(server)) == ROWS
    assert sorted(line["row"] for line in lines(out)) == list(range(1, ROWS + 1))


async def test_a_submission_that_was_accepted_and_not_written_down_is_found(tmp_path: Path) -> None:
    """Killed while the answer of the submission is on its way."""
    source, out = prompts(tmp_path, ROWS), tmp_path / "out.jsonl"
    async with Simulator(seed=1, batch_secs=0.3) as server:
        server.script("slow@30")
        arguments = ("run", source, "-o", out, *VIA)
        run = await started(server, *arguments)
        await until(lambda: len(server.requests) == 1)
        run.kill()
        await run.communicate()
        code, told, _ = await commanded(server, "status", out)
        assert "intended" in told
        code, _, err = await commanded(server, *arguments)
        assert code == COMPLETE, err
        assert set(accepted(server).values()) == {1}
    assert sorted(line["row"] for line in lines(out)) == list(range(1, ROWS + 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_run_that_is_killed_at_random_instants_goes_on(tmp_path: Path, seed: int) -> None:
    source, out, dice = prompts(tmp_path, ROWS), tmp_path / "out.jsonl", random.Random(seed)
    async with Simulator(seed=seed, batch_secs=0.5, faults="503:0.1") as server:
        arguments = ("run", source, "-o", out, *VIA)
        for _ in range(3):
            run = await started(server, *arguments)
            ledger = tmp_path / "out.jsonl.ledger"
            await begun(ledger, run)
            await asyncio.sleep(dice.uniform(0.0, 0.6))
            if run.returncode is None:
                run.kill()
            await run.communicate()
        code, _, err = await commanded(server, *arguments)
        assert code in (COMPLETE, 1), err
        assert max(accepted(server).values()) == 1 or any(r.answer == "503" for r in server.requests)
    assert sorted(line["row"] for line in lines(out)) == list(range(1, ROWS + 1))
