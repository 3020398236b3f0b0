"""`openrouter-client schedule`: what a policy will do, attempt by attempt, on the real core under a virtual clock."""

import math
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table

from openrouter_client.cli.drawing import Span, bar, blocks_of, draw_spans, flaw
from openrouter_client.cli.options import Json
from openrouter_client.cli.output import Output
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.journal import Answered, Ended, Sent, Slept
from openrouter_core.load import ANSWER, enveloped
from openrouter_core.outcome import Interrupted, Outcome, Responded, Unreachable, summary
from openrouter_core.policy import Policy, policy_of
from openrouter_core.simulate import Reply, Timeline, chat_job, scripted, simulate

WIDTH = 60
LATEST = math.nextafter(1.0, 0.0)
"""The largest roll."""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: when it is sent, how it ends, and the wait after it, in seconds from and to; None: none follows."""

    number: int
    sent: tuple[float, float]
    ended: tuple[float, float]
    outcome: str
    wait: tuple[float, float] | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy does: its schedules in words, the attempts, and the end in seconds and in words."""

    schedule: str
    rate_schedule: str
    attempts: tuple[Try, ...]
    ends: tuple[float, float]
    result: str


def schedule(
    *,
    retries: int = 3,
    rate_retries: int | None = None,
    delay: float = 1.0,
    cap: float | None = None,
    jitter: Literal["none", "full", "equal"] = "none",
    hint_spread: float | None = None,
    deadline: float | None = None,
    timeout: float = 60.0,
    outcomes: str = "503",
    took: float = 0.5,
    json: Json = False,
    plot: Path | None = None,
) -> int:
    """Show what a policy will do; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    retries
        How often a call is tried again.
    rate_retries
        How often after a 429; unless given, as often as after any failure: the call shown is alone.
    delay
        The first wait in seconds; each later one is twice as long.
    cap
        The longest wait in seconds.
    jitter
        How the waits are shortened at random: "none", "full" (to anything from nothing), "equal" (by half at most).
    hint_spread
        By which share at most a wait that the server asked for is lengthened at random.
    deadline
        The limit of the whole call in seconds.
    timeout
        The limit of one attempt in seconds.
    outcomes
        How the attempts end, with commas, the last one for ever: a status, after @ the seconds that the server asks to
        wait, or "timeout", "unreachable", "disconnected". For example "429@5,503,200".
    took
        How long each attempt takes, in seconds.
    json
        Print one JSON object instead.
    plot
        Also draw it into this file, .png or .svg; needs matplotlib (the extra `plot`).

    """
    out = Output("schedule", json=json)
    settings = {
        "api_key": "none",
        "max_retries": retries,
        "max_rate_retries": rate_retries,
        "retry_delay_ms": delay * 1000.0,
        "max_retry_delay_ms": None if cap is None else cap * 1000.0,
        "jitter": jitter,
        "hint_spread": hint_spread,
        "deadline_secs": deadline,
        "timeout_secs": timeout,
    }
    try:
        given = {name: whole(value) for name, value in settings.items() if value is not None}
        policy = policy_of(msgspec.convert(given, OpenRouterConfig))
        replies = [reply_of(word.strip(), took) for word in outcomes.split(",")]
    except ValueError as error:
        return out.failed(InvalidRequest(message=str(error), field="the options"))
    wrong = flaw(plot)
    if wrong is not None:
        return out.failed(InvalidRequest(message=wrong, field="--plot"))
    found = forecast(policy, replies)
    if json:
        out.value(found)
    else:
        show(out.console, found)
    if plot is not None:
        draw_spans(plot, found.schedule, [drawn(one) for one in found.attempts])
    return 0


def whole(value: Any) -> Any:
    """Write a number without a fraction as an int: what a config counts in whole milliseconds."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def reply_of(word: str, took: float) -> Reply:
    """Read how an attempt ends."""
    status, _, hint = word.partition("@")
    match status:
        case "timeout":
            return Reply(Responded(200, ANSWER), math.inf)
        case "unreachable":
            return Reply(Unreachable("refused", "connection refused"), took)
        case "disconnected":
            return Reply(Interrupted("the connection was lost"), took)
        case _ if status.isascii() and status.isdigit() and 100 <= int(status) <= 599:
            return Reply(responded(int(status), hint, word), took)
        case _:
            known = "a status such as 503 or 429@5, timeout, unreachable or disconnected"
            raise ValueError(f"--outcomes: {word!r} is none; expected {known}")


def responded(status: int, hint: str, word: str) -> Outcome:
    """Make an answer with a status, and with a hint if there is one."""
    try:
        headers = {"retry-after": f"{float(hint)}"} if hint else {}
    except ValueError:
        raise ValueError(f"--outcomes: in {word!r}, {hint!r} is not a number of seconds") from None
    return Responded(status, ANSWER if status == 200 else enveloped(status, f"HTTP {status}"), headers)


def forecast(policy: Policy, replies: list[Reply]) -> Forecast:
    """Run a call twice, with the smallest and the largest chances."""
    low, high = (simulate([(0.0, chat_job(policy))], scripted(replies), rolls=repeat(roll)) for roll in (0.0, LATEST))
    shorter, longer = sorted((tries(low), tries(high)), key=len)
    attempts = tuple(spread(one, other) for one, other in zip(longer, [*shorter, *longer[len(shorter) :]], strict=True))
    ends = sorted(timeline.moments[-1].at for timeline in (low, high))
    results = dict.fromkeys(told(timeline) for timeline in (low, high))
    rate = policy.schedule if policy.rate_schedule is None else policy.rate_schedule
    return Forecast(
        schedule=str(policy.schedule),
        rate_schedule=str(rate),
        attempts=attempts,
        ends=(ends[0], ends[-1]),
        result=" or ".join(results),
    )


def tries(timeline: Timeline[Any]) -> list[Try]:
    """List the attempts of a call."""
    found: list[Try] = []
    sent = 0.0
    for moment in timeline.moments:
        match moment.event:
            case Sent():
                sent = moment.at
            case Answered(outcome):
                at = moment.at
                found.append(Try(number=len(found) + 1, sent=(sent, sent), ended=(at, at), outcome=summary(outcome)))
            case Slept(delay=delay):
                found[-1] = msgspec.structs.replace(found[-1], wait=(delay, delay))
            case _:
                pass
    return found


def spread(one: Try, other: Try) -> Try:
    """Join the same attempt of two runs."""
    waits = [wait[0] for wait in (one.wait, other.wait) if wait is not None]
    return Try(
        number=one.number,
        sent=joined(one.sent[0], other.sent[0]),
        ended=joined(one.ended[0], other.ended[0]),
        outcome=one.outcome,
        wait=joined(*waits) if waits else None,
    )


def joined(*instants: float) -> tuple[float, float]:
    """Give the first and the last."""
    return min(instants), max(instants)


def told(timeline: Timeline[Any]) -> str:
    """Tell how a call ended."""
    match timeline.moments[-1].event:
        case Ended(error=DataSourceError() as error):
            return f"failed: {type(error).__name__}: {error.message}"
        case _:
            return "done"


def drawn(one: Try) -> Span:
    """Give an attempt as a span."""
    return Span(f"{one.number}: {one.outcome}", one.sent, one.ended)


def between(seconds: tuple[float, float] | None) -> str:
    """Write seconds from and to."""
    if seconds is None:
        return ""
    low, high = (f"{value:.3f}".rstrip("0").rstrip(".") for value in seconds)
    return f"{low} s" if low == high else f"{low} to {high} s"


def show(console: Console, found: Forecast) -> None:
    """Print the table, and the attempts on a line of time."""
    console.print(f"Waits: {found.schedule}", markup=False, soft_wrap=True)
    table = Table("attempt", "sent at", "outcome", "then waits")
    for one in found.attempts:
        table.add_row(str(one.number), between(one.sent), one.outcome, between(one.wait))
    console.print(table)
    console.print(f"After {between(found.ends)}: {found.result}", markup=False, soft_wrap=True)
    for line in chart(found.attempts, found.ends[1], blocks_of(console.file)):
        console.print(line, markup=False, soft_wrap=True)


def chart(attempts: Iterable[Try], total: float, blocks: str) -> list[str]:
    """Draw the attempts as bars on one line of time each."""
    lines = [f"{one.number:>3} |{bar(drawn(one), total, WIDTH, blocks)}" for one in attempts]
    return [*lines, f"    +{'-' * WIDTH}", f"     0{f'{total:g} s':>{WIDTH - 1}}"]
