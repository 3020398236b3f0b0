"""Sending over aiohttp: what its exceptions mean, and the keys, which `direct` gets from here and nobody else.

A request goes in, an outcome comes out; what the outcome means is the core's business. The key that a request wants is
added here, to the `Authorization` header, and struck out of whatever a server echoes.
"""

from __future__ import annotations

import asyncio
import errno
import io
import math
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import aiohttp
from yarl import URL

from openrouter_client.direct import Answer, Direct
from openrouter_client.masking import secrets_of
from openrouter_client.pool import Connector
from openrouter_client.reading import Reading, read_whole
from openrouter_client.timing import Limit, Limits
from openrouter_core.config import MASK, OpenRouterConfig
from openrouter_core.endpoint import HttpRequest, Key
from openrouter_core.outcome import Interrupted, Outcome, Responded, TimedOut, Unreachable
from openrouter_core.unshared import Unshared
from openrouter_core.version import __version__

USER_AGENT = f"aio-openrouter/{__version__}"

USER_AGENT_HEADER = {"User-Agent": USER_AGENT}

MASK_BYTES = MASK.encode()

LARGE_BODY = 2**20
"""From this size on, in bytes, aiohttp wants a body as a file, so that writing it does not hold up the loop."""

LONGEST_HEADER = 2**16
"""The limit of one header of an answer, in bytes: aiohttp's own of 8190 is less than some proxies add."""

KEEP_ALIVE_SECS = 30.0

CONNECTING = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientProxyConnectionError, "proxy"),
    (aiohttp.ClientHttpProxyError, "proxy"),
    (aiohttp.ClientConnectorCertificateError, "tls"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ServerFingerprintMismatch, "tls"),
)
"""The exceptions that mean that no connection was made, and the step that failed; first match counts."""

MANY_NAMES, LONG_NAME = 1000, 64
"""How many names of headers are remembered in lower case, and of how many characters: servers may be hostile."""

BROKEN = (TimeoutError, aiohttp.ClientError, OSError, ValueError, RuntimeError, LookupError)
"""Everything that an exchange may raise and that is a fact about it. TimeoutError is `asyncio.timeout`'s, LookupError
that of aiohttp's memory of addresses, when somebody clears it while calls wait for one."""

ERRNO_KIND = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset"}


class LowerCase(dict[str, str]):
    """Names of headers -> in lower case. Servers send the same few over and over."""

    def __missing__(self, name: str) -> str:
        lowered = name.lower()
        if len(self) < MANY_NAMES and len(name) <= LONG_NAME:
            self[name] = lowered
        return lowered


class Transport(Unshared):
    """One pooled session, made on first use on the running loop, or the caller's own, which is then not closed.

    `heard` is called, in the task of the call, with an answer's headers as soon as they are there.
    """

    def __init__(
        self,
        config: OpenRouterConfig,
        session: aiohttp.ClientSession | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.config = config
        self.tls = tls
        self.session = session
        self.owned: bool = session is None
        self.closed: bool = False
        self.limits: Limits = Limits()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.secrets: tuple[str, ...] = secrets_of(config)
        self.secret_bytes: tuple[bytes, ...] = tuple(secret.encode() for secret in self.secrets)
        self.headers: dict[Key, dict[str, str]] = headers_with(config)
        self.lower_case: LowerCase = LowerCase()
        self.options: dict[str, Any] = self.request_options()
        self.url: tuple[str, URL] = ("", URL())
        self.direct: Direct | None = None
        self.heard: Callable[[Mapping[str, str]], object] | None = None

    def __repr__(self) -> str:
        return f"Transport({self.config.base_url})"

    def flaw(self) -> str:
        """Say why this transport cannot be used here and now; nothing when it can."""
        if self.closed or not (self.owned or self.session is None or not self.session.closed):
            return "the client is closed; make a new one"
        loop = asyncio.get_running_loop()
        if self.loop is None:
            # A session remembers the loop that it was made on; it has no public way to ask that does not warn.
            self.loop = getattr(self.session, "_loop", None) or loop
        if self.loop is not loop:
            return "the client belongs to another event loop; make one client for each loop"
        return ""

    async def send(self, request: HttpRequest, timeout: float) -> Outcome:  # noqa: ASYNC109 - a limit, measured here
        """Send a request and read the answer to its end, all within `timeout` seconds."""
        if self.closed:
            return Unreachable("closed", self.flaw())
        answer = Reading(self.config.max_response_bytes)
        try:
            with self.limited(self.limits.loop.time() + timeout):
                response = await self.begin(request)
                if self.heard is not None:
                    self.heard(response.headers)
                try:
                    await read_whole(response, answer)
                finally:
                    response.close()
        except BROKEN as error:
            return self.broken(error, answer, "attempt", timeout)
        return self.responded(answer)

    def limited(self, until: float) -> Limit:
        """Raise TimeoutError when the running loop's clock shows `until`, or when the client is closed.

        aiohttp does not wake those who read a body when their session is closed.
        """
        return self.limits.until(-math.inf if self.closed else until)

    def responded(self, answer: Reading) -> Responded:
        """Tell an answer that was read as a fact, without our secrets in it."""
        body, headers = self.struck_bytes(answer.body()), self.plain(answer.headers)
        return Responded(answer.status, body, headers, time.time(), overflow=answer.overflow)

    async def begin(self, request: HttpRequest) -> Answer:
        """Send a request, key and all, and wait for the answer's headers."""
        session = self.opened()
        try:
            if self.direct is not None and len(request.body) < LARGE_BODY and self.direct.serves():
                return await self.direct.request(request)
            body = request.body if len(request.body) < LARGE_BODY else io.BytesIO(request.body)
            response = await session.request(
                request.method,
                self.address(request.url),
                data=body or None,
                headers=dict(request.headers) | self.sent_at_once(request.key),
                **self.options,
                **self.authorizing(request.key),
            )
            return cast("Answer", response)  # its `headers` are a descriptor that not every checker sees through
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled this task: a pool that is closed cancels those who wait for a connection or an address.
            raise aiohttp.ClientConnectionError("the pool of connections was closed") from None

    def request_options(self) -> dict[str, Any]:
        """Give what is the same for all requests, whatever the defaults of the caller's own session are."""
        options: dict[str, Any] = {
            "allow_redirects": False,
            "raise_for_status": False,
            "auto_decompress": True,
            "timeout": aiohttp.ClientTimeout(total=None, connect=self.config.connect_timeout_secs),
            "proxy": self.config.proxy,
            "max_line_size": LONGEST_HEADER,
            "max_field_size": LONGEST_HEADER,
        }
        return options

    def sent_at_once(self, key: Key) -> dict[str, str]:
        """Give the headers that all requests have, without the key where it is added later."""
        return dict(USER_AGENT_HEADER) if self.owned and self.config.trust_env else self.headers[key]

    def authorizing(self, key: Key) -> dict[str, Any]:
        """Add the key at the last moment, if at all: aiohttp refuses it earlier where ~/.netrc has an entry."""
        if not (self.owned and self.config.trust_env):
            return {}

        async def authorized(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            request.headers.popall("Authorization", None)
            request.headers.update(self.headers[key])
            return await handler(request)

        return {"middlewares": (authorized,)}

    def opened(self) -> aiohttp.ClientSession:
        """Give the session, made now if it has not been."""
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=Connector(
                    limit=0, keepalive_timeout=KEEP_ALIVE_SECS, ssl=True if self.tls is None else self.tls
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self.config.trust_env,
            )
            if self.config.proxy is None and not self.config.trust_env:
                self.direct = Direct(
                    self.session, self.headers, self.config.connect_timeout_secs, LONGEST_HEADER, KEEP_ALIVE_SECS
                )
        return self.session

    def address(self, url: str) -> URL:
        """Parse an address; the last one is remembered, for most calls go to the same."""
        if self.url[0] != url:
            self.url = (url, URL(url, encoded=True))
        return self.url[1]

    def broken(self, error: Exception, answer: Reading, clock: str, after: float) -> Outcome:
        """Tell an exception as a fact; `clock` is the one that was running, with its limit of `after` seconds."""
        if self.closed or (self.session is not None and self.session.closed):
            return Unreachable("closed", "the client was closed during the call")
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return TimedOut("connect", self.config.connect_timeout_secs, sent=False)
        if ran_out(error):
            return TimedOut(clock, after)
        return self.lost(error, answer)

    def lost(self, error: Exception, answer: Reading) -> Outcome:
        """Tell an exception as a fact: was a connection made, had the request been sent."""
        detail = self.struck(f"{type(error).__name__}: {error}")
        host = str(getattr(error, "host", "") or "")
        for kind, step in CONNECTING:
            if isinstance(error, kind):
                return Unreachable(step, detail, host, getattr(error, "errno", None))
        if isinstance(error, aiohttp.ClientConnectorError):
            return Unreachable(ERRNO_KIND.get(error.errno or 0, "other"), detail, host, error.errno)
        if isinstance(error, (ValueError, RuntimeError, LookupError)) and not isinstance(error, aiohttp.ClientError):
            return Unreachable("other", detail)
        return Interrupted(detail, answer.size, answer.status or None, self.plain(answer.headers), time.time())

    def plain(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Give headers with lower-case names, and without the key."""
        lowered = dict(zip(map(self.lower_case.__getitem__, headers.keys()), headers.values(), strict=True))
        said = "\n".join(lowered.values())
        if said.isascii() and self.struck(said) is said:  # as nearly always; looking at each value costs much more
            return lowered
        return {name: self.struck(encodable(value)) for name, value in lowered.items()}

    def struck(self, text: str) -> str:
        """Strike our secrets out of a text."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text

    def struck_bytes(self, body: bytes) -> bytes:
        """Strike our secrets out of a body that a server sent back."""
        for secret in self.secret_bytes:
            body = body.replace(secret, MASK_BYTES)
        return body

    async def close(self) -> None:
        """Close the session, if it is ours; calls that are under way end with an error. May be called twice."""
        self.closed = True
        if asyncio.get_running_loop() is self.loop:
            self.limits.bring_forward()
        if self.owned and self.session is not None:
            try:
                await self.session.close()
            finally:
                if self.direct is not None:
                    self.direct.pool.close()


def headers_with(config: OpenRouterConfig) -> dict[Key, dict[str, str]]:
    """Give the headers that all requests have, by the key that they want."""
    return {
        "inference": {"Authorization": f"Bearer {config.api_key}", **USER_AGENT_HEADER},
        "management": {"Authorization": f"Bearer {config.management_key}", **USER_AGENT_HEADER},
        "none": dict(USER_AGENT_HEADER),
    }


def ran_out(error: Exception) -> bool:
    """Tell whether it was our own clock that ended an exchange: with an errno it is the system's, of a connection."""
    return type(error) is TimeoutError and error.errno is None


def encodable(value: str) -> str:
    """Make a header's value text that can be written: aiohttp keeps bytes that are no UTF-8 as lone surrogates."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
