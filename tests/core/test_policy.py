"""Policies: what follows from an outcome, when to give up, and what to say then."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught
from tests.core.outcomes import AT, GOOD, OUTCOMES, failed, said, streamed

from openrouter_core import policy as p
from openrouter_core import schedule as s
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import Endpoint
from openrouter_core.errors import (
    ConnectError,
    DeadlineExceeded,
    EmptyCompletion,
    InsufficientCredits,
    InvalidRequest,
    ProviderError,
    RateLimited,
    Timeout,
)
from openrouter_core.outcome import Cut, Interrupted, Outcome, TimedOut, Unreachable
from openrouter_core.policy import Fail, Ok, Policy, Retry, decide, policy_of, with_deadline
from openrouter_core.schedule import Attempts, Both, Exponential, Heeding, History, Immediate, Within
from openrouter_core.verdict import Rules
from openrouter_core.wire.videos import Video, VideoRequest

ROLLS = st.floats(0.0, 1.0, exclude_max=True)
CONFIGS = st.builds(
    OpenRouterConfig,
    max_retries=st.integers(0, 4),
    retry_delay_ms=st.integers(0, 5000),
    max_retry_delay_ms=st.integers(0, 60_000),
    deadline_secs=st.none() | st.floats(0.1, 30.0),
    jitter=st.sampled_from(["none", "full", "equal"]),
    hint_spread=st.floats(0.0, 1.0),
    retry_sent=st.booleans(),
)
HISTORIES = st.builds(History, st.integers(0, 5), st.floats(0.0, 40.0))
HINTED: st.SearchStrategy[Outcome] = st.builds(
    lambda status, hint: failed(status, {"retry-after": str(hint)}),
    st.sampled_from([429, 503]),
    st.integers(1, 70) | st.floats(1e-3, 70.0),
)


def decided(policy: Policy, outcome: Outcome, history: History | None = None, roll: float = 0.5) -> Any:
    """The decision on a chat completion's outcome."""
    return decide(policy, CHAT_COMPLETIONS, outcome, history or History(0), roll)


@given(CONFIGS, OUTCOMES | HINTED, HISTORIES, ROLLS)
def test_a_retry_keeps_within_retries_cap_and_deadline(
    config: OpenRouterConfig, outcome: Outcome, history: History, roll: float
) -> None:
    """Bug: one retry too many, a wait beyond the cap, or one that ends after the deadline."""
    policy = policy_of(config)
    decision = decided(policy, outcome, history, roll)
    assert decision == decided(policy, outcome, history, roll)
    if isinstance(decision, Retry):
        assert history.attempt < config.max_retries
        assert 0.0 <= decision.delay <= config.max_retry_delay_ms / 1000
        assert history.elapsed + decision.delay < (config.deadline_secs or math.inf)


@given(CONFIGS, HINTED, HISTORIES, ROLLS)
def test_a_servers_hint_is_a_lower_bound_of_the_wait(
    config: OpenRouterConfig, outcome: Outcome, history: History, roll: float
) -> None:
    """Bug: jitter or the cap brings a call back before the server wants it, which costs another refusal."""
    decision = decided(policy_of(config), outcome, history, roll)
    if isinstance(decision, Retry):
        assert decision.delay >= float(outcome.headers["retry-after"])  # type: ignore[union-attr] # only answers can be retried here


def capped(schedule: Heeding, hint: float | None, _roll: float) -> Any:
    """Planted: waits as long as it may and then tries all the same."""
    return Success(min(hint or 0.0, schedule.longest))


def test_the_properties_bite() -> None:
    bound = test_a_servers_hint_is_a_lower_bound_of_the_wait
    caught(bound, CONFIGS, HINTED, HISTORIES, ROLLS, where=s, heeded=capped)
    within = test_a_retry_keeps_within_retries_cap_and_deadline
    things = (CONFIGS, OUTCOMES | HINTED, HISTORIES, ROLLS)
    caught(within, *things, where=p, in_all=lambda _policy, schedule: schedule)
    caught(within, *things, where=p, Attempts=lambda limit: Attempts(limit + 1))
    caught(within, *things, where=p, Capped=lambda inner, _ceiling: inner)


def test_the_defaults_wait_1_2_4_seconds() -> None:
    policy = policy_of(OpenRouterConfig())
    told = [decided(policy, failed(500), History(attempt)) for attempt in range(4)]
    assert [decision.delay for decision in told[:3]] == [1.0, 2.0, 4.0]
    assert isinstance(told[3], Fail)
    assert policy.attempts == 4
    assert str(policy.schedule) == "1 s * 2**n up to 60 s, 3 retries, heeding hints up to 60 s"


def test_a_policy_takes_all_that_the_config_says() -> None:
    policy = policy_of(
        OpenRouterConfig(
            timeout_secs=5.0,
            first_event_timeout_secs=6.0,
            idle_timeout_secs=7.0,
            deadline_secs=8.0,
            jitter="full",
            retry_empty=True,
            retry_sent=False,
        )
    )
    assert (policy.timeout, policy.first_event, policy.idle, policy.deadline) == (5.0, 6.0, 7.0, 8.0)
    assert policy.rules == Rules(retry_empty=True, retry_sent=False)
    assert decided(policy, failed(500), roll=0.25).delay == 0.25
    assert decided(policy, failed(429, {"retry-after": "2"}), roll=0.5).delay == pytest.approx(2.1)
    assert decided(policy_of(OpenRouterConfig(jitter="equal")), failed(500), roll=0.5).delay == 0.75


def test_success_and_final_failures_end_the_call() -> None:
    policy = policy_of(OpenRouterConfig(retry_empty=True))
    good = decided(policy, said(GOOD))
    assert isinstance(good, Ok)
    assert good.value.choices
    assert isinstance(decided(policy, failed(400)), Fail)
    void = said({"choices": [{"message": {"content": ""}}]})
    assert isinstance(decided(policy, void).error, EmptyCompletion)
    assert isinstance(decided(policy, void), Retry)
    assert isinstance(decided(policy_of(OpenRouterConfig()), void), Ok)


def test_a_stream_that_was_delivered_in_part_is_not_tried_again() -> None:
    policy = policy_of(OpenRouterConfig())
    assert isinstance(decided(policy, streamed(Cut("early"), text="so far")), Retry)
    assert isinstance(decided(policy, streamed(Cut("early"), text="so far", delivered=True)), Fail)


@pytest.mark.parametrize("hint", [60.5, 3600.0])
def test_a_429_that_asks_for_more_than_the_cap_stays_a_429(hint: float) -> None:
    decision = decided(policy_of(OpenRouterConfig()), failed(429, {"retry-after": str(hint)}))
    assert isinstance(decision, Fail)
    assert isinstance(decision.error, RateLimited)
    assert (decision.error.retry_after, decision.error.resets_at) == (hint, AT + hint)
    assert f"asks to wait {hint:g} s" in str(decision.error)


def test_a_429_that_asks_for_more_than_the_deadline_stays_a_429() -> None:
    decision = decided(policy_of(OpenRouterConfig(deadline_secs=20.0)), failed(429, {"retry-after": "30"}))
    assert isinstance(decision.error, RateLimited)
    assert decision.error.retry_after == 30.0


def test_only_a_429_that_says_when_to_come_back_stays_itself_at_the_deadline() -> None:
    policy = Policy(schedule=Exponential(4.0), deadline=3.0)
    for outcome in (failed(429), failed(503, {"retry-after": "2"})):
        assert isinstance(decided(policy, outcome).error, DeadlineExceeded)


def test_a_503_that_asks_for_more_than_the_cap_says_so() -> None:
    decision = decided(policy_of(OpenRouterConfig()), failed(503, {"retry-after": "61"}))
    assert isinstance(decision, Fail)
    assert isinstance(decision.error, ProviderError)
    assert "asks to wait 61 s" in decision.error.message


def test_a_wait_that_would_pass_the_deadline_is_a_deadline_exceeded_with_its_cause() -> None:
    policy = policy_of(OpenRouterConfig(deadline_secs=10.0))
    decision = decided(policy, failed(503, {"x-generation-id": "gen-1"}, message="no room"), History(2, 7.0))
    assert isinstance(decision, Fail)
    error = decision.error
    assert isinstance(error, DeadlineExceeded)
    assert (error.deadline, error.needed, error.status, error.generation_id) == (10.0, 4.0, 503, "gen-1")
    assert isinstance(error.cause, ProviderError)
    assert error.message == (
        "the deadline of 10 s does not allow it: the next attempt would have to wait 4 s; the last failure: no room"
    )
    last = decided(policy, failed(503), History(3, 7.0))
    assert isinstance(last.error, ProviderError), "the attempts were used up, whatever the deadline"


def test_a_deadline_holds_with_any_schedule_and_so_does_a_schedules_own() -> None:
    bare = Policy(schedule=Exponential(1.0), deadline=3.0)
    assert isinstance(decided(bare, failed(500), History(0, 1.5)), Retry)
    assert isinstance(decided(bare, failed(500), History(0, 2.0)).error, DeadlineExceeded)
    own = decided(Policy(schedule=Within(Exponential(1.0), 3.0)), failed(500), History(2, 0.0))
    assert isinstance(own.error, DeadlineExceeded)
    assert (own.error.deadline, own.error.needed) == (3.0, 4.0)
    at_once = decided(Policy(schedule=Immediate(), deadline=3.0), failed(500), History(0, 4.0))
    assert at_once.error.needed == 0.0
    assert bare.attempts is None
    assert Policy(schedule=Both(Attempts(2), Immediate())).attempts == 3


def test_the_earlier_deadline_counts() -> None:
    policy = policy_of(OpenRouterConfig(deadline_secs=10.0))
    assert with_deadline(policy, None) == policy
    assert with_deadline(policy, 20.0) == policy
    assert with_deadline(policy, 5.0).deadline == 5.0
    assert with_deadline(policy_of(OpenRouterConfig()), 5.0).deadline == 5.0


@pytest.mark.parametrize("seconds", [None, 0.001, 5, 1e9])
def test_a_deadline_of_a_calls_own_is_accepted(seconds: float | None) -> None:
    assert p.checked_deadline(seconds) == Success(seconds)


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan, math.inf, True, "soon", [5], 10**400])
def test_a_deadline_that_is_no_positive_number_is_refused(seconds: Any) -> None:
    result = p.checked_deadline(seconds)
    assert isinstance(result, Failure)
    error = result.failure()
    assert isinstance(error, InvalidRequest)
    assert error.field == "deadline_secs"
    assert error.value == repr(seconds)[:80]
    assert "positive" in (error.bound or "")
    assert error.message == f"deadline_secs = {error.value}: {error.bound}"


def test_until_when_a_deadline_lasts() -> None:
    assert p.until(Policy(schedule=Immediate()), 5.0) is None
    assert p.until(Policy(schedule=Immediate(), deadline=3.0), 5.0) == 8.0


# --- what makes something -------------------------------------------------------------------------------------------

ONCE = Endpoint("POST", "/videos", VideoRequest, Video, repeatable=False)


@given(OUTCOMES | HINTED, HISTORIES, ROLLS)
def test_what_may_have_acted_is_not_sent_again_where_it_makes_something(
    outcome: Outcome, history: History, roll: float
) -> None:
    """Bug: a video that is made, and paid for, twice, because the first answer was lost on its way."""
    decision = decide(Policy(schedule=Attempts(9)), ONCE, outcome, history, roll)
    if isinstance(decision, Retry):
        assert isinstance(decision.error, (RateLimited, InsufficientCredits, ConnectError, Timeout))
        assert getattr(decision.error, "sent", False) is False


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (failed(429), True),
        (failed(200, code=429), True),
        (Unreachable("refused", "no"), True),
        (TimedOut("connect", 10.0, sent=False), True),
        (TimedOut("attempt", 60.0), False),
        (failed(503), False),
        (failed(408), False),
        (failed(200, code=502), False),
        (Interrupted("lost"), False),
    ],
)
def test_what_was_certainly_not_done_is_tried_again(outcome: Outcome, *, again: bool) -> None:
    """Bug: a refusal for the rate fails a submission for good; or a timeout submits it twice."""
    policy = Policy(schedule=Attempts(3))
    decision: Any = decide(policy, ONCE, outcome, History(0), 0.5)
    assert isinstance(decision, Retry) == again
    assert decision.error.message
    repeat = msgspec.structs.replace(ONCE, repeatable=True)
    assert isinstance(decide(policy, repeat, outcome, History(0), 0.5), Retry)


@pytest.mark.parametrize(
    ("priority", "cost", "field"),
    [
        (1.5, None, "priority"),
        (True, None, "priority"),
        ("a", None, "priority"),
        (0, -1.0, "max_cost_usd"),
        (0, math.nan, "max_cost_usd"),
        (0, "1 dollar", "max_cost_usd"),
    ],
)
def test_options_of_a_call_that_do_not_fit_are_named(priority: Any, cost: Any, field: str) -> None:
    error: Any = p.checked_options(priority, cost).failure()
    assert error.field == field
    assert error.value == repr(priority if field == "priority" else cost)
    assert error.bound.startswith("must be")


def test_options_of_a_call_that_fit() -> None:
    assert p.checked_options(-3, None) == p.checked_options(0, 0) == p.checked_options(0, 0.5) == Success(None)


def test_a_deadline_that_nothing_failed_before_has_no_cause() -> None:
    error = p.deadline_passed(None, "too late")
    assert error == DeadlineExceeded(message="the deadline of 0 s does not allow it: too late", deadline=0.0)
