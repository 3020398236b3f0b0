"""What the groups have in common: the options of their methods, and the way to the client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, TypeVar

from returns.result import Result

from openrouter_client.calling import Caller
from openrouter_client.world import RealWorld
from openrouter_core.endpoint import Endpoint
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import One, Page

P = TypeVar("P")
T = TypeVar("T")


class PageOptions(TypedDict, total=False):
    """Options of lists: `deadline_secs` for each page, in seconds, and `priority`, lower first."""

    deadline_secs: float | None
    priority: int


class StreamOptions(PageOptions, total=False):
    """Options of streams: also `max_cost_usd`, what all attempts may cost, in USD."""

    max_cost_usd: float | None


class Options(StreamOptions, total=False):
    """Options of calls: also `repeat`, which permits to send twice what makes something."""

    repeat: bool


class ByteOptions(StreamOptions, total=False):
    """Options of what is received piece by piece: also `max_bytes`, the limit of its size."""

    max_bytes: int


class DownloadOptions(ByteOptions, total=False):
    """Options of downloads: also `repeat`, as of calls."""

    repeat: bool


class Group:
    """Some of the client's endpoints. The methods are `call`, `pages`, `stream`... with the endpoint set."""

    def __init__(self, caller: Caller, world: RealWorld) -> None:
        """Not for users: the client has one of each."""
        self._caller = caller
        self._world = world

    async def _one(self, endpoint: Endpoint[P, One[T]], params: P | None, how: Options) -> Result[T, DataSourceError]:
        """Call an endpoint whose answer is one thing, and give that."""
        answer = await self._caller.call(endpoint, params, **how)
        return answer.map(lambda one: one.data)

    async def _items(
        self, endpoint: Endpoint[P, Page[T]], params: P | None, how: Options
    ) -> Result[Sequence[T], DataSourceError]:
        """Call an endpoint whose answer is a whole list, and give its items."""
        answer = await self._caller.call(endpoint, params, **how)
        return answer.map(lambda page: page.data)
