"""Vectors."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.inference import EMBEDDINGS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.embeddings import EmbeddingsRequest, EmbeddingsResponse


class Embeddings(Group):
    """Vectors."""

    async def create(
        self, request: EmbeddingsRequest, **how: Unpack[Options]
    ) -> Result[EmbeddingsResponse, DataSourceError]:
        """Make vectors."""
        return await self._caller.call(EMBEDDINGS, request, **how)
