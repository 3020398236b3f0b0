"""A server on loopback that says exactly the bytes that a test wants, at the moment that it wants.

A script is what one request meets: bytes to write, or a coroutine function that is given the `Talk`. The n-th request
meets the n-th script, and the last one ever after. What aiohttp.web would never do (cut a body, send half a header,
reset) is done by hand here.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.listeners import stop_listening

from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, OpenRouterConfig, unwrap


@dataclass
class Seen:
    """A request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header's value, if it came exactly once; its absence is None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


@dataclass
class Talk:
    """One exchange: what was asked, and the means to answer."""

    server: Loopback
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: Seen

    async def say(self, data: bytes) -> None:
        """Write these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    def hang_up(self) -> None:
        """Close the connection in an orderly way."""
        self.writer.close()

    def reset(self) -> None:
        """Tear the connection down with a RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.server.left += 1


Script = bytes | Callable[[Talk], Awaitable[None]]


class Loopback:
    """`async with Loopback(script, ...) as server`: serves at `server.base_url` until the block ends.

    `raw`: scripts are run as soon as a connection is there, without reading a request.
    `requests` are all that came, `left` counts the clients whose leaving a script waited for with `Talk.gone`.
    """

    def __init__(self, *scripts: Script, raw: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = list(scripts)
        self.raw, self.tls = raw, tls
        self.requests: list[Seen] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.left = 0
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """The address for a client's `base_url`."""
        return f"http{'' if self.tls is None else 's'}://127.0.0.1:{self.port}/api/v1"

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0, ssl=self.tls, backlog=2048, limit=2**20)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stop_listening(self.server)
        for writer in list(self.open):
            writer.transport.abort()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, unless it comes as the block ends."""
        task = asyncio.current_task()
        assert task is not None
        if not self.server.is_serving():
            writer.transport.abort()
            return
        self.tasks.add(task)
        self.open.add(writer)
        self.connections += 1
        try:
            while not writer.is_closing():
                seen = Seen("", [], b"") if self.raw else await read_request(reader)
                self.requests.append(seen)
                script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
                talk = Talk(self, reader, writer, seen)
                await (talk.say(script) if isinstance(script, bytes) else script(talk))
                if self.raw:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.open.discard(writer)
            self.tasks.discard(task)
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Seen:
    """Read one request, headers and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.strip().split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Seen(line, headers, await reader.readexactly(length))


def answer(
    status: int = 200, body: bytes | Any = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """An answer with a Content-Length; `length` makes it lie."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(data) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in {"Content-Type": "application/json", **(headers or {})}.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def completion(text: str = "hello", **fields: Any) -> dict[str, Any]:
    """A chat completion as OpenRouter answers it."""
    return {
        "id": "gen-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "x-ai/grok-4",
        "provider": "xAI",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.001},
        **fields,
    }


def error(code: int | str | None, message: str = "no luck", **metadata: Any) -> dict[str, Any]:
    """An error envelope as OpenRouter sends it."""
    inner = {
        "message": message,
        **({} if code is None else {"code": code}),
        **({"metadata": metadata} if metadata else {}),
    }
    return {"error": inner, "user_id": "user_1"}


def chunked(*pieces: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    """A 200 in chunks."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + last


OK = answer(200, completion())


async def silence(talk: Talk) -> None:
    """Say nothing, until the client goes."""
    await talk.gone()


async def drip(talk: Talk) -> None:
    """Send headers, and then one space every 50 ms for ever."""
    await talk.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    leaving = asyncio.ensure_future(talk.gone())
    try:
        while not leaving.done():
            await talk.say(b"1\r\n \r\n")
            await asyncio.wait([leaving], timeout=0.05)
    finally:
        leaving.cancel()


async def reset(talk: Talk) -> None:
    """Reset the connection."""
    talk.reset()


async def hang_up(talk: Talk) -> None:
    """Close the connection."""
    talk.hang_up()


def then_hang_up(data: bytes) -> Script:
    """Say this, and close the connection."""

    async def script(talk: Talk) -> None:
        await talk.say(data)
        talk.hang_up()

    return script


def then_reset(data: bytes) -> Script:
    """Say this, and reset the connection once it has been said."""

    async def script(talk: Talk) -> None:
        await talk.say(data)
        await asyncio.sleep(0.02)
        talk.reset()

    return script


def then_silence(data: bytes) -> Script:
    """Say this, and nothing more."""

    async def script(talk: Talk) -> None:
        await talk.say(data)
        await talk.gone()

    return script


KEY = "sk-or-v1-0123456789abcdef"
"""The key that these tests use; it must never be seen anywhere but in `Authorization`."""


def client_of(server: Loopback | str, **settings: Any) -> OpenRouterClient:
    """A client of a server, with short waits; `session`, `observe`, `policy` and `tls` are handed to `new`."""
    given = {name: settings.pop(name) for name in ("session", "observe", "policy", "tls") if name in settings}
    base_url = server if isinstance(server, str) else server.base_url
    full: dict[str, Any] = {"api_key": KEY, "base_url": base_url, "retry_delay_ms": 1, "max_retries": 2} | settings
    return unwrap(OpenRouterClient.new(OpenRouterConfig(**full), **given))


async def until(happened: Callable[[], object]) -> None:
    """Wait until it has happened; for those who see another side of it than the one that does it."""
    async with asyncio.timeout(30.0):
        while not happened():  # noqa: ASYNC110 - sockets close when they close, and tell nobody here
            await asyncio.sleep(0.001)


def asking(text: str = "hi", **fields: Any) -> ChatCompletionRequest:
    """A small request."""
    return ChatCompletionRequest(messages=[ChatMessage.user(text)], **fields)
