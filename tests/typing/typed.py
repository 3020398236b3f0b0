"""How users ask for typed answers and offer tools, as their type checkers see it. Never run, only checked."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Annotated, Any, Literal, TypedDict, assert_type

from msgspec import Meta, Struct

from openrouter_client import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatCompletionResponse,
    DataSourceError,
    InvalidRequest,
    OpenRouterClient,
    Parsed,
    Result,
    Tool,
    ToolLoopFailed,
    ToolRun,
    Usage,
    unwrap,
)


class Prediction(Struct):
    probability: Annotated[float, Meta(ge=0, le=1)]


@dataclasses.dataclass
class Point:
    x: int


class Place(TypedDict):
    city: str


async def typed(client: OpenRouterClient, request: ChatCompletionRequest) -> None:
    """What is a class comes back as itself."""
    result = await client.chat_completion_as(Prediction, request)
    assert_type(result, Result[Parsed[Prediction], DataSourceError])
    parsed = unwrap(result)
    assert_type(parsed.value, Prediction)
    assert_type(parsed.value.probability, float)
    assert_type(parsed.response, ChatCompletionResponse)
    assert_type(parsed.earlier, tuple[ChatCompletionResponse, ...])
    assert_type(parsed.cost, float | None)
    assert_type(unwrap(await client.chat_completion_as(Point, request, repair=2)).value, Point)
    assert_type(unwrap(await client.chat_completion_as(Place, request, streamed=True)).value, Place)
    assert_type(unwrap(await client.chat_completion_as(list[Point], request, deadline_secs=9)).value, list[Point])
    assert_type(unwrap(await client.chat_completion_as(dict[str, int], request)).value, dict[str, int])
    first, second = await asyncio.gather(
        client.chat_completion_as(Point, request), client.chat_completion_as(Place, request)
    )
    assert_type(first, Result[Parsed[Point], DataSourceError])
    assert_type(second, Result[Parsed[Place], DataSourceError])


async def special_forms(client: OpenRouterClient, request: ChatCompletionRequest) -> None:
    """What is no class is accepted; its type is for the caller to say."""
    assert_type(unwrap(await client.chat_completion_as(Point | Prediction, request)), Parsed[Any])
    either: Parsed[Point | Prediction] = unwrap(await client.chat_completion_as(Point | Prediction, request))
    assert_type(either.value, Point | Prediction)
    assert_type(unwrap(await client.chat_completion_as(Literal["up", "down"], request)), Parsed[Any])
    assert_type(unwrap(await client.chat_completion_as(Annotated[int, Meta(ge=0)], request)), Parsed[Any])


async def forecast(city: str, days: int = 3) -> str:
    """Tell the weather."""
    return f"{city} {days}"


def count(words: list[str]) -> int:
    """Count words."""
    return len(words)


async def tools(client: OpenRouterClient, request: ChatCompletionRequest) -> None:
    """Functions, tools, and what makes tools, side by side."""
    made = Tool.from_function(forecast)
    assert_type(made, Result[Tool, InvalidRequest])
    assert_type(unwrap(made), Tool)
    named = Tool.from_function(lambda: "now", name="now", description="Tell the time.")
    result = await client.run_tools(request, [forecast, count, unwrap(made), named])
    assert_type(result, Result[ToolRun, DataSourceError])
    run = unwrap(result)
    assert_type(run.text, str)
    assert_type(run.cost, float | None)
    assert_type(run.usage, Usage | None)
    assert_type(run.response, ChatCompletionResponse | None)
    assert_type(run.turns, int)
    ChatCompletionRequest(messages=run.messages)


async def watched(client: OpenRouterClient, request: ChatCompletionRequest) -> None:
    """Chunks go to functions and coroutine functions."""

    def show(chunk: ChatCompletionChunk) -> None:
        assert_type(chunk.text, str)

    async def send(chunk: ChatCompletionChunk) -> None:
        assert_type(chunk.text, str)

    await client.run_tools(request, [count], on_chunk=show, max_turns=3, max_cost_usd=0.1, tool_timeout_secs=5)
    await client.run_tools(request, (count,), on_chunk=send, deadline_secs=30, streamed=True)


def taken_up(error: DataSourceError, request: ChatCompletionRequest) -> ChatCompletionRequest:
    """A loop that failed on its way can go on."""
    if isinstance(error, ToolLoopFailed):
        assert_type(error.cost, float | None)
        return ChatCompletionRequest(messages=error.messages)
    return request
