"""Legacy completions: a text goes on."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.inference import COMPLETIONS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.completions import CompletionRequest, CompletionResponse


class Completions(Group):
    """Legacy completions: a text goes on."""

    async def create(
        self, request: CompletionRequest, **how: Unpack[Options]
    ) -> Result[CompletionResponse, DataSourceError]:
        """Go on with a text (legacy)."""
        return await self._caller.call(COMPLETIONS, request, **how)
