"""The benchmarks: rounds of fresh processes that take turns, medians of ratios, and a table with the goals beside.

    python -m tests.benchmarks.bench [--quick] [--rounds N] [--only NAME,...] [--peers openai,official] [--readme]

In every round each client is a fresh process. When all are warm they take turns, each for a part of a second, so that a
machine that is busy for a while is busy for all of them. What counts is the median over all turns of the ratio to
`raw`. The clients run on one core and the server on
another, where the system lets us choose. The server's own CPU per call is told too: it must be far below the client's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO

import trustme
from tests.cores import CORES

ROOT = Path(__file__).resolve().parents[2]
MARKS = ("<!-- benchmarks: begin -->", "<!-- benchmarks: end -->")
CLIENT_CORE, SERVER_CORE = (str(CORES[0]), str(CORES[-1])) if len(CORES) > 1 else ("", "")

IMPORT = """
import resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
began = cpu()
import {module}
print('{{"cpu": %f, "peak": %f}}' % (cpu() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * {unit}))
"""
"""An import alone in its process: even what a worker needs would make it cheaper."""

Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something to measure for every client: its arguments with `{client}` and `{origin}` or `{secure}`, and its goals.

    A goal is (what is compared, its name in the table, the most that the ratio may be; None: no goal, only told).
    """

    name: str
    arguments: str
    goals: tuple[tuple[str, str, float | None], ...]
    quick: str = ""
    turns: int = 20


@dataclass(frozen=True, slots=True)
class Single:
    """Something to measure for this library alone, against a fixed goal: the least of so many times.

    Other work on the machine only adds to a time.
    """

    name: str
    arguments: str
    number: str
    title: str
    goal: float
    unit: float
    shown: str
    quick: str = ""
    times: int = 1


SCENARIOS = (
    Scenario(
        "calls-1", "calls {client} {origin} 1 200", (("cpu", "CPU per call, 1 at a time", 0.85),),
        "calls {client} {origin} 1 100",
    ),
    Scenario(
        "calls-50", "calls {client} {origin} 50 300", (("cpu", "CPU per call, 50 at a time", 0.85),),
        "calls {client} {origin} 50 150",
    ),
    Scenario(
        "calls-500", "calls {client} {origin} 500 1500",
        (
            ("cpu", "CPU per call, 500 at a time", 0.85),
            ("p50", "latency p50 at 500 at a time", 1.1),
            ("p99", "latency p99 at 500 at a time", 1.5),
        ),
        "calls {client} {origin} 500 1000",
    ),
    Scenario(
        "tls-50", "calls {client} {secure} 50 300", (("cpu", "CPU per call over TLS, 50 at a time", None),),
        "calls {client} {secure} 50 150",
    ),
    Scenario(
        "streams-1", "streams {client} {origin} 1 1 2000 burst", (("cpu", "CPU per streamed chunk, 1 stream", 0.6),),
        "streams {client} {origin} 1 1 1000 burst",
    ),
    Scenario(
        "streams-50", "streams {client} {origin} 50 50 200 burst",
        (("cpu", "CPU per streamed chunk, 50 streams", 0.6),), "streams {client} {origin} 50 50 100 burst",
    ),
    Scenario(
        "paced-50", "streams {client} {origin} 50 50 100 paced",
        (("cpu", "CPU per streamed chunk, 50 streams, one chunk at a time", None),),
        "streams {client} {origin} 50 50 40 paced",
    ),
    Scenario(
        "imports", "", (("cpu", "CPU of the import", 1.25), ("peak", "memory after the import", 1.25)), turns=15,
    ),
)  # fmt: skip

SINGLES = (
    Single("core", "core 20000", "cpu", "building and classifying alone", 15.0, 1e6, "us a call", "core 3000", 9),
    Single(
        "memory", "memory ours {origin} 500 100000", "grown", "memory that 90,000 calls add after the first 10,000",
        2.0, 2**-20, "MiB", "memory ours {origin} 500 10000",
    ),
    Single("waiting", "waiting 10000 {origin}", "bytes", "memory of a waiting call, of 10,000", 4.0, 2**-10, "KiB"),
    Single(
        "admission", "admission 1000000 20000", "cpu", "admission of a call, of 1,000,000 waiting", 20.0, 1e6, "us",
        "admission 100000 5000", 3,
    ),
)  # fmt: skip

MODULES = {"raw": "aiohttp", "ours": "openrouter_client.client", "openai": "openai", "official": "openrouter"}
NAMES = {"raw": "aiohttp + json", "ours": "aio-openrouter", "openai": "openai", "official": "openrouter (official)"}


# --- measuring ------------------------------------------------------------------------------------------------------


@contextmanager
def running(module: str, *arguments: str) -> Generator[tuple[IO[str], IO[str]], None, None]:
    """Run a module that ends with its standard input; give what it reads and what it writes."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdin, process.stdout


@contextmanager
def serving() -> Generator[dict[str, str], None, None]:
    """Run the canned server; give its two origins. Who measures trusts its certificate."""
    with tempfile.TemporaryDirectory() as folder:
        authority, trusted, certificate = trustme.CA(), Path(folder, "trusted.pem"), Path(folder, "server.pem")
        authority.cert_pem.write_to_path(str(trusted))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        os.environ["SSL_CERT_FILE"] = str(trusted)
        with running("server", str(certificate), *filter(None, [SERVER_CORE])) as (_, told):
            plain, secure = told.readline().split()
            yield {"origin": f"http://127.0.0.1:{plain}", "secure": f"https://127.0.0.1:{secure}"}


def environment() -> dict[str, str]:
    """Give the environment of the processes that measure."""
    return {**os.environ, "BENCH_CORE": CLIENT_CORE, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}


def measured(arguments: str) -> Numbers:
    """Measure once, in a process of its own."""
    return run([sys.executable, "-m", "tests.benchmarks.worker", *arguments.split()])


def imported(module: str) -> Numbers:
    """Measure an import, in a process of its own."""
    program = IMPORT.format(module=module, unit=1 if sys.platform == "darwin" else 1024)
    return run([sys.executable, "-c", program])


def run(command: list[str]) -> Numbers:
    """Run a process that prints its numbers last."""
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:5])} failed:\n{done.stderr[-3000:]}")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


@contextmanager
def waiting_for_turns(arguments: str) -> Generator[Callable[[], Numbers], None, None]:
    """Run a worker that is warm; give the function that lets it measure once."""
    with running("worker", *arguments.split()) as (tells, told):

        def told_next() -> str:
            line = told.readline()
            if not line:
                raise SystemExit(f"worker {arguments} has failed, see above")
            return line

        def turn() -> Numbers:
            tells.write("\n")
            tells.flush()
            numbers: Numbers = json.loads(told_next())
            return numbers

        told_next()
        yield turn


def in_turns(
    scenario: Scenario, clients: list[str], origins: dict[str, str], *, quick: bool
) -> list[dict[str, Numbers]]:
    """Measure the clients side by side, a short turn each; the order turns too, so that none is always first."""
    given = (scenario.quick if quick else "") or scenario.arguments
    with ExitStack() as workers:
        measure: dict[str, Callable[[], Numbers]] = (
            {client: partial(imported, MODULES[client]) for client in clients}
            if not given
            else {
                client: workers.enter_context(waiting_for_turns(given.format(client=client, **origins)))
                for client in clients
            }
        )
        found: list[dict[str, Numbers]] = []
        for number in range(scenario.turns):
            order = clients[number % len(clients) :] + clients[: number % len(clients)]
            found.append({client: measure[client]() for client in order})
        return found


# --- the table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    title: str
    raw: str
    cells: tuple[str, ...]
    goal: str


def lines_of(scenario: Scenario, clients: list[str], found: list[dict[str, Numbers]]) -> list[Line]:
    """Make the table's lines for a scenario."""
    lines: list[Line] = []
    for number, title, goal in scenario.goals:
        base = statistics.median(numbers["raw"][number] for numbers in found)
        cells: list[str] = []
        for client in clients[1:]:
            ratios = sorted(numbers[client][number] / numbers["raw"][number] for numbers in found)
            ratio = statistics.median(ratios)
            missed = " (missed)" if client == "ours" and goal is not None and ratio > goal else ""
            cells.append(f"{ratio:.2f}{missed}" if ratio < 10 else f"{ratio:.0f}")
        lines.append(Line(title, amount(number, base), tuple(cells), "" if goal is None else f"<= {goal:g}"))
    return lines


def amount(number: str, value: float) -> str:
    """Write an amount with its unit."""
    match number:
        case "peak":
            return f"{value / 2**20:.0f} MiB"
        case _ if value >= 0.01:
            return f"{value * 1e3:.0f} ms"
        case _:
            return f"{value * 1e6:.1f} us"


def single_line(single: Single, origins: dict[str, str], clients: list[str], *, quick: bool) -> Line:
    """Measure one thing of this library alone, and make its line."""
    given = (single.quick if quick else "") or single.arguments
    value = min(measured(given.format(**origins))[single.number] for _ in range(single.times)) * single.unit
    missed = " (missed)" if value > single.goal else ""
    others = [""] * (len(clients) - 2)
    return Line(single.title, "", (f"{value:.2f} {single.shown}{missed}", *others), f"< {single.goal:g} {single.shown}")


def table(lines: list[Line], clients: list[str]) -> str:
    """Write the table in Markdown."""
    heads = ["", NAMES["raw"], *(f"{NAMES[client]}, ratio" for client in clients[1:]), "goal"]
    rows = [heads, ["---"] * len(heads), *([line.title, line.raw, *line.cells, line.goal] for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def machine() -> str:
    """Name the machine and the versions."""
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    cpu = models[0] if models else platform.processor() or platform.machine()
    pinned = "client and server pinned to different cores" if CLIENT_CORE else "nothing pinned"
    packages = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "msgspec"))
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}; {pinned}."
    )


def into_readme(text: str, marks: tuple[str, str] = MARKS) -> None:
    """Put the table between two of the README's marks."""
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf-8")
    before, _, rest = old.partition(marks[0])
    _, found, after = rest.partition(marks[1])
    if not found:
        raise SystemExit(f"README.md has no {marks[0]} and {marks[1]}")
    readme.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}", encoding="utf-8")


# --- the command ----------------------------------------------------------------------------------------------------


def chosen() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=0, help="how many fresh processes of each (5; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="fewer calls and rounds: a minute, and rough numbers")
    parser.add_argument("--only", default="", help="the scenarios to run, by name, separated by commas")
    parser.add_argument("--peers", default="", help="other clients to compare with: openai,official")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    return parser.parse_args()


def listed(names: str) -> list[str]:
    """Read names that are separated by commas."""
    return [name for name in names.split(",") if name]


def main() -> None:
    """Measure what was chosen, and print the table."""
    options = chosen()
    wanted, peers = listed(options.only), listed(options.peers)
    clients = ["raw", "ours", *peers]
    rounds: int = options.rounds or (1 if options.quick else 5)
    lines: list[Line] = []
    with serving() as origins:
        for scenario in (one for one in SCENARIOS if not wanted or one.name in wanted):
            sys.stderr.write(f"{scenario.name} ...\n")
            found = [one for _ in range(rounds) for one in in_turns(scenario, clients, origins, quick=options.quick)]
            lines += lines_of(scenario, clients, found)
        for single in (one for one in SINGLES if not wanted or one.name in wanted):
            sys.stderr.write(f"{single.name} ...\n")
            lines.append(single_line(single, origins, clients, quick=options.quick))
    text = f"{table(lines, clients)}\n\n{rounds} round{'s' * (rounds > 1)}. {machine()}"
    sys.stdout.write(text + "\n")
    if options.readme:
        into_readme(text)


if __name__ == "__main__":
    main()
