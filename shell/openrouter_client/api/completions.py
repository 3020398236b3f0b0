"""Legacy completions: a text goes on."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, StreamOptions
from openrouter_client.streaming import EventStream
from openrouter_core.endpoints.inference import COMPLETIONS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.completions import CompletionChunk, CompletionRequest, CompletionResponse


class Completions(Group):
    """Legacy completions: a text goes on."""

    async def create(
        self, request: CompletionRequest, **how: Unpack[Options]
    ) -> Result[CompletionResponse, DataSourceError]:
        """Go on with a text (legacy)."""
        return await self._caller.call(COMPLETIONS, request, **how)

    def stream(
        self, request: CompletionRequest, **how: Unpack[StreamOptions]
    ) -> EventStream[CompletionChunk, CompletionResponse]:
        """Go on with a text (legacy), and give its pieces as they come."""
        return self._caller.stream(COMPLETIONS, request, **how)
