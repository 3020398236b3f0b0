"""The shared cell: who may send now."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.admission import Admission, Admitted, Ticket, limits_of, money_of
from openrouter_core.config import OpenRouterConfig
from openrouter_core.limit.compose import All, Scoped
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.money import Money, Refused
from openrouter_core.limit.places import Places
from openrouter_core.limit.pump import TurnedAway, Wait
from openrouter_core.limit.queue import Line, Place
from openrouter_core.limit.retry_budget import Retries
from openrouter_core.limit.seen import NOTHING, UNSENT, Ask, Kind, Seen
from openrouter_core.limit.standard import LimitSettings, standard

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
            cell.wait(ticket(number), number, math.inf, 0.0)
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
        cell.wait(ticket(number, priority), f"call {number}", math.inf, 0.0)
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


PATIENCE = st.lists(st.none() | st.floats(0.0, 12.0), max_size=30)


@given(PATIENCE)
def test_who_cannot_make_it_is_told_at_once_and_the_others_make_it(calls: list[float | None]) -> None:
    """Bug: a call waits though it is known that it will come too late, or is dismissed though it would not."""
    cell: Admission[int] = Admission(Gcra(rate=1.0), 0.0)
    due: dict[int, float] = {}
    for number, patience in enumerate(calls):
        expires = math.inf if patience is None else patience
        turned = cell.wait(ticket(number), number, expires, 0.0)
        if expires <= len(due):  # each of those before it takes a second
            assert turned == TurnedAway(number, float(len(due)))
        else:
            assert turned is None
            due[number] = float(len(due))
    now, gone = 0.0, dict[int, float]()
    while (chosen := cell.next(now)) is not None:
        match chosen:
            case Admitted(call=call):
                gone[call] = now
            case Wait(seconds):
                now += seconds
            case other:
                raise AssertionError(other)
    assert gone == due


def test_that_property_bites() -> None:
    prop = test_who_cannot_make_it_is_told_at_once_and_the_others_make_it
    caught(prop, PATIENCE, where=Line, ahead=lambda _self, _place: 0)
    caught(prop, PATIENCE, where=Line, ahead=lambda self, _place: len(self) + 1)


def test_a_limit_that_closes_turns_away_those_who_cannot_wait_so_long() -> None:
    """Bug: calls wait for their deadline behind a gate that opens after it."""
    cell: Admission[str] = Admission(Scoped(inner=Gate()), 0.0)
    for number, patience in ((0, math.inf), (1, 15.0), (2, 30.0), (3, 10.0)):
        cell.wait(ticket(number), f"until {patience:g}", patience, 0.0)
    first = cell.next(0.0)
    assert isinstance(first, Admitted)
    cell.over(first.stamp, Seen(kind="rate", resets_in=20.0), 1.0)
    assert [cell.next(1.0), cell.next(1.0)] == [TurnedAway("until 10", 20.02), TurnedAway("until 15", 20.02)]
    assert cell.next(1.0) == Wait(20.02)


def test_who_waits_for_an_outcome_waits_until_its_deadline() -> None:
    cell: Admission[str] = Admission(Places(0), 0.0)
    cell.wait(ticket(1), "soon", 3.0, 0.0)
    cell.wait(ticket(2), "late", 5.0, 0.0)
    assert cell.next(0.0) == Wait(3.0)
    assert cell.next(3.0) == TurnedAway("soon", math.inf)
    assert cell.next(3.0) == Wait(2.0)
    assert cell.cancel(ticket(2))
    assert cell.next(3.0) is None


def test_money_is_set_aside_settled_and_refused() -> None:
    """Bug: two calls are paid from the same dollar; money that was not spent stays away; a refusal waits for ever."""
    cell: Admission[str] = Admission(All(()), 0.0, Money(maximum=1.0))
    for number, worst in ((1, 0.6), (2, 0.6), (3, 0.1)):
        cell.wait(Ticket(Place(0, number), Ask(worst=worst)), f"call {number}", math.inf, 0.0)
    first = cell.next(0.0)
    assert isinstance(first, Admitted)
    assert first.call == "call 1"
    assert cell.next(0.0) == Wait(math.inf)
    cell.over(first.stamp, Seen(kind="ok", cost=0.2), 1.0)
    second, third = cell.next(1.0), cell.next(1.0)
    assert isinstance(second, Admitted)
    assert isinstance(third, Admitted)
    assert [second.call, third.call] == ["call 2", "call 3"]
    cell.over(second.stamp, NOTHING, 2.0)
    cell.over(third.stamp, UNSENT, 2.0)
    cell.wait(Ticket(Place(0, 4), Ask(worst=0.5)), "call 4", math.inf, 0.0)
    refused = cell.next(2.0)
    assert isinstance(refused, TurnedAway)
    assert isinstance(refused.refused, Refused)
    assert (refused.refused.spent, refused.refused.missing) == pytest.approx((0.8, 0.3))
    cell.wait(Ticket(Place(0, 5), Ask()), "call 5", math.inf, 0.0)
    unknown = cell.next(2.0)
    assert isinstance(unknown, TurnedAway)
    assert isinstance(unknown.refused, Refused)
    assert unknown.refused.worst is None


def test_what_a_config_says_of_limits_and_money() -> None:
    config = OpenRouterConfig(requests_per_minute=60, tokens_per_minute=1000, max_connections=7)
    limits = limits_of(config)
    assert (limits.requests_per_minute, limits.tokens_per_minute, limits.places) == (60, 1000, 7)
    assert limits.adaptive
    assert not limits_of(OpenRouterConfig(adaptive_limits=False)).adaptive
    assert money_of(config) is None
    assert money_of(OpenRouterConfig(max_cost_usd=2.0, assumed_cost_usd=0.1)) == Money(maximum=2.0, assumed=0.1)


def test_a_retry_waits_for_its_budget_and_stalls_nobody() -> None:
    cell: Admission[str] = Admission(All((Retries(),)), 0.0)
    for number in range(30):
        cell.wait(Ticket(Place(0, number), Ask(retry=True)), f"retry {number}", math.inf, 0.0)
    gone = 0
    while isinstance(cell.next(0.0), Admitted):
        gone += 1
    assert gone == 20
    cell.wait(ticket(99), "first try", math.inf, 0.0)
    chosen = cell.next(0.0)
    assert isinstance(chosen, Admitted)
    assert chosen.call == "first try"


class Apart:
    """A limiter that knows two scopes: one waits for an outcome, the other until tomorrow."""

    def init(self, now: float) -> float:
        return now

    def admit(self, state: float, ask: Ask, in_flight: int, now: float) -> float:
        return {"busy": math.inf, "used up": 300.0}.get("".join(ask.scopes), 0.0)

    def on_send(self, state: float, ask: Ask, now: float) -> tuple[float, None]:
        return state, None

    def on_outcome(self, state: float, stamp: None, seen: Seen, in_flight: int, now: float) -> float:
        return state


def test_who_waits_for_an_outcome_is_not_turned_away_with_those_who_wait_for_minutes() -> None:
    """Bug: the oldest is dismissed, though it is somebody else who would have to wait for too long."""
    cell: Admission[str] = Admission(Apart(), 0.0)
    cell.wait(Ticket(Place(0, 1), Ask(("busy",))), "patient", 100.0, 0.0)
    hopeless = cell.wait(Ticket(Place(0, 2), Ask(("used up",))), "hopeless", 100.0, 0.0)
    assert hopeless == TurnedAway("hopeless", 300.0)
    assert cell.next(0.0) == Wait(100.0)


def test_in_a_rush_everybody_goes() -> None:
    cell: Admission[str] = Admission(Places(0), 0.0)
    assert cell.rush(0.0) is None
    cell.wait(ticket(2), "second", math.inf, 0.0)
    cell.wait(ticket(1), "first", math.inf, 0.0)
    assert [cell.rush(0.0), cell.rush(0.0), cell.rush(0.0)] == [Admitted("first"), Admitted("second"), None]
    assert cell.in_flight == 2


def test_stats_count_what_ended_and_what_is_known() -> None:
    """Bug: a figure that counts something else, or goes down."""
    cell: Admission[str] = Admission(standard(LimitSettings(places=3)), 0.0, Money(maximum=9.0))
    cell.alive = 6
    for number in range(6):
        cell.wait(Ticket(Place(0, number), Ask(("model",), worst=1.0)), "call", math.inf, 0.0)
    stamps, now = list[Any](), 0.0
    for _ in range(20):
        chosen = cell.next(now)
        if isinstance(chosen, Admitted):
            stamps.append(chosen.stamp)
        elif isinstance(chosen, Wait) and chosen.seconds < math.inf:
            now += chosen.seconds
    kinds: list[Any] = ["ok", "rate", "server"]
    for stamp, kind in zip(stamps, kinds, strict=True):
        cell.over(stamp, Seen(kind=kind, cost=0.5 if kind == "ok" else None), now)
    stats = cell.stats(now)
    assert (stats.alive, stats.waiting, stats.in_flight) == (6, 3, 0)
    assert (stats.answered, stats.refused, stats.failed, stats.refused_share) == (1, 1, 1, 0.5)
    assert (stats.spent_usd, stats.guessed_usd, stats.reserved_usd) == (2.5, 2.0, 0.0)
    assert set(stats.scopes) == {""}
    assert stats.held is False
    assert stats.sharing is None


def test_who_need_not_wait_goes_at_once_unless_somebody_waits() -> None:
    """Bug: a newcomer overtakes the line, or goes at the instant of its deadline."""
    cell: Admission[str] = Admission(Places(1), 0.0)
    assert cell.at_once(ticket(1), "late", 5.0, 5.0) is None
    first = cell.at_once(ticket(1), "first", 5.0, 4.0)
    assert isinstance(first, Admitted)
    assert (first.call, cell.in_flight) == ("first", 1)
    assert cell.at_once(ticket(2), "second", 9.0, 4.0) is None
    cell.wait(ticket(3), "third", 9.0, 4.0)
    cell.over(first.stamp, Seen(kind="ok"), 5.0)
    assert cell.at_once(ticket(4), "fourth", 9.0, 5.0) is None
    assert cell.next(5.0) == Admitted("third", first.stamp)


def test_trouble_is_told_with_its_company() -> None:
    cell: Admission[str] = Admission(Places(1), 0.0)
    cell.alive = 3
    good, bad = Seen(kind="ok"), Seen(kind="rate")
    assert cell.beside(good) is good
    assert cell.beside(bad) == Seen(kind="rate", company=2)


def test_what_was_booked_can_be_taken_back() -> None:
    cell: Admission[str] = Admission(All((Gcra(rate=1.0),)), 0.0, Money(maximum=9.0))
    before = cell.saved()
    cell.at_once(Ticket(Place(0, 1), Ask(worst=1.0)), "first", math.inf, 0.0)
    assert cell.saved() != before
    cell.restore(before)
    assert (cell.saved(), cell.in_flight, cell.purse.reserved) == (before, 0, 0)


def test_who_goes_in_a_rush_is_booked_as_usual() -> None:
    usual, rushed = [Admission[str](Gcra(rate=1.0, unit="tokens", burst=10.0), 0.0) for _ in range(2)]
    call = Ticket(Place(0, 1), Ask(("model",), 5.0))
    assert usual.at_once(call, "call", math.inf, 3.0) is not None
    rushed.wait(call, "call", math.inf, 3.0)
    rushed.rush(3.0)
    assert rushed.saved() == usual.saved()


def test_what_went_unpaid_in_a_rush_is_not_settled() -> None:
    cell: Admission[str] = Admission(Places(1), 0.0, Money(maximum=1.0))
    cell.wait(Ticket(Place(0, 1), Ask(worst=5.0)), "dear", math.inf, 0.0)
    gone = cell.rush(0.0)
    assert gone is not None
    assert gone.stamp.money is None
    purse = cell.purse
    cell.over(gone.stamp, Seen(kind="ok", cost=5.0), 1.0)
    assert cell.purse == purse


class Heard(Apart):
    """A limiter whose state is how many were in flight when an attempt ended."""

    def on_outcome(self, state: float, stamp: None, seen: Seen, in_flight: int, now: float) -> float:
        return in_flight


def test_an_attempt_that_has_ended_is_in_flight_no_more() -> None:
    cell: Admission[str] = Admission(Heard(), 0.0)
    stamps = [go.stamp for number in range(3) if (go := cell.at_once(ticket(number), "call", math.inf, 0.0))]
    for stamp, left in zip(stamps, (2, 1, 0), strict=True):
        cell.over(stamp, Seen(kind="ok"), 1.0)
        assert cell.state == cell.in_flight == left
    assert cell.ended["ok"] == 3


def test_stats_of_an_outage() -> None:
    cell: Admission[str] = Admission(standard(LimitSettings()), 0.0, Money(maximum=99.0))
    cell.alive = 9
    kinds: tuple[Kind, ...] = ("rate", "server", "timeout", "timeout", "server", "timeout")
    for number, kind in enumerate(kinds):
        cell.wait(Ticket(Place(0, number), Ask(worst=1.5)), "call", math.inf, 0.0)
        gone = cell.rush(float(number))
        assert gone is not None
        assert cell.stats(0.0).reserved_usd == 1.5
        cell.over(gone.stamp, Seen(kind=kind), float(number))
    stats = cell.stats(6.0)
    assert (stats.failed, stats.refused, stats.refused_share, stats.held) == (5, 1, 1.0, True)
