"""Many calls under a virtual clock: places, the line, deadlines, silence, and what is printed."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught, last_first, last_out
from tests.core.outcomes import GOOD, failed, said

from openrouter_core import simulate as s
from openrouter_core.admission import Admission
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import DeadlineExceeded, ProviderError, Timeout
from openrouter_core.journal import Answered, Ended, Left, Moment, Queued, Sent, Slept, told
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.money import Money
from openrouter_core.limit.places import Places
from openrouter_core.limit.queue import Line
from openrouter_core.limit.seen import NOTHING, Ask, Seen
from openrouter_core.outcome import Responded, Unreachable
from openrouter_core.policy import Policy, policy_of
from openrouter_core.schedule import Attempts, Both, Exponential, Heeding, Immediate
from openrouter_core.simulate import Reply, Timeline, chat_job, scripted, simulate
from openrouter_core.states import Job

OK = said(GOOD)
HALF = 0.5

POLICIES = st.builds(
    policy_of,
    st.builds(
        OpenRouterConfig,
        max_retries=st.integers(0, 3),
        retry_delay_ms=st.sampled_from([0, 500, 1000]),
        timeout_secs=st.sampled_from([1.0, 4.0]),
        deadline_secs=st.none() | st.sampled_from([1.0, 5.0, 9.0]),
    ),
)
ARRIVALS = st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0]), POLICIES.map(chat_job)), max_size=12)
REPLIES = st.lists(
    st.builds(
        Reply,
        st.sampled_from(
            [OK, OK, failed(503), failed(429, {"retry-after": "2"}), failed(400), Unreachable("dns", "no")]
        ),
        st.sampled_from([0.0, 0.5, 1.0, 2.0, math.inf]),
    ),
    min_size=1,
    max_size=9,
)
PLACES = st.integers(1, 4)


def run(arrivals: list[Any], replies: list[Reply], places: int) -> Timeline[Any]:
    """Simulate calls that are all answered from one list, each attempt by another entry."""
    server: s.Server = lambda call, attempt, _now: replies[(call * 3 + attempt) % len(replies)]  # noqa: E731 - a server in one line
    return simulate(arrivals, server, rolls=itertools.repeat(HALF), limiter=Places(places))


@given(ARRIVALS, REPLIES, PLACES)
def test_every_call_ends_once_and_the_places_are_never_exceeded(
    arrivals: list[Any], replies: list[Reply], places: int
) -> None:
    """Bug: a place that leaks, or is given twice; a call that is told an end twice, or none."""
    timeline = run(arrivals, replies, places)
    assert len(timeline.results) == len(arrivals)
    under_way = 0
    ends: dict[int, int] = defaultdict(int)
    at = 0.0
    for moment in timeline.moments:
        assert moment.at >= at
        at = moment.at
        under_way += isinstance(moment.event, Sent) - isinstance(moment.event, Answered)
        ends[moment.call] += isinstance(moment.event, Ended)
        assert 0 <= under_way <= places
    assert under_way == 0
    assert all(count == 1 for count in ends.values())
    assert timeline == run(arrivals, replies, places)


@given(ARRIVALS, REPLIES, PLACES)
def test_places_are_given_in_the_order_of_the_line(arrivals: list[Any], replies: list[Reply], places: int) -> None:
    """Bug: the youngest goes first, and the oldest starve until their deadline."""
    line: list[int] = []
    for moment in run(arrivals, replies, places).moments:
        match moment.event:
            case Queued():
                line.append(moment.call)
            case Sent():
                assert min(line) == moment.call  # a call keeps its place for life
                line.remove(moment.call)
            case Ended() if moment.call in line:
                line.remove(moment.call)
            case _:
                pass


@given(ARRIVALS, REPLIES, PLACES)
def test_a_deadline_counts_the_time_in_line_and_errors_know_all_attempts(
    arrivals: list[Any], replies: list[Reply], places: int
) -> None:
    """Bug: queueing is free, or the expiry of an earlier place in line ends a call and forgets its attempts."""
    timeline = run(arrivals, replies, places)
    sends: dict[int, int] = defaultdict(int)
    for moment in timeline.moments:
        sends[moment.call] += isinstance(moment.event, Sent)
    for number, ((began, job), result) in enumerate(zip(arrivals, timeline.results, strict=True)):
        end = next(m.at for m in timeline.moments if m.call == number and isinstance(m.event, Ended))
        assert end <= began + (job.policy.deadline or math.inf) + 1e-9
        if isinstance(result, Failure):
            assert len(result.failure().attempts) == sends[number]


def stale(self: Any, ticket: Any, call: Any, _expires: float, now: float) -> None:
    """Planted: nobody's time in line is ever up."""
    wait(self, ticket, call, math.inf, now)


def greedy(self: Any, state: None, ask: Any, in_flight: int, now: float) -> float:
    """Planted: one place more than there is."""
    return 0.0 if in_flight <= self.most else math.inf


wait = Admission.wait


def test_the_properties_bite() -> None:
    things = (ARRIVALS, REPLIES, PLACES)
    once = test_every_call_ends_once_and_the_places_are_never_exceeded
    caught(once, *things, where=Places, admit=greedy)
    order = test_places_are_given_in_the_order_of_the_line
    caught(order, *things, where=Line, head=last_first, pop=last_out)
    deadline = test_a_deadline_counts_the_time_in_line_and_errors_know_all_attempts
    caught(deadline, *things, where=Admission, wait=stale)


POLICY = Policy(schedule=Both(Exponential(1.0), Both(Attempts(3), Heeding(60.0))), timeout=10.0)


def one(replies: list[Reply], policy: Policy = POLICY) -> Timeline[Any]:
    """The timeline of one call."""
    return simulate([(0.0, chat_job(policy))], scripted(replies), rolls=itertools.repeat(HALF))


def test_the_specified_schedule_is_seen_in_the_sends() -> None:
    timeline = one([Reply(failed(500))])
    assert timeline.sends == (0.0, 1.0, 3.0, 7.0)
    assert timeline.waits == (1.0, 2.0, 4.0)
    assert isinstance(timeline.results[0].failure(), ProviderError)


def test_a_hint_lengthens_a_wait() -> None:
    timeline = one([Reply(failed(429, {"retry-after": "5"})), Reply(OK)])
    assert timeline.sends == (0.0, 5.0)
    assert isinstance(timeline.results[0], Success)


def test_silence_ends_in_a_timeout() -> None:
    timeline = one([Reply(OK, math.inf)])
    error = timeline.results[0].failure()
    assert isinstance(error, Timeout)
    assert [attempt.ended - attempt.started for attempt in error.attempts] == [10.0] * 4
    assert isinstance(one([Reply(OK, 10.0)]).results[0].failure(), Timeout), "at the limit it is too late"


def test_a_chat_job_is_a_chat_completion() -> None:
    request = HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions")
    assert chat_job(POLICY) == Job(CHAT_COMPLETIONS, request, POLICY)


def test_an_answer_from_the_past_comes_at_once() -> None:
    assert one([Reply(OK, -5.0)]).moments[-1].at == 0.0
    assert one([Reply(OK, math.nan)]).moments[-1].at == 0.0


def test_one_place_for_three_calls_and_a_deadline_in_line() -> None:
    hurried = Policy(schedule=Attempts(0), deadline=3.0)
    jobs = [(0.0, chat_job(POLICY)), (0.0, chat_job(hurried)), (0.0, chat_job(POLICY))]
    timeline = simulate(jobs, scripted([Reply(OK, 4.0)]), rolls=itertools.repeat(HALF), limiter=Places(1))
    assert timeline.sends == (0.0, 4.0)
    assert [type(result) for result in timeline.results] == [Success, Failure, Success]
    assert isinstance(timeline.results[1].failure(), DeadlineExceeded)


def test_a_place_that_frees_at_the_deadline_is_too_late() -> None:
    hurried = Policy(schedule=Attempts(0), deadline=4.0)
    jobs = [(0.0, chat_job(POLICY)), (0.0, chat_job(hurried)), (0.0, chat_job(POLICY))]
    timeline = simulate(jobs, scripted([Reply(OK, 4.0)]), rolls=itertools.repeat(HALF), limiter=Places(1))
    assert timeline.sends == (0.0, 4.0)
    assert isinstance(timeline.results[1].failure(), DeadlineExceeded)


def test_a_call_that_sleeps_holds_no_place() -> None:
    script = {0: [Reply(failed(429, {"retry-after": "30"}), 1.0), Reply(OK)], 1: [Reply(OK)]}
    server: s.Server = lambda call, attempt, _now: script[call][attempt - 1]  # noqa: E731 - a server in one line
    jobs = [(0.0, chat_job(POLICY)), (0.0, chat_job(POLICY))]
    timeline = simulate(jobs, server, rolls=itertools.repeat(HALF), limiter=Places(1))
    assert timeline.sends == (0.0, 1.0, 31.0)


def test_without_places_nothing_is_sent() -> None:
    hurried = Policy(schedule=Attempts(0), deadline=3.0)
    for places in (0, -1):
        timeline = simulate([(0.0, chat_job(hurried))], scripted([Reply(OK)]), rolls=[], limiter=Places(places))
        assert timeline.sends == ()
        assert isinstance(timeline.results[0].failure(), DeadlineExceeded)


def test_no_more_calls_are_alive_than_there_is_room_for() -> None:
    """Bug: a crowd that should come one after another comes at once, or some never come."""
    jobs = [(float(number // 4), chat_job(POLICY)) for number in range(12)]
    timeline = simulate(jobs, scripted([Reply(OK, 2.0)]), rolls=itertools.repeat(HALF), together=2)
    assert len(timeline.results) == 12
    alive = 0
    for moment in timeline.moments:
        alive += isinstance(moment.event, Queued) - isinstance(moment.event, Ended)
        assert alive <= 2
    assert timeline.sends == tuple(float(2 * (number // 2)) for number in range(12))


def test_a_known_rate_paces_the_sends() -> None:
    jobs = [(0.0, chat_job(POLICY)) for _ in range(4)]
    limiter = Gcra(rate=2.0)
    timeline = simulate(jobs, scripted([Reply(OK, 0.25)]), rolls=itertools.repeat(HALF), limiter=limiter)
    assert timeline.sends == (0.0, 0.5, 1.0, 1.5)


def test_what_is_due_at_once_happens_in_the_order_in_which_it_was_known() -> None:
    """Bug: the lower number is answered first, though its answer was known last."""
    server: s.Server = lambda _call, _attempt, now: Reply(OK, 2.0 - now)  # noqa: E731 - a server in one line
    timeline = simulate([(1.0, chat_job(POLICY)), (0.0, chat_job(POLICY))], server, rolls=itertools.repeat(HALF))
    assert [moment.call for moment in timeline.moments if isinstance(moment.event, Ended)] == [1, 0]


def test_a_limit_opens_when_it_was_first_known_to() -> None:
    """Bug: each call that joins the line puts the opening off, behind a retry that is due at the same instant."""
    script = {0: [Reply(failed(503), 0.125), Reply(OK)]}
    server: s.Server = lambda call, attempt, _now: script.get(call, [Reply(OK)])[attempt - 1]  # noqa: E731 - a server in one line
    policy = Policy(schedule=Both(Exponential(0.375), Attempts(1)))
    jobs = [(at, chat_job(policy)) for at in (0.0, 0.0, 0.375)]
    timeline = simulate(jobs, server, rolls=itertools.repeat(HALF), limiter=Gcra(rate=2.0))
    sent = [(moment.call, moment.at) for moment in timeline.moments if isinstance(moment.event, Sent)]
    assert sent == [(0, 0.0), (1, 0.5), (0, 1.0), (2, 1.5)]


def test_a_call_that_leaves_the_line_leaves_the_others_their_turn() -> None:
    jobs = [(0.0, chat_job(POLICY)) for _ in range(4)]
    limiter, rolls = Gcra(rate=2.0), itertools.repeat(HALF)
    for left in range(1, 4):
        timeline = simulate(jobs, scripted([Reply(OK)]), rolls=rolls, limiter=limiter, leaving={left: 0.125})
        assert timeline.sends == (0.0, 0.5, 1.0)


class Noting(Places, frozen=True):
    """Places that note when an attempt was over, and how."""

    heard: list[tuple[Seen, float]] = msgspec.field(default_factory=list)

    def on_outcome(self, state: None, stamp: None, seen: Seen, in_flight: int, now: float) -> None:
        self.heard.append((seen, now))


def test_the_limiter_hears_when_a_call_was_left() -> None:
    limiter = Noting(1)
    simulate([(0.0, chat_job(POLICY))], scripted([Reply(OK, 4.0)]), rolls=[], limiter=limiter, leaving={0: 1.5})
    assert limiter.heard == [(NOTHING, 1.5)]


def test_a_call_that_is_left_makes_room_for_one() -> None:
    jobs = [(0.0, chat_job(POLICY)) for _ in range(4)]
    rolls = itertools.repeat(HALF)
    timeline = simulate(jobs, scripted([Reply(OK, 4.0)]), rolls=rolls, together=1, leaving={0: 1.0})
    assert timeline.sends == (0.0, 1.0, 5.0, 9.0)


def test_money_is_counted_in_a_simulation_too() -> None:
    dear = msgspec.structs.replace(chat_job(POLICY), ask=Ask(worst=0.6))
    script = scripted([Reply(said({**GOOD, "usage": {"cost": 0.3}}), 1.0)])
    timeline = simulate(
        [(0.0, dear)] * 4, script, rolls=itertools.repeat(HALF), money=Money(maximum=1.0), limiter=Places(9)
    )
    assert timeline.sends == (0.0, 1.0)
    assert [type(result) for result in timeline.results] == [Success, Success, Failure, Failure]


def test_a_call_whose_time_is_up_as_its_turn_comes_gives_it_back() -> None:
    """Bug: a place is lost with the call that came too late."""
    late = Policy(schedule=Attempts(0), deadline=1e-12)
    jobs = [(1e6, chat_job(late)), (1e6, chat_job(POLICY))]
    timeline = simulate(jobs, scripted([Reply(OK, 1.0)]), rolls=itertools.repeat(HALF), limiter=Places(1))
    assert [type(result) for result in timeline.results] == [Failure, Success]


def test_a_call_that_is_left_gives_its_place_back_wherever_it_is() -> None:
    """In line, under way, between two attempts, before it came, before there was room, and after its end."""
    server: s.Server = lambda call, _attempt, _now: Reply(failed(503) if call == 3 else OK, 4.0)  # noqa: E731 - a server in one line
    jobs = [(0.0, chat_job(POLICY)) for _ in range(4)]
    leaving = {0: 1.0, 1: 0.5, 3: 9.5}
    timeline = simulate(jobs, server, rolls=itertools.repeat(HALF), limiter=Places(1), leaving=leaving)
    told = [(moment.call, moment.at, type(moment.event)) for moment in timeline.moments]
    assert [(call, at) for call, at, event in told if event is Left] == [(1, 0.5), (0, 1.0), (3, 9.5)]
    assert [(call, at) for call, at, event in told if event is Sent] == [(0, 0.0), (2, 1.0), (3, 5.0)]
    assert len(timeline.results) == 1
    early = simulate(
        [(5.0, chat_job(POLICY)), (5.0, chat_job(POLICY))], server, rolls=[HALF], together=1, leaving={1: 6.0}
    )
    assert [moment.call for moment in early.moments if isinstance(moment.event, Sent)] == [0]
    ended = simulate([(0.0, chat_job(POLICY))], server, rolls=[HALF], leaving={0: 5.0})
    assert isinstance(ended.moments[-1].event, Ended)
    assert simulate([(5.0, chat_job(POLICY))], server, rolls=[HALF], leaving={0: 1.0}).moments == ()


def test_a_process_that_stands_still_is_late_and_loses_nothing() -> None:
    jobs = [(0.0, chat_job(POLICY)), (3.0, chat_job(POLICY))]
    timeline = simulate(jobs, scripted([Reply(OK, 1.0)]), rolls=itertools.repeat(HALF), standing=[(1.0, 9.0)])
    assert [(m.call, m.at) for m in timeline.moments if isinstance(m.event, Sent | Ended)] == [
        (0, 0.0),
        (0, 9.0),
        (1, 9.0),
        (1, 10.0),
    ]


def test_who_comes_as_another_ends_goes_after_those_who_waited() -> None:
    """Kills: a call that finds the line empty, and is sent before the one that left it in that very instant."""
    jobs = [(0.0, chat_job(POLICY))] * 4
    timeline = simulate(
        jobs,
        scripted([Reply(OK, 0.875)]),
        rolls=itertools.repeat(HALF),
        limiter=Gcra(rate=1.0, burst=2.0),
        together=3,
        standing=[(0.5, 5.0)],
    )
    sends = [(moment.call, moment.at) for moment in timeline.moments if isinstance(moment.event, Sent)]
    assert sends == [(0, 0.0), (1, 0.0), (2, 5.0), (3, 5.0)]


def test_who_goes_at_once_has_not_stood_in_line() -> None:
    """Kills: a simulated line that knows calls which the client's never saw: what is told of the wait differs."""
    patient = chat_job(POLICY)
    hasty = chat_job(msgspec.structs.replace(POLICY, deadline=0.25))
    jobs = [(0.125, patient), (0.125, hasty), (0.0, patient)]
    rolls = itertools.repeat(HALF)
    timeline = simulate(jobs, scripted([Reply(OK)]), rolls=rolls, limiter=Gcra(rate=2.0, burst=1.0))
    error = timeline.results[1].failure()
    assert isinstance(error, DeadlineExceeded)
    assert error.needed == 0.875


def test_each_outcome_takes_one_roll() -> None:
    policy = policy_of(OpenRouterConfig(jitter="full"))
    timeline = simulate([(0.0, chat_job(policy))], scripted([Reply(failed(500))]), rolls=[0.5, 0.25, 0.75, 0.0])
    assert timeline.waits == (0.5, 0.5, 3.0)


def test_a_timeline_prints_itself() -> None:
    assert str(one([Reply(failed(503), 0.25), Reply(OK, 0.5)])).splitlines() == [
        "       0.000 s  call 0  queue",
        "       0.000 s  call 0  send 1 of 4, 10 s at most",
        "       0.250 s  call 0  HTTP 503",
        "       0.250 s  call 0  wait 1 s",
        "       1.250 s  call 0  queue",
        "       1.250 s  call 0  send 2 of 4, 10 s at most",
        "       1.750 s  call 0  HTTP 200",
        "       1.750 s  call 0  done",
    ]
    endless = Policy(schedule=Immediate(), timeout=math.inf)
    refused = str(one([Reply(Responded(401, b""))], endless)).splitlines()
    assert refused[1] == "       0.000 s  call 0  send 1"
    assert "failed: AuthError" in refused[-1]


@pytest.mark.parametrize("event", [Slept(1, None, 2.0, ProviderError(message="m")), Ended(1, 2.0), Left(1, 2.0)])
def test_a_moment_is_one_line(event: Any) -> None:
    assert len(told(Moment(3, 1.0, event)).splitlines()) == 1
