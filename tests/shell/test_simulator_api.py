"""The local OpenRouter beyond chat: the client, and clients that we did not write, get what they expect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import openrouter
import pytest
from tests.shell.loopback import asking

from openrouter_client import (
    AuthError,
    DataSourceError,
    Disconnected,
    EventStream,
    Failure,
    InsufficientCredits,
    NotFound,
    OpenRouterClient,
    OpenRouterConfig,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
    unwrap,
)
from openrouter_client.simulator import Simulator
from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints.table import TABLE
from openrouter_core.polling import Polling
from openrouter_core.wire.audio import SpeechRequest
from openrouter_core.wire.completions import CompletionRequest
from openrouter_core.wire.embeddings import EmbeddingsRequest
from openrouter_core.wire.keys import CreateKey
from openrouter_core.wire.messages import InputTurn, MessagesRequest
from openrouter_core.wire.models import ListModels
from openrouter_core.wire.responses import ResponsesRequest
from openrouter_core.wire.videos import VideoRequest

SOON = Polling(first=0.001, longest=0.01, deadline=5.0, absent=5.0)
TOOL: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(seed=3) as running:
        yield running


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[OpenRouterClient]:
    config = OpenRouterConfig(
        api_key=sim.api_key, management_key=sim.management_key, base_url=sim.base_url, max_retries=0
    )
    async with unwrap(OpenRouterClient.new(config)) as made:
        yield made


# --- our own client -------------------------------------------------------------------------------------------------


async def test_models_are_listed_page_by_page_and_one_by_one(client: OpenRouterClient) -> None:
    models = unwrap(await client.models.list(ListModels(limit=5)).collect())
    assert len(models) == unwrap(await client.models.count()).count == 14
    assert len({model.id for model in models}) == 14
    grok = unwrap(await client.models.get("x-ai/grok-4.7"))
    assert grok.pricing is not None
    assert grok.pricing.prompt == Decimal("0.000002")
    assert unwrap(await client.models.endpoints(grok.id)).endpoints[0].provider_name == "xAI"
    assert isinstance((await client.models.get("no/such")).failure(), NotFound)


async def test_the_key_the_credits_and_the_generation_tell_what_an_answer_cost(client: OpenRouterClient) -> None:
    done = unwrap(await client.chat_completion(asking()))
    assert done.cost is not None
    assert done.id is not None
    cost = Decimal(str(done.cost))
    assert unwrap(await client.keys.current()).usage == cost
    assert unwrap(await client.credits.get()).total_usage == cost
    known = unwrap(await client.generation.get(done.id, polling=SOON))
    assert (known.id, known.total_cost) == (done.id, cost)


async def test_embeddings_are_the_same_each_time(client: OpenRouterClient) -> None:
    request = EmbeddingsRequest(model="openai/text-embedding-3-small", input=["a", "b"], dimensions=8)
    first, second = unwrap(await client.embeddings.create(request)), unwrap(await client.embeddings.create(request))
    assert first == second
    one, other = (vector.embedding for vector in first.data)
    assert len(one) == 8
    assert one != other
    assert first.usage is not None
    assert unwrap(await client.keys.current()).usage == Decimal(str(first.usage.cost)) * 2


@pytest.mark.parametrize("effort", [None, "low"])
async def test_responses_say_the_same_whole_and_streamed(client: OpenRouterClient, effort: str | None) -> None:
    reasoning = None if effort is None else {"effort": effort}
    request = ResponsesRequest(model="openai/gpt-5.2", input="Will it rain?", reasoning=reasoning)
    whole = unwrap(await client.responses.create(request))
    assert "Will it rain?" in whole.text
    async with client.responses.stream(request) as stream:
        deltas = "".join([event.delta or "" async for event in stream if event.type == "response.output_text.delta"])
    assert deltas == unwrap(stream.result).text == whole.text


async def test_responses_and_messages_call_functions(client: OpenRouterClient) -> None:
    tools = [{"type": "function", "name": "weather", "parameters": TOOL}]
    request = ResponsesRequest(model="openai/gpt-5.2", input="Use weather.", tools=tools)
    (call,) = unwrap(await client.responses.create(request)).function_calls
    assert call.name == "weather"
    assert unwrap(await client.responses.stream(request).collect()).function_calls[0].arguments == call.arguments
    turns = [InputTurn(role="user", content="Use weather.")]
    named = [{"name": "weather", "input_schema": TOOL}]
    message = MessagesRequest(model="anthropic/claude-haiku-4.5", messages=turns, max_tokens=100, tools=named)
    (use,) = unwrap(await client.messages.create(message)).tool_uses
    assert use.name == "weather"
    assert unwrap(await client.messages.stream(message).collect()).tool_uses[0].input == use.input


async def test_messages_say_the_same_whole_and_streamed(client: OpenRouterClient) -> None:
    turns = [{"role": "user", "content": "Will it rain?"}]
    request = MessagesRequest(model="x-ai/grok-4.7", messages=turns, max_tokens=500, system="Be brief.")
    whole = unwrap(await client.messages.create(request))
    assert "Will it rain?" in whole.text
    assert whole.thinking
    streamed = unwrap(await client.messages.stream(request).collect())
    assert (streamed.text, streamed.thinking, streamed.usage) == (whole.text, whole.thinking, whole.usage)


async def test_completions_go_on_with_a_text(client: OpenRouterClient) -> None:
    request = CompletionRequest(prompt="Once", model="openai/gpt-4o-mini")
    done = unwrap(await client.completions.create(request))
    assert done.text
    async with client.completions.stream(request) as stream:
        pieces = [chunk.text async for chunk in stream]
    assert len(pieces) > 2
    assert "".join(pieces) == done.text
    whole = unwrap(stream.result)
    assert (whole.choices, whole.usage) == (done.choices, done.usage)


async def test_other_skins_meet_faults_too(sim: Simulator, client: OpenRouterClient) -> None:
    sim.script("429", "error200-429", "midstream-429")
    request = ResponsesRequest(model="openai/gpt-5.2", input="hi")
    assert isinstance((await client.responses.create(request)).failure(), RateLimited)
    assert isinstance((await client.responses.create(request)).failure(), RateLimited)
    assert isinstance((await client.responses.stream(request).collect()).failure(), RateLimited)


async def test_jobs_files_and_management_are_plausible(
    sim: Simulator, client: OpenRouterClient, tmp_path: Path
) -> None:
    video = unwrap(await client.videos.run(VideoRequest(model="a/film", prompt="rain"), polling=SOON))
    received = unwrap(await client.videos.download(video.id, tmp_path / "film.mp4"))
    assert received.size == len((tmp_path / "film.mp4").read_bytes()) > 0
    assert unwrap(await client.audio.speech(SpeechRequest(model="a/voice", input="hi")))
    assert unwrap(await client.files.upload(tmp_path / "film.mp4")).id
    assert unwrap(await client.keys.create(CreateKey(name="mine"))).key
    assert unwrap(await client.keys.list().collect())
    wrong = OpenRouterConfig(api_key=sim.api_key, management_key=sim.api_key, base_url=sim.base_url)
    async with unwrap(OpenRouterClient.new(wrong)) as other:
        assert isinstance((await other.keys.list().collect()).failure(), AuthError)


def example(path: str) -> str:
    return "/".join("x" if step.startswith("{") else step for step in path.split("/"))


@pytest.mark.parametrize("name", [name for name, one in TABLE.items() if not one.base])
async def test_every_endpoint_has_an_answer_that_can_be_read(
    name: str, sim: Simulator, client: OpenRouterClient
) -> None:
    """Exists so that programs can be tried with any endpoint; what is sent here is a request in form only."""
    from openrouter_core.classify import classify
    from openrouter_core.endpoint import HttpRequest
    from openrouter_core.outcome import Responded
    from openrouter_core.verdict import Accepted, Rules

    endpoint: Endpoint[Any, Any] = TABLE[name]
    bodies = {
        "EMBEDDINGS": b'{"model": "a/b", "input": "x"}',
        "RESPONSES": b'{"input": "x"}',
        "CREATE_BATCH": b'{"endpoint": "/v1/responses", "model": "a/b:batch", '
        b'"requests": [{"custom_id": "1", "body": {}}]}',
    }
    body = bodies.get(name, b'{"messages": [{"role": "user", "content": "x"}], "prompt": "x", "model": "a/b"}')
    path = {"GET_MODEL": "/model/x-ai/grok-4.7", "LIST_MODEL_ENDPOINTS": "/models/x-ai/grok-4.7/endpoints"}
    url = sim.base_url + path.get(name, example(endpoint.path))
    if name in ("GET_GENERATION", "GET_BATCH", "DELETE_BATCH"):  # they know what they have
        return
    headers = (("Content-Type", "application/json"),)
    sent = HttpRequest(endpoint.method, url, headers, body if endpoint.method in ("POST", "PUT") else b"", endpoint.key)
    outcome = await client._calls.transport.send(sent, 5.0)
    assert isinstance(outcome, Responded)
    assert isinstance(classify(endpoint, outcome, Rules()), Accepted), outcome.body[:300]


# --- clients that we did not write ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
async def test_the_official_client_gets_what_it_expects(sim: Simulator) -> None:
    async with openrouter.OpenRouter(api_key=sim.api_key, server_url=sim.base_url) as official:
        done = await official.chat.send_async(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Will it rain?"}]
        )
        assert done.choices[0].message.content
        models = await official.models.list_async()
        assert models is not None
        answer = await official.responses.send_async(model="openai/gpt-5.2", input="Will it rain?")
        assert answer.status == "completed"
        vectors = await official.embeddings.generate_async(model="openai/text-embedding-3-small", input="hi")
        assert vectors.data[0].embedding
        assert (await official.api_keys.get_current_key_metadata_async()).data.usage > 0


async def test_openais_client_gets_what_it_expects(sim: Simulator) -> None:
    async with openai.AsyncOpenAI(api_key=sim.api_key, base_url=sim.base_url, max_retries=0) as theirs:
        asked: list[Any] = [{"role": "user", "content": "Will it rain?"}]
        done = await theirs.chat.completions.create(model="openai/gpt-4o-mini", messages=asked)
        assert done.choices[0].message.content
        pieces = [
            chunk.choices[0].delta.content or ""
            async for chunk in await theirs.chat.completions.create(
                model="openai/gpt-4o-mini", messages=asked, stream=True
            )
        ]
        assert "".join(pieces) == done.choices[0].message.content
        answer = await theirs.responses.create(model="openai/gpt-5.2", input="Will it rain?")
        async with theirs.responses.stream(model="openai/gpt-5.2", input="Will it rain?") as stream:
            kinds = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert kinds[0] == "response.created"
        assert final.output_text == answer.output_text != ""
        vectors = await theirs.embeddings.create(model="openai/text-embedding-3-small", input=["a", "b"])
        assert len(vectors.data[0].embedding) == 64
        legacy = await theirs.completions.create(model="openai/gpt-4o-mini", prompt="Once")
        assert legacy.choices[0].text
        assert len([model async for model in theirs.models.list()]) == 14
        with pytest.raises(openai.AuthenticationError):
            await theirs.with_options(api_key="wrong").completions.create(model="openai/gpt-4o-mini", prompt="x")


# --- what goes wrong ------------------------------------------------------------------------------------------------

STREAMS: dict[str, Callable[[OpenRouterClient], EventStream[Any, Any]]] = {
    "responses": lambda client: client.responses.stream(ResponsesRequest(model="openai/gpt-5.2", input="Rain?")),
    "messages": lambda client: client.messages.stream(
        MessagesRequest(model="openai/gpt-5.2", messages=[InputTurn(role="user", content="Rain?")], max_tokens=200)
    ),
    "completions": lambda client: client.completions.stream(
        CompletionRequest(model="openai/gpt-4o-mini", prompt="Rain?")
    ),
}


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("midstream", ProviderError),
        ("midstream-429", RateLimited),
        ("midstream-bare", ProviderError),
        ("midstream-done", ProviderError),
        ("midstream-alone", ProviderError),
        ("midstream-string", ProviderError),
        ("cutstream", TruncatedStream),
        ("malformed", ParseError),
        ("stall@0.02", Timeout),
        ("reset-body", Disconnected),
    ],
)
async def test_an_error_in_the_middle_of_any_stream_is_a_failure_with_what_had_come(
    sim: Simulator, kind: str, fault: str, expected: type[DataSourceError]
) -> None:
    """Kills: an event of failure that is taken for one of the answer, and a part of an answer for the whole."""
    config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url, idle_timeout_secs=0.2)
    async with unwrap(OpenRouterClient.new(config)) as client:
        whole = unwrap(await STREAMS[kind](client).collect())
        sim.script(fault)
        stream = STREAMS[kind](client)
        events = [event async for event in stream]
    error = stream.result.failure()
    assert isinstance(error, expected), error
    assert sim.counts[fault.partition("@")[0]] == 1
    assert len(sim.requests) == 2, "what has begun to come is not asked for again"
    assert events
    assert stream.snapshot is not None
    assert 0 < len(stream.snapshot.text) < len(whole.text)


@pytest.mark.parametrize("kind", STREAMS)
async def test_an_error_before_the_first_content_of_any_stream_is_retried(sim: Simulator, kind: str) -> None:
    config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url, retry_delay_ms=1)
    async with unwrap(OpenRouterClient.new(config)) as client:
        sim.script("midstream-first", "ok")
        assert unwrap(await STREAMS[kind](client).collect()).text
    assert [request.answer for request in sim.requests] == ["midstream-first", "ok"]


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_stream_without_its_end_mark_is_whole_and_one_that_fails_late_is_not(
    sim: Simulator, client: OpenRouterClient, kind: str
) -> None:
    sim.script("no-done", "midstream-late")
    assert unwrap(await STREAMS[kind](client).collect()).text
    assert isinstance((await STREAMS[kind](client).collect()).failure(), DataSourceError)


async def test_embeddings_meet_faults_and_the_quota() -> None:
    request = EmbeddingsRequest(model="x/embed", input="rain", dimensions=4)
    async with Simulator(seed=1, faults="502:0.5", quota="20/hour") as sim:
        config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url, max_retries=0)
        async with unwrap(OpenRouterClient.new(config)) as client:
            results = [await client.embeddings.create(request) for _ in range(21)]
    counts = dict(sim.counts)
    assert counts["429 quota"] == 1
    assert counts["ok"] + counts["502"] == 20
    assert counts["502"] > 3
    failed = [type(result.failure()).__name__ for result in results if isinstance(result, Failure)]
    assert sorted(failed) == ["ProviderError"] * counts["502"] + ["RateLimited"]
    assert sim.cost == pytest.approx(counts["ok"] * 2e-8)


async def test_a_scripted_fault_of_embeddings_comes_before_the_quota() -> None:
    request = EmbeddingsRequest(model="x/embed", input="rain", dimensions=4)
    async with Simulator(quota="1/hour") as sim:
        config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url, max_retries=0)
        async with unwrap(OpenRouterClient.new(config)) as client:
            sim.script("402")
            assert isinstance((await client.embeddings.create(request)).failure(), InsufficientCredits)
            assert unwrap(await client.embeddings.create(request)).data
            assert isinstance((await client.embeddings.create(request)).failure(), RateLimited)
