"""Typed questions (alpha)."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.inference import DECISIONS, SYSTEM_ONE
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.decisions import DecisionsRequest, DecisionsResponse


class Decisions(Group):
    """Typed questions (alpha)."""

    async def create(
        self, request: DecisionsRequest, **how: Unpack[Options]
    ) -> Result[DecisionsResponse, DataSourceError]:
        """Answer typed questions (alpha)."""
        return await self._caller.call(DECISIONS, request, **how)

    async def system_one(
        self, request: DecisionsRequest, **how: Unpack[Options]
    ) -> Result[DecisionsResponse, DataSourceError]:
        """Answer typed questions, fast."""
        return await self._caller.call(SYSTEM_ONE, request, **how)
