"""What users hold while a stream comes: the chunks, the answer so far, and in the end the result."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from returns.result import Failure, Result

from openrouter_client.timing import Limit
from openrouter_client.world import Exchange
from openrouter_core.errors import DataSourceError, TruncatedStream
from openrouter_core.states import Done, Queue, Sleep
from openrouter_core.stream import chunk_of
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")

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


class ChatStream:
    """A streamed chat completion: an async context manager, to be iterated over inside its block, once.

        async with client.stream_chat_completion(request) as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        answer = stream.result

    Nothing is sent before the first chunk is asked for. Leaving the block drops the connection if the stream has not
    ended, so that OpenRouter stops generating and billing where the provider supports it. A stream that is used without
    a block, and dropped before its end, holds its connection and its place in line until it is garbage-collected.
    """

    def __init__(
        self, batches: AsyncGenerator[Sequence[ChatCompletionChunk], None], handle: Handle[ChatCompletionResponse]
    ) -> None:
        """Not for users: `OpenRouterClient.stream_chat_completion` makes streams."""
        self._batches = batches
        self._ready: Iterator[ChatCompletionChunk] = iter(())
        self._handle = handle
        self._given = False
        self._left = False
        self._waiting: Limit | None = None

    @property
    def snapshot(self) -> ChatCompletionResponse:
        """The answer so far: all chunks put together, also those whose content was held back."""
        whole, exchange = self._whole(), self._handle.exchange
        if whole is not None:
            return whole
        return ChatCompletionResponse() if exchange is None else exchange.snapshot()

    @property
    def result(self) -> Answer:
        """What the call without streaming would have returned; failures carry the partial answer in `partial`.

        Before the stream has ended, and where it was left early, this is a `TruncatedStream`.
        """
        if self._handle.result is not None:
            return self._handle.result
        told = "the stream was left before its first content" if self._left else "the stream has not ended yet"
        return Failure(TruncatedStream(message=told, partial=self.snapshot))

    def _whole(self) -> ChatCompletionResponse | None:
        """Give the answer, once there is one."""
        return None if self._handle.result is None else self._handle.result.value_or(None)

    async def texts(self) -> AsyncIterator[str]:
        """Give the pieces of the first choice's text, without those that are empty."""
        async for chunk in self:
            if chunk.text:
                yield chunk.text

    async def collect(self) -> Answer:
        """Take the rest of the stream, and give its result."""
        async for _ in self:
            pass
        return self.result

    async def close(self) -> None:
        """Drop the connection, if the stream has not ended. May be called twice, and by another task than iterates."""
        self._left = True
        self._ready = iter(())
        if self._waiting is None:
            await self._batches.aclose()
        else:
            self._waiting.bring_forward()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        for chunk in self._ready:
            return chunk
        return await self._next()

    async def _next(self) -> ChatCompletionChunk:
        """Wait for more chunks, and give the first of them."""
        try:
            with Limit(math.inf, set()) as self._waiting:  # a limit that only `close` brings about
                batch = await anext(self._batches, None) or ()
        except TimeoutError:
            raise StopAsyncIteration from None
        finally:
            self._waiting = None
        self._ready = iter(batch)
        chunk = next(self._ready, None)
        if chunk is None:
            whole = None if self._given else self._whole()
            if whole is None:
                raise StopAsyncIteration
            chunk = chunk_of(whole)  # it came in one piece, or has no content
        self._given = True
        return chunk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def watched(stream: ChatStream, see: Callable[[ChatCompletionChunk], object]) -> Answer:
    """Show all chunks to somebody, a function or a coroutine function, and give the result."""
    async with stream:
        async for chunk in stream:
            seen = see(chunk)
            if inspect.isawaitable(seen):
                await seen
    return stream.result
