"""The examples in the documentation run.

Every ```python block of README.md, ARCHITECTURE.md and docs/*.md is a program of its own, executed by a fresh
interpreter with OPENROUTER_API_KEY and OPENROUTER_BASE_URL set to the local stand-in: what a reader would paste is what
runs. An example whose output matters ends in comments or assertions of its own.

The `$` lines of a ```console block run one after the other in one shell, and print what stands under them. A block with
a title is there as a file of that name.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openrouter_client.cli.exits import EXITS
from openrouter_client.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("**/*.md"))]
LIMIT_SECS = 60.0

_BLOCK = r"^```{}[^\n]*\n(.*?)^```"


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each example with the place where it stands; line numbers are kept, so that a traceback points into the page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(_BLOCK.format(language), text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, found.start(1))
            yield f"{page.relative_to(ROOT).as_posix()}:{line + 1}", "\n" * line + found.group(1)


EXAMPLES = dict(blocks("python"))
SESSIONS = dict(blocks("console"))


def test_there_are_examples() -> None:
    assert any(place.startswith("README.md") for place in EXAMPLES)
    assert any(place.startswith("docs/cli.md") for place in SESSIONS)


async def printed(simulator: Simulator, folder: Path, *program: str, **variables: str) -> tuple[int | None, str]:
    """Run a program against a stand-in: its exit code, and what it printed."""
    environment = {
        **os.environ,
        "OPENROUTER_API_KEY": simulator.api_key,
        "OPENROUTER_BASE_URL": simulator.base_url,
        "OPENROUTER_MANAGEMENT_KEY": simulator.management_key,
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        *program,
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT_SECS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode(errors="replace")


@pytest.mark.parametrize("place", EXAMPLES)
async def test_the_example_runs(place: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(EXAMPLES[place], encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    async with Simulator(seed=0) as simulator:
        code, output = await printed(simulator, tmp_path, sys.executable, str(program), PYTHONWARNINGS="error")
    assert code == 0, f"{place}\n{output}"


MARK = "=== the next line ==="


def steps(session: str) -> Iterator[tuple[str, str]]:
    """Each command of a session, with what it is to print."""
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, output = step.partition("\n")
        yield command, output


def pattern(shown: str) -> str:
    """A pattern for an output, in which `...` is any text."""
    return ".*".join(re.escape(part) for part in shown.rstrip("\n").split("..."))


def titled(place: str) -> Iterator[tuple[str, str]]:
    """The blocks of a session's page that are files: their names, and what is in them."""
    text = (ROOT / place.partition(":")[0]).read_text(encoding="utf-8")
    yield from re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("place", SESSIONS)
async def test_the_session_prints_what_the_page_says(place: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for name, text in titled(place):
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "trap 'kill $(jobs -p) 2> errors.txt' EXIT\n" + "".join(
        f"{command}\n[ $? = 0 ] || exit 99\necho {MARK}\n" for command, _ in steps(SESSIONS[place])
    )
    async with Simulator(seed=0) as simulator:
        program = ("bash", "-o", "pipefail", "-c", script)
        code, output = await printed(simulator, tmp_path, *program, PATH=path, HOME=str(tmp_path))
    assert code == 0, f"{place}\n{output}"
    told = output.split(f"{MARK}\n")
    for (command, shown), text in zip(steps(SESSIONS[place]), told, strict=False):
        assert re.fullmatch(pattern(shown), text.rstrip("\n"), re.DOTALL), f"{place}\n$ {command}\n{text}"


def test_a_session_is_held_to_its_words() -> None:
    """Kills: a pattern that takes anything, or dots for any character."""
    assert list(steps("$ one\n$ two\nsaid\nmore\n")) == [("one", ""), ("two", "said\nmore\n")]
    assert re.fullmatch(pattern("a...c\n"), "a\nb\nc", re.DOTALL)
    assert not re.fullmatch(pattern("a.c\n"), "abc", re.DOTALL)
    assert not re.fullmatch(pattern(""), "anything", re.DOTALL)


def test_the_table_of_exit_codes_is_that_of_the_commands() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    table = page.partition("<!-- exits: begin -->")[2].partition("<!-- exits: end -->")[0]
    rows = [f"| {one.code} | {one.meaning} | {', '.join(one.errors)} |" for one in EXITS]
    assert table.strip().splitlines()[2:] == rows
