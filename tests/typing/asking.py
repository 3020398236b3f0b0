"""How users make clients and requests, as their type checkers see it. Never run, only checked."""

from __future__ import annotations

import asyncio
from typing import assert_type

from openrouter_client import (
    ChatCompletionRequest,
    ChatCompletionResponse,
    ChatMessage,
    DataSourceError,
    Fallback,
    Hedge,
    Hedged,
    OpenRouterClient,
    OpenRouterConfig,
    ResponseFormat,
    Result,
    Stats,
    unwrap,
)


def configs() -> None:
    config = OpenRouterConfig(api_key="k", timeout_secs=10, max_retries=5, retry_delay_ms=250, deadline_secs=None)
    assert_type(config.timeout_secs, float)
    assert_type(config.deadline_secs, float | None)
    assert_type(OpenRouterConfig.from_env({"OPENROUTER_API_KEY": "k"}), Result[OpenRouterConfig, DataSourceError])
    assert_type(OpenRouterClient.new(config), Result[OpenRouterClient, DataSourceError])
    assert_type(OpenRouterClient.from_env(), Result[OpenRouterClient, DataSourceError])
    assert_type(OpenRouterClient.from_env(max_retries=1), Result[OpenRouterClient, DataSourceError])


def requests() -> None:
    text = ChatMessage.user("Will it rain?")
    assert_type(text, ChatMessage)
    ChatMessage(role="user", content="Will it rain?")
    ChatMessage.tool("12", tool_call_id="call_1")
    ChatCompletionRequest(messages=[text])
    ChatCompletionRequest(messages=(ChatMessage.system("Be brief."), text), model="x-ai/grok-4", temperature=0.2)
    ChatCompletionRequest(messages=[{"role": "user", "content": "Will it rain?"}])
    # Settings are taken as their typed struct or as a plain mapping.
    ChatCompletionRequest(messages=[text], response_format=ResponseFormat.json())
    ChatCompletionRequest(messages=[text], response_format={"type": "json_object"})
    ChatCompletionRequest(messages=[text], provider={"sort": "price"}, reasoning={"effort": "low"})
    ChatCompletionRequest(messages=[text], plugins=[{"id": "web"}], metadata={"run": "7"}, extra={"tomorrow": 1})
    # A request is a value: it has no attributes to set.
    ChatCompletionRequest(messages=[text]).model = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] # it must be refused


async def calls() -> None:
    async with unwrap(OpenRouterClient.from_env()) as client:
        assert_type(client, OpenRouterClient)
        request = ChatCompletionRequest(messages=[ChatMessage.user("Will it rain?")])
        assert_type(await client.chat_completion(request), Result[ChatCompletionResponse, DataSourceError])
        first, second = await asyncio.gather(client.chat_completion(request), client.chat_completion(request))
        assert_type(first, Result[ChatCompletionResponse, DataSourceError])
        assert_type(second, Result[ChatCompletionResponse, DataSourceError])
        assert_type(unwrap(first), ChatCompletionResponse)
        assert_type(await client.close(), None)


async def options() -> None:
    config = OpenRouterConfig(api_key="k", max_cost_usd=5, requests_per_minute=300, max_rate_retries=None)
    async with unwrap(OpenRouterClient.new(config, hedge=Hedge(percentile=0.98))) as client:
        request = ChatCompletionRequest(messages=[ChatMessage.user("Will it rain?")])
        others = [Fallback("openai/gpt-4o-mini"), Fallback("x-ai/grok-4", ("Timeout",))]
        answer = await client.chat_completion(
            request, deadline_secs=9, max_cost_usd=0.1, priority=-1, fallbacks=others, streamed=True
        )
        call = unwrap(answer).call
        assert_type(None if call is None else call.hedged, Hedged | None)
        assert_type(await client.load_prices(), Result[int, DataSourceError])
        stats = client.stats()
        assert_type(stats, Stats)
        assert_type(stats.spent_usd, float)
        assert_type(stats.scopes[""].capacity, float | None)
