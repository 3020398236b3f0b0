"""The clients that are compared. Each asks once and checks the answer, or streams once and checks the whole.

`raw` is what a careful user writes by hand on aiohttp and `json`: a session with headers, a connection limit and a
timeout of its own, `json=` and `.json()`, the line loop for streams. Modules are imported where they are used, so that
a process pays only for the client that it measures.
"""

from __future__ import annotations

import importlib
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.canned import MODEL, PIECE, PROMPT, TEXT

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Asking:
    """A client that is ready: a call, a stream (which gives the number of its chunks), and where they go."""

    call: Callable[[], Awaitable[None]]
    stream: Callable[[], Awaitable[int]]


def require(right: object, answer: object) -> None:
    """Stop the measurement at the first wrong answer."""
    if not right:
        raise AssertionError(f"a wrong answer: {str(answer)[:500]}")


@asynccontextmanager
async def raw(base: str, places: int) -> AsyncGenerator[Asking, None]:
    """Give aiohttp and json, by hand."""
    import aiohttp

    url = f"{base}/chat/completions"

    def body(**more: Any) -> dict[str, Any]:
        return {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "temperature": 0.2, **more}

    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {KEY}"},
        connector=aiohttp.TCPConnector(limit=places),
        timeout=aiohttp.ClientTimeout(total=60),
    ) as session:

        async def call() -> None:
            async with session.post(url, json=body()) as response:
                response.raise_for_status()
                data = await response.json()
            require(data["choices"][0]["message"]["content"] == TEXT and data["usage"]["cost"] == 0.00125, data)

        async def stream() -> int:
            pieces: list[str] = []
            async with session.post(url, json=body(stream=True)) as response:
                response.raise_for_status()
                async for line in response.content:
                    if not line.startswith(b"data: "):
                        continue
                    data = line[6:].strip()
                    if data == b"[DONE]":
                        break
                    chunk = json.loads(data)
                    if chunk["choices"]:
                        pieces.append(chunk["choices"][0]["delta"].get("content") or "")
            whole = "".join(pieces)
            require(whole == PIECE * (len(pieces) - 1), whole)
            return len(pieces)

        yield Asking(call, stream)


@asynccontextmanager
async def ours(base: str, places: int) -> AsyncGenerator[Asking, None]:
    """Give this library, with its defaults: retries, a place in line, typed answers."""
    from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, OpenRouterConfig, unwrap

    def request() -> ChatCompletionRequest:
        return ChatCompletionRequest(model=MODEL, messages=[ChatMessage.user(PROMPT)], temperature=0.2)

    config = OpenRouterConfig(api_key=KEY, base_url=base, max_connections=places)
    async with unwrap(OpenRouterClient.new(config)) as client:

        async def call() -> None:
            answer = unwrap(await client.chat_completion(request()))
            require(answer.text == TEXT and answer.cost == 0.00125, answer)

        async def stream() -> int:
            pieces: list[str] = []
            async with client.stream_chat_completion(request()) as chunks:
                async for chunk in chunks:
                    pieces.append(chunk.text)  # noqa: PERF401 - what users write
            answer = unwrap(chunks.result)
            require(answer.text == "".join(pieces) == PIECE * (len(pieces) - 1) and answer.cost == 0.00125, answer)
            return len(pieces)

        yield Asking(call, stream)


@asynccontextmanager
async def openai(base: str, places: int) -> AsyncGenerator[Asking, None]:
    """Give openai-python, without retries."""
    library: Any = importlib.import_module("openai")
    httpx: Any = importlib.import_module("httpx")
    limits = httpx.Limits(max_connections=places, max_keepalive_connections=places)
    http = library.DefaultAsyncHttpxClient(limits=limits, trust_env=False, verify=ssl.create_default_context())
    async with library.AsyncOpenAI(api_key=KEY, base_url=base, max_retries=0, http_client=http) as client:

        async def call() -> None:
            answer = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": PROMPT}], temperature=0.2
            )
            require(answer.choices[0].message.content == TEXT, answer)

        async def stream() -> int:
            pieces: list[str] = []
            chunks = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": PROMPT}], temperature=0.2, stream=True
            )
            async for chunk in chunks:
                pieces.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - what users write
            require("".join(pieces) == PIECE * (len(pieces) - 1), pieces)
            return len(pieces)

        yield Asking(call, stream)


@asynccontextmanager
async def official(base: str, places: int) -> AsyncGenerator[Asking, None]:
    """Give OpenRouter's own SDK, without retries."""
    library: Any = importlib.import_module("openrouter")
    httpx: Any = importlib.import_module("httpx")
    limits = httpx.Limits(max_connections=places, max_keepalive_connections=places)
    http = httpx.AsyncClient(limits=limits, timeout=60, trust_env=False, verify=ssl.create_default_context())
    async with library.OpenRouter(api_key=KEY, server_url=base, async_client=http) as client:

        async def call() -> None:
            answer = await client.chat.send_async(
                model=MODEL, messages=[{"role": "user", "content": PROMPT}], temperature=0.2
            )
            require(answer.choices[0].message.content == TEXT, answer)

        async def stream() -> int:
            pieces: list[str] = []
            chunks = await client.chat.send_async(
                model=MODEL, messages=[{"role": "user", "content": PROMPT}], temperature=0.2, stream=True
            )
            async for chunk in chunks:
                pieces.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - what users write
            require("".join(pieces) == PIECE * (len(pieces) - 1), pieces)
            return len(pieces)

        yield Asking(call, stream)


CLIENTS = {"raw": raw, "ours": ours, "openai": openai, "official": official}
"""The clients by name; the last two only where they are installed."""
