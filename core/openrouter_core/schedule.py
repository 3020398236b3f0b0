"""When to try again, as data: a small algebra of schedules and one function that reads it.

    Exponential(base, factor)    wait base * factor**attempt
    Attempts(limit)              after `limit` retries, no more
    Heeding(longest, spread)     wait as long as the server asked, if that is at most `longest`
    Immediate()                  no wait, no limit: the identity of Both
    Both(one, other)             the longer wait of two; over when either is over
    Capped(inner, ceiling)       no wait longer than `ceiling`
    Jittered(inner, kind)        the inner wait, shortened at random
    Within(inner, seconds)       over when the wait would end after `seconds` since the call began

A schedule compares, prints itself (`str`) and round-trips as JSON. `next_delay` is total: for any attempt up to
10**9 and beyond, and any roll, the delay is finite and not negative.
"""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec
from returns.result import Failure, Result, Success

LONGEST = 1e9
"""The ceiling of every delay, in seconds. Without one, 2.0**1024 overflows and inf * 0.0 is not a number."""

LEAST = {"full": 0.0, "equal": 0.5, "slight": 0.75}
"""The least share of a wait that each kind of jitter leaves."""

MOST_ATTEMPTS = 10**9
"""Attempts beyond this count as this many; ints without bounds do not fit into floats."""


class Exponential(msgspec.Struct, frozen=True, tag=True):
    """Wait `base * factor**attempt` seconds; the attempts are counted from 0."""

    base: float
    factor: float = 2.0

    def __str__(self) -> str:
        return f"{self.base:g} s * {self.factor:g}**n"


class Attempts(msgspec.Struct, frozen=True, tag=True):
    """Retry at most `limit` times; adds no wait of its own."""

    limit: int

    def __str__(self) -> str:
        return f"{self.limit} retries"


class Heeding(msgspec.Struct, frozen=True, tag=True):
    """Wait as long as the server asked; when it asks for more than `longest` seconds, give up.

    `spread` lengthens the wait at random, by at most this share of it, so that calls that were all told the same
    instant do not come back as a herd. A hint is never shortened.
    """

    longest: float
    spread: float = 0.0

    def __str__(self) -> str:
        return f"heeding hints up to {self.longest:g} s"


class Immediate(msgspec.Struct, frozen=True, tag=True):
    """Retry at once, for ever. `Both(Immediate(), x)` is `x`."""

    def __str__(self) -> str:
        return "at once"


class Both(msgspec.Struct, frozen=True, tag=True):
    """Wait as long as the longer of two schedules; stop when either stops."""

    one: Schedule
    other: Schedule

    def __str__(self) -> str:
        return f"{self.one}, {self.other}"


class Capped(msgspec.Struct, frozen=True, tag=True):
    """Never wait longer than `ceiling` seconds."""

    inner: Schedule
    ceiling: float

    def __str__(self) -> str:
        return f"{self.inner} up to {self.ceiling:g} s"


class Jittered(msgspec.Struct, frozen=True, tag=True):
    """Shorten the inner wait at random.

    "full" to anything from nothing, "equal" to at least its half, "slight" to at least three quarters of it. Put it
    around what we chose ourselves, never around a server's hint.
    """

    inner: Schedule
    kind: Literal["full", "equal", "slight"] = "full"

    def __str__(self) -> str:
        return f"{self.inner} with {self.kind} jitter"


class Within(msgspec.Struct, frozen=True, tag=True):
    """Start no wait that would end `seconds` or more after the call began."""

    inner: Schedule
    seconds: float

    def __str__(self) -> str:
        return f"{self.inner}, within {self.seconds:g} s"


Schedule = Exponential | Attempts | Heeding | Immediate | Both | Capped | Jittered | Within
"""Any of the schedules; those that hold others may hold any."""


class History(msgspec.Struct, frozen=True, gc=False):
    """What a schedule, and the choice of one, may look at.

    `attempt` counts the retries made so far, `elapsed` the seconds since the call began, `hint` is the wait in
    seconds that the server asked for after the last attempt. `attempt` may be -1: the last one did not count. `refused`
    counts earlier refusals for the rate, `company` the client's other calls that are alive.
    """

    attempt: int
    elapsed: float = 0.0
    hint: float | None = None
    refused: int = 0
    company: int = 0


class Exhausted(msgspec.Struct, frozen=True):
    """Why there is no next attempt: the limit that was met, and the wait in seconds that it forbade, if any.

    `allowed` is the deadline that was met, in seconds since the call began.
    """

    limit: Literal["attempts", "hint", "deadline"]
    needed: float | None = None
    allowed: float | None = None


def next_delay(schedule: Schedule, history: History, roll: float) -> Result[float, Exhausted]:
    """Decide how many seconds to wait before the next attempt, or that there is none. `roll` is uniform in [0, 1)."""
    match schedule:
        case Exponential():
            return Success(power(schedule.base, schedule.factor, history.attempt))
        case Attempts():
            return Success(0.0) if history.attempt < schedule.limit else Failure(Exhausted("attempts"))
        case Heeding():
            return heeded(schedule, history.hint, roll)
        case Immediate():
            return Success(0.0)
        case Both():
            one = next_delay(schedule.one, history, roll)
            return one.bind(lambda a: next_delay(schedule.other, history, roll).map(lambda b: max(a, b)))
        case Capped():
            return next_delay(schedule.inner, history, roll).map(lambda delay: min(delay, clamped(schedule.ceiling)))
        case Jittered():
            least = LEAST[schedule.kind]
            share = clamped(least + (1.0 - least) * roll)
            return next_delay(schedule.inner, history, roll).map(lambda delay: min(delay, delay * share))
        case Within():
            return next_delay(schedule.inner, history, roll).bind(lambda d: in_time(d, history, schedule.seconds))
        case _:
            assert_never(schedule)


def heeded(schedule: Heeding, hint: float | None, roll: float) -> Result[float, Exhausted]:
    """Wait for `hint * (1 + spread * roll)`, at least the hint and at most `longest`; a longer hint ends it.

    `max` and `min` stand in this order so that no spread or roll, not even NaN, goes below the hint.
    """
    if hint is None or not hint > 0.0:
        return Success(0.0)
    if hint > min(LONGEST, schedule.longest):
        return Failure(Exhausted("hint", hint))
    return Success(clamped(max(hint, min(hint * (1.0 + schedule.spread * roll), schedule.longest))))


def in_time(delay: float, history: History, seconds: float) -> Result[float, Exhausted]:
    """Let a wait pass that ends before the deadline."""
    return Success(delay) if history.elapsed + delay < seconds else Failure(Exhausted("deadline", delay, seconds))


def power(base: float, factor: float, attempt: int) -> float:
    """Compute `base * factor**attempt` in [0, LONGEST]; a power that overflows is past the ceiling already."""
    if not base > 0.0 or not factor > 0.0:
        return 0.0
    try:
        return clamped(base * factor ** min(attempt, MOST_ATTEMPTS))
    except OverflowError:
        return LONGEST


def clamped(seconds: float) -> float:
    """Bring a number of seconds into [0, LONGEST]; what is not a number becomes 0."""
    return min(seconds, LONGEST) if seconds > 0.0 else 0.0


def retries(schedule: Schedule) -> int | None:
    """Tell how many retries a schedule allows at most; None when only its other limits end it."""
    match schedule:
        case Attempts():
            return max(0, schedule.limit)
        case Both():
            limits = [n for n in (retries(schedule.one), retries(schedule.other)) if n is not None]
            return min(limits, default=None)
        case Capped() | Jittered() | Within():
            return retries(schedule.inner)
        case Exponential() | Heeding() | Immediate():
            return None
        case _:
            assert_never(schedule)
