"""Bulk runs beside those of other tools: the same file and server, killed (kill -9) half-way, and run again.

    python -m tests.benchmarks.bulk_peers [--quick] [--only NAME,...] [--readme]

600 rows, 20 in flight, answers after 150 ms. Each tool runs as its documentation says, with what it has to go on from:
a checkpoint, a store, its output. Counted are the calls that the server was paid for more than once, the rows that are
missing or double at the end, and the rows per second of a run that nobody killed, from its first answer to its last.

`make bench-bulk-peers` runs it where the tools are installed; it installs nothing itself.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.metadata
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import into_readme, machine
from tests.benchmarks.bulk import prompts, server, tell, told_by

MARKS = ("<!-- bulk: begin -->", "<!-- bulk: end -->")
MODEL = "openai/gpt-4o-mini"
ROWS, IN_FLIGHT = 600, 20


@dataclass(frozen=True)
class Tool:
    """A tool: its package, how it is started in a folder with `in.jsonl`, and which prompts its output has answered."""

    package: str
    command: Callable[[str], list[str]]
    answered: Callable[[], list[str]]


def lines(name: str) -> list[Any]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in Path(name).read_text().splitlines() if line.strip()]


def program(name: str) -> str:
    """Give a command of this environment."""
    return str(Path(sys.executable).with_name(name))


def ours(base_url: str) -> list[str]:
    """Start our command."""
    del base_url  # from the environment
    options = ["-o", "out.jsonl", "--model", MODEL, "--max-in-flight", str(IN_FLIGHT)]
    return [program("openrouter-client"), "batch", "run", "in.jsonl", *options]


def async_batch_llm(base_url: str) -> list[str]:
    """Start async-batch-llm, which is a library: see `library`."""
    return [sys.executable, "-m", "tests.benchmarks.bulk_peers", "--library", base_url]


def batchllm(base_url: str) -> list[str]:
    """Start batchllm."""
    files = ["in.jsonl", "-o", "out.jsonl", "--checkpoint", "checkpoint.jsonl", "--input-column", "prompt"]
    return [program("batchllm"), "run", *files, "-m", MODEL, "-c", str(IN_FLIGHT), "--base-url", base_url]


def flexllm(base_url: str) -> list[str]:
    """Start flexllm."""
    ask = ["-m", MODEL, "-c", str(IN_FLIGHT), "--base-url", base_url, "--api-key", "bench"]
    return [program("flexllm"), "batch", "in.jsonl", "-o", "out.jsonl", *ask]


TOOLS = {
    "this client": Tool(
        "aio-openrouter",
        ours,
        lambda: [line["custom_id"] for line in lines("out.jsonl") if line["response"]],
    ),
    "async-batch-llm": Tool(
        "async-batch-llm",
        async_batch_llm,
        lambda: [line["id"] for line in lines("out.jsonl")],
    ),
    "batchllm": Tool("batchllm-ai", batchllm, lambda: [one["prompt"] for one in lines("out.jsonl") if one["output"]]),
    "flexllm": Tool(
        "flexllm",
        flexllm,
        lambda: [one["metadata"]["id"] for one in lines("out.jsonl") if one["status"] == "success"],
    ),
}


async def library(base_url: str) -> None:
    """Run async-batch-llm with its JSONL store, as its documentation shows, and write what it gives."""
    abl: Any = importlib.import_module("async_batch_llm")
    model = abl.OpenAICompatibleModel.from_api_key(MODEL, api_key="bench", base_url=base_url)
    asked = [one["prompt"] for one in lines("in.jsonl")]
    store = abl.JsonlArtifactStore("store.jsonl", identity=abl.ArtifactIdentity(model=MODEL), include_prompt=True)
    batch = await abl.process_prompts(
        abl.ModelStrategy(model),
        [(f"r{number}", prompt) for number, prompt in enumerate(asked, start=1)],
        concurrency=IN_FLIGHT,
        artifact_store=store,
        resume=abl.ResumePolicy.REUSE_SUCCESSES,
    )
    good = [json.dumps({"id": one.item_id, "output": str(one.output)}) for one in batch.results if one.success]
    await asyncio.to_thread(Path("out.jsonl").write_text, "".join(f"{line}\n" for line in good))


async def started(tool: Tool, base_url: str, folder: Path) -> asyncio.subprocess.Process:
    """Start a tool in its folder, with a home directory of its own."""
    variables = {
        **os.environ,
        "HOME": str(folder),
        "PYTHONPATH": str(Path.cwd()),
        "OPENAI_API_KEY": "bench",
        "OPENROUTER_API_KEY": "bench",
        "OPENROUTER_BASE_URL": base_url,
    }
    nothing = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *tool.command(base_url),
        cwd=folder,
        env=variables,
        stdin=nothing,
        stdout=nothing,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait until a tool has ended well."""
    _, told = await asyncio.wait_for(process.communicate(), 180)
    if process.returncode:
        raise SystemExit(told.decode()[-2000:])


async def rate(tool: Tool, base_url: str, watched: asyncio.subprocess.Process) -> float:
    """Run a tool undisturbed."""
    with tempfile.TemporaryDirectory() as name:
        prompts(Path(name), ROWS)
        await ended(await started(tool, base_url, Path(name)))
        _, paid, seconds = await told_by(watched)
    return paid / seconds


async def killed(tool: Tool, base_url: str, watched: asyncio.subprocess.Process) -> tuple[int, int, int]:
    """Kill a tool half-way, and run it again: calls paid twice, rows lost, rows double."""
    with tempfile.TemporaryDirectory() as name:
        prompts(Path(name), ROWS)
        first = await started(tool, base_url, Path(name))
        while (await told_by(watched, "peek"))[1] < ROWS // 2 and first.returncode is None:  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.02)
        if first.returncode is None:
            first.kill()
        await first.communicate()
        await ended(await started(tool, base_url, Path(name)))
        seen, paid, _ = await told_by(watched)
        before = Path.cwd()
        os.chdir(name)
        rows = Counter(tool.answered())
        os.chdir(before)
    return int(paid - seen), ROWS - len(rows), sum(rows.values()) - len(rows)


async def table(names: list[str], rounds: int) -> str:
    """Measure, and write the table: sums over the rounds, and the median rate."""
    told = [
        f"{ROWS} rows, {IN_FLIGHT} in flight, answers after 150 ms; {rounds} runs each, killed half-way and run again:",
        "",
        "| | paid twice, in each run | rows lost | rows double | rows/s, undisturbed |",
        "|---|---|---|---|---|",
    ]
    async with server("even") as (base_url, watched):
        for name in names:
            tool = TOOLS[name]
            rates = [await rate(tool, base_url, watched) for _ in range(rounds)]
            found = [await killed(tool, base_url, watched) for _ in range(rounds)]
            twice, lost, double = zip(*found, strict=True)
            version = "" if name == "this client" else f" {importlib.metadata.version(tool.package)}"
            told.append(
                f"| {name}{version} | {', '.join(map(str, twice))} | {sum(lost)} | {sum(double)} "
                f"| {statistics.median(rates):.0f} |"
            )
            tell(told[-1])
    return "\n".join([*told, "", f"{machine().rpartition(';')[0]}."])


async def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(TOOLS))
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    parser.add_argument("--library")
    given = parser.parse_args()
    if given.library:
        await library(given.library)
        return
    text = await table(given.only.split(","), 1 if given.quick else 3)
    if given.readme:
        into_readme(text, MARKS)
    else:
        tell(text)


if __name__ == "__main__":
    asyncio.run(main())
