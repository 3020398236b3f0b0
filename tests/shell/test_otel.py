"""Telemetry: spans and metrics of calls, told to an SDK that keeps them in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from tests.core.streamed import ended, said
from tests.shell import sse
from tests.shell.loopback import (
    KEY,
    OK,
    Loopback,
    Talk,
    answer,
    asking,
    client_of,
    completion,
    error,
    hang_up,
    silence,
    until,
)
from tests.shell.telemetry import Memory

from openrouter_client import (
    BatchRun,
    BatchSettings,
    ChatMessage,
    Failure,
    Fallback,
    Hedge,
    Moment,
    OpenRouterClient,
    OpenRouterConfig,
    ToolCall,
    unwrap,
)
from openrouter_client.otel import Telemetry
from openrouter_core.endpoints.inference import EMBEDDINGS
from openrouter_core.genai import names
from openrouter_core.wire.embeddings import EmbeddingsRequest
from openrouter_core.wire.message import FunctionCall

MODEL = "x-ai/grok-4"
LIMITED = answer(429, error(429), {"Retry-After": "0.02", "X-Generation-Id": "gen-lost"})
ANSWER = sse.packets(*(piece + b"\n\n" for piece in (said("It ", "will") + ended()).split(b"\n\n") if piece))
SECRET_PROMPT = "the reservoir is secretly empty"


@pytest.fixture
def memory() -> Memory:
    return Memory()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def lasted(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time >= span.start_time
    return (span.end_time - span.start_time) / 1e9


# --- one call ---------------------------------------------------------------------------------------------------------


async def test_a_call_is_one_client_span_and_each_attempt_a_child(memory: Memory) -> None:
    async with Loopback(LIMITED, answer(502), OK) as server, client_of(server, observe=memory.telemetry()) as client:
        with memory.tracer.start_as_current_span("mine") as mine:
            answered = unwrap(await client.chat_completion(asking(model=MODEL, temperature=0.5, seed=7, stop="end")))
    span, attempts = memory.call, memory.attempts
    assert span.parent is not None
    assert span.parent.span_id == mine.get_span_context().span_id
    assert (span.name, span.kind) == (f"chat {MODEL}", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    told = attributes(span)
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("end",),
        "gen_ai.response.id": "gen-1",
        "gen_ai.response.model": MODEL,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "openrouter.provider": "xAI",
        "openrouter.generation.id": "gen-1",
        "openrouter.attempts": 3,
        "openrouter.usage.cost": 0.001,
    }
    assert [(one.parent and one.parent.span_id, one.kind) for one in attempts] == [
        (span.context.span_id, SpanKind.INTERNAL)
    ] * 3
    first, second, third = map(attributes, attempts)
    assert first["http.response.status_code"] == 429
    assert (first["error.type"], second["error.type"]) == ("RateLimited", "ProviderError")
    assert (second["http.request.resend_count"], third["openrouter.attempt"]) == (1, 3)
    assert second["openrouter.retry.delay"] >= 0.02
    assert [one.status.status_code for one in attempts] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert answered.call is not None
    for one, record in zip(attempts, answered.call.attempts, strict=True):
        assert one.start_time is not None
        assert span.start_time is not None
        assert lasted(one) == pytest.approx(record.ended - record.started, abs=1e-4)
        assert (one.start_time - span.start_time) / 1e9 == pytest.approx(record.started, abs=0.01)
    assert lasted(span) == pytest.approx(answered.call.elapsed_secs, abs=0.01)
    assert memory.counting.open == 0


async def test_metrics_of_a_call(memory: Memory) -> None:
    """Kills: the SDK's own buckets, tokens without their type, retries that are not counted."""
    telemetry = memory.telemetry()
    async with Loopback(answer(502), OK) as server, client_of(server, observe=telemetry) as client:
        unwrap(await client.chat_completion(asking(model=MODEL)))
    (duration,) = memory.points("gen_ai.client.operation.duration")
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": server.port,
    }
    answered = {**common, "gen_ai.response.model": MODEL}
    assert dict(duration.attributes) == answered
    assert duration.explicit_bounds == (
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    )
    tokens = {point.attributes["gen_ai.token.type"]: point for point in memory.points("gen_ai.client.token.usage")}
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {"input": (1, 3), "output": (1, 2)}
    assert tokens["input"].explicit_bounds == tuple(4**n for n in range(14))
    (retry,) = memory.points("openrouter.client.retries")
    assert (retry.value, dict(retry.attributes)) == (1, {**common, "error.type": "ProviderError"})
    (cost,) = memory.points("openrouter.client.cost")
    assert cost.value == pytest.approx(0.001)
    (queue,) = memory.points("openrouter.client.queue.duration")
    assert queue.count == 2
    assert not memory.points("gen_ai.client.operation.time_to_first_chunk")


@pytest.mark.parametrize(
    ("script", "kind", "status"),
    [
        (answer(402, error(402, SECRET_PROMPT)), "InsufficientCredits", 402),
        (answer(400, error(400, SECRET_PROMPT)), "InvalidRequest", 400),
        (hang_up, "Disconnected", None),
        (answer(200, {"choices": 7}), "ParseError", 200),
        (answer(200, error(502, SECRET_PROMPT)), "ProviderError", 200),
    ],
)
async def test_a_failure_is_an_error_by_its_name(memory: Memory, script: Any, kind: str, status: int | None) -> None:
    """Kills: a provider's message, which may quote the prompt, in a span."""
    async with (
        Loopback(script) as server,
        client_of(server, observe=memory.telemetry(), max_retries=0) as client,
    ):
        (await client.chat_completion(asking(SECRET_PROMPT, model=MODEL))).failure()
    span = memory.call
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, kind)
    assert attributes(span)["error.type"] == kind
    assert attributes(span).get("http.response.status_code") == status
    (duration,) = memory.points("gen_ai.client.operation.duration")
    assert duration.attributes["error.type"] == kind
    assert SECRET_PROMPT not in everything(memory)


def everything(memory: Memory) -> str:
    """All that was told, as text."""
    data = memory.reader.get_metrics_data()
    return "".join(span.to_json() for span in memory.spans) + ("" if data is None else data.to_json())


async def test_a_call_that_never_sends_is_a_span_too(memory: Memory) -> None:
    async with Loopback(OK) as server, client_of(server, observe=memory.telemetry()) as client:
        refused = await client.chat_completion(asking(model=MODEL), max_cost_usd=1e-9)
    assert isinstance(refused, Failure)
    asked = [span for span in memory.calls if span.name == f"chat {MODEL}"]
    assert [attributes(span)["error.type"] for span in asked] == ["BudgetExceeded"]
    (listed,) = (span for span in memory.calls if span not in asked)
    assert listed.name == "GET /models"  # the price list
    assert attributes(listed)["url.template"] == "/models"
    assert memory.counting.open == 0


async def test_another_model_that_was_asked_instead_is_told(memory: Memory) -> None:
    async with (
        Loopback(answer(200, b"<html>"), OK) as server,
        client_of(server, observe=memory.telemetry()) as client,
    ):
        fallback = Fallback("openai/gpt-4o-mini", after=("ParseError",))
        unwrap(await client.chat_completion(asking(model=MODEL), fallbacks=[fallback]))
    assert attributes(memory.attempts[1])["gen_ai.request.model"] == "openai/gpt-4o-mini"
    assert memory.call.status.status_code is StatusCode.UNSET


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handed_out", [True, False])
async def test_a_stream_tells_the_time_to_its_chunks(memory: Memory, *, handed_out: bool) -> None:
    """Kills: chunks that are counted when they are handed out, or not at all where they are not."""
    async with Loopback(ANSWER) as server, client_of(server, observe=memory.telemetry()) as client:
        if handed_out:
            result = await client.stream_chat_completion(asking(model=MODEL)).collect()
        else:
            result = await client.chat_completion(asking(model=MODEL), streamed=True)
    assert unwrap(result).text == "It will"
    span = memory.call
    told = attributes(span)
    assert told["gen_ai.request.stream"] is True
    assert 0 < told["gen_ai.response.time_to_first_chunk"] <= lasted(span)
    assert told["gen_ai.usage.output_tokens"] == 4
    (first,) = memory.points("gen_ai.client.operation.time_to_first_chunk")
    (gaps,) = memory.points("gen_ai.client.operation.time_per_output_chunk")
    assert (first.count, gaps.count) == (1, 3)
    assert first.sum + gaps.sum <= lasted(span)
    assert first.explicit_bounds == gaps.explicit_bounds == names.SECONDS


async def test_a_stream_that_breaks_off_tells_what_it_used(memory: Memory) -> None:
    cut = sse.then_close(said("It ") + ended()[: -len(b"data: [DONE]\n\n") - 200], polite=False)
    async with Loopback(cut) as server, client_of(server, observe=memory.telemetry()) as client:
        (await client.stream_chat_completion(asking(model=MODEL)).collect()).failure()
    told = attributes(memory.call)
    assert told["error.type"] in {"TruncatedStream", "Disconnected"}
    assert told["gen_ai.response.id"] == "gen-7-abc"
    assert memory.counting.open == 0


@pytest.mark.parametrize("way", ["break", "cancel", "forget", "close"])
async def test_a_stream_that_is_left_ends_its_spans(memory: Memory, way: str) -> None:
    """Kills: a span of a stream that its user left, which never ends."""
    async with (
        Loopback(sse.then_wait(said("It"))) as server,
        client_of(server, observe=memory.telemetry()) as client,
    ):
        stream = client.stream_chat_completion(asking(model=MODEL))
        match way:
            case "break":
                async with stream:
                    async for _ in stream:
                        break
            case "cancel":
                await anext(stream)
                task = asyncio.create_task(anext(stream))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            case "forget":
                await anext(stream)
                del stream
                gc.collect()
                await until(lambda: memory.counting.open == 0)
            case _:
                task = asyncio.create_task(anext(stream))
                await until(lambda: server.requests)
                await stream.close()
                await asyncio.wait([task])
    assert memory.counting.open == 0
    assert memory.call.status.status_code is StatusCode.ERROR


async def test_a_call_that_is_cancelled_ends_its_spans(memory: Memory) -> None:
    """In its attempt, in line, and between two attempts."""
    busy = answer(503, error(503), {"Retry-After": "30"})
    telemetry = memory.telemetry()
    for scripts, settings in (([silence], {}), ([busy], {}), ([silence], {"max_connections": 1})):
        async with Loopback(*scripts) as server, client_of(server, observe=telemetry, **settings) as client:
            tasks = [asyncio.create_task(client.chat_completion(asking(model=MODEL))) for _ in range(2)]
            await until(partial(getattr, server, "requests"))
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert memory.counting.open == 0
    assert {attributes(span)["error.type"] for span in memory.calls} == {names.LEFT}
    assert all(lasted(span) >= 0.02 for span in memory.calls)


# --- many calls -------------------------------------------------------------------------------------------------------


async def test_a_thousand_calls_have_the_right_parents(memory: Memory) -> None:
    """Kills: a context that leaks from one call into another."""
    parents: dict[int, int] = {}

    async def one(client: OpenRouterClient, number: int) -> None:
        with memory.tracer.start_as_current_span(f"parent {number}") as mine:
            parents[number] = mine.get_span_context().span_id
            unwrap(await client.chat_completion(asking(model=MODEL, seed=number)))
            assert get_current_span() is mine

    async def hello(talk: Talk) -> None:
        await talk.say(OK if len(talk.server.requests) % 10 else answer(502))

    async with Loopback(hello) as server, client_of(server, observe=memory.telemetry(), max_retries=9) as client:
        await asyncio.gather(*(one(client, number) for number in range(1000)))
    told = {attributes(span)["gen_ai.request.seed"]: span.parent for span in memory.calls}
    assert {number: parent and parent.span_id for number, parent in told.items()} == parents
    calls = {span.context.span_id: span.context.trace_id for span in memory.calls}
    assert all(one.parent and calls[one.parent.span_id] == one.context.trace_id for one in memory.attempts)
    assert memory.counting.open == 0
    assert sum(point.count for point in memory.points("gen_ai.client.operation.duration")) == 1000


async def test_a_hedged_call_is_two_spans(memory: Memory) -> None:
    async def slow(talk: Talk) -> None:
        await talk.gone()

    async with Loopback(slow, OK) as server:
        config = OpenRouterConfig(api_key=KEY, base_url=server.base_url)
        made = OpenRouterClient.new(config, observe=memory.telemetry(), hedge=Hedge(after_secs=0.02))
        async with unwrap(made) as client:
            with memory.tracer.start_as_current_span("mine") as mine:
                unwrap(await client.chat_completion(asking(model=MODEL)))
    lost, won = sorted(memory.calls, key=lambda span: span.status.status_code is StatusCode.UNSET)
    assert attributes(lost)["error.type"] == names.LEFT
    assert attributes(won)["gen_ai.response.id"] == "gen-1"
    assert {span.parent and span.parent.span_id for span in (lost, won)} == {mine.get_span_context().span_id}
    assert memory.counting.open == 0


async def test_a_tool_loop_is_a_span_for_each_turn(memory: Memory) -> None:
    call = ToolCall(id="call-1", function=FunctionCall(name="price", arguments="{}"))
    turn = completion(
        "", choices=[{"finish_reason": "tool_calls", "message": {"tool_calls": [msgspec.to_builtins(call)]}}]
    )
    seen: list[Span] = []

    def price() -> str:
        """Look a price up."""
        seen.append(get_current_span())
        return "42"

    async with Loopback(answer(200, turn), OK) as server, client_of(server, observe=memory.telemetry()) as client:
        with memory.tracer.start_as_current_span("mine") as mine:
            unwrap(await client.run_tools(asking(model=MODEL), [price]))
    assert [span.parent and span.parent.span_id for span in memory.calls] == [mine.get_span_context().span_id] * 2
    first, second = memory.calls
    assert attributes(first)["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert first.end_time is not None
    assert second.start_time is not None
    assert second.start_time >= first.end_time  # each turn is as long as itself, and not as the whole loop
    assert seen == [mine]


async def test_embeddings_are_told_by_their_own_name(memory: Memory) -> None:
    vectors = {"data": [{"embedding": [1.0]}], "model": "m/e", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    async with (
        Loopback(answer(200, vectors)) as server,
        client_of(server, observe=memory.telemetry(content=True)) as client,
    ):
        request = EmbeddingsRequest(model="m/e", input="hi", dimensions=1, encoding_format="float")
        unwrap(await client.call(EMBEDDINGS, request))
    told = attributes(memory.call)
    assert memory.call.name == "embeddings m/e"
    assert told["gen_ai.embeddings.dimension.count"] == 1
    assert told["gen_ai.request.encoding_formats"] == ("float",)
    assert told["gen_ai.usage.input_tokens"] == 5
    (tokens,) = memory.points("gen_ai.client.token.usage")
    assert tokens.attributes["gen_ai.token.type"] == "input"


async def test_a_bulk_run_is_a_span_for_each_row(memory: Memory, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"row {number}"}) + "\n" for number in range(20)), encoding="utf-8")
    async with Loopback(OK) as server:
        config = OpenRouterConfig(api_key=KEY, base_url=server.base_url)
        run = BatchRun.new(
            rows, tmp_path / "out.jsonl", BatchSettings(model=MODEL), config=config, observe=memory.telemetry()
        )
        unwrap(await unwrap(run).run())
    assert len(memory.calls) == 20
    assert memory.counting.open == 0


async def test_gauges_tell_how_the_client_stands(memory: Memory) -> None:
    telemetry = memory.telemetry()
    assert not memory.points("openrouter.client.calls")
    async with Loopback(silence) as server, client_of(server, observe=telemetry, max_connections=2) as client:
        assert "openrouter.client.calls" not in await asyncio.to_thread(memory.told)  # no call has begun, anywhere
        tasks = [asyncio.create_task(client.chat_completion(asking(model=MODEL))) for _ in range(5)]
        await until(lambda: len(server.requests) == 2)
        read = await asyncio.to_thread(memory.told)  # as an exporter's thread would
        now = {
            name: [point.value for point in one.data.data_points]
            for name, one in read.items()
            if "duration" not in name
        }
        assert now["openrouter.client.calls"] == [5]
        assert now["openrouter.client.calls.waiting"] == [3]
        assert now["openrouter.client.attempts.in_flight"] == [2]
        assert set(now["openrouter.limiter.held"]) == {0.0}  # of the key, and of the model
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert [point.value for point in memory.points("openrouter.client.calls")] == [0]
    del client, tasks, task
    gc.collect()
    assert not telemetry.clients.stats()


# --- content, and what is nobody's business ---------------------------------------------------------------------------


async def test_content_is_told_only_when_it_is_switched_on(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: prompts in spans by default, and a switch that switches nothing."""
    name = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    for value, given, shown in (
        (None, None, False),
        ("NO_CONTENT", None, False),
        ("event_only", None, False),
        ("SPAN_ONLY", None, True),
        ("true", None, True),
        ("span_and_event", None, True),
        ("true", False, False),
        (None, True, True),
    ):
        memory.spans_kept.clear()
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
        telemetry = memory.telemetry(content=given)
        async with (
            Loopback(answer(200, completion("the ANSWER"))) as server,
            client_of(server, observe=telemetry) as client,
        ):
            request = asking(SECRET_PROMPT, model=MODEL)
            unwrap(await client.chat_completion(request))
        told = attributes(memory.call)
        assert ("gen_ai.input.messages" in told) is ("gen_ai.output.messages" in told) is shown
        assert (SECRET_PROMPT in everything(memory)) is ("ANSWER" in everything(memory)) is shown
    told = attributes(memory.call)
    assert json.loads(told["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": SECRET_PROMPT}]}
    ]
    assert json.loads(told["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "the ANSWER"}], "finish_reason": "stop"}
    ]


async def test_a_huge_prompt_is_bounded(memory: Memory) -> None:
    async with (
        Loopback(answer(200, completion("A" * 500_000))) as server,
        client_of(server, observe=memory.telemetry(content=True, content_limit=1000)) as client,
    ):
        messages = [ChatMessage.user("b" * 100_000), ChatMessage.user("a" * 2_000_000), ChatMessage.user("last")]
        request = msgspec.structs.replace(asking(model=MODEL), messages=messages)
        unwrap(await client.chat_completion(request))
    told = attributes(memory.call)
    assert len(told["gen_ai.input.messages"]) < 3000
    assert len(told["gen_ai.output.messages"]) < 3000
    assert json.loads(told["gen_ai.input.messages"])[-1]["parts"][0]["content"] == "last"


async def test_the_key_is_in_no_attribute(memory: Memory) -> None:
    """Even where the caller or the server puts it into what is told."""
    echo = completion(f"your key is {KEY}", id=KEY, model=KEY, provider=KEY)
    async with (
        Loopback(answer(401, error(401, KEY, provider_name=KEY)), answer(200, echo)) as server,
        client_of(server, observe=memory.telemetry(content=True, join_broadcast=True)) as client,
    ):
        for _ in range(2):
            await client.chat_completion(asking(f"my key is {KEY}", model=KEY, session_id=KEY, stop=[KEY]))
    assert len(memory.calls) == 2
    assert KEY not in everything(memory)
    assert KEY not in repr(client) + repr(memory.telemetry())


# --- joining OpenRouter's Broadcast -----------------------------------------------------------------------------------


async def test_the_request_names_the_trace_where_that_is_wanted(memory: Memory) -> None:
    telemetry = memory.telemetry(join_broadcast=True)
    async with Loopback(answer(502), OK) as server, client_of(server, observe=telemetry) as client:
        unwrap(await client.chat_completion(asking(model=MODEL, trace={"trace_name": "t", "mine": 1})))
        own = {"trace_id": "my own", "parent_span_id": "p"}
        unwrap(await client.chat_completion(asking(model=MODEL, trace=own)))
    first, again, other = (json.loads(seen.body) for seen in server.requests)
    context = memory.calls[0].context
    assert first == again  # byte for byte the same request, so that a repetition can be a cache hit
    assert first["trace"] == {
        "trace_id": f"{context.trace_id:032x}",
        "parent_span_id": f"{context.span_id:016x}",
        "trace_name": "t",
        "mine": 1,
    }
    assert other["trace"] == own


async def test_no_trace_is_named_that_nobody_keeps() -> None:
    for telemetry in (
        Telemetry(tracer_provider=TracerProvider(sampler=ALWAYS_OFF), join_broadcast=True),
        Telemetry(join_broadcast=True),  # no SDK at all
    ):
        async with Loopback(OK) as server, client_of(server, observe=telemetry) as client:
            unwrap(await client.chat_completion(asking(model=MODEL)))
        assert "trace" not in json.loads(server.requests[0].body)


# --- hooks, and everything that fails ---------------------------------------------------------------------------------


async def test_a_hook_sees_the_calls_span_as_the_current_one(memory: Memory) -> None:
    """Kills: a hook whose spans and logs belong to no call, and a context that it leaves behind."""
    seen: list[tuple[str, int]] = []

    def hook(moment: Moment) -> None:
        seen.append((type(moment.event).__name__, get_current_span().get_span_context().span_id))

    async with Loopback(LIMITED, OK) as server, client_of(server, observe=memory.telemetry(hook=hook)) as client:
        with memory.tracer.start_as_current_span("mine") as mine:
            unwrap(await client.chat_completion(asking(model=MODEL)))
            assert get_current_span() is mine
    kinds = ["Queued", "Sent", "Answered", "Slept", "Queued", "Sent", "Answered", "Ended"]
    assert seen == [(kind, memory.call.context.span_id) for kind in kinds]


async def test_a_hook_may_add_to_the_span_until_the_end(memory: Memory) -> None:
    def hook(moment: Moment) -> None:
        get_current_span().set_attribute(f"mine.{type(moment.event).__name__}", True)

    async with Loopback(OK) as server, client_of(server, observe=memory.telemetry(hook=hook)) as client:
        unwrap(await client.chat_completion(asking(model=MODEL)))
    assert {"mine.Queued", "mine.Ended"} <= set(attributes(memory.call))


class Breaks(SpanProcessor, SpanExporter):
    """Fails at whatever it is asked."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise ValueError("no")

    def on_end(self, span: ReadableSpan) -> None:
        raise ValueError("no")

    def export(self, spans: Any) -> Any:
        raise ValueError("no")


class BreaksAtTheEnd(Breaks):
    def on_start(self, span: Any, parent_context: Any = None) -> None:
        pass


@pytest.mark.parametrize("processor", [Breaks(), BreaksAtTheEnd(), SimpleSpanProcessor(Breaks())])
async def test_an_sdk_that_fails_does_not_hurt(processor: SpanProcessor, caplog: pytest.LogCaptureFixture) -> None:
    provider = TracerProvider()
    provider.add_span_processor(processor)
    async with (
        Loopback(answer(502), ANSWER) as server,
        client_of(server, observe=Telemetry(tracer_provider=provider), max_connections=1) as client,
    ):
        assert unwrap(await client.chat_completion(asking(model=MODEL), streamed=True)).text == "It will"
        assert client.stats().in_flight == client.stats().alive == 0
    assert any(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.parametrize("failure", [ValueError("no"), asyncio.CancelledError()])
async def test_a_hook_that_fails_does_not_hurt_the_spans(memory: Memory, failure: BaseException) -> None:
    def hook(moment: Moment) -> None:
        raise failure

    async with Loopback(answer(502), OK) as server, client_of(server, observe=memory.telemetry(hook=hook)) as client:
        unwrap(await client.chat_completion(asking(model=MODEL)))
    assert memory.call.status.status_code is StatusCode.UNSET
    assert memory.counting.open == 0


def test_a_call_that_is_cleared_away_with_its_loop_ends_its_spans(memory: Memory) -> None:
    async def main() -> None:
        async with Loopback(silence) as server:
            client = client_of(server, observe=memory.telemetry())
            task = asyncio.create_task(client.chat_completion(asking(model=MODEL)))
            await until(lambda: server.requests)
            await client.close()
            del task

    asyncio.run(main())
    gc.collect()
    assert memory.counting.open == 0


@pytest.mark.parametrize("observe", [Telemetry, 7, object()])
def test_what_is_no_observer_is_refused(observe: Any) -> None:
    """Kills: the class in the place of one of its objects, which would be called for each moment."""
    refused = OpenRouterClient.new(OpenRouterConfig(api_key=KEY), observe=observe)
    assert "or an Observer such as Telemetry()" in str(refused.failure())


@pytest.mark.parametrize("settings", [{"content_limit": 0}, {"hook": asyncio.sleep}])
def test_settings_that_do_not_fit_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Telemetry(**settings)


# --- what is absent costs nothing -------------------------------------------------------------------------------------

BARE = """
import sys
{block}
import openrouter_client
openrouter_client.OpenRouterClient.new(openrouter_client.OpenRouterConfig(api_key="sk-or-v1-x"))
assert not [name for name in sys.modules if name.startswith("opentelemetry") and sys.modules[name]]
assert "openrouter_core.genai" not in sys.modules
try:
    import openrouter_client.otel
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("installed", [True, False])
def test_nobody_imports_it_who_does_not_want_it(*, installed: bool) -> None:
    hide = (
        "import importlib.machinery as m; find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = lambda name, *how: None if name == 'opentelemetry' else find(name, *how)"
    )
    program = BARE.format(block="" if installed else hide)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ("aio-openrouter[otel]" in ran.stdout) is not installed


# --- the oracle -------------------------------------------------------------------------------------------------------


async def test_the_names_are_those_of_opentelemetrys_own_instrumentations(memory: Memory) -> None:
    """What we tell of a call, told through OpenTelemetry's own utility, has the same names, values and buckets."""
    from opentelemetry.util.genai.handler import TelemetryHandler

    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "cost": 0.1,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    settings: dict[str, Any] = {
        "model": MODEL,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "seed": 7,
        "stop": ["end"],
        "max_completion_tokens": 100,
        "session_id": "conversation",
        "reasoning": {"effort": "high"},
        "response_format": {"type": "json_object"},
    }
    async with (
        Loopback(answer(200, completion("hi", usage=usage))) as server,
        client_of(server, observe=memory.telemetry()) as client,
    ):
        unwrap(await client.chat_completion(asking(**settings)))
    theirs = Memory()
    handler = TelemetryHandler(tracer_provider=theirs.tracing, meter_provider=theirs.metering)
    with handler.inference(
        "openrouter", request_model=MODEL, server_address="127.0.0.1", server_port=server.port
    ) as call:
        call.temperature, call.top_p, call.top_k, call.seed = 0.5, 0.9, 5, 7
        call.frequency_penalty, call.presence_penalty, call.max_tokens = 0.1, 0.2, 100
        call.stop_sequences, call.conversation_id, call.output_type = ["end"], "conversation", "json"
        call.reasoning_level = "high"
        call.response_id, call.response_model_name, call.finish_reasons = "gen-1", MODEL, ["stop"]
        call.input_tokens, call.output_tokens, call.thinking_tokens = 30, 20, 7
        call.cache_read_input_tokens, call.cache_write_input_tokens = 10, 5
    ours = {name: value for name, value in attributes(memory.call).items() if not name.startswith("openrouter.")}
    assert ours == attributes(theirs.call)
    assert (memory.call.name, memory.call.kind) == (theirs.call.name, theirs.call.kind)
    for name, metric in theirs.told().items():
        own = memory.told()[name]
        assert own.unit == metric.unit
        assert [(dict(point.attributes), list(point.explicit_bounds)) for point in own.data.data_points] == [
            (dict(point.attributes), list(point.explicit_bounds)) for point in metric.data.data_points
        ]


async def test_the_names_of_streams_and_failures_are_theirs_too(memory: Memory) -> None:
    from opentelemetry.util.genai.handler import TelemetryHandler
    from opentelemetry.util.genai.types import Error

    theirs = Memory()
    handler = TelemetryHandler(tracer_provider=theirs.tracing, meter_provider=theirs.metering)
    async with Loopback(ANSWER, answer(402)) as server, client_of(server, observe=memory.telemetry()) as client:
        unwrap(await client.chat_completion(asking(model=MODEL), streamed=True))
        (await client.chat_completion(asking(model=MODEL))).failure()
        call = handler.inference("openrouter", request_model=MODEL, server_address="127.0.0.1", server_port=server.port)
        for _ in range(4):
            call.record_stream_chunk()
        call.stop()
        broken = handler.inference(
            "openrouter", request_model=MODEL, server_address="127.0.0.1", server_port=server.port
        )
        broken.fail(Error(message="no", type="ValueError"))
    streamed, failed = theirs.calls
    assert set(attributes(streamed)) <= set(attributes(memory.calls[0]))
    assert set(attributes(failed)) <= set(attributes(memory.calls[1]))
    assert failed.status.status_code is memory.calls[1].status.status_code
    for name in (names.TIME_TO_FIRST_CHUNK, names.TIME_PER_CHUNK):
        (own,), (other,) = memory.points(name), theirs.points(name)
        assert (own.count, list(own.explicit_bounds)) == (other.count, list(other.explicit_bounds))
        assert memory.told()[name].unit == theirs.told()[name].unit
