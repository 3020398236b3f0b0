"""What users hold while a stream comes: the chunks, the answer so far, and in the end the result."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from returns.result import Failure, Result

from openrouter_client.timing import Limits
from openrouter_client.world import Exchange
from openrouter_core.errors import DataSourceError, TruncatedStream
from openrouter_core.received import Received
from openrouter_core.states import Done, Queue, Sleep
from openrouter_core.stream import chunk_of
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")
E = TypeVar("E")

Answer = Result[ChatCompletionResponse, DataSourceError]


class Handle(Generic[T]):
    """Where a streamed call leaves what its user may ask for: the attempt under way, and in the end the result."""

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self.result: Result[T, DataSourceError] | None = None

    def end(self, state: Sleep[T] | Queue[T] | Done[T]) -> None:
        """Note the result."""
        error = state.past.error
        if isinstance(state, Done):
            self.result = state.result
        elif error is not None:
            self.result = Failure(error)


class EventStream(Generic[E, T]):
    """An answer that comes in pieces: an async context manager, to be iterated over inside its block, once.

        async with client.responses.stream(request) as stream:
            async for event in stream:
                print(event.type)
        answer = stream.result

    Nothing is sent before the first piece is asked for. Leaving the block drops the connection if the stream has not
    ended, so that OpenRouter stops generating and billing where the provider supports it. A stream that is used without
    a block, and dropped before its end, holds its connection and its place in line until it is garbage-collected.

    An answer that comes whole all the same has no events; `result` has it.
    """

    def __init__(self, batches: AsyncGenerator[Sequence[E], None], handle: Handle[T]) -> None:
        """Not for users: the client makes streams."""
        self._batches = batches
        self._ready: Iterator[E] = iter(())
        self._handle = handle
        self._given = False
        self._left = False
        self._limits = Limits()

    @property
    def snapshot(self) -> T | None:
        """The answer so far: all pieces put together, also those that were held back; None before there is any."""
        whole, exchange = self._whole(), self._handle.exchange
        return whole if whole is not None or exchange is None else exchange.snapshot()

    @property
    def result(self) -> Result[T, DataSourceError]:
        """What the call without streaming would have returned; after a failure `snapshot` has what had come.

        Before the stream has ended, and where it was left early, this is a `TruncatedStream`.
        """
        if self._handle.result is not None:
            return self._handle.result
        told = "the stream was left before its first content" if self._left else "the stream has not ended yet"
        return Failure(TruncatedStream(message=told, partial=self._partial()))

    def _partial(self) -> ChatCompletionResponse | None:
        """Give what a failure is to carry of the answer."""
        return None

    def _instead(self, whole: T) -> E | None:
        """Give the one piece that an answer amounts to that came whole, or has no content."""
        del whole
        return None

    def _whole(self) -> T | None:
        """Give the answer, once there is one."""
        return None if self._handle.result is None else self._handle.result.value_or(None)

    async def collect(self) -> Result[T, DataSourceError]:
        """Take the rest of the stream, and give its result."""
        async for _ in self:
            pass
        return self.result

    async def close(self) -> None:
        """Drop the connection, if the stream has not ended. May be called twice, and by another task than iterates."""
        self._left = True
        self._ready = iter(())
        if self._limits.inside:
            self._limits.bring_forward()
        else:
            await self._batches.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        for piece in self._ready:
            return piece
        return await self._next()

    async def _next(self) -> E:
        """Wait for more pieces, and give the first of them."""
        try:
            with self._limits.until(math.inf):  # a limit that only `close` brings about
                batch = await anext(self._batches, None) or ()
        except TimeoutError:
            raise StopAsyncIteration from None
        if self._left:  # in the very instant in which these came
            await self._batches.aclose()
            raise StopAsyncIteration
        self._ready = iter(batch)
        piece = next(self._ready, None)
        if piece is None:
            whole = None if self._given else self._whole()
            piece = None if whole is None else self._instead(whole)
            if piece is None:
                raise StopAsyncIteration
        self._given = True
        return piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class ChatStream(EventStream[ChatCompletionChunk, ChatCompletionResponse]):
    """A streamed chat completion: an async context manager, to be iterated over inside its block, once.

        async with client.stream_chat_completion(request) as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        answer = stream.result

    Nothing is sent before the first chunk is asked for. Leaving the block drops the connection if the stream has not
    ended, so that OpenRouter stops generating and billing where the provider supports it. A failure carries the partial
    answer in `partial`. An answer that comes whole all the same is handed out as one chunk.
    """

    @property
    def snapshot(self) -> ChatCompletionResponse:
        """The answer so far: all chunks put together, also those whose content was held back."""
        return super().snapshot or ChatCompletionResponse()

    def _partial(self) -> ChatCompletionResponse:
        return self.snapshot

    def _instead(self, whole: ChatCompletionResponse) -> ChatCompletionChunk:
        return chunk_of(whole)

    async def texts(self) -> AsyncIterator[str]:
        """Give the pieces of the first choice's text, without those that are empty."""
        async for chunk in self:
            if chunk.text:
                yield chunk.text


class ByteStream(EventStream[bytes, Received]):
    """A file or a sound as it comes: an async context manager, to be iterated over inside its block, once.

        async with client.audio.stream_speech(request) as sound:
            async for piece in sound:
                play(piece)
        received = sound.result

    `result` tells how much came, and of which media type, or why it broke off.
    """


async def watched(stream: ChatStream, see: Callable[[ChatCompletionChunk], object]) -> Answer:
    """Show all chunks to somebody, a function or a coroutine function, and give the result."""
    async with stream:
        async for chunk in stream:
            seen = see(chunk)
            if inspect.isawaitable(seen):
                await seen
    return stream.result
