"""Lists that come in pages, as one list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Generic, Self, TypeVar

from returns.result import Failure, Result, Success

from openrouter_core.endpoint import Endpoint
from openrouter_core.errors import DataSourceError
from openrouter_core.pages import next_page
from openrouter_core.wire.answers import Page

T = TypeVar("T")


class Pages(Generic[T]):
    """All items of a list that comes in pages, each page asked for when it is needed; to be iterated over once.

        keys = client.keys.list()
        async for key in keys:
            print(key.name)
        count = unwrap(keys.result)

    As with streams, a failure ends the iteration and is then in `result`: look at it before you take the list for
    whole, or use `collect`, which gives all items or the failure.
    """

    def __init__(
        self,
        ask: Callable[[Any], Awaitable[Result[Page[T], DataSourceError]]],
        endpoint: Endpoint[Any, Page[T]],
        params: Any,
    ) -> None:
        """Not for users: the client makes them."""
        self._ask = ask
        self._endpoint = endpoint
        self._next: Any = params
        self._more = True
        self._ready: Iterator[T] = iter(())
        self._count = 0
        self._failed: DataSourceError | None = None

    @property
    def result(self) -> Result[int, DataSourceError]:
        """How many items have come so far, or why there are no more."""
        return Success(self._count) if self._failed is None else Failure(self._failed)

    async def collect(self) -> Result[list[T], DataSourceError]:
        """Take the rest of the list: all of it, or the failure that ended it."""
        items = [item async for item in self]
        return self.result.map(lambda _: items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            for item in self._ready:
                self._count += 1
                return item
            if not self._more:
                raise StopAsyncIteration
            answer = await self._ask(self._next)
            if isinstance(answer, Failure):
                self._failed, self._more = answer.failure(), False
                continue
            page = answer.unwrap()
            self._ready = iter(page.data)
            self._next = next_page(self._endpoint, self._next, page)
            self._more = self._next is not None
