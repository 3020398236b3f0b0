"""Bulk runs: what is lost when they are killed, and what durability costs.

    python -m tests.benchmarks.bulk [--quick] [--only kills,throughput,ledger,million]

kills       2,000 rows, 50 in flight, killed (kill -9) at a random instant and run again, 20 times over: nothing lost,
            nothing double, paid twice only what was in flight
throughput  200 in flight, heavy-tailed latencies of about 1 s: rows per second beside the bare client
ledger      outcomes of 2 KB that 256 producers wait for, with their intents, per second
million     1,000,000 rows with small answers: the memory of the process

The server is a process of its own; runs are too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openrouter_client import (
    BatchRun,
    BatchSettings,
    ChatCompletionRequest,
    ChatMessage,
    OpenRouterClient,
    OpenRouterConfig,
    unwrap,
)
from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.looking import Looking
from openrouter_client.bulk.output import Output
from openrouter_client.bulk.tables import Flight, Tables
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import IN_FLIGHT

ANSWER = json.dumps(
    {
        "id": "gen-1790000000-AbCdEfGhIjKlMnOp",
        "model": "openai/gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.00001},
    }
).encode()
WHOLE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Generation-Id: gen-1\r\nContent-Length: %d\r\n\r\n%s"
    % (
        len(ANSWER),
        ANSWER,
    )
)
TWO_KB = random.Random(1).randbytes(985).hex().encode()


# --- the server -------------------------------------------------------------------------------------------------------


def tail(body: bytes) -> float:
    """Give the seconds that an answer takes: log-normal, about 1 s in the mean, the same for the same request."""
    return min(6.0, random.Random(zlib.crc32(body)).lognormvariate(-0.32, 0.8))


def short(body: bytes) -> float:
    """Give the seconds of a quick model."""
    return random.Random(zlib.crc32(body)).uniform(0.02, 0.15)


def even(_: bytes) -> float:
    """Give the same seconds for every request."""
    return 0.15


LATENCIES: dict[str, Callable[[bytes], float]] = {"tail": tail, "short": short, "even": even, "none": lambda _: 0.0}


class Paid(Counter[bytes]):
    """How often each request came, and when the last and the first answer went."""

    first = last = 0.0

    def ended(self) -> None:
        """Note that an answer went."""
        self.last = time.perf_counter()
        self.first = self.first or self.last


class Serving(asyncio.Protocol):
    """One connection. Every request that comes is paid, whoever waits for its answer."""

    def __init__(self, latency: Callable[[bytes], float], paid: Paid) -> None:
        self.latency, self.paid = latency, paid
        self.got = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0):
            return
        self.got = b""
        seconds = self.latency(body)
        if seconds == 0.0:
            self.transport.write(WHOLE)
            return
        self.paid[body] += 1
        asyncio.get_running_loop().call_later(seconds, self.answer)

    def answer(self) -> None:
        self.paid.ended()
        if not self.transport.is_closing():
            self.transport.write(WHOLE)


async def serve(latency: str) -> None:
    """Serve until the standard input ends.

    Each line of it is answered with how many requests were paid, how many with their copies, and within which time;
    "peek" goes on counting.
    """
    paid = Paid()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Serving(LATENCIES[latency], paid), "127.0.0.1", 0, backlog=4096)
    tell(str(server.sockets[0].getsockname()[1]))
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        tell(json.dumps([len(paid), sum(paid.values()), paid.last - paid.first]))
        if line.strip() != "peek":
            paid.clear()
            paid.first = 0.0


@asynccontextmanager
async def server(latency: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run a server; give its address, and its process."""
    process = await child("--serve", latency)
    assert process.stdout is not None
    assert process.stdin is not None
    port = int(await process.stdout.readline())
    try:
        yield f"http://127.0.0.1:{port}/api/v1", process
    finally:
        process.stdin.close()
        await process.wait()


async def told_by(process: asyncio.subprocess.Process, line: str = "") -> list[float]:
    """Ask a server what it saw (see `serve`)."""
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    seen: list[float] = json.loads(await process.stdout.readline())
    return seen


async def child(*arguments: str) -> asyncio.subprocess.Process:
    """Start this module in a process of its own."""
    command = (sys.executable, "-m", "tests.benchmarks.bulk", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


# --- what runs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What a process is to do: `rows` prompts, so many in flight, durably or with the bare client."""

    base_url: str
    folder: str
    rows: int
    in_flight: int
    durable: bool = True


def tell(line: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def prompts(folder: Path, rows: int) -> Path:
    """Write the input."""
    path = folder / "in.jsonl"
    with path.open("w") as file:
        for number in range(1, rows + 1):
            file.write(f'{{"id": "r{number}", "prompt": "Is {number} prime? Answer in one word."}}\n')
    return path


async def run(load: Load) -> None:
    """Run a load, and tell rows per second and the peak of memory."""
    config = OpenRouterConfig(api_key="sk-or-v1-bench", base_url=load.base_url, timeout_secs=60)
    folder = Path(load.folder)
    began = time.perf_counter()
    if load.durable:
        settings = BatchSettings(max_in_flight=load.in_flight)
        made = BatchRun.new(folder / "in.jsonl", folder / "out.jsonl", settings, config=config)
        summary = unwrap(await unwrap(made).run())
        assert summary.exit_code == 0, summary
    else:
        await bare(config, folder / "in.jsonl", load.in_flight)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tell(json.dumps({"rate": load.rows / seconds, "peak": peak}))


async def bare(config: OpenRouterConfig, source: Path, in_flight: int) -> None:
    """Do the same without a ledger: read, ask, and write the answer to a file."""
    async with unwrap(OpenRouterClient.new(config)) as client:
        with source.open() as file, source.with_name("bare.jsonl").open("wb") as out:
            rows: Iterator[str] = iter(file)

            async def worker() -> None:
                for row in rows:
                    request = ChatCompletionRequest(messages=[ChatMessage.user(json.loads(row)["prompt"])])
                    answer = unwrap(await client.chat_completion(request))
                    out.write(json.dumps({"id": answer.id, "text": answer.text}).encode() + b"\n")

            await asyncio.gather(*(worker() for _ in range(in_flight)))


async def figures(load: Load) -> dict[str, float]:
    """Run a load in a process of its own."""
    process = await child("--load", json.dumps(asdict(load)))
    out, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, float] = json.loads(out)
    return found


# --- the figures ------------------------------------------------------------------------------------------------------


async def kills(*, quick: bool) -> None:
    """Kill runs, and run them again."""
    times, rows, in_flight = (3 if quick else 20), 2000, 50
    lost = double = twice = doubt = worst = 0
    dice = random.Random(7)
    async with server("short") as (base_url, process):
        for _ in range(times):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                prompts(folder, rows)
                load = Load(base_url, name, rows, in_flight)
                first = await child("--load", json.dumps(asdict(load)))
                await asyncio.sleep(dice.uniform(0.8, 4.5))
                if first.returncode is None:
                    first.kill()
                await first.communicate()
                flying = in_flight_at(folder)
                await figures(load)
                seen, paid = map(int, (await told_by(process))[:2])
                lines = [json.loads(line)["row"] for line in (folder / "out.jsonl").open()]
                lost += rows - len(set(lines))
                double += len(lines) - len(set(lines))
                twice, doubt, worst = twice + paid - seen, doubt + flying, max(worst, paid - seen - flying)
                assert seen == rows
    row(f"kill -9, {times} times, {rows} rows, {in_flight} in flight: lost", lost, "0", good=lost == 0)
    row("  double", double, "0", good=double == 0)
    row("  calls paid twice, in all", twice, f"<= {doubt} in flight", good=worst <= 0)


def in_flight_at(folder: Path) -> int:
    """Count the calls that a ledger says were in flight when its run was killed."""
    if not (folder / "out.jsonl.ledger").exists():
        return 0
    ledger = Looking.at(folder / "out.jsonl.ledger")
    found: int = ledger.db.execute("SELECT count(*) FROM rows WHERE state = ?", (IN_FLIGHT,)).fetchone()[0]
    ledger.close()
    return found


async def throughput(*, quick: bool) -> None:
    """Compare a durable run with the bare client."""
    rows, rounds = (2000, 1) if quick else (4000, 3)
    rates: dict[bool, list[float]] = {True: [], False: []}
    async with server("tail") as (base_url, _):
        for number in range(2 * rounds):
            durable = number % 4 in (1, 2)
            with tempfile.TemporaryDirectory() as name:
                prompts(Path(name), rows)
                found = await figures(Load(base_url, name, rows, 200, durable))
            rates[durable].append(found["rate"])
    of = {durable: sum(many) / len(many) for durable, many in rates.items()}
    row("bare client, 200 in flight, latencies of about 1 s", f"{of[False]:.1f} rows/s", "")
    row("durable run, the same", f"{of[True]:.1f} rows/s", "")
    row("  ratio", f"{of[True] / of[False]:.3f}", ">= 0.95", good=of[True] >= 0.95 * of[False])


async def ledger(*, quick: bool) -> None:
    """Measure how much the ledger takes."""
    many = 20_000 if quick else 100_000
    alone, together = await written(many, [intents, outcomes]), await written(many, [both])
    row("ledger: outcomes of 2 KB", f"{alone:,.0f} a second", ">= 10,000", good=alone >= 10_000)
    row("  each with its intent", f"{together:,.0f} a second", "")


Step = Callable[[Ledger, Flight], Coroutine[Any, Any, None]]


async def intents(ledger: Ledger, flight: Flight) -> None:
    """Write an intent."""
    await ledger.write(lambda tables: tables.intend(flight, 1.0, None))


async def outcomes(ledger: Ledger, flight: Flight) -> None:
    """Write an outcome."""
    outcome = Outcome(event="answer", line=b'{"row": %d, "text": "%s"}' % (flight.row, TWO_KB), cost=0.1)
    await ledger.write(lambda tables: tables.end(flight, outcome))


async def both(ledger: Ledger, flight: Flight) -> None:
    """Write an intent, and then an outcome."""
    await intents(ledger, flight)
    await outcomes(ledger, flight)


async def written(many: int, steps: list[Step]) -> float:
    """Let 256 producers take each step for so many rows; give rows per second of the last step."""
    seconds = 0.0
    with tempfile.TemporaryDirectory() as name:
        made = Ledger(Tables.open(Path(name) / "a.ledger"), Output(Path(name) / "out.jsonl", None, ordered=False))
        await made.prepare()
        flights = [Flight(n, f"r{n}", n.to_bytes(16, "big"), known=False) for n in range(1, many + 1)]
        for step in steps:
            began = time.perf_counter()
            await all_of(step, made, flights)
            seconds = time.perf_counter() - began
        assert await made.close() is None
    return many / seconds


async def all_of(step: Step, made: Ledger, flights: list[Flight]) -> None:
    """Take a step for all rows, 256 at a time."""
    todo = iter(flights)

    async def produce() -> None:
        for flight in todo:
            await step(made, flight)

    await asyncio.gather(*(produce() for _ in range(256)))


async def million(*, quick: bool) -> None:
    """Run very many rows, and look at the memory."""
    rows = 100_000 if quick else 1_000_000
    async with server("none") as (base_url, _):
        with tempfile.TemporaryDirectory() as name:
            prompts(Path(name), rows)
            found = await figures(Load(base_url, name, rows, 200))
            with (Path(name) / "out.jsonl").open("rb") as out:
                written = sum(1 for _ in out)
    row(f"{rows:,} rows: written", f"{written:,}", f"{rows:,}", good=written == rows)
    row("  peak of memory", f"{found['peak']:.0f} MiB", "< 150 MiB", good=found["peak"] < 150)
    row("  rows per second", f"{found['rate']:,.0f}", "")


def row(what: str, value: object, goal: str, *, good: bool = True) -> None:
    """Write a row of the table."""
    tell(f"| {what:<66} | {value!s:>18} | {goal:<20} | {'' if good else 'MISSED'}")


PARTS = {"kills": kills, "throughput": throughput, "ledger": ledger, "million": million}


async def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--serve", choices=LATENCIES)
    parser.add_argument("--load")
    given = parser.parse_args()
    if given.serve:
        await serve(given.serve)
    elif given.load:
        await run(Load(**json.loads(given.load)))
    else:
        for name in given.only.split(","):
            await PARTS[name](quick=given.quick)


if __name__ == "__main__":
    asyncio.run(main())
