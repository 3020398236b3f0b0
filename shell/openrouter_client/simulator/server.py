"""The server: carries replies out, on real sockets. Everything that it decides is decided in `desk`."""

import asyncio
import itertools
import socket
import ssl
import struct
import time
from collections import Counter, deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import HttpVersion11, web
from msgspec import Struct

from openrouter_client.simulator import envelopes, trouble
from openrouter_client.simulator.desk import Desk, Incoming
from openrouter_client.simulator.faults import Fault
from openrouter_client.simulator.quota import Quota, parse_quota
from openrouter_client.simulator.wire import Drop, Pause, Repeat, Reply, Step, Write, written

API_KEY = "sk-or-v1-simulator-5f3c8a"
"""The key that the simulator accepts unless it is told another."""

MANAGEMENT_KEY = "sk-or-v1-simulator-manages-9d1e"
"""The key that manages, likewise."""

_REMEMBERED = 10_000
_LARGEST = 256 << 20
_PROMPTLY = 0.1
_REASON = {520: "Web Server Returned an Unknown Error", 524: "A Timeout Occurred", 529: "Site Is Overloaded"}


class RecordedRequest(Struct, frozen=True, kw_only=True):
    """A request that came in: `at` is in seconds since the start, `answer` is the kind of answer that it got."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    answer: str

    def json(self) -> object:
        """The body, decoded; raises msgspec.DecodeError if it is not JSON."""
        return msgspec.json.decode(self.body)


class _Over(asyncio.CancelledError):
    """The connection has ended. As a cancellation, because aiohttp would log any error with its traceback."""


class Simulator:
    """A local OpenRouter: `async with Simulator(seed=1, faults="500:0.1") as sim` serves until the block ends.

    - `seed`: fixes every answer and every seeded fault.
    - `faults`: the chances of trouble, see `trouble`: "500:0.05,429-retry-after@2:0.1,reset:0.02", or a mapping.
    - `quota`: how many requests are granted, see `quota`: "10/s", "20/min window", or a Quota.
    - `host`, `port`: where to listen; port 0 takes a free one.
    - `api_key`, `management_key`: the keys that requests have to carry.
    - `latency`: an answer takes so many seconds, from and to.
    - `batch_secs`: a batch takes so many seconds.
    - `tls`: a server-side context; the address is then an https one.

    Raises ValueError for faults, quotas and latencies that make no sense, and OSError where it cannot listen.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        faults: str | Mapping[str, float] = "",
        quota: str | Quota | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = API_KEY,
        management_key: str = MANAGEMENT_KEY,
        latency: tuple[float, float] = (0.0, 0.0),
        batch_secs: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not 0 <= latency[0] <= latency[1] < float("inf"):
            raise ValueError(f"latency {latency}: expected two times in seconds, the smaller one first")
        self.api_key = api_key
        self.management_key = management_key
        self.counts: Counter[str] = Counter()
        self.requests: deque[RecordedRequest] = deque(maxlen=_REMEMBERED)
        chances = trouble.parse_faults(faults)
        parsed = parse_quota(quota) if isinstance(quota, str) else quota
        self._desk = Desk(
            seed=seed,
            chances=chances,
            quota=parsed,
            keys=(api_key, management_key),
            latency=latency,
            batch_secs=batch_secs,
        )
        self._host, self._port, self._tls = host, port, tls
        self._runner: web.AppRunner | None = None
        self._serving: dict[asyncio.Task[object], web.Request] = {}
        self._started = 0.0

    @property
    def base_url(self) -> str:
        """The address for a client's `base_url`; raises RuntimeError outside of `async with`."""
        if self._runner is None:
            raise RuntimeError("the simulator is not running: use `async with Simulator(...) as sim`")
        host, port = self._runner.addresses[0][:2]
        named = f"[{host}]" if ":" in host else host
        return f"{'http' if self._tls is None else 'https'}://{named}:{port}/api/v1"

    @property
    def open_connections(self) -> int:
        """How many connections are open now, idle ones too."""
        server = None if self._runner is None else self._runner.server
        return 0 if server is None else len(server.connections)

    @property
    def in_flight(self) -> int:
        """How many requests are being answered now."""
        return len(self._serving)

    @property
    def cost(self) -> float:
        """What all finished answers cost together, in USD."""
        return self._desk.cost

    def script(self, *faults: str | Fault) -> None:
        """Let the next requests meet these faults, in this order: names ("429-retry-after@2", "ok") or Fault values.

        A scripted fault comes first: before the key, the quota and the request itself are looked at.
        Raises ValueError for an unknown name.
        """
        wanted = [trouble.parse_fault(one) if isinstance(one, str) else one for one in faults]
        names = [trouble.plain_name(one) if isinstance(one, str) else trouble.name_of(one) for one in faults]
        self._desk.script.extend(zip(names, wanted, strict=True))

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise RuntimeError("the simulator is running already")
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=_PROMPTLY)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, ssl_context=self._tls).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._started = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything at once, whatever hangs: answers in flight are cut off."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for task, request in list(self._serving.items()):
            if request.transport is not None:
                request.transport.abort()
            task.cancel()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:  # cannot happen within a handler; the type checker wants to hear it
            raise RuntimeError("no task")
        self._serving[task] = request
        try:
            return await self._send(request, await self._reply(request))
        except _Over:
            raise
        except (asyncio.CancelledError, ConnectionError):
            if self._runner is not None:
                self.counts["aborted"] += 1
            raise _Over from None
        finally:
            del self._serving[task]

    async def _reply(self, request: web.Request) -> Reply:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body, reply = b"", envelopes.plain(413, "Request body too large")
        else:
            incoming = Incoming(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )
            reply = self._desk.answer(incoming, time.monotonic(), time.time())
        self.counts[reply.kind] += 1
        self.requests.append(
            RecordedRequest(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers=request.headers,
                body=body,
                at=time.monotonic() - self._started,
                answer=reply.kind,
            )
        )
        return reply

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.status is None or reply.framing == "close" or request.version < HttpVersion11:
            return await self._send_bare(request, reply)
        response = web.StreamResponse(status=reply.status, reason=_REASON.get(reply.status), headers=_headers(reply))
        if reply.framing == "chunked":
            response.enable_chunked_encoding()
        else:
            response.content_length = written(reply.steps) if reply.length is None else reply.length
        steps = reply.steps
        if steps and isinstance(steps[0], Pause):  # what is slow is slow to begin: the head waits too
            await asyncio.sleep(steps[0].seconds)
            steps = steps[1:]
        await response.prepare(request)
        for step in steps:
            await self._step(request, step, response)
        await response.write_eof()
        return response

    async def _send_bare(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        """Without aiohttp's framing: the end of the connection is the end of the answer."""
        if reply.status is not None:
            lines = [f"HTTP/1.1 {reply.status} {_REASON.get(reply.status, '')}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in _headers(reply).items()]
            _write(request, ("\r\n".join(lines) + "\r\n\r\n").encode())
        for step in reply.steps:
            await self._step(request, step, None)
        _hang_up(request, reset=False)
        raise _Over

    async def _step(self, request: web.Request, step: Step, response: web.StreamResponse | None) -> None:
        match step:
            case Write(data=data):
                await _deliver(request, response, data)
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case Repeat(data=data, every=every, times=times):
                for _ in itertools.count() if times is None else range(times):
                    await _deliver(request, response, data)
                    await asyncio.sleep(every)
            case Drop(reset=reset):
                _hang_up(request, reset=reset)
                raise _Over


def _headers(reply: Reply) -> dict[str, str]:
    return {"X-OpenRouter-Simulator": "true", **dict(reply.headers)}


async def _deliver(request: web.Request, response: web.StreamResponse | None, data: bytes) -> None:
    if not data:
        return
    if response is None:
        _write(request, data)
    else:
        await response.write(data)


def _write(request: web.Request, data: bytes) -> None:
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("the client is gone")
    request.transport.write(data)


def _hang_up(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if not reset:
        transport.close()
        return
    raw = transport.get_extra_info("socket")
    # Lingering for 0 seconds makes the close a RST: what was not sent is thrown away, and the peer is told so.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
