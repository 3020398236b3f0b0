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

from openrouter_client.line import Line


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
        line, inside, most = kind(places), 0, 0
        came: list[int] = []
        entered: list[int] = []

        async def visit(number: int, one: Visit) -> None:
            nonlocal inside, most
            came.append(number)
            if not await line.enter(one.until):
                assert loop.now >= one.until, "turned away too early"
                return
            entered.append(number)
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(one.stays)
            finally:
                inside -= 1
                line.leave()
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
        if line.free != places:
            return f"{line.free} places are free in the end, of {places}"
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
    """Who leaves the line keeps the place that was handed over in the same instant."""

    def forsake(self, turn: asyncio.Future[None]) -> None:
        pass


class Careless(Line):
    """Hands the place to somebody who has gone already."""

    def leave(self) -> None:
        if self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        else:
            self.free += 1


class Unfair(Line):
    """Last come, first served."""

    def leave(self) -> None:
        self.waiting.reverse()
        super().leave()


class Generous(Line):
    """Gives the place to the next in line and to whoever comes by."""

    def leave(self) -> None:
        super().leave()
        self.free += bool(self.waiting)


@pytest.mark.parametrize("kind", [Forgetful, Careless, Unfair, Generous])
def test_a_planted_bug_is_found(kind: type[Line]) -> None:
    looking = settings(max_examples=1000, database=None, derandomize=True, phases=[Phase.generate], deadline=None)
    try:
        find(crowds, lambda crowd: bool(flaw(crowd[0], crowd[1], kind)), settings=looking)
    except NoSuchExample:
        pytest.fail("the property does not see this bug")


async def test_a_free_place_is_taken_without_a_wait() -> None:
    line = Line(1)
    assert await line.enter(-math.inf)
    assert not await line.enter(-math.inf)
    line.leave()
    assert line.free == 1


async def test_those_who_gave_up_do_not_pile_up() -> None:
    """Kills: waiters that stay in the queue for ever after they were cancelled."""
    line = Line(1)
    await line.enter(math.inf)
    waiters: list[asyncio.Task[Any]] = [asyncio.create_task(line.enter(math.inf)) for _ in range(100)]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    line.leave()
    assert not line.waiting
    assert line.free == 1
