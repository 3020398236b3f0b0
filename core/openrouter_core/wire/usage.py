"""What batches and images used. Shapes only. Source: the OpenAPI schemas BatchObject and ImageGenerationUsage."""

from typing import Any

from openrouter_core.wire.response import Usage


class ProviderUsage(Usage, frozen=True, kw_only=True):
    """Usage as in chat completions, with what providers add to it, as they send it."""

    cache_creation: dict[str, Any] | None = None
    server_tool_use: dict[str, Any] | None = None
    iterations: list[dict[str, Any]] | None = None
    service_tier: str | None = None
    speed: str | None = None
