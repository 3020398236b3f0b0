"""A server that means harm: whatever it says without end or depth, the call ends soon, as a value, in little memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from typing import Any

import pytest
from tests.shell.loopback import Loopback, Talk, answer, asking, client_of, completion, until

from openrouter_client import DataSourceError, Timeout, Tool, unwrap

MUCH = 48 * 2**20
"""How many bytes a hostile server may get rid of before the client must have left; most of it stands in the kernel."""

START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = START + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = START + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DEEP = 1_000_000
IMPATIENT: dict[str, Any] = {"timeout_secs": 30.0, "max_retries": 0, "max_response_bytes": 2**20}


class Endless:
    """Says one thing, and then another for ever; counts what it said, and whether somebody left in time.

    `piece` is how much it says at a time; pieces that are small come one by one.
    """

    def __init__(self, first: bytes, then: bytes, piece: int = 2**16) -> None:
        self.first, self.then = first, then * (piece // len(then) + 1)
        self.said = 0

    async def __call__(self, talk: Talk) -> None:
        try:
            await talk.say(self.first)
            while self.said < MUCH:
                await talk.say(self.then)
                self.said += len(self.then)
                await asyncio.sleep(0)
        except ConnectionError:
            talk.server.left += 1


ENDLESS = {
    "headers": Endless(START, b"X-Header: is one of many\r\n"),
    "one header": Endless(START + b"X-Header: ", b"a"),
    "a status line": Endless(b"HTTP/1.1 200 ", b"a"),
    "a status line in pieces": Endless(b"HTTP/1.1 200 ", b"a", 2**12),
    "interim answers": Endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "trailers": Endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Trailer: is one of many\r\n"),
    "spaces": Endless(CHUNKED, b"4\r\n    \r\n"),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_has_no_end_is_left(what: str) -> None:
    script = ENDLESS[what]
    async with Loopback(script) as server, client_of(server, **IMPATIENT) as client:
        result = await client.chat_completion(asking())
        assert isinstance(result.failure(), DataSourceError)
        assert not isinstance(result.failure(), Timeout)
        await until(lambda: server.left == 1 or script.said >= MUCH)
        assert server.left == 1, f"after {script.said} bytes somebody was still listening"


async def test_what_is_thrown_away_as_it_comes_costs_time_and_no_memory() -> None:
    """The parser skips extensions of chunks without a limit, so that the attempt's clock is what ends them."""
    script = Endless(CHUNKED + b"10;", b"a")
    async with Loopback(script) as server, client_of(server, **{**IMPATIENT, "timeout_secs": 0.5}) as client:
        tracemalloc.start()
        try:
            result = await client.chat_completion(asking())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert isinstance(result.failure(), Timeout)
        assert script.said > 2**20
        assert peak < 16 * 2**20


ENDLESS_STREAMS = {
    "one line": Endless(STREAM, b"100\r\n" + b"a" * 256 + b"\r\n"),
    "comments": Endless(STREAM, b"5\r\n: a\n\n\r\n"),
    "data": Endless(STREAM, b"8\r\ndata: a\n\r\n"),
    "empty lines": Endless(STREAM, b"4\r\n\n\n\n\n\r\n"),
}


@pytest.mark.parametrize("what", ENDLESS_STREAMS)
async def test_a_stream_that_has_no_end_is_left(what: str) -> None:
    script = ENDLESS_STREAMS[what]
    async with Loopback(script) as server, client_of(server, **IMPATIENT) as client:
        result = await client.chat_completion(asking(), streamed=True)
        assert isinstance(result.failure(), DataSourceError)
        await until(lambda: server.left == 1 or script.said >= MUCH)
        assert server.left == 1, f"after {script.said} bytes somebody was still listening"


DEEPLY = {
    "lists": b"[" * DEEP,
    "objects": b'{"a":' * DEEP,
    "in the answer": b'{"choices": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "in an error": b'{"error": ' + b'{"error": ' * DEEP + b"1" + b"}" * DEEP + b"}",
    "in what nobody reads": json.dumps(completion()).encode()[:-1] + b', "x": ' + b"[" * DEEP + b"]" * DEEP + b"}",
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("body", DEEPLY.values(), ids=DEEPLY.keys())
async def test_what_is_nested_without_end_is_a_failure(body: bytes, *, streamed: bool) -> None:
    said = answer(200, body)
    if streamed:
        event = b"data: " + body + b"\n\n"
        said = answer(200, event, {"Content-Type": "text/event-stream"})
    async with Loopback(said) as server, client_of(server, max_retries=0) as client:
        result = await client.chat_completion(asking(), streamed=streamed)
        assert isinstance(result.failure(), DataSourceError)


@pytest.mark.parametrize("status", [200, 429, 500])
async def test_a_compressed_stream_is_as_long_as_what_comes_out(status: int) -> None:
    bomb = gzip.compress(b": nothing\n\n" * 3_000_000)
    said = answer(status, bomb, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"})
    async with Loopback(said) as server, client_of(server, max_retries=0, max_response_bytes=100_000) as client:
        result = await client.chat_completion(asking(), streamed=True)
        assert isinstance(result.failure(), DataSourceError)


ARGUMENTS = {
    "nested": "[" * 100_000,
    "nested objects": '{"n":' * 100_000 + "1" + "}" * 100_000,
    "a number of many digits": '{"n": ' + "9" * 100_000 + "}",
    "half a surrogate": '{"n": "\\ud800"}',
    "a name that Python knows": '{"n": 1, "__class__": "os.system", "self": 1}',
    "code": '{"n": "__import__(\'os\').abort()"}',
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS.keys())
async def test_arguments_of_a_hostile_model_are_data(arguments: str) -> None:
    """Kills: arguments that are run, end the loop, or reach a function whose types they do not fit."""
    taken: list[int] = []

    def count(n: int) -> int:
        """Count."""
        taken.append(n)
        return n

    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "count", "arguments": arguments}}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}
    scripts = (answer(200, completion(choices=[choice])), answer(200, completion("done")))
    async with Loopback(*scripts) as server, client_of(server, max_retries=0) as client:
        run = unwrap(await client.run_tools(asking(), [unwrap(Tool.from_function(count))]))
    assert run.text == "done"
    assert all(type(n) is int for n in taken)
