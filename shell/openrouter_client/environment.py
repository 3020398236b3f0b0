"""The only reader of the process's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.config import ENVIRONMENT_PREFIX, OpenRouterConfig
from openrouter_core.errors import DataSourceError, InvalidRequest


def environment() -> Mapping[str, str]:
    """Give a copy of all variables; for decisions that are made by functions of them."""
    return dict(os.environ)


CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

ON_SPANS = ("true", "span_only", "span_and_event")
"""Values that ask for content on spans; "true" is the older one. Source: opentelemetry-util-genai."""


def content_is_captured() -> bool:
    """Tell whether prompts and answers are wanted in OpenTelemetry's spans."""
    return os.environ.get(CAPTURE_CONTENT, "").strip().lower() in ON_SPANS


def config_from_environment(overrides: dict[str, Any]) -> Result[OpenRouterConfig, DataSourceError]:
    """Read the config from OPENROUTER_* variables; what is given in `overrides` wins."""
    unknown = sorted(set(overrides) - set(OpenRouterConfig.__struct_fields__))
    if unknown:
        bound = f"must be one of {', '.join(OpenRouterConfig.__struct_fields__)}"
        return Failure(InvalidRequest(message=f"{unknown[0]} is no setting: {bound}", field=unknown[0], bound=bound))
    overridden = {ENVIRONMENT_PREFIX + name.upper() for name in overrides}
    environ = {name: value for name, value in os.environ.items() if name not in overridden}
    return OpenRouterConfig.from_env(environ).bind(lambda config: Success(msgspec.structs.replace(config, **overrides)))
