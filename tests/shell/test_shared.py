"""One key, many processes: first with a store that is a few lines, then with a real Redis."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import logging
import math
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from returns.result import Failure
from tests.benchmarks.sharing import measured
from tests.core.test_sharing import Store as Kept
from tests.redis_server import RedisServer
from tests.shell.sharing import Server, caller, line
from tests.shell.virtual import VirtualLoop, run_virtually

from openrouter_client import OpenRouterClient, OpenRouterConfig
from openrouter_client.line import Line
from openrouter_client.making import line_of
from openrouter_client.shared import SharedLine
from openrouter_client.store import Lost, Store
from openrouter_core.admission import Admitted, Ticket
from openrouter_core.errors import InvalidRequest
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING, Ask, Seen
from openrouter_core.limit.standard import LimitSettings
from openrouter_core.sharing import Swap

# --- without Redis, and without real time ----------------------------------------------------------------------------


def together(
    rate: float, burst: float, seconds: float, limits: LimitSettings, callers: list[int]
) -> tuple[Server, Any]:
    """Let a process for each number of callers call for so long, with one store between them."""

    async def main(loop: VirtualLoop) -> tuple[Server, Any]:
        kept, server, numbers = Kept(), Server(rate, burst), itertools.count()
        lines = [line(kept, member, limits) for member in range(len(callers))]
        async with asyncio.TaskGroup() as group:
            for member, many in enumerate(callers):
                for _ in range(many):
                    group.create_task(caller(lines[member], server, member, seconds, numbers))
        for one in lines:
            assert not one.shared.standing
            assert one.admission.in_flight == 0
            one.close()
            await one.disconnect()
        return server, lines

    return run_virtually(main)


def test_four_processes_reach_a_known_rate_together_and_never_more() -> None:
    known = LimitSettings(requests_per_minute=6000.0)
    server, lines = together(100.0, 10.0, 10.0, known, [150, 60, 30, 5])
    assert server.counts["rate"] == 0
    assert server.counts["ok"] >= 0.98 * 100.0 * 10.0
    assert server.burst(100.0) < 10.0
    asked = sum(one.store.asked for one in lines)
    assert asked < server.counts["ok"] * 2, "rounds are for many calls"


def test_four_processes_learn_a_quota_together() -> None:
    server, _ = together(100.0, 10.0, 60.0, LimitSettings(), [60, 60, 60, 60])
    assert server.counts["rate"] <= 0.015 * server.counts["ok"]
    assert server.counts["ok"] >= 0.98 * 100.0 * 60.0


async def test_a_cancelled_call_gives_its_place_back_wherever_it_is() -> None:
    """Bug: a call that is cancelled while the store is asked, or before its instant, takes its place with it."""
    for rest in range(12):
        one = line(Kept(), 1, LimitSettings(places=3, requests_per_minute=6000.0))
        waiters = [asyncio.create_task(one.enter(Ticket(Place(0, number)), math.inf)) for number in range(3)]
        await asyncio.sleep(0.001 * rest)
        for waiter in waiters:
            waiter.cancel()
        ends = await asyncio.gather(*waiters, return_exceptions=True)
        for end in ends:
            if isinstance(end, Admitted):
                one.leave(end.stamp, NOTHING)
        await asyncio.sleep(0.04)
        assert one.admission.in_flight == 0
        assert not one.shared.standing
        assert not one.admission.lines.waiting
        one.close()
        await one.disconnect()


async def test_when_the_client_closes_everybody_goes() -> None:
    """Bug: calls wait for ever for a store that nobody asks any more; tasks are left behind."""
    for way in (0.001, None):
        one = line(Kept(), 1, LimitSettings(places=0), way)
        waiters = [asyncio.create_task(one.enter(Ticket(Place(0, number)), math.inf)) for number in range(3)]
        await asyncio.sleep(0.0)
        one.close()
        assert all(isinstance(turn, Admitted) for turn in await asyncio.gather(*waiters))
        await one.disconnect()
        assert isinstance(await one.enter(Ticket(Place(0, 9)), math.inf), Admitted)
        assert one.store.closed  # type: ignore[attr-defined] # a fake's attribute
    never = line(Kept(), 1, LimitSettings())
    assert never.sharing is None
    never.close()
    await never.disconnect()


# --- with a real Redis -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    try:
        with RedisServer() as running:
            yield running
    except RuntimeError as missing:
        pytest.fail(str(missing))


@pytest.fixture
def redis(server: RedisServer) -> Iterator[RedisServer]:
    """The server, empty, and alive again afterwards."""
    server.tell("FLUSHALL")
    yield server
    if server.process is None:
        server.start()


NAMES = ("openrouter:{test}:quota", "openrouter:{test}:members")
KNOWN = LimitSettings(requests_per_minute=12_000.0, request_burst=20.0)


def lined(url: str, patience: float = 10.0) -> SharedLine:
    """A line with a Redis that is waited for, for a busy machine is not what is tested."""
    return SharedLine(KNOWN, None, Store(url, NAMES, patience=patience), 4)


async def over(*lines: SharedLine) -> None:
    for one in lines:
        one.close()
        await one.disconnect()


async def busy(lines: list[SharedLine], until: Callable[[], bool], then: Callable[[], object] = lambda: None) -> None:
    """Let calls go as fast as they may, until something holds, and then 20 more; `then` is done after a while."""
    numbers, loop = itertools.count(), asyncio.get_running_loop()
    left = 20

    async def calls(one: SharedLine) -> None:
        nonlocal left
        while left:
            turn = await one.enter(Ticket(Place(0, next(numbers))), math.inf)
            assert isinstance(turn, Admitted)
            one.leave(turn.stamp, Seen(kind="ok"))
            if left and until():
                left -= 1

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for one in lines:
            for _ in range(4):
                group.create_task(calls(one))
        loop.call_later(0.3, then)


def modes(lines: list[SharedLine]) -> set[str]:
    return {one.shared.mode for one in lines}


async def test_two_share_what_one_has(redis: RedisServer) -> None:
    lines = [lined(redis.url), lined(redis.url)]
    await busy(lines, lambda: all(one.shared.swaps > 3 for one in lines))
    assert modes(lines) == {"shared"}
    assert {one.sharing.members for one in lines if one.sharing} == {2}
    await over(*lines)
    assert redis.tell("EXISTS", NAMES[1]) == b":0\r\n", "who leaves is no member any more"
    ttl = int(redis.tell("TTL", NAMES[0])[1:])
    assert 0 < ttl <= 172_800


async def test_a_script_that_redis_has_forgotten_is_sent_again(redis: RedisServer) -> None:
    lines = [lined(redis.url)]
    await busy(lines, lambda: lines[0].shared.swaps > 10, lambda: redis.tell("SCRIPT", "FLUSH"))
    assert modes(lines) == {"shared"}
    await over(*lines)


async def test_a_state_that_has_vanished_is_given_anew(redis: RedisServer) -> None:
    lines = [lined(redis.url), lined(redis.url)]
    flushed: list[Any] = []
    await busy(
        lines,
        lambda: bool(flushed) and b"state" in redis.tell("HKEYS", NAMES[0]),
        lambda: flushed.append(redis.tell("FLUSHALL")),
    )
    assert modes(lines) == {"shared"}
    await over(*lines)


async def test_a_redis_that_dies_and_comes_back(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Bug: calls hang or fail with Redis, the loss is told for every call, or nobody looks for it again."""
    lines = [lined(redis.url), lined(redis.url)]
    lost: list[bool] = []

    def restart() -> bool:
        if redis.process is not None and not lost and all(one.shared.members == 2 for one in lines):
            redis.kill()
        elif modes(lines) == {"lost"} and not lost:
            lost.append(True)
            assert {one.shared.part for one in lines} == {0.5}
            redis.start()
        return bool(lost) and modes(lines) == {"shared"}

    await busy(lines, restart)
    await over(*lines)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([line for line in told if "goes on with 1/2 of what was known of the quota" in line]) >= 2
    assert len([line for line in told if "Redis is back" in line]) >= 2


async def test_a_redis_that_does_not_answer_is_lost(redis: RedisServer) -> None:
    lines = [lined(redis.url, patience=0.25)]
    thawed: list[bool] = []

    def thaw() -> bool:
        if modes(lines) == {"lost"} and not thawed:
            thawed.append(True)
            redis.thaw()
        return bool(thawed) and modes(lines) == {"shared"}

    await busy(lines, thaw, redis.freeze)
    await over(*lines)


async def test_a_redis_that_was_never_there(caplog: pytest.LogCaptureFixture) -> None:
    one = lined("redis://:hunter2@127.0.0.1:1/0")
    assert isinstance(await one.enter(Ticket(), math.inf), Admitted)
    assert one.sharing is not None
    assert (one.sharing.mode, one.sharing.part) == ("lost", 0.25)
    assert "Redis is lost" in caplog.text
    assert "hunter2" not in caplog.text
    await over(one)


async def test_a_password_that_is_wrong_is_not_told(redis: RedisServer) -> None:
    store = Store(redis.url.replace("//", "//user:hunter2@"), NAMES)
    with pytest.raises(Lost) as lost:
        await store.swap(Swap())
    assert "hunter2" not in str(lost.value)
    await store.close()


async def test_the_script_does_what_the_stand_in_does(redis: RedisServer) -> None:
    """Bug: the properties are proved of a store that Redis is not."""
    one, two, kept = Store(redis.url, NAMES), Store(redis.url, NAMES), Kept()
    version = {"redis": "0", "kept": "0"}
    for store, member, fresh in ((one, 1, True), (two, 2, False), (two, 2, True), (one, 1, False), (one, 1, True)):
        for expected in ("", None):
            state = f"state of {member}".encode()
            stale = "12345"
            ours = expected if expected is not None else version["redis"] if fresh else stale
            theirs = expected if expected is not None else version["kept"] if fresh else stale
            real = await store.swap(Swap(ours, state))
            imagined = kept.swap(member, Swap(theirs, state))
            assert (real.swapped, real.state, real.members) == (imagined.swapped, imagined.state, imagined.members)
            assert int(real.version) <= real.now * 1e6 + 1
            version = {"redis": real.version, "kept": imagined.version}
    redis.tell("HSET", NAMES[0], "version", "9999999999999999")
    assert (await one.swap(Swap())).version == "0", "a state from the future is none"
    redis.tell("HSET", NAMES[0], "version", "nonsense")
    with pytest.raises(Lost, match="ResponseError"):
        await one.swap(Swap())
    await one.close()
    await two.close()


async def test_processes_with_one_key_against_one_openrouter(redis: RedisServer) -> None:
    """Four real processes; how much they reach is for `make bench-redis`, on a machine that is quiet."""
    reached = await measured(3.0, known=True, redis_url=redis.url, callers=16)
    assert all(reached.shares)
    assert reached.successes <= 200 * 3.0 + 20
    keys = redis.tell("KEYS", "*")
    assert b"openrouter:{" in keys
    assert b"sk-or" not in keys


# --- the client ------------------------------------------------------------------------------------------------------


def test_a_client_shares_if_it_is_told_where() -> None:
    config = OpenRouterConfig(api_key="sk-or-v1-some")
    assert type(line_of(config).unwrap()) is Line
    shared = line_of(OpenRouterConfig(api_key="sk-or-v1-some", redis_url="redis://h")).unwrap()
    assert isinstance(shared, SharedLine)
    assert "sk-or" not in str(shared.store.names)


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "redis" else found(name))
    made = OpenRouterClient.new(OpenRouterConfig(api_key="sk-or-v1-some", redis_url="redis://:pw@h"))
    assert isinstance(made, Failure)
    error = made.failure()
    assert isinstance(error, InvalidRequest)
    assert error.field == "redis_url"
    assert 'pip install "aio-openrouter[redis]"' in error.message
    assert "pw" not in error.message


async def test_a_call_of_a_client_goes_through_redis(redis: RedisServer) -> None:
    from openrouter_client import ChatCompletionRequest, ChatMessage
    from openrouter_client.simulator import Simulator

    async with Simulator() as sim:
        config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url, redis_url=redis.url)
        async with OpenRouterClient.new(config).unwrap() as client:
            answer = await client.chat_completion(ChatCompletionRequest(messages=[ChatMessage.user("Hello")]))
            assert answer.unwrap().text
        assert b"openrouter:{" in redis.tell("KEYS", "*")


def test_what_is_asked_is_small() -> None:
    """Bug: a state that grows with every call."""

    async def main(loop: VirtualLoop) -> int:
        one = line(Kept(), 1, LimitSettings())
        for number in range(300):
            turn = await one.enter(Ticket(Place(0, number), Ask((f"model {number}",))), math.inf)
            assert isinstance(turn, Admitted)
            one.leave(turn.stamp, Seen(kind="ok"))
        size = len(one.store.kept.state)  # type: ignore[attr-defined] # a fake's attribute
        await over(one)
        return int(size)

    waiting: Callable[[VirtualLoop], Coroutine[Any, Any, int]] = main
    assert run_virtually(waiting) < 1000
