"""One exchange after the other over real sockets: whatever a server or the network does becomes an outcome."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import itertools
import json
import os
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aioresponses import aioresponses
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure
from tests.shell.loopback import (
    KEY,
    OK,
    Loopback,
    Script,
    Talk,
    answer,
    asking,
    chunked,
    client_of,
    completion,
    drip,
    error,
    hang_up,
    reset,
    silence,
    then_hang_up,
    then_reset,
    then_silence,
    until,
)

from openrouter_client import OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.masking import secrets_of
from openrouter_client.transport import LONG_NAME, MANY_NAMES, USER_AGENT, LowerCase, Transport
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import (
    AuthError,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    HttpError,
    InvalidRequest,
    ParseError,
    RateLimited,
    Timeout,
)
from openrouter_core.outcome import Interrupted, Outcome, Responded

BODY = json.dumps(completion()).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ZIPPED = {"Content-Encoding": "gzip"}


async def failure(server: Loopback | str, **settings: Any) -> DataSourceError:
    """The error that a call ends with."""
    async with client_of(server, **settings) as client:
        return (await client.chat_completion(asking())).failure()


async def text(server: Loopback | str, **settings: Any) -> str:
    """The text that a call ends with."""
    async with client_of(server, **settings) as client:
        return unwrap(await client.chat_completion(asking())).text


async def outcome(server: Loopback, within: float = 0.5, **settings: Any) -> Outcome:
    """The outcome of one exchange."""
    config = OpenRouterConfig(api_key=KEY, base_url=server.base_url, **settings)
    transport = Transport(config)
    try:
        return await transport.send(HttpRequest("POST", server.base_url + "/chat/completions", (), b"{}"), within)
    finally:
        await transport.close()


async def left(server: Loopback, clients: int) -> None:
    """Wait until the server has seen so many clients go."""
    await until(lambda: server.left >= clients)


# --- broken answers -------------------------------------------------------------------------------------------------

BROKEN: dict[str, Script] = {
    "reset before anything": reset,
    "closed before anything": hang_up,
    "half a status line": then_hang_up(b"HTTP/1."),
    "half a header": then_hang_up(b"HTTP/1.1 200 OK\r\nConte"),
    "half a header and a reset": then_reset(b"HTTP/1.1 200 OK\r\nConte"),
    "headers, then a reset": then_reset(HEAD + b"Content-Length: 50\r\n\r\n"),
    "headers, then the end": then_hang_up(HEAD + b"Content-Length: 50\r\n\r\n"),
    "half a body": then_hang_up(answer(200, BODY[:50], length=len(BODY))),
    "half a body and a reset": then_reset(answer(200, BODY[:50], length=len(BODY))),
    "half of the chunks": then_hang_up(chunked(BODY[:50], last=b"")),
    "half of the chunks and a reset": then_reset(chunked(BODY[:50], last=b"")),
    "half a body without a length": then_hang_up(HEAD + b"\r\n" + BODY[:50]),
    "another protocol": then_hang_up(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "bytes": then_hang_up(bytes(range(256))),
    "a chunk size that is none": then_hang_up(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": then_hang_up(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk longer than its size": then_hang_up(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n"),
    "a length that is no number": then_hang_up(HEAD + b"Content-Length: many\r\n\r\n" + BODY),
    "two lengths": then_hang_up(HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n" + BODY),
    "a status of four digits": then_hang_up(b"HTTP/1.1 2000 OK\r\n\r\n"),
    "an endless header": then_hang_up(HEAD + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n"),
    "a thousand headers": then_hang_up(HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n"),
    "gzip that is cut": then_hang_up(answer(200, gzip.compress(BODY)[:-30], ZIPPED)),
    "gzip that is cut, and its length with it": then_hang_up(
        answer(200, gzip.compress(BODY)[:-30], ZIPPED, length=999)
    ),
    "no gzip at all": then_hang_up(answer(200, b"this is no gzip", ZIPPED)),
    "nothing": then_hang_up(answer(200, b"")),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_breaks_is_tried_again(script: Script) -> None:
    async with Loopback(script, OK) as server:
        assert await text(server) == "hello"
        assert len(server.requests) == 2


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_keeps_breaking_is_a_disconnection(script: Script) -> None:
    async with Loopback(script) as server:
        lost = await failure(server, max_retries=1)
        assert isinstance(lost, Disconnected)
        assert len(lost.attempts) == len(server.requests) == 2


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
async def test_what_may_have_been_billed_is_not_sent_again_where_the_caller_says_so(script: Script) -> None:
    async with Loopback(script) as server:
        assert isinstance(await failure(server, retry_sent=False), Disconnected)
        assert len(server.requests) == 1


LEGAL: dict[str, bytes] = {
    "chunks": chunked(b"   ", BODY[:7], BODY[7:]),
    "white space before the body": chunked(*[b" \n"] * 50, BODY),
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
    "gzip": answer(200, gzip.compress(BODY), ZIPPED),
    "a charset that does not exist": answer(200, BODY, {"Content-Type": "application/json; charset=klingon"}),
    "no content type": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "long headers": answer(200, BODY, {"Content-Security-Policy": "a" * 30_000}),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
}


@pytest.mark.parametrize("said", LEGAL.values(), ids=LEGAL.keys())
async def test_an_unusual_answer_is_an_answer(said: bytes) -> None:
    async with Loopback(said) as server:
        assert await text(server, max_retries=0) == "hello"


async def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    async with Loopback(then_hang_up(HEAD + b"\r\n" + BODY)) as server:
        assert await text(server, max_retries=0) == "hello"


@settings(max_examples=40)
@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", HEAD, chunked(BODY, last=b""), OK[:-9]]))
async def test_any_bytes_are_an_outcome(noise: bytes, before: bytes) -> None:
    """Kills: an exception of the HTTP parser that is no ClientError and comes out of the client."""
    async with Loopback(then_hang_up(before + noise)) as server:
        assert isinstance(await outcome(server, 10.0), Responded | Interrupted)


# --- limits on size -------------------------------------------------------------------------------------------------


async def test_the_limit_is_of_the_body_exactly() -> None:
    async with Loopback(OK) as server:
        assert await text(server, max_response_bytes=len(BODY)) == "hello"
        too_long = await failure(server, max_response_bytes=len(BODY) - 1)
        assert isinstance(too_long, ParseError)
        assert "max_response_bytes" in too_long.message
        assert too_long.raw == BODY[:-1].decode()
        assert len(server.requests) == 2


async def test_a_body_without_end_is_left_at_the_limit() -> None:
    async def flood(talk: Talk) -> None:
        await talk.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                await talk.say(b"10000\r\n%s\r\n" % (b"x" * 65536))
        talk.server.left += 1

    async with Loopback(flood) as server:
        assert isinstance(await failure(server, max_response_bytes=1_000_000), ParseError)
        await left(server, 1)


async def test_a_gzip_bomb_is_left_at_the_limit() -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    async with Loopback(answer(200, bomb, ZIPPED)) as server:
        met = await outcome(server, 5.0, max_response_bytes=1_000_000)
        assert isinstance(met, Responded)
        assert met.overflow
        assert len(met.body) == 1_000_000


async def test_a_large_request_is_sent_without_a_word() -> None:
    """Kills: aiohttp's warning about large bodies, which is an error for who runs with -W error."""
    prompt = "x" * 3_000_000
    async with Loopback(answer(503), OK) as server, client_of(server) as client:
        assert unwrap(await client.chat_completion(asking(prompt))).text == "hello"
        first, second = server.requests
        assert prompt.encode() in first.body
        assert first.body == second.body


async def test_an_answer_before_the_request_was_read_counts() -> None:
    async def refuse(talk: Talk) -> None:
        await talk.say(answer(413, error(413, "too much")))
        await asyncio.sleep(0.05)

    async with Loopback(refuse, raw=True) as server, client_of(server, timeout_secs=2.0) as client:
        refused = (await client.chat_completion(asking("x" * 20_000_000))).failure()
        assert isinstance(refused, InvalidRequest)
        assert "too much" in refused.message


# --- limits on time -------------------------------------------------------------------------------------------------


async def idle(talk: Talk) -> None:
    """Not even read the request."""
    await asyncio.sleep(10)


SLOW: dict[str, Script] = {
    "one space every 50 ms": drip,
    "no answer": silence,
    "headers only": then_silence(HEAD + b"Content-Length: 5\r\n\r\n"),
    "half a header": then_silence(b"HTTP/1.1 200 OK\r\nCont"),
    "half a body": then_silence(answer(200, BODY[:20], length=len(BODY))),
    "interim answers only": then_silence(b"HTTP/1.1 102 Processing\r\n\r\n" * 10),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
async def test_a_slow_server_ends_in_a_timeout_and_the_socket_is_closed(script: Script) -> None:
    async with Loopback(script) as server, client_of(server, timeout_secs=0.12, max_retries=1) as client:
        late = (await client.chat_completion(asking())).failure()
        assert isinstance(late, Timeout)
        assert (late.clock, late.after, late.sent) == ("attempt", 0.12, True)
        assert len(late.attempts) == 2
        await until(lambda: not server.open)


async def test_a_request_that_is_not_read_ends_in_a_timeout() -> None:
    async with Loopback(idle, raw=True) as server, client_of(server, timeout_secs=0.1, max_retries=0) as client:
        assert isinstance((await client.chat_completion(asking("x" * 20_000_000))).failure(), Timeout)


async def test_a_handshake_that_does_not_happen_ends_in_a_timeout() -> None:
    async with Loopback(silence, raw=True) as server:
        https = server.base_url.replace("http:", "https:")
        late = await failure(https, timeout_secs=0.1, max_retries=0)
        assert isinstance(late, Timeout)
        await left(server, 1)
        unconnected = await failure(https, timeout_secs=5.0, connect_timeout_secs=0.1, max_retries=0)
        assert isinstance(unconnected, Timeout)
        assert (unconnected.clock, unconnected.sent) == ("connect", False)
        await left(server, 2)


async def test_a_connection_that_times_out_is_tried_again_within_the_deadline() -> None:
    """Kills: the connect timeout taken for the deadline, because the attempt was limited by it."""
    async with Loopback(silence, raw=True) as server:
        https = server.base_url.replace("http:", "https:")
        late = await failure(https, timeout_secs=9.0, deadline_secs=5.0, connect_timeout_secs=0.05, max_retries=2)
        assert isinstance(late, Timeout)
        assert len(late.attempts) == 3


@pytest.mark.parametrize("script", [drip, silence])
async def test_the_deadline_cuts_an_attempt_off(script: Script) -> None:
    async with Loopback(script) as server:
        late = await failure(server, timeout_secs=5.0, deadline_secs=0.15, max_retries=3)
        assert isinstance(late, DeadlineExceeded)
        assert len(late.attempts) == 1
        await until(lambda: not server.open)


async def test_retries_go_on_inside_the_deadline() -> None:
    async with Loopback(silence, silence, OK) as server:
        assert await text(server, timeout_secs=0.2, deadline_secs=5.0) == "hello"
        assert len(server.requests) == 3


async def test_a_call_can_have_a_deadline_of_its_own() -> None:
    async with Loopback(silence) as server, client_of(server, timeout_secs=5.0) as client:
        late = (await client.chat_completion(asking(), deadline_secs=0.1)).failure()
        assert isinstance(late, DeadlineExceeded)
        assert late.deadline == 0.1


async def test_a_hint_beyond_the_deadline_is_not_waited_for() -> None:
    async with Loopback(answer(429, error(429), {"Retry-After": "30"})) as server:
        limited = await failure(server, deadline_secs=5.0)
        assert isinstance(limited, RateLimited)
        assert limited.retry_after == 30.0
        assert len(server.requests) == 1


# --- no connection --------------------------------------------------------------------------------------------------


@pytest.fixture
def unused() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_a_refused_connection_names_host_and_errno(unused: int) -> None:
    lost = await failure(f"http://127.0.0.1:{unused}/api/v1")
    assert isinstance(lost, ConnectError)
    assert (lost.kind, lost.host) == ("refused", "127.0.0.1")
    assert lost.errno
    assert str(unused) in lost.message
    assert len(lost.attempts) == 3


async def test_a_host_without_address_is_told_apart() -> None:
    lost = await failure("http://nonexistent.invalid/api/v1", allow_http=True, max_retries=1)
    assert isinstance(lost, ConnectError)
    assert (lost.kind, lost.host) == ("dns", "nonexistent.invalid")


async def test_addresses_that_are_forgotten_while_calls_wait_for_them_are_a_failure() -> None:
    """Kills: the KeyError of aiohttp's memory of addresses, which came out of calls (found by the soak)."""

    class Forgetting(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            await until(lambda: sum(map(len, connector._throttle_dns_futures.values())) == 2)
            asyncio.get_running_loop().call_soon(connector.clear_dns_cache)
            return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

        async def close(self) -> None:
            pass

    connector = aiohttp.TCPConnector(resolver=Forgetting())
    async with Loopback(OK) as server, aiohttp.ClientSession(connector=connector) as session:
        address = f"http://api.invalid:{server.port}/v1"
        async with client_of(address, session=session, allow_http=True, max_retries=0) as client:
            results = await asyncio.gather(*(client.chat_completion(asking()) for _ in range(3)))
    lost = [result.failure() for result in results if isinstance(result, Failure)]
    assert len(lost) == 2
    assert all(isinstance(one, ConnectError) and "KeyError" in one.message for one in lost)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A throwaway certificate authority."""
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    made = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(made))
    return made


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's context, with a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    async with Loopback(OK, tls=tls) as server:
        lost = await failure(server, max_retries=0)
        assert isinstance(lost, ConnectError)
        assert (lost.kind, lost.host) == ("tls", "127.0.0.1")
        assert "certificate" in lost.message
        assert not server.requests


async def test_a_ca_file_or_a_context_makes_it_trusted(tls: ssl.SSLContext, certificate: Path) -> None:
    async with Loopback(OK, tls=tls) as server:
        assert await text(server, ca_file=str(certificate)) == "hello"
        assert await text(server, tls=ssl.create_default_context(cafile=str(certificate))) == "hello"


@pytest.mark.parametrize("script", [reset, hang_up])
async def test_a_handshake_that_is_broken_off_never_connected(script: Script) -> None:
    async with Loopback(script, raw=True) as server:
        lost = await failure(server.base_url.replace("http:", "https:"), max_retries=1)
        assert isinstance(lost, ConnectError)
        assert lost.kind == "reset"
        assert server.connections == 2


async def test_plain_http_is_not_taken_for_tls() -> None:
    async with Loopback(answer(400, b"this is no TLS"), raw=True) as server:
        lost = await failure(server.base_url.replace("http:", "https:"), max_retries=0)
        assert isinstance(lost, ConnectError)
        assert lost.kind == "tls"


async def test_http_to_a_tls_port_is_a_disconnection(tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture) -> None:
    async with Loopback(OK, tls=tls) as server:
        lost = await failure(server.base_url.replace("https:", "http:"), max_retries=0)
        assert isinstance(lost, Disconnected)
        assert not server.requests


# --- what travels ---------------------------------------------------------------------------------------------------


async def test_the_request_on_the_wire() -> None:
    async with Loopback(answer(502), answer(429, headers={"Retry-After": "0.01"}), OK) as server:
        settings = {"app_url": "https://markets.example", "app_title": "Markets", "app_categories": ("finance",)}
        async with client_of(server, **settings, safe_retries=True) as client:
            unwrap(await client.chat_completion(asking("hi", model="x-ai/grok-4", temperature=0.5)))
        first, *others = server.requests
        assert first.line == "POST /api/v1/chat/completions HTTP/1.1"
        assert json.loads(first.body) == {
            "model": "x-ai/grok-4",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.5,
        }
        assert {name.lower(): value for name, value in first.headers} == {
            "host": f"127.0.0.1:{server.port}",
            "authorization": f"Bearer {KEY}",
            "user-agent": USER_AGENT,
            "content-type": "application/json",
            "content-length": str(len(first.body)),
            "http-referer": "https://markets.example",
            "x-openrouter-title": "Markets",
            "x-openrouter-categories": "finance",
            "x-openrouter-cache": "true",
            "accept": "*/*",
            "accept-encoding": first.header("accept-encoding"),
        }
        assert len(first.headers) == 11
        for other in others:
            assert other == first


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    async with Loopback(OK) as target:
        async with Loopback(answer(status, headers={"Location": target.base_url + "/chat/completions"})) as server:
            refused = await failure(server)
            assert type(refused) is HttpError
            assert refused.status == status
            assert len(server.requests) == 1
        assert target.connections == 0


async def test_cookies_are_not_kept() -> None:
    async with Loopback(answer(200, completion(), {"Set-Cookie": "spy=1"})) as server, client_of(server) as client:
        for _ in range(2):
            unwrap(await client.chat_completion(asking()))
        assert server.requests[1].header("cookie") is None


async def test_one_connection_serves_calls_in_a_row() -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        for _ in range(5):
            unwrap(await client.chat_completion(asking()))
        assert server.connections == 1


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_one_retry_at_most() -> None:
    async with Loopback(then_hang_up(OK), OK) as server, client_of(server) as client:
        for _ in range(2):
            unwrap(await client.chat_completion(asking()))


# --- proxies --------------------------------------------------------------------------------------------------------

PASSWORD = "hunter2/secret"
BASIC = f"Basic {base64.b64encode(f'user:{PASSWORD}'.encode()).decode()}"


async def forward(talk: Talk) -> None:
    """Be a CONNECT proxy."""
    host, _, port = talk.seen.line.split()[1].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await talk.say(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
        sink.close()

    try:
        await asyncio.gather(pump(talk.reader, writer), pump(reader, talk.writer))
    finally:
        writer.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Set variables, with none of the machine's own proxies and passwords around."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    def put(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


async def test_a_plain_proxy_gets_the_whole_address() -> None:
    async with Loopback(OK) as proxy:
        address = f"http://user:hunter2%2Fsecret@127.0.0.1:{proxy.port}"
        assert await text("http://api.invalid/v1", allow_http=True, proxy=address) == "hello"
        seen = proxy.requests[0]
        assert seen.line == "POST http://api.invalid/v1/chat/completions HTTP/1.1"
        assert seen.header("proxy-authorization") == BASIC
        assert seen.header("authorization") == f"Bearer {KEY}"


async def test_a_tunnel_keeps_the_key_from_the_proxy(tls: ssl.SSLContext, certificate: Path) -> None:
    async with Loopback(OK, tls=tls) as server, Loopback(forward) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        assert await text(server, proxy=address, ca_file=str(certificate)) == "hello"
        assert proxy.requests[0].line == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"
        assert KEY not in str(proxy.requests)
        assert server.requests[0].header("authorization") == f"Bearer {KEY}"


async def test_the_environment_names_the_proxy_where_it_is_trusted(environment: Callable[..., None]) -> None:
    async with Loopback(OK) as proxy, Loopback(OK) as server:
        environment(HTTP_PROXY=f"http://user:{PASSWORD[:7]}@127.0.0.1:{proxy.port}", NO_PROXY="127.0.0.1")
        assert await text("http://api.invalid/v1", allow_http=True, trust_env=True) == "hello"
        assert len(proxy.requests) == 1
        assert await text(server, trust_env=True) == "hello"
        assert len(server.requests) == 1
        lost = await failure("http://api.invalid/v1", allow_http=True, max_retries=0)
        assert isinstance(lost, ConnectError)
        assert len(proxy.requests) == 1


async def test_a_netrc_entry_for_the_host_does_not_get_in_the_way(
    environment: Callable[..., None], tmp_path: Path
) -> None:
    """Kills: aiohttp's refusal of a key beside an entry of ~/.netrc, and the entry sent in the key's place."""
    (tmp_path / "netrc").write_text("default login joe password not-for-openrouter\n")
    environment()
    async with Loopback(OK) as server:
        assert await text(server, trust_env=True, max_retries=0) == "hello"
        assert server.requests[0].header("authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there(scheme: str, unused: int) -> None:
    address = f"http://user:hunter2%2Fsecret@127.0.0.1:{unused}"
    lost = await failure(f"{scheme}://api.invalid/v1", allow_http=True, proxy=address, max_retries=0)
    assert isinstance(lost, ConnectError)
    assert lost.kind == "proxy"
    assert "hunter2" not in repr(lost)


async def test_a_proxy_that_refuses(tls: ssl.SSLContext) -> None:
    refusal = answer(407, f"not with {BASIC}, nor with {PASSWORD}".encode(), {"Proxy-Authenticate": "Basic"})
    async with Loopback(refusal) as proxy:
        address = f"http://user:hunter2%2Fsecret@127.0.0.1:{proxy.port}"
        tunnel = await failure("https://api.invalid/v1", proxy=address, max_retries=0)
        assert isinstance(tunnel, ConnectError)
        assert tunnel.kind == "proxy"
        assert "407" in tunnel.message
        plain = await failure("http://api.invalid/v1", allow_http=True, proxy=address)
        assert type(plain) is HttpError
        assert plain.status == 407
        for refused in (tunnel, plain):
            assert "hunter2" not in repr(refused)
            assert BASIC.split()[1] not in repr(refused)


# --- the caller's own session ---------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def own_session(**settings: Any) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(**settings) as session:
        yield session
        assert not session.closed


async def test_a_session_that_the_caller_brings_is_used_and_not_closed() -> None:
    async with Loopback(OK) as server, own_session(headers={"Authorization": "Basic no", "X-Mine": "1"}) as session:
        assert await text(server, session=session) == "hello"
        assert server.requests[0].header("authorization") == f"Bearer {KEY}"
        assert server.requests[0].header("x-mine") == "1"


async def test_what_a_session_makes_of_statuses_does_not_matter() -> None:
    """Kills: a 401 that is taken for a lost connection, because the session raises for statuses."""
    async with Loopback(answer(401, error(401))) as server, own_session(raise_for_status=True) as session:
        assert isinstance(await failure(server, session=session), AuthError)
        assert len(server.requests) == 1


async def test_what_a_session_makes_of_bodies_does_not_matter() -> None:
    zipped = answer(200, gzip.compress(BODY), ZIPPED)
    async with Loopback(zipped) as server, own_session(auto_decompress=False) as session:
        assert await text(server, session=session) == "hello"


async def test_what_a_session_makes_of_time_does_not_matter() -> None:
    tight = aiohttp.ClientTimeout(total=0.001, sock_read=0.001)

    async def slow(talk: Talk) -> None:
        await asyncio.sleep(0.05)
        await talk.say(OK)

    async with Loopback(slow) as server, own_session(timeout=tight) as session:
        assert await text(server, session=session, max_retries=0) == "hello"


async def test_a_session_with_auth_of_its_own_is_refused() -> None:
    with warnings.catch_warnings(action="ignore"):  # aiohttp is about to do away with it
        session = aiohttp.ClientSession(auth=aiohttp.BasicAuth("joe", "secret"))
    async with session:
        refused = OpenRouterClient.new(OpenRouterConfig(api_key=KEY), session=session).failure()
        assert isinstance(refused, InvalidRequest)
        assert refused.field == "session"


async def test_a_session_that_its_owner_has_closed() -> None:
    async with Loopback(OK) as server:
        session = aiohttp.ClientSession()
        async with client_of(server, session=session) as client:
            await session.close()
            lost = (await client.chat_completion(asking())).failure()
            assert isinstance(lost, ConnectError)
            assert lost.kind == "closed"


async def test_a_session_that_its_owner_closes_during_calls() -> None:
    """Kills: the CancelledError by which a closing pool wakes those who wait for a connection."""
    async with Loopback(silence) as server:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
        async with client_of(server, session=session, timeout_secs=5.0) as client:
            calls = [asyncio.create_task(client.chat_completion(asking())) for _ in range(3)]
            await until(lambda: server.requests)
            await session.close()
            for lost in await asyncio.gather(*calls):
                failed = lost.failure()
                assert isinstance(failed, ConnectError)
                assert failed.kind == "closed"


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, "sk-test", "a/b/c/d/e/f", 'quo"te\\slash', "short"])
def test_the_forms_of_a_secret_are_known(key: str) -> None:
    secrets = secrets_of(OpenRouterConfig(api_key=key))
    said = f"Bearer {key}"
    for echoed in (said, json.dumps(said), json.dumps(said).replace("/", "\\/")):
        for secret in secrets:
            echoed = echoed.replace(secret, "***")  # noqa: PLW2901 - each secret is struck out of what is left
        assert key not in echoed
        assert json.dumps(key)[1:-1] not in echoed


def test_a_placeholder_does_not_garble_answers() -> None:
    assert secrets_of(OpenRouterConfig(api_key="test")) == ("Bearer%20test", "Bearer test")


def test_a_transport_does_not_show_the_key() -> None:
    assert KEY not in repr(Transport(OpenRouterConfig(api_key=KEY)))


def test_a_hostile_server_cannot_fill_the_memory_with_names_of_headers() -> None:
    names = LowerCase()
    assert names["X" * (LONG_NAME + 1)] == "x" * (LONG_NAME + 1)
    assert not names
    assert all(names[f"X-{number}"] == f"x-{number}" for number in range(2 * MANY_NAMES))
    assert len(names) == MANY_NAMES


# --- aioresponses ---------------------------------------------------------------------------------------------------


async def test_aioresponses_serves_answers_and_failures() -> None:
    url = "https://openrouter.ai/api/v1/chat/completions"
    with aioresponses() as mocked:
        mocked.post(url, exception=aiohttp.ServerDisconnectedError())
        mocked.post(url, status=429, payload=error(429), headers={"Retry-After": "0.01"})
        mocked.post(url, payload=completion("mocked"))
        assert await text("https://openrouter.ai/api/v1") == "mocked"
        mocked.post(url, status=401, payload=error(401, "No auth"))
        assert isinstance(await failure("https://openrouter.ai/api/v1"), AuthError)
        sent = list(itertools.chain.from_iterable(mocked.requests.values()))
        assert len(sent) == 4
        assert {call.kwargs["headers"]["Authorization"] for call in sent} == {f"Bearer {KEY}"}
