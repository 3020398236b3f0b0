"""Figures and series of a run: read off timelines that are small enough to count by hand."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.mutants import caught
from tests.core.outcomes import GOOD, failed, said

from openrouter_core import load_figures as lf
from openrouter_core.errors import ProviderError
from openrouter_core.journal import Answered, Ended, Moment, Queued, Sent, Slept
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.seen import Limiter
from openrouter_core.load import Bucket, Load, ServerSpec, Serving, Windows
from openrouter_core.load_figures import Figures, Log, Phase, figures, logged, measured, phases, series, settled
from openrouter_core.outcome import Unreachable
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts, Both, Exponential, Heeding
from openrouter_core.simulate import PLACES, Reply, Timeline, chat_job, scripted, simulate

OK = said(GOOD)
POLICY = Policy(schedule=Both(Exponential(1.0), Both(Attempts(3), Heeding(60.0))), timeout=10.0)
TEN = Bucket(((0.0, 10.0),), 1.0)


def dice(seed: int = 1) -> Iterator[float]:
    """Numbers in [0, 1)."""
    return iter(random.Random(seed).random, None)


def run(load: Load, server: ServerSpec, limiter: Limiter[Any, Any] = PLACES) -> Timeline[Any]:
    """Run a load against a server."""
    arrivals = [(call * load.every, chat_job(POLICY)) for call in range(load.calls)]
    rolls = dice()
    return simulate(arrivals, Serving(server, rolls), rolls=rolls, limiter=limiter, together=load.together)


LOADS = st.builds(Load, calls=st.integers(1, 30), together=st.integers(1, 9), every=st.sampled_from([0.0, 0.1, 1.0]))
SERVERS = st.builds(
    ServerSpec,
    quota=st.none() | st.just(TEN) | st.just(Windows(5, 2.0, 0.5)),
    tells=st.sampled_from(["nothing", "whole"]),
    failing=st.sampled_from([0.0, 0.3]),
    outage=st.none() | st.just((1.0, 3.0)),
)


@given(LOADS, SERVERS, st.sampled_from([0.25, 1.0, 7.0]))
def test_series_and_figures_count_the_same_run(load: Load, server: ServerSpec, every: float) -> None:
    """Bug: a call that is counted as waiting for ever, or one that is never counted."""
    timeline = run(load, server)
    told, spans = figures(timeline, load, server, None), lf.series(timeline, every)
    answered = load.calls - told.lost
    assert sum(spans.goodput) == answered
    assert sum(spans.rejections) == pytest.approx(told.refused * max(1, answered))
    assert spans.waiting[-1] == 0
    assert all(0 <= waiting <= load.together for waiting in spans.waiting)
    assert {len(spans.goodput), len(spans.rejections), len(spans.waiting)} == {int(told.seconds // every) + 1}
    assert told.sends * load.calls == pytest.approx(len(timeline.sends))
    assert (told.p50 or math.inf) <= (told.p95 or math.inf)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Figures) == told


def never_over(changes: Any) -> tuple[int, ...]:
    """Planted: the changes, and not their sums."""
    return tuple(changes)


def test_the_properties_bite() -> None:
    things = (LOADS, SERVERS, st.sampled_from([0.25, 1.0]))
    caught(test_series_and_figures_count_the_same_run, *things, where=lf, summed=never_over)


def test_figures_of_two_calls() -> None:
    script = {0: [Reply(failed(429), 0.5), Reply(OK, 1.0)], 1: [Reply(Unreachable("dns", "no"), 0.0)] * 4}
    timeline = simulate(
        [(0.0, chat_job(POLICY)), (0.0, chat_job(POLICY))],
        lambda call, attempt, _: script[call][attempt - 1],
        rolls=itertools.repeat(0.5),
    )
    assert figures(timeline, Load(calls=2), ServerSpec(), 3.5) == Figures(
        lost=1, refused=1.0, later=0.0, sends=3.0, seconds=7.0, to_ideal=2.0, of_quota=None, p50=None, p95=None
    )
    told = series(timeline)
    assert told.goodput == (0, 0, 1, 0, 0, 0, 0, 0)
    assert told.rejections == (1, 0, 0, 0, 0, 0, 0, 0)
    assert told.waiting == (2, 1, 1, 1, 1, 1, 1, 0)


def test_nothing_answered_is_nothing_of_the_quota() -> None:
    timeline = simulate([(0.0, chat_job(POLICY))], scripted([Reply(failed(400))]), rolls=itertools.repeat(0.5))
    told = figures(timeline, Load(calls=1), ServerSpec(quota=TEN), 1.0)
    assert (told.lost, told.of_quota, told.refused) == (1, None, 0.0)


def evenly(load: Load, quota: Any, rate: float) -> Timeline[Any]:
    """A run at a known rate, where answers come at once."""
    return run(load, ServerSpec(quota=quota, latency=0.0), Gcra(rate=rate))


def test_use_is_measured_after_the_start_and_while_there_is_demand() -> None:
    load = Load(calls=300, together=50)
    server = ServerSpec(quota=TEN, latency=0.0)
    told = figures(evenly(load, TEN, 8.0), load, server, None)
    assert told.of_quota == pytest.approx(0.8, abs=0.01)
    windows = Windows(20, 2.0)
    told = figures(evenly(load, windows, 8.0), load, replace(server, quota=windows), None)
    assert told.of_quota == pytest.approx(0.8, abs=0.01)


def test_a_change_of_the_quota_begins_a_phase() -> None:
    quota = Bucket(((0.0, 10.0), (20.0, 5.0), (40.0, 20.0), (1e6, 1.0)), 1.0)
    load = Load(calls=300, together=50)
    timeline = evenly(load, quota, 4.0)
    assert phases(logged(timeline), ServerSpec(quota=quota), 60.0) == (
        Phase(20.0, 0.5, 0.0, 0.0),
        Phase(40.0, 4.0, None, 0.0),
    )
    fine = phases(logged(evenly(load, quota, 4.9)), ServerSpec(quota=Bucket(((0.0, 1.0), (9.0, 5.0)), 1.0)), 60.0)
    assert [(phase.at, phase.settled) for phase in fine] == [(9.0, 0.0)]
    assert phases(logged(timeline), ServerSpec(quota=Windows(1, 1.0)), 60.0) == ()


def test_settling_takes_until_a_span_is_good() -> None:
    assert settled(10.0, 30.0, lambda at: at >= 12.2) == 2.5
    assert settled(10.0, 16.0, lambda at: at >= 11.0) == 1.0
    assert settled(10.0, 16.0, lambda at: at >= 11.5) == math.inf
    assert settled(10.0, 16.0, lambda at: at >= 12.2) == math.inf
    assert settled(10.0, 10.0, lambda _: True) == math.inf


def test_an_outage_is_measured_from_its_end() -> None:
    load = Load(calls=10, every=1.0)
    server = ServerSpec(outage=(2.0, 4.0), latency=0.5, spread=0.0, refusal=0.05)
    found = figures(run(load, server), load, server, None).outage
    assert found is not None
    assert found.sends == pytest.approx(3 / 2)
    assert found.first == pytest.approx(0.5)
    assert found.drained is not None
    assert found.drained == pytest.approx(1.6, abs=0.1)
    quiet = ServerSpec(outage=(100.0, 101.0))
    assert figures(run(load, quiet), load, quiet, None).outage == lf.Outage(0.0, None, 0.0)


def test_other_moments_count_for_nothing() -> None:
    moments = (
        Moment(0, 0.0, Queued(None)),
        Moment(0, 0.0, Sent(1, 1, 1.0)),
        Moment(0, 1.0, Answered(failed(503), 0.5)),
    )
    slept = Moment(0, 1.0, Slept(1, 2, 1.0, ProviderError(message="it failed")))
    timeline: Timeline[Any] = Timeline((*moments, slept, Moment(0, 2.5, Ended(1, 2.5))), ())
    assert series(timeline).waiting == (0, 1, 0)
    assert series(timeline).every == 1.0
    assert logged(timeline).sent["failed"] == [0.0]
    assert logged(timeline).ended == 2.5


def test_ten_tenths_are_a_second() -> None:
    moments = (Moment(0, 0.0, Queued(None)), Moment(0, 0.0, Sent(1, 1, 1.0)), Moment(0, 1.0, Answered(OK, 1.0)))
    told = series(Timeline[Any]((*moments, Moment(0, 1.0, Ended(1, 1.0))), ()), 0.1)
    assert told.goodput == (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def log(
    answered: Sequence[float] = (), refused: Sequence[float] = (), calls: Sequence[tuple[float, float]] = ((0.0, 1.0),)
) -> Log:
    """A log of requests that were sent when it is said, and of calls that began and ended so."""
    sent: dict[lf.Ending, list[float]] = {"answered": [*answered], "refused": [*refused], "failed": []}
    return Log(sent=sent, begins=[begin for begin, _ in calls], ends=[end for _, end in calls], ended=99.0)


def bucket(*rates: tuple[float, float]) -> ServerSpec:
    """A server with a quota that changes."""
    return ServerSpec(quota=Bucket(rates))


def test_times_count_from_the_begin_of_a_call() -> None:
    calls = [(5.0, 6.0), (5.0, 7.0), (6.0, 9.0)]
    told = measured(log(calls=calls), Load(calls=3), ServerSpec(), None)
    assert (told.p50, told.p95, told.seconds) == (2.0, 3.0, 99.0)


def test_the_figures_tell_of_changes_while_there_is_demand() -> None:
    answered = [float(second) for second in range(40)]
    server = bucket((0.0, 2.0), (10.0, 1.0), (20.0, 2.0), (30.0, 1.0))
    told = measured(log(answered, [5.0, 12.0, 13.0, 25.0]), Load(calls=40, together=10), server, None)
    assert told.phases == (Phase(10.0, 0.5, 2.5, 0.2), Phase(20.0, 2.0, None, 0.1))
    assert measured(log(refused=[0.6]), Load(calls=1), bucket((0.0, 2.0), (0.5, 1.0)), None).phases == ()


@pytest.mark.parametrize(
    ("rates", "answered", "refused", "wanted"),
    [
        (((0.0, 8.0), (0.5, 2.0)), 0, 1, Phase(0.5, 0.25, 0.0, 1.0)),
        (((0.0, 8.0), (0.5, 2.0)), 0, 2, Phase(0.5, 0.25, None, 2.0)),
        (((0.0, 8.0), (0.5, 2.0)), 50, 2, Phase(0.5, 0.25, 0.0, 0.04)),
        (((0.0, 8.0), (0.5, 2.0)), 50, 3, Phase(0.5, 0.25, None, 0.06)),
        (((0.0, 2.0), (0.5, 4.0)), 19, 3, Phase(0.5, 2.0, 0.0, 3 / 19)),
        (((0.0, 2.0), (0.5, 4.0)), 18, 0, Phase(0.5, 2.0, None, 0.0)),
        (((0.0, 2.0), (0.5, 4.0)), 0, 0, Phase(0.5, 2.0, None, 0.0)),
        (((0.0, 4.0), (0.5, 4.0)), 18, 0, Phase(0.5, 1.0, None, 0.0)),
    ],
)
def test_calm_after_a_fall_and_in_full_use_after_a_rise(rates: Any, answered: int, refused: int, wanted: Phase) -> None:
    """One rejection, and one for each 50 answers; 95 % of the quota."""
    lines = log([1.0] * answered, [1.0] * refused)
    assert phases(lines, bucket(*rates), 5.5) == (wanted,)


def test_no_time_is_no_use() -> None:
    assert lf.of_quota(log([5.0]), ServerSpec(quota=TEN), 5.0, 5.0) is None


@pytest.mark.parametrize(
    ("calls", "sends", "wanted"),
    [
        ([(2.5, 4.0)], [2.5], lf.Outage(1.0, 0.0, 0.0)),
        ([(2.5, 4.0), (3.0, 7.0)], [2.5, 3.0, 3.5], lf.Outage(1.5, 0.0, 3.0)),
        ([(2.5, 3.0), (4.0, 9.0)], [2.5], lf.Outage(1.0, 5.0, 0.0)),
        ([(5.0, 6.0)], [], lf.Outage(0.0, 2.0, 0.0)),
        ([(2.5, math.inf)], [2.5], lf.Outage(1.0, None, None)),
    ],
)
def test_an_outage_concerns_who_came_before_its_end(
    calls: list[tuple[float, float]], sends: list[float], wanted: lf.Outage
) -> None:
    assert lf.outage(log(refused=sends, calls=calls), ServerSpec(outage=(2.0, 4.0))) == wanted
