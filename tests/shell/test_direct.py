"""The fast way to send says the same bytes as aiohttp's own, and gives its connections back, or not, as it must."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from tests.shell.loopback import OK, Loopback, Talk, answer, asking, chunked, client_of, completion, error, until
from yarl import URL

from openrouter_client import OpenRouterClient, unwrap
from openrouter_client.direct import Direct, head_of
from openrouter_core.endpoint import HttpRequest

SETTINGS: dict[str, Any] = {"app_title": "Markets", "app_url": "https://markets.example", "safe_retries": True}


def way_of(client: OpenRouterClient) -> Direct:
    """The fast way of a client that has sent already."""
    way = client._calls.transport.direct
    assert way is not None
    return way


async def test_both_ways_say_the_same() -> None:
    """Exists for a header that only one of the two ways sends."""
    async with Loopback(OK) as server, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for given in ({}, {"session": session}):
            async with client_of(server, **SETTINGS, **given) as client:
                unwrap(await client.chat_completion(asking("hi", temperature=0.5)))
                assert (client._calls.transport.direct is None) == bool(given)
        fast, public = server.requests
        assert (fast.line, fast.body) == (public.line, public.body)
        assert sorted(fast.headers) == sorted(public.headers)


async def test_requests_with_other_headers_are_not_mixed_up() -> None:
    """Exists for a head that was kept from the call before."""
    async with Loopback(OK) as server, client_of(server) as client:
        for name in ("a", "b", None, "a"):
            options = None if name is None else {"session_id": name}
            unwrap(await client.chat_completion(asking(options=options)))
        assert [seen.header("x-session-id") for seen in server.requests] == ["a", "b", None, "a"]
        assert server.connections == 1


async def test_a_connection_is_used_again_after_every_kind_of_whole_answer() -> None:
    whole = [OK, answer(400, error(400)), chunked(b' {"choices": []}'), b"HTTP/1.1 204 No Content\r\n\r\n", OK]
    async with Loopback(*whole) as server, client_of(server, max_retries=0) as client:
        for _ in whole:
            await client.chat_completion(asking())
        assert (len(server.requests), server.connections) == (5, 1)


async def test_a_connection_that_is_to_close_is_not_used_again() -> None:
    async with Loopback(answer(200, completion(), {"Connection": "close"})) as server, client_of(server) as client:
        for _ in range(2):
            unwrap(await client.chat_completion(asking()))
        assert server.connections == 2


async def test_an_answer_that_came_before_the_request_was_read_costs_the_connection() -> None:
    """Exists for the rest of a request that would be taken for the beginning of the next."""

    async def hasty(talk: Talk) -> None:
        await talk.say(answer(413, error(413)))
        await asyncio.sleep(0.02)

    body = b"x" * (2**20 - 1)
    async with Loopback(hasty, raw=True) as server, client_of(server, max_retries=0) as client:
        client._calls.transport.opened()
        way = way_of(client)
        for _ in range(3):  # more than the buffers of a socket hold
            got = await way.request(HttpRequest("POST", server.base_url, (), body * 8))
            while not got.content.at_eof():
                await got.content.readany()
            assert got.status == 413
            got.close()
        assert server.connections == 3


async def test_cancelling_closes_the_connection() -> None:
    async def wait(talk: Talk) -> None:
        await talk.gone()

    async with Loopback(wait, OK) as server, client_of(server) as client:
        task = asyncio.ensure_future(client.chat_completion(asking()))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert unwrap(await client.chat_completion(asking())).text == "hello"
        assert server.connections == 2


async def test_a_session_that_was_tampered_with_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exists for mocked answers and traces that the fast way would pass by."""
    async with Loopback(OK) as server, client_of(server) as client:
        unwrap(await client.chat_completion(asking()))
        assert way_of(client).serves()

        async def mocked(*_: object, **__: object) -> None:
            raise aiohttp.ServerDisconnectedError

        monkeypatch.setattr(aiohttp.ClientSession, "_request", mocked)
        assert not way_of(client).serves()
        assert (await client.chat_completion(asking())).failure().attempts[0].outcome == "disconnected"
        assert len(server.requests) == 1


async def test_a_header_cannot_smuggle_another() -> None:
    loop = asyncio.get_running_loop()
    made = aiohttp.ClientRequest("POST", URL("http://localhost/"), headers={"X-A": "1"}, loop=loop)
    assert b"X-A: 1\r\n" in head_of(made)
    made.headers["X-A"] = "1\r\nX-B: 2"
    with pytest.raises(ValueError, match="line break"):
        head_of(made)


async def test_a_connection_that_is_lost_before_anything_is_sent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exists for an AttributeError in the caller's face: the transport is gone when the request is to be written."""
    connect = aiohttp.TCPConnector.connect

    async def lose(*args: Any, **kwargs: Any) -> Any:
        connection = await connect(*args, **kwargs)
        protocol = connection.protocol
        assert protocol is not None
        assert protocol.transport is not None
        protocol.transport.abort()
        protocol.transport = None
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", lose)
    async with Loopback(OK) as server, client_of(server, max_retries=1) as client:
        lost = (await client.chat_completion(asking())).failure()
        assert type(lost).__name__ == "Disconnected"
        assert "before the request was sent" in lost.message
        assert len(lost.attempts) == 2
