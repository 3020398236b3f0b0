"""Who goes next: first come, first served, no line in the way of another, nobody passes a call that the key holds."""

from __future__ import annotations

from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.compose import All, Scoped
from openrouter_core.limit.concurrency import Concurrency
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.money import Refused
from openrouter_core.limit.pump import MANY, Go, Lines, TurnedAway, Wait, for_the_key
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask, Seen


def asking(limiter: Any, state: Any, in_flight: int, now: float) -> Any:
    """The question that is put to the limiters."""
    return lambda ask: limiter.admit(state, ask, in_flight, now)


CALLS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([(), ("a",), ("b",)]), st.floats(0, 10), st.booleans()), max_size=60
)


@given(CALLS)
def test_calls_of_one_priority_and_scope_go_in_order_and_each_goes_or_is_cancelled(calls: list[Any]) -> None:
    """The bug: an overtaken call, a lost call, a call that goes after it was cancelled."""
    lines, limiter = Lines[int](), All((Gcra(rate=5.0, unit="tokens", burst=10.0), Scoped(Gcra(rate=1.0))))
    state, now, gone, cancelled = limiter.init(0.0), 0.0, list[tuple[Place, Ask]](), set[int]()
    for number, (priority, scopes, tokens, given_up) in enumerate(calls):
        lines.push(Place(priority, number), Ask(scopes, tokens), number)
        if given_up:
            assert lines.cancel(Place(priority, number), Ask(scopes))
            assert not lines.cancel(Place(priority, number), Ask(scopes))
            cancelled.add(number)
    assert lines.waiting == len(calls) - len(cancelled)
    for _ in range(1000):
        match lines.next(asking(limiter, state, 0, now), now):
            case Go(place, ask, call):
                assert call == place.number
                assert limiter.admit(state, ask, 0, now) == 0.0
                gone.append((place, ask))
                state, _ = limiter.on_send(state, ask, now)
            case Wait(seconds):
                assert 0 < seconds < inf
                now += seconds + 1e-9
            case TurnedAway():
                raise AssertionError("nobody is in a hurry")
            case None:
                break
    assert {place.number for place, _ in gone} == set(range(len(calls))) - cancelled
    for scopes in ((), ("a",), ("b",)):
        order = [place for place, ask in gone if ask.scopes == scopes]
        assert order == sorted(order)


def test_the_order_bites() -> None:
    def youngest(self: Any, admit: Any, now: float) -> Any:
        heads = sorted(
            ((*line.head(), line) for line in self._lines.values() if line), key=lambda head: head[0], reverse=True
        )
        for _, (head, _), line in heads:
            if admit(head) == 0.0:
                place = max(line._waiting)
                _, (ask, call) = line._waiting[place]
                line.cancel(place)
                return Go(place, ask, call)
        return Wait(0.1) if heads else None

    prop = test_calls_of_one_priority_and_scope_go_in_order_and_each_goes_or_is_cancelled
    caught(prop, CALLS, where=Lines, next=youngest)


def test_a_scope_that_must_wait_does_not_stall_the_others() -> None:
    lines, limiter = Lines[str](), Scoped(Gate())
    state, stamp = limiter.on_send(limiter.init(0.0), Ask(("a",)), 0.0)
    state = limiter.on_outcome(state, stamp, Seen(kind="rate", resets_in=9.0, scope="a"), 0, 0.0)
    lines.push(Place(0, 1), Ask(("a",)), "held")
    lines.push(Place(0, 2), Ask(("b",)), "free")
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Go(Place(0, 2), Ask(("b",)), "free")
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Wait(9.0 + Gate().guard)


def test_nobody_passes_a_call_that_the_key_makes_wait() -> None:
    lines, limiter = Lines[str](), All((Gcra(rate=1.0, burst=10.0, unit="tokens"), Scoped(Gate())))
    state, _ = limiter.on_send(limiter.init(0.0), Ask(("a",), 8.0), 0.0)
    lines.push(Place(0, 1), Ask(("a",), 9.0), "large")
    lines.push(Place(0, 2), Ask(("b",), 1.0), "small")
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Wait(7.0)


def test_an_urgent_call_goes_first_and_a_full_house_waits_for_an_outcome() -> None:
    lines, limiter = Lines[str](), Concurrency(maximum=1)
    lines.push(Place(0, 1), Ask(), "usual")
    lines.push(Place(-1, 2), Ask(), "urgent")
    state = limiter.init(0.0)
    assert lines.next(asking(limiter, state, 1, 0.0), 0.0) == Wait(inf)
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Go(Place(-1, 2), Ask(), "urgent")
    assert lines.waiting == 1
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Go(Place(0, 1), Ask(), "usual")
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) is None
    assert not lines.cancel(Place(0, 1), Ask())


def test_lines_in_which_nobody_waits_do_not_pile_up() -> None:
    lines, limiter = Lines[int](), Gate()
    for number in range(10 * MANY):
        lines.push(Place(0, number), Ask((f"model {number}",)), number)
        assert isinstance(lines.next(asking(limiter, limiter.init(0.0), 0, 0.0), 0.0), Go)
        assert len(lines._lines) <= MANY
        assert lines.waiting == 0


def test_a_call_that_the_key_makes_wait_holds_all_lines_behind_it() -> None:
    lines, limiter = Lines[str](), All((Gcra(rate=1.0, burst=10.0, unit="tokens"), Scoped(Gate())))
    state, _ = limiter.on_send(limiter.init(0.0), Ask(("a",), 8.0), 0.0)
    for number, (name, tokens) in enumerate([("a", 9.0), ("b", 1.0), ("c", 1.0)]):
        lines.push(Place(0, number), Ask((name,), tokens), name)
    assert lines.next(asking(limiter, state, 0, 0.0), 0.0) == Wait(7.0)


def test_the_soonest_line_is_waited_for_and_the_oldest_call_taken() -> None:
    lines = Lines[str]()
    assert lines.oldest() is None
    assert lines.ahead(Place(0, 9), Ask(("a",))) == 0
    lines.push(Place(0, 2), Ask(("a",)), "second")
    lines.push(Place(0, 1), Ask(("b",)), "first")
    waits: dict[tuple[str, ...], float] = {("a",): 5.0, ("b",): 3.0}
    assert lines.next(lambda ask: waits.get(ask.scopes, 0.0), 0.0) == Wait(3.0)
    assert lines.ahead(Place(0, 9), Ask(("a",))) == 1
    assert [go.call for go in (lines.oldest(), lines.oldest()) if go] == ["first", "second"]


def test_who_would_wait_too_long_is_turned_away_and_waits_no_longer() -> None:
    lines = Lines[str]()
    lines.push(Place(0, 1), Ask(), "patient")
    lines.push(Place(0, 2), Ask(), "hurried", expires=2.0)
    assert lines.next(lambda _: 3.0, 0.0) == TurnedAway("hurried", 3.0)
    assert lines.waiting == 1
    assert lines.next(lambda _: 3.0, 0.0) == Wait(3.0)


def test_who_cannot_be_paid_for_is_turned_away_at_once() -> None:
    lines, refused = Lines[str](), Refused(maximum=1.0, spent=1.0, reserved=0.0, worst=0.5, missing=0.5)
    lines.push(Place(0, 1), Ask(), "dear")
    assert lines.next(lambda _: refused, 0.0) == TurnedAway("dear", 0.0, refused)


def test_what_the_key_is_asked_is_the_calls_tokens_and_price_without_its_scopes() -> None:
    refused = Refused(maximum=1.0, spent=1.0, reserved=0.0, worst=0.5, missing=0.5)

    def admit(ask: Ask) -> float | Refused:
        return 5.0 if ask == Ask((), 2.0, worst=0.5) else refused

    assert for_the_key(admit, Ask(("a",), 2.0, worst=0.5)) == 5.0
    assert for_the_key(admit, Ask(("a",), 2.0, worst=0.6)) == 0.0
