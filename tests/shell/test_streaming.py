"""What users do with a stream: take it, leave it, lose it, cancel it; and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import tracemalloc
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from returns.result import Failure, Success
from tests.core.streamed import COMMENT, DONE, ERROR, FAILING, USAGE, WHOLE, chunk, ended, event, piece, said
from tests.shell import loopback, sse
from tests.shell.loopback import (
    KEY,
    OK,
    Loopback,
    Script,
    Talk,
    answer,
    chunked,
    client_of,
    completion,
    error,
    hang_up,
    reset,
    silence,
    until,
)
from tests.shell.virtual import Journal

from openrouter_client import ChatCompletionRequest, ChatMessage, ChatStream, OpenRouterClient
from openrouter_client.calls import CallOptions
from openrouter_client.simulator import Simulator
from openrouter_client.streaming import ByteStream, Handle, watched
from openrouter_core.errors import (
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    EmptyCompletion,
    InvalidRequest,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
)
from openrouter_core.journal import Answered, Ended, Queued, Sent, Slept, replay
from openrouter_core.states import Job
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.response import ChatCompletionResponse

ANSWER = said("It ", "will", " rain.") + ended()
GOOD = sse.whole(ANSWER)


def asking(**fields: Any) -> ChatCompletionRequest:
    """A small request, for a model that needs no warning."""
    return loopback.asking(**{"model": "m/x", **fields})


async def took(stream: ChatStream) -> str:
    """Take a stream to its end; give the text that was handed out."""
    return "".join([chunk.text async for chunk in stream])


def failed(result: Any) -> Any:
    assert isinstance(result, Failure)
    return result.failure()


def succeeded(result: Any) -> ChatCompletionResponse:
    assert isinstance(result, Success), result
    answer: ChatCompletionResponse = result.unwrap()
    return answer


def idle(client: OpenRouterClient) -> bool:
    """Whether all places in line are free."""
    admission = client._calls.line.admission
    return admission.in_flight == admission.alive == admission.lines.waiting == 0


# --- taking a stream ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WHOLE)
async def test_a_stream_is_what_the_call_would_have_been(name: str) -> None:
    async with Loopback(sse.packets(WHOLE[name])) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            text = await took(stream)
        handed_out = succeeded(stream.result)
        collected = succeeded(await client.chat_completion(asking(), streamed=True))
        assert handed_out.choices == collected.choices
        assert handed_out.usage == collected.usage
        assert name == "a choice at a time" or text == handed_out.text
        assert stream.snapshot == handed_out
        assert handed_out.call is not None
        assert [attempt.outcome for attempt in handed_out.call.attempts] == ["HTTP 200, stream finished"]
        assert handed_out.call.generation_id == "gen-h"
        assert b'"stream":true' in server.requests[0].body
        assert server.connections == 1
        assert idle(client)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reasoning", [False, True])
async def test_the_local_openrouter_says_the_same_in_pieces(seed: int, reasoning: bool) -> None:
    weather = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    more: dict[str, Any] = {"tools": [weather]} if seed % 2 else {}
    if reasoning:
        more["reasoning"] = {"effort": "high"}
    request = ChatCompletionRequest(messages=[ChatMessage.user("Will it rain?")], model="x-ai/grok-4", **more)
    answers: list[ChatCompletionResponse] = []
    for way in ("whole", "collected", "handed out"):
        async with Simulator(seed=seed) as sim, client_of(sim.base_url, api_key=sim.api_key) as client:
            if way == "handed out":
                async with client.stream_chat_completion(request) as stream:
                    text = await took(stream)
                answers.append(succeeded(stream.result))
                assert text == answers[-1].text
            else:
                answers.append(succeeded(await client.chat_completion(request, streamed=way == "collected")))
    first = answers[0]
    for other in answers[1:]:
        assert other.message == first.message
        assert (other.finish_reason, other.usage, other.model, other.provider) == (
            first.finish_reason,
            first.usage,
            first.model,
            first.provider,
        )


async def test_only_the_text() -> None:
    async with Loopback(sse.packets(COMMENT, chunk(piece("")), *[said("a"), said("b"), ended()])) as server:
        async with client_of(server) as client, client.stream_chat_completion(asking()) as stream:
            assert [text async for text in stream.texts()] == ["a", "b"]
        assert succeeded(stream.result).text == "ab"


async def test_collecting_what_is_left() -> None:
    async with Loopback(GOOD) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert (await anext(stream)).text == "It "
            assert succeeded(await stream.collect()).text == "It will rain."
            assert succeeded(await stream.collect()).text == "It will rain."
        assert succeeded(await client.stream_chat_completion(asking()).collect()).text == "It will rain."


async def test_the_answer_so_far() -> None:
    async with Loopback(sse.packets(said("a"), said("b"), ended())) as server, client_of(server) as client:
        stream = client.stream_chat_completion(asking())
        assert stream.snapshot == ChatCompletionResponse()
        assert failed(stream.result).message == "the stream has not ended yet"
        async with stream:
            seen = []
            async for one in stream:
                if one.text:
                    seen.append(stream.snapshot.text)
                    assert failed(stream.result).partial == stream.snapshot
        assert seen == ["a", "ab"]


async def test_a_stream_can_be_taken_once() -> None:
    """Exists for a second loop that gave the whole text again."""
    for script in (GOOD, OK):
        async with Loopback(script) as server, client_of(server) as client:
            async with client.stream_chat_completion(asking()) as stream:
                assert await took(stream) != ""
                assert await took(stream) == ""
            assert await took(stream) == ""
            assert len(server.requests) == 1


async def test_a_stream_is_made_without_a_loop_and_sends_nothing_by_itself() -> None:
    async with Loopback(GOOD) as server, client_of(server) as client:
        stream = await asyncio.to_thread(client.stream_chat_completion, asking())
        async with stream:
            await asyncio.sleep(0.01)
        assert server.requests == []
        assert failed(stream.result).message == "the stream was left before its first content"
        assert await took(stream) == ""
        assert idle(client)


@pytest.mark.parametrize(
    "body", [OK, answer(200, completion(content=None)), chunked(b" \n", OK.partition(b"\r\n\r\n")[2])]
)
async def test_an_answer_in_one_piece(body: bytes) -> None:
    async with Loopback(body) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            chunks = [one async for one in stream]
        assert len(chunks) == 1
        assert chunks[0].text == succeeded(stream.result).text == stream.snapshot.text
        assert chunks[0].usage == succeeded(stream.result).usage


async def test_an_answer_with_nothing_in_it_comes_as_one_chunk() -> None:
    async with Loopback(sse.whole(WHOLE["nothing said"])) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            chunks = [one async for one in stream]
        assert [(one.text, one.choices and one.choices[0].finish_reason) for one in chunks] == [("", "stop")]
        assert succeeded(stream.result).cost == USAGE["cost"]


# --- failures before the first content are retried ------------------------------------------------------------------

BEFORE: list[tuple[str, Script]] = [
    ("429", answer(429, error(429))),
    ("503 HTML", answer(503, b"<html>", {"Content-Type": "text/html"})),
    ("200 with an error", answer(200, error(502))),
    ("reset", reset),
    ("hang up", hang_up),
    ("no event", sse.then_comments()),
    ("silence", silence),
    ("cut", sse.then_close(chunk(piece("")), polite=True)),
    ("lost", sse.then_close(chunk(piece("")), polite=False)),
    ("stalled", sse.then_comments(chunk(piece("")))),
    ("malformed", sse.whole(chunk(piece("")), b"data: {nonsense\n\n")),
    ("nothing", sse.whole()),
    *[(f"error {name}", sse.whole(chunk(piece("")) + data)) for name, data in FAILING.items()],
]
QUICK: dict[str, Any] = {"first_event_timeout_secs": 0.1, "idle_timeout_secs": 0.1}


@pytest.mark.parametrize(("_name", "script"), BEFORE)
async def test_a_failure_before_the_first_content_is_retried(_name: str, script: Script) -> None:
    async with Loopback(script, GOOD) as server, client_of(server, **QUICK) as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert await took(stream) == "It will rain."
        whole = succeeded(stream.result)
        assert whole.call is not None
        assert len(whole.call.attempts) == len(server.requests) == 2
        assert idle(client)


async def test_failures_before_the_first_content_end_the_call_at_last() -> None:
    for _, script in BEFORE[:3]:
        async with Loopback(script) as server, client_of(server, **QUICK) as client:
            async with client.stream_chat_completion(asking()) as stream:
                assert [one async for one in stream] == []
            assert len(failed(stream.result).attempts) == len(server.requests) == 3


async def test_an_empty_answer_is_retried_where_that_is_asked_for() -> None:
    """Exists for the chunks of two attempts that were handed out one after the other."""
    nothing = sse.whole(chunk(piece("", "stop")) + chunk(usage={**USAGE, "completion_tokens": 0}) + DONE)
    async with Loopback(nothing, GOOD) as server:
        async with client_of(server, retry_empty=True) as client, client.stream_chat_completion(asking()) as stream:
            chunks = [one async for one in stream]
        assert "".join(one.text for one in chunks) == "It will rain."
        assert [one.choices and one.choices[0].finish_reason for one in chunks][:3] == [None, None, None]
    async with Loopback(nothing) as server, client_of(server, retry_empty=True) as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert await took(stream) == ""
        assert isinstance(failed(stream.result), EmptyCompletion)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (answer(400, error(400)), InvalidRequest),
        (answer(200, b"<html><title>Oh</title>", {"Content-Type": "text/html"}), ParseError),
        (sse.whole(chunk(error={"code": 400, "message": "no"})), InvalidRequest),
        (sse.whole(event({"error": {"code": "invalid_prompt", "message": "no"}})), InvalidRequest),
    ],
)
async def test_what_is_permanent_is_not_retried(script: bytes, kind: type[DataSourceError]) -> None:
    async with Loopback(script) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert await took(stream) == ""
        assert isinstance(failed(stream.result), kind)
        assert len(server.requests) == 1


# --- failures after it never are ------------------------------------------------------------------------------------

AFTER: list[tuple[str, Script, type[DataSourceError]]] = [
    ("cut", sse.then_close(said("a", "b"), polite=True), TruncatedStream),
    ("lost", sse.then_close(said("a", "b"), polite=False), Disconnected),
    ("reset", sse.then_reset(said("a", "b")), Disconnected),
    ("stalled", sse.then_wait(said("a", "b")), Timeout),
    ("comments", sse.then_comments(said("a", "b")), Timeout),
    ("malformed", sse.whole(said("a", "b"), b"data: {nonsense\n\n", ended()), ParseError),
    ("no reason", sse.whole(said("a", "b"), DONE), TruncatedStream),
    ("limited", sse.whole(said("a", "b"), chunk(error={"code": 429, "message": "slow down"})), RateLimited),
    *[(f"error {name}", sse.packets(said("a", "b"), data), ProviderError) for name, data in FAILING.items()],
]


@pytest.mark.parametrize(("_name", "script", "kind"), AFTER)
async def test_a_failure_after_the_first_content_is_not(
    _name: str, script: Script, kind: type[DataSourceError]
) -> None:
    async with Loopback(script, GOOD) as server, client_of(server, **QUICK) as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert await took(stream) == "ab"
        lost = failed(stream.result)
        assert isinstance(lost, kind)
        assert lost.partial is not None
        assert lost.partial.text == "ab"
        assert lost.generation_id == "gen-h"
        assert len(server.requests) == len(lost.attempts) == 1
        assert idle(client)


@pytest.mark.parametrize(("_name", "script", "_kind"), AFTER)
async def test_unless_nothing_was_handed_out(_name: str, script: Script, _kind: type[DataSourceError]) -> None:
    async with Loopback(script, GOOD) as server, client_of(server, **QUICK) as client:
        assert succeeded(await client.chat_completion(asking(), streamed=True)).text == "It will rain."
        assert len(server.requests) == 2
        assert idle(client)


async def test_a_caller_may_forbid_to_pay_twice() -> None:
    for _, script, kind in AFTER[:6]:
        async with Loopback(script, GOOD) as server, client_of(server, retry_sent=False, **QUICK) as client:
            assert isinstance(failed(await client.chat_completion(asking(), streamed=True)), kind)
            assert len(server.requests) == 1


FAULTS: dict[str, type[DataSourceError]] = {
    "midstream": ProviderError,
    "midstream-429": RateLimited,
    "midstream-bare": ProviderError,
    "midstream-done": ProviderError,
    "midstream-alone": ProviderError,
    "midstream-string": ProviderError,
    "midstream-late": InvalidRequest,
    "cutstream": TruncatedStream,
    "stall@0.02": Timeout,
    "malformed": ParseError,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_faults_of_the_local_openrouter(fault: str) -> None:
    async with Simulator(seed=3) as sim, client_of(sim.base_url, api_key=sim.api_key, **QUICK) as client:
        sim.script(fault)
        async with client.stream_chat_completion(asking(model="openai/gpt-4o-mini")) as stream:
            text = await took(stream)
        lost = failed(stream.result)
        assert isinstance(lost, FAULTS[fault])
        assert text
        assert lost.partial is not None
        assert text == lost.partial.text
        sim.script(fault)
        collected = await client.chat_completion(asking(model="openai/gpt-4o-mini"), streamed=True)
        assert isinstance(collected, Failure if fault == "midstream-late" else Success)
        assert idle(client)


@pytest.mark.parametrize("fault", ["midstream-first", "stall-first@0.02", "stream-json", "no-done", "503", "reset"])
async def test_the_faults_that_no_one_sees(fault: str) -> None:
    async with Simulator(seed=3) as sim, client_of(sim.base_url, api_key=sim.api_key, **QUICK) as client:
        sim.script(fault)
        async with client.stream_chat_completion(asking(model="openai/gpt-4o-mini")) as stream:
            text = await took(stream)
        assert text == succeeded(stream.result).text != ""


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "settings", "clock"),
    [
        (sse.then_comments(), {"first_event_timeout_secs": 0.1}, "first_event"),
        (silence, {"first_event_timeout_secs": 0.1}, "first_event"),
        (sse.then_comments(said("a")), {"idle_timeout_secs": 0.1}, "idle"),
        (sse.then_comments(said("a")), {"timeout_secs": 0.1}, "attempt"),
        (silence, {"timeout_secs": 0.1}, "attempt"),
    ],
)
async def test_each_clock_is_named(script: Script, settings: dict[str, Any], clock: str) -> None:
    async with Loopback(script) as server, client_of(server, max_retries=0, **settings) as client:
        async with client.stream_chat_completion(asking()) as stream:
            await took(stream)
        late = failed(stream.result)
        assert isinstance(late, Timeout)
        assert (late.clock, late.after) == (clock, 0.1)
        assert isinstance(failed(await client.chat_completion(asking(), streamed=True)), Timeout)


async def test_a_deadline_is_for_the_first_event_of_what_is_handed_out() -> None:
    slow = sse.packets(said("a"), *[COMMENT] * 40, said("b"), ended())
    async with Loopback(slow) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking(), deadline_secs=0.1) as stream:
            assert await took(stream) == "ab"
        assert isinstance(stream.result, Success)
        assert isinstance(
            failed(await client.chat_completion(asking(), streamed=True, deadline_secs=0.1)), DeadlineExceeded
        )
    async with Loopback(silence) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking(), deadline_secs=0.1) as stream:
            assert await took(stream) == ""
        late = failed(stream.result)
        assert isinstance(late, DeadlineExceeded)
        assert isinstance(late.cause, Timeout)


async def test_what_stands_in_the_way_is_the_result() -> None:
    async with Loopback(GOOD) as server:
        client = client_of(server)
        for request, seconds in ((asking(temperature=9.0), None), (asking(), -1.0)):
            async with client.stream_chat_completion(request, deadline_secs=seconds) as stream:
                assert await took(stream) == ""
            assert isinstance(failed(stream.result), InvalidRequest)
        await client.close()
        async with client.stream_chat_completion(asking()) as stream:
            assert await took(stream) == ""
        assert isinstance(failed(stream.result), ConnectError)
        assert server.requests == []


# --- leaving --------------------------------------------------------------------------------------------------------

HALF = sse.then_wait(said("a", "b"))


async def broken_off(stream: ChatStream) -> None:
    async with stream:
        async for _ in stream:
            break


async def failing_body(stream: ChatStream) -> None:
    async with stream:
        async for _ in stream:
            raise ZeroDivisionError


async def raised(stream: ChatStream) -> None:
    with pytest.raises(ZeroDivisionError):
        await failing_body(stream)


async def texts_broken_off(stream: ChatStream) -> None:
    async with stream:
        async for _ in stream.texts():
            break


async def closed(stream: ChatStream) -> None:
    async for _ in stream:
        await stream.close()
    await stream.close()


async def closed_by_another(stream: ChatStream) -> None:
    taking = asyncio.ensure_future(took(stream))
    await until(lambda: stream.snapshot.text == "ab")
    await stream.close()
    await stream.close()
    assert await taking == "ab"
    await stream.close()


async def cancelled(stream: ChatStream) -> None:
    task = asyncio.ensure_future(taken_in_its_block(stream))
    await until(lambda: stream.snapshot.text == "ab")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_in_the_body(stream: ChatStream) -> None:
    reached = asyncio.Event()

    async def taking() -> None:
        async with stream:
            async for _ in stream:
                reached.set()
                await asyncio.sleep(60)

    task = asyncio.ensure_future(taking())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def taken_in_its_block(stream: ChatStream) -> None:
    async with stream:
        await took(stream)


async def timed_out(stream: ChatStream) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(taken_in_its_block(stream), 0.05)


WAYS = [broken_off, raised, texts_broken_off, closed, closed_by_another, cancelled, cancelled_in_the_body, timed_out]


@pytest.mark.parametrize("way", WAYS)
async def test_leaving_closes_the_connection_at_once(way: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Exists for streams that go on, and are billed, when nobody listens any more."""
    caplog.set_level(logging.DEBUG, "openrouter_client")
    journal = Journal()
    async with Loopback(HALF, GOOD) as server, client_of(server, max_connections=1, observe=journal) as client:
        stream = client.stream_chat_completion(asking())
        await way(stream)
        assert idle(client)
        await until(lambda: server.left)
        left = failed(stream.result)
        assert isinstance(left, TruncatedStream)
        assert left.message == "the stream was left before its end"
        assert left.partial is not None
        assert left.partial.text == stream.snapshot.text == "ab"
        assert left.attempts[0].outcome == "HTTP 200, stream cut"
        assert await took(stream) == ""
        assert [type(moment.event) for moment in journal.moments] == [Queued, Sent, Answered, Ended]
        assert [record.levelname for record in caplog.records] == ["DEBUG"]
        assert succeeded(await client.chat_completion(asking(), streamed=True)).text == "It will rain."


async def test_closing_in_the_instant_in_which_a_piece_comes_closes_too() -> None:
    """Kills: a `close` that comes too late for the wait that it ends, and too early to find nobody waiting."""
    came, told = asyncio.Event(), list[str]()

    async def batches() -> AsyncGenerator[list[bytes], None]:
        try:
            await came.wait()
            yield [b"piece"]
        finally:
            told.append("closed")

    stream = ByteStream(batches(), Handle())
    taking = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    came.set()
    await stream.close()
    assert await taking is None
    assert told == ["closed"]


@pytest.mark.parametrize("script", [silence, sse.then_wait(), sse.then_comments(chunk(piece("")))])
async def test_cancelling_before_the_first_content(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """Exists for a retry that was announced for a call that had been given up."""
    async with Loopback(script, GOOD) as server, client_of(server, max_connections=1) as client:
        stream = client.stream_chat_completion(asking())
        async with stream:
            taking = asyncio.ensure_future(took(stream))
            await until(lambda: server.requests)
        assert await taking == ""
        await until(lambda: server.left)
        assert failed(stream.result).message == "the stream was left before its first content"
        assert [vars(record)["event"] for record in caplog.records if record.name == "openrouter_client"] == [
            "call.left"
        ]
        assert idle(client)


async def test_leaving_while_in_line_and_while_waiting_for_the_next_attempt() -> None:
    async with Loopback(HALF) as server, client_of(server, max_connections=1) as client:
        async with client.stream_chat_completion(asking()) as first, client.stream_chat_completion(asking()) as second:
            await anext(first)
            taking = asyncio.ensure_future(took(second))
            await until(lambda: client._calls.line.admission.lines.waiting)
            await second.close()
            assert await taking == ""
        assert idle(client)
        assert len(server.requests) == 1
    async with Loopback(answer(503)) as server, client_of(server, retry_delay_ms=60_000) as client:
        async with client.stream_chat_completion(asking()) as stream:
            taking = asyncio.ensure_future(took(stream))
            await until(lambda: server.requests)
            await until(lambda: not client._calls.line.admission.in_flight)
        assert await taking == ""
        assert idle(client)


async def test_leaving_when_all_has_come() -> None:
    """Exists for answers that were whole, and called truncated because of the mark that nobody waited for."""
    for script in (GOOD, sse.then_wait(ANSWER), sse.then_wait(ANSWER.removesuffix(DONE))):
        async with Loopback(script) as server, client_of(server) as client:
            async with client.stream_chat_completion(asking()) as stream:
                async for one in stream:
                    if one.usage:
                        break
            assert succeeded(stream.result).text == "It will rain."
            assert idle(client)


async def test_a_stream_without_a_block_gives_its_place_back_when_it_is_forgotten() -> None:
    """Exists for places in line that are lost for ever."""
    async with Loopback(HALF, GOOD) as server, client_of(server, max_connections=1) as client:
        async for _ in client.stream_chat_completion(asking()):
            break
        gc.collect()
        await until(lambda: idle(client))
        await until(lambda: server.left)
        assert isinstance(await client.chat_completion(asking(), streamed=True), Success)


async def test_a_stream_that_was_never_taken_leaves_nothing() -> None:
    async with Loopback(GOOD) as server, client_of(server) as client:
        client.stream_chat_completion(asking())
        async with client.stream_chat_completion(asking()):
            pass
        gc.collect()
        assert idle(client)
        assert server.requests == []


async def test_a_client_that_is_closed_meanwhile() -> None:
    async with Loopback(HALF) as server:
        client = client_of(server)
        async with client.stream_chat_completion(asking()) as stream:
            assert (await anext(stream)).text == "a"
            await client.close()
            assert await took(stream) == "b"
        lost = failed(stream.result)
        assert isinstance(lost, Disconnected)
        assert lost.partial is not None
        assert lost.partial.text == "ab"


async def test_cancelling_a_collected_call() -> None:
    async with Loopback(HALF) as server, client_of(server, max_connections=1) as client:
        task = asyncio.ensure_future(client.chat_completion(asking(), streamed=True))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.left)
        assert idle(client)


# --- what is told of it ---------------------------------------------------------------------------------------------


async def test_the_moments_of_a_stream() -> None:
    journal = Journal()
    async with Loopback(answer(503), GOOD) as server, client_of(server, observe=journal) as client:
        assert isinstance(await client.stream_chat_completion(asking()).collect(), Success)
    kinds = [type(moment.event) for moment in journal.moments]
    assert kinds == [Queued, Sent, Answered, Slept, Queued, Sent, Answered, Ended]


async def test_a_stream_that_was_left_can_be_replayed() -> None:
    journal = Journal()
    async with Loopback(HALF) as server, client_of(server, observe=journal) as client:
        job = client._calls.chat_job(asking(), CallOptions(), "handed_out")
        assert isinstance(job, Job)
        await broken_off(stream := client.stream_chat_completion(asking()))
    assert replay(job, journal.moments).result == stream.result  # type: ignore[union-attr] # a state without a result fails the test too


@pytest.mark.parametrize(
    "script", [GOOD, sse.whole(said("a"), event({"error": ERROR})), sse.whole(said("a")), answer(400, error(400))]
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_one_line_for_each_call(script: bytes, streamed: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openrouter_client")
    async with Loopback(script) as server, client_of(server, max_retries=0) as client:
        if streamed:
            await client.chat_completion(asking(), streamed=True)
        else:
            await client.stream_chat_completion(asking()).collect()
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


@pytest.mark.parametrize("step", [1, 7, 50])
async def test_the_key_is_nowhere(step: int, caplog: pytest.LogCaptureFixture) -> None:
    """Exists for keys that a server echoes, in two packets."""
    caplog.set_level(logging.DEBUG)
    journal = Journal()
    broken = chunk(error={"code": 502, "message": f"no key like {KEY}", "metadata": {"raw": f"{KEY}!"}})
    data = said("a", f"{KEY} ") + broken

    async def script(talk: Talk) -> None:
        await talk.say(sse.HEAD)
        for at in range(0, len(data), step):
            await talk.say(sse.framed(data[at : at + step]))
            await asyncio.sleep(0)
        await talk.say(sse.LAST)

    async with Loopback(script) as server, client_of(server, observe=journal, log_content=True) as client:
        async with client.stream_chat_completion(asking()) as stream:
            text = await took(stream)
        lost = failed(stream.result)
        assert text == "a*** "
        for told in (repr(lost), str(lost), repr(journal.moments), repr(stream.snapshot), caplog.text, repr(stream)):
            assert KEY not in told
        collected = failed(await client.chat_completion(asking(), streamed=True))
        assert KEY not in repr(collected)


# --- many and long --------------------------------------------------------------------------------------------------


async def test_many_streams_at_once() -> None:
    async with Loopback(sse.packets(said("a"), COMMENT, said("b"), ended())) as server, client_of(server) as client:

        async def one() -> str:
            async with client.stream_chat_completion(asking()) as stream:
                return await took(stream) + succeeded(stream.result).text

        assert set(await asyncio.gather(*[one() for _ in range(200)])) == {"abab"}
        assert idle(client)


def growing(count: int) -> Script:
    """A long stream, with comments in between, in packets of some hundred events."""

    async def script(talk: Talk) -> None:
        await talk.say(sse.HEAD)
        block = sse.framed((said("w") + COMMENT) * 250)
        for _ in range(count // 250):
            await talk.say(block)
        await talk.say(sse.framed(ended()) + sse.LAST)

    return script


async def test_a_long_stream_needs_little_memory() -> None:
    """Exists for chunks and events that are kept, and for work that grows with the square."""
    count = 50_000
    async with Loopback(growing(count)) as server, client_of(server) as client:
        async with client.stream_chat_completion(asking()) as stream:
            seen = sum([len(one.text) async for one in stream])
        assert seen == len(succeeded(stream.result).text) == count
        tracemalloc.start()
        whole = succeeded(await client.chat_completion(asking(), streamed=True))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(whole.text) == count
        assert peak < 6_000_000  # a kept chunk has some 500 bytes: all of them would be 25 MB


@pytest.mark.parametrize("coroutine", [False, True])
async def test_watching_a_stream(coroutine: bool) -> None:
    seen: list[str] = []

    async def waiting(one: ChatCompletionChunk) -> None:
        await asyncio.sleep(0)
        seen.append(one.text)

    async with Loopback(GOOD) as server, client_of(server) as client:
        see = waiting if coroutine else (lambda one: seen.append(one.text))
        result = await watched(client.stream_chat_completion(asking()), see)
        assert succeeded(result).text == "".join(seen) == "It will rain."
