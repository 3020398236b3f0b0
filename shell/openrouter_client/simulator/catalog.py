"""The models that the simulator knows, and what they cost. Pure.

A handful, with prices near those of late 2026, so that costs look right; not a price list.
"""

import re
from typing import Literal

from msgspec import Struct

from openrouter_client.simulator.loose import Json


class House(Struct, frozen=True, kw_only=True):
    """How the models of one provider talk.

    native: the provider's own words for the finish reasons stop, tool_calls and length.
    thinks: "no", "asked" (when the request asks for it) or "always" (cannot be switched off).
    format: the format of its reasoning_details.
    """

    provider: str
    thinks: Literal["no", "asked", "always"] = "no"
    format: str | None = None
    native: tuple[str, str, str] = ("stop", "tool_calls", "length")


class Model(Struct, frozen=True):
    """A model: its slug, its name, its house, its prices (USD per million tokens) and its context (tokens)."""

    id: str
    name: str
    house: House
    prompt: float
    completion: float
    context: int = 200_000


_XAI = House(
    provider="xAI",
    thinks="always",
    format="xai-responses-v1",
    native=("completed", "completed", "max_output_tokens"),
)
_ANTHROPIC = House(
    provider="Anthropic",
    thinks="asked",
    format="anthropic-claude-v1",
    native=("end_turn", "tool_use", "max_tokens"),
)
_GOOGLE = House(
    provider="Google AI Studio",
    thinks="asked",
    format="google-gemini-v1",
    native=("STOP", "STOP", "MAX_TOKENS"),
)
_OPENAI = House(
    provider="OpenAI",
    thinks="asked",
    format="openai-responses-v1",
    native=("completed", "completed", "max_output_tokens"),
)
_OTHERS = House(provider="Stand-in", thinks="asked")

_MODELS: tuple[Model, ...] = (
    Model("x-ai/grok-4.7", "xAI: Grok 4.7", _XAI, 2.0, 6.0, 500_000),
    Model("x-ai/grok-4.6", "xAI: Grok 4.6", _XAI, 2.0, 6.0, 500_000),
    Model("x-ai/grok-4.3", "xAI: Grok 4.3", _XAI, 1.25, 2.5, 1_000_000),
    Model("x-ai/grok-4.20", "xAI: Grok 4.20", _XAI, 2.0, 6.0, 2_000_000),
    Model("openai/gpt-5.2", "OpenAI: GPT-5.2", _OPENAI, 1.75, 14.0, 400_000),
    Model("openai/gpt-4o-mini", "OpenAI: GPT-4o mini", House(provider="OpenAI"), 0.15, 0.6, 128_000),
    Model("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", _ANTHROPIC, 3.0, 15.0, 1_000_000),
    Model("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", _ANTHROPIC, 1.0, 5.0),
    Model("google/gemini-3-pro-preview", "Google: Gemini 3 Pro", _GOOGLE, 2.0, 12.0, 1_048_576),
    Model("deepseek/deepseek-chat", "DeepSeek: DeepSeek Chat", House(provider="DeepSeek"), 0.3, 1.2, 164_000),
    Model("mistralai/mistral-medium-3.1", "Mistral: Medium 3.1", House(provider="Mistral"), 0.4, 2.0, 131_072),
    Model(
        "meta-llama/llama-3.3-70b-instruct:free", "Meta: Llama 3.3 70B (free)", House(provider="Meta"), 0, 0, 131_072
    ),
)

BATCH = ":batch"
"""The variant of a model that runs in batches only, at half the price."""

MODELS: tuple[Model, ...] = _MODELS + tuple(
    Model(f"{one.id}{BATCH}", f"{one.name} (batch)", one.house, one.prompt / 2, one.completion / 2, one.context)
    for one in _MODELS
    if one.id in {"x-ai/grok-4.7", "openai/gpt-4o-mini"}
)

DEFAULT = "x-ai/grok-4.7"
"""What a request without a model gets, and what the alias `~x-ai/grok-latest` leads to."""

_ALIASES = {
    "~x-ai/grok-latest": DEFAULT,
    "~openai/gpt-latest": "openai/gpt-5.2",
    "~anthropic/claude-sonnet-latest": "anthropic/claude-sonnet-4.5",
    "~google/gemini-pro-latest": "google/gemini-3-pro-preview",
    "openrouter/auto": DEFAULT,
}
_BY_ID = {model.id: model for model in MODELS}
_SLUG = re.compile(r"~?[a-z0-9][\w.-]*/[\w.-]+(:[\w-]+)?(@preset/[\w-]+)?|@preset/[\w-]+", re.ASCII)
_NEVER = re.compile(
    r"x-ai/grok-(\d[\w.]*-)?latest|(nonexistent|no-such|unknown|invalid)/.*|[^/]+/(not-a|no-such)-model.*"
)


def find(slug: str) -> Model | None:
    """The model that a slug leads to; None for what OpenRouter would call an invalid model ID.

    Any well-formed slug leads somewhere, except `x-ai/grok-...-latest` (the living alias has a tilde) and names that
    say that they do not exist, such as `nonexistent/model`.
    """
    if not _SLUG.fullmatch(slug) or _NEVER.fullmatch(slug):
        return None
    plain = slug.partition("@")[0] or DEFAULT
    name, _, variant = plain.partition(":")
    known = _BY_ID.get(plain) or _BY_ID.get(_ALIASES.get(name, name))
    if known is None:
        known = Model(plain, plain, _XAI if name.lstrip("~").startswith("x-ai/") else _OTHERS, 1.0, 3.0)
    if variant == "free" and known.prompt:
        known = Model(plain, known.name, known.house, 0, 0, known.context)
    return known


def listed(model: Model) -> Json:
    """The model as `GET /models` shows it: prices are strings, USD per token."""
    return {
        "id": model.id,
        "canonical_slug": model.id,
        "name": model.name,
        "created": 1_780_000_000,
        "description": f"{model.name}, as the local simulator plays it. No language model runs behind it.",
        "context_length": model.context,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": _per_token(model.prompt), "completion": _per_token(model.completion)},
        "top_provider": {"context_length": model.context, "max_completion_tokens": 16_384, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": [
            "max_tokens",
            "reasoning",
            "response_format",
            "stop",
            "structured_outputs",
            "temperature",
            "tool_choice",
            "tools",
            "top_p",
        ],
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{model.id}/endpoints"},
        "expiration_date": None,
    }


def _per_token(per_million: float) -> str:
    return f"{per_million / 1e6:.10f}".rstrip("0").rstrip(".") or "0"
