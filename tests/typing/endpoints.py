"""How users call the rest of the API, as their type checkers see it. Never run, only checked."""

from __future__ import annotations

from typing import assert_type

from openrouter_client import DataSourceError, OpenRouterClient, Result
from openrouter_client.paging import Pages
from openrouter_client.streaming import ByteStream, EventStream
from openrouter_core.endpoint import Raw
from openrouter_core.endpoints.access import LIST_KEYS
from openrouter_core.endpoints.inference import EMBEDDINGS, SPEECH
from openrouter_core.received import Received
from openrouter_core.wire.audio import SpeechRequest
from openrouter_core.wire.embeddings import EmbeddingsRequest, EmbeddingsResponse
from openrouter_core.wire.generation import Generation
from openrouter_core.wire.keys import ApiKey
from openrouter_core.wire.models import Model
from openrouter_core.wire.responses import ResponsesRequest, ResponsesResponse
from openrouter_core.wire.responses_events import ResponsesEvent


async def by_value(client: OpenRouterClient, asked: EmbeddingsRequest, saying: SpeechRequest) -> None:
    assert_type(await client.call(EMBEDDINGS, asked), Result[EmbeddingsResponse, DataSourceError])
    assert_type(client.pages(LIST_KEYS), Pages[ApiKey])
    assert_type(await client.request("GET", "/x"), Result[Raw, DataSourceError])
    assert_type(client.stream_bytes(SPEECH, saying), ByteStream)
    assert_type(await client.download(SPEECH, saying, "x.mp3"), Result[Received, DataSourceError])
    await client.call(EMBEDDINGS, saying)  # type: ignore[misc]  # pyright: ignore[reportArgumentType] # it must be refused


async def by_name(client: OpenRouterClient, asked: ResponsesRequest) -> None:
    assert_type(client.models.list(), Pages[Model])
    assert_type([model async for model in client.models.list()], list[Model])
    assert_type(await client.models.get("a/b", deadline_secs=5.0), Result[Model, DataSourceError])
    assert_type(await client.generation.get("gen-1"), Result[Generation, DataSourceError])
    assert_type(client.responses.stream(asked), EventStream[ResponsesEvent, ResponsesResponse])
    await client.models.get("a/b", deadline="soon")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] # it must be refused
