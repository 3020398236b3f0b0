"""The figures of a run as rows of a table: what each is called, and how it is written."""

import math
from collections.abc import Callable

from openrouter_core.load_figures import Figures, Outage, Phase

Value = float | str | None
"""A figure; None where it makes no sense, infinity where it never came."""


def fallen(figures: Figures) -> Phase | None:
    """Find what followed from the first fall of the quota."""
    return next((phase for phase in figures.phases if phase.factor < 1.0), None)


def risen(figures: Figures) -> Phase | None:
    """Find what followed from the first rise of the quota."""
    return next((phase for phase in figures.phases if phase.factor > 1.0), None)


def never(seconds: float | None) -> float:
    """Give seconds, infinity for what never came."""
    return math.inf if seconds is None else seconds


def of_phase(find: Callable[[Figures], Phase | None], what: Callable[[Phase], float]) -> Callable[[Figures], Value]:
    """Read a figure of a phase, if there is one."""

    def read(figures: Figures) -> Value:
        phase = find(figures)
        return None if phase is None else what(phase)

    return read


def of_outage(what: Callable[[Outage], float]) -> Callable[[Figures], Value]:
    """Read a figure of an outage, if there is one."""
    return lambda figures: None if figures.outage is None else what(figures.outage)


ROWS: dict[str, Callable[[Figures], Value]] = {
    "calls lost": lambda figures: float(figures.lost),
    "rejections per success": lambda figures: figures.refused,
    "after the first 10 s": lambda figures: figures.later,
    "requests per call": lambda figures: figures.sends,
    "total time, s": lambda figures: figures.seconds,
    "total time : ideal": lambda figures: None if figures.lost else figures.to_ideal,
    "of the quota, after 10 s": lambda figures: figures.of_quota,
    "p50 of a call, s": lambda figures: never(figures.p50),
    "p95 of a call, s": lambda figures: never(figures.p95),
    "after a fall: settled, s": of_phase(fallen, lambda phase: never(phase.settled)),
    "after a fall: rejections per success": of_phase(fallen, lambda phase: phase.refused),
    "after a rise: settled, s": of_phase(risen, lambda phase: never(phase.settled)),
    "outage: requests per arrival": of_outage(lambda outage: outage.sends),
    "outage: first success, s": of_outage(lambda outage: never(outage.first)),
    "outage: drained, s": of_outage(lambda outage: never(outage.drained)),
}
"""The rows by title; a row without any figure is left out. Who loses calls is done early: that is no good time."""


def cell(value: Value) -> str:
    """Write a figure."""
    match value:
        case None:
            return ""
        case str():
            return value
        case _ if math.isinf(value):
            return "never"
        case _ if value == int(value):
            return f"{value:.0f}"
        case _ if value >= 100.0:
            return f"{value:.1f}"
        case _:
            return f"{value:.3g}" if value >= 0.1 else f"{value:.4f}"
