"""The examples in the documentation run.

Every ```python block of README.md, ARCHITECTURE.md and docs/*.md is a program of its own, executed by a fresh
interpreter with OPENROUTER_API_KEY and OPENROUTER_BASE_URL set to the local stand-in: what a reader would paste is what
runs. An example whose output matters ends in comments or assertions of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openrouter_client.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("**/*.md"))]
LIMIT_SECS = 60.0

_BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    """Each example with the place where it stands; line numbers are kept, so that a traceback points into the page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start(1))
            yield f"{page.relative_to(ROOT).as_posix()}:{line + 1}", "\n" * line + found.group(1)


EXAMPLES = dict(blocks())


def test_there_are_examples() -> None:
    assert any(place.startswith("README.md") for place in EXAMPLES)


@pytest.mark.parametrize("place", EXAMPLES)
async def test_the_example_runs(place: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(EXAMPLES[place], encoding="utf-8")
    async with Simulator(seed=0) as simulator:
        environment = {
            **os.environ,
            "OPENROUTER_API_KEY": simulator.api_key,
            "OPENROUTER_BASE_URL": simulator.base_url,
            "OPENROUTER_MANAGEMENT_KEY": simulator.management_key,
            "PYTHONWARNINGS": "error",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            env=environment,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), LIMIT_SECS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, f"{place}\n{output.decode(errors='replace')}"
