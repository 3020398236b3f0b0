"""One streamed attempt over aiohttp.

What the bytes mean, which clock runs out next and how the stream ended is `openrouter_core.stream`'s to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from openrouter_client.direct import Answer, next_piece
from openrouter_client.reading import Reading, read_whole
from openrouter_client.transport import BROKEN, Transport, ran_out
from openrouter_core.endpoint import HttpRequest
from openrouter_core.outcome import Finished, Outcome, Unreachable
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.response import ChatCompletionResponse

DRAIN_SECS = 0.1
"""How long to wait for the end of a body whose stream has ended, so that its connection can be used again."""


class StreamExchange:
    """One streamed attempt. Made for each attempt, used once."""

    def __init__(self, transport: Transport, request: HttpRequest, clocks: Clocks, *, handing_out: bool) -> None:
        self.transport = transport
        self.request = request
        self.clocks = clocks
        self.reading: Reading = Reading(transport.config.max_response_bytes)
        self.reader: Reader = Reader(
            clocks, transport.config.max_response_bytes, handing_out=handing_out, clean=transport.struck_bytes
        )
        self.settled: Outcome | None = None

    def snapshot(self) -> ChatCompletionResponse:
        """Give what has come of the answer so far."""
        return self.reader.fold.result()

    def outcome(self) -> Outcome:
        """Tell how the attempt ended, or that it was left before its end."""
        if self.settled is not None:
            return self.settled
        return self.reader.outcome(self.reading.status, self.transport.plain(self.reading.headers), time.time())

    async def collect(self) -> Outcome:
        """Take the whole stream, and tell the outcome."""
        async with aclosing(self.batches()) as batches:
            async for _ in batches:
                pass
        return self.outcome()

    async def batches(self) -> AsyncGenerator[Sequence[ChatCompletionChunk], None]:
        """Give the chunks as they come, those together that came together.

        Whatever ends the generator also lets go of the connection.
        """
        response = await self.opened()
        if response is None:
            return
        try:
            if not is_event_stream(response):
                await self.whole(response)
                return
            while self.reader.end is None:
                chunks = await self.next_chunks(response)
                if chunks:
                    yield chunks
                    self.reader.resume(asyncio.get_running_loop().time())
            await self.drained(response)
        finally:
            response.close()

    async def opened(self) -> Answer | None:
        """Send the request and wait for the answer's headers; None when that failed."""
        flaw = self.transport.flaw()
        if flaw:
            self.settled = Unreachable("closed", flaw)
            return None
        self.reader.begin(asyncio.get_running_loop().time())
        clock, limit = self.clocks.silence
        try:
            with self.transport.limited(self.reader.began + limit):
                response = await self.transport.begin(self.request)
        except BROKEN as error:
            self.settled = self.transport.broken(error, self.reading, clock, limit)
            return None
        self.reading.status, self.reading.headers = response.status, response.headers
        return response

    async def whole(self, response: Answer) -> None:
        """Read an answer that is no stream: an error, or a whole answer all the same."""
        clock, limit = self.clocks.silence
        try:
            with self.transport.limited(self.reader.began + limit):
                await read_whole(response, self.reading)
        except BROKEN as error:
            self.settled = self.transport.broken(error, self.reading, clock, limit)
        else:
            self.settled = self.transport.responded(self.reading)

    async def next_chunks(self, response: Answer) -> Sequence[ChatCompletionChunk]:
        """Read on until a clock runs out; give the chunks that came."""
        loop = asyncio.get_running_loop()
        clock, due = self.reader.due()
        try:
            with self.transport.limited(due):
                data = await next_piece(response.content)
        except BROKEN as error:
            chunks = self.reader.feed(unread(response), loop.time())
            if ran_out(error) and not self.transport.closed:
                self.reader.stall(clock)
            else:
                self.reader.lose(self.transport.struck(f"{type(error).__name__}: {error}"))
            return chunks
        return self.reader.feed(data, loop.time()) if data else self.reader.finish()

    async def drained(self, response: Answer) -> None:
        """Wait a moment for the end of the body after a good stream: then the connection can be used again."""
        if isinstance(self.reader.end, Finished) and not response.content.at_eof():
            try:
                async with asyncio.timeout(DRAIN_SECS):
                    while await response.content.readany():
                        pass
            except BROKEN:
                return


def unread(response: Answer) -> bytes:
    """Give what came before a connection broke, while the consumer was busy: aiohttp keeps it, and has no way to it."""
    pieces: Iterable[bytes] = getattr(response.content, "_buffer", ())
    return b"".join(pieces)


def is_event_stream(response: Answer) -> bool:
    """Tell a stream of events, also one that is not labelled as such, from an error and from an answer in one piece."""
    return response.status == 200 and response.content_type not in {"application/json", "text/html"}
