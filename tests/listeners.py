"""How the tests' own servers stop listening, so that no connection is lost between the loop and its server."""

from __future__ import annotations

import asyncio
import inspect


async def stop_listening(*servers: asyncio.Server) -> None:
    """Close servers, once each connection that was accepted has come to its own.

    asyncio accepts a connection in one turn of its loop and gives it to its server in the next. If the server is closed
    in between, nobody serves the connection and nobody closes it (CPython's issue 109564).
    """
    while any(is_on_its_way(task) for task in asyncio.all_tasks()):  # noqa: ASYNC110 - the loop tells nobody
        await asyncio.sleep(0)
    for server in servers:
        server.close()


def is_on_its_way(task: asyncio.Task[object]) -> bool:
    """Tell the task that gives an accepted connection to its server, as long as it has not begun."""
    steps = task.get_coro()
    return (
        inspect.iscoroutine(steps)
        and "accept_connection" in steps.__qualname__
        and inspect.getcoroutinestate(steps) == inspect.CORO_CREATED
    )
