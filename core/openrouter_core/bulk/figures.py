"""How a run stands, how fast it goes, what it will cost, and how it ended: pure functions of counts and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import RowEvent, Stop

COMPLETE, PARTIAL, NOTHING, KEY, BUDGET, TIME, LEDGER, INTERRUPTED = 0, 1, 3, 4, 5, 8, 11, 130
"""The exit codes: all rows answered, some, none, no accepted key, out of money, out of time, the ledger failed, and
Ctrl-C."""

STOPPED: Mapping[Stop | None, int] = {
    "ledger": LEDGER,
    "interrupted": INTERRUPTED,
    "budget": BUDGET,
    "credits": BUDGET,
    "key": KEY,
    "deadline": TIME,
}
"""The exit codes of runs that were stopped."""

WINDOW_SECS = 30.0
"""The rate is that of the last so many seconds."""

STEP_SECS = 1.0
"""How far apart the marks are between which a rate is measured."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of a run stand.

    `failed` may do better another time, `refused` will not, `in_doubt` were under way when a run was killed. `cost_usd`
    is what is known of the cost, over all runs of the ledger; of `cost_unknown` rows nobody told it.
    """

    rows: int
    todo: int = 0
    in_flight: int = 0
    done: int = 0
    failed: int = 0
    refused: int = 0
    in_doubt: int = 0
    cost_usd: float = 0.0
    cost_unknown: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def ended(self) -> int:
        """How many rows have a line in the output."""
        return self.done + self.failed + self.refused

    @property
    def to_come(self) -> int:
        """How many rows are still to be answered by this run."""
        return self.todo + self.in_flight


PLACES: dict[RowEvent, str] = {"answer": "done", "fail": "failed", "refuse": "refused"}


def sent(counts: Counts) -> Counts:
    """Count a row whose call begins."""
    return msgspec.structs.replace(counts, todo=counts.todo - 1, in_flight=counts.in_flight + 1)


def counted(counts: Counts, outcome: Outcome) -> Counts:
    """Count a row whose call has ended; the row was in flight."""
    place = PLACES.get(outcome.event, "todo")
    return msgspec.structs.replace(
        counts,
        in_flight=counts.in_flight - 1,
        cost_usd=counts.cost_usd + (outcome.cost or 0.0),
        cost_unknown=counts.cost_unknown + (outcome.cost is None),
        prompt_tokens=counts.prompt_tokens + outcome.prompt_tokens,
        completion_tokens=counts.completion_tokens + outcome.completion_tokens,
        **{place: getattr(counts, place) + 1},
    )


def left(counts: Counts, *, sent: bool) -> Counts:
    """Count a row whose call was left before its end: in doubt if it had been sent, else as never asked."""
    place = "in_doubt" if sent else "todo"
    return msgspec.structs.replace(counts, in_flight=counts.in_flight - 1, **{place: getattr(counts, place) + 1})


class Meter(msgspec.Struct, frozen=True):
    """Marks of how many rows had ended at which instants, the oldest first, from which a rate is read."""

    marks: tuple[tuple[float, int], ...] = ()


def marked(meter: Meter, now: float, ended: int) -> Meter:
    """Add a mark, unless the last one is fresh, and drop all but one of those that the window has left behind."""
    if meter.marks and now - meter.marks[-1][0] < STEP_SECS:
        return meter
    marks = (*meter.marks, (now, ended))
    old = sum(at <= now - WINDOW_SECS for at, _ in marks)
    return Meter(marks[max(0, old - 1) :])


def rate(meter: Meter, now: float, ended: int) -> float:
    """Tell how many rows end in a second; 0 while nothing is known."""
    if not meter.marks or now <= meter.marks[0][0]:
        return 0.0
    at, before = meter.marks[0]
    return max(0.0, (ended - before) / (now - at))


def rate_of(ends: Sequence[float], now: float) -> float:
    """Tell how many rows end in a second, from when the last of them ended, the latest first.

    The window is that of a meter, or what `ends` reach back to.
    """
    recent = [at for at in ends if at > now - WINDOW_SECS]
    if not recent:
        return 0.0
    reach = WINDOW_SECS if len(recent) < len(ends) else now - recent[-1]
    return len(recent) / max(reach, STEP_SECS)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands at an instant: `rate` in rows per second, `eta` in seconds, `projected_usd` for all rows.

    None is: nobody can tell yet.
    """

    counts: Counts
    seconds: float
    rate: float
    eta: float | None
    projected_usd: float | None


def progress(counts: Counts, meter: Meter, began: float, now: float) -> Progress:
    """Tell how a run stands."""
    speed = rate(meter, now, counts.ended)
    return Progress(
        counts=counts,
        seconds=now - began,
        rate=speed,
        eta=counts.to_come / speed if speed > 0.0 else (None if counts.to_come else 0.0),
        projected_usd=projected(counts),
    )


def projected(counts: Counts) -> float | None:
    """Tell what all rows will cost in USD, if those to come cost as much as those whose cost is known."""
    known = counts.ended - counts.cost_unknown
    if known <= 0:
        return None
    return counts.cost_usd + counts.cost_usd / known * counts.to_come


def exit_code(counts: Counts, stop: Stop | None) -> int:
    """Tell how a run ended, as the exit code of the command."""
    if stop in STOPPED:
        return STOPPED[stop]
    if counts.done == counts.rows:
        return COMPLETE
    return PARTIAL if counts.done else NOTHING


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `stop` says why it ended before its rows did, `told` the error or the advice that goes with it.

    `answered_now` are the rows that this run answered itself, in `seconds`; `counts` are of all runs of the ledger.
    `in_batches` rows are in batches that go on at OpenRouter.
    """

    counts: Counts
    answered_now: int
    seconds: float
    rate: float
    exit_code: int
    stop: Stop | None = None
    told: str = ""
    in_batches: int = 0


def summed(counts: Counts, before: Counts, seconds: float, stop: Stop | None, told: str = "") -> Summary:
    """Sum up a run that began with the counts `before`."""
    ended = counts.ended - before.ended
    return Summary(
        counts=counts,
        answered_now=counts.done - before.done,
        seconds=seconds,
        rate=ended / seconds if seconds > 0.0 else 0.0,
        exit_code=exit_code(counts, stop),
        stop=stop,
        told=told,
    )
