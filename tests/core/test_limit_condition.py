"""How a server fares: the hold, the room in flight, and the budget of retries, which an outage suspends."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit import condition as module
from openrouter_core.limit.condition import Condition
from openrouter_core.limit.hold import Flowing, Hold
from openrouter_core.limit.retry_budget import Retries, RetryBudget
from openrouter_core.limit.seen import Ask, Kind, Seen

RETRY = Ask(retry=True)
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["ok", "server", "timeout", "rate", "other"])
STEPS = st.lists(st.tuples(st.booleans(), KINDS, st.sampled_from([0.0, 0.5, 3.0])), max_size=60)
LIMITER = Condition(hold=Hold(many=3, among=3), retries=Retries(budget=RetryBudget(most=2.0, per_second=0.01)))


@given(STEPS)
def test_retries_are_rationed_while_calls_flow_and_only_then(steps: list[Any]) -> None:
    """The bug: hundreds of retries after an outage come back one in two seconds, or a partial outage is multiplied."""
    state, now, tokens = LIMITER.init(0.0), 0.0, 2.0
    for retry, kind, pause in steps:
        now += pause
        ask = RETRY if retry else Ask()
        _, hold, budget = state
        flowing = isinstance(hold, Flowing)
        wait = LIMITER.admit(state, ask, 0, now)
        if not (flowing and retry):
            assert wait == LIMITER.hold.admit(hold, ask, 0, now)
        if wait > 0.0:
            continue
        assert not (flowing and retry) or LIMITER.retries.budget.filled(budget, now).tokens >= 1.0
        state, stamp = LIMITER.on_send(state, ask, now)
        assert stamp[2] == (flowing and retry)
        state = LIMITER.on_outcome(state, stamp, Seen(kind=kind), 0, now)
        tokens = state[2].tokens
        assert 0.0 <= tokens <= 2.0


def test_it_bites() -> None:
    prop = test_retries_are_rationed_while_calls_flow_and_only_then
    caught(prop, STEPS, where=module, Flowing=object)  # rationed always
    caught(prop, STEPS, where=module, Flowing=type(None))  # rationed never


def test_what_teaches_nothing_leaves_the_state_as_it_is() -> None:
    state = Condition().init(0.0)
    sent, stamp = Condition().on_send(state, Ask(), 0.0)
    assert Condition().on_outcome(sent, stamp, Seen(kind="other"), 0, 1.0) is sent


def test_hundreds_that_fail_at_once_wait_for_the_end_and_not_for_their_ration() -> None:
    limiter = Condition()
    state, stamps, now = limiter.init(0.0), list[Any](), 0.0
    for _ in range(300):
        state, stamp = limiter.on_send(state, Ask(), now)
        stamps.append(stamp)
    for stamp in stamps:
        state = limiter.on_outcome(state, stamp, Seen(kind="server"), 0, now)
    back = 0
    while back < 300:
        wait = limiter.admit(state, RETRY, 0, now)
        now += wait
        state, stamp = limiter.on_send(state, RETRY, now)
        state = limiter.on_outcome(state, stamp, Seen(kind="ok"), 0, now)
        back += 1
    assert now < 5.0


def test_dense_timeouts_leave_less_room_in_flight() -> None:
    limiter = Condition(hold=Hold(many=99, among=99))
    state, stamps = limiter.init(0.0), list[Any]()
    for _ in range(20):
        state, stamp = limiter.on_send(state, Ask(), 0.0)
        stamps.append(stamp)
    for left, stamp in enumerate(stamps[:4]):
        state = limiter.on_outcome(state, stamp, Seen(kind="timeout"), 19 - left, 1.0)
    assert state[0].limit is not None
    assert limiter.admit(state, Ask(), 5, 1.0) == 0.0
    assert limiter.admit(state, Ask(), 16, 1.0) == math.inf
