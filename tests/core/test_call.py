"""The life of one call: it ends exactly once, within its retries and its deadline, and tells all its attempts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
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
from openrouter_core.admission import Admitted, Stamp, Ticket
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.call import answered, begin, entered, slept
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.endpoints.inference import GET_VIDEO
from openrouter_core.errors import (
    AuthError,
    BudgetExceeded,
    DeadlineExceeded,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
    known,
)
from openrouter_core.journal import PROBE
from openrouter_core.limit.money import Refused
from openrouter_core.limit.pump import TurnedAway
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.outcome import Cut, Finished, Outcome, Responded, Stalled, Streamed, TimedOut, Unreachable
from openrouter_core.policy import Policy, policy_of
from openrouter_core.schedule import Attempts, Both, Exponential
from openrouter_core.states import Alternative, Clocks, Done, Job, Past, Queue, Send, Sleep, State, tries
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


def played(job: Job[Any], steps: list[tuple[Outcome, float, float]], began: float) -> list[State[Any]]:
    """The states of a call: each step is an outcome, how long it takes, and the time spent in line before."""
    now, states = began, list[State[Any]]([begin(job, began)])
    script = iter(steps * 20)
    outcome, takes, queues = next(script)
    for _ in range(100):
        state = states[-1]
        match state:
            case Queue():
                if now + queues >= state.expires:
                    now = state.expires
                    states.append(entered(state, TurnedAway(None, math.inf), now))
                else:
                    now += queues
                    states.append(entered(state, Admitted(None), now))
            case Send():
                clock, limit = state.clocks.silence
                late = takes >= limit
                now += min(takes, limit)
                states.append(answered(state, TimedOut(clock, limit) if late else outcome, 0, now, 0.5))
                outcome, takes, queues = next(script)
            case Sleep():
                now = state.until
                states.append(slept(state, now))
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
    assert all(state.job == job for state in states)


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


def forgetful(*of: Any) -> Past:
    """Planted: only the last attempt is remembered."""
    past = original_after(*of)
    return msgspec.structs.replace(past, attempts=past.attempts[-1:])


original_after = c.after


def test_the_properties_bite() -> None:
    ends = test_a_call_ends_once_within_its_retries_and_its_deadline
    caught(ends, JOBS, STEPS, BEGAN, where=c, clocks=without_deadline)
    hurried = st.builds(job, deadline_secs=st.floats(1.2, 1.9))
    slow = st.just([(failed(500), 1.0, 0.0)])
    caught(ends, hurried, slow, BEGAN, where=schedule, in_time=lambda delay, _history, _seconds: Success(delay))
    caught(ends, JOBS, STEPS, BEGAN, where=c, after=forgetful, raises=BaseException)  # type: ignore[arg-type] # whatever it raises
    tells = test_a_result_tells_all_attempts_in_order_with_their_times
    caught(tells, JOBS, STEPS, BEGAN, where=c, replaced=lambda error, **_: error)
    late = lambda state, *of: original_after(  # noqa: E731 - planted in the place of a function
        msgspec.structs.replace(state, past=msgspec.structs.replace(state.past, waited=0.0)), *of
    )
    caught(tells, JOBS, STEPS, BEGAN, where=c, after=late)


# --- single transitions ---------------------------------------------------------------------------------------------


def sent(job: Job[Any], at: float = 100.0, *, now: float | None = None) -> Send[Any]:
    """A call that began at one instant and is sending at another."""
    queue = begin(job, at)
    assert isinstance(queue, Queue)
    state = entered(queue, Admitted(None), at if now is None else now)
    assert isinstance(state, Send)
    return state


def back(state: Any, at: float) -> Send[Any]:
    """A call that has slept, and sends again."""
    assert isinstance(state, Sleep)
    queue = slept(state, at)
    assert isinstance(queue, Queue)
    again = entered(queue, Admitted(None), at)
    assert isinstance(again, Send)
    return again


def test_a_call_queues_sends_sleeps_and_queues_again() -> None:
    first = begin(job(), 100.0)
    assert first == Queue(job(), Past(100.0), Ticket(), math.inf)
    sending = entered(first, Admitted(None), 101.0)
    assert isinstance(sending, Send)
    assert (sending.number, sending.started, sending.clocks) == (1, 101.0, Clocks(60.0))
    sleeping = answered(sending, failed(503), 0, 103.0, 0.5)
    assert isinstance(sleeping, Sleep)
    assert (sleeping.delay, sleeping.until) == (1.0, 104.0)
    assert isinstance(sleeping.error, ProviderError)
    again = back(sleeping, 104.0)
    assert again.number == 2
    headers = {"x-generation-id": "gen-h", "x-openrouter-cache-status": "HIT"}
    done = answered(again, said(GOOD, 200, headers), 0, 105.5, 0.5)
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
    done = answered(sent(job()), said(GOOD), 0, 101.0, 0.5)
    assert isinstance(done, Done)
    assert (done.job, done.ended) == (job(), 101.0)
    assert done.result.unwrap().call.generation_id == GOOD["id"]


def test_an_answer_of_another_kind_is_given_as_it_is() -> None:
    endpoint: Endpoint[Any, dict[str, int]] = Endpoint("GET", "/x", dict, dict[str, int])
    done = answered(sent(Job(endpoint, REQUEST, policy_of(OpenRouterConfig()))), said({"a": 1}), 0, 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.result == Success({"a": 1})


def test_a_streamed_answer_is_recorded_too() -> None:
    done = answered(sent(job()), streamed(Finished(), text="yes"), 0, 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.result.unwrap().call.attempts[0].status == 200


def test_a_final_failure_ends_the_call_with_its_attempts() -> None:
    done = answered(sent(job()), failed(401), 0, 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.job == job()
    error = done.result.failure()
    assert isinstance(error, AuthError)
    assert error.attempts == (Attempt(number=1, started=0.0, ended=1.0, outcome="HTTP 401", status=401),)
    lost = answered(sent(job()), Unreachable("closed", "closed"), 0, 101.0, 0.5)
    assert isinstance(lost, Done)
    assert lost.result.failure().attempts[0].status is None


def test_no_turn_before_the_deadline_ends_the_call_with_the_failure_before_it() -> None:
    limited = job(deadline_secs=10.0)
    first = begin(limited, 100.0)
    assert isinstance(first, Queue)
    done = entered(first, Admitted(None), 110.0)
    assert isinstance(done, Done)
    assert (done.job, done.ended) == (limited, 110.0)
    assert done == entered(first, TurnedAway(None, math.inf), 110.0) == entered(first, TurnedAway(None, 0.0), 110.0)
    error = done.result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert (error.deadline, error.needed, error.cause, error.attempts) == (10.0, None, None, ())
    assert "no place to send was free within 10 s" in error.message

    sleeping = answered(sent(limited), failed(503, message="no room"), 0, 101.0, 0.5)
    assert isinstance(sleeping, Sleep)
    second = slept(sleeping, 102.0)
    assert isinstance(second, Queue)
    error = entered(second, TurnedAway(None, 0.0), 110.0).result.failure()  # type: ignore[union-attr] # a state without a result fails the test too
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error.cause, ProviderError)
    assert "no room" in str(error)
    assert len(error.attempts) == 1


def test_who_would_have_to_wait_in_line_past_the_deadline_is_told_how_long() -> None:
    first = slept(playing(job(deadline_secs=10.0), [failed(503, message="no room")]), 2.0)
    assert isinstance(first, Queue)
    done = entered(first, TurnedAway(None, 25.0), 3.0)
    assert isinstance(done, Done)
    assert (done.job, done.ended) == (first.job, 3.0)
    error = done.result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert (error.deadline, error.needed) == (10.0, 25.0)
    assert isinstance(error.cause, ProviderError)
    assert "wait in line for at least 25 s" in str(error)


def test_what_this_client_cannot_pay_for_says_by_how_much() -> None:
    first = begin(job(), 100.0)
    assert isinstance(first, Queue)
    refused = Refused(maximum=1.0, spent=0.6, reserved=0.1, worst=0.5, missing=0.2)
    done = entered(first, TurnedAway(None, 0.0, refused), 100.0)
    assert isinstance(done, Done)
    assert (done.job, done.ended) == (first.job, 100.0)
    error = done.result.failure()
    assert isinstance(error, BudgetExceeded)
    assert (error.maximum, error.spent, error.reserved, error.worst, error.missing) == (1.0, 0.6, 0.1, 0.5, 0.2)
    assert "budget of this client" in str(error)
    assert "0.200000 USD more than is left" in str(error)
    assert "lower max_completion_tokens" in str(error)


# --- refusals, probes, money, other models --------------------------------------------------------------------------


def playing(job: Job[Any], outcomes: Sequence[Outcome], company: int = 0, *, probe: bool = False) -> Any:
    """The state of a call after these outcomes, each a second after its send."""
    state: Any = begin(job, 0.0)
    for number, outcome in enumerate(outcomes):
        while not isinstance(state, Send):
            if isinstance(state, Done):
                return state
            now = float(number * 100)
            state = (
                slept(state, now)
                if isinstance(state, Sleep)
                else entered(state, Admitted(None, PROBE if probe else Stamp()), now)
            )
        state = answered(state, outcome, company, state.started + 1.0, 0.5)
    return state


def test_refusals_in_company_use_up_no_tries_and_have_a_limit_of_their_own() -> None:
    """Bug: a call is lost because the quota was full; a call is refused for ever; a lone call waits differently."""
    refused = failed(429)
    for number in range(1, 9):
        state = playing(job(), [refused] * number, company=1)
        assert isinstance(state, Sleep)
        assert (state.past.free, state.past.refused, state.past.draws) == (number, number, False)
        assert state.delay == min(60.0, 2.0 ** (number - 1))
        assert tries(state) == 4 + number
    assert isinstance(playing(job(), [refused] * 9, company=1), Done)
    assert isinstance(playing(job(), [refused] * 5 + [failed(503)] * 3, company=1), Sleep)
    assert isinstance(playing(job(), [refused] * 5 + [failed(503)] * 4, company=1), Done)
    alone = playing(job(), [refused] * 3)
    assert (alone.past.free, alone.delay) == (0, 4.0)
    assert isinstance(playing(job(), [refused] * 4), Done)


def test_how_often_a_call_may_be_refused_can_be_set() -> None:
    stubborn, meek = job(max_rate_retries=12), job(max_rate_retries=0)
    assert isinstance(playing(stubborn, [failed(429)] * 12), Sleep)
    assert isinstance(playing(stubborn, [failed(429)] * 13), Done)
    assert isinstance(playing(meek, [failed(429)], company=9), Done)
    assert isinstance(playing(meek, [failed(503)] * 3, company=9), Sleep)


def test_the_failure_of_a_probe_is_none_of_the_calls_tries() -> None:
    """Bug: an outage uses up the tries of the call that is sent to find out whether it is over."""
    state = playing(job(), [failed(503)] * 20, probe=True)
    assert isinstance(state, Sleep)
    assert (state.past.free, state.past.draws, state.delay) == (20, False, 0.5)
    assert isinstance(playing(job(max_retries=0), [failed(503)] * 3, probe=True), Sleep)
    assert isinstance(playing(job(), [failed(401)], probe=True), Done)


def test_a_retry_of_a_failure_draws_on_the_budget_and_of_a_refusal_does_not() -> None:
    for failure in (failed(503), TimedOut("attempt", 60.0)):
        failing = slept(playing(job(), [failure]), 50.0)
        assert isinstance(failing, Queue)
        assert failing.ticket.ask.retry
    refused = slept(playing(job(), [failed(429)]), 50.0)
    assert isinstance(refused, Queue)
    assert not refused.ticket.ask.retry


def test_what_an_attempt_showed_is_kept_for_the_limiters() -> None:
    assert playing(job(), [failed(503)]).past.seen.kind == "server"
    assert playing(job(), [said(GOOD)]).past.seen.kind == "ok"
    assert playing(job(deadline_secs=1.5), [failed(503)]).past.seen.kind == "server"
    assert playing(job(deadline_secs=10.0), [TimedOut("attempt", 10.0)]).past.seen.kind == "other"
    assert playing(job(timeout_secs=5.0), [TimedOut("attempt", 5.0)]).past.seen.kind == "timeout"


def dear(worst: float | None, **settings: Any) -> Job[Any]:
    """A call whose attempts may each cost so many USD, and which may cost one."""
    return msgspec.structs.replace(job(**settings), ask=Ask(worst=worst), max_cost=1.0)


def test_a_call_never_costs_more_than_it_may() -> None:
    """Bug: a retry whose worst case no longer fits; an unknown cost that counts as nothing."""
    first = begin(dear(1.5), 0.0)
    assert isinstance(first, Done)
    assert (first.job, first.ended) == (dear(1.5), 0.0)
    error = first.result.failure()
    assert isinstance(error, BudgetExceeded)
    assert "the budget of this call" in error.message
    assert error.missing == pytest.approx(0.5)
    assert not error.attempts
    unknown = begin(dear(None), 0.0)
    assert isinstance(unknown, Done)
    assert "load_prices" in str(unknown.result.failure())
    late = playing(dear(0.6), [TimedOut("attempt", 60.0)])
    assert late.past.spent == 0.6
    done = slept(late, 50.0)
    assert isinstance(done, Done)
    assert done.ended == 50.0
    assert len(done.result.failure().attempts) == 1
    assert isinstance(slept(playing(dear(0.6), [failed(503)]), 50.0), Queue)


CHEAP = HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions", body=b"cheap")
SMALL = HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions", body=b"small")
OTHERS = (
    Alternative(("RateLimited",), SMALL, "small", Ask(("small",))),
    Alternative(("ProviderError", "Timeout"), CHEAP, "cheap", Ask(("cheap",))),
)


def test_another_model_is_asked_after_the_errors_that_it_is_meant_for() -> None:
    """Bug: the wrong model, a fallback after an error it is not meant for, tries that are not counted afresh."""
    flexible = msgspec.structs.replace(job(max_retries=1), alternatives=OTHERS)
    state = playing(flexible, [failed(503)] * 2)
    assert isinstance(state, Queue)
    assert (state.job.request, state.job.model, state.job.ask, state.job.alternatives) == (
        CHEAP,
        "cheap",
        Ask(("cheap",)),
        (),
    )
    assert (state.ticket.ask, state.past.free) == (Ask(("cheap",)), 2)
    assert isinstance(state.past.error, ProviderError)
    assert state.past.draws is False
    good = playing(flexible, [failed(503)] * 3 + [said(GOOD)])
    attempts = good.result.unwrap().call.attempts
    assert [(attempt.model, attempt.waited) for attempt in attempts] == [
        ("", 0.0), ("", 1.0), ("cheap", 0.0), ("cheap", 1.0)
    ]  # fmt: skip
    assert isinstance(playing(flexible, [failed(503)] * 4), Done)
    assert isinstance(playing(flexible, [failed(401)]), Done)
    first = playing(flexible, [failed(429)] * 2)
    assert (first.job.model, len(first.job.alternatives), first.past.refused) == ("small", 1, 0)


def test_another_model_must_be_affordable_too() -> None:
    costly = Alternative(("ProviderError",), CHEAP, "cheap", Ask(worst=5.0))
    done = playing(msgspec.structs.replace(dear(0.1, max_retries=0), alternatives=(costly,)), [failed(503)])
    assert isinstance(done, Done)
    assert isinstance(done.result.failure(), BudgetExceeded)
    assert (done.job.model, done.ended) == ("cheap", 1.0)


def test_no_other_model_is_asked_when_the_time_or_the_answer_is_gone() -> None:
    hasty = msgspec.structs.replace(job(max_retries=0, deadline_secs=1.0), alternatives=OTHERS)
    assert isinstance(playing(hasty, [failed(503)]), Done)
    other = Alternative(("TruncatedStream",), CHEAP, "cheap", Ask())
    flexible = msgspec.structs.replace(job(max_retries=0), alternatives=(other,), mode="handed_out")
    assert isinstance(playing(flexible, [streamed(Cut("early"), text="half", delivered=True)]), Done)
    assert isinstance(playing(flexible, [streamed(Cut("early"), text="half")]), Queue)


def test_an_attempt_is_cut_off_at_the_deadline() -> None:
    limited = job(deadline_secs=10.0)
    sending = sent(limited, now=107.0)
    assert sending.clocks == Clocks(3.0)
    done = answered(sending, TimedOut("attempt", 3.0), 0, 110.0, 0.5)
    assert isinstance(done, Done)
    assert (done.job, done.ended) == (limited, 110.0)
    error = done.result.failure()
    assert isinstance(error, DeadlineExceeded)
    assert error.deadline == 10.0
    assert isinstance(error.cause, Timeout)
    assert "cut off after 3 s" in str(error)
    final = Job(CHAT_COMPLETIONS, REQUEST, policy_of(OpenRouterConfig(deadline_secs=10.0, retry_sent=False)))
    done = answered(sent(final), TimedOut("attempt", 10.0), 0, 110.0, 0.5)
    assert isinstance(done, Done)
    assert isinstance(done.result.failure(), DeadlineExceeded)


def test_a_connect_timeout_near_the_deadline_is_not_the_deadline() -> None:
    state = answered(sent(job(deadline_secs=30.0)), TimedOut("connect", 10.0, sent=False), 0, 110.0, 0.5)
    assert isinstance(state, Sleep)
    assert isinstance(state.error, Timeout)


def test_a_timeout_of_the_attempts_own_is_retried() -> None:
    state = answered(sent(job(timeout_secs=5.0, deadline_secs=30.0)), TimedOut("attempt", 5.0), 0, 105.0, 0.5)
    assert isinstance(state, Sleep)


def test_the_time_that_a_call_has_had_counts_towards_its_deadline() -> None:
    done = answered(sent(job(deadline_secs=10.0)), failed(503), 0, 109.5, 0.5)
    assert isinstance(done, Done)
    assert isinstance(done.result.failure(), DeadlineExceeded)


def test_what_was_handed_out_in_part_is_not_asked_for_again() -> None:
    given = streamed(Cut("early"), text="half", delivered=True)
    assert isinstance(playing(msgspec.structs.replace(job(), mode="handed_out"), [given]), Done)


def test_a_429_beyond_the_deadline_tells_when_to_come_back() -> None:
    done = answered(sent(job(deadline_secs=10.0)), failed(429, {"retry-after": "20"}), 0, 101.0, 0.5)
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
    done = answered(state, streamed(outcome), 0, now + 5.0, 0.5)
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
        past = c.after(sent(job()), outcome, 101.0, Seen(kind="other"))
        assert past.attempts[0].status == (200 if isinstance(outcome, (Responded, Streamed)) else None)


def test_asking_about_a_job_does_not_count_its_cost_again() -> None:
    """Bug: a video that costs 2 USD uses up 20 by being asked about ten times."""
    asking: Job[Any] = Job(GET_VIDEO, HttpRequest("GET", "https://host/videos/v"), Policy(schedule=Attempts(0)))
    body = {"id": "v", "status": "completed", "usage": {"cost": 2.0}}
    done = answered(sent(asking), said(body), 0, 101.0, 0.5)
    assert isinstance(done, Done)
    assert done.past.spent == 0.0
