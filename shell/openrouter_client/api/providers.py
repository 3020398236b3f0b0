"""Providers of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.catalogue import LIST_PROVIDERS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.models import Provider


class Providers(Group):
    """Providers of models."""

    async def list(self, **how: Unpack[Options]) -> Result[Sequence[Provider], DataSourceError]:
        """List providers."""
        return await self._items(LIST_PROVIDERS, None, how)
