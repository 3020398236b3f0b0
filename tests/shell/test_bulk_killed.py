"""kill -9 at any instant, and run again: no row lost, none twice, and only calls in flight paid twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from tests.shell.bulk import command, commanded, lines, prompts, states
from tests.shell.loopback import Loopback, Talk, answer, completion, until

from openrouter_core.bulk.figures import COMPLETE
from openrouter_core.bulk.states import IN_FLIGHT

ROWS = 150
AT_ONCE = 20


async def sent(server: Loopback, run: asyncio.subprocess.Process, many: int) -> None:
    """Wait until so many requests have come in all, or the run has ended."""
    await until(lambda: len(server.requests) >= many or run.returncode is not None)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_killed_run_goes_on(tmp_path: Path, seed: int) -> None:
    source, out = prompts(tmp_path, ROWS), tmp_path / "out.jsonl"
    dice, paid, doubt = random.Random(seed), Counter[str](), 0

    async def pay(talk: Talk) -> None:
        paid[json.loads(talk.seen.body)["messages"][-1]["content"]] += 1
        await asyncio.sleep(dice.uniform(0.0, 0.1))
        await talk.say(answer(200, completion()))

    async with Loopback(pay) as server:
        arguments = ("run", source, "-o", out, "--max-in-flight", str(AT_ONCE))
        for _ in range(2):
            run = await command(server, *arguments)
            await sent(server, run, len(server.requests) + dice.randint(1, 60))
            run.kill()
            await run.communicate()
            doubt += states(tmp_path)[IN_FLIGHT] if (tmp_path / "out.jsonl.ledger").exists() else 0
        code, _, _ = await commanded(server, *arguments)
        assert code == COMPLETE
    assert sorted(line["row"] for line in lines(out)) == list(range(1, ROWS + 1))
    assert len(paid) == ROWS
    assert sum(paid.values()) - ROWS <= doubt <= 2 * AT_ONCE
