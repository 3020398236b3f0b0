"""The life of one call: it ends exactly once, within its retries and its deadline, and tells all its attempts."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught
from tests.core.outcomes import AT, GOOD, OUTCOMES, failed, said, streamed

from openrouter_core import call as c
from openrouter_core import schedule
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.call import Clocks, Done, Job, Queue, Send, Sleep, admitted, answered, begin, expired, slept
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.errors import (
    AuthError,
    DeadlineExceeded,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
    known,
)
from openrouter_core.outcome import Cut, Finished, Outcome, Responded, Stalled, Streamed, TimedOut, Unreachable
from openrouter_core.policy import Policy, policy_of
from openrouter_core.schedule import Attempts, Both, Exponential
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.response import ChatCompletionResponse

REQUEST = HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions")


def job(**settings: Any) -> Job[ChatCompletionResponse]:
    """A chat completion under these settings."""
    return Job(CHAT_COMPLETIONS, REQUEST, policy_of(OpenRouterConfig(**settings)))


# --- whole calls ----------------------------------------------------------------------------------------------------

JOBS = st.builds(
    job,
    max_retries=st.integers(0, 4),
    retry_delay_ms=st.sampled_from([0, 1, 250, 1000]),
    max_retry_delay_ms=st.integers(0, 10_000),
    timeout_secs=st.floats(0.5, 20.0),
    deadline_secs=st.none() | st.floats(0.1, 30.0),
    jitter=st.sampled_from(["none", "full", "equal"]),
)
HINTED = st.builds(lambda hint: failed(429, {"retry-after": f"{hint}"}), st.floats(0.001, 12.0))
PASSING: st.SearchStrategy[Outcome] = HINTED | st.sampled_from(
    [failed(500), failed(503), failed(408), said(b""), Unreachable("refused", "no"), failed(400, code=502)]
)
STEPS = st.lists(
    st.tuples(PASSING | OUTCOMES | st.just(said(GOOD)), st.floats(0.0, 25.0), st.floats(0.0, 3.0)),
    min_size=1,
    max_size=7,
)
BEGAN = st.sampled_from([0.0, 1e-3, 12345.678])


def played(job: Job[Any], steps: list[tuple[Outcome, float, float]], began: float) -> list[c.State[Any]]:
    """The states of a call: each step is an outcome, how long it takes, and the time spent in line before."""
    now, states = began, list[c.State[Any]]([begin(job, began)])
    script = iter(steps * 20)
    outcome, takes, queues = next(script)
    for _ in range(100):
        state = states[-1]
        match state:
            case Queue():
                if now + queues >= state.expires:
                    now = state.expires
                    states.append(expired(state, now))
                else:
                    now += queues
                    states.append(admitted(state, now))
            case Send():
                clock, limit = state.clocks.silence
                late = takes >= limit
                now += min(takes, limit)
                states.append(answered(state, TimedOut(clock, limit) if late else outcome, now, 0.5))
                outcome, takes, queues = next(script)
            case Sleep():
                now = state.until
                states.append(slept(state))
            case Done():
                return states
    pytest.fail("the call does not end")


@given(JOBS, STEPS, BEGAN)
def test_a_call_ends_once_within_its_retries_and_its_deadline(
    job: Job[Any], steps: list[tuple[Outcome, float, float]], began: float
) -> None:
    """Bug: one send too many; an attempt or a wait that outlasts the deadline; a call that never ends."""
    states = played(job, steps, began)
    policy = job.policy
    sends = [state for state in states if isinstance(state, Send)]
    sleeps = [state for state in states if isinstance(state, Sleep)]
    assert sum(isinstance(state, Done) for state in states) == 1
    assert len(sends) <= (policy.attempts or 0)
    assert [send.number for send in sends] == list(range(1, len(sends) + 1))
    assert len(sleeps) in (len(sends) - 1, len(sends))
    end = began + (policy.deadline or math.inf)
    slack = 1e-6
    for send in sends:
        assert send.started + send.clocks.total <= end + slack
        assert 0.0 < send.clocks.total <= policy.timeout
    for sleep in sleeps:
        assert sleep.until <= end
        assert sleep.until == pytest.approx(sleep.until - sleep.delay + sleep.delay)
    done = states[-1]
    assert isinstance(done, Done)
    assert done.ended <= end + slack


@given(JOBS, STEPS, BEGAN)
def test_a_result_tells_all_attempts_in_order_with_their_times(
    job: Job[Any], steps: list[tuple[Outcome, float, float]], began: float
) -> None:
    """Bug: attempts lost on the way, times on another clock, a wait that is told with the wrong attempt."""
    states = played(job, steps, began)
    done = states[-1]
    assert isinstance(done, Done)
    attempts: tuple[Attempt, ...] = done.result.map(lambda answer: answer.call.attempts).lash(
        lambda error: Success(error.attempts)
    ).unwrap()  # fmt: skip
    sends = [state for state in states if isinstance(state, Send)]
    waits = [0.0, *(state.delay for state in states if isinstance(state, Sleep))]
    assert [attempt.number for attempt in attempts] == [send.number for send in sends]
    assert [attempt.started for attempt in attempts] == [send.started - began for send in sends]
    assert [attempt.waited for attempt in attempts] == waits[: len(attempts)]
    assert all(attempt.started <= attempt.ended for attempt in attempts)
    assert all(one.ended <= two.started for one, two in itertools.pairwise(attempts))


def without_deadline(job: Job[Any], _left: float) -> Clocks:
    """Planted: an attempt may take its whole timeout, however little of the deadline is left."""
    return Clocks(job.policy.timeout)


def forgetful(state: Send[Any], outcome: Outcome, now: float) -> c.Past:
    """Planted: only the last attempt is remembered."""
    past = original_after(state, outcome, now)
    return c.Past(past.began, past.attempts[-1:])


original_after = c.after


def test_the_properties_bite() -> None:
    ends = test_a_call_ends_once_within_its_retries_and_its_deadline
    caught(ends, JOBS, STEPS, BEGAN, where=c, clocks=without_deadline)
    caught(ends, JOBS, STEPS, BEGAN, where=schedule, in_time=lambda delay, _history, _seconds: Success(delay))
    caught(ends, JOBS, STEPS, BEGAN, where=c, after=forgetful, raises=BaseException)  # type: ignore[arg-type]
    tells = test_a_result_tells_all_attempts_in_order_with_their_times
    caught(tells, JOBS, STEPS, BEGAN, where=c, replaced=lambda error, **_: error)
    late = lambda state, outcome, now: original_after(  # noqa: E731
        msgspec.structs.replace(state, past=msgspec.structs.replace(state.past, waited=0.0)), outcome, now
    )
    caught(tells, JOBS, STEPS, BEGAN, where=c, after=late)


# --- single transitions ---------------------------------------------------------------------------------------------


def sent(job: Job[Any], at: float = 100.0, *, now: float | None = None) -> Send[Any]:
    """A call that began at one instant and is sending at another."""
    state = admitted(begin(job, at), at if now is None else now)
    assert isinstance(state, Send)
    return state


def test_a_call_queues_sends_sleeps_and_queues_again() -> None:
    first = begin(job(), 100.0)
    assert first == Queue(job(), c.Past(100.0), math.inf)
    sending = admitted(first, 101.0)
    assert isinstance(sending, Send)
    assert (sending.number, sending.started, sending.clocks) == (1, 101.0, Clocks(60.0))
    sleeping = answered(sending, failed(503), 103.0, 0.5)
    assert isinstance(sleeping, Sleep)
    assert (sleeping.delay, sleeping.until) == (1.0, 104.0)
    assert isinstance(sleeping.error, ProviderError)
    again = admitted(slept(sleeping), 104.0)
    assert isinstance(again, Send)
    assert again.number == 2
    headers = {"x-generation-id": "gen-h", "x-openrouter-cache-status": "HIT"}
    done = answered(again, said(GOOD, 200, headers), 105.5, 0.5)
    assert isinstance(done, Done)
    assert done.ended == 105.5
    answer = done.result.unwrap()
    assert answer.text == "It will rain."
    assert answer.call == CallRecord(
        attempts=(
            Attempt(number=1, started=1.0, ended=3.0, outcome="HTTP 503", status=503),
            Attempt(number=2, started=4.0, ended=5.5, outcome="HTTP 200", status=200, waited=1.0),
        ),
        elapsed_secs=5.5,
        generation_id="gen-h",
        cache_status="HIT",
    )


def test_the_answers_own_id_stands_in_for_the_header() -> None:
    done = answered(sent(job()), said(GOOD), 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.result.unwrap().call.generation_id == GOOD["id"]


def test_an_answer_of_another_kind_is_given_as_it_is() -> None:
    endpoint: Endpoint[Any, dict[str, int]] = Endpoint("GET", "/x", dict, dict[str, int])
    done = answered(sent(Job(endpoint, REQUEST, policy_of(OpenRouterConfig()))), said({"a": 1}), 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.result == Success({"a": 1})


def test_a_streamed_answer_is_recorded_too() -> None:
    done = answered(sent(job()), streamed(Finished(), text="yes"), 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.result.unwrap().call.attempts[0].status == 200


def test_a_final_failure_ends_the_call_with_its_attempts() -> None:
    done = answered(sent(job()), failed(401), 101.0, 0.5)
    assert isinstance(done, Done)
    error = done.result.failure()
    assert isinstance(error, AuthError)
    assert error.attempts == (Attempt(number=1, started=0.0, ended=1.0, outcome="HTTP 401", status=401),)
    lost = answered(sent(job()), Unreachable("closed", "closed"), 101.0, 0.5)
    assert isinstance(lost, Done)
    assert lost.result.failure().attempts[0].status is None


def test_no_place_before_the_deadline_ends_the_call_with_the_failure_before_it() -> None:
    limited = job(deadline_secs=10.0)
    done = admitted(begin(limited, 100.0), 110.0)
    assert isinstance(done, Done)
    assert done == expired(begin(limited, 100.0), 110.0)
    error = done.result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert (error.deadline, error.cause, error.attempts) == (10.0, None, ())

    sleeping = answered(sent(limited), failed(503, message="no room"), 101.0, 0.5)
    assert isinstance(sleeping, Sleep)
    error = expired(slept(sleeping), 110.0).result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error.cause, ProviderError)
    assert "no room" in str(error)
    assert len(error.attempts) == 1


def test_an_attempt_is_cut_off_at_the_deadline() -> None:
    limited = job(deadline_secs=10.0)
    sending = sent(limited, now=107.0)
    assert sending.clocks == Clocks(3.0)
    done = answered(sending, TimedOut("attempt", 3.0), 110.0, 0.5)
    assert isinstance(done, Done)
    error = done.result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error.cause, Timeout)
    assert "cut off after 3 s" in str(error)
    final = Job(CHAT_COMPLETIONS, REQUEST, policy_of(OpenRouterConfig(deadline_secs=10.0, retry_sent=False)))
    done = answered(sent(final), TimedOut("attempt", 10.0), 110.0, 0.5)
    assert isinstance(done, Done)
    assert isinstance(done.result.failure(), DeadlineExceeded)


def test_a_connect_timeout_near_the_deadline_is_not_the_deadline() -> None:
    state = answered(sent(job(deadline_secs=30.0)), TimedOut("connect", 10.0, sent=False), 110.0, 0.5)
    assert isinstance(state, Sleep)
    assert isinstance(state.error, Timeout)


def test_a_timeout_of_the_attempts_own_is_retried() -> None:
    state = answered(sent(job(timeout_secs=5.0, deadline_secs=30.0)), TimedOut("attempt", 5.0), 105.0, 0.5)
    assert isinstance(state, Sleep)


def test_a_429_beyond_the_deadline_tells_when_to_come_back() -> None:
    done = answered(sent(job(deadline_secs=10.0)), failed(429, {"retry-after": "20"}), 101.0, 0.5)
    assert isinstance(done, Done)
    error = done.result.failure()
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.resets_at) == (20.0, AT + 20.0)


@pytest.mark.parametrize(
    ("mode", "left", "clocks", "silence"),
    [
        ("whole", 100.0, Clocks(60.0), ("attempt", 60.0)),
        ("whole", 5.0, Clocks(5.0), ("attempt", 5.0)),
        ("collected", 100.0, Clocks(60.0, 40.0, 20.0), ("first_event", 40.0)),
        ("collected", 5.0, Clocks(5.0, 40.0, 20.0), ("attempt", 5.0)),
        ("watched", 5.0, Clocks(5.0, 40.0, 20.0), ("attempt", 5.0)),
        ("handed_out", 100.0, Clocks(60.0, 40.0, 20.0), ("first_event", 40.0)),
        ("handed_out", 5.0, Clocks(60.0, 5.0, 20.0), ("first_event", 5.0)),
    ],
)
def test_the_clocks_of_an_attempt(mode: Any, left: float, clocks: Clocks, silence: tuple[str, float]) -> None:
    policy = Policy(schedule=Both(Exponential(1.0), Attempts(3)), first_event=40.0, idle=20.0)
    told = c.clocks(Job(CHAT_COMPLETIONS, REQUEST, policy, mode), left)
    assert told == clocks
    assert told.silence == silence


@pytest.mark.parametrize(
    ("mode", "now", "outcome", "cut"),
    [
        ("collected", 100.0, Stalled("attempt", 60.0), False),
        ("collected", 195.0, Stalled("attempt", 5.0), True),
        ("handed_out", 195.0, Stalled("first_event", 5.0), True),
        ("handed_out", 100.0, Stalled("first_event", 40.0), False),
        ("handed_out", 195.0, Stalled("idle", 20.0), False),
        ("handed_out", 195.0, Cut("early"), False),
    ],
)
def test_which_ends_of_a_stream_are_the_deadlines(mode: Any, now: float, outcome: Any, cut: bool) -> None:
    policy = Policy(schedule=Attempts(0), first_event=40.0, idle=20.0, deadline=100.0)
    state = sent(Job(CHAT_COMPLETIONS, REQUEST, policy, mode), now=now)
    assert c.out_of_time(state, streamed(outcome)) == cut
    if isinstance(outcome, Stalled):
        assert c.out_of_time(state, TimedOut(outcome.clock, outcome.after)) == cut
    done = answered(state, streamed(outcome), now + 5.0, 0.5)
    assert isinstance(done, Done)
    expected = DeadlineExceeded if cut else TruncatedStream if isinstance(outcome, Cut) else Timeout
    assert type(done.result.failure()) is expected


def test_the_last_failure_is_the_result_when_the_attempts_are_used_up() -> None:
    states = played(job(max_retries=2), [(failed(502, message="down"), 1.0, 0.0)], 0.0)
    done = states[-1]
    assert isinstance(done, Done)
    assert isinstance(done.result, Failure)
    error = known(done.result.failure())
    assert isinstance(error, ProviderError)
    assert [attempt.waited for attempt in error.attempts] == [0.0, 1.0, 2.0]
    assert "3 attempts in 6.0 s" in str(error)


def test_outcomes_of_any_kind_have_a_place_among_the_attempts() -> None:
    for outcome in (said(GOOD), streamed(Finished(), text="x"), Unreachable("dns", "no"), TimedOut("attempt", 60.0)):
        past = c.after(sent(job()), outcome, 101.0)
        assert past.attempts[0].status == (200 if isinstance(outcome, (Responded, Streamed)) else None)
