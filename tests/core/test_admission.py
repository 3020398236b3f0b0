"""The shared cell: who may send now."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.admission import PATIENCE, Admission, Admitted, Ticket, TurnedAway, hopeless
from openrouter_core.limit.compose import All
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.places import Places
from openrouter_core.limit.pump import Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.retry_budget import Retries
from openrouter_core.limit.seen import NOTHING, Ask, Seen

STEPS = st.lists(st.sampled_from(["come", "end", "cancel"]), max_size=60)


def ticket(number: int, priority: int = 0) -> Ticket:
    """The ticket of a call."""
    return Ticket(Place(priority, number))


@given(STEPS, st.integers(1, 4))
def test_all_who_wait_go_in_order_and_the_counts_add_up(steps: list[str], most: int) -> None:
    """Bug: a place is lost or given twice, a cancelled call goes, somebody young goes first."""
    cell: Admission[int] = Admission(Places(most), 0.0)
    waiting: list[int] = []
    running: list[Any] = []
    for number, step in enumerate(steps):
        if step == "come":
            cell.wait(ticket(number), number)
            waiting.append(number)
        elif step == "end" and running:
            cell.over(running.pop(), NOTHING, float(number))
        elif step == "cancel" and waiting:
            assert cell.cancel(ticket(waiting[-1]))
            waiting.pop()
        while isinstance(chosen := cell.next(float(number)), Admitted):
            assert chosen.call == waiting.pop(0)
            running.append(chosen.stamp)
        assert cell.in_flight == len(running) <= most
        assert chosen == (Wait(math.inf) if waiting else None)
        assert not waiting or len(running) == most


def test_the_property_bites() -> None:
    def forgetful(self: Admission[int], stamp: Any, seen: Seen, now: float) -> None:
        """Planted: whoever ends keeps the place."""

    prop = test_all_who_wait_go_in_order_and_the_counts_add_up
    caught(prop, STEPS, st.integers(1, 4), where=Admission, over=forgetful)


def test_priorities_go_first_and_a_cancelled_ticket_is_gone() -> None:
    cell: Admission[str] = Admission(All((Places(1),)), 0.0)
    for number, priority in ((1, 0), (2, -1), (3, 0)):
        cell.wait(ticket(number, priority), f"call {number}")
    first = cell.next(0.0)
    assert isinstance(first, Admitted)
    assert first.call == "call 2"
    assert cell.cancel(ticket(1))
    assert not cell.cancel(ticket(1))
    cell.over(first.stamp, Seen(kind="ok"), 1.0)
    second = cell.next(1.0)
    assert isinstance(second, Admitted)
    assert second.call == "call 3"


def test_company_is_the_others() -> None:
    cell: Admission[str] = Admission(Places(1), 0.0)
    assert cell.company == 0
    cell.alive = 3
    assert cell.company == 2


def test_a_wait_of_hours_turns_calls_away() -> None:
    cell: Admission[str] = Admission(Gcra(rate=1 / (2 * PATIENCE), burst=1.0), 0.0)
    for number in (1, 2, 3):
        cell.wait(ticket(number), f"call {number}")
    assert isinstance(cell.next(0.0), Admitted)
    assert cell.next(0.0) == TurnedAway("call 2", 2 * PATIENCE)
    assert cell.next(PATIENCE + 1.0) == Wait(PATIENCE - 1.0)
    assert cell.needed(ticket(9), 0.0) == pytest.approx(2 * PATIENCE)


@pytest.mark.parametrize(
    ("needed", "left", "vain"),
    [
        (0.0, 1.0, False),
        (1.0, 1.0, True),
        (0.9, 1.0, False),
        (PATIENCE, math.inf, False),
        (PATIENCE + 1.0, math.inf, True),
        (math.inf, 1.0, False),
    ],
)
def test_waiting_is_in_vain_beyond_the_deadline_or_patience(needed: float, left: float, vain: bool) -> None:
    assert hopeless(needed, left) is vain


def test_a_retry_waits_for_its_budget_and_stalls_nobody() -> None:
    cell: Admission[str] = Admission(All((Retries(),)), 0.0)
    for number in range(30):
        cell.wait(Ticket(Place(0, number), Ask(retry=True)), f"retry {number}")
    gone = 0
    while isinstance(cell.next(0.0), Admitted):
        gone += 1
    assert gone == 20
    cell.wait(ticket(99), "first try")
    chosen = cell.next(0.0)
    assert isinstance(chosen, Admitted)
    assert chosen.call == "first try"


class Apart:
    """A limiter that knows two scopes: one waits for an outcome, the other until tomorrow."""

    def init(self, now: float) -> float:
        return now

    def admit(self, state: float, ask: Ask, in_flight: int, now: float) -> float:
        return {"busy": math.inf, "used up": 2 * PATIENCE}.get("".join(ask.scopes), 0.0)

    def on_send(self, state: float, ask: Ask, now: float) -> tuple[float, None]:
        return state, None

    def on_outcome(self, state: float, stamp: None, seen: Seen, in_flight: int, now: float) -> float:
        return state


def test_who_waits_for_an_outcome_is_not_turned_away_with_those_who_wait_for_hours() -> None:
    """Bug: the oldest is dismissed, though it is somebody else who would have to wait until tomorrow."""
    cell: Admission[str] = Admission(Apart(), 0.0)
    cell.wait(Ticket(Place(0, 1), Ask(("busy",))), "patient")
    cell.wait(Ticket(Place(0, 2), Ask(("used up",))), "hopeless")
    assert cell.next(0.0) == TurnedAway("hopeless", 2 * PATIENCE)
    assert cell.next(0.0) == Wait(math.inf)


def test_in_a_rush_everybody_goes() -> None:
    cell: Admission[str] = Admission(Places(0), 0.0)
    assert cell.rush(0.0) is None
    cell.wait(ticket(2), "second")
    cell.wait(ticket(1), "first")
    assert [cell.rush(0.0), cell.rush(0.0), cell.rush(0.0)] == [Admitted("first", None), Admitted("second", None), None]
    assert cell.in_flight == 2
