"""One streamed attempt over aiohttp.

What the bytes mean, which clock runs out next and how the stream ended is `openrouter_core.stream`'s to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from openrouter_client.direct import Answer, next_piece
from openrouter_client.reading import Reading, read_whole
from openrouter_client.transport import BROKEN, Transport, ran_out
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.outcome import Finished, Outcome, Responded, Unreachable
from openrouter_core.reader import BaseReader, Heard, error_in
from openrouter_core.received import ByteReader
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader

Event = TypeVar("Event")

DRAIN_SECS = 0.1
"""How long to wait for the end of a body whose stream has ended, so that its connection can be used again."""


def event_reader(
    endpoint: Endpoint[Any, Any], clocks: Clocks, transport: Transport, *, handing_out: bool, heard: Heard | None = None
) -> BaseReader[Any]:
    """Make the reader of an endpoint's streams: events of a chat completion, or the endpoint's own events."""
    limit, clean = transport.config.max_response_bytes, transport.struck_bytes
    reader: BaseReader[Any]
    if endpoint.events is None:
        reader = Reader(clocks, limit, handing_out=handing_out, clean=clean)
        reader.heard = heard
        return reader
    from openrouter_core.events import EventReader  # noqa: PLC0415 - with the shapes of all that can stream
    from openrouter_core.streams import FOLDS  # noqa: PLC0415 - the same

    reader = EventReader(FOLDS[endpoint.events](), clocks, limit, handing_out=handing_out, clean=clean)
    reader.heard = heard
    return reader


class StreamExchange(Generic[Event]):
    """One streamed attempt, its bytes read by `reader`. Made for each attempt, used once."""

    def __init__(self, transport: Transport, request: HttpRequest, clocks: Clocks, reader: BaseReader[Event]) -> None:
        self.transport = transport
        self.request = request
        self.clocks = clocks
        self.reading: Reading = Reading(transport.config.max_response_bytes)
        self.reader: BaseReader[Event] = reader
        self.settled: Outcome | None = None

    def snapshot(self) -> Any:
        """Give what has come of the answer so far."""
        return self.reader.snapshot()

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

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        """Give the events as they come, those together that came together.

        Whatever ends the generator also lets go of the connection.
        """
        response = await self.opened()
        if response is None:
            return
        try:
            if not self.streams(response):
                for events in await self.whole(response):
                    yield events
                return
            while self.reader.end is None:
                events = await self.next_events(response)
                if events:
                    yield events
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

    def streams(self, response: Answer) -> bool:
        """Tell an answer that is to be read as a stream."""
        return is_event_stream(response)

    async def whole(self, response: Answer) -> Sequence[Sequence[Event]]:
        """Read an answer that is no stream: an error, or a whole answer all the same. There are no events in it."""
        clock, limit = self.clocks.silence
        try:
            with self.transport.limited(self.reader.began + limit):
                await read_whole(response, self.reading)
        except BROKEN as error:
            self.settled = self.transport.broken(error, self.reading, clock, limit)
        else:
            self.settled = self.transport.responded(self.reading)
        return ()

    async def next_events(self, response: Answer) -> Sequence[Event]:
        """Read on until a clock runs out; give the events that came."""
        loop = asyncio.get_running_loop()
        clock, due = self.reader.due()
        try:
            with self.transport.limited(due):
                data = await next_piece(response.content)
        except BROKEN as error:
            events = self.reader.feed(unread(response), loop.time())
            if ran_out(error) and not self.transport.closed:
                self.reader.stall(clock)
            else:
                self.reader.lose(self.transport.struck(f"{type(error).__name__}: {error}"))
            return events
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


class ByteExchange(StreamExchange[bytes]):
    """One attempt at a file or a sound, of at most `limit` bytes; nothing is struck out of it."""

    def __init__(
        self, transport: Transport, request: HttpRequest, clocks: Clocks, limit: int, *, handing_out: bool
    ) -> None:
        super().__init__(transport, request, clocks, ByteReader(clocks, limit, handing_out=handing_out))

    def streams(self, response: Answer) -> bool:
        """Tell the bytes themselves from an error. JSON may be either."""
        return 200 <= response.status < 300 and response.content_type != "application/json"

    async def whole(self, response: Answer) -> Sequence[Sequence[bytes]]:
        """Read an error, or a file of JSON, which is handed out in one piece."""
        await super().whole(response)
        good = isinstance(self.settled, Responded) and 200 <= self.settled.status < 300 and not self.settled.overflow
        if not good or error_in(self.reading.body()) is not None:
            return ()
        self.settled: Outcome | None = None
        pieces = self.reader.feed(self.reading.body(), asyncio.get_running_loop().time())
        self.reader.finish()
        return (pieces,)


def unread(response: Answer) -> bytes:
    """Give what came before a connection broke, while the consumer was busy: aiohttp keeps it, and has no way to it."""
    pieces: Iterable[bytes] = getattr(response.content, "_buffer", ())
    return b"".join(pieces)


def is_event_stream(response: Answer) -> bool:
    """Tell a stream of events, also one that is not labelled as such, from an error and from an answer in one piece."""
    return response.status == 200 and response.content_type not in {"application/json", "text/html"}
