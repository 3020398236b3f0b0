"""The tests' own servers lose no connection."""

from __future__ import annotations

import asyncio
import socket

from tests.listeners import is_on_its_way, stop_listening


async def test_a_connection_that_was_accepted_comes_to_its_server() -> None:
    """Kills: a server that closes between a connection's coming and its serving; nobody would close it then."""
    came = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        while not came.is_set() and not any(map(is_on_its_way, asyncio.all_tasks())):  # noqa: ASYNC110 - the loop tells nobody
            await asyncio.sleep(0)
        await stop_listening(server)
        async with asyncio.timeout(5.0):
            await came.wait()
