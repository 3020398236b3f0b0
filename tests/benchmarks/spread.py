"""Bulk runs on a local Ray cluster, beside plain asyncio: what spreading costs, and what it keeps to.

    python -m tests.benchmarks.spread [--quick] [--only rate,quota,kills,cost,ways]

rate    4,000 rows, 200 in flight, heavy-tailed latencies of about 1 s: two workers beside one process. The rate is that
        between the first answer and the last, for Ray takes some seconds to start processes
quota   four workers with one quota of 60/s, which nobody knows beforehand: what they use of it, and what is refused
kills   a worker, and the coordinator, killed (kill -9) in the middle: lost, double, paid twice
cost    CPU time of each process per row, from which follows how many rows a second it can do at most
ways    the same 1,000 rows each way, from the local OpenRouter, whose batches take a second and not hours: USD
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from tests.benchmarks.bulk import Load, child, figures, prompts, row, server, tell, told_by
from tests.benchmarks.sharing import figures as used_of
from tests.spread.conftest import actors

from openrouter_client import BatchRun, BatchSettings, OpenRouterConfig, RayBatchRun, unwrap
from openrouter_client.simulator import Simulator

KEY = "sk-or-v1-bench"


@contextmanager
def cluster() -> Iterator[None]:
    """Bring a local cluster up."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "OPENROUTER_API_KEY": KEY}
    ray: Any = importlib.import_module("ray")
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=80 * 2**20,
    )
    try:
        yield
    finally:
        ray.shutdown()


def made(folder: Path, base_url: str, in_flight: int, workers: int = 2, **config: Any) -> RayBatchRun:
    """Prepare a run on the cluster."""
    settings = BatchSettings(max_in_flight=in_flight)
    own = OpenRouterConfig(base_url=base_url, **config)
    options = {"num_cpus": 1.0 / workers}
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    return unwrap(RayBatchRun.new(source, out, settings, config=own, workers=workers, worker_options=options))


async def rate(*, quick: bool) -> None:
    """Compare two workers with one process."""
    rows, rounds, in_flight = (2000, 1, 200) if quick else (4000, 2, 200)
    rates: dict[str, list[float]] = {"bare": [], "durable": [], "ray": []}
    whole: list[float] = []
    async with server("tail") as (base_url, process):
        for kind in [*rates, *reversed(rates)][: 3 * rounds]:
            with tempfile.TemporaryDirectory() as name:
                prompts(Path(name), rows)
                if kind == "ray":
                    began = time.perf_counter()
                    with cluster():
                        summary = unwrap(await made(Path(name), base_url, in_flight).run())
                    assert summary.exit_code == 0
                    whole.append(rows / summary.seconds)
                    tell(f"  cluster up, run, and down: {time.perf_counter() - began:.1f} s")
                else:
                    await figures(Load(base_url, name, rows, in_flight, durable=kind == "durable"))
                seen, paid, seconds = await told_by(process)
                assert seen == paid == rows
                rates[kind].append(rows / seconds)
    mean = {kind: sum(many) / len(many) for kind, many in rates.items()}
    row("plain asyncio, 200 in flight, latencies of about 1 s", f"{mean['bare']:.1f} rows/s", "")
    row("a durable run in one process, the same", f"{mean['durable']:.1f} rows/s", "")
    row("Ray, two workers, the same", f"{mean['ray']:.1f} rows/s", "")
    row("  with the start of its actors", f"{sum(whole) / len(whole):.1f} rows/s", "")
    ratio = mean["ray"] / mean["bare"]
    row("  ratio to plain asyncio", f"{ratio:.3f}", ">= 0.90", good=ratio >= 0.9)


async def quota(*, quick: bool) -> None:
    """Let four workers find and fill one quota."""
    seconds, a_second = (20.0, 60) if quick else (90.0, 60)
    async with Simulator(seed=1, quota=f"{a_second}/s burst 20", latency=(0.05, 0.15), api_key=KEY) as there:
        there.requests = deque()
        with tempfile.TemporaryDirectory() as name, cluster():
            prompts(Path(name), int(a_second * seconds * 1.05))
            unwrap(await made(Path(name), there.base_url, 128, workers=4).run())
        times = sorted((request.at, request.answer) for request in there.requests)
    found = used_of(times, [{"failures": 0, "successes": 0}], seconds, a_second)
    row(
        f"Ray, four workers, one unknown quota of {a_second}/s: used of it",
        f"{found.used:.1%}",
        ">= 95 %",
        good=found.used >= 0.95,
    )
    row("  rejections per success", f"{found.rejected:.4f}", "<= 0.02", good=found.rejected <= 0.02)


async def kills(*, quick: bool) -> None:
    """Kill a worker, and the coordinator."""
    rows, in_flight = (1000, 50) if quick else (3000, 50)
    async with server("short") as (base_url, process):
        with cluster():
            for victim, most in (("WorkerActor", in_flight), ("CoordinatorActor", 0)):
                with tempfile.TemporaryDirectory() as name:
                    prompts(Path(name), rows)
                    task = asyncio.create_task(made(Path(name), base_url, in_flight).run())
                    out = Path(name) / "out.jsonl"
                    while not out.exists() or out.read_bytes().count(b"\n") < rows // 3:  # noqa: ASYNC110 - a file
                        await asyncio.sleep(0.01)
                    os.kill(actors(victim)[0], signal.SIGKILL)
                    unwrap(await task)
                    seen, paid, _ = await told_by(process)
                    lines = [json.loads(line)["row"] for line in out.open()]
                lost, double = rows - len(set(lines)), len(lines) - len(set(lines))
                row(
                    f"Ray, {in_flight} in flight, kill -9 of a {victim}: lost, double",
                    f"{lost}, {double}",
                    "0, 0",
                    good=lost == double == 0,
                )
                row("  calls paid twice", int(paid - seen), f"<= {most}", good=paid - seen <= most)


async def cost(*, quick: bool) -> None:
    """Measure CPU time per row."""
    rows, in_flight = (4000, 500) if quick else (20_000, 500)
    async with server("short") as (base_url, _):
        with tempfile.TemporaryDirectory() as name:
            prompts(Path(name), rows)
            alone = await child("--load", json.dumps(asdict(Load(base_url, name, rows, in_flight))))
            assert alone.stdout is not None
            spent, found = await watched([alone.pid], alone.communicate())
            row(
                "one process, 500 in flight, latencies of 20 to 150 ms",
                f"{json.loads(found[0])['rate']:,.0f} rows/s",
                "",
            )
            row("  CPU time per row", f"{spent[0] / rows * 1e6:.0f} us", "")
        with tempfile.TemporaryDirectory() as name, cluster():
            prompts(Path(name), rows)
            task = asyncio.create_task(made(Path(name), base_url, in_flight).run())
            while len(actors("WorkerActor")) < 2 or not actors("CoordinatorActor"):  # noqa: ASYNC110 - actors
                await asyncio.sleep(0.1)
            await asyncio.sleep(2.0)
            begun = [cpu(pid) for pid in (*actors("CoordinatorActor"), *actors("WorkerActor"))]
            spent, result = await watched([*actors("CoordinatorActor"), *actors("WorkerActor")], task)
            spent = [after - before for after, before in zip(spent, begun, strict=True)]
            row("Ray, two workers, the same", f"{unwrap(result).rate:,.0f} rows/s", "")
            row("  CPU time per row, coordinator", f"{spent[0] / rows * 1e6:.0f} us", "")
            row("  CPU time per row, workers", f"{sum(spent[1:]) / rows * 1e6:.0f} us", "")


async def ways(*, quick: bool) -> None:
    """Run the same rows each way."""
    rows = 200 if quick else 1000
    async with Simulator(seed=1, latency=(0.5, 1.5), api_key=KEY) as there:
        with tempfile.TemporaryDirectory() as name, cluster():
            folder = Path(name)
            prompts(folder, rows)
            config = OpenRouterConfig(base_url=there.base_url, api_key=KEY)
            for via in ("calls", "batches", "ray"):
                settings = BatchSettings(model="openai/gpt-4o-mini", max_in_flight=100, max_tokens=50)
                own = msgspec.structs.replace(settings, via="batches", poll_secs=1.0) if via == "batches" else settings
                to = (folder / "in.jsonl", folder / f"{via}.jsonl", own)
                kind: Any = RayBatchRun if via == "ray" else BatchRun
                summary = unwrap(await unwrap(kind.new(*to, config=config)).run())
                assert summary.exit_code == 0, summary
                row(f"{rows} rows by {via}", f"{summary.seconds:.1f} s", "")
                row("  cost", f"{summary.counts.cost_usd:.4f} USD", "")


def cpu(pid: int) -> float:
    """Give the CPU time of a process in seconds."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


async def watched(pids: list[int], work: Any) -> tuple[list[float], Any]:
    """Do some work, and give the CPU time that processes have taken until it was done, and what came of it."""
    task = asyncio.ensure_future(work)
    spent = [0.0] * len(pids)
    while not task.done():
        spent = [max(before, cpu(pid)) for before, pid in zip(spent, pids, strict=True)]
        await asyncio.wait([task], timeout=0.25)
    return spent, task.result()


PARTS = {"rate": rate, "quota": quota, "kills": kills, "cost": cost, "ways": ways}


async def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    given = parser.parse_args()
    for name in given.only.split(","):
        await PARTS[name](quick=given.quick)


if __name__ == "__main__":
    asyncio.run(main())
