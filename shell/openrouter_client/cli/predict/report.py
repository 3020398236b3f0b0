"""The words of the report: one line for each thing that a person is told, without colours and without layout.

Pure: values in, text out.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from openrouter_client.cli.money import usd
from openrouter_client.cli.predict.rows import Failed, NotDone, Predicted, Row, Summary


class Heading(Struct, frozen=True, kw_only=True):
    """What is about to be done. `stand_in` describes the local simulator that answers, `None` for the real API."""

    source: str
    markets: int
    model: str
    concurrency: int
    max_retries: int
    base_url: str
    stand_in: str | None


class Wait(Struct, frozen=True, kw_only=True):
    """A row's attempt failed and the next follows after `delay` seconds.

    `retry` counts from 1, up to `of` if there is a limit.
    """

    retry: int
    of: int | None
    delay: float
    reason: str


def stand_in_notice(heading: Heading) -> str:
    """That the answers are made up, said so that nobody can miss it; empty for the real API."""
    if heading.stand_in is None:
        return ""
    return (
        f"LOCAL STAND-IN: a simulator on this machine ({heading.stand_in}) makes the answers up. "
        "No model is asked: these are not forecasts, and nothing is charged."
    )


def intent(heading: Heading) -> str:
    """What is asked of whom, and how hard."""
    whom = "the local stand-in" if heading.stand_in is not None else heading.base_url
    return (
        f"{heading.markets} markets from {heading.source}, model {heading.model} at {whom}, "
        f"{heading.concurrency} at a time, up to {heading.max_retries} retries each"
    )


def wait_line(wait: Wait, left: float) -> str:
    """A retry that is to come, `left` seconds from now."""
    place = str(wait.retry) if wait.of is None else f"{wait.retry}/{wait.of}"
    return f"retry {place} in {left:.1f} s: {shorten(wait.reason, 100)}"


def outcome_line(row: Row) -> str:
    """How a row ended, for where its line in the table comes later."""
    match row:
        case Predicted():
            return f"#{row.row} predicted on attempt {row.call.attempts}"
        case Failed():
            return f"#{row.row} failed on attempt {row.call.attempts}"
        case NotDone():
            return f"#{row.row} cut off" if row.asked else f"#{row.row} not asked"


def facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """The totals as pairs of a label and a line."""
    yield "rows", _rows_words(summary)
    yield "predicted", f"{summary.yes} yes, {summary.no} no, {summary.hold} hold"
    if summary.models:
        yield "model", counted(summary.models)
    yield "retries", _retries_words(summary)
    yield "cost", _cost_words(summary)
    yield "time", f"{summary.wall_secs:.1f} s"
    for number, best in enumerate(summary.best):
        label = "best edges" if number == 0 else ""
        yield label, f"{signed(best.edge)} {best.prediction.upper():<3}  #{best.row} {shorten(best.question, 66)}"


def _rows_words(summary: Summary) -> str:
    words = f"{summary.predicted} of {summary.markets} markets predicted, {summary.failed} failed"
    if not summary.not_done:
        return words
    never = summary.not_done - summary.cut_off
    return f"{words}; interrupted: {summary.cut_off} calls cut off, which may be billed, {never} never asked"


def _retries_words(summary: Summary) -> str:
    if not summary.retries:
        return "none were needed"
    return f"{summary.retries} made, {summary.recovered} rows recovered by them ({counted(summary.retried)})"


def _cost_words(summary: Summary) -> str:
    charged = " made up, nothing is charged," if summary.stand_in else ""
    words = (
        f"{usd(summary.cost_usd)}{charged} for {summary.prompt_tokens:,} tokens in, "
        f"{summary.completion_tokens:,} out, {summary.attempts} requests"
    )
    return f"{words}; unknown for {summary.rows_without_cost} of the rows" if summary.rows_without_cost else words


def counted(reasons: Mapping[str, int]) -> str:
    """Reasons with how often each came, most frequent first."""
    return ", ".join(f"{count} x {reason}" for reason, count in reasons.items())


def signed(edge: float) -> str:
    """An edge with its sign; a zero has none."""
    return f"{edge:+.3f}" if round(edge, 3) else " 0.000"


def shorten(text: str, limit: int) -> str:
    """A text on one line without control characters; cut to `limit` characters with an ellipsis."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
