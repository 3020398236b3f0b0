"""One streamed attempt over real sockets: whatever the server does becomes chunks and an outcome."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.core.streamed import COMMENT, DONE, ERROR, WHOLE, chunk, ended, event, piece, said
from tests.shell import sse
from tests.shell.loopback import KEY, OK, Loopback, Talk, answer, completion, error, hang_up, reset, silence, until

from openrouter_client import OpenRouterConfig
from openrouter_client.exchange import StreamExchange, event_reader
from openrouter_client.transport import Transport
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.endpoint import HttpRequest
from openrouter_core.outcome import (
    Cut,
    Finished,
    Interrupted,
    Lost,
    Malformed,
    Overlong,
    Responded,
    Stalled,
    Streamed,
    TimedOut,
    Unreachable,
)
from openrouter_core.states import Clocks
from openrouter_core.wire.chunk import ChatCompletionChunk

CLOCKS = Clocks(5.0, 5.0, 5.0)
ANSWER = said("It ", "will", " rain.") + ended()


@asynccontextmanager
async def transport_to(server: Loopback | str, **settings: Any) -> AsyncIterator[Transport]:
    base_url = server if isinstance(server, str) else server.base_url
    transport = Transport(OpenRouterConfig(**{"api_key": KEY, "base_url": base_url, **settings}))
    try:
        yield transport
    finally:
        await transport.close()


def exchange_on(transport: Transport, clocks: Clocks = CLOCKS, *, handing_out: bool = True) -> StreamExchange[Any]:
    request = HttpRequest("POST", transport.config.base_url + "/chat/completions", (), b"{}")
    reader = event_reader(CHAT_COMPLETIONS, clocks, transport, handing_out=handing_out)
    return StreamExchange(transport, request, clocks, reader)


async def taken(exchange: StreamExchange[Any]) -> list[ChatCompletionChunk]:
    return [chunk async for chunks in exchange.batches() for chunk in chunks]


async def streamed(server: Loopback, clocks: Clocks = CLOCKS, **settings: Any) -> tuple[Any, str]:
    """The outcome of one exchange, and the text that was handed out."""
    async with transport_to(server, **settings) as transport:
        exchange = exchange_on(transport, clocks)
        chunks = await taken(exchange)
        return exchange.outcome(), "".join(chunk.text for chunk in chunks)


# --- good streams ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WHOLE)
async def test_a_good_stream(name: str) -> None:
    data = WHOLE[name]
    middle = len(data) // 2
    async with Loopback(sse.whole(data), sse.packets(data[:middle], data[middle:-9], data[-9:])) as server:
        once, text = await streamed(server)
        again, text_again = await streamed(server)
    assert isinstance(once, Streamed)
    assert once.end == Finished()
    assert once.headers["x-generation-id"] == "gen-h"
    assert (once.answer, text) == (again.answer, text_again)
    assert text == ("ac" if name == "a choice at a time" else once.answer.text)


async def test_a_stream_is_collected() -> None:
    async with Loopback(sse.whole(ANSWER)) as server, transport_to(server) as transport:
        exchange = exchange_on(transport, handing_out=False)
        outcome = await exchange.collect()
        assert isinstance(outcome, Streamed)
        assert (outcome.answer.text, outcome.delivered, exchange.snapshot()) == ("It will rain.", False, outcome.answer)


@pytest.mark.parametrize(
    "script",
    [
        sse.whole(ANSWER),
        sse.packets(ANSWER),
        sse.packets(ANSWER.removesuffix(DONE), DONE),
        sse.packets(ANSWER.removesuffix(DONE)),
        sse.whole(said("a"), chunk(error=ERROR)),
        answer(429, error(429)),
        answer(502, b"<html>", {"Content-Type": "text/html"}),
        OK,
    ],
)
async def test_a_connection_is_used_again(script: Any) -> None:
    """Exists for a handshake a call: the end of the body comes after the end of the stream."""
    async with Loopback(script, sse.whole(ANSWER)) as server, transport_to(server) as transport:
        await taken(exchange_on(transport))
        assert len(await taken(exchange_on(transport))) == 5
        assert server.connections == 1


async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    """Exists for servers that leave the body open after the end mark, or go on talking."""
    for script in (sse.then_wait(ANSWER), sse.then_comments(ANSWER)):
        async with Loopback(script) as server:
            outcome, text = await streamed(server, Clocks(60.0, 60.0, 60.0))
            assert (outcome.end, text) == (Finished(), "It will rain.")


async def test_a_stream_without_framing_ends_with_its_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"

    async def script(talk: Talk) -> None:
        await talk.say(head + said("a") + ended().removesuffix(DONE))
        talk.hang_up()

    async with Loopback(script) as server:
        outcome, text = await streamed(server)
        assert (outcome.end, text) == (Finished(), "a")


async def test_a_compressed_stream() -> None:
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) for data in (said("a"), said("b") + ended())]
    head = sse.HEAD.removesuffix(b"\r\n") + b"Content-Encoding: gzip\r\n\r\n"

    async def script(talk: Talk) -> None:
        await talk.say(head + sse.framed(pieces[0]))
        await asyncio.sleep(0.01)
        await talk.say(sse.framed(pieces[1]) + sse.framed(packer.flush()) + sse.LAST)

    async with Loopback(script) as server:
        outcome, text = await streamed(server)
        assert (outcome.end, text) == (Finished(), "ab")


async def test_a_line_of_megabytes() -> None:
    """Exists for readers of lines: aiohttp's own gives up at 512 KiB."""
    text = "word " * 600_000
    async with Loopback(sse.whole(said(text), ended())) as server:
        outcome, told = await streamed(server)
        assert outcome.end == Finished()
        assert told == text


# --- streams that fail ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "end"),
    [
        (sse.then_close(said("a"), polite=True), Cut),
        (sse.then_close(said("a"), polite=False), Lost),
        (sse.then_reset(said("a")), Lost),
        (sse.whole(said("a"), b"data: {nonsense\n\n", ended()), Malformed),
        (sse.whole(said("a"), event({"error": ERROR})), Finished),
        (sse.then_wait(said("a")), Stalled),
        (sse.then_comments(said("a")), Stalled),
    ],
)
async def test_how_a_stream_fails(script: Any, end: type[Any]) -> None:
    async with Loopback(script) as server:
        outcome, text = await streamed(server, Clocks(5.0, 5.0, 0.1))
        assert isinstance(outcome, Streamed)
        assert isinstance(outcome.end, end)
        assert (text, outcome.answer.text, outcome.delivered) == ("a", "a", True)


@pytest.mark.parametrize("script", [sse.then_wait(), sse.then_wait(COMMENT), sse.then_comments(), silence])
async def test_no_first_event(script: Any) -> None:
    """Exists for comments that keep a stream alive for ever, and for an answer that never begins."""
    async with Loopback(script) as server:
        outcome, _ = await streamed(server, Clocks(5.0, 0.1, 5.0))
        match outcome:
            case Streamed():
                assert outcome.end == Stalled("first_event", 0.1)
            case _:
                assert outcome == TimedOut("first_event", 0.1)


@pytest.mark.parametrize("pieces", [(), (said("a"),)])
async def test_the_whole_attempt_is_limited(pieces: tuple[bytes, ...]) -> None:
    async def talking(talk: Talk) -> None:
        leaving = asyncio.ensure_future(talk.gone())
        await talk.say(sse.HEAD)
        while not leaving.done():
            await talk.say(sse.framed(b"".join(pieces) or COMMENT))
            await asyncio.wait([leaving], timeout=0.02)

    async with Loopback(talking) as server:
        outcome, _ = await streamed(server, Clocks(0.15, 5.0, 5.0))
        assert outcome.end == Stalled("attempt", 0.15)


async def test_a_stream_that_is_too_long() -> None:
    async with Loopback(sse.then_comments(said("a"))) as server:
        outcome, text = await streamed(server, max_response_bytes=1000)
        assert (outcome.end, text) == (Overlong(1000), "a")


@pytest.mark.parametrize("script", [hang_up, reset])
async def test_no_answer_at_all(script: Any) -> None:
    async with Loopback(script) as server:
        outcome, _ = await streamed(server)
        assert isinstance(outcome, Interrupted)


async def test_nobody_listens() -> None:
    async with transport_to("http://127.0.0.1:9/api/v1") as transport:
        exchange = exchange_on(transport)
        assert await taken(exchange) == []
        assert isinstance(exchange.outcome(), Unreachable)
        await transport.close()
        exchange = exchange_on(transport)
        assert await taken(exchange) == []
        closed = exchange.outcome()
        assert isinstance(closed, Unreachable)
        assert closed.kind == "closed"


async def test_connecting_has_its_own_limit() -> None:
    async with transport_to("http://192.0.2.1:9/api/v1", connect_timeout_secs=0.05, allow_http=True) as transport:
        exchange = exchange_on(transport)
        await taken(exchange)
        outcome = exchange.outcome()
        # A machine without a route says so at once.
        assert outcome == TimedOut("connect", 0.05, sent=False) or isinstance(outcome, Unreachable)


@pytest.mark.parametrize("label", ["", "Content-Type: application/octet-stream", "Content-Type: text/plain"])
async def test_a_stream_that_is_not_labelled_as_one(label: str) -> None:
    """Kills: taking a stream for one long body, because a proxy has lost its Content-Type."""
    fields = "".join(f"{field}\r\n" for field in (label, "Transfer-Encoding: chunked") if field)
    head = f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()
    async with Loopback(head + sse.framed(ANSWER) + sse.LAST) as server:
        outcome, text = await streamed(server)
        assert isinstance(outcome, Streamed)
        assert (outcome.end, text) == (Finished(), "It will rain.")


# --- answers that are no streams ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (OK, 200),
        (answer(200, error(502)), 200),
        (answer(200, b"<html>", {"Content-Type": "text/html"}), 200),
        (answer(200, completion(), {"Content-Type": "Application/JSON; charset=utf-8"}), 200),
        (answer(429, error(429), {"Retry-After": "3"}), 429),
        (answer(429, b"slow down", {"Content-Type": "text/plain"}), 429),
        (answer(500, b""), 500),
        (answer(503, b": OPENROUTER PROCESSING\n\n", {"Content-Type": "text/event-stream"}), 503),
    ],
)
async def test_an_answer_that_is_no_stream(script: bytes, status: int) -> None:
    async with Loopback(script) as server:
        outcome, text = await streamed(server)
        assert isinstance(outcome, Responded)
        assert (outcome.status, text) == (status, "")
        assert script.endswith(outcome.body)


async def test_an_answer_that_is_no_stream_has_the_clock_of_the_first_event() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def dripping(talk: Talk) -> None:
        leaving = asyncio.ensure_future(talk.gone())
        await talk.say(head)
        while not leaving.done():
            await talk.say(sse.framed(b" "))
            await asyncio.wait([leaving], timeout=0.02)

    async with Loopback(dripping) as server:
        outcome, _ = await streamed(server, Clocks(5.0, 0.1, 5.0))
        assert outcome == TimedOut("first_event", 0.1)
        outcome, _ = await streamed(server, Clocks(0.1, 5.0, 5.0))
        assert outcome == TimedOut("attempt", 0.1)


# --- the consumer ---------------------------------------------------------------------------------------------------


async def test_a_slow_consumer_is_not_the_server() -> None:
    """Exists for an idle limit that ran while the caller was busy."""
    async with Loopback(sse.packets(said("a"), said("b"), ended())) as server, transport_to(server) as transport:
        exchange = exchange_on(transport, Clocks(5.0, 5.0, 0.1))
        async for chunks in exchange.batches():
            if any(one.text for one in chunks):
                await asyncio.sleep(0.15)
        assert isinstance(exchange.outcome(), Streamed)
        assert exchange.snapshot().text == "ab"
        assert exchange.outcome().end == Finished()  # type: ignore[union-attr] # asserted above


@pytest.mark.parametrize(
    ("pieces", "last", "end"),
    [
        ((said("b"), ended()), sse.LAST, Finished),
        ((said("b"), ended()), b"", Finished),
        ((said("b"), ended().removesuffix(DONE)), b"", Finished),
        ((said("b"),), b"", Lost),
    ],
)
@pytest.mark.parametrize("resetting", [False, True])
async def test_what_came_while_the_consumer_was_busy_counts(
    pieces: tuple[bytes, ...], last: bytes, end: type[Any], resetting: bool
) -> None:
    """Exists for answers that a slow consumer lost, and a quick one did not: aiohttp tells of the break first."""
    broken = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.say(sse.HEAD + sse.framed(said("a")))
        await asyncio.sleep(0.01)
        await talk.say(b"".join(map(sse.framed, pieces)) + last)
        await asyncio.sleep(0.01)
        talk.reset() if resetting else talk.hang_up()
        broken.set()

    async with Loopback(script) as server, transport_to(server) as transport:
        exchange, text = exchange_on(transport), ""
        async for chunks in exchange.batches():
            text += "".join(one.text for one in chunks)
            await broken.wait()
            await asyncio.sleep(0.01)
        outcome = exchange.outcome()
        assert isinstance(outcome, Streamed)
        assert isinstance(outcome.end, end)
        assert (text, outcome.answer.text) == ("ab", "ab")


async def test_leaving_drops_the_connection_at_once() -> None:
    async with Loopback(sse.then_wait(said("a"))) as server, transport_to(server) as transport:
        exchange = exchange_on(transport)
        batches = exchange.batches()
        assert [one.text for one in await anext(batches)] == ["a"]
        await batches.aclose()
        await until(lambda: server.left)
        outcome = exchange.outcome()
        assert isinstance(outcome, Streamed)
        assert outcome.end == Cut("the stream was left before its end")


@pytest.mark.parametrize("script", [silence, sse.then_wait(), sse.then_wait(said("a")), sse.then_comments(said("a"))])
async def test_cancelling_drops_the_connection_at_once(script: Any) -> None:
    async with Loopback(script) as server, transport_to(server) as transport:
        task = asyncio.ensure_future(exchange_on(transport, handing_out=False).collect())
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.left)


async def test_the_key_is_struck_out_wherever_it_is_split() -> None:
    """Exists for a key that two packets share."""
    data = said(f"your key is {KEY}") + event({"error": {"code": 400, "message": f"bad key {KEY}"}})
    for step in (1, 5, 13, len(data)):
        pieces = [data[at : at + step] for at in range(0, len(data), step)]
        async with Loopback(sse.packets(*pieces) if step > 1 else sse.whole(*pieces)) as server:
            outcome, text = await streamed(server)
            assert text == "your key is ***"
            assert KEY not in repr(outcome)
    lying = json.dumps({"error": f"bad key {KEY}"}).encode()
    async with Loopback(sse.packets(lying[:25], lying[25:])) as server:
        outcome, _ = await streamed(server)
        assert "bad key ***" in repr(outcome)


async def test_a_client_that_is_closed_meanwhile() -> None:
    async with Loopback(sse.then_wait(said("a"))) as server, transport_to(server) as transport:
        exchange = exchange_on(transport)
        async for _ in exchange.batches():
            await transport.close()
        outcome = exchange.outcome()
        assert isinstance(outcome, Streamed)
        assert isinstance(outcome.end, Lost)


async def test_empty_pieces_hurt_nobody() -> None:
    async with Loopback(sse.packets(chunk(piece("")), COMMENT, b"\n", b"\n", said("a"), ended())) as server:
        outcome, text = await streamed(server)
        assert (outcome.end, text) == (Finished(), "a")
