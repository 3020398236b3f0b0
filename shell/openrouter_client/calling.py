"""Any endpoint of the API through the same core: build, verdict, retry, limits."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from returns.result import Failure, Result

from openrouter_client.calls import CallOptions, Calls
from openrouter_client.interpreter import run, run_stream
from openrouter_client.jobs import endpoint_job, job_of, nothing, repeating, settings_of
from openrouter_client.world import RealWorld
from openrouter_core.endpoint import Endpoint, Key, Raw
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.request import ChatCompletionRequest

if TYPE_CHECKING:  # what only streams, pages, raw requests and downloads need is imported by them
    from openrouter_client.paging import Pages
    from openrouter_client.streaming import ByteStream, EventStream, Handle
    from openrouter_core.raw import QueryValue
    from openrouter_core.received import Received
    from openrouter_core.wire.answers import Page

P = TypeVar("P")
A = TypeVar("A")
T = TypeVar("T")

LARGEST_DOWNLOAD: Final = 4 * 2**30
"""The limit of what is downloaded, in bytes, unless the call has its own."""


class Caller:
    """Calls endpoints by value.

    Every call is a `Result`, built, judged, retried and limited as chat completions are. `deadline_secs` bounds all
    attempts and waits together, in seconds; `priority` orders calls that wait in line, lower first; `max_cost_usd`
    bounds what all attempts may cost, in USD. What makes something (`endpoint.repeatable` is False) is sent a second
    time only if it was certainly not done, unless `repeat` says that twice is as good as once.
    """

    def __init__(self, calls: Calls) -> None:
        """Not for users: `OpenRouterClient.new` checks what this takes for granted."""
        self._calls = calls

    async def call(
        self,
        endpoint: Endpoint[P, A],
        params: P | None = None,
        *,
        deadline_secs: float | None = None,
        priority: int = 0,
        max_cost_usd: float | None = None,
        repeat: bool = False,
    ) -> Result[A, DataSourceError]:
        """Call any endpoint of `openrouter_core.endpoints` with its parameters, and give its answer.

        An endpoint that needs no parameters can do without.
        """
        calls, options = (
            self._calls,
            CallOptions(deadline_secs=deadline_secs, priority=priority, max_cost_usd=max_cost_usd),
        )
        if endpoint.params is ChatCompletionRequest:
            return cast("Result[A, DataSourceError]", await calls.complete(cast("Any", params), options))
        await priced(calls, endpoint, options)
        made = endpoint_job(calls, repeating(endpoint, repeat=repeat), params, options)
        if isinstance(made, Failure):
            return made
        job = made.unwrap()
        return await run(calls.world, *calls.watched(job))

    async def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        query: Mapping[str, QueryValue] | None = None,
        headers: Mapping[str, str] | None = None,
        key: Key = "inference",
        deadline_secs: float | None = None,
        priority: int = 0,
        repeat: bool = False,
    ) -> Result[Raw, DataSourceError]:
        """Send any request to a `path` below `base_url`, and give the answer's status, headers and body as they came.

        The policy is the same: an error status, or an error inside a 200, is retried or a failure. POST and PATCH may
        make something, and are sent twice only with `repeat`. `key` says which of the client's keys is sent.
        """
        from openrouter_core.raw import build_raw, raw_endpoint  # noqa: PLC0415 - only this needs it

        calls, endpoint = self._calls, raw_endpoint(method, path, key, repeat=repeat)
        options = CallOptions(deadline_secs=deadline_secs, priority=priority)
        built = build_raw(endpoint, settings_of(calls), json=json, query=query, headers=headers)
        if isinstance(built, Failure):
            return built
        made = job_of(calls, endpoint, built.unwrap(), options)
        if isinstance(made, Failure):
            return made
        job = made.unwrap()
        return await run(calls.world, *calls.watched(job))

    def pages(
        self,
        endpoint: Endpoint[P, Page[T]],
        params: P | None = None,
        *,
        deadline_secs: float | None = None,
        priority: int = 0,
    ) -> Pages[T]:
        """Give all items of a list, asking for each page when it is needed; `deadline_secs` is for each page."""
        from openrouter_client.paging import Pages  # noqa: PLC0415 - the same

        async def ask(page: P) -> Result[Page[T], DataSourceError]:
            return await self.call(endpoint, page, deadline_secs=deadline_secs, priority=priority)

        return Pages(ask, endpoint, nothing(endpoint) if params is None else params)

    def stream(
        self,
        endpoint: Endpoint[P, A],
        params: P,
        *,
        deadline_secs: float | None = None,
        priority: int = 0,
        max_cost_usd: float | None = None,
    ) -> EventStream[Any, A]:
        """Call an endpoint whose answer can come as a stream of events (`endpoint.events`).

        Failures before the first content are retried, later ones never. `deadline_secs` is for the first event.
        """
        from openrouter_client.streaming import EventStream, Handle  # noqa: PLC0415 - the same

        calls, handle = self._calls, Handle[A]()
        options = CallOptions(deadline_secs=deadline_secs, priority=priority, max_cost_usd=max_cost_usd)
        if endpoint.params is ChatCompletionRequest:
            return cast("EventStream[Any, A]", calls.stream(cast("Any", params), options, "handed_out"))
        return EventStream(handed_out(calls, endpoint, params, options, handle=handle, world=calls.world), handle)

    def stream_bytes(
        self,
        endpoint: Endpoint[P, bytes],
        params: P,
        *,
        max_bytes: int = LARGEST_DOWNLOAD,
        deadline_secs: float | None = None,
        priority: int = 0,
        max_cost_usd: float | None = None,
    ) -> ByteStream:
        """Call an endpoint whose answer is a file or a sound, and give it piece by piece, as it comes.

        More than `max_bytes` is a failure. The limit of time is `idle_timeout_secs` without any byte; `deadline_secs`
        is for the first.
        """
        from openrouter_client.saving import ReceivingWorld  # noqa: PLC0415 - only what comes piece by piece needs it
        from openrouter_client.streaming import ByteStream, Handle  # noqa: PLC0415 - the same

        handle: Handle[Received] = Handle()
        calls = self._calls
        options = CallOptions(deadline_secs=deadline_secs, priority=priority, max_cost_usd=max_cost_usd)
        world = ReceivingWorld(calls, max_bytes)
        receiving = cast("Endpoint[P, Received]", endpoint)
        return ByteStream(handed_out(calls, receiving, params, options, handle=handle, world=world), handle)

    async def download(
        self,
        endpoint: Endpoint[P, bytes],
        params: P,
        to: str | os.PathLike[str],
        *,
        max_bytes: int = LARGEST_DOWNLOAD,
        deadline_secs: float | None = None,
        priority: int = 0,
        max_cost_usd: float | None = None,
        repeat: bool = False,
    ) -> Result[Received, DataSourceError]:
        """Call an endpoint whose answer is a file or a sound, and write it to the file `to`.

        The file is there when it is whole, and never in part: it is written under another name beside it, begun anew
        for each attempt, and replaces an older one at the end. The limit of time is `idle_timeout_secs` without any
        byte, and `deadline_secs` for all of it.
        """
        from openrouter_client.saving import save  # noqa: PLC0415 - the same

        calls = self._calls
        options = CallOptions(deadline_secs=deadline_secs, priority=priority, max_cost_usd=max_cost_usd)
        await priced(calls, endpoint, options)
        made = endpoint_job(calls, repeating(endpoint, repeat=repeat), params, options, "collected")
        return made if isinstance(made, Failure) else await save(calls, made.unwrap(), Path(to), max_bytes)


async def priced(calls: Calls, endpoint: Endpoint[Any, Any], options: CallOptions) -> None:
    """Know the prices, where the endpoint costs something and a budget counts it."""
    if endpoint.billed and calls.budgeted(options):
        await calls.priced()


async def handed_out(
    calls: Calls,
    endpoint: Endpoint[P, A],
    params: P,
    options: CallOptions,
    *,
    handle: Handle[A],
    world: RealWorld,
) -> AsyncGenerator[Sequence[Any], None]:
    """Run a streamed call; what stands in its way becomes its result."""
    await priced(calls, endpoint, options)
    made = endpoint_job(calls, endpoint, params, options, "handed_out")
    if isinstance(made, Failure):
        handle.result = made
        return
    job = made.unwrap()
    async with aclosing(run_stream(world, *calls.watched(job), handle)) as batches:
        async for events in batches:
            yield events
