"""The gate pauses everybody for a documented reset or hints in quick succession, nobody for a lone hint."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.gate import Gate, GateState
from openrouter_core.limit.seen import Ask, Seen

HINTS = st.one_of(st.none(), st.sampled_from([0.0, 0.001, 1.0, 119.999, 120.0]), st.floats(0, 120))
EVENTS = st.lists(
    st.tuples(st.floats(0, 5), st.sampled_from(["ok", "rate", "rate", "server"]), HINTS, HINTS), max_size=60
)


@given(EVENTS)
def test_a_hint_is_never_undercut_once_the_gate_has_closed(events: list[Any]) -> None:
    """The bug: a shorter second hint reopens a gate that was closed for longer."""
    gate = Gate()
    state, now, closed = gate.init(0.0), 0.0, 0.0
    hinted: list[int] = []
    for number, (passed, kind, hint, reset) in enumerate(events, 1):
        now += passed
        state, stamp = gate.on_send(state, Ask(), now)
        assert stamp == number
        state = gate.on_outcome(state, stamp, Seen(kind=kind, hint=hint, resets_in=reset), 0, now)
        asked = max(hint or 0.0, reset or 0.0)
        if kind == "rate" and asked > 0:
            hinted = [*hinted, number][-3:]
            if reset is not None or (asked != 1.0 and len(hinted) == 3 and hinted[-1] - hinted[0] < 8):
                closed = max(closed, now + asked)
        assert now + gate.admit(state, Ask(), 0, now) >= closed
        latest = max(now, closed + gate.guard)
        assert now + gate.admit(state, Ask(), 0, now) <= latest + 4 * math.ulp(latest)


def test_the_hint_bites() -> None:
    def forgetful(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917 - the Limiter's signature
        return GateState(now + (seen.hint or 0.0), state.sent, state.recent)

    prop = test_a_hint_is_never_undercut_once_the_gate_has_closed
    caught(prop, EVENTS, where=Gate, on_outcome=forgetful)


def test_a_lone_hint_closes_nothing_and_three_in_a_row_do() -> None:
    gate = Gate()
    state, refused = gate.init(0.0), Seen(kind="rate", hint=5.0)
    for number in (1, 2):
        state = gate.on_outcome(state, number, refused, 0, 0.0)
        assert gate.admit(state, Ask(), 0, 0.0) == 0.0
    assert gate.admit(gate.on_outcome(state, 3, refused, 0, 0.0), Ask(), 0, 0.0) == 5.0 + gate.guard


def test_a_hint_of_one_second_closes_nothing_unless_it_is_documented() -> None:
    """Kills: a second's pause for all where the server's whole seconds meant five milliseconds."""
    gate = Gate()
    state = gate.init(0.0)
    for number in (1, 2, 3, 4):
        state = gate.on_outcome(state, number, Seen(kind="rate", hint=1.0), 0, 0.0)
    assert gate.admit(state, Ask(), 0, 0.0) == 0.0
    assert gate.admit(gate.on_outcome(state, 5, Seen(kind="rate", hint=1.5), 0, 0.0), Ask(), 0, 0.0) == 1.5 + gate.guard
    documented = gate.on_outcome(state, 5, Seen(kind="rate", resets_in=1.0), 0, 0.0)
    assert gate.admit(documented, Ask(), 0, 0.0) == 1.0 + gate.guard


def test_spread_out_hints_close_nothing() -> None:
    gate = Gate()
    state = gate.init(0.0)
    for number in (1, 10, 20, 30):
        state = gate.on_outcome(state, number, Seen(kind="rate", hint=5.0), 0, 0.0)
    assert gate.admit(state, Ask(), 0, 0.0) == 0.0


def test_a_pause_is_bounded() -> None:
    gate = Gate()
    state = gate.on_outcome(gate.init(0.0), 1, Seen(kind="rate", resets_in=86_400.0), 0, 0.0)
    assert gate.admit(state, Ask(), 0, 0.0) == gate.cap + gate.guard


def test_a_pause_shorter_than_a_second_is_as_long_as_it_says() -> None:
    gate = Gate()
    documented = gate.on_outcome(gate.init(0.0), 1, Seen(kind="rate", resets_in=0.5), 0, 0.0)
    assert documented.until == 0.5 + gate.guard
    state = gate.init(0.0)
    for number in (1, 2, 3):
        state = gate.on_outcome(state, number, Seen(kind="rate", hint=0.5), 0, 0.0)
    assert state.until == 0.5 + gate.guard
    assert gate.admit(state, Ask(), 0, 9.0) == 0.0


def test_a_refusal_without_a_hint_teaches_nothing() -> None:
    gate, state = Gate(), GateState(0.0, 9, (4,))
    assert gate.on_outcome(state, 9, Seen(kind="rate", hint=0.0), 0, 0.0) is state
