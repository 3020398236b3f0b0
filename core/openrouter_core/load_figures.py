"""What a policy reached against a described server: figures and series that are read off a timeline.

What is measured by the server's quota counts requests when they are sent, all else when it happens. "Demanding" is the
time until the last calls come back one by one: after that nobody wants all of the quota.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress, pairwise
from operator import sub
from typing import Any, Literal

import msgspec

from openrouter_core.journal import Answered, Ended, Queued, Sent
from openrouter_core.load import Bucket, Load, ServerSpec, granted, value_at, whole
from openrouter_core.outcome import Outcome, Responded
from openrouter_core.simulate import Timeline

START = 10.0
"""How long a policy may take to settle, in seconds."""

WINDOW, STEP = 5.0, 0.5
"""A policy has settled when this many seconds are good; looked at in such steps."""

CALM = 0.02
"""The most rejections per success, and one more, in a settled span after a fall."""

FULL = 0.95
"""The least part of the quota that is used in a settled span after a rise."""

Ending = Literal["answered", "refused", "failed"]


class Phase(msgspec.Struct, frozen=True):
    """What followed when the quota changed, at second `at`, by `factor`: seconds to settle, and rejections per success.

    After a fall, settled means hardly any rejections, after a rise, that nearly all of the quota is used. None: never.
    """

    at: float
    factor: float
    settled: float | None
    refused: float


class Outage(msgspec.Struct, frozen=True):
    """How an outage was come through.

    `sends`: requests during it per call that came during it. `first` and `drained`: seconds from its end to the first
    success, and until the last call that came before its end is answered. None: never.
    """

    sends: float
    first: float | None
    drained: float | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured.

    `lost` counts calls that failed; `refused` and `later` are rejections per success, in all and after the first 10 s;
    `sends` is per call; `seconds` is the total time, and `to_ideal` its ratio to that of `load.ideal`; `of_quota` is
    the part of the quota that was used after the first 10 s, while demanding; `p50` and `p95` are seconds from a call's
    begin to its answer. None and empty where it makes no sense, or never comes.
    """

    lost: int
    refused: float
    later: float
    sends: float
    seconds: float
    to_ideal: float | None
    of_quota: float | None
    p50: float | None
    p95: float | None
    phases: tuple[Phase, ...] = ()
    outage: Outage | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in each span of `every` seconds.

    Answers and rejections that came, and calls that waited at its end, in line or between two attempts.
    """

    every: float
    goodput: tuple[int, ...]
    rejections: tuple[int, ...]
    waiting: tuple[int, ...]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline, sorted by what is asked of it: when requests were sent, by how they ended; begins and ends of calls.

    A call that failed ends at infinity. `ended` is when the last one ended, anyhow.
    """

    sent: dict[Ending, list[float]]
    begins: list[float]
    ends: list[float]
    ended: float

    def count(self, start: float, end: float, ending: Ending) -> int:
        """Count the requests sent in a span that ended so."""
        instants = self.sent[ending]
        return max(0, bisect_left(instants, end) - bisect_left(instants, start))

    def refused(self, start: float = 0.0, end: float = math.inf) -> float:
        """Give the rejections per success of requests sent in a span."""
        return self.count(start, end, "refused") / max(1, self.count(start, end, "answered"))


def ending(outcome: Outcome) -> Ending:
    """Tell how an attempt ended."""
    match outcome:
        case Responded(status=200):
            return "answered"
        case Responded(status=429):
            return "refused"
        case _:
            return "failed"


def logged(timeline: Timeline[Any]) -> Log:
    """Read a timeline."""
    under_way: dict[int, float] = {}
    sent: dict[Ending, list[float]] = {"answered": [], "refused": [], "failed": []}
    begins: dict[int, float] = {}
    ends: dict[int, float] = {}
    for moment in timeline.moments:
        match moment.event:
            case Queued():
                begins.setdefault(moment.call, moment.at)
            case Sent():
                under_way[moment.call] = moment.at
            case Answered(outcome):
                sent[ending(outcome)].append(under_way.pop(moment.call))
            case Ended(error=error):
                ends[moment.call] = moment.at if error is None else math.inf
            case _:
                pass
    for instants in sent.values():
        instants.sort()
    calls = sorted(begins)
    return Log(
        sent=sent,
        begins=[begins[call] for call in calls],
        ends=[ends[call] for call in calls],
        ended=timeline.moments[-1].at,
    )


def figures(timeline: Timeline[Any], load: Load, server: ServerSpec, best: float | None) -> Figures:
    """Read the figures off a timeline; `best` is the seconds of `ideal`, where that makes sense."""
    return measured(logged(timeline), load, server, best)


def measured(log: Log, load: Load, server: ServerSpec, best: float | None) -> Figures:
    """Read the figures off a log."""
    times = sorted(map(sub, log.ends, log.begins))
    sends = sum(map(len, log.sent.values()))
    answered = log.sent["answered"]
    demanding = answered[max(0, len(answered) - load.together)] if answered else 0.0
    return Figures(
        lost=sum(1 for end in log.ends if end == math.inf),
        refused=log.refused(),
        later=log.refused(START),
        sends=sends / load.calls,
        seconds=log.ended,
        to_ideal=None if best is None else log.ended / best,
        of_quota=of_quota(log, server, START, demanding),
        p50=finite(times[len(times) // 2]),
        p95=finite(times[int(0.95 * len(times))]),
        phases=phases(log, server, demanding),
        outage=outage(log, server),
    )


def finite(seconds: float) -> float | None:
    """Write what never comes as None: JSON has no infinity."""
    return seconds if seconds < math.inf else None


def of_quota(log: Log, server: ServerSpec, start: float, end: float) -> float | None:
    """Give the part of the quota that was used in a span; None where it has no whole window in it."""
    if server.quota is None:
        return None
    start, end = whole(server.quota, start, end)
    return log.count(start, end, "answered") / granted(server.quota, start, end) if end > start else None


def phases(log: Log, server: ServerSpec, demanding: float) -> tuple[Phase, ...]:
    """Tell what followed from each change of a quota, until the next one."""
    if not isinstance(server.quota, Bucket):
        return ()
    begins = [begin for begin, _ in server.quota.rates[1:] if begin < demanding]
    found: list[Phase] = []
    for start, end in pairwise([*begins, demanding]):
        before, after = (value_at(server.quota.rates, at) for at in (math.nextafter(start, 0.0), start))
        good = calm(log) if after < before else full(log, server)
        found.append(Phase(start, after / before, finite(settled(start, end, good)), log.refused(start, end)))
    return tuple(found)


def calm(log: Log) -> Callable[[float], bool]:
    """Tell whether there are hardly any rejections in the seconds that follow."""
    return lambda at: log.count(at, at + WINDOW, "refused") <= CALM * log.count(at, at + WINDOW, "answered") + 1


def full(log: Log, server: ServerSpec) -> Callable[[float], bool]:
    """Tell whether nearly all of the quota is used in the seconds that follow."""
    return lambda at: (of_quota(log, server, at, at + WINDOW) or 0.0) >= FULL


def settled(start: float, end: float, good: Callable[[float], bool]) -> float:
    """Give the seconds from a start until a span is good; infinity when there is none."""
    steps = max(0, math.floor((end - start - WINDOW) / STEP) + 1)
    return next((step * STEP for step in range(steps) if good(start + step * STEP)), math.inf)


def outage(log: Log, server: ServerSpec) -> Outage | None:
    """Measure an outage; None when there is none, or no call came during it."""
    if server.outage is None:
        return None
    start, end = server.outage
    arrivals = sum(1 for begin in log.begins if start <= begin < end)
    sends = sum(log.count(start, end, how) for how in log.sent)
    after = [at for at in log.ends if at >= end]
    caught = compress(log.ends, [begin < end for begin in log.begins])
    drained = max(0.0, max(caught, default=end) - end)
    return Outage(sends / max(1, arrivals), finite(min(after, default=math.inf) - end), finite(drained))


def series(timeline: Timeline[Any], every: float = 1.0) -> Series:
    """Count what happened in each span of so many seconds."""
    spans = math.floor(timeline.moments[-1].at / every) + 1
    came: dict[Ending, Counter[int]] = {"answered": Counter(), "refused": Counter(), "failed": Counter()}
    change: Counter[int] = Counter()
    begun: set[int] = set()
    for moment in timeline.moments:
        span = math.floor(moment.at / every)
        match moment.event:
            case Queued() if moment.call not in begun:
                begun.add(moment.call)
                change[span] += 1
            case Sent():
                change[span] -= 1
            case Answered(outcome):
                came[ending(outcome)][span] += 1
                change[span] += 1
            case Ended():
                change[span] -= 1
            case _:
                pass
    return Series(
        every=every,
        goodput=counted(came["answered"], spans),
        rejections=counted(came["refused"], spans),
        waiting=summed(counted(change, spans)),
    )


def counted(counts: Counter[int], spans: int) -> tuple[int, ...]:
    """List the counts of all spans."""
    return tuple(counts[span] for span in range(spans))


def summed(changes: Sequence[int]) -> tuple[int, ...]:
    """Sum up changes."""
    total, sums = 0, list[int]()
    for change in changes:
        total += change
        sums.append(total)
    return tuple(sums)
