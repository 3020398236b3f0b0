"""Documents by relevance."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.inference import RERANK
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.rerank import RerankRequest, RerankResponse


class Rerank(Group):
    """Documents by relevance."""

    async def create(self, request: RerankRequest, **how: Unpack[Options]) -> Result[RerankResponse, DataSourceError]:
        """Sort documents by relevance."""
        return await self._caller.call(RERANK, request, **how)
