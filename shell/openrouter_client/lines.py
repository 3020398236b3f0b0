"""Which line a config asks for. What shares a quota is imported by whoever shares one."""

from __future__ import annotations

from returns.result import Result, Success

from openrouter_client.line import Line
from openrouter_core.admission import limits_of, money_of
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError
from openrouter_core.limit.standard import standard


def line_of(config: OpenRouterConfig) -> Result[Line, DataSourceError]:
    """Make the line that a config describes: the client's own, or one that shares its quota through Redis."""
    if config.redis_url is None:
        return Success(Line(standard(limits_of(config)), money_of(config)))
    from openrouter_client.shared import shared_line  # noqa: PLC0415 - only whoever has a Redis needs it

    return shared_line(config, config.redis_url)
