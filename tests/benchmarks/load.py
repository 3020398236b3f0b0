"""What policies reach under load: goals beside figures, under the virtual clock and in real time over loopback.

    python -m tests.benchmarks.load [--quick] [--virtual | --real] [--only NAME,...] [--peers openai] [--readme]

Under the virtual clock each scenario of `openrouter_core.load_scenarios` runs under each policy. In real time the local
OpenRouter is a process of its own with a quota of 200 requests/s, and 4,000 calls come 500 at a time. The figures of
this client are means over seeds or runs. A goal is for this client; what the others reach stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tests.benchmarks.bench import environment, into_readme, listed, machine

from openrouter_client.cli.load_table import ROWS, Value
from openrouter_core.load import Bucket, Load, ServerSpec, Windows, ideal
from openrouter_core.load_figures import Figures, Log, figures, measured
from openrouter_core.load_scenarios import KNOWING, SCENARIOS, Contender, Scenario, chosen, play

ROOT = Path(__file__).resolve().parents[2]
MARKS = {part: (f"<!-- load, {part}: begin -->", f"<!-- load, {part}: end -->") for part in ("virtual", "real")}
CONTENDERS = ("ours", "1-2-4", "openai-python", "full-jitter", "no-retries", KNOWING)
SEEDS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, by its row in the table of `simulate-load`, and the most or the least that it may be."""

    short: str
    row: str
    bound: float
    most: bool = True

    def met(self, value: float) -> bool:
        """Tell whether a value is as good as was asked."""
        return value <= self.bound if self.most else value >= self.bound

    def __str__(self) -> str:
        return f"{self.short} {'<=' if self.most else '>='} {self.bound:g}"


LOST = Goal("lost", "calls lost", 0.0)
START = Goal("rejected", "rejections per success", 0.02)
LATER = Goal("later", "after the first 10 s", 0.01)
NEVER = Goal("later", "after the first 10 s", 0.0)
USED = Goal("used", "of the quota, after 10 s", 0.98, most=False)
TIME = Goal("time", "total time : ideal", 1.05)
QUOTA = (LOST, START, LATER, USED, TIME)
DOCUMENTED = (LOST, START, NEVER, USED, TIME)
FALL = (
    LOST,
    Goal("settled", "after a fall: settled, s", 10.0),
    Goal("rejected", "after a fall: rejections per success", 0.02),
)
RISE = Goal("rise", "after a rise: settled, s", 100.0)
OUTAGE = (
    LOST,
    Goal("sent", "outage: requests per arrival", 0.2),
    Goal("first, s", "outage: first success, s", 5.0),
    Goal("drained, s", "outage: drained, s", 30.0),
)

GOALS: dict[str, tuple[Goal, ...]] = {
    "200": QUOTA,
    "200-hinted": QUOTA,
    "200-hinted-20": QUOTA,
    "200-windows": QUOTA,
    "200-windows-hinted": QUOTA,
    "200-windows-told": DOCUMENTED,
    "10": QUOTA,
    "10-300": QUOTA,
    "10-hinted": QUOTA,
    "10-strict": QUOTA,
    "free": DOCUMENTED,
    "minutes": QUOTA,
    "minutes-untold": QUOTA,
    "200-halves": FALL,
    "moving": (*FALL, RISE),
    "outage": OUTAGE,
    "failing": (LOST, Goal("sent", "requests per call", 1.06)),
    "spurious": (LOST, Goal("time", "total time : ideal", 1.1)),
    "queue": (LOST,),
    "cold": (LOST, Goal("p95, s", "p95 of a call, s", math.inf)),
}
"""What is asked of this client. The bound of the cold burst is what it takes without a limiter, and 2 s more."""

REALLY = "In real time over loopback, {} calls, {} at a time: `ours` is the mean of {} runs, the others one each."
VIRTUALLY = "Under the virtual clock: `ours` is the mean over {} seeds, the others are one run each."

QUICK = ("200", "10", "free", "outage", "failing", "cold")
MORE_THAN_WITHOUT = 2.0


# --- the virtual clock ----------------------------------------------------------------------------------------------


def dice(seed: int) -> Iterator[float]:
    """Roll numbers in [0, 1)."""
    return iter(random.Random(seed).random, None)


def run(key: str, name: str, seed: int) -> Figures:
    """Run a scenario under a policy."""
    scenario = SCENARIOS[key]
    contender = chosen(name, scenario.server)
    assert contender is not None
    return tried(scenario, contender, seed)


def tried(scenario: Scenario, contender: Contender, seed: int) -> Figures:
    """Play a scenario with these dice, and measure it beside the ideal."""
    best = None if scenario.server.pool is not None else ideal(scenario.load, scenario.server, dice(seed))
    return figures(play(scenario, contender, dice(seed)), scenario.load, scenario.server, best)


def mean(rows: list[Figures], row: str) -> float | None:
    """Average a figure over runs; None where it makes no sense."""
    values: list[Value] = [ROWS[row](one) for one in rows]
    numbers = [value for value in values if isinstance(value, float)]
    return statistics.fmean(numbers) if len(numbers) == len(values) else None


def shown(value: float | None) -> str:
    """Write a figure."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "never"
    rounded = float(f"{value:.3g}")
    return (
        f"{rounded:.0f}" if value >= 100 else f"{rounded:g}" if value >= 0.1 else f"{value:.3f}".rstrip("0").rstrip(".")
    )


def verdict(goals: tuple[Goal, ...], values: list[float | None]) -> str:
    """Say which goals are met, and which are missed."""
    missed = [
        f"{goal} ({shown(value)})"
        for goal, value in zip(goals, values, strict=True)
        if value is None or not goal.met(value)
    ]
    return "met" if not missed else "missed: " + ", ".join(missed)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def virtual(keys: list[str], seeds: tuple[int, ...]) -> str:
    """Make the table of the virtual clock."""
    rows: list[list[str]] = []
    for key in keys:
        goals, cells, mine = GOALS[key], list[str](), list[float | None]()
        if key == "cold":
            without = mean([run(key, "unlimited", seed) for seed in seeds], "p95 of a call, s") or 0.0
            goals = (*goals[:-1], Goal("p95, s", "p95 of a call, s", round(without + MORE_THAN_WITHOUT, 2)))
        for name in CONTENDERS:
            sys.stderr.write(f"{key}: {name}\n")
            found = [run(key, name, seed) for seed in (seeds if name == "ours" else seeds[:1])]
            values = [mean(found, goal.row) for goal in goals]
            mine = mine or values
            cells.append(" / ".join(shown(value) for value in values))
        rows.append([SCENARIOS[key].title, " / ".join(goal.short for goal in goals), *cells, verdict(goals, mine)])
    return table(["server", "figures", *CONTENDERS, "goals"], rows)


# --- real time ------------------------------------------------------------------------------------------------------

RATE, CALLS, TOGETHER = 200, 4000, 500
QUOTAS: dict[str, tuple[str, tuple[Goal, ...]]] = {
    "200/s, hinted": ("200/s", QUOTA),
    "200/s, no hints": ("200/s nohint", QUOTA),
    "200 in each second, hinted": ("200/s window", QUOTA),
    "200 in each second, no hints": ("200/s window nohint", QUOTA),
    "200 in each second, X-RateLimit": ("200/s window reset", DOCUMENTED),
}
LATENCY = "0.03:0.04"
CLIENTS = ("ours", "unlimited")


@contextmanager
def serving(quota: str) -> Generator[tuple[str, str], None, None]:
    """Run the local OpenRouter as a process of its own; give its address and its key."""
    command = [
        *(sys.executable, "-c", "import sys; from openrouter_client.cli import main; sys.exit(main())"),
        *("simulate", "--port", "0", "--seed", "1", "--quota", quota, "--latency", LATENCY),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()) as server:
        assert server.stdout is not None
        try:
            line = next(line for line in server.stdout if "OPENROUTER_BASE_URL=" in line)
            url, key = (word.partition("=")[2] for word in line.split() if "=" in word)
            yield url, key
        finally:
            server.terminate()


def in_real_time(title: str, client: str) -> Figures:
    """Run a client against a local OpenRouter, each in a process of its own."""
    with serving(QUOTAS[title][0]) as (url, key):
        command = [sys.executable, "-m", "tests.benchmarks.load", "--worker", client, url, key, title]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=600
        )
    if done.returncode:
        raise SystemExit(f"{client} failed:\n{done.stderr[-3000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Figures)


def real(names: list[str], clients: list[str], runs: int) -> str:
    """Make the table of real time: our own figures are the mean of so many runs, those of the others are of one."""
    rows: list[list[str]] = []
    for title in names:
        goals = QUOTAS[title][1]
        cells, mine = list[str](), list[float | None]()
        for client in clients:
            sys.stderr.write(f"{title}: {client}, in real time\n")
            found = [in_real_time(title, client) for _ in range(runs if client == "ours" else 1)]
            values = [mean(found, goal.row) for goal in goals]
            mine = mine or values
            cells.append(" / ".join(shown(value) for value in values))
            sys.stderr.write(f"  {cells[-1]}\n")
        rows.append([title, " / ".join(goal.short for goal in goals), *cells, verdict(goals, mine)])
    return table(["local OpenRouter", "figures", *clients, "goals"], rows)


class Watch:
    """What happened to the calls of a client, on the loop's clock from the first call on."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = asyncio.get_running_loop().time
        self.zero: float = self.clock()
        self.sent: dict[Any, list[float]] = {"answered": [], "refused": [], "failed": []}
        self.begins: list[float] = [0.0] * CALLS
        self.ends: list[float] = [math.inf] * CALLS

    def now(self) -> float:
        """Tell the seconds since the first call."""
        return self.clock() - self.zero

    def saw(self, at: float, status: int | None) -> None:
        """Note an attempt that was sent at an instant."""
        self.sent["answered" if status == 200 else "refused" if status == 429 else "failed"].append(at)

    def log(self) -> Log:
        """Give all of it."""
        sent = {how: sorted(instants) for how, instants in self.sent.items()}
        return Log(sent=sent, begins=self.begins, ends=self.ends, ended=self.now())


async def with_ours(url: str, key: str, watch: Watch, *, adaptive: bool) -> None:
    """Let the calls come to this client."""
    from openrouter_client import (
        ChatCompletionRequest,
        ChatMessage,
        OpenRouterClient,
        OpenRouterConfig,
        Success,
        unwrap,
    )

    config = OpenRouterConfig(api_key=key, base_url=url, adaptive_limits=adaptive)
    async with unwrap(OpenRouterClient.new(config)) as client:

        async def call() -> bool:
            request = ChatCompletionRequest(model="x-ai/grok-4", messages=[ChatMessage.user("Wheat?")])
            began = watch.now()
            match await client.chat_completion(request):
                case Success(answer):
                    attempts, good = answer.call.attempts if answer.call is not None else (), True
                case failure:
                    attempts, good = failure.failure().attempts, False
            for attempt in attempts:
                watch.saw(began + attempt.started, attempt.status)
            return good

        await crowd(call, watch)


async def with_openai(url: str, key: str, watch: Watch) -> None:
    """Let the calls come to openai-python, with its defaults."""
    import importlib

    library: Any = importlib.import_module("openai")
    httpx: Any = importlib.import_module("httpx")
    began: dict[int, float] = {}

    async def leaves(request: Any) -> None:
        began[id(request)] = watch.now()

    async def comes(response: Any) -> None:
        watch.saw(began.pop(id(response.request)), response.status_code)

    http = library.DefaultAsyncHttpxClient(
        limits=httpx.Limits(max_connections=TOGETHER, max_keepalive_connections=TOGETHER),
        trust_env=False,
        event_hooks={"request": [leaves], "response": [comes]},
    )
    async with library.AsyncOpenAI(api_key=key, base_url=url, http_client=http) as client:

        async def call() -> bool:
            try:
                await client.chat.completions.create(
                    model="x-ai/grok-4", messages=[{"role": "user", "content": "Wheat?"}]
                )
            except library.OpenAIError:
                return False
            return True

        await crowd(call, watch)


async def crowd(call: Callable[[], Any], watch: Watch) -> None:
    """Make all calls, so many at a time."""
    left = iter(range(CALLS))
    watch.zero = watch.clock()

    async def worker() -> None:
        for number in left:
            watch.begins[number] = watch.now()
            if await call():
                watch.ends[number] = watch.now()

    await asyncio.gather(*(worker() for _ in range(TOGETHER)))


async def worker(client: str, url: str, key: str, title: str) -> Figures:
    """Measure one client in this process."""
    watch = Watch()
    match client:
        case "openai":
            await with_openai(url, key, watch)
        case _:
            await with_ours(url, key, watch, adaptive=client == "ours")
    quota = Windows(RATE, 1.0) if "window" in QUOTAS[title][0] else Bucket(((0.0, float(RATE)),), float(RATE))
    load, server = Load(calls=CALLS, together=TOGETHER), ServerSpec(quota=quota, latency=0.035, spread=0.0)
    return measured(watch.log(), load, server, ideal(load, server, dice(1)))


# --- the command ----------------------------------------------------------------------------------------------------


def options_of() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="few scenarios, one seed, one quota in real time")
    parser.add_argument("--virtual", action="store_true", help="only under the virtual clock")
    parser.add_argument("--real", action="store_true", help="only in real time")
    parser.add_argument("--only", default="", help="the scenarios to run, by name, separated by commas")
    parser.add_argument("--peers", default="", help="other clients in real time: openai")
    parser.add_argument("--readme", action="store_true", help="write the tables into README.md")
    parser.add_argument("--worker", nargs=4, default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure what was chosen, and print the tables."""
    options = options_of()
    if options.worker:
        found = asyncio.run(worker(*options.worker))
        sys.stdout.write(json.dumps(msgspec.to_builtins(found)) + "\n")
        return
    parts: dict[str, str] = {}
    seeds = SEEDS[:1] if options.quick else SEEDS
    if not options.real:
        keys = listed(options.only) or list(QUICK if options.quick else GOALS)
        parts["virtual"] = f"{virtual(keys, seeds)}\n\n{VIRTUALLY.format(len(seeds))}"
    if not options.virtual:
        names = list(QUOTAS)[: 1 if options.quick else None]
        told = f"{REALLY.format(CALLS, TOGETHER, len(seeds))} {machine()}"
        parts["real"] = f"{real(names, [*CLIENTS, *listed(options.peers)], len(seeds))}\n\n{told}"
    sys.stdout.write("\n\n".join(parts.values()) + "\n")
    if options.readme:
        for part, text in parts.items():
            into_readme(text, MARKS[part])


if __name__ == "__main__":
    main()
