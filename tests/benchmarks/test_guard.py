"""What a call may cost, as counts that do not depend on the machine: a change that makes calls dearer fails here.

Timings belong to `make bench`. What is counted here is the calls of functions, Python's and C's, that this process
makes while it sends a request and reads its answer: one way to notice a second decoding, a copy of the headers for each
call, a task or a timer too many, a state machine that is asked twice. The bounds leave a tenth to a fifth of room, for
other versions of Python and aiohttp; who needs more of it should know why.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import pytest
from tests.benchmarks.canned import CHUNK, STREAM_END, STREAM_HEAD, WHOLE
from tests.benchmarks.clients import Asking, ours, raw
from tests.benchmarks.worker import repeated

from openrouter_client import line

TIMES = 50
CHUNKS = 200


class Canned(asyncio.Protocol):
    """Answers each request, which comes in one or two pieces, with the same bytes."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport  # uvloop's are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        if self.got.endswith(b"}"):
            self.got = b""
            self.transport.write(self.said)


@asynccontextmanager
async def canned(said: bytes) -> AsyncGenerator[str, None]:
    """Serve the same bytes to all requests; give the base address."""
    server = await asyncio.get_running_loop().create_server(lambda: Canned(said), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"


class Calls:
    """How many functions were called, but for those of the loop's other half, the server."""

    def __init__(self) -> None:
        self.count = 0

    def see(self, frame: FrameType, event: str, _: object) -> None:
        """Count a call."""
        if event in ("call", "c_call") and frame.f_code.co_filename != __file__:
            self.count += 1


@contextmanager
def counted() -> Generator[Calls, None, None]:
    """Count the calls of functions inside of a block."""
    calls, before = Calls(), sys.getprofile()
    sys.setprofile(calls.see)
    try:
        yield calls
    finally:
        sys.setprofile(before)


async def calls_of(work: Callable[[], Awaitable[object]], times: int = TIMES) -> float:
    """How many functions one piece of work calls, once warm."""
    for _ in range(3):
        await work()
    with counted() as calls:
        for _ in range(times):
            await work()
    return calls.count / times


async def test_a_call_costs_about_as_many_functions_as_aiohttp_alone() -> None:
    """Both include the loop and the server's share of it.

    Measured with aiohttp 3.14: 362 and 393 on Python 3.11.
    """
    async with canned(WHOLE) as base, ours(base, 1) as one, raw(base, 1) as other:
        own, bare = await calls_of(one.call), await calls_of(other.call)
    assert own <= 1.05 * bare
    assert own <= 385


async def test_a_chunk_costs_few_functions() -> None:
    """For each chunk of a stream that comes at once: aiohttp's part, decoding, folding, handing out. Measured: 33."""
    async with canned(STREAM_HEAD + CHUNK * CHUNKS + STREAM_END) as base, ours(base, 1) as asking:
        assert await calls_of(asking.stream, 5) / CHUNKS <= 39


async def kept_by(asking: Asking, times: int) -> int:
    """How many bytes so many calls leave behind."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(times):
        await asking.call()
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


async def test_calls_leave_nothing_behind() -> None:
    """Exists for a list of what was sent, or of limits and tasks, that only grows."""
    async with canned(WHOLE) as base, ours(base, 1) as asking:
        tracemalloc.start()
        try:
            await kept_by(asking, 50)
            assert await kept_by(asking, 200) < 20_000  # less than 100 bytes for each: caches of the parts below
        finally:
            tracemalloc.stop()


async def cycles_of(work: Callable[[], Awaitable[object]], at_once: int, times: int) -> Counter[str]:
    """Which of this library's objects only the garbage collector could free again, once the work is done."""
    await repeated(work, at_once, at_once)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await repeated(work, at_once, times)
        gc.collect()
        names = Counter(type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith("openrouter_"))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    return names


async def test_nothing_is_left_to_the_garbage_collector() -> None:
    """Its rounds cost a sixth of a call at 500 at a time while each call that had waited was in a circle.

    The calls are more at once than a client sends at its beginning, so that many wait in line.
    """
    async with canned(WHOLE) as base, ours(base, 100) as asking:
        assert not await cycles_of(asking.call, 100, 300)
    async with canned(STREAM_HEAD + CHUNK + STREAM_END) as base, ours(base, 100) as asking:
        assert not await cycles_of(asking.stream, 100, 300)


async def test_a_planted_circle_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a waiter that is told its turn with itself in it."""
    monkeypatch.setattr(line, "hand", lambda waiter, turn: waiter.set_result(turn))
    async with canned(WHOLE) as base, ours(base, 100) as asking:
        assert (await cycles_of(asking.call, 100, 100))["Admitted"]
