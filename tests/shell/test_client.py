"""The client over real sockets: every verdict end to end, cancellation, floods, loops, closing, and no key anywhere."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import logging
import math
import pickle
import random
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from returns.result import Failure, Result, Success
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
    then_silence,
    until,
)

import openrouter_client
from openrouter_client import (
    Attempts,
    AuthError,
    ChatCompletionRequest,
    ChatMessage,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    EmptyCompletion,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    OpenRouterClient,
    OpenRouterConfig,
    OpenRouterError,
    ParseError,
    Policy,
    ProviderError,
    RateLimited,
    RequestOptions,
    Timeout,
    unwrap,
)
from openrouter_client.transport import Transport
from openrouter_core.errors import AnyError
from openrouter_core.journal import Moment

Call = Result[Any, DataSourceError]

# --- the verdict table, end to end ----------------------------------------------------------------------------------

RETRY, ONCE = 3, 1


def choice(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "part"}
    return completion(choices=[{"index": 0, "finish_reason": "stop", "message": message} | fields])


def row(status: int, code: int | str | None, kind: type[DataSourceError], tries: int, **metadata: Any) -> Any:
    return pytest.param(answer(status, error(code, **metadata)), kind, tries, id=f"{status}-{code}-{tries}")


ROWS = [
    *(row(status, status, InvalidRequest, ONCE) for status in (400, 413, 422)),
    row(401, 401, AuthError, ONCE),
    row(402, 402, InsufficientCredits, ONCE),
    row(403, 403, Forbidden, ONCE),
    row(404, 404, NotFound, ONCE),
    *(row(status, status, HttpError, ONCE) for status in (405, 406, 409, 410, 411, 412, 415, 418, 424, 425, 426, 451)),
    row(408, 408, ProviderError, RETRY),
    row(429, 429, RateLimited, RETRY),
    *(row(status, status, ProviderError, RETRY) for status in (500, 501, 502, 503, 504, 520, 524, 529, 599)),
    *(row(200, status, InvalidRequest, ONCE) for status in (400, 413, 422)),
    row(200, 401, AuthError, ONCE),
    row(200, 402, InsufficientCredits, ONCE),
    row(200, 403, Forbidden, ONCE),
    row(200, 404, NotFound, ONCE),
    row(200, 408, ProviderError, RETRY),
    row(200, 429, RateLimited, RETRY),
    *(row(200, status, ProviderError, RETRY) for status in (500, 502, 503, 504, 524, 529)),
    row(200, "502", ProviderError, RETRY),
    row(200, "server_error", ProviderError, RETRY),
    row(200, None, ProviderError, RETRY),
    *(row(400, code, kind, RETRY) for code, kind in ((429, RateLimited), (502, ProviderError), (408, ProviderError))),
    row(400, 402, InvalidRequest, ONCE),
    *(row(status, status, HttpError, ONCE) for status in (300, 301, 302, 303, 307, 308)),
    row(429, 429, RateLimited, ONCE, limit_source="openrouter_free_tier_daily"),
    pytest.param(answer(101), HttpError, ONCE, id="101"),
    pytest.param(answer(304), HttpError, ONCE, id="304"),
    pytest.param(answer(999), HttpError, ONCE, id="999"),
    pytest.param(answer(503, b""), ProviderError, RETRY, id="503 without a body"),
    pytest.param(answer(502, b"<html><title>Bad gateway</title>"), ProviderError, RETRY, id="502 in HTML"),
    pytest.param(answer(403, b"<html><title>Blocked</title>"), Forbidden, ONCE, id="403 in HTML"),
    pytest.param(
        answer(200, choice(error={"code": 502, "message": "upstream"})), ProviderError, RETRY, id="choice 502"
    ),
    pytest.param(answer(200, choice(error={"code": 403, "message": "moderated"})), Forbidden, ONCE, id="choice 403"),
    pytest.param(answer(200, choice(finish_reason="error")), ProviderError, RETRY, id="finish_reason error"),
    pytest.param(answer(200, completion(choices=[])), EmptyCompletion, RETRY, id="no choices"),
    pytest.param(answer(200, completion(choices=None)), EmptyCompletion, RETRY, id="null choices"),
    pytest.param(answer(200, {"id": "gen-1"}), EmptyCompletion, RETRY, id="absent choices"),
    pytest.param(answer(200, b"<html>"), ParseError, ONCE, id="200 in HTML"),
    pytest.param(answer(200, b"[1, 2]"), ParseError, ONCE, id="200, another shape"),
    pytest.param(answer(200, {"choices": "none"}), ParseError, ONCE, id="200, a wrong type"),
    pytest.param(answer(200, json.dumps(completion()).encode()[:-9]), Disconnected, RETRY, id="200, cut short"),
    pytest.param(answer(200, b""), Disconnected, RETRY, id="200, nothing"),
    pytest.param(answer(200, b" \n" * 100), Disconnected, RETRY, id="200, white space"),
    pytest.param(
        answer(500, {"error": {"code": 500, "message": "no", "availability": {"retryable": False}}}),
        ProviderError,
        ONCE,
        id="500, not retryable",
    ),
    pytest.param(
        answer(404, {"error": {"code": 404, "message": "no", "availability": {"retryable": True}}}),
        NotFound,
        RETRY,
        id="404, retryable",
    ),
    pytest.param(
        answer(402, error(402, limit_source="openrouter_in_flight_budget"), {"Retry-After": "0.01"}),
        InsufficientCredits,
        RETRY,
        id="402 that passes",
    ),
    pytest.param(
        answer(429, error(429), {"Retry-After": "3600"}), RateLimited, ONCE, id="429, longer than the longest wait"
    ),
]


@pytest.mark.parametrize(("said", "kind", "tries"), ROWS)
async def test_the_verdict_table(said: bytes, kind: type[DataSourceError], tries: int) -> None:
    async with Loopback(said) as server, client_of(server, max_retries=2) as client:
        failed = (await client.chat_completion(asking())).failure()
        assert type(failed) is kind
        assert len(server.requests) == len(failed.attempts) == tries
        assert [attempt.number for attempt in failed.attempts] == list(range(1, tries + 1))
        assert "\n" not in str(failed)
        assert pickle.loads(pickle.dumps(failed)) == failed  # noqa: S301 - our own
        assert msgspec.json.decode(msgspec.json.encode(failed), type=AnyError) == failed


@pytest.mark.parametrize(("said", "kind", "tries"), [one for one in ROWS if one.values[2] == RETRY])
async def test_what_is_tried_again_can_succeed(said: bytes, kind: type[DataSourceError], tries: int) -> None:
    async with Loopback(said, said, OK) as server, client_of(server, max_retries=2) as client:
        got = unwrap(await client.chat_completion(asking()))
        assert got.text == "hello"
        assert got.call is not None
        assert len(got.call.attempts) == len(server.requests) == tries


async def test_an_empty_answer_is_an_answer_unless_the_caller_wants_none() -> None:
    empty = choice(message={"role": "assistant", "content": ""}) | {"usage": {"completion_tokens": 0}}
    async with Loopback(answer(200, empty)) as server:
        async with client_of(server) as client:
            assert unwrap(await client.chat_completion(asking())).text == ""
        assert len(server.requests) == 1
        async with client_of(server, retry_empty=True) as client:
            assert isinstance((await client.chat_completion(asking())).failure(), EmptyCompletion)
        assert len(server.requests) == 4


async def test_a_hint_is_waited_for() -> None:
    moments: list[Moment] = []
    limited = answer(429, error(429), {"Retry-After": "0.05"})
    async with Loopback(limited, OK) as server, client_of(server, observe=moments.append) as client:
        unwrap(await client.chat_completion(asking()))
    sent = [moment.at for moment in moments if type(moment.event).__name__ == "Sent"]
    assert sent[1] - sent[0] >= 0.05


# --- what is refused before it is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "  ", "with space", "new\nline", None, "schlüssel"])
def test_a_key_that_is_none_is_an_auth_error(key: Any) -> None:
    refused = OpenRouterClient.new(OpenRouterConfig(api_key=key)).failure()
    assert isinstance(refused, AuthError)


@pytest.mark.parametrize(
    "setting",
    [
        {"timeout_secs": 0}, {"timeout_secs": math.nan}, {"timeout_secs": math.inf}, {"timeout_secs": "soon"},
        {"max_retries": -1}, {"retry_delay_ms": -5}, {"max_connections": 0}, {"base_url": "http://openrouter.ai"},
        {"base_url": "ftp://x"}, {"base_url": "https://u:p@x"}, {"proxy": "socks5://x"}, {"app_title": "a\r\nb: c"},
        {"ca_file": "/nonexistent.pem"}, {"ca_file": "a\0b"}, {"ca_file": "/"}, {"deadline_secs": 0},
        {"default_model": ""}, {"api_key": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_that_does_not_fit_is_named(setting: dict[str, Any]) -> None:
    refused = OpenRouterClient.new(OpenRouterConfig(**{"api_key": KEY} | setting)).failure()
    assert isinstance(refused, InvalidRequest)
    assert refused.field is not None
    assert refused.field.startswith(next(iter(setting)))
    assert refused.bound
    assert KEY not in repr(refused)


async def coroutine_hook(moment: Moment) -> None: ...


async def generator_hook(moment: Moment) -> AsyncIterator[Moment]:
    yield moment


class CallableHook:
    async def __call__(self, moment: Moment) -> None: ...


@pytest.mark.parametrize(
    "hook",
    [coroutine_hook, functools.partial(coroutine_hook), CallableHook(), CallableHook().__call__, generator_hook, 5],
    ids=lambda hook: type(hook).__name__,
)
def test_a_hook_that_would_never_be_awaited_is_refused(hook: Any) -> None:
    """Kills: an `async def` hook that is called, never runs, and leaves a warning for each moment."""
    refused = OpenRouterClient.new(OpenRouterConfig(api_key=KEY), observe=hook).failure()
    assert isinstance(refused, InvalidRequest)
    assert refused.field == "observe"


@pytest.mark.parametrize(
    "hook", [None, print, [].append, lambda _: 0, functools.partial(print, end=""), list, KEY.count]
)
def test_a_hook_that_can_be_called_is_accepted(hook: Any) -> None:
    assert isinstance(OpenRouterClient.new(OpenRouterConfig(api_key=KEY), observe=hook), Success)


@pytest.mark.parametrize(
    "request_",
    [
        None, {}, "hi", ChatCompletionRequest(messages=[]), asking(temperature=3.5), asking(temperature="hot"),
        asking(extra={"stream": True}), asking(options=RequestOptions(headers={"X": "a\nb"})),
        asking(options=RequestOptions(headers={"Authorization": "Bearer other"})),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
async def test_a_request_that_must_not_be_sent_is_not(request_: Any) -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        assert isinstance((await client.chat_completion(request_)).failure(), InvalidRequest)
        assert not server.connections


@pytest.mark.parametrize("deadline", [0, -1.0, math.nan, "soon"])
async def test_a_deadline_that_is_none_is_refused(deadline: Any) -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        refused = (await client.chat_completion(asking(), deadline_secs=deadline)).failure()
        assert isinstance(refused, InvalidRequest)
        assert refused.field == "deadline_secs"
        assert not server.connections


# --- cancellation ---------------------------------------------------------------------------------------------------


async def seen(server: Loopback, requests: int) -> None:
    await until(lambda: len(server.requests) >= requests)


async def gone(server: Loopback) -> None:
    """Wait until no connection is open any more, as the server sees it."""
    await until(lambda: not server.open)


def free(client: OpenRouterClient) -> int:
    return client.config.max_connections - client._calls.line.admission.in_flight


MIDWAY: dict[str, Script] = {
    "waiting for headers": silence,
    "in half a body": then_silence(answer(200, b"{", length=500)),
    "while it drips": drip,
    "in a chunk": then_silence(chunked(b"{", last=b"4")),
}


@pytest.mark.parametrize("script", MIDWAY.values(), ids=MIDWAY.keys())
async def test_cancelling_closes_the_socket_at_once(script: Script) -> None:
    async with Loopback(script) as server, client_of(server, timeout_secs=30.0, max_connections=1) as client:
        call = asyncio.create_task(client.chat_completion(asking()))
        await seen(server, 1)
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await gone(server)
        assert free(client) == 1
        server.scripts = [OK]
        assert isinstance(await client.chat_completion(asking()), Success)


async def test_cancelling_during_a_handshake_closes_the_socket() -> None:
    async with Loopback(silence, raw=True) as server:
        client = client_of(server.base_url.replace("http:", "https:"), max_connections=1)
        call = asyncio.create_task(client.chat_completion(asking()))
        await seen(server, 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: server.left)
        assert free(client) == 1
        await client.close()


async def test_cancelling_in_the_queue_leaves_the_others_their_turn() -> None:
    async with Loopback(silence, OK) as server, client_of(server, timeout_secs=30.0, max_connections=1) as client:
        first, second, third = (asyncio.create_task(client.chat_completion(asking())) for _ in range(3))
        await seen(server, 1)
        second.cancel()
        first.cancel()
        assert isinstance(await third, Success)
        assert second.cancelled() or await asyncio.wait([second])
        assert len(server.requests) == 2
        assert free(client) == 1


async def test_cancelling_between_attempts_sends_nothing_more() -> None:
    async with Loopback(answer(503)) as server, client_of(server, retry_delay_ms=60_000, max_connections=1) as client:
        call = asyncio.create_task(client.chat_completion(asking()))
        await seen(server, 1)
        await until(lambda: free(client))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(server.requests) == 1
        assert free(client) == 1


async def test_a_timeout_of_the_caller_is_the_callers() -> None:
    """Kills: the caller's own asyncio.timeout taken for ours, and answered with a Result."""
    async with Loopback(silence) as server, client_of(server) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.chat_completion(asking())
        await gone(server)


async def test_a_thousand_calls_half_of_them_cancelled() -> None:
    """Kills: places that are lost or handed out twice under cancellation, connections and tasks that are left."""
    dice, most = random.Random(7), 0

    async def think(talk: Talk) -> None:
        nonlocal most
        most = max(most, len(server.open))
        await asyncio.sleep(dice.random() * 0.01)
        await talk.say(OK)

    async with Loopback(think) as server, client_of(server, max_connections=40, timeout_secs=20.0) as client:
        calls = [asyncio.create_task(client.chat_completion(asking())) for _ in range(1000)]
        doomed = dice.sample(calls, 500)
        for call in doomed:
            await asyncio.sleep(dice.choice([0, 0, 0, 0.001]))
            call.cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        for call, result in zip(calls, results, strict=True):
            ok = isinstance(result, Success)
            assert ok or (call in set(doomed) and isinstance(result, asyncio.CancelledError))
        assert free(client) == 40
        assert most <= 2 * 40  # a cancelled call's connection may linger on the server's side for a moment


async def test_no_more_requests_are_under_way_than_allowed() -> None:
    under_way = most = 0

    async def think(talk: Talk) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        await talk.say(OK)

    async with Loopback(think) as server, client_of(server, max_connections=7, adaptive_limits=False) as client:
        results = await asyncio.gather(*(client.chat_completion(asking()) for _ in range(100)))
        assert all(isinstance(result, Success) for result in results)
        assert most == server.connections == 7


async def test_the_line_is_timed_by_the_deadline_alone() -> None:
    async def think(talk: Talk) -> None:
        await asyncio.sleep(0.06)
        await talk.say(OK)

    async with Loopback(think) as server, client_of(server, max_connections=1, timeout_secs=0.3) as client:
        patient = [asyncio.create_task(client.chat_completion(asking())) for _ in range(8)]
        await asyncio.sleep(0)
        hasty = await client.chat_completion(asking(), deadline_secs=0.1)
        assert isinstance(hasty.failure(), DeadlineExceeded)
        assert not hasty.failure().attempts
        assert all(isinstance(result, Success) for result in await asyncio.gather(*patient))


# --- floods ---------------------------------------------------------------------------------------------------------


async def test_a_flood_against_a_server_that_does_what_it_likes() -> None:
    dice, log = random.Random(11), Counter[str]()
    moods: dict[str, Script] = {
        "200": OK,
        "429": answer(429, error(429), {"Retry-After": "0.01"}),
        "503": answer(503, b"<html>"),
        "wrapped": answer(200, error(502)),
        "reset": reset,
        "hang up": hang_up,
        "cut": then_hang_up(answer(200, b"{", length=99)),
    }

    async def moody(talk: Talk) -> None:
        mood = dice.choice(["200", "200", *moods])
        log[mood] += 1
        script = moods[mood]
        await (talk.say(script) if isinstance(script, bytes) else script(talk))

    always_pardoned = {"max_retries": 3, "max_rate_retries": 8, "max_connections": 100, "adaptive_limits": False}
    async with Loopback(moody) as server, client_of(server, **always_pardoned) as client:
        results: list[Call] = await asyncio.gather(*(client.chat_completion(asking()) for _ in range(1000)))
        attempts = Counter[str]()
        for result in results:
            made = unwrap(result).call.attempts if isinstance(result, Success) else result.failure().attempts
            refused = sum(attempt.status == 429 for attempt in made)
            assert refused <= 9
            assert 1 <= len(made) - refused <= 4 or refused == 9
            assert isinstance(result, Success) or len(made) - refused == 4 or refused == 9
            attempts.update(attempt.outcome for attempt in made)
        assert sum(isinstance(result, Success) for result in results) == log["200"]
        assert attempts["HTTP 200"] == log["200"] + log["wrapped"]
        assert attempts["HTTP 429"] == log["429"]
        assert attempts["HTTP 503"] == log["503"]
        assert attempts["disconnected"] == log["reset"] + log["hang up"] + log["cut"]
        assert attempts.total() == len(server.requests)
        assert free(client) == 100


# --- the life of a client -------------------------------------------------------------------------------------------


async def test_a_client_that_is_never_used_can_be_closed() -> None:
    client = client_of("https://openrouter.ai/api/v1")
    await client.close()
    await client.close()
    async with client_of("https://openrouter.ai/api/v1"):
        pass


def test_a_client_can_be_made_and_dropped_without_a_loop() -> None:
    client = client_of("https://openrouter.ai/api/v1")
    assert KEY not in repr(client)
    del client
    gc.collect()


async def closed(call: Awaitable[Call]) -> None:
    lost = (await call).failure()
    assert isinstance(lost, ConnectError)
    assert lost.kind == "closed"


async def test_after_close_a_call_says_so() -> None:
    async with Loopback(OK) as server:
        client = client_of(server)
        assert isinstance(await client.chat_completion(asking()), Success)
        await client.close()
        await closed(client.chat_completion(asking()))
        assert len(server.requests) == 1


@pytest.mark.parametrize("script", [*MIDWAY.values(), answer(503)])
async def test_closing_ends_the_calls_under_way(script: Script) -> None:
    """Kills: calls that sleep, or wait in line, on and on after the client was closed."""
    async with Loopback(script) as server:
        slow = {"timeout_secs": 30.0, "retry_delay_ms": 60_000, "max_connections": 2}
        client = client_of(server, **slow)
        calls = [asyncio.create_task(client.chat_completion(asking())) for _ in range(5)]
        await seen(server, 2)
        await asyncio.sleep(0.01)
        await client.close()
        async with asyncio.timeout(2.0):
            for call in calls:
                await closed(call)
        await gone(server)


async def test_closing_during_a_look_up_of_an_address() -> None:
    client = client_of("http://nonexistent.invalid", allow_http=True, max_retries=0)
    call = asyncio.create_task(client.chat_completion(asking()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await client.close()
    assert isinstance((await call).failure(), ConnectError)


def test_a_client_serves_one_loop() -> None:
    clients: list[OpenRouterClient] = []

    async def first() -> None:
        async with Loopback(OK) as server:
            clients.append(client_of(server))
            assert isinstance(await clients[0].chat_completion(asking()), Success)

    async def second() -> None:
        lost = (await clients[0].chat_completion(asking())).failure()
        assert isinstance(lost, ConnectError)
        assert "another event loop" in lost.message
        await clients[0].close()
        await clients[0].close()

    asyncio.run(first())
    asyncio.run(second())


def test_a_session_of_another_loop_is_told() -> None:
    async def make() -> Any:
        import aiohttp

        return aiohttp.ClientSession()

    async def use() -> None:
        async with Loopback(OK) as server, client_of(server, session=session) as client:
            lost = (await client.chat_completion(asking())).failure()
            assert isinstance(lost, ConnectError)
            assert "another event loop" in lost.message
        await session.close()

    session = asyncio.run(make())
    asyncio.run(use())


async def test_a_policy_of_ones_own() -> None:
    async with Loopback(answer(503)) as server:
        client = client_of(server, policy=Policy(schedule=Attempts(4), timeout=1.0))
        assert len((await client.chat_completion(asking())).failure().attempts) == 5
        await client.close()


async def test_the_retired_default_is_replaced() -> None:
    async with Loopback(OK) as server:
        async with client_of(server) as client:
            unwrap(await client.chat_completion(asking()))
        async with client_of(server, resolve_retired_models=False) as client:
            unwrap(await client.chat_completion(asking()))
        models = [json.loads(seen.body)["model"] for seen in server.requests]
        assert models == ["~x-ai/grok-latest", "x-ai/grok-3-latest"]


def test_everything_public_is_exported() -> None:
    assert sorted(openrouter_client.__all__) == openrouter_client.__all__
    for name in openrouter_client.__all__:
        assert hasattr(openrouter_client, name)


# --- no key anywhere ------------------------------------------------------------------------------------------------


async def echo(talk: Talk, spread: Callable[[str], bytes]) -> None:
    await talk.say(spread(talk.seen.header("authorization") or ""))
    talk.hang_up()


def spreads(status: int, place: str) -> Callable[[str], bytes]:
    """Ways in which a server may say the key back."""

    def spread(told: str) -> bytes:
        match place:
            case "message":
                return answer(status, error(status, f"bad key: {told}"))
            case "raw":
                return answer(status, error(status, "no", raw=json.dumps({"error": {"message": told}})))
            case "escaped":
                return answer(status, json.dumps(error(status, told)).replace("/", "\\/").encode())
            case "header":
                echoes = {"X-Generation-Id": told, "Location": f"http://x/{told}", "Retry-After": told}
                return answer(status, error(status), echoes)
            case "html":
                return answer(status, f"<html><title>{told}</title>{told}".encode())
            case "reason":
                return f"HTTP/1.1 {status} {told}\r\nContent-Length: 0\r\n\r\n".encode()
            case "garbage":
                return f"{told}\r\n\r\n".encode()
            case "cut":
                return answer(status, told.encode(), {"X-Echo": told}, length=9999)
            case "content":
                return answer(status, completion(told, id=told, provider=told))
            case "chunks":
                return chunked(*[bytes([byte]) for byte in json.dumps(error(status, told)).encode()])
            case _:
                return b"HTTP/1.1 200 OK\r\nX-Echo: " + told.encode() + b"\r\nX-Ech"

    return spread


places = ["message", "raw", "escaped", "header", "html", "reason", "garbage", "cut", "content", "chunks", "half"]
keys = st.one_of(
    st.just(KEY),
    st.text("ABCDEFGabcdefg0123456789-._~+/=:!$&*", min_size=9, max_size=60),
    st.text("abc0123-", min_size=4, max_size=20).map("sk-{}".format),
)


class Ears(logging.Handler):
    """Hears everything that is logged, by anybody, with all its fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += [self.format(record), repr(vars(record))]


def shown(result: Call) -> list[str]:
    """Everything that a result can be made to say."""
    value = result.failure() if isinstance(result, Failure) else unwrap(result)
    said = [str(value), repr(value), repr(result), msgspec.json.encode(value).decode(), repr(pickle.dumps(value))]
    if isinstance(value, DataSourceError):
        said += [str(value.attempts), value.advice()]
        try:
            unwrap(result)
        except OpenRouterError as raised:
            said += [*traceback.format_exception(raised), repr(pickle.dumps(raised)), repr(raised)]
    return said


async def leaks(status: int, place: str, key: str) -> list[str]:
    """What is said about a call to a server that echoes the key, as far as the key is in it."""
    return [one for one in await said_of(status, place, key) if key in one]


async def said_of(status: int, place: str, key: str) -> list[str]:
    """Everything that is said about a call to a server that echoes the key."""
    moments: list[Moment] = []
    ears, root = Ears(), logging.getLogger()
    before = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        async with Loopback(lambda talk: echo(talk, spreads(status, place))) as server:
            given = {"api_key": key, "max_retries": 1, "log_content": True, "observe": moments.append}
            async with client_of(server, **given) as client:
                result = await client.chat_completion(asking())
                said = [
                    *shown(result),
                    repr(client),
                    str(client),
                    repr(client.config),
                    repr(pickle.dumps(client.config)),
                ]
                assert server.requests[0].header("authorization") == f"Bearer {key}"
    finally:
        root.removeHandler(ears)
        root.setLevel(before)
    return [*said, repr(moments), msgspec.json.encode(moments).decode(), *ears.heard]


@settings(max_examples=60)
@given(st.sampled_from([200, 400, 401, 404, 429, 500]), st.sampled_from(places), keys)
async def test_the_key_is_nowhere(status: int, place: str, key: str) -> None:
    """Kills: a key that comes back in an echo, a log line, a moment, a repr, a pickle or a traceback."""
    leaked = await leaks(status, place, key)
    if leaked and key != KEY:  # is it that key's, or a text that any call says, like the address of the server?
        assume(not any(key in one for one in await said_of(status, place, KEY)))
    assert not leaked


@pytest.mark.parametrize(("what", "place"), [("struck", "header"), ("struck", "half"), ("struck_bytes", "raw")])
async def test_a_planted_leak_is_found(what: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport, what, lambda _, said: said)
    assert await leaks(401, place, KEY)


async def test_timeouts_and_lost_connections_do_not_tell_the_key() -> None:
    for script in (silence, reset, hang_up):
        async with Loopback(script) as server, client_of(server, timeout_secs=0.05, max_retries=1) as client:
            result = await client.chat_completion(asking())
            assert isinstance(result.failure(), Timeout | Disconnected)
            assert not any(KEY in one for one in shown(result))


async def test_a_message_can_be_sent_back() -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        first = unwrap(await client.chat_completion(asking()))
        assert first.message is not None
        history = [ChatMessage.user("hi"), first.message.to_message(), ChatMessage.user("and?")]
        unwrap(await client.chat_completion(ChatCompletionRequest(messages=history)))
        assert json.loads(server.requests[1].body)["messages"][1] == {"role": "assistant", "content": "hello"}
