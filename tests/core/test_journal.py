"""The journal: what happened in a call goes through JSON, and gives the call again."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure
from tests.core.mutants import caught
from tests.core.outcomes import ERRORS, GOOD, OUTCOMES, TEXT, failed, said

from openrouter_core import journal as j
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.call import begin
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import ProviderError
from openrouter_core.journal import Answered, Ended, Left, Moment, Queued, Sent, Slept, event_of, left, replay, told
from openrouter_core.limit.compose import All
from openrouter_core.limit.hold import Hold
from openrouter_core.limit.places import Places
from openrouter_core.limit.seen import Ask
from openrouter_core.outcome import Interrupted
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts, Both, Exponential, Heeding
from openrouter_core.simulate import Reply, Timeline, chat_job, scripted, simulate
from openrouter_core.states import Done, Job, Past, Queue, Sleep

MANY = 40
"""How many of a call's moments are replayed one by one; a call that meets an outage has hundreds."""

SECONDS = st.floats(0.0, 1e9)
COUNTS = st.integers(0, 99)
EVENTS = st.one_of(
    st.builds(Queued, st.none() | SECONDS),
    st.builds(Sent, COUNTS, st.none() | COUNTS, st.none() | SECONDS, st.booleans()),
    st.builds(Answered, OUTCOMES, SECONDS, COUNTS),
    st.builds(Slept, COUNTS, st.none() | COUNTS, SECONDS, ERRORS),
    st.builds(Ended, COUNTS, SECONDS, st.none() | ERRORS),
    st.builds(Left, COUNTS, SECONDS),
)


MOMENTS = st.builds(Moment, COUNTS, SECONDS, EVENTS)

POLICIES = st.builds(
    Policy,
    schedule=st.builds(Both, st.builds(Exponential, st.floats(0.0, 4.0)), st.builds(Attempts, st.integers(0, 4))),
    timeout=st.floats(0.5, 10.0) | st.just(math.inf),
    deadline=st.none() | st.floats(0.1, 20.0),
)
REPLIES = st.lists(
    st.builds(Reply, OUTCOMES | st.just(failed(503)) | st.just(said(GOOD)), st.floats(0.0, 12.0)),
    min_size=1,
    max_size=5,
)


LIMITERS = st.sampled_from([Places(1), Hold(many=1, among=1), All((Places(1), Hold(many=1, among=1)))])
"""One place only; an outage after the first failure, so that attempts are probes."""


@given(MOMENTS)
def test_a_moment_goes_through_json(moment: Moment) -> None:
    """Bug: an infinite limit becomes null, an error of one kind comes back as another, and a journal is unreadable."""
    assert msgspec.json.decode(msgspec.json.encode(moment), type=Moment) == moment


@given(POLICIES, REPLIES, st.floats(0.0, 1.0, exclude_max=True), st.floats(0.0, 1e6), LIMITERS)
def test_a_call_replayed_from_its_moments_ends_in_the_same_state(
    policy: Policy, replies: list[Reply], roll: float, began: float, limiter: Any
) -> None:
    """Bug: a decision that depends on more than what the journal tells: a clock, dice, a counter."""
    job, before_us = chat_job(policy), chat_job(Policy(schedule=Attempts(0)))
    jobs = [(began, before_us), (began, job)]
    timeline = simulate(jobs, scripted(replies), rolls=itertools.repeat(roll), limiter=limiter)
    replayed(timeline, 1, job)


def replayed(timeline: Timeline[Any], call: int, job: Job[Any]) -> list[Any]:
    """Replay a call from what was written down of it, and hold it against what happened; give its events."""
    written = msgspec.json.encode([moment for moment in timeline.moments if moment.call == call])
    moments = msgspec.json.decode(written, type=list[Moment])
    done = replay(job, moments)
    assert isinstance(done, Done)
    assert (done.job, done.result) == (job, timeline.results[call])
    first = moments[:MANY]
    states = [replay(job, first[: n + 1]) for n in range(len(first))]
    events = [moment.event for moment in first]
    assert [
        event_of(state) for state, event in zip(states, events, strict=True) if not isinstance(event, Answered)
    ] == [event for event in events if not isinstance(event, Answered)]
    return [moment.event for moment in moments]


def test_calls_that_meet_everything_are_replayed_as_they_were() -> None:
    """Hints that are lengthened at random, probes, refusals in company, and a call that is turned away."""
    schedule = Both(Attempts(3), Heeding(60.0, spread=0.5))
    job = chat_job(Policy(schedule=schedule, rate_schedule=schedule, timeout=9.0, deadline=99.0))
    hinted = [Reply(failed(503, {"retry-after": "2"}), 1.0), Reply(failed(429), 1.0), Reply(said(GOOD), 1.0)]
    rolls = itertools.cycle([0.25, 0.75])
    held = simulate([(1.0, job)], scripted(hinted), rolls=rolls, limiter=Hold(many=1, among=1))
    probes = [event.probe for event in replayed(held, 0, job) if isinstance(event, Sent)]
    assert (probes[0], True in probes) == (False, True)
    many = simulate([(1.0, job)] * 2, scripted(hinted), rolls=rolls)
    assert any(isinstance(event, Answered) and event.company for event in replayed(many, 1, job))
    hurried = chat_job(Policy(schedule=schedule, deadline=0.5))
    one_place = simulate([(1.0, job), (1.0, hurried)], scripted(hinted), rolls=rolls, limiter=Places(1))
    assert [type(event) for event in replayed(one_place, 1, hurried)] == [Queued, Ended]
    dear = msgspec.structs.replace(chat_job(Policy(schedule=Attempts(3))), max_cost=1.0, ask=Ask(worst=0.6))
    billed = simulate([(1.0, dear)], scripted([Reply(Interrupted("lost"), 1.0)]), rolls=rolls)
    assert [type(event) for event in replayed(billed, 0, dear)] == [Queued, Sent, Answered, Slept, Ended]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Queued(None), "queue"),
        (Sent(1, 4, 60.0), "send 1 of 4, 60 s at most"),
        (Sent(2, None, None), "send 2"),
        (Answered(failed(503), 0.5), "HTTP 503"),
        (Slept(1, 4, 1.5, ProviderError(message="down")), "wait 1.5 s"),
        (Ended(1, 2.0), "done"),
        (Ended(1, 2.0, ProviderError(message="down")), "failed: ProviderError: down"),
        (Left(1, 2.0), "left"),
    ],
)
def test_a_moment_in_a_line(event: Any, line: str) -> None:
    assert told(Moment(7, 1.5, event)) == f"       1.500 s  call 7  {line}"


def test_the_properties_bite() -> None:
    ends = test_a_call_replayed_from_its_moments_ends_in_the_same_state
    things = (POLICIES, REPLIES, st.floats(0.0, 1.0, exclude_max=True), st.floats(0.0, 1e6), LIMITERS)
    caught(ends, *things, where=j, slept=lambda state, _now: begin(state.job, state.past.began))
    caught(ends, *things, where=j, concluded=lambda job, past, _result, _now: begin(job, past.began))
    caught(ends, *things, where=j, bounded=lambda limit: limit, raises=Exception)
    caught(test_a_moment_goes_through_json, MOMENTS, where=msgspec.json, encode=lambda _: b"{}", raises=Exception)


JOB: Job[Any] = Job(
    CHAT_COMPLETIONS,
    HttpRequest("POST", "https://host"),
    Policy(schedule=Both(Exponential(1.0), Attempts(1)), timeout=9.0),
)


def test_a_call_without_a_deadline_has_no_expiry_in_the_journal() -> None:
    assert event_of(begin(JOB, 5.0)) == Queued(None)
    limited = msgspec.structs.replace(JOB, policy=msgspec.structs.replace(JOB.policy, deadline=3.0))
    assert event_of(begin(limited, 5.0)) == Queued(8.0)
    assert msgspec.json.encode(Moment(0, 5.0, Queued(None))) == (
        b'{"call":0,"at":5.0,"event":{"type":"Queued","expires":null}}'
    )


def test_the_story_of_a_call() -> None:
    script = scripted([Reply(failed(503), 2.0), Reply(said(GOOD), 1.0)])
    moments = simulate([(10.0, JOB)], script, rolls=itertools.repeat(0.5)).moments
    assert [(moment.at, type(moment.event)) for moment in moments] == [
        (10.0, Queued),
        (10.0, Sent),
        (12.0, Answered),
        (12.0, Slept),
        (13.0, Queued),
        (13.0, Sent),
        (14.0, Answered),
        (14.0, Ended),
    ]
    slept = moments[3].event
    assert isinstance(slept, Slept)
    assert (slept.number, slept.of, slept.delay) == (1, 2, 1.0)
    assert isinstance(slept.error, ProviderError)
    assert moments[1].event == Sent(1, 2, 9.0)
    assert moments[-1].event == Ended(2, 4.0)


def test_a_call_that_is_refused_at_once_can_be_replayed() -> None:
    """Bug: a call whose first state is its end cannot be told, or comes back as one that waits."""
    poor = msgspec.structs.replace(JOB, max_cost=1.0)
    timeline = simulate([(0.0, poor)], scripted([Reply(said(GOOD))]), rolls=itertools.repeat(0.5))
    assert [type(moment.event) for moment in timeline.moments] == [Ended]
    done = replay(poor, timeline.moments)
    assert isinstance(done, Done)
    assert done.result == timeline.results[0]


def test_a_failure_is_told_with_its_error() -> None:
    error = ProviderError(message="down")
    done: Done[Any] = Done(JOB, Past(1.0), 3.5, Failure(error))
    assert event_of(done) == Ended(0, 2.5, error)
    sleep: Sleep[Any] = Sleep(JOB, Past(1.0), 2.0, 5.0, error)
    assert event_of(sleep) == Slept(0, 2, 2.0, error)


def test_a_call_that_is_left_tells_how_far_it_had_come() -> None:
    waiting = begin(JOB, 5.0)
    assert left(waiting, 6.5) == Left(0, 1.5)
    sending = replay(JOB, [Moment(0, 5.0, Queued(None)), Moment(0, 6.0, Sent(1, 2, 9.0))])
    assert left(sending, 9.0) == Left(1, 4.0)
    assert replay(JOB, [Moment(0, 5.0, Queued(None)), Moment(0, 6.0, Left(0, 1.0))]) == waiting


def test_moments_that_tell_nothing_new_change_nothing() -> None:
    state = replay(JOB, [Moment(0, 1.0, Queued(None)), Moment(0, 1.0, Queued(None))])
    assert isinstance(state, Queue)


@given(TEXT)
def test_a_moment_of_an_unknown_kind_is_refused(kind: str) -> None:
    """Bug: a journal of another version is read as something else."""
    body = msgspec.json.encode({"call": 0, "at": 0.0, "event": {"type": f"?{kind}", "expires": None}})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Moment)
