"""The line of those who wait for a place: fair, never over-full, and without lost places."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from tests.shell.virtual import Stuck, VirtualLoop, run_virtually

from openrouter_client.line import Line, Waiter
from openrouter_core.admission import Admitted, Stamp, Ticket
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.places import Places
from openrouter_core.limit.pump import TurnedAway
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING, Seen


class Visit(msgspec.Struct, frozen=True):
    """Somebody comes at `at`, waits until `until` at most, stays for `stays`, and may be cancelled at `cancelled`.

    With `pushes` the next one in line is cancelled at the very moment at which the place is handed over.
    """

    at: float
    until: float
    stays: float
    cancelled: float
    pushes: bool = False


whole = st.integers(0, 12).map(float)
visits = st.lists(
    st.builds(
        Visit, whole, st.one_of(whole, st.just(math.inf)), whole, st.one_of(whole, st.just(math.inf)), st.booleans()
    ),
    min_size=1,
    max_size=10,
).map(tuple)
crowds = st.tuples(st.integers(1, 3), visits)


def flaw(places: int, visits: tuple[Visit, ...], kind: type[Line] = Line) -> str:
    """What goes wrong when these visits are paid to a line."""

    async def main(loop: VirtualLoop) -> str:
        line, inside, most = kind(Places(places)), 0, 0
        came: list[int] = []
        entered: list[int] = []

        async def visit(number: int, one: Visit) -> None:
            nonlocal inside, most
            came.append(number)
            turn = await line.enter(Ticket(Place(0, len(came))), one.until)
            if not isinstance(turn, Admitted):
                assert loop.now == max(one.until, one.at), "turned away too early or too late"
                return
            entered.append(number)
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(one.stays)
            finally:
                inside -= 1
                line.leave(turn.stamp, NOTHING)
                waits = [tasks[other] for other in came if other not in entered and not tasks[other].done()]
                if one.pushes and waits:
                    waits[0].cancel()

        tasks: dict[int, asyncio.Task[None]] = {}

        def start(number: int, one: Visit) -> None:
            task = loop.create_task(visit(number, one))
            tasks[number] = task
            if one.cancelled < math.inf:
                loop.call_at(max(one.cancelled, one.at), task.cancel)

        for number, one in enumerate(visits):
            loop.call_at(one.at, start, number, one)
        await asyncio.sleep(10_000)
        if not all(task.done() for task in tasks.values()):
            return "somebody waits for ever"
        for task in tasks.values():
            if not task.cancelled() and task.exception() is not None:
                return str(task.exception())
        if most > places:
            return "more inside than there are places"
        if line.admission.in_flight or line.admission.lines.waiting:
            return f"{line.admission.in_flight} places are taken in the end, {line.admission.lines.waiting} wait"
        if entered != sorted(entered, key=came.index):
            return "somebody jumped the queue"
        return ""

    try:
        return run_virtually(main)
    except Stuck:
        return "stuck"


@given(crowds)
def test_places_are_given_in_turn_and_never_lost(crowd: tuple[int, tuple[Visit, ...]]) -> None:
    """Kills: a place that a cancelled or late waiter takes with it, one given to two, and unfair orders."""
    assert not flaw(*crowd)


class Forgetful(Line):
    """Who leaves the line keeps the turn that came in the same instant."""

    def forsake(self, ticket: Ticket, turn: Waiter) -> None:
        if turn.cancelled():
            super().forsake(ticket, turn)


class Careless(Line):
    """Who leaves does not call the next."""

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        self.admission.over(stamp, seen, self.loop.time())


class Unfair(Line):
    """Last come, first served."""

    async def enter(self, ticket: Ticket, until: float) -> Any:
        return await super().enter(Ticket(Place(0, -ticket.place.number)), until)


class Late(Line):
    """Nobody looks at the clock."""

    def wake(self, at: float) -> None:
        pass


@pytest.mark.parametrize("kind", [Forgetful, Careless, Unfair, Late])
def test_a_planted_bug_is_found(kind: type[Line]) -> None:
    looking = settings(max_examples=1000, database=None, derandomize=True, phases=[Phase.generate], deadline=None)
    try:
        find(crowds, lambda crowd: bool(flaw(crowd[0], crowd[1], kind)), settings=looking)
    except NoSuchExample:
        pytest.fail("the property does not see this bug")


async def test_a_free_place_is_taken_without_a_wait() -> None:
    line = Line(Places(1))
    turn = await line.enter(Ticket(), math.inf)
    assert isinstance(turn, Admitted)
    assert isinstance(await line.enter(Ticket(), -math.inf), TurnedAway)
    line.leave(turn.stamp, NOTHING)
    assert line.admission.in_flight == 0


async def test_those_who_gave_up_do_not_pile_up() -> None:
    """Kills: waiters that stay in the queue for ever after they were cancelled."""
    line = Line(Places(1))
    turn = await line.enter(Ticket(), math.inf)
    assert isinstance(turn, Admitted)
    waiters: list[asyncio.Task[Any]] = [
        asyncio.create_task(line.enter(Ticket(Place(0, number)), math.inf)) for number in range(1, 101)
    ]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    line.leave(turn.stamp, NOTHING)
    assert not line.admission.lines.waiting
    assert line.admission.in_flight == 0


async def test_a_limit_that_opens_later_lets_the_next_go_on_time() -> None:
    line = Line(Gcra(rate=50.0))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(4):
        assert isinstance(await line.enter(Ticket(Place(0, number)), math.inf), Admitted)
    assert loop.time() - began >= 3 / 50.0 - 1e-3


@pytest.mark.parametrize(("waits", "comes"), [(2, 3), (3, 2)])
def test_who_comes_when_the_process_has_stood_still_goes_at_its_place(waits: int, comes: int) -> None:
    """Kills: a call that asks for its own turn, and is sent before those who stood before it, or after those behind it.

    Both get theirs by the same question.
    """

    async def main(loop: VirtualLoop) -> list[int]:
        line, went = Line(Gcra(rate=1.0, burst=2.0)), list[int]()

        async def visit(number: int) -> None:
            await line.enter(Ticket(Place(0, number)), math.inf)
            went.append(number)

        tasks = [asyncio.create_task(visit(number)) for number in (0, 1, waits)]
        await asyncio.sleep(0.5)
        loop.now += 5.0
        await visit(comes)
        await asyncio.gather(*tasks)
        return went

    assert run_virtually(main) == [0, 1, 2, 3]


async def test_who_comes_as_another_ends_goes_after_those_who_waited() -> None:
    """Kills: a call that finds the line empty, and is sent before the one that left it in that very instant."""
    line, went = Line(Places(2)), list[int]()
    turns = [await line.enter(Ticket(Place(0, number)), math.inf) for number in range(2)]

    async def visit(number: int) -> None:
        assert isinstance(await line.enter(Ticket(Place(0, number)), math.inf), Admitted)
        went.append(number)

    waiter = asyncio.create_task(visit(2))
    await asyncio.sleep(0)
    for turn in turns:
        assert isinstance(turn, Admitted)
        line.leave(turn.stamp, NOTHING)
    await visit(3)
    await waiter
    assert went == [2, 3]
    assert line.handed == 0


async def test_a_turn_that_comes_to_one_who_has_given_up_keeps_nobody_waiting() -> None:
    """Kills: a count of those who have their turns that never gets back to nobody."""
    line = Line(Places(1))
    turn = await line.enter(Ticket(Place(0, 0)), math.inf)
    waiters = [asyncio.create_task(line.enter(Ticket(Place(0, number)), math.inf)) for number in range(1, 3)]
    await asyncio.sleep(0)
    assert isinstance(turn, Admitted)
    line.leave(turn.stamp, NOTHING)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    await asyncio.sleep(0)
    assert (line.handed, line.admission.in_flight) == (0, 0)


async def test_when_the_client_closes_everybody_goes() -> None:
    """Kills: calls that wait for ever for a turn at a client that is closed."""
    line = Line(Places(0))
    waiters = [asyncio.create_task(line.enter(Ticket(Place(0, number)), math.inf)) for number in range(3)]
    await asyncio.sleep(0)
    assert not any(waiter.done() for waiter in waiters)
    line.close()
    assert all(isinstance(turn, Admitted) for turn in await asyncio.gather(*waiters))
    assert isinstance(await line.enter(Ticket(Place(0, 9)), math.inf), Admitted)
    Line(Places(0)).close()


async def test_timers_need_not_tell_when_they_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: the AttributeError of uvloop's timers, which have no `when` once it is the present."""
    monkeypatch.delattr(asyncio.TimerHandle, "when")
    line = Line(Places(1))
    now = line.loop.time()
    for at, due in ((now + 50.0, now + 50.0), (now + 90.0, now + 50.0), (now + 20.0, now + 20.0)):
        line.wake(at)
        assert line.due == due
    assert line.timer is not None
    line.timer.cancel()
