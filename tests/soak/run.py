"""A soak: phase after phase of traffic through trouble, and after each the proof that all is as it was."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field
from tests.soak.census import Census, leaked, taken
from tests.soak.phases import PHASES, Phase
from tests.soak.stage import Stage, staged
from tests.soak.traffic import Books, Call, drawn, made

WORKERS = 16
THINKING = 0.15
"""How long a worker waits at most between two calls, in seconds."""

SETTLING = 15.0
"""How long what is closed may take to be gone before it counts as leaked, in seconds."""

RECOVERING = 45.0
"""How long good answers may take to come back after a phase, in seconds."""

LOST = 60.0
"""How long a call may go on after its phase before it counts as lost; its own deadline is far shorter."""

PROBES = 10


class Report(Struct):
    """What came of a phase. `flaws` is what must not be."""

    phase: str
    seconds: float = 0.0
    calls: int = 0
    told: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    recovered: float = 0.0
    census: Census | None = None
    flaws: list[str] = field(default_factory=list)


async def soak(
    seed: int, seconds: float, folder: Path, phases: Sequence[Phase] = PHASES, each: float = 8.0
) -> list[Report]:
    """Play the phases again and again for so many seconds, each about `each` seconds long, and at least all once.

    It ends early at the first phase with a flaw, for what comes after is not to be trusted.
    """
    reports: list[Report] = []
    began = time.monotonic()
    async with staged(seed, folder) as stage:
        before = await warm(stage, seed)
        number = 0
        while number < len(phases) or time.monotonic() - began < seconds:
            phase = phases[number % len(phases)]
            report = await played(stage, phase, f"{seed} {number}", each, before)
            reports.append(report)
            number += 1
            if report.flaws:
                break
            if number == len(phases) and report.census is not None:
                before = report.census  # all code has run once: from here on memory has no reason to grow
    return reports


async def warm(stage: Stage, seed: int) -> Census:
    """Make every kind of call in calm, so that what is made once is there, and count."""
    books = stage.books
    for worker in range(4):
        await asyncio.gather(*(made(stage.clients[n % 2], drawn(seed, "warm", worker, n), books) for n in range(24)))
    return await settled(stage, None)


async def played(stage: Stage, phase: Phase, name: str, each: float, before: Census) -> Report:
    """Play a phase, let it calm down, and look at what came of it."""
    report = Report(phase.name)
    stage.books = books = Books()
    stage.proxy.met.clear()
    stage.names.failed = 0
    began = time.monotonic()
    await stage.serve(phase)
    stage.proxy.weather = phase.weather
    trouble = asyncio.ensure_future(stage.trouble(phase))
    workers = [asyncio.ensure_future(work(stage, books, name, n, began + each)) for n in range(WORKERS)]
    await asyncio.sleep(each)
    trouble.cancel()
    await asyncio.wait([trouble])
    if not trouble.cancelled() and (broken := trouble.exception()) is not None:
        raise broken
    await stage.calm()
    ended = time.monotonic()
    late = (await asyncio.wait(workers, timeout=LOST))[1]
    report.recovered = await recovered(stage, name, books, ended)
    for worker in late:
        worker.cancel()
    report.flaws += [f"{len(late)} calls did not end within {LOST:g} s"] if late else []
    report.flaws += [] if report.recovered < RECOVERING else [f"no recovery within {RECOVERING:g} s: {standing(stage)}"]
    report.census = await settled(stage, before)
    report.flaws += books.faults() + leaked(before, report.census)
    report.seconds = time.monotonic() - began
    report.calls, report.told, report.errors = sum(books.begun.values()), books.told, books.errors
    report.met = stage.proxy.met + Counter({"names not found": stage.names.failed})
    report.flaws += [] if report.met else ["nothing went wrong in this phase, so that it shows nothing"]
    return report


async def work(stage: Stage, books: Books, name: str, worker: int, until: float) -> None:
    """Make one call after another."""
    number = 0
    while time.monotonic() < until:
        call = drawn(0, name, worker, number)
        await made(stage.clients[(worker + number) % len(stage.clients)], call, books)
        await asyncio.sleep(call.roll * THINKING)
        number += 1


async def recovered(stage: Stage, name: str, books: Books, since: float) -> float:
    """Tell after how many seconds each client gave good answers only, twice in a row."""
    in_a_row = batch = 0
    while in_a_row < 2 and time.monotonic() - since < RECOVERING:
        calls = [Call("whole", f"probe-{name}-{batch}-{n}".replace(" ", "-"), 0.5) for n in range(PROBES)]
        how = await asyncio.gather(*(made(stage.clients[n % 2], call, books) for n, call in enumerate(calls)))
        in_a_row = in_a_row + 1 if set(how) == {"good"} else 0
        batch += 1
    return time.monotonic() - since if in_a_row == 2 else RECOVERING


async def settled(stage: Stage, before: Census | None) -> Census:
    """Break all connections, so that none is kept for later calls, and count once nothing is in excess."""
    give_up = time.monotonic() + SETTLING
    while True:
        stage.proxy.drop()
        await asyncio.sleep(0.2)
        census = taken(stage.clients)
        if before is None or not leaked(before, census) or time.monotonic() > give_up:
            return census


def standing(stage: Stage) -> str:
    """Tell how the clients stand."""
    return "; ".join(str(client.stats()) for client in stage.clients)


def table(reports: Sequence[Report]) -> str:
    """Show what came of the phases."""
    head = f"{'phase':28}{'secs':>6}{'calls':>7}{'good':>6}{'failed':>7}{'left':>6}{'met':>6}{'back in':>9}"
    lines = [f"{head}{'tasks':>7}{'sockets':>9}{'files':>7}{'MiB':>7}"]
    for one in reports:
        census = one.census or Census(tasks=0, sockets=0, files=0, threads=0, places=0, megabytes=0.0)
        told = one.told
        line = f"{one.phase:28}{one.seconds:6.1f}{one.calls:7}{told['good']:6}{told['failed']:7}{told['left']:6}"
        line += f"{sum(one.met.values()):6}{one.recovered:8.2f}s{census.tasks:7}{census.sockets:9}{census.files:7}"
        lines.append(f"{line}{census.megabytes:7.0f}")
    return "\n".join(lines)


def failure(seed: int, reports: Sequence[Report]) -> str:
    """Tell what must not be, and where; nothing if all is well."""
    lines: list[str] = []
    for number, one in enumerate(reports):
        if one.flaws:
            lines.append(f"seed {seed}, phase {number}, {one.phase!r}:")
            lines += [f"  {flaw}" for flaw in one.flaws]
            lines.append(f"  errors: {dict(one.errors)}; met: {dict(one.met)}")
    return "\n".join([*lines, f"Again, with the same --each: python -m tests.soak --seed {seed}"] if lines else [])
