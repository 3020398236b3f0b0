"""Every method of every group, called against the local OpenRouter: none is held by types alone."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from returns.result import Result, Success

from openrouter_client import (
    ByteStream,
    ChatCompletionRequest,
    ChatMessage,
    EventStream,
    OpenRouterClient,
    OpenRouterConfig,
    Pages,
    unwrap,
)
from openrouter_client.simulator import Simulator
from openrouter_core.polling import Polling
from openrouter_core.wire.account import QueryAnalytics
from openrouter_core.wire.audio import SpeechRequest, TranscriptionRequest
from openrouter_core.wire.batches import BatchRequest
from openrouter_core.wire.byok import CreateByokKey, UpdateByokKey
from openrouter_core.wire.completions import CompletionRequest
from openrouter_core.wire.decisions import DecisionsRequest
from openrouter_core.wire.embeddings import EmbeddingsRequest
from openrouter_core.wire.generation import GenerationFeedback
from openrouter_core.wire.guardrails import CreateGuardrail, UpdateGuardrail
from openrouter_core.wire.images import ImagesRequest
from openrouter_core.wire.keys import CreateKey, UpdateKey
from openrouter_core.wire.messages import MessagesRequest
from openrouter_core.wire.oauth import CreateAuthCode, ExchangeCode, ExchangeToken
from openrouter_core.wire.observability import CreateDestination, UpdateDestination
from openrouter_core.wire.organization import CreateGroupMapping
from openrouter_core.wire.presets import PresetFromChat, PresetFromMessages, PresetFromResponses
from openrouter_core.wire.private_endpoints import (
    CreatePrivateEndpoint,
    DeletePrivateEndpoint,
    SetPrivatePricing,
    UpdatePrivateEndpoint,
)
from openrouter_core.wire.rerank import RerankRequest
from openrouter_core.wire.responses import ResponsesRequest
from openrouter_core.wire.vault import StoreInternSecret, StoreSecret
from openrouter_core.wire.videos import VideoRequest
from openrouter_core.wire.workspaces import CreateWorkspace, DeleteWorkspace, SetBudget, UpdateWorkspace

GROUPS = Path(__file__).resolve().parents[2] / "shell" / "openrouter_client" / "api"
SOON = Polling(first=0.001, longest=0.01, deadline=5.0, absent=5.0)

Called = Awaitable[Result[Any, Any]] | Pages[Any] | EventStream[Any, Any]

SPEECH = SpeechRequest(model="a/voice", input="hi")
MESSAGES = MessagesRequest(model="x-ai/grok-4.7", messages=[{"role": "user", "content": "hi"}], max_tokens=50)
RESPONSES = ResponsesRequest(model="x-ai/grok-4.7", input="hi")
COMPLETION = CompletionRequest(model="openai/gpt-4o-mini", prompt="Once")
DECISIONS = DecisionsRequest(
    model="a/b", state={"rain": True}, questions={"go": {"type": "score", "instructions": "Go out?"}}
)
CHAT = ChatCompletionRequest(messages=[ChatMessage.user("hi")])
IMAGES = ImagesRequest(model="a/b", prompt="rain")

BATCH = BatchRequest(
    endpoint="/v1/chat/completions", model="a/b:batch", requests=[{"custom_id": "1", "body": {"prompt": "hi"}}]
)

CALLS: dict[str, Callable[[OpenRouterClient, Path], Called]] = {
    "analytics.activity": lambda c, _: c.analytics.activity(),
    "analytics.meta": lambda c, _: c.analytics.meta(),
    "analytics.query": lambda c, _: c.analytics.query(QueryAnalytics(metrics=["cost"])),
    "audio.speech": lambda c, _: c.audio.speech(SPEECH),
    "audio.save_speech": lambda c, to: c.audio.save_speech(SPEECH, to),
    "audio.stream_speech": lambda c, _: c.audio.stream_speech(SPEECH),
    "audio.transcribe": lambda c, _: c.audio.transcribe(
        TranscriptionRequest(model="a/b", input_audio={"data": "QQ==", "format": "wav"})
    ),
    "audio.transcribe_file": lambda c, _: c.audio.transcribe_file(b"sound", "a/b", language="en"),
    "auth.exchange_code": lambda c, _: c.auth.exchange_code(ExchangeCode(code="c")),
    "auth.create_code": lambda c, _: c.auth.create_code(CreateAuthCode(callback_url="https://example.com")),
    "auth.exchange_token": lambda c, _: c.auth.exchange_token(
        ExchangeToken(
            federation_policy_id="p",
            subject_token="t",
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        )
    ),
    "auth.web_keys": lambda c, _: c.auth.web_keys(),
    "batches.list": lambda c, _: c.batches.list(),
    "batches.create": lambda c, _: c.batches.create(BATCH),
    "batches.get": lambda c, _: of_batch(c, c.batches.get),
    "batches.wait": lambda c, _: of_batch(c, lambda one: c.batches.wait(one, polling=SOON)),
    "batches.delete": lambda c, _: of_batch(c, c.batches.delete),
    "byok.list": lambda c, _: c.byok.list(),
    "byok.create": lambda c, _: c.byok.create(CreateByokKey(provider="openai", key="sk-1")),
    "byok.get": lambda c, _: c.byok.get("k"),
    "byok.update": lambda c, _: c.byok.update(UpdateByokKey(id="k")),
    "byok.delete": lambda c, _: c.byok.delete("k"),
    "completions.create": lambda c, _: c.completions.create(COMPLETION),
    "completions.stream": lambda c, _: c.completions.stream(COMPLETION),
    "containers.files": lambda c, _: c.containers.files("c"),
    "containers.get": lambda c, _: c.containers.get("c", "f"),
    "containers.promote": lambda c, _: c.containers.promote("c", "f"),
    "containers.download": lambda c, to: c.containers.download("c", "f", to),
    "credits.get": lambda c, _: c.credits.get(),
    "datasets.app_rankings": lambda c, _: c.datasets.app_rankings(),
    "datasets.daily_rankings": lambda c, _: c.datasets.daily_rankings(),
    "datasets.session_costs": lambda c, _: c.datasets.session_costs(),
    "datasets.benchmarks": lambda c, _: c.datasets.benchmarks(),
    "datasets.task_shares": lambda c, _: c.datasets.task_shares(),
    "decisions.create": lambda c, _: c.decisions.create(DECISIONS),
    "decisions.system_one": lambda c, _: c.decisions.system_one(DECISIONS),
    "destinations.list": lambda c, _: c.destinations.list(),
    "destinations.create": lambda c, _: c.destinations.create(CreateDestination(type="webhook", name="n", config={})),
    "destinations.get": lambda c, _: c.destinations.get("d"),
    "destinations.update": lambda c, _: c.destinations.update(UpdateDestination(id="d")),
    "destinations.delete": lambda c, _: c.destinations.delete("d"),
    "embeddings.create": lambda c, _: c.embeddings.create(EmbeddingsRequest(model="a/b", input="x")),
    "files.list": lambda c, _: c.files.list(),
    "files.upload": lambda c, _: c.files.upload(b"x", name="x.txt"),
    "files.get": lambda c, _: c.files.get("f"),
    "files.content": lambda c, _: c.files.content("f"),
    "files.download": lambda c, to: c.files.download("f", to),
    "files.delete": lambda c, _: c.files.delete("f"),
    "generation.get": lambda c, _: generation_of(c),
    "generation.content": lambda c, _: c.generation.content("gen-1"),
    "generation.feedback": lambda c, _: c.generation.feedback(
        GenerationFeedback(generation_id="gen-1", category="incoherence")
    ),
    "guardrails.list": lambda c, _: c.guardrails.list(),
    "guardrails.create": lambda c, _: c.guardrails.create(CreateGuardrail(name="n")),
    "guardrails.get": lambda c, _: c.guardrails.get("g"),
    "guardrails.update": lambda c, _: c.guardrails.update(UpdateGuardrail(id="g")),
    "guardrails.delete": lambda c, _: c.guardrails.delete("g"),
    "guardrails.all_keys": lambda c, _: c.guardrails.all_keys(),
    "guardrails.all_members": lambda c, _: c.guardrails.all_members(),
    "guardrails.keys": lambda c, _: c.guardrails.keys("g"),
    "guardrails.assign_keys": lambda c, _: c.guardrails.assign_keys("g", ["h"]),
    "guardrails.unassign_keys": lambda c, _: c.guardrails.unassign_keys("g", ["h"]),
    "guardrails.members": lambda c, _: c.guardrails.members("g"),
    "guardrails.assign_members": lambda c, _: c.guardrails.assign_members("g", ["u"]),
    "guardrails.unassign_members": lambda c, _: c.guardrails.unassign_members("g", ["u"]),
    "images.create": lambda c, _: c.images.create(IMAGES),
    "images.stream": lambda c, _: c.images.stream(IMAGES),
    "keys.current": lambda c, _: c.keys.current(),
    "keys.list": lambda c, _: c.keys.list(),
    "keys.create": lambda c, _: c.keys.create(CreateKey(name="n")),
    "keys.get": lambda c, _: c.keys.get("h"),
    "keys.update": lambda c, _: c.keys.update(UpdateKey(hash="h", limit=None)),
    "keys.delete": lambda c, _: c.keys.delete("h"),
    "messages.create": lambda c, _: c.messages.create(MESSAGES),
    "messages.stream": lambda c, _: c.messages.stream(MESSAGES),
    "models.list": lambda c, _: c.models.list(),
    "models.for_user": lambda c, _: c.models.for_user(),
    "models.count": lambda c, _: c.models.count(),
    "models.get": lambda c, _: c.models.get("x-ai/grok-4.7"),
    "models.endpoints": lambda c, _: c.models.endpoints("x-ai/grok-4.7"),
    "models.zdr_endpoints": lambda c, _: c.models.zdr_endpoints(),
    "models.embeddings": lambda c, _: c.models.embeddings(),
    "models.images": lambda c, _: c.models.images(),
    "models.image_endpoints": lambda c, _: c.models.image_endpoints("a/b"),
    "models.videos": lambda c, _: c.models.videos(),
    "organization.members": lambda c, _: c.organization.members(),
    "organization.settings": lambda c, _: c.organization.settings(),
    "organization.update_settings": lambda c, _: c.organization.update_settings(is_filtered_model_catalog_enabled=True),
    "organization.external_users": lambda c, _: c.organization.external_users(),
    "organization.create_external_user": lambda c, _: c.organization.create_external_user("u"),
    "organization.external_user": lambda c, _: c.organization.external_user("u"),
    "organization.update_external_user": lambda c, _: c.organization.update_external_user("u", is_active=False),
    "organization.delete_external_user": lambda c, _: c.organization.delete_external_user("u"),
    "presets.list": lambda c, _: c.presets.list(),
    "presets.get": lambda c, _: c.presets.get("p"),
    "presets.create_from_chat": lambda c, _: c.presets.create_from_chat(PresetFromChat(slug="p", request=CHAT)),
    "presets.create_from_messages": lambda c, _: c.presets.create_from_messages(
        PresetFromMessages(slug="p", request=MESSAGES)
    ),
    "presets.create_from_responses": lambda c, _: c.presets.create_from_responses(
        PresetFromResponses(slug="p", request=RESPONSES)
    ),
    "presets.versions": lambda c, _: c.presets.versions("p"),
    "presets.version": lambda c, _: c.presets.version("p", "1"),
    "private_endpoints.list": lambda c, _: c.private_endpoints.list(),
    "private_endpoints.create": lambda c, _: c.private_endpoints.create(
        CreatePrivateEndpoint(model_permaslug="a/b", provider_slug="p", upstream_model_id="u")
    ),
    "private_endpoints.get": lambda c, _: c.private_endpoints.get("e"),
    "private_endpoints.update": lambda c, _: c.private_endpoints.update(
        UpdatePrivateEndpoint(id="e", upstream_model_id="u")
    ),
    "private_endpoints.delete": lambda c, _: c.private_endpoints.delete(DeletePrivateEndpoint(id="e")),
    "private_endpoints.validate": lambda c, _: c.private_endpoints.validate("e", "w"),
    "private_endpoints.activate": lambda c, _: c.private_endpoints.activate("e"),
    "private_endpoints.enable": lambda c, _: c.private_endpoints.enable("e"),
    "private_endpoints.disable": lambda c, _: c.private_endpoints.disable("e"),
    "private_endpoints.set_pricing": lambda c, _: c.private_endpoints.set_pricing(
        SetPrivatePricing(id="e", pricing={"prompt": "0.000001", "completion": "0.000002"})
    ),
    "providers.list": lambda c, _: c.providers.list(),
    "rerank.create": lambda c, _: c.rerank.create(RerankRequest(model="a/b", query="q", documents=["d"])),
    "responses.create": lambda c, _: c.responses.create(RESPONSES),
    "responses.stream": lambda c, _: c.responses.stream(RESPONSES),
    "scim.mappings": lambda c, _: c.scim.mappings(),
    "scim.create_mapping": lambda c, _: c.scim.create_mapping(
        CreateGroupMapping(scim_group_id="g", workspace_id="w", role="member")
    ),
    "scim.mapping": lambda c, _: c.scim.mapping("m"),
    "scim.update_mapping": lambda c, _: c.scim.update_mapping("m", "admin"),
    "scim.delete_mapping": lambda c, _: c.scim.delete_mapping("m", keep_members=True),
    "scim.groups": lambda c, _: c.scim.groups(),
    "scim.start_sync": lambda c, _: c.scim.start_sync(),
    "scim.sync": lambda c, _: c.scim.sync("j"),
    "tools.list": lambda c, _: c.tools.list(),
    "tools.get": lambda c, _: c.tools.get("web_search"),
    "vault.list": lambda c, _: c.vault.list(),
    "vault.store": lambda c, _: c.vault.store(StoreSecret(name="N", value="v", hosts=["example.com"])),
    "vault.delete": lambda c, _: c.vault.delete("N"),
    "vault.intern_secrets": lambda c, _: c.vault.intern_secrets("i"),
    "vault.effective_secrets": lambda c, _: c.vault.effective_secrets("i"),
    "vault.connections": lambda c, _: c.vault.connections("i"),
    "vault.copy": lambda c, _: c.vault.copy("i", ["N"]),
    "vault.store_for_intern": lambda c, _: c.vault.store_for_intern(
        StoreInternSecret(intern_id="i", name="N", value="v", hosts=["example.com"])
    ),
    "vault.delete_for_intern": lambda c, _: c.vault.delete_for_intern("i", "N"),
    "videos.create": lambda c, _: c.videos.create(VideoRequest(model="a/b", prompt="rain")),
    "videos.get": lambda c, _: c.videos.get("v"),
    "videos.wait": lambda c, _: c.videos.wait("v", polling=SOON),
    "videos.run": lambda c, _: c.videos.run(VideoRequest(model="a/b", prompt="rain"), polling=SOON),
    "videos.download": lambda c, to: c.videos.download("v", to),
    "workspaces.list": lambda c, _: c.workspaces.list(),
    "workspaces.create": lambda c, _: c.workspaces.create(CreateWorkspace(name="n", slug="s")),
    "workspaces.get": lambda c, _: c.workspaces.get("w"),
    "workspaces.update": lambda c, _: c.workspaces.update(UpdateWorkspace(id="w", name="n")),
    "workspaces.delete": lambda c, _: c.workspaces.delete(DeleteWorkspace(id="w")),
    "workspaces.members": lambda c, _: c.workspaces.members("w"),
    "workspaces.add_members": lambda c, _: c.workspaces.add_members("w", ["u"]),
    "workspaces.remove_members": lambda c, _: c.workspaces.remove_members("w", ["u"]),
    "workspaces.budgets": lambda c, _: c.workspaces.budgets("w"),
    "workspaces.budget": lambda c, _: c.workspaces.budget("w", "daily"),
    "workspaces.set_budget": lambda c, _: c.workspaces.set_budget(
        SetBudget(workspace_ref="w", interval="daily", limit_usd=5.0)
    ),
    "workspaces.delete_budget": lambda c, _: c.workspaces.delete_budget("w", "daily"),
}


async def generation_of(client: OpenRouterClient) -> Result[Any, Any]:
    """Ask something, and then what it cost."""
    answer = unwrap(await client.chat_completion(CHAT))
    return await client.generation.get(str(answer.id), polling=SOON)


async def of_batch(client: OpenRouterClient, then: Callable[[str], Awaitable[Result[Any, Any]]]) -> Result[Any, Any]:
    """Submit a batch, and then do something with it."""
    return await then(unwrap(await client.batches.create(BATCH)).id)


def public_methods() -> set[str]:
    """Every method of every group, as a user names it."""
    return {
        f"{path.stem}.{method.name}"
        for path in GROUPS.glob("*.py")
        if path.stem != "base"
        for group in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(group, ast.ClassDef)
        for method in group.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not method.name.startswith("_")
    }


def test_the_table_has_every_method() -> None:
    """Kills: a method that is added and never called by any test."""
    assert set(CALLS) == public_methods()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(seed=3) as running:
        yield running


@pytest.mark.parametrize("name", CALLS)
async def test_the_method_calls_its_endpoint_and_gives_its_answer(name: str, sim: Simulator, tmp_path: Path) -> None:
    """Kills: a method whose path the API does not have, that sends the wrong key, or reads another answer."""
    config = OpenRouterConfig(
        api_key=sim.api_key, management_key=sim.management_key, base_url=sim.base_url, max_retries=0
    )
    async with unwrap(OpenRouterClient.new(config)) as client:
        called = CALLS[name](client, tmp_path / "file")
        match called:
            case Pages() | EventStream():
                result: Result[Any, Any] = await called.collect()
            case _:
                result = await called
    assert isinstance(result, Success), result
    assert {request.answer for request in sim.requests} <= {"ok", "404"}
    if isinstance(called, ByteStream):
        assert result.unwrap().size > 0
    if name.endswith(("download", "save_speech")):
        assert (tmp_path / "file").read_bytes()
