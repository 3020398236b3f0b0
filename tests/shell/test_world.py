"""The real world: the loop's clock, real dice, and sleep that ends when the client does."""

from __future__ import annotations

import asyncio

from tests.shell.loopback import KEY

from openrouter_client import OpenRouterConfig
from openrouter_client.transport import Transport
from openrouter_client.world import RealWorld, World


def world() -> RealWorld:
    return RealWorld(Transport(OpenRouterConfig(api_key=KEY)), 3)


async def test_it_is_a_world() -> None:
    real: World = world()
    assert real.now() <= asyncio.get_running_loop().time()
    assert all(0.0 <= real.roll() < 1.0 for _ in range(100))
    assert len({real.roll() for _ in range(100)}) > 90


async def test_sleep_takes_its_time() -> None:
    """Kills: a sleep that ends before a server's hint is over."""
    real = world()
    for seconds in (0.0, 0.001, 0.02):
        until = real.now() + seconds
        await real.sleep(seconds)
        assert real.now() >= until - 1e-6


async def test_sleep_ends_when_the_client_is_closed() -> None:
    real = world()
    real.transport.flaw()
    sleepers = [asyncio.create_task(real.sleep(60.0)) for _ in range(3)]
    await asyncio.sleep(0)
    await real.transport.close()
    async with asyncio.timeout(2.0):
        await asyncio.gather(*sleepers)
        await real.sleep(60.0)


async def test_sleep_can_be_cancelled() -> None:
    real = world()
    sleeper = asyncio.create_task(real.sleep(60.0))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.wait([sleeper])
    assert sleeper.cancelled()
    assert not real.transport.limits


async def test_places_are_those_of_the_line() -> None:
    real = world()
    assert [await real.enter(real.now() + 0.001) for _ in range(4)] == [True, True, True, False]
    real.leave()
    assert await real.enter(real.now())
