"""`openrouter-client simulate-load`: the real core against a described server, under the virtual clock."""

import random
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from openrouter_client.cli.drawing import Curve, Panel, blocks_of, draw_panels, flaw, sparkline
from openrouter_client.cli.load_table import ROWS, cell
from openrouter_client.cli.options import Json
from openrouter_client.cli.output import Output
from openrouter_core.errors import InvalidRequest
from openrouter_core.load import Load, ServerSpec, Tells, ideal
from openrouter_core.load_figures import Figures, Series, figures, series
from openrouter_core.load_scenarios import CONTENDERS, KNOWING, SCENARIOS, Contender, Scenario, chosen, play

WIDTH = 60
POLICIES = "ours,1-2-4,openai-python,known-rate"
MEASURES = ("goodput", "rejections", "waiting")
TITLES = {"goodput": "answers per second", "rejections": "rejections per second", "waiting": "calls that wait"}


class Outcome(msgspec.Struct, frozen=True):
    """What a policy reached: its figures, and what happened second by second."""

    figures: Figures
    series: Series


class Report(msgspec.Struct, frozen=True):
    """A scenario, the seed of its dice, and what each policy reached."""

    scenario: Scenario
    seed: int
    policies: dict[str, Outcome]


def simulate_load(
    *,
    scenario: str = "10",
    server: Path | None = None,
    rate: str | None = None,
    burst: float | None = None,
    window: str | None = None,
    tells: Tells | None = None,
    lie: float | None = None,
    ahead: float | None = None,
    latency: float | None = None,
    spread: float | None = None,
    failing: float | None = None,
    spurious: float | None = None,
    spurious_hint: float | None = None,
    outage: str | None = None,
    calls: int | None = None,
    together: int | None = None,
    every: float | None = None,
    timeout: float | None = None,
    policies: str = POLICIES,
    seed: int = 1,
    scenarios: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    plot: Path | None = None,
) -> int:
    """Compare policies under load; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    scenario
        The server and the load to begin with, by name; --scenarios lists them. Other options change it.
    server
        A JSON file that describes the server instead, as `--json` prints it under scenario.server.
    rate
        A quota that refills evenly, in requests per second: "10", or with changes, "10,5@100,20@250" (seconds after @).
    burst
        How many requests such a quota grants at once; unless given, one second's.
    window
        A quota of fixed windows: so many requests in so many seconds, "20/60".
    tells
        What a refusal tells: "nothing", "exact" or "whole" seconds (Retry-After), "reset" (X-RateLimit-...), "named"
        (these, and that the window is a minute, if it is one).
    lie
        What refusals tell is multiplied by this.
    ahead
        How many seconds the client's clock is ahead; the server then sends no Date.
    latency
        The median of an answer's time in seconds.
    spread
        The standard deviation of its logarithm.
    failing
        The share of requests that are answered with 502.
    spurious
        The share of requests that are refused with 429, quota or not.
    spurious_hint
        How many seconds such a refusal asks to wait.
    outage
        From and to which second all answers are 502: "30:60".
    calls
        How many calls come.
    together
        How many are alive at a time; the next begins when one ends.
    every
        Seconds between two arrivals; 0: all are there at once.
    timeout
        The limit of one attempt in seconds.
    policies
        What to compare, by name, with commas: ours, 1-2-4, unlimited (ours without limits of its own), openai-python,
        full-jitter, no-retries, known-rate (ours, told the server's rate).
    seed
        Fixes every chance.
    scenarios
        List the scenarios, and do nothing else.
    json
        Print one JSON object instead: the scenario, and for each policy its figures and what happened in each second.
    plot
        Also draw the curves into this file, .png or .svg; needs matplotlib (the extra `plot`).

    """
    out = Output("simulate-load", json=json)
    if scenarios:
        for name, one in SCENARIOS.items():
            out.console.print(f"{name:<20} {one.title}", markup=False, soft_wrap=True)
        return 0
    told: dict[str, Any] = {
        "tells": tells, "lie": lie, "ahead": ahead, "dated": None if ahead is None else False, "latency": latency,
        "spread": spread, "failing": failing, "spurious": spurious, "spurious_hint": spurious_hint,
    }  # fmt: skip
    come: dict[str, Any] = {"calls": calls, "together": together, "every": every, "timeout": timeout}
    try:
        told |= {"quota": quota_of(rate, burst, window), "outage": outage_of(outage)}
        base = begun(scenario, server)
        described = changed(base.server, told, ServerSpec)
        title = base.title if described == base.server else "as described"
        wanted = Scenario(title, described, changed(base.load, come, Load))
        contenders = [found(name.strip(), described) for name in policies.split(",")]
    except ValueError as error:
        return out.failed(InvalidRequest(message=str(error), field="the options"))
    wrong = flaw(plot)
    if wrong is not None:
        return out.failed(InvalidRequest(message=wrong, field="--plot"))
    with out.waiting("simulating"):
        report = compared(wanted, contenders, seed)
    if json:
        out.value(report)
    else:
        show(out.console, report)
    if plot is not None:
        draw_panels(plot, title, panels(report))
    return 0


# --- reading --------------------------------------------------------------------------------------------------------


def begun(scenario: str, server: Path | None) -> Scenario:
    """Find what to begin with."""
    if scenario not in SCENARIOS:
        raise ValueError(f"--scenario: there is no {scenario!r}; known: {', '.join(SCENARIOS)}")
    if server is None:
        return SCENARIOS[scenario]
    try:
        described = msgspec.json.decode(server.read_bytes(), type=ServerSpec)
    except OSError as error:
        raise ValueError(f"--server {server}: {error.strerror or error}") from None
    except msgspec.MsgspecError as error:
        raise ValueError(f"--server {server}: {error}") from None
    return Scenario(server.name, described, SCENARIOS[scenario].load)


def changed(base: Any, told: dict[str, Any], kind: Any) -> Any:
    """Change what was told, and check all of it."""
    given = {name: value for name, value in told.items() if value is not None}
    return msgspec.convert(msgspec.to_builtins(base) | given, kind)


def quota_of(rate: str | None, burst: float | None, window: str | None) -> dict[str, Any] | None:
    """Read a quota, if one is told."""
    if window is not None:
        if rate is not None or burst is not None:
            raise ValueError("--window excludes --rate and --burst")
        limit, _, length = window.partition("/")
        seconds = number("--window", length, "20/60")
        return {"type": "windows", "limit": int(number("--window", limit, "20/60")), "length": seconds}
    if rate is None:
        if burst is not None:
            raise ValueError("--burst needs --rate")
        return None
    words = (word.partition("@") for word in rate.split(","))
    rates = [(number("--rate", at or "0", "10,5@100"), number("--rate", value, "10,5@100")) for value, _, at in words]
    return {"type": "bucket", "rates": sorted(rates), "burst": max(1.0, rates[0][1]) if burst is None else burst}


def outage_of(told: str | None) -> tuple[float, float] | None:
    """Read from and to when an outage lasts."""
    if told is None:
        return None
    start, _, end = told.partition(":")
    return number("--outage", start, "30:60"), number("--outage", end, "30:60")


def number(option: str, word: str, example: str) -> float:
    """Read a number of an option."""
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{option}: {word!r} is not a number; for example {example!r}") from None


def found(name: str, server: ServerSpec) -> Contender:
    """Find a policy."""
    contender = chosen(name, server)
    if contender is None:
        raise ValueError(f"--policies: there is no {name!r}; known: {', '.join([*CONTENDERS, KNOWING])}")
    return contender


# --- running and showing --------------------------------------------------------------------------------------------


def dice(seed: int) -> Iterator[float]:
    """Roll numbers in [0, 1), the same for the same seed."""
    rolls = random.Random(seed)  # noqa: S311 -- chances that can be repeated are wanted
    return (rolls.random() for _ in repeat(None))


def compared(scenario: Scenario, contenders: list[Contender], seed: int) -> Report:
    """Run the scenario under each policy."""
    server, load = scenario.server, scenario.load
    best = None if server.pool is not None else ideal(load, server, dice(seed))
    reached: dict[str, Outcome] = {}
    for contender in contenders:
        timeline = play(scenario, contender, dice(seed))
        reached[contender.name] = Outcome(figures(timeline, load, server, best), series(timeline))
    return Report(scenario, seed, reached)


def panels(report: Report) -> list[Panel]:
    """Give the curves of all policies, one panel for each measure."""
    return [
        Panel(
            TITLES[measure],
            1.0,
            tuple(Curve(name, values(one.series, measure)) for name, one in report.policies.items()),
        )
        for measure in MEASURES
    ]


def values(told: Series, measure: str) -> tuple[float, ...]:
    """Give one of the series."""
    counts: tuple[int, ...] = getattr(told, measure)
    return tuple(map(float, counts))


def condensed(curve: tuple[float, ...], spans: int, width: int) -> list[float]:
    """Average a curve of at most `spans` values into `width` parts of the same length; it is 0 after its end."""
    size = spans / width
    if size <= 1.0:
        return list(curve)
    parts = [curve[int(part * size) : max(int(part * size) + 1, int((part + 1) * size))] for part in range(width)]
    return [sum(part) / max(1, len(part)) for part in parts]


def show(console: Console, report: Report) -> None:
    """Print the figures side by side, and the curves as rows of characters."""
    load = report.scenario.load
    pace = "at once" if load.every <= 0.0 else f"every {load.every:g} s"
    together = "" if load.together >= load.calls else f", {load.together} at a time"
    heading = f"{report.scenario.title}: {load.calls} calls {pace}{together}; seed {report.seed}"
    console.print(heading, markup=False, soft_wrap=True)
    table = Table("", *report.policies)
    reached = [one.figures for one in report.policies.values()]
    for title, shown in ROWS.items():
        told = [shown(one) for one in reached]
        if any(value is not None for value in told):
            table.add_row(title, *(cell(value) for value in told))
    console.print(table)
    spans = max(len(one.series.goodput) for one in report.policies.values())
    names = max(map(len, report.policies))
    for panel in panels(report):
        curves = {curve.name: condensed(curve.values, spans, WIDTH) for curve in panel.curves}
        top = max((value for curve in curves.values() for value in curve), default=0.0)
        console.print(f"{panel.title} (0 to {top:.3g}), {spans} s", markup=False, soft_wrap=True)
        for name, curve in curves.items():
            row = sparkline(curve, top, blocks_of(console.file))
            console.print(f"{name:>{names}} |{row:<{WIDTH}}|", markup=False, soft_wrap=True)
