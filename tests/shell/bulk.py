"""What the tests of bulk runs share: inputs, outputs, and the command in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.shell.loopback import Loopback

from openrouter_client import BatchRun, BatchSettings, OpenRouterConfig, unwrap
from openrouter_client.bulk.looking import Looking
from openrouter_client.simulator import Simulator
from openrouter_core.bulk.figures import Summary

CODE = "import sys; from openrouter_client.cli import main; sys.exit(main())"


def prompts(folder: Path, many: int) -> Path:
    """Write a file of so many different prompts."""
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps({"id": f"r{n}", "prompt": f"Say {n}."}) + "\n" for n in range(1, many + 1)))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    """Read an output."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def config_of(server: Simulator | Loopback, **settings: Any) -> OpenRouterConfig:
    """Give the settings that lead to a server, with quick retries."""
    key = server.api_key if isinstance(server, Simulator) else "sk-or-v1-test"
    return OpenRouterConfig(**({"retry_delay_ms": 1} | settings), api_key=key, base_url=server.base_url)


def made(server: Simulator | Loopback, source: Path, output: Any = None, **settings: Any) -> BatchRun:
    """Prepare a run; names of the config go there, the others are the run's settings."""
    ours = {name: value for name, value in settings.items() if name in BatchSettings.__struct_fields__}
    theirs = {name: value for name, value in settings.items() if name not in ours and name != "ledger"}
    to = source.with_name("out.jsonl") if output is None else output
    config = config_of(server, **theirs)
    return unwrap(BatchRun.new(source, to, BatchSettings(**ours), config=config, ledger=settings.get("ledger")))


async def ran(server: Simulator | Loopback, source: Path, output: Any = None, **settings: Any) -> Summary:
    """Run a file to its end."""
    return unwrap(await made(server, source, output, **settings).run())


def paid(server: Simulator) -> Counter[str]:
    """Count how often each prompt was asked."""
    asked = Counter[str]()
    for request in server.requests:
        if request.method == "POST":
            body: Any = request.json()
            asked[body["messages"][-1]["content"]] += 1
    return asked


def states(folder: Path) -> Counter[int]:
    """Count the rows of a ledger by their states."""
    ledger = Looking.at(folder / "out.jsonl.ledger")
    try:
        return Counter(state for (state,) in ledger.db.execute("SELECT state FROM rows"))
    finally:
        ledger.close()


async def command(
    server: Simulator | Loopback,
    *arguments: str | Path,
    given: bytes | None = None,
    key: str | None = None,
    code: str = CODE,
) -> asyncio.subprocess.Process:
    """Start the command `batch` in a process of its own; `code` is what this runs."""
    environment = {
        **os.environ,
        "OPENROUTER_API_KEY": config_of(server).api_key if key is None else key,
        "OPENROUTER_BASE_URL": server.base_url,
        "OPENROUTER_RETRY_DELAY_MS": "10",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "batch", *map(str, arguments), env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin is not None
    if given is not None:
        process.stdin.write(given)
    process.stdin.close()
    return process


async def commanded(
    server: Simulator | Loopback, *arguments: str | Path, given: bytes | None = None, key: str | None = None
) -> tuple[int, str, str]:
    """Run the command to its end: exit code, standard output, standard error."""
    process = await command(server, *arguments, given=given, key=key)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
