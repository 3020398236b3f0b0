"""Servers drawn at random, met by the client's own limiters under the virtual clock: what the tables do not ask.

python -m tests.benchmarks.servers [--seeds 120] [--first 0] [--kinds windows,odd]     a table by kinds of servers
python -m tests.benchmarks.servers --seed 17                                           one of them

A seed draws a server (its quota, what its refusals tell, latencies, chance refusals, clocks that differ) and a load
that wants more than the quota. Chance refusals are taken off what is counted. `worst` names the seeds to look at.
Refusals that ask for more than the minute that a call waits at most are left out: who heeds them loses calls.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import sys
from collections.abc import Iterator
from typing import Any, cast

from msgspec import Struct
from tests.benchmarks.load import table, tried
from tests.cores import CORES

from openrouter_core.load import Bucket, Load, Quota, ServerSpec, Windows
from openrouter_core.load_scenarios import OURS, Scenario

KINDS = ("bucket", "strict", "moving", "hinted", "lying", "windows", "odd", "windows-hinted", "windows-lying", "named")
"""`strict`: a bucket without a burst. `odd`: windows of a length not in use. `named`: limit and reset are told."""

SLOWEST, RANGE = 2.0, 250.0
"""Quotas are from 2 requests per second to 250 times as many, evenly by order of magnitude."""


class Met(Struct):
    """What came of a server: calls lost, refusals per success in all and after 10 s, the quota used, time to ideal."""

    seed: int
    kind: str
    told: str
    lost: int
    refused: float
    later: float
    used: float | None
    time: float


def quota_of(chance: random.Random, kind: str, rate: float) -> Quota:
    """Draw a quota."""
    burst = float(chance.choice((max(2, round(rate)), chance.randint(2, 60), max(2, round(3 * rate)))))
    if kind in {"windows", "odd", "windows-hinted", "windows-lying", "named"}:
        usual = (1.0, 2.0, 5.0, 10.0) if kind == "windows-lying" else (1.0, 2.0, 5.0, 10.0, 60.0)
        length = chance.choice((3.5, 7.0, 13.0, 40.0, 90.0) if kind == "odd" else usual)
        return Windows(max(8, round(rate * length)), length, chance.uniform(0.0, length))
    if kind == "moving":
        after = rate * chance.choice((0.3, 0.5, 0.7, 1.5, 2.0, 4.0))
        return Bucket(((0.0, rate), (chance.choice((15.0, 30.0, 50.0)), after)), chance.choice((1.0, burst)))
    return Bucket(((0.0, rate),), 1.0 if kind == "strict" else burst)


def drawn(seed: int) -> tuple[str, Scenario]:
    """Draw a server and its load."""
    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    rate = SLOWEST * RANGE ** chance.random()
    quota = quota_of(chance, kind, rate)
    fast = rate > 80.0 or chance.random() < 0.3
    latency = chance.choice((0.03, 0.05, 0.2) if fast else (0.5, 1.0, 2.0, 4.0))
    hinted, lying = "hinted" in kind, "lying" in kind
    server = ServerSpec(
        quota=quota,
        tells="named" if kind == "named" else chance.choice(("exact", "whole")) if hinted or lying else "nothing",
        lie=chance.choice((0.2, 0.5, 2.0, 4.0)) if lying else 1.0,
        ahead=chance.choice((0.0, 0.0, 0.3, 1.5, -0.5)),
        dated=chance.random() < 0.7,
        latency=latency,
        spread=chance.choice((0.1, 0.3, 0.5)),
        refusal=chance.choice((0.02, 0.05) if fast else (0.03, 0.06, 0.15, 0.4)),
        spurious=chance.choice((0.0, 0.0, 0.0, 0.005, 0.01)),
    )
    length = quota.length if isinstance(quota, Windows) else 0.0
    most = max(rate, quota.limit / length) if isinstance(quota, Windows) else rate
    calls = round(min(most * max(120.0, 7 * length), 12_000))
    together = min(500, max(chance.choice((50, 100, 200, 300, 500)), round(most * latency * 2.6)))
    return kind, Scenario("", server, Load(calls=calls, together=together))


def met(seed: int) -> Met:
    """Run a server, and tell what came of it."""
    kind, scenario = drawn(seed)
    server, load = scenario.server, scenario.load
    found = tried(scenario, OURS, seed)
    told = f"{server!r}, {load!r}"
    refused, later = found.refused - server.spurious, found.later - server.spurious
    return Met(seed, kind, told, found.lost, refused, later, found.of_quota, cast("float", found.to_ideal))


def many(seeds: list[int]) -> Iterator[Met]:
    """Run servers on all cores, in the order of their seeds."""
    with multiprocessing.Pool(len(CORES) or None) as pool:
        yield from pool.imap(met, seeds)


def row(kind: str, found: list[Met]) -> list[str]:
    """Write a line of the table."""
    used = [one.used for one in found if one.used is not None]
    worst = sorted(found, key=lambda one: one.time + 10 * one.later)[-2:]
    return [
        kind,
        str(len(found)),
        str(sum(one.lost for one in found)),
        f"{statistics.fmean(one.refused for one in found):.3f}",
        f"{statistics.fmean(one.later for one in found):.3f}, {max(one.later for one in found):.3f}",
        f"{statistics.fmean(used):.3f}, {min(used):.3f}" if used else "-",
        f"{statistics.fmean(one.time for one in found):.2f}, {max(one.time for one in found):.2f}",
        ", ".join(f"{one.seed}" for one in reversed(worst)),
    ]


HEADS = ["server", "seeds", "lost", "refused", "later: mean, worst", "used: mean, worst", "time: mean, worst", "worst"]


def main() -> None:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=120, help="how many servers")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kinds", default=",".join(KINDS), help="only these, separated by commas")
    parser.add_argument("--seed", type=int, help="only this one")
    options: Any = parser.parse_args()
    if options.seed is not None:
        sys.stdout.write(f"{met(options.seed)}\n")
        return
    kinds = options.kinds.split(",")
    seeds = [seed for seed in range(options.first, options.first + options.seeds) if KINDS[seed % len(KINDS)] in kinds]
    found = list(many(seeds))
    rows = [row(kind, its) for kind in KINDS if (its := [one for one in found if one.kind == kind])]
    sys.stdout.write(table(HEADS, [*rows, row("all", found)]) + "\n")


if __name__ == "__main__":
    main()
