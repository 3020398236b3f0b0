"""A connection is used for one request at a time, and again only while it is fresh and has said nothing unasked."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Sequence
from typing import Any, cast

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.shell.loopback import OK, Loopback, Talk, answer, asking, client_of, completion, error, then_hang_up, until

from openrouter_client import pool, transport, unwrap
from openrouter_client.pool import READ_BYTES, Pool, is_open, read_less

KEEP = 30.0


class Wire:
    """A connection with its protocol and its transport, as far as `Pool` uses them."""

    def __init__(self) -> None:
        self.protocol = self.transport = self
        self.open, self.unsent, self.should_close, self.given_back = True, 0, False, False

    def is_closing(self) -> bool:
        return not self.open

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.open = False


class Instant:
    """A loop's clock and its one timer, without waiting."""

    def __init__(self) -> None:
        self.now, self.rings = 0.0, 0.0
        self.call: Any = None

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Any) -> Instant:
        assert self.call is None
        self.rings, self.call = self.now + seconds, call
        return self

    def cancel(self) -> None:
        self.call = None

    def turn(self, seconds: float) -> None:
        """Let time pass, and the timer ring."""
        until = self.now + seconds
        while self.call is not None and self.rings <= until:
            self.now, call, self.call = self.rings, self.call, None
            call()
        self.now = until


HOSTS = st.sampled_from("ab")
STEPS = st.lists(
    st.tuples(st.just("ask"), HOSTS)
    | st.tuples(st.just("answered"), st.integers(0, 9))
    | st.tuples(st.sampled_from(["hangs up", "speaks unasked", "unsent"]), st.integers(0, 9))
    | st.tuples(st.just("wait"), st.sampled_from([0.5, 20.0, 31.0, 70.0])),
    max_size=60,
)


def played(steps: list[tuple[str, Any]]) -> None:
    """Ask for connections, give them back, let servers misbehave and time pass; hold the pool to its rules."""
    instant = Instant()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", lambda: instant)
        pool = Pool(KEEP)
    wires: list[tuple[str, Wire]] = []
    given_back: dict[Wire, float] = {}
    one: Wire
    for step, what in steps:
        match step:
            case "ask":
                wire: Any = pool.take(what)
                waiting = [one for host, one in wires if host == what and one in given_back]
                good = [one for one in waiting if one.open and not one.should_close and not one.unsent]
                fresh = [one for one in good if instant.now - given_back[one] < KEEP]
                if wire is None:
                    assert not fresh
                    wires.append((what, wire := Wire()))
                else:
                    assert wire in fresh
                    assert given_back[wire] == max(given_back[one] for one in fresh)
                given_back.pop(wire, None)
            case "answered" if any(wire not in given_back and wire.open for _, wire in wires):
                busy = [(host, wire) for host, wire in wires if wire not in given_back and wire.open]
                host, one = busy[int(what) % len(busy)]
                given_back[one] = instant.now
                pool.give(host, cast("Any", one))
                assert one.open is not (one.should_close or bool(one.unsent))
            case "wait":
                instant.turn(what)
                for _, one in wires:
                    assert not (one in given_back and one.open and instant.now - given_back[one] > 2 * KEEP)
            case _ if wires:
                one = wires[int(what) % len(wires)][1]
                one.open &= step != "hangs up"
                one.should_close |= step == "speaks unasked"
                one.unsent = 9 if step == "unsent" and one not in given_back else one.unsent
            case _:
                pass
    pool.close()
    assert instant.call is None
    assert not any(one.open for _, one in wires if one in given_back)


@given(STEPS)
@example([("ask", "a"), ("answered", 0), ("ask", "b")])
@example([("ask", "a"), ("answered", 0), ("wait", 31.0), ("ask", "a")])
@example([("ask", "a"), ("answered", 0), ("wait", 70.0)])
@example([("ask", "a"), ("answered", 0), ("hangs up", 0), ("ask", "a")])
@example([("ask", "a"), ("answered", 0), ("speaks unasked", 0), ("ask", "a")])
@example([("ask", "a"), ("unsent", 0), ("answered", 0)])
@example([("ask", "a"), ("ask", "a"), ("answered", 0), ("wait", 0.5), ("answered", 0), ("ask", "a")])
def test_whatever_happens_a_connection_that_is_given_out_can_take_a_request(steps: list[tuple[str, Any]]) -> None:
    """The bugs: one that has expired, or is closed, or would answer before it is asked; one that nobody ever closes."""
    played(steps)


def eldest(self: Pool, where: Any) -> Any:
    """Planted: the one that has waited longest, so that none ever expires."""
    idle = self.idle.get(where)
    return idle.pop(0)[1] if idle else None


def deaf(self: Pool, where: Any) -> Any:
    """Planted: what came unasked is not looked at."""
    fresh = [one for one in self.idle.pop(where, []) if self.loop.time() - one[0] < KEEP and is_open(one[1].protocol)]
    return fresh[-1][1] if fresh else None


def idle(self: Pool) -> None:
    """Planted: nothing is closed."""


@pytest.mark.parametrize(
    ("name", "planted"),
    [("take", eldest), ("take", deaf), ("tidy", idle), ("close", idle)],
    ids=["eldest", "deaf", "untidy", "open"],
)
def test_it_bites(name: str, planted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)
    choices: dict[str, Sequence[Any]] = {"ask": "ab", "answered": range(10), "wait": [0.5, 20.0, 31.0, 70.0]}
    kinds = ["ask", "ask", "answered", "answered", "hangs up", "speaks unasked", "wait"]
    steps = [(kind, dice.choice(choices.get(kind, range(10)))) for kind in dice.choices(kinds, k=400)]
    steps += [("ask", "a"), ("answered", 0)]
    played(steps)
    monkeypatch.setattr(Pool, name, planted)
    with pytest.raises(AssertionError):
        played(steps)


# --- over sockets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"trust_env": True}], ids=["direct", "public"])
@pytest.mark.parametrize("unasked", [answer(200, completion("stale")), answer(408)], ids=["twice", "idle"])
async def test_what_came_before_it_was_asked_for_is_nobodys_answer(unasked: bytes, settings: dict[str, Any]) -> None:
    """Exists for the answer to another question: an answer that came twice, a 408 to an idle connection."""

    async def twice(talk: Talk) -> None:
        await talk.say(OK)
        await asyncio.sleep(0.02)
        await talk.say(unasked)
        said.set()

    said = asyncio.Event()
    async with Loopback(twice, OK) as server, client_of(server, max_retries=0, **settings) as client:
        unwrap(await client.chat_completion(asking()))
        await said.wait()
        await asyncio.sleep(0.05)  # until it has come
        assert unwrap(await client.chat_completion(asking())).text == "hello"
        assert server.connections == 2


@pytest.mark.parametrize("settings", [{}, {"trust_env": True}], ids=["direct", "public"])
async def test_a_server_that_answers_before_it_is_asked_is_not_asked_for_ever(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bug: each new connection has an answer already, so that another one is made, without end."""
    connect = aiohttp.TCPConnector.connect

    async def late(self: Any, *of: Any) -> Any:
        connection = await connect(self, *of)
        await asyncio.sleep(0.02)
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", late)

    async def hasty(talk: Talk) -> None:
        await talk.say(answer(413, error(413)))
        await talk.gone()

    async with Loopback(hasty, raw=True) as server, client_of(server, **settings) as client:
        failed = (await client.chat_completion(asking())).failure()
        assert (failed.status, server.connections) == (413, 1)


@pytest.mark.parametrize("settings", [{}, {"trust_env": True}], ids=["direct", "public"])
async def test_little_is_asked_of_a_connection_at_once(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exists for an asyncio that calls it otherwise: nothing would break, and each read would cost what it did."""
    asked: list[int | None] = []

    def noted(transport: Any) -> None:
        read_less(transport)
        asked.append(getattr(transport, "max_size", None))

    monkeypatch.setattr(pool, "read_less", noted)
    async with Loopback(OK) as server, client_of(server, **settings) as client:
        unwrap(await client.chat_completion(asking()))
        unwrap(await client.chat_completion(asking()))
    asyncios = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    assert asked == [READ_BYTES if asyncios else None]


async def test_idle_connections_are_closed_in_time_and_with_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEEP_ALIVE_SECS", 0.1)
    async with Loopback(OK) as server:
        async with client_of(server) as client:
            await asyncio.gather(*(client.chat_completion(asking()) for _ in range(5)))
            await until(lambda: not server.open)
            unwrap(await client.chat_completion(asking()))
            assert server.open
        await until(lambda: not server.open)


async def test_nothing_is_kept_when_closing_is_cancelled() -> None:
    async with Loopback(OK) as server:
        client = client_of(server)
        unwrap(await client.chat_completion(asking()))
        way = client._calls.transport.direct
        assert way is not None
        assert way.pool.idle
        closing = asyncio.ensure_future(client.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert not way.pool.idle
        assert way.pool.timer is None or way.pool.timer.cancelled()
        await until(lambda: not server.open)


async def forgotten(server: Loopback) -> None:
    """Make a client, use it, and drop it."""
    unwrap(await client_of(server).chat_completion(asking()))
    gc.collect()


async def test_a_client_that_is_forgotten_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEEP_ALIVE_SECS", 0.05)
    async with Loopback(OK) as server:
        with pytest.warns(ResourceWarning, match="Unclosed client session"):
            await forgotten(server)
        await until(lambda: not server.open)


async def test_a_connection_that_the_server_closes_after_an_answer_is_not_tried() -> None:
    async with Loopback(then_hang_up(OK), OK) as server, client_of(server, max_retries=0) as client:
        unwrap(await client.chat_completion(asking()))
        await until(lambda: not server.open)
        await asyncio.sleep(0.02)
        unwrap(await client.chat_completion(asking()))
        assert server.connections == 2
