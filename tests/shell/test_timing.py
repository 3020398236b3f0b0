"""A limit of time ends its block, and nothing else: the rules of `asyncio.timeout_at`."""

from __future__ import annotations

import asyncio
import math

import pytest

from openrouter_client.timing import Limit


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize("until", [-math.inf, 0.0, None])
async def test_it_runs_out(until: float | None) -> None:
    known: set[Limit] = set()
    limit = Limit(soon(0.01) if until is None else until, known)
    with pytest.raises(TimeoutError) as raised, limit:
        await forever()
    assert raised.value.errno is None
    assert not known
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_it_does_not_run_out_afterwards() -> None:
    with Limit(soon(0.01), set()):
        pass
    await asyncio.sleep(0.03)


async def test_it_is_brought_forward_and_only_once() -> None:
    known: set[Limit] = set()

    async def wait() -> None:
        with Limit(math.inf, known):
            await forever()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    for limit in (*known, *known):
        limit.bring_forward()
    with pytest.raises(TimeoutError):
        await task


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    """Exists for a caller's cancellation that became a timeout because both came at once."""
    known: set[Limit] = set()

    async def wait() -> None:
        with Limit(math.inf, known):
            await forever()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    for limit in known:
        limit.expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_stays_itself() -> None:
    with pytest.raises(KeyError), Limit(soon(5.0), set()):
        raise KeyError


async def test_limits_nest() -> None:
    with pytest.raises(TimeoutError), Limit(soon(0.01), set()), Limit(soon(5.0), set()):
        await forever()
    with Limit(soon(5.0), set()):
        with pytest.raises(TimeoutError), Limit(soon(0.01), set()):
            await forever()
        await asyncio.sleep(0)


def test_it_needs_a_task() -> None:
    with pytest.raises(RuntimeError), Limit(0.0, set()):
        pass
