"""A limit of time ends its block, and nothing else: the rules of `asyncio.timeout_at`, for many with one timer."""

from __future__ import annotations

import asyncio
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_client import timing
from openrouter_client.timing import Limits


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize("until", [-math.inf, 0.0, None])
async def test_it_runs_out(until: float | None) -> None:
    limits = Limits()
    with pytest.raises(TimeoutError) as raised, limits.until(soon(0.01) if until is None else until):
        await forever()
    assert raised.value.errno is None
    assert not limits.inside
    assert not limits.heap
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_it_does_not_run_out_afterwards() -> None:
    with Limits().until(soon(0.01)):
        pass
    await asyncio.sleep(0.03)


async def test_one_that_ran_out_without_waiting_leaves_the_task_alone() -> None:
    """Exists for a cancellation that was left over for whatever the task awaited next."""
    limits = Limits()
    with limits.until(-math.inf):
        pass
    await asyncio.sleep(0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_all_are_brought_forward() -> None:
    limits = Limits()

    async def wait(until: float) -> None:
        with limits.until(until):
            await forever()

    tasks = [asyncio.ensure_future(wait(until)) for until in (math.inf, soon(60.0), soon(90.0))]
    await asyncio.sleep(0)
    limits.bring_forward()
    limits.bring_forward()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in ended] == [TimeoutError] * 3


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    """Exists for a caller's cancellation that became a timeout because both came at once."""
    limits = Limits()

    async def wait() -> None:
        with limits.until(math.inf):
            await forever()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    for _, _, limit in limits.heap:
        limit.expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_stays_itself() -> None:
    with pytest.raises(KeyError), Limits().until(soon(5.0)):
        raise KeyError


async def test_limits_nest() -> None:
    limits = Limits()
    with pytest.raises(TimeoutError), limits.until(soon(0.01)), limits.until(soon(5.0)):
        await forever()
    with limits.until(soon(5.0)):
        with pytest.raises(TimeoutError), limits.until(soon(0.01)):
            await forever()
        await asyncio.sleep(0)


def test_it_needs_a_task() -> None:
    with pytest.raises(RuntimeError), Limits().until(0.0):
        pass


async def test_an_earlier_one_moves_the_timer_and_the_later_one_still_comes() -> None:
    limits = Limits()
    ended: list[str] = []

    async def wait(name: str, seconds: float) -> None:
        with pytest.raises(TimeoutError), limits.until(soon(seconds)):
            await forever()
        ended.append(name)

    await asyncio.gather(wait("late", 0.05), wait("early", 0.01), wait("at once", 0.0))
    assert ended == ["at once", "early", "late"]
    assert limits.timer is None


BLOCKS = st.lists(st.tuples(st.floats(0.0, 1.0) | st.just(90.0), st.floats(0.0, 1.0)), max_size=60)


class Timer:
    """A timer, as far as `Limits` uses it. It does not tell when it rings: uvloop's do not, once it is the present."""

    def __init__(self, at: float) -> None:
        self.at, self.off = at, False

    def cancel(self) -> None:
        self.off = True


class Instant:
    """A loop's clock and timers, as far as `Limits` uses them, without waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: object) -> Timer:
        del call
        self.timers.append(Timer(at))
        return self.timers[-1]


class Task:
    """A task, as far as a limit uses it."""

    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def cancelling(self) -> int:
        return int(self.cancelled)

    def uncancel(self) -> int:
        return 0


def played(blocks: list[tuple[float, float]], instant: Instant) -> None:
    """Enter limits of so many seconds, leave each after so many, and turn the clock; each must run out in time."""
    limits = Limits()
    open_blocks: list[tuple[float, float, timing.Limit, Task]] = []
    for seconds, stays in blocks:
        limit, task = limits.until(instant.now + seconds), Task()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "current_task", lambda _, task=task: task)
            limit.__enter__()
        open_blocks.append((instant.now + seconds, instant.now + stays, limit, task))
        instant.now += 0.05
        for timer in [timer for timer in instant.timers if not timer.off and timer.at <= instant.now]:
            timer.off = True
            limits.woken()
        for at, until, limit, task in open_blocks[:]:
            assert task.cancelled == (at <= instant.now)
            if until <= instant.now or task.cancelled:
                limit.__exit__(None, None, None)
                open_blocks.remove((at, until, limit, task))
        assert limits.inside == len(open_blocks)
        assert len(limits.heap) <= (2 * limits.inside + timing.FEW if limits.inside else 0)


@given(BLOCKS)
def test_each_runs_out_in_its_time_and_those_that_were_left_are_forgotten(blocks: list[tuple[float, float]]) -> None:
    """The bug: a timer that is not set again for the next, or limits that pile up for as long as they could run."""
    instant = Instant()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "FEW", 3)
        patch.setattr(asyncio, "get_running_loop", lambda: instant)
        played(blocks, instant)


@pytest.mark.parametrize("planted", ["wake", "forget"])
def test_it_bites(planted: str) -> None:
    dice = random.Random(1)
    blocks = [(dice.choice([dice.random(), 90.0]), dice.random()) for _ in range(60)]
    instant = Instant()

    def once(self: Limits, at: float) -> None:
        self.timer = self.timer or instant.call_at(at, self.woken)  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] # replaced on purpose

    def hoarding(self: Limits) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "FEW", 3)
        patch.setattr(asyncio, "get_running_loop", lambda: instant)
        patch.setattr(Limits, planted, {"wake": once, "forget": hoarding}[planted])
        with pytest.raises(AssertionError):
            played(blocks, instant)
