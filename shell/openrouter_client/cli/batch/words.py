"""The words of a bulk run: one line for each thing that a person is told. Pure: values in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from openrouter_core.admission import Stats
from openrouter_core.bulk.batches import Intent
from openrouter_core.bulk.estimate import Estimate
from openrouter_core.bulk.figures import Counts, Progress, Summary
from openrouter_core.limit.standard import View

Slow = tuple[int, str | None, float]
"""A row that is under way: its number, its own name, and since how many seconds."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a ledger's run stands: its rows, what it asks, the rows under way, since so many seconds, and its batches.

    `running` is the process that is at work on it, None where none is; `rate` is in rows per second, `eta` in seconds.
    """

    counts: Counts
    settings: Any
    running: str | None
    rate: float
    eta: float | None
    slowest: tuple[Slow, ...]
    batches: tuple[Intent, ...]


SLOW_SECS = 10.0
"""From when on a call is worth a word."""


def usd(amount: float | None) -> str:
    """An amount of money; `$?` if it is not known."""
    return "$?" if amount is None else f"${amount:,.2f}" if amount >= 100.0 else f"${amount:.4f}"


def duration(seconds: float | None) -> str:
    """A time; `?` if it is not known."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {whole % 60:02d} s"


def standing(progress: Progress) -> str:
    """How the rows stand, how fast it goes, and until when."""
    counts = progress.counts
    rest = "" if progress.eta == 0.0 else f", {duration(progress.eta)} left"
    return f"{rows(counts)}; {progress.rate:.3g} rows/s{rest}"


def rows(counts: Counts) -> str:
    """How the rows stand."""
    others = [
        f"{many:,} {what}"
        for many, what in (
            (counts.failed, "failed"),
            (counts.refused, "refused"),
            (counts.in_doubt, "in doubt"),
            (counts.in_flight, "in flight"),
            (counts.todo, "to do"),
        )
        if many
    ]
    return ", ".join([f"{counts.done:,} of {counts.rows:,} rows done", *others])


def money(counts: Counts, projected: float | None = None) -> str:
    """What it has cost, and what it will."""
    told = f"{usd(counts.cost_usd)} for {counts.prompt_tokens:,} tokens in, {counts.completion_tokens:,} out"
    if counts.cost_unknown:
        told += f"; unknown for {counts.cost_unknown:,} calls"
    return told if projected is None else f"{told}; all rows: about {usd(projected)}"


def quota(stats: Stats) -> str:
    """What was found out about the quota."""
    found = [
        f"{name or 'all models'}: {told}"
        for name, scope in stats.scopes.items()
        if (told := rate_of(scope)) is not None
    ]
    held = "held by an outage" if stats.held else ""
    refused = f"{stats.refused_share:.1%} refused (429)" if stats.refused else ""
    waiting = f"{stats.waiting} wait for their turn" if stats.waiting else ""
    return ", ".join(part for part in (*found, refused, waiting, held) if part)


def rate_of(scope: View) -> str | None:
    """The quota that was found, if one was."""
    return f"about {scope.rate:.3g} requests/s" if math.isfinite(scope.rate) else None


def slow(rows: Sequence[Slow]) -> str:
    """The rows that take longest; empty where none takes long."""
    return for_long([one for one in rows if one[2] >= SLOW_SECS])


def for_long(rows: Sequence[Slow]) -> str:
    """Rows, and for how long they have been under way."""
    return ", ".join(f"{named(row, name)} for {duration(seconds)}" for row, name, seconds in rows)


def named(row: int, name: str | None) -> str:
    """A row, with its own name."""
    return f"row {row}" if name is None else f"row {row} ({name})"


def in_batches(batches: Sequence[Intent]) -> str:
    """How the batches stand that are not over, the oldest first."""
    told = [f"{one.id or 'batch'} {one.status}, {one.completed + one.failed:,} of {one.rows:,}" for one in batches[:3]]
    return "; ".join([*told, *([f"{len(batches) - 3} more"] if len(batches) > 3 else [])])


def lines(
    progress: Progress, stats: Stats, slowest: Sequence[Slow], batches: Sequence[Intent] = ()
) -> Iterator[tuple[str, str]]:
    """The live display, as pairs of a label and a line."""
    yield "rows", standing(progress)
    yield "cost", money(progress.counts, progress.projected_usd)
    if batches:
        yield "batches", in_batches(batches)
    if told := quota(stats):
        yield "quota", told
    if told := slow(slowest):
        yield "slowest", told


def standing_still(status: Status) -> Iterator[tuple[str, str]]:
    """What a ledger tells, as pairs of a label and a line."""
    yield "rows", rows(status.counts)
    yield "run", "none is at work" if status.running is None else f"{status.running} is at work"
    if status.rate > 0.0:
        yield "rate", f"{status.rate:.3g} rows/s, {duration(status.eta)} left"
    yield "cost", money(status.counts)
    yield "model", str(status.settings.get("model"))
    if status.batches:
        yield "batches", in_batches(status.batches)
    if status.slowest:
        yield (
            "slowest",
            ", ".join(f"{named(row, name)} for {duration(seconds)}" for row, name, seconds in status.slowest),
        )


def ending(summary: Summary, command: str) -> Iterator[tuple[str, str]]:
    """The end of a run, as pairs of a label and a line; `command` says how to go on."""
    yield "rows", rows(summary.counts)
    yield "cost", money(summary.counts)
    yield "time", f"{duration(summary.seconds)}, {summary.rate:.3g} rows/s"
    if summary.told or summary.stop:
        yield "stopped", summary.told or {"interrupted": "interrupted"}.get(str(summary.stop), str(summary.stop))
    yield from advice(summary, command)


def advice(summary: Summary, command: str) -> Iterator[tuple[str, str]]:
    """How to go on."""
    counts = summary.counts
    if summary.in_batches:
        yield (
            "go on",
            f"{summary.in_batches:,} rows are in batches: run the same command with --via batches to fetch them",
        )
    elif counts.todo or counts.in_flight or counts.in_doubt:
        doubt = " (rows in doubt may have been paid: --in-doubt retry, skip or report)" if counts.in_doubt else ""
        yield "go on", f"run the same command again{doubt}"
    elif counts.failed or counts.refused:
        yield "go on", f"see `openrouter-client batch failures {command}`; --retry-failed asks those rows again"


def doubts(settled: Mapping[str, int]) -> str:
    """What became of the rows that an earlier run had left in doubt."""
    kinds = {
        "answered": "answered after all",
        "free": "asked again at no cost",
        "paid": "paid, without an answer",
        "unknown": "unknown",
    }
    told = [f"{settled[kind]:,} {words}" for kind, words in kinds.items() if settled.get(kind)]
    return f"rows in doubt from an earlier run: {', '.join(told)}"


def estimated(estimate: Estimate) -> Iterator[tuple[str, str]]:
    """What a run would take, as pairs of a label and a line."""
    yield "rows", f"{estimate.rows:,}, of which {estimate.invalid:,} cannot be asked"
    unbounded = f", without a bound for {estimate.unbounded:,} rows (--max-tokens)" if estimate.unbounded else ""
    yield "tokens", f"about {estimate.prompt_tokens:,} in, at most {estimate.most_tokens:,} out{unbounded}"
    if estimate.unpriced < estimate.rows - estimate.invalid:
        yield "cost", f"about {usd(estimate.about_usd)} for the prompts, at most {usd(estimate.most_usd)} in all"
    if estimate.batches:
        yield "batches", f"{estimate.batches:,}"
    if estimate.full_price:
        yield "", f"at the full price for {estimate.full_price:,} rows, whose models' price in batches no list tells"
    if estimate.priceless:
        yield "cost", f"unknown, without the price list ({estimate.priceless})"
    elif estimate.unpriced:
        yield "", f"the price of {estimate.unpriced:,} rows is not known"
    for flaw in estimate.flaws:
        yield "flaw", flaw
