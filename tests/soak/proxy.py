"""A proxy that injects faults between the client and the server: what a network does, byte for byte.

It has two doors to the same server, a plain one and one with TLS, which ends here. An exchange begins with the first
bytes of the client after an answer; the dice then say what happens to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import struct
from collections import Counter
from types import TracebackType
from typing import Literal, Self

from msgspec import Struct
from tests.listeners import stop_listening

PIECE = 2**16
HOST = "127.0.0.1"
HANDSHAKE_SECS = 5.0
"""How long a client may take for its part of a TLS handshake."""

Fate = Literal["pass", "reset before headers", "reset in the body", "hang"]


class Weather(Struct, frozen=True, kw_only=True):
    """What happens to bytes. Chances are from 0 to 1.

    latency: an answer comes later by so many seconds, from and to. slice: answers come in pieces of so many bytes.
    reset_head, reset_body: a RST instead of the answer, or in the middle of it. hang: nothing is ever said.
    refuse: the connection is reset as soon as it is made.
    """

    latency: tuple[float, float] = (0.0, 0.0)
    slice: int = 0
    reset_head: float = 0.0
    reset_body: float = 0.0
    hang: float = 0.0
    refuse: float = 0.0


FAIR = Weather()


class Link:
    """A connection through the proxy: whether the next bytes of the client begin an exchange, and its fate."""

    def __init__(self) -> None:
        self.fresh = True
        self.late = True
        self.fate: Fate = "pass"


class Proxy:
    """`async with Proxy(seed, tls) as proxy` listens at `port` and `tls_port`, and leads to `server`, a port.

    `met` counts what was injected. The server may change, die and come back; so may the weather.
    """

    def __init__(self, seed: int, tls: ssl.SSLContext) -> None:
        self.dice = random.Random(seed)
        self.tls = tls
        self.weather = FAIR
        self.server = 0
        self.port = 0
        self.tls_port = 0
        self.met: Counter[str] = Counter()
        self.listeners: list[asyncio.Server] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.open: set[asyncio.StreamWriter] = set()

    async def listen(self, *, secure: bool = True) -> None:
        """Open both doors, where they were; without `secure` nobody speaks TLS at the door that should."""
        for port, context in ((self.port, None), (self.tls_port, self.tls if secure else None)):
            patience = None if context is None else HANDSHAKE_SECS
            listener = await asyncio.start_server(
                self.accept, HOST, port, ssl=context, ssl_handshake_timeout=patience, backlog=512
            )
            self.listeners.append(listener)
        self.port, self.tls_port = (one.sockets[0].getsockname()[1] for one in self.listeners)

    async def shut(self) -> None:
        """Close both doors: who connects is refused. Connections that are there stay."""
        listeners, self.listeners = self.listeners, []
        await stop_listening(*listeners)

    def drop(self) -> None:
        """Break all connections."""
        for writer in list(self.open):
            reset(writer)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()
        # Connections whose handshake is under way are in no list of ours yet: they are, or have failed, after it.
        accepting = [task for task in asyncio.all_tasks() if "accept_connection" in repr(task.get_coro())]
        await asyncio.gather(*accepting, return_exceptions=True)
        await asyncio.sleep(0.05)
        self.drop()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # until the transports have closed

    def fate(self) -> Fate:
        """Roll for an exchange."""
        roll, weather = self.dice.random(), self.weather
        chances: tuple[tuple[Fate, float], ...] = (
            ("reset before headers", weather.reset_head),
            ("reset in the body", weather.reset_body),
            ("hang", weather.hang),
        )
        for fate, chance in chances:
            if roll < chance:
                self.met[fate] += 1
                return fate
            roll -= chance
        return "pass"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, until one side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.open.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            reset(writer)
        finally:
            self.open.discard(writer)
            self.tasks.discard(task)
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead a connection to the server."""
        if self.dice.random() < self.weather.refuse:
            self.met["refused"] += 1
            reset(writer)
            return
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self.server)
        except OSError:
            self.met["no server"] += 1
            raise
        link = Link()
        pumps = [
            asyncio.ensure_future(self.forth(reader, to_server, writer, link)),
            asyncio.ensure_future(self.back(from_server, writer, link)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_server.transport.abort()

    async def forth(
        self,
        reader: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
        link: Link,
    ) -> None:
        """Carry what the client says."""
        while data := await reader.read(PIECE):
            if link.fresh:
                link.fresh, link.late, link.fate = False, True, self.fate()
            if link.fate == "reset before headers":
                reset(writer)
                return
            if link.fate != "hang":
                to_server.write(data)
                await to_server.drain()

    async def back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link) -> None:
        """Carry what the server says."""
        while data := await reader.read(PIECE):
            link.fresh = True
            weather = self.weather
            if link.late and weather.latency[1]:
                self.met["late"] += 1
                await asyncio.sleep(self.dice.uniform(*weather.latency))
            link.late = False
            if link.fate == "reset in the body":
                writer.write(data[: len(data) * 2 // 3])
                await asyncio.sleep(0.01)  # so that it arrives before the reset does
                reset(writer)
                return
            self.met["sliced"] += bool(weather.slice)
            size = weather.slice or len(data)
            for begin in range(0, len(data), size):
                writer.write(data[begin : begin + size])
                await writer.drain()
                await asyncio.sleep(0)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a RST."""
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):  # closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
