"""A described server: what it grants, what it tells and how it fails, as the real core reads it."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.mutants import caught

from openrouter_core import load as lo
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.classify import classify
from openrouter_core.errors import ProviderError, RateLimited
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.seen import Limiter
from openrouter_core.load import (
    EPOCH,
    Bucket,
    Load,
    Meter,
    Pool,
    Quota,
    ServerSpec,
    Serving,
    Windows,
    granted,
    ideal,
    value_at,
    whole,
)
from openrouter_core.outcome import Responded
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts, Both, Exponential, Heeding
from openrouter_core.simulate import Reply, Timeline, chat_job, simulate
from openrouter_core.verdict import Accepted, Rules, Transient

HALF = 0.5
TEN = Bucket(((0.0, 10.0),), 1.0)
LOADS = st.builds(Load, calls=st.integers(1, 30), together=st.integers(1, 9), every=st.sampled_from([0.0, 0.1, 1.0]))
POLICY = Policy(schedule=Both(Exponential(1.0), Both(Attempts(3), Heeding(60.0))), timeout=10.0)

RATES = st.floats(0.1, 100.0)
INSTANTS = st.floats(0.0, 200.0)
CHANGES = st.builds(
    lambda first, rest: ((0.0, first), *sorted(rest)), RATES, st.lists(st.tuples(INSTANTS, RATES), max_size=3)
)
BUCKETS = st.builds(Bucket, CHANGES, st.floats(1.0, 50.0))
WINDOWS = st.builds(Windows, st.integers(1, 50), st.sampled_from([0.5, 1.0, 10.0, 60.0]), st.floats(0.0, 100.0))
QUOTAS: st.SearchStrategy[Quota] = BUCKETS | WINDOWS
GAPS = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60)


def dice(seed: int = 1) -> Iterator[float]:
    """Numbers in [0, 1)."""
    return iter(random.Random(seed).random, None)


def server(**given: Any) -> Serving:
    """A server whose dice all show a half."""
    return Serving(ServerSpec(**given), itertools.repeat(HALF))


def run(load: Load, server: ServerSpec, limiter: Limiter[Any, Any]) -> Timeline[Any]:
    """Run a load against a server."""
    arrivals = [(call * load.every, chat_job(POLICY)) for call in range(load.calls)]
    return simulate(arrivals, Serving(server, dice()), rolls=dice(), limiter=limiter, together=load.together)


def status(reply: Reply) -> int:
    assert isinstance(reply.outcome, Responded)
    return reply.outcome.status


def judged(reply: Reply) -> Any:
    """What the client makes of an answer."""
    return classify(CHAT_COMPLETIONS, reply.outcome, Rules())


@given(QUOTAS, GAPS)
def test_a_quota_grants_what_it_says_and_no_more(quota: Quota, gaps: list[float]) -> None:
    """Bug: a bucket that overflows, or a window that is not its own."""
    meter, now, taken = Meter(quota), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if meter.take(now) <= 0.0:
            taken.append(now)
    for number, start in enumerate(taken):
        for more, end in enumerate(taken[number:], 1):
            match quota:
                case Bucket(burst=burst):
                    assert more <= burst + granted(quota, start, end) + 1e-6
                case Windows(limit, length, phase):
                    assert more <= limit or (start + phase) // length < (end + phase) // length


@given(QUOTAS, GAPS)
def test_a_refused_request_would_be_granted_when_the_quota_says(quota: Quota, gaps: list[float]) -> None:
    """Bug: a hint that is too early, so that who heeds it is refused again."""
    steady = Bucket(quota.rates[:1], quota.burst) if isinstance(quota, Bucket) else quota
    meter, now = Meter(steady), 0.0
    for gap in gaps:
        now += gap / 10
        wait = meter.take(now)
        if wait > 0.0:
            now += wait + 1e-7
            assert meter.take(now) <= 0.0


@given(QUOTAS, INSTANTS, INSTANTS, INSTANTS)
def test_what_is_granted_adds_up(quota: Quota, one: float, two: float, three: float) -> None:
    """Bug: a change of the rate that is counted twice, or not at all."""
    first, middle, last = sorted((one, two, three))
    parts = lo.granted(quota, first, middle) + lo.granted(quota, middle, last)
    assert lo.granted(quota, first, last) == pytest.approx(parts, abs=1e-6)
    start, end = whole(quota, first, last)
    assert start >= first - 1e-6
    assert end <= last + 1e-6


def overflowing(self: Any, now: float) -> float:
    """Planted: a bucket that never overflows, and a window that is never used up."""
    self.left += 1.0 if isinstance(self.quota, Windows) else granted(self.quota, self.at, now)
    self.at = now
    return 0.0 if self.left >= 1.0 else 1.0


def hasty(self: Any, now: float) -> float:
    """Planted: half of the wait."""
    return room(self, now) / 2


def first_rate(quota: Quota, start: float, end: float) -> float:
    """Planted: changes are forgotten from the beginning of a span on."""
    rate = quota.limit / quota.length if isinstance(quota, Windows) else value_at(quota.rates, start)
    return rate * (end - start)


room = Meter.room


def idle(load: Load, server: ServerSpec, rolls: Iterator[float]) -> float:
    """Planted: one call after another."""
    return ideal(replace(load, together=1), server, rolls) + load.calls


@given(LOADS, st.sampled_from([TEN, Windows(5, 2.0, 0.5)]))
def test_nobody_is_faster_than_the_yardstick(load: Load, quota: Bucket | Windows) -> None:
    """Bug: a yardstick that waits for what it could have, so that policies look better than they are."""
    server = ServerSpec(quota=quota, spread=0.0, latency=0.5)
    limiter = Gcra(rate=10.0) if isinstance(quota, Bucket) else Gcra(rate=2.0)
    timeline = run(load, server, limiter)
    assert lo.ideal(load, server, itertools.repeat(0.5)) <= timeline.moments[-1].at + 1e-6


def test_the_properties_bite() -> None:
    caught(test_a_quota_grants_what_it_says_and_no_more, QUOTAS, GAPS, where=Meter, room=overflowing)
    caught(test_a_refused_request_would_be_granted_when_the_quota_says, QUOTAS, GAPS, where=Meter, room=hasty)
    spans = (INSTANTS, INSTANTS, INSTANTS)
    caught(test_what_is_granted_adds_up, QUOTAS, *spans, where=lo, granted=first_rate)
    caught(test_nobody_is_faster_than_the_yardstick, LOADS, st.just(TEN), where=lo, ideal=idle)


@given(
    st.builds(
        ServerSpec,
        quota=st.none() | QUOTAS,
        tells=st.sampled_from(["nothing", "exact", "whole", "reset", "named"]),
        failing=st.floats(0.0, 1.0),
        spurious_hint=st.none() | st.floats(0.0, 9.0),
        outage=st.none() | st.tuples(INSTANTS, INSTANTS),
        pool=st.none() | st.builds(Pool, st.integers(1, 9)),
    )
)
def test_a_server_goes_through_json(spec: ServerSpec) -> None:
    assert msgspec.json.decode(msgspec.json.encode(spec), type=ServerSpec) == spec


@pytest.mark.parametrize(
    "told",
    [
        b'{"latency": -1}',
        b'{"failing": 1.5}',
        b'{"quota": {"type": "bucket", "rates": []}}',
        b'{"quota": {"type": "bucket", "rates": [[0, 0]]}}',
        b'{"quota": {"type": "windows", "limit": 0, "length": 1}}',
        b'{"tells": "lies"}',
        b'{"latencies": 1}',
        b'{"pool": {"workers": 0}}',
    ],
)
def test_a_server_that_cannot_be_is_refused(told: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(told, type=ServerSpec)


def test_before_the_first_change_its_value_holds() -> None:
    changes = ((5.0, 1.0), (7.0, 2.0))
    assert [value_at(changes, now) for now in (0.0, 5.0, 6.9, 7.0, 99.0)] == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert granted(Bucket(changes), 0.0, 8.0) == 7.0 + 2.0
    assert granted(Windows(20, 10.0), 1.0, 6.0) == 10.0
    assert value_at(((0.0, 10.0), (2.0, 3.0)), 5.0) == 3.0


def test_whole_windows_begin_and_end_within_a_span() -> None:
    assert whole(Windows(5, 10.0, 3.0), 1.0, 30.0) == (7.0, 27.0)
    assert whole(Windows(5, 10.0, 3.0), 7.0, 17.0) == (7.0, 17.0)


@pytest.mark.parametrize(
    ("left", "wait"),
    [(3.0, 0.0), (1.5, 0.0), (1.0, 0.0), (1.0 - 1e-9, 0.0), (1.0 - 2e-9, 2e-10), (0.5, 0.05), (0.0, 0.1)],
)
def test_a_bucket_has_room_for_a_whole_request(left: float, wait: float) -> None:
    meter = Meter(Bucket(((0.0, 10.0),), 3.0))
    meter.left = left
    assert meter.room(0.0) == pytest.approx(wait, rel=1e-6, abs=0.0)


def test_a_refusal_takes_nothing_from_the_quota() -> None:
    meter = Meter(TEN)
    assert [meter.take(0.0) for _ in range(4)] == pytest.approx([0.0, 0.1, 0.1, 0.1])


def test_an_error_is_written_as_openrouter_writes_it() -> None:
    written = lo.enveloped(418, "a teapot", metadata={"raw": "tea"})
    assert msgspec.json.decode(written) == {"error": {"code": 418, "message": "a teapot", "metadata": {"raw": "tea"}}}


UPSTREAM = {"provider_name": "Upstream", "error_type": "provider_unavailable"}
FAILED = {"error": {"code": 502, "message": "Provider returned error", "metadata": UPSTREAM}}
RAW = {"provider_name": "Upstream", "raw": "Too Many Requests"}
SPURIOUS = {"error": {"code": 429, "message": "Provider returned error", "metadata": RAW}}
REFUSED = {"error": {"code": 429, "message": "Rate limit exceeded"}}
NAMED = {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-min."}}
YES = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
RESET = {"x-ratelimit-limit": "1", "x-ratelimit-reset": "1900022440000"}
LATER = {"x-ratelimit-limit": "1", "x-ratelimit-reset": "1900022450000"}


@pytest.mark.parametrize(
    ("spec", "status", "headers", "body", "after"),
    [
        ({}, 200, {}, {"id": "gen-1", "choices": [YES]}, 2.0),
        ({"pool": Pool(1)}, 200, {}, {"id": "gen-1", "choices": [YES]}, 0.8),
        ({"outage": (0.0, 99.0)}, 502, {}, {"error": {"code": 502, "message": "Bad gateway"}}, 1.4),
        ({"failing": 0.1}, 502, {}, FAILED, 2.1),
        ({"spurious": 0.1}, 429, {}, SPURIOUS, 2.1),
        ({"spurious": 0.1, "spurious_hint": 4.5}, 429, {"retry-after": "4.5"}, SPURIOUS, 2.1),
        ({"tells": "nothing", "quota": Windows(1, 60.0, 20.0)}, 429, {}, REFUSED, 0.7),
        ({"tells": "exact", "quota": Windows(1, 60.0, 20.0)}, 429, {"retry-after": "30.5"}, REFUSED, 0.7),
        ({"tells": "whole", "quota": Windows(1, 60.0, 20.0)}, 429, {"retry-after": "31"}, REFUSED, 0.7),
        ({"tells": "reset", "quota": Windows(1, 60.0, 20.0)}, 429, RESET, REFUSED, 0.7),
        ({"tells": "named", "quota": Windows(1, 60.0, 20.0)}, 429, RESET, NAMED, 0.7),
        ({"tells": "named", "quota": Windows(1, 30.0, 20.0), "lie": 61.0}, 429, RESET, REFUSED, 0.7),
        ({"tells": "reset", "quota": Bucket(((0.0, 0.02),))}, 429, LATER, REFUSED, 0.7),
    ],
)
def test_an_answer_is_what_openrouter_would_send(
    spec: dict[str, Any], status: int, headers: dict[str, str], body: object, after: float
) -> None:
    """All dice show 0, which makes everything as quick as can be; chances of 0 do not come true all the same."""
    serving = Serving(ServerSpec(refusal=1.0, ahead=3.0, **spec), itertools.repeat(0.0))
    if serving.meter is not None:
        assert serving.meter.take(0.0) == 0.0
    reply = serving(1, 1, 9.5)
    assert reply.after == pytest.approx(after)
    outcome = reply.outcome
    assert isinstance(outcome, Responded)
    assert (outcome.status, msgspec.json.decode(outcome.body)) == (status, body)
    seconds = int(9.5 + after)
    dated = {} if status == 200 else {"date": f"Mon, 18 Mar 2030 00:00:{seconds:02} GMT"}
    assert outcome.headers == {**dated, **headers}
    assert outcome.at == pytest.approx(EPOCH + 9.5 + after + 3.0, rel=0.0, abs=1e-6)


def test_the_client_takes_the_answer_for_one() -> None:
    reply = server()(0, 1, 0.0)
    assert reply.after == pytest.approx(2.0 * math.exp(0.5 * -math.sqrt(2 * math.log(2))))
    assert isinstance(judged(reply), Accepted)


def test_answers_take_about_their_latency() -> None:
    serving = Serving(ServerSpec(latency=3.0, spread=0.5), dice())
    afters = sorted(serving(0, 1, 0.0).after for _ in range(2000))
    assert afters[1000] == pytest.approx(3.0, rel=0.1)
    assert afters[1682] == pytest.approx(3.0 * math.exp(0.5), rel=0.1)  # one standard deviation above the median


TELLING = Windows(1, 60.0, 20.0)


@pytest.mark.parametrize(
    ("tells", "hint", "limit", "window"),
    [
        ("nothing", None, None, None),
        ("exact", 30.5, None, None),
        ("whole", 31.0, None, None),
        ("reset", 30.44, 1.0, None),
        ("named", 30.44, 1.0, 60.0),
    ],
)
def test_a_refusal_tells_what_it_is_said_to(
    tells: lo.Tells, hint: float | None, limit: float | None, window: float | None
) -> None:
    serving = server(quota=TELLING, tells=tells, dated=False)
    assert status(serving(0, 1, 0.0)) == 200
    reply = serving(1, 1, 9.5)
    assert reply.after == pytest.approx(0.06)
    verdict = judged(reply)
    assert isinstance(verdict, Transient)
    assert isinstance(verdict.error, RateLimited)
    assert verdict.error.provider_name is None
    assert verdict.hint == (None if hint is None else pytest.approx(hint, abs=0.002))
    assert (verdict.error.limit, verdict.error.window_secs) == (limit, window)


def test_a_bucket_tells_its_burst_and_only_minutes_have_a_name() -> None:
    for quota in (Bucket(((0.0, 1.0),), 1.0), Windows(1, 10.0)):
        serving = server(quota=quota, tells="named")
        serving(0, 1, 0.0)
        error = judged(serving(0, 2, 0.0)).error
        assert (error.limit, error.window_secs) == (1.0, None)


def test_a_lie_is_a_multiple_of_the_truth() -> None:
    serving = server(quota=TELLING, tells="exact", lie=0.5)
    serving(0, 1, 0.0)
    assert judged(serving(0, 2, 0.0)).hint == pytest.approx(20.0)


def test_a_clock_that_is_ahead_shortens_hints_unless_the_server_dates_its_answers() -> None:
    for dated, hint in ((False, 35.0), (True, 40.0)):
        serving = server(quota=TELLING, tells="reset", ahead=5.0, dated=dated, refusal=0.0)
        serving(0, 1, 0.0)
        assert judged(serving(0, 2, 0.0)).hint == pytest.approx(hint, abs=0.01)


def test_failures_are_the_providers_and_an_outage_is_not() -> None:
    failing = server(failing=0.6)(0, 1, 0.0)
    assert failing.after == pytest.approx(0.18)
    assert judged(failing).error.provider_name == "Upstream"
    down = server(outage=(1.0, 2.0), failing=0.4)
    assert [status(down(0, 1, now)) for now in (0.0, 1.0, 1.9, 2.0)] == [200, 502, 502, 200]
    error = judged(down(0, 1, 1.5)).error
    assert isinstance(error, ProviderError)
    assert error.provider_name is None


def test_spurious_refusals_are_not_the_quotas() -> None:
    for hint in (None, 5.0):
        verdict = judged(server(spurious=0.6, spurious_hint=hint)(0, 1, 0.0))
        assert isinstance(verdict.error, RateLimited)
        assert verdict.error.provider_name == "Upstream"
        assert verdict.hint == hint


def test_a_pool_works_on_so_many_at_once() -> None:
    serving = server(pool=Pool(2, ((0.0, 1.0), (10.0, 3.0))))
    assert [serving(call, 1, 0.0).after for call in range(4)] == pytest.approx([1.0, 1.0, 2.0, 2.0])
    assert serving(9, 1, 10.0).after == pytest.approx(3.0)


def test_the_clock_of_answers_is_the_clients() -> None:
    outcome = server(ahead=2.0, failing=1.0)(0, 1, 7.0).outcome
    assert isinstance(outcome, Responded)
    assert outcome.at == pytest.approx(EPOCH + 7.0 + 0.18 + 2.0)


def test_the_yardstick_knows_when_the_server_accepts() -> None:
    still = ServerSpec(spread=0.0, latency=0.5)
    bucket = replace(still, quota=TEN, failing=1.0, spurious=1.0, outage=(0.0, 9.0))
    assert ideal(Load(calls=21), bucket, itertools.repeat(0.5)) == pytest.approx(2.5)
    assert ideal(Load(calls=6, together=2), bucket, itertools.repeat(0.5)) == pytest.approx(1.6)
    assert ideal(Load(calls=3, every=2.0), bucket, itertools.repeat(0.5)) == pytest.approx(4.5)
    windows = replace(still, quota=Windows(5, 2.0, 0.5))
    assert ideal(Load(calls=11), windows, itertools.repeat(0.5)) == pytest.approx(4.0, abs=1e-6)
    assert ideal(Load(calls=4, together=1), ServerSpec(pool=Pool(1)), itertools.repeat(0.5)) == pytest.approx(4.0)
