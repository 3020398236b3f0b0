"""Tools end to end: what the model is told, what the caller gets, and that nothing is left running."""

from __future__ import annotations

import asyncio
import functools
import json
import pickle
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shell.loopback import (
    OK,
    Loopback,
    Script,
    Talk,
    answer,
    asking,
    client_of,
    completion,
    error,
    silence,
    then_hang_up,
    then_silence,
    until,
)

from openrouter_client import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatMessage,
    DataSourceError,
    DeadlineExceeded,
    InvalidRequest,
    OpenRouterError,
    ProviderError,
    Result,
    Success,
    Tool,
    ToolLoopFailed,
    ToolRun,
    unwrap,
)
from openrouter_client.simulator import Simulator

DETAILS = [
    {
        "type": "reasoning.summary",
        "summary": "hm",
        "format": "xai-responses-v1",
        "index": 0,
        "zeta": {"b": 1, "a": [2.50]},
    },
    {"type": "reasoning.encrypted", "data": "c2VhbGVk", "format": "xai-responses-v1", "index": 1, "id": "rs_1"},
]


def call(name: str, arguments: Any = None, call_id: str | None = "call_1", index: int = 0) -> dict[str, Any]:
    """A tool call as OpenRouter sends it; arguments that are text are sent as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def calling(*calls: dict[str, Any], cost: float | None = 0.001, **message: Any) -> bytes:
    """An answer that calls tools."""
    said = {"role": "assistant", "content": None, "tool_calls": calls, **message}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, **({} if cost is None else {"cost": cost})}
    choices = [{"index": 0, "finish_reason": "tool_calls", "message": said}]
    return answer(200, completion(choices=choices, usage=usage))


def streamed(*deltas: dict[str, Any], finish: str | None = "stop", ended: bool = True) -> bytes:
    """The same over a stream; without `ended` the connection stays open after the last delta."""
    head = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "m", "provider": "p"}
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if ended:
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.001}
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": usage})
    body = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks) + (
        b"data: [DONE]\n\n" if ended else b""
    )
    lines = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return lines + b"%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if ended else b"")


def asked(server: Loopback, turn: int) -> dict[str, Any]:
    """The body of the request of a turn, counted from 0."""
    return json.loads(server.requests[turn].body)  # type: ignore[no-any-return] # JSON has no type


def told(server: Loopback, turn: int = 1) -> list[str]:
    """What the model was told of its calls, in the request of a turn."""
    return [message["content"] for message in asked(server, turn)["messages"] if message["role"] == "tool"]


async def ran(
    tools: list[Any], *scripts: Script, request: ChatCompletionRequest | None = None, **limits: Any
) -> tuple[Result[ToolRun, DataSourceError], Loopback]:
    """Run a loop against a server that answers with these scripts."""
    async with Loopback(*scripts) as server, client_of(server, timeout_secs=5.0) as client:
        return await client.run_tools(request or asking("go"), tools, **limits), server


# --- the happy way --------------------------------------------------------------------------------------------------


async def price(city: str, unit: Literal["CHF", "EUR"] = "CHF") -> dict[str, Any]:
    """Tell the price of bread."""
    return {"city": city, "unit": unit, "price": 3.5}


def count(words: Annotated[list[str], "The words"]) -> int:
    """Count words."""
    return len(words)


@pytest.mark.parametrize("more", [{}, {"streamed": True}, {"on_chunk": lambda _: None}])
async def test_functions_named_by_the_user_are_called_and_their_results_reach_the_answer(more: dict[str, Any]) -> None:
    async with Simulator(seed=3) as sim, client_of(sim.base_url, api_key=sim.api_key) as client:
        request = asking("use price and count, please", model="x-ai/grok-4")
        run = unwrap(await client.run_tools(request, [price, Tool.from_function(count)], **more))
        assert (run.reason, run.turns, len(run.outcomes)) == ("answer", 2, 2)
        assert not any(outcome.failed for outcome in run.outcomes)
        assert "The tools said: " in run.text
        assert '"price":3.5' in run.text
        assert run.cost == pytest.approx(sim.cost)
        assert run.usage is not None
        assert run.usage.prompt_tokens is not None
        assert run.messages[0] == ChatMessage.user("use price and count, please")
        bodies = [json.loads(request.body) for request in sim.requests]
        assert [tool["function"]["name"] for tool in bodies[0]["tools"]] == ["price", "count"]
        assert bodies[0]["tools"] == bodies[1]["tools"]
        assert [message["role"] for message in bodies[1]["messages"]] == ["user", "assistant", "tool", "tool"]
        assert bodies[0].get("stream", False) == bool(more)


async def test_the_whole_conversation_is_in_the_result() -> None:
    scripts = calling(call("count", {"words": ["a"]}), content="Let me see."), answer(200, completion("One."))
    result, server = await ran([count], *scripts, request=ChatCompletionRequest(prompt="How many?"))
    run = unwrap(result)
    sent = json.loads(msgspec.json.encode(run.messages))
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "assistant"]
    assert sent[:3] == asked(server, 1)["messages"]
    assert sent[0] == {"role": "user", "content": "How many?"}
    assert sent[2] == {"role": "tool", "content": "1", "tool_call_id": "call_1"}
    assert (run.text, run.cost, run.turns) == ("One.", 0.002, 2)
    assert run.response is not None
    assert run.response.call is not None


async def test_reasoning_details_go_back_byte_for_byte() -> None:
    """Exists for a reasoning model that refuses the second turn, because its sealed thoughts were touched."""
    said = calling(call("count", {"words": []}), reasoning_details=DETAILS, reasoning="hm")
    _, server = await ran([count], said, OK)
    echoed = asked(server, 1)["messages"][1]
    assert json.dumps(echoed["reasoning_details"]) == json.dumps(DETAILS)
    assert echoed["tool_calls"] == [call("count", {"words": []})]
    assert echoed["reasoning"] == "hm"


# --- together -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [False, True])
async def test_the_tools_of_one_turn_run_at_the_same_time(plain: bool) -> None:
    """Exists for tools that run one after the other: these two wait for each other."""
    here, there = asyncio.Event(), asyncio.Event()
    both = threading.Barrier(2, timeout=4.0)

    async def first() -> str:
        here.set()
        await there.wait()
        return "first"

    async def second() -> str:
        there.set()
        await here.wait()
        return "second"

    def third() -> str:
        both.wait()
        return "first"

    def fourth() -> str:
        both.wait()
        return "second"

    tools: list[Callable[[], Any]] = [third, fourth] if plain else [first, second]
    names = [tool.__name__ for tool in tools]
    result, server = await ran(tools, calling(call(names[0]), call(names[1], call_id="call_2", index=1)), OK)
    unwrap(result)
    assert told(server) == ["first", "second"]


async def test_a_plain_function_holds_nobody_up() -> None:
    """Exists for a blocking tool on the event loop: the coroutine that lets it go would never run."""
    go = threading.Event()

    def blocking() -> bool:
        return go.wait(4.0)

    async def releasing() -> None:
        go.set()

    result, server = await ran(
        [blocking, releasing], calling(call("blocking"), call("releasing", call_id="call_2")), OK
    )
    unwrap(result)
    assert told(server) == ["true", "null"]


WHO = ContextVar("WHO", default="nobody")


async def test_a_plain_function_sees_the_context_of_the_caller() -> None:
    def who() -> str:
        return WHO.get()

    WHO.set("me")
    result, server = await ran([who], calling(call("who")), OK)
    unwrap(result)
    assert told(server) == ["me"]


class Later:
    """Adds."""

    async def __call__(self, one: int) -> int:
        return one + 1


async def test_async_callables_and_what_returns_a_coroutine_are_awaited() -> None:
    async def add(one: int, two: int) -> int:
        return one + two

    tools = [Later(), functools.partial(add, two=5)]
    scripts = calling(call("Later", {"one": 1}), call("add", {"one": 1}, call_id="call_2")), OK
    result, server = await ran(tools, *scripts)
    unwrap(result)
    assert told(server) == ["2", "6"]


# --- what goes wrong with a tool is told to the model ----------------------------------------------------------------


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


class Unspeakable:
    def __str__(self) -> str:
        raise ZeroDivisionError


def raising(kind: str) -> Any:
    """Fail in one way or another."""
    match kind:
        case "stop":
            return next(iter(()))
        case "exit":
            raise SystemExit(2)
        case "unspeakable":
            raise UnspeakableError
        case "value":
            return Unspeakable()
        case "surrogate":
            raise ValueError("half \ud800")
        case "timeout":
            raise TimeoutError("the tool's own")
        case _:
            raise KeyError(kind)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("stop", '{"error":"StopIteration: "}'),
        ("exit", '{"error":"SystemExit: 2"}'),
        ("unspeakable", '{"error":"UnspeakableError: a UnspeakableError"}'),
        ("value", "a Unspeakable"),
        ("surrogate", '{"error":"ValueError: half ?"}'),
        ("timeout", '{"error":"TimeoutError: the tool\'s own"}'),
        ("other", '{"error":"KeyError: \'other\'"}'),
    ],
)
async def test_whatever_a_tool_raises_is_told_to_the_model(kind: str, words: str) -> None:
    """Exists for exceptions that have no text or that futures refuse: the loop raised, or hung until the timeout."""
    result, server = await ran([raising], calling(call("raising", {"kind": kind})), OK)
    run = unwrap(result)
    assert told(server) == [words]
    assert run.outcomes[0].failed == words.startswith("{")


async def test_a_cancelled_task_inside_of_a_tool_does_not_cancel_the_loop() -> None:
    async def waiting() -> None:
        task = asyncio.ensure_future(asyncio.sleep(9))
        task.cancel()
        await task

    result, server = await ran([waiting, count], calling(call("waiting"), call("count", {"words": []}, "call_2")), OK)
    unwrap(result)
    assert told(server) == ['{"error":"CancelledError: "}', "0"]


async def test_text_that_cannot_be_sent_does_not_end_the_loop() -> None:
    def half() -> str:
        return "half \ud800"

    result, server = await ran([half], calling(call("half")), OK)
    unwrap(result)
    assert told(server) == ["half ?"]


async def test_bad_arguments_and_unknown_tools_are_told_and_the_others_run() -> None:
    calls = (
        call("count", {"words": [1]}, "a"),
        call("count", "{not json", "b"),
        call("counting", {}, "c"),
        call("count", {"words": [], "more": 1}, "d"),
        call("count", {"words": ["x"]}, "e"),
        call("count", "", "f"),
    )
    result, server = await ran([count], calling(*calls), OK)
    run = unwrap(result)
    first, second, third, fourth, fifth, sixth = told(server)
    assert "at $.words[0]: Expected `str`, got `int`" in first
    assert "the arguments are wrong: " in second
    assert "there is no tool 'counting'; the tools are: count" in third
    assert "unknown field `more`" in fourth
    assert fifth == "1"
    assert "missing required field `words`" in sixth
    assert [outcome.failed for outcome in run.outcomes] == [True, True, True, True, False, True]
    ids = [message["tool_call_id"] for message in asked(server, 1)["messages"] if message["role"] == "tool"]
    assert ids == list("abcdef")


async def test_calls_without_ids_get_one() -> None:
    result, server = await ran(
        [count], calling(call("count", {"words": []}, None), call("count", {"words": ["x"]}, "")), OK
    )
    unwrap(result)
    said, *tools = asked(server, 1)["messages"][1:]
    assert (
        [one["id"] for one in said["tool_calls"]] == [one["tool_call_id"] for one in tools] == ["call_0_0", "call_0_1"]
    )
    assert told(server) == ["0", "1"]


@pytest.mark.parametrize("plain", [False, True])
async def test_a_tool_that_takes_too_long_is_given_up(plain: bool) -> None:
    done, cancelled = threading.Event(), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            cancelled.set()

    def stuck() -> None:
        done.wait(9)

    tool = stuck if plain else slow
    result, server = await ran(
        [tool, count], calling(call(tool.__name__), call("count", {"words": []}, "c")), OK, tool_timeout_secs=0.05
    )
    done.set()
    unwrap(result)
    assert told(server) == ['{"error":"the tool took longer than 0.05 s"}', "0"]
    assert plain or cancelled.is_set()


async def test_tools_that_hang_do_not_keep_the_others_from_running() -> None:
    """Exists for a pool of threads that is full of tools that were given up: the last call here found no thread."""
    done = threading.Event()

    def stuck() -> None:
        done.wait(9)

    scripts = calling(*(call("stuck", call_id=f"c{n}") for n in range(40))), calling(call("count", {"words": []})), OK
    try:
        result, server = await ran([stuck, count], *scripts, tool_timeout_secs=0.1)
    finally:
        done.set()
    assert unwrap(result).outcomes[-1].content == "0"
    assert told(server, 2)[-1] == "0"


# --- limits ---------------------------------------------------------------------------------------------------------


@given(st.integers(1, 5))
async def test_a_model_that_calls_for_ever_is_stopped(turns: int) -> None:
    """Exists for a loop without an end."""
    result, server = await ran([count], calling(call("count", {"words": []})), max_turns=turns)
    run = unwrap(result)
    assert (run.reason, run.turns, len(server.requests)) == ("max_turns", turns, turns)
    assert run.cost == pytest.approx(turns * 0.001)
    assert len(run.outcomes) == turns - 1


async def test_the_cost_of_all_turns_counts() -> None:
    run = unwrap((await ran([count], calling(call("count", {"words": []}), cost=0.4), max_cost_usd=1.0))[0])
    assert (run.reason, run.turns) == ("max_cost", 3)
    assert run.cost == pytest.approx(1.2)


async def test_an_unknown_cost_ends_a_loop_that_has_a_limit_and_no_other() -> None:
    scripts = calling(call("count", {"words": []}), cost=None), OK
    limited = unwrap((await ran([count], *scripts, max_cost_usd=1.0))[0])
    assert (limited.reason, limited.turns, limited.cost) == ("unknown_cost", 1, None)
    unlimited = unwrap((await ran([count], *scripts))[0])
    assert (unlimited.reason, unlimited.turns, unlimited.cost) == ("answer", 2, None)


async def test_the_deadline_may_pass_while_a_tool_runs() -> None:
    async def slow() -> None:
        await asyncio.sleep(9)

    run = unwrap((await ran([slow], calling(call("slow")), OK, deadline_secs=0.25))[0])
    assert (run.reason, run.turns, run.outcomes[0].failed) == ("deadline", 1, True)
    assert "the tool took longer than 0.2" in run.outcomes[0].content


@pytest.mark.parametrize("more", [{}, {"streamed": True}, {"on_chunk": lambda _: None}])
@pytest.mark.parametrize("stalled", [silence, then_silence(streamed({"content": "so far"}, ended=False))])
async def test_the_deadline_may_pass_while_an_answer_comes(more: dict[str, Any], stalled: Script) -> None:
    """Exists for a deadline that a stream outlasts once its first chunk is there."""
    result, _ = await ran([count], calling(call("count", {"words": []})), stalled, deadline_secs=0.25, **more)
    failure = result.failure()
    assert isinstance(failure, ToolLoopFailed)
    assert isinstance(failure.cause, DeadlineExceeded)
    assert (failure.turns, failure.cost) == (1, 0.001)


async def test_one_deadline_is_for_all_turns_together() -> None:
    """Exists for a deadline that begins anew with each turn."""

    async def slowly(talk: Talk) -> None:
        await asyncio.sleep(0.1)
        await talk.say(calling(call("count", {"words": []})))

    result, server = await ran([count], slowly, deadline_secs=0.25, max_turns=50)
    run = result.value_or(None)  # the deadline may find a tool at work instead of the model
    assert isinstance(result.failure(), ToolLoopFailed | DeadlineExceeded) if run is None else run.reason == "deadline"
    assert len(server.requests) <= 3


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"max_turns": 0}, "max_turns"),
        ({"max_turns": "3"}, "max_turns"),
        ({"max_cost_usd": -1}, "max_cost_usd"),
        ({"max_cost_usd": "1"}, "max_cost_usd"),
        ({"tool_timeout_secs": 0}, "tool_timeout_secs"),
        ({"tool_timeout_secs": "1"}, "tool_timeout_secs"),
        ({"deadline_secs": 0}, "deadline_secs"),
        ({"tools": [count, count]}, "tools"),
        ({"tools": [count, lambda x: x]}, "tools[1]"),
        ({"tools": [Tool.from_function(len)]}, "tools[0]"),
        ({"tools": [{"type": "openrouter:web_search"}]}, "tools[0]"),
        ({"tools": count}, "tools"),
        ({"tools": None}, "tools"),
        ({"request": {"messages": [{"role": "user", "content": "hi"}]}}, "request"),
        ({"request": ChatCompletionRequest()}, "messages"),
        ({"request": ChatCompletionRequest(messages=3)}, "messages"),  # type: ignore[arg-type] # a wrong type is what is tested
        ({"request": asking(tools=3)}, "tools"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_sent(limits: dict[str, Any], field: str) -> None:
    """Exists for mistakes that raised, or that were found after a turn had been paid for."""
    result, server = await ran(limits.pop("tools", [count]), OK, **limits)
    failure = result.failure()
    assert isinstance(failure, InvalidRequest)
    assert failure.field == field
    assert not server.requests


def test_unwrap_takes_what_from_function_gives() -> None:
    assert unwrap(Tool.from_function(count)).name == "count"
    with pytest.raises(OpenRouterError, match=r"x must have a type hint"):
        unwrap(Tool.from_function(lambda x: x, name="f"))


# --- failures of the model ------------------------------------------------------------------------------------------


async def test_a_first_turn_that_fails_is_just_that_failure() -> None:
    result, _ = await ran([count], answer(500, error(500)))
    assert isinstance(result.failure(), ProviderError)


@pytest.mark.parametrize("more", [{}, {"streamed": True}])
async def test_a_later_failure_carries_what_was_said_and_spent_and_the_loop_can_be_taken_up(
    more: dict[str, Any],
) -> None:
    """Exists for turns that were paid for and thrown away."""
    said = calling(call("count", {"words": ["a"]}), reasoning_details=DETAILS)
    scripts = said, *([answer(502, error(502, "upstream"))] * 3), OK
    async with Loopback(*scripts) as server, client_of(server) as client:
        request = asking("go", temperature=0.5)
        failure = (await client.run_tools(request, [count], **more)).failure()
        assert isinstance(failure, ToolLoopFailed)
        assert (failure.turns, failure.cost, failure.status, len(failure.attempts)) == (1, 0.001, 502, 3)
        assert isinstance(failure.cause, ProviderError)
        assert failure.message == "turn 2 of the tool loop failed: upstream"
        assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301 - our own
        again = ChatCompletionRequest(messages=failure.messages, temperature=0.5)
        assert unwrap(await client.run_tools(again, [count], **more)).text == "hello"
        first, last = asked(server, 1), asked(server, 4)
        assert first["messages"] == last["messages"]
        assert [message["role"] for message in last["messages"]] == ["user", "assistant", "tool"]


async def test_a_turn_is_retried_by_the_policy_of_the_client() -> None:
    run = unwrap((await ran([count], calling(call("count", {"words": []})), answer(503, error(503)), OK))[0])
    assert (run.reason, run.turns) == ("answer", 2)


# --- streams --------------------------------------------------------------------------------------------------------


PIECES = (
    {"role": "assistant", "content": "Let me"},
    {"content": " see."},
    {"tool_calls": [call("count", '{"words"')]},
    {"tool_calls": [{"index": 0, "function": {"arguments": ': ["a"]}'}}]},
)


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_chunks_are_handed_out_as_they_come(kind: str) -> None:
    """Exists for an async on_chunk whose coroutines nobody awaits."""
    seen: list[str] = []

    async def later(chunk: ChatCompletionChunk) -> None:
        await asyncio.sleep(0)
        seen.append(chunk.text)

    on_chunk: Any = later if kind == "coroutine function" else lambda chunk: seen.append(chunk.text)
    scripts = streamed(*PIECES, finish="tool_calls"), streamed({"content": "On"}, {"content": "e."})
    result, server = await ran([count], *scripts, on_chunk=on_chunk)
    run = unwrap(result)
    assert (run.text, run.turns, run.cost) == ("One.", 2, 0.002)
    assert "".join(seen) == "Let me see.One."
    assert told(server) == ["1"]
    assert asked(server, 1)["stream"] is True


async def test_a_stream_that_breaks_is_retried_unless_its_chunks_have_been_handed_out() -> None:
    broken = then_hang_up(streamed({"content": "so"}, ended=False))
    last = streamed({"content": "done"})
    whole, server = await ran([count], broken, last, streamed=True)
    assert (unwrap(whole).text, len(server.requests)) == ("done", 2)
    handed, server = await ran([count], broken, last, on_chunk=lambda _: None)
    failure = handed.failure()
    assert (failure.partial and failure.partial.text, len(server.requests)) == ("so", 1)


async def test_what_on_chunk_raises_goes_up_and_drops_the_connection() -> None:
    def on_chunk(chunk: ChatCompletionChunk) -> None:
        raise ZeroDivisionError(chunk.text)

    async with Loopback(then_silence(streamed({"content": "so"}, ended=False))) as server, client_of(server) as client:
        with pytest.raises(ZeroDivisionError, match="so"):
            await client.run_tools(asking(), [count], on_chunk=on_chunk)
        await until(lambda: server.left)


# --- cancelling -----------------------------------------------------------------------------------------------------


async def test_cancelling_cancels_the_tools() -> None:
    """No task is left behind either: tests/conftest.py looks."""
    begun, ended = asyncio.Semaphore(0), []

    async def slow(number: int) -> None:
        begun.release()
        try:
            await asyncio.sleep(9)
        finally:
            ended.append(number)

    calls = calling(*(call("slow", {"number": n}, f"c{n}") for n in range(3)))
    async with Loopback(calls) as server, client_of(server) as client:
        task = asyncio.create_task(client.run_tools(asking(), [slow]))
        for _ in range(3):
            await begun.acquire()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(ended) == [0, 1, 2]


@pytest.mark.parametrize("more", [{}, {"streamed": True}, {"on_chunk": lambda _: None}])
async def test_cancelling_drops_the_call(more: dict[str, Any]) -> None:
    here = asyncio.Event()

    async def stalled(talk: Talk) -> None:
        here.set()
        await talk.gone()

    async with Loopback(calling(call("count", {"words": []})), stalled) as server, client_of(server) as client:
        task = asyncio.create_task(client.run_tools(asking(), [count], **more))
        await here.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.left)


async def test_loops_share_one_client() -> None:
    scripts = calling(call("count", {"words": ["a"]}))
    async with Loopback(scripts) as server, client_of(server, max_connections=4) as client:
        runs = await asyncio.gather(*(client.run_tools(asking(), [count], max_turns=2) for _ in range(20)))
        assert {run.unwrap().reason for run in runs} == {"max_turns"}
        assert all(isinstance(run, Success) for run in runs)
