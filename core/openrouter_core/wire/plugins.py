"""The plugins that OpenRouter can run around a request, told apart by `id`. Shapes only.

Source: OpenRouter docs, guides/features/plugins; the OpenAPI schemas *Plugin. A plugin that is not here yet can be
given as a mapping with its `id`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from msgspec import Meta

from openrouter_core.wire.shape import Shape, open_union

Patterns = Annotated[Sequence[Annotated[str, Meta(max_length=1024)]], Meta(max_length=1024)]
Tradeoff = Annotated[int, Meta(ge=0, le=10)]
Share = Annotated[float, Meta(ge=0, le=1)]
Price = Annotated[float, Meta(ge=0)]
Threshold = Annotated[float, Meta(ge=0.01, le=1)]
Panel = Annotated[Sequence[str], Meta(min_length=1, max_length=8)]
FusionSteps = Annotated[int, Meta(ge=1, le=16)]
FusionTools = Annotated[Sequence[Mapping[str, Any]], Meta(max_length=8)]


class WebPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="web"):
    """Searches the web before answering. `engine` is "native", "exa", "firecrawl", "parallel" or "perplexity"."""

    enabled: bool | None = None
    engine: str | None = None
    max_results: int | None = None
    max_uses: int | None = None
    mode: str | None = None
    search_prompt: str | None = None
    include_domains: Sequence[str] | None = None
    exclude_domains: Sequence[str] | None = None
    user_location: Mapping[str, Any] | None = None
    x_search: Mapping[str, Any] | None = None


class WebFetchPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="web-fetch"):
    """Fetches pages that the prompt names."""

    max_uses: int | None = None
    max_content_tokens: int | None = None
    allowed_domains: Sequence[str] | None = None
    blocked_domains: Sequence[str] | None = None


class FileParserPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="file-parser"):
    """Reads documents. `pdf` is `{"engine": "mistral-ocr" | "native" | "cloudflare-ai"}`."""

    enabled: bool | None = None
    pdf: Mapping[str, Any] | None = None


class ContextCompressionPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="context-compression"):
    """Shortens prompts that do not fit. `engine` is "middle-out"."""

    enabled: bool | None = None
    engine: str | None = None


class ResponseHealingPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="response-healing"):
    """Repairs malformed JSON in answers."""

    enabled: bool | None = None


class ModerationPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="moderation"):
    """Moderates the prompt."""


class AutoRouterPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="auto-router"):
    """Steers `openrouter/auto`. Model patterns may hold wildcards; `cost_tier` is "low" to "max"."""

    enabled: bool | None = None
    allowed_models: Patterns | None = None
    excluded_models: Patterns | None = None
    cost_tier: str | None = None
    cost_quality_tradeoff: Tradeoff | None = None
    pin_model: bool | None = None


class AutoBetaRouterPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="auto-beta-router"):
    """Steers `openrouter/auto-beta`."""

    enabled: bool | None = None
    allowed_models: Patterns | None = None
    excluded_models: Patterns | None = None
    cost_tier: str | None = None
    cost_quality_tradeoff: Tradeoff | None = None


class ParetoRouterPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="pareto-router"):
    """Steers `openrouter/pareto-code`. `max_price` is in USD per million input tokens."""

    enabled: bool | None = None
    max_price: Price | None = None
    min_coding_score: Share | None = None
    price_source: str | None = None


class JevRouterPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="jev-router"):
    """Steers the Jev router."""

    models: Patterns | None = None
    allowed_models: Patterns | None = None
    excluded_models: Patterns | None = None
    cost_tier: str | None = None


class SwitchyardRouterPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="switchyard-router"):
    """Steers the Switchyard router."""

    algorithm: str | None = None
    judge_model: str | None = None


class FusionPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="fusion"):
    """Asks a panel of models and lets one of them sum up."""

    enabled: bool | None = None
    preset: str | None = None
    analysis_models: Panel | None = None
    model: str | None = None
    max_tool_calls: FusionSteps | None = None
    tools: FusionTools | None = None


class ArmorPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="armor"):
    """Judges tool calls by rules before they reach the caller. `mode` is "enforce" or "audit"."""

    enabled: bool | None = None
    mode: str | None = None
    on_error: str | None = None
    output_mode: str | None = None
    evaluate_native_tools: bool | None = None
    use_cc_style_default_rules: bool | None = None
    classifier_context: Mapping[str, Any] | None = None


class AlignmentPlugin(Shape, frozen=True, kw_only=True, tag_field="id", tag="alignment"):
    """Judges every answer by rules (beta). `mode` is "enforce" or "audit", a rule `{"rule": ..., "watch": [...]}`."""

    rules: Sequence[Mapping[str, Any]]
    mode: str | None = None
    instruct: bool | None = None
    max_retries: int | None = None
    threshold: Threshold | None = None


if TYPE_CHECKING:
    PluginLike: TypeAlias = (
        WebPlugin
        | WebFetchPlugin
        | FileParserPlugin
        | ContextCompressionPlugin
        | ResponseHealingPlugin
        | ModerationPlugin
        | AutoRouterPlugin
        | AutoBetaRouterPlugin
        | ParetoRouterPlugin
        | JevRouterPlugin
        | SwitchyardRouterPlugin
        | FusionPlugin
        | ArmorPlugin
        | AlignmentPlugin
        | Mapping[str, Any]
    )
else:
    PluginLike = open_union(
        WebPlugin,
        WebFetchPlugin,
        FileParserPlugin,
        ContextCompressionPlugin,
        ResponseHealingPlugin,
        ModerationPlugin,
        AutoRouterPlugin,
        AutoBetaRouterPlugin,
        ParetoRouterPlugin,
        JevRouterPlugin,
        SwitchyardRouterPlugin,
        FusionPlugin,
        ArmorPlugin,
        AlignmentPlugin,
        tag="id",
    )
