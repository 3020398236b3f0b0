"""The real world: the loop's clock, real dice, and sleep that ends when the client does."""

from __future__ import annotations

import asyncio

from tests.shell.loopback import KEY

from openrouter_client import OpenRouterConfig
from openrouter_client.line import Line
from openrouter_client.transport import Transport
from openrouter_client.world import RealWorld, World
from openrouter_core.admission import Admitted, Ticket
from openrouter_core.limit.places import Places
from openrouter_core.limit.pump import TurnedAway
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING


def world() -> RealWorld:
    return RealWorld(Transport(OpenRouterConfig(api_key=KEY)), Line(Places(3)))


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
    assert not real.transport.limits.inside


async def test_turns_are_those_of_the_line_and_the_living_are_counted() -> None:
    real = world()
    with real.attended(), real.attended():
        assert real.company() == 1
        turns = [await real.enter(Ticket(Place(0, number)), real.now() + 0.001) for number in range(4)]
    assert [type(turn) for turn in turns] == [Admitted, Admitted, Admitted, TurnedAway]
    assert isinstance(turns[0], Admitted)
    real.leave(turns[0].stamp, NOTHING)
    assert isinstance(await real.enter(Ticket(), real.now() + 0.001), Admitted)
    assert real.company() == 0
