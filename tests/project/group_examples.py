"""An example for the page of each group: what it imports, if anything, and what it does with `client`.

The tests run them all, as parts of the pages.
"""

from __future__ import annotations

EXAMPLES = {
    "analytics": """
for day in unwrap(await client.analytics.activity()):
    print(day.date, day.model, day.usage)
""",
    "audio": """
from openrouter_core.wire.audio import SpeechRequest

speech = SpeechRequest(model="openai/gpt-4o-mini-tts", input="Rain at noon.")
sound = unwrap(await client.audio.save_speech(speech, "rain.mp3"))
print(sound.size, sound.content_type)
""",
    "auth": """
from openrouter_core.wire.oauth import CreateAuthCode

wanted = CreateAuthCode(callback_url="https://example.com/back")
print(unwrap(await client.auth.create_code(wanted)).id)
""",
    "batches": """
from openrouter_core.wire.batches import BatchRequest

body = {"messages": [{"role": "user", "content": "Will it rain?"}]}
asked = BatchRequest(
    endpoint="/v1/chat/completions",
    model="openai/gpt-4o-mini:batch",
    requests=[{"custom_id": "rain", "body": body}],
)
batch = unwrap(await client.batches.create(asked))
print(unwrap(await client.batches.wait(str(batch.id))).status)
""",
    "byok": """
from openrouter_core.wire.byok import CreateByokKey

print(unwrap(await client.byok.create(CreateByokKey(provider="openai", key="sk-of-openai"))))
""",
    "completions": """
from openrouter_core.wire.completions import CompletionRequest

story = CompletionRequest(model="openai/gpt-4o-mini", prompt="Once upon a time")
print(unwrap(await client.completions.create(story)).choices)
""",
    "containers": """
for file in unwrap(await client.containers.files("cntr-1").collect()):
    print(file.id)
""",
    "credits": """
found = unwrap(await client.credits.get())
print(found.total_credits - found.total_usage)
""",
    "datasets": """
print(unwrap(await client.datasets.daily_rankings()))
""",
    "decisions": """
from openrouter_core.wire.decisions import DecisionsRequest

asked = DecisionsRequest(
    model="x-ai/grok-4.7",
    state={"rain": True},
    questions={"go": {"type": "score", "instructions": "Go out?"}},
)
print(unwrap(await client.decisions.create(asked)))
""",
    "destinations": """
from openrouter_core.wire.observability import CreateDestination

hook = CreateDestination(type="webhook", name="mine", config={"url": "https://example.com/traces"})
print(unwrap(await client.destinations.create(hook)).name)
""",
    "embeddings": """
from openrouter_core.wire.embeddings import EmbeddingsRequest

asked = EmbeddingsRequest(model="openai/text-embedding-3-small", input=["rain", "sun"])
found = unwrap(await client.embeddings.create(asked))
print(len(found.data))
""",
    "files": """
file = unwrap(await client.files.upload(b"Rain at noon.", name="forecast.txt"))
print(file.id)
print(unwrap(await client.files.list().collect()))
""",
    "generation": """
from openrouter_client import ChatCompletionRequest, ChatMessage

question = ChatCompletionRequest(messages=[ChatMessage.user("Will it rain?")])
answer = unwrap(await client.chat_completion(question))
generation = unwrap(await client.generation.get(answer.id))  # asks until OpenRouter knows of it
print(generation.total_cost, generation.provider_name)
""",
    "guardrails": """
from openrouter_core.wire.guardrails import CreateGuardrail

small = unwrap(await client.guardrails.create(CreateGuardrail(name="small", limit_usd=1)))
print(unwrap(await client.guardrails.assign_keys(small.id, ["hash-of-a-key"])))
""",
    "images": """
from openrouter_core.wire.images import ImagesRequest

asked = ImagesRequest(model="google/gemini-3-flash-image", prompt="rain over a harbour")
print(len(unwrap(await client.images.create(asked)).data))
""",
    "keys": """
from openrouter_core.wire.keys import CreateKey

print(unwrap(await client.keys.current()).usage)  # of the key that asks
made = unwrap(await client.keys.create(CreateKey(name="for the demo", limit=5, limit_reset="daily")))
print(made.key)  # told this once
""",
    "messages": """
from openrouter_core.wire.messages import MessagesRequest

asked = MessagesRequest(
    model="x-ai/grok-4.7", messages=[{"role": "user", "content": "Will it rain?"}], max_tokens=50
)
print(unwrap(await client.messages.create(asked)).content)
""",
    "models": """
grok = unwrap(await client.models.get("x-ai/grok-4.7"))
print(grok.name, grok.pricing.prompt)  # prices are Decimals, in USD per token
print(unwrap(await client.models.endpoints("x-ai/grok-4.7")))
""",
    "organization": """
for member in unwrap(await client.organization.members().collect()):
    print(member)
""",
    "presets": """
from openrouter_client import ChatCompletionRequest, ChatMessage
from openrouter_core.wire.presets import PresetFromChat

short = ChatCompletionRequest(messages=[ChatMessage.system("Answer in one word.")])
print(unwrap(await client.presets.create_from_chat(PresetFromChat(slug="short", request=short))))
""",
    "private_endpoints": """
from openrouter_core.wire.private_endpoints import CreatePrivateEndpoint

wanted = CreatePrivateEndpoint(model_permaslug="a/rain", provider_slug="a", upstream_model_id="rain-1")
print(unwrap(await client.private_endpoints.create(wanted)))
""",
    "providers": """
for provider in unwrap(await client.providers.list()):
    print(provider.name)
""",
    "rerank": """
from openrouter_core.wire.rerank import RerankRequest

documents = ["Sun all day.", "Showers at noon."]
asked = RerankRequest(model="cohere/rerank-v3.5", query="rain", documents=documents)
for found in unwrap(await client.rerank.create(asked)).results:
    print(found.index, found.relevance_score)
""",
    "responses": """
from openrouter_core.wire.responses import ResponsesRequest

asked = ResponsesRequest(model="x-ai/grok-4.7", input="Will it rain?")
async with client.responses.stream(asked) as stream:
    async for event in stream:
        print(event.type)
print(unwrap(stream.result).usage)
""",
    "scim": """
print(unwrap(await client.scim.groups().collect()))
""",
    "tools": """
print(unwrap(await client.tools.get("web_search")))
""",
    "vault": """
from openrouter_core.wire.vault import StoreSecret

secret = StoreSecret(name="WEATHER_KEY", value="secret", hosts=["example.com"])
print(unwrap(await client.vault.store(secret)))
""",
    "videos": """
from openrouter_core.wire.videos import VideoRequest

asked = VideoRequest(model="google/veo-3.1", prompt="rain over a harbour")
video = unwrap(await client.videos.run(asked))  # submits, and asks until it is done
print(video.status)
unwrap(await client.videos.download(str(video.id), "rain.mp4"))
""",
    "workspaces": """
from openrouter_core.wire.workspaces import CreateWorkspace, SetBudget

made = unwrap(await client.workspaces.create(CreateWorkspace(name="Weather", slug="weather")))
budget = SetBudget(workspace_ref=made.id, interval="daily", limit_usd=5)
print(unwrap(await client.workspaces.set_budget(budget)))
""",
}
"""The examples, by group."""
