"""Where a soak plays: a server that can die, the proxy before it, names that can fail, and the clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import trustme
from tests.soak.phases import Phase, Trouble
from tests.soak.proxy import FAIR, HOST, Proxy
from tests.soak.traffic import Books

from openrouter_client import OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.simulator import API_KEY, Simulator

NAME = "localhost"
ON_AND_OFF = 0.4
"""How long a trouble lasts, and how long it then stays away, in seconds."""

SETTINGS: Mapping[str, Any] = {
    "api_key": API_KEY,
    "timeout_secs": 2.0,
    "connect_timeout_secs": 1.0,
    "first_event_timeout_secs": 1.0,
    "idle_timeout_secs": 0.5,
    "retry_delay_ms": 50,
    "max_retry_delay_ms": 1000,
    "max_connections": 64,
    "max_response_bytes": 2**20,
}


class Names:
    """Looks names up as the system does, or fails to."""

    def __init__(self) -> None:
        self.fails = False
        self.failed = 0
        self.original = socket.getaddrinfo

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fails and args[0] == NAME:
            self.failed += 1
            raise socket.gaierror(socket.EAI_NONAME, "no such name, for a while")
        return self.original(*args, **kwargs)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Look names up in place of the system."""
        socket.getaddrinfo = self
        try:
            yield
        finally:
            socket.getaddrinfo = self.original


class Stage:
    """Everything that a soak plays on. `books` are those of the phase that is on."""

    def __init__(self, proxy: Proxy, names: Names, authority: trustme.CA) -> None:
        self.proxy, self.names, self.authority = proxy, names, authority
        self.books = Books()
        self.server: Simulator | None = None
        self.clients: tuple[OpenRouterClient, ...] = ()

    async def serve(self, phase: Phase | None) -> None:
        """Replace the server by one with a phase's faults."""
        await self.die()
        self.server = Simulator(faults=phase.faults if phase else "", quota=phase.quota if phase else None)
        await self.server.__aenter__()
        self.proxy.server = int(self.server.base_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])

    async def die(self) -> None:
        """Stop the server, whatever it is answering."""
        server, self.server = self.server, None
        if server is not None:
            self.met_by(server)
            await server.__aexit__(None, None, None)

    def met_by(self, server: Simulator) -> None:
        """Count the faults that a server had."""
        for kind, times in server.counts.items():
            if kind not in ("ok", "aborted"):
                self.proxy.met[kind] += times

    def forget_names(self) -> None:
        """Make the clients look names up again: break what is connected, forget what was found."""
        self.proxy.drop()
        for client in self.clients:
            session = client._calls.transport.session
            if session is not None and not session.closed:
                session.connector.clear_dns_cache()  # type: ignore[union-attr] # a TCPConnector, by our own hand

    async def trouble(self, phase: Phase) -> None:
        """Make a phase's trouble, on and off, until this is cancelled."""
        while phase.trouble:
            self.proxy.met[phase.trouble] += 1
            await self.begin(phase.trouble, phase)
            await asyncio.sleep(ON_AND_OFF)
            await self.end(phase.trouble, phase)
            await asyncio.sleep(ON_AND_OFF)

    async def begin(self, trouble: Trouble, phase: Phase) -> None:
        """Begin a trouble."""
        if trouble == "server dies":
            await self.die()
            self.proxy.drop()
        elif trouble == "doors shut":
            await self.proxy.shut()
            self.proxy.drop()
        elif trouble == "dns fails":
            self.names.fails = True
            self.forget_names()
        elif trouble == "tls breaks":
            await self.proxy.shut()
            if self.proxy.met[trouble] % 2:
                trustme.CA().issue_cert(NAME).configure_cert(self.proxy.tls)
            await self.proxy.listen(secure=bool(self.proxy.met[trouble] % 2))
            self.proxy.drop()

    async def end(self, trouble: Trouble, phase: Phase) -> None:
        """End a trouble."""
        self.names.fails = False
        if trouble == "server dies":
            await self.serve(phase)
        elif trouble == "doors shut":
            await self.proxy.listen()
        elif trouble == "tls breaks":
            await self.proxy.shut()
            self.authority.issue_cert(NAME).configure_cert(self.proxy.tls)
            await self.proxy.listen()

    async def calm(self) -> None:
        """Let everything be well: a healthy server, fair weather, open doors."""
        self.proxy.weather = FAIR
        self.names.fails = False
        await self.proxy.shut()
        self.authority.issue_cert(NAME).configure_cert(self.proxy.tls)
        await self.proxy.listen()
        await self.serve(None)


@contextlib.asynccontextmanager
async def staged(seed: int, folder: Path) -> AsyncIterator[Stage]:
    """Build it all up, and take it all down. Two clients: one speaks TLS and one does not."""
    authority, names = trustme.CA(), Names()
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(tls)
    with names.in_place():
        async with Proxy(seed, tls) as proxy:
            stage = Stage(proxy, names, authority)
            await stage.serve(None)
            addresses = (f"http://{NAME}:{proxy.port}/api/v1", f"https://{NAME}:{proxy.tls_port}/api/v1")
            assert HOST == "127.0.0.1", "loopback only"
            stage.clients = tuple(
                unwrap(
                    OpenRouterClient.new(
                        OpenRouterConfig(**SETTINGS, base_url=address, ca_file=str(trusted) if number else None),
                        observe=observed(stage, number),
                    )
                )
                for number, address in enumerate(addresses)
            )
            try:
                yield stage
            finally:
                for client in stage.clients:
                    await client.close()
                await stage.die()


def observed(stage: Stage, number: int) -> Callable[[Any], None]:
    """Give what tells the books of the phase that is on about a client's moments."""
    return lambda moment: stage.books.seen(number, moment)
