"""Requests over aiohttp's connector, without aiohttp's request and response objects. Fast, and boxed here for that.

`ClientSession.request` spends half of a call's CPU on what a client of one address never needs: merging headers and
cookies, quoting the URL, a writer (on Python < 3.12 a task) for each body, redirects, traces, a response object that
can do everything. Here one request is made by aiohttp for each address and set of headers, and its head is kept as
bytes; a call writes head and body in one piece and reads with aiohttp's own parser.

What stays aiohttp's: resolving, connecting, TLS, parsing (one parser for each connection, not one for each answer),
decompression, flow control, its exceptions. What this module and `pool` must see to themselves:

- a connection goes back to the pool when the answer's end was read, and never with bytes of the request unsent (an
  answer may come before the request was read); any other end, cancelling too, closes it;
- interim answers (1xx) are passed over, up to a limit;
- a session that is not as aiohttp made it is left alone: tests replace its methods (aioresponses), tracing is put into
  it. So are proxies, netrc and large bodies. `serves` decides, and the transport then takes the public way.

It uses `connect`, `ClientRequest`, `Connection` and `ResponseHandler` as they are in aiohttp 3.14, where it was tried;
`tests/shell/test_direct.py` holds both ways to the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol, Self

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from openrouter_client.pool import Pool
from openrouter_core.endpoint import Headers, HttpRequest, Key

REQUEST: Final = getattr(aiohttp.ClientSession, "_request", None)
"""What aiohttp has there; tests and tools that replace it want to see the requests."""

UNSENT: Final = frozenset({"content-length", "transfer-encoding"})
"""What aiohttp says of a body that the request, as it is kept, does not have."""


MOST_INTERIM: Final = 100
"""How many interim answers (1xx) are passed over; a server that has more to say before its answer means harm."""


class Answer(Protocol):
    """What is needed of an answer whose headers are there: this module's own and `aiohttp.ClientResponse` have it."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names in any case."""
        ...

    @property
    def content(self) -> aiohttp.StreamReader:
        """The body."""
        ...

    @property
    def content_type(self) -> str:
        """The type of the body, without parameters."""
        ...

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end."""
        ...


class DirectAnswer:
    """An answer whose headers are there. Its connection goes back to the pool at the end of its body."""

    __slots__ = ("connection", "content", "give", "headers", "status")

    def __init__(
        self,
        connection: Connection,
        give: Callable[[Connection], None],
        status: int,
        headers: Mapping[str, str],
        content: aiohttp.StreamReader,
    ) -> None:
        self.connection: Connection | None = connection
        self.give: Callable[[Connection], None] = give
        self.status: int = status
        self.headers: Mapping[str, str] = headers
        self.content: aiohttp.StreamReader = content
        content.on_eof(self.release)

    @property
    def content_type(self) -> str:
        """The type of the body, without parameters."""
        return self.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip().lower()

    def release(self) -> None:
        """Give the connection back."""
        connection, self.connection = self.connection, None
        if connection is not None:
            self.give(connection)

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Direct:
    """Sends requests over the connector of a session that is all ours."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        secrets: Mapping[Key, Mapping[str, str]],
        connect_timeout: float,
        longest_header: int,
        keep_alive: float,
    ) -> None:
        self.session = session
        self.secrets = secrets
        self.pool: Pool = Pool(keep_alive)
        self.timeout: aiohttp.ClientTimeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout)
        self.reading: dict[str, Any] = {
            "read_until_eof": True,
            "max_line_size": longest_header,
            "max_field_size": longest_header,
        }
        self.kept: tuple[tuple[str, str, Headers, Key] | None, Any, Any, bytes] = (None, None, None, b"")

    def serves(self) -> bool:
        """Tell whether the session still is as aiohttp made it."""
        return getattr(aiohttp.ClientSession, "_request", None) is REQUEST and not self.session.trace_configs

    async def request(self, request: HttpRequest) -> DirectAnswer:
        """Send a request, and wait for the answer's headers. Raises what `ClientSession.request` would."""
        what = (request.method, request.url, request.headers, request.key)
        if self.kept[0] != what:
            made = self.made(request)
            self.kept = (what, made, made.connection_key, head_of(made))
        _, made, where, head = self.kept
        connection = self.pool.take(where) or await self.connected(made)
        protocol: Any = connection.protocol
        try:
            protocol.transport.write(b"%s%d\r\n\r\n%s" % (head, len(request.body), request.body))
            message, content = await final_answer(protocol)
        except HttpProcessingError as error:
            connection.close()
            raise aiohttp.ClientResponseError(
                made.request_info, (), status=error.code, message=error.message, headers=error.headers
            ) from error
        except BaseException:
            connection.close()
            raise
        return DirectAnswer(connection, partial(self.pool.give, where), message.code, message.headers, content)

    async def connected(self, made: aiohttp.ClientRequest) -> Connection:
        """Make a connection, which is then ours until it is closed."""
        connector = self.session.connector
        if connector is None:
            raise RuntimeError("Session is closed")
        try:
            connection = await connector.connect(made, [], self.timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"Connection timeout to host {made.url}") from error
        protocol = connection.protocol
        if protocol is None or protocol.transport is None:
            connection.close()
            raise aiohttp.ClientConnectionResetError("the connection was lost before the request was sent")
        protocol.set_response_params(**self.reading)
        return connection

    def made(self, request: HttpRequest) -> aiohttp.ClientRequest:
        """Let aiohttp make the request, without a body: where it goes, and what its headers are."""
        headers = {**dict(request.headers), **self.secrets[request.key]}
        loop = asyncio.get_running_loop()
        return aiohttp.ClientRequest(
            request.method, URL(request.url, encoded=True), headers=headers, loop=loop, session=self.session
        )


async def final_answer(protocol: Any) -> tuple[Any, aiohttp.StreamReader]:
    """Wait for the answer that follows the interim ones."""
    for _ in range(MOST_INTERIM + 1):
        message, content = await protocol.read()
        if not 100 <= message.code <= 199 or message.code == 101:
            return message, content
    raise aiohttp.ClientError(f"more than {MOST_INTERIM} interim answers before the answer")


def at_hand(content: aiohttp.StreamReader) -> bytes | None:
    """Give a body that has come to its end, without waking aiohttp's machinery of reading; None while it has not."""
    pieces = getattr(content, "_buffer", None)
    return b"".join(pieces) if pieces is not None and content.is_eof() and content.exception() is None else None


async def next_piece(content: aiohttp.StreamReader) -> bytes:
    """Wait for bytes and give all that are there, b"" at the end: `readany`, at a price for each read only.

    A stream has one HTTP chunk for each event, aiohttp keeps each apart, and `readany` takes each out by itself.
    """
    pieces: Any = getattr(content, "_buffer", None)
    wait = getattr(content, "_wait", None)
    if pieces is None or wait is None:
        return await content.readany()
    while not pieces and not content.is_eof() and content.exception() is None:
        await wait("readany")
    if len(pieces) > 1 and not getattr(content, "_buffer_offset", 0):
        whole = b"".join(pieces)
        pieces.clear()
        pieces.append(whole)
    return await content.readany()


def head_of(made: aiohttp.ClientRequest) -> bytes:
    """Write the head of a request, up to the value of Content-Length, which comes last."""
    lines = [f"{made.method} {made.url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in made.headers.items() if name.lower() not in UNSENT]
    if any(character in line for line in lines for character in "\r\n\0"):
        raise ValueError("a header must not contain a line break")
    return "\r\n".join([*lines, "Content-Length: "]).encode()
