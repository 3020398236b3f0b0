"""Connections between two requests. They stay taken from aiohttp's own pool, which is as right and dearer by a tenth.

A connection is used again only when nothing has come on it since: a server may say something to a connection that is
idle (a 408, an answer twice), and aiohttp's pool would hand that out as the answer to the next request. `Connector`
keeps aiohttp's pool from it, for requests that go the public way.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final, TypeGuard

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

READ_BYTES: Final = 2**16
"""The most that is read from a connection without TLS at once. asyncio would read 256 KiB, which glibc takes from the
system and gives back for each read, however little has come: a fifth of what a call costs, and half of a lone chunk."""


class Connector(aiohttp.TCPConnector):
    """aiohttp's, but that it passes over the connections that cannot be used again, and reads in smaller pieces.

    A new one is taken as it is: a server may answer before it is asked, and would do so on the next one too.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.known: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """Take a connection from the pool, or make one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self.known:
                self.known.add(protocol)
                read_less(protocol.transport)
                return connection
            if not protocol.should_close:
                return connection
            connection.close()


class Pool:
    """Idle connections by where they go; the one that was used last is used first. All on one event loop.

    None is kept for more than `keep` seconds; those that nobody asks for are closed within twice that time.
    """

    def __init__(self, keep: float) -> None:
        self.keep: float = keep
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.idle: dict[Any, list[tuple[float, Connection]]] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.closed: bool = False

    def take(self, where: Any) -> Connection | None:
        """Give a connection that can be used again, if there is one."""
        idle = self.idle.get(where)
        while idle:
            since, connection = idle.pop()
            protocol = connection.protocol
            if is_open(protocol) and not protocol.should_close and self.loop.time() - since < self.keep:
                return connection
            connection.close()
        return None

    def give(self, where: Any, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end, if it can be used again."""
        protocol: Any = connection.protocol
        transport: Any = getattr(protocol, "transport", None)
        if self.closed or transport is None or protocol.should_close or transport.get_write_buffer_size():
            connection.close()
            return
        self.idle.setdefault(where, []).append((self.loop.time(), connection))
        if self.timer is None:
            self.timer = self.loop.call_later(self.keep, self.tidy)

    def tidy(self) -> None:
        """Close what nobody has used for long, and look again later if anything is left."""
        self.timer, now = None, self.loop.time()
        for where, idle in [*self.idle.items()]:
            del self.idle[where]
            for since, connection in idle:
                if is_open(connection.protocol) and now - since < self.keep:
                    self.idle.setdefault(where, []).append((since, connection))
                else:
                    connection.close()
        if self.idle:
            self.timer = self.loop.call_later(self.keep, self.tidy)

    def close(self) -> None:
        """Keep nothing from now on."""
        self.closed = True
        if self.timer is not None:
            self.timer.cancel()
        for idle in self.idle.values():
            for _, connection in idle:
                connection.close()
        self.idle.clear()


def read_less(transport: Any) -> None:
    """Have a connection of asyncio's read at most `READ_BYTES` at once; TLS, and uvloop, have memory that they keep."""
    if hasattr(transport, "max_size"):
        transport.max_size = READ_BYTES


def is_open(protocol: ResponseHandler | None) -> TypeGuard[ResponseHandler]:
    """Tell whether there is a connection, and nobody is closing it."""
    return protocol is not None and protocol.transport is not None and not protocol.transport.is_closing()
