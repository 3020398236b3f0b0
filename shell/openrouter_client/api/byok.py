"""Own credentials at providers, by a management key."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.management import (
    CREATE_BYOK_KEY,
    DELETE_BYOK_KEY,
    GET_BYOK_KEY,
    LIST_BYOK_KEYS,
    UPDATE_BYOK_KEY,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.byok import ByokKey, CreateByokKey, ListByokKeys, UpdateByokKey
from openrouter_core.wire.params import Id


class Byok(Group):
    """Own credentials at providers, by a management key."""

    def list(self, which: ListByokKeys | None = None, **how: Unpack[PageOptions]) -> Pages[ByokKey]:
        """List own credentials at providers."""
        return self._caller.pages(LIST_BYOK_KEYS, which, **how)

    async def create(self, request: CreateByokKey, **how: Unpack[Options]) -> Result[ByokKey, DataSourceError]:
        """Keep a credential."""
        return await self._one(CREATE_BYOK_KEY, request, how)

    async def get(self, key_id: str, **how: Unpack[Options]) -> Result[ByokKey, DataSourceError]:
        """Get what is known of a credential."""
        return await self._one(GET_BYOK_KEY, Id(id=key_id), how)

    async def update(self, request: UpdateByokKey, **how: Unpack[Options]) -> Result[ByokKey, DataSourceError]:
        """Change a credential."""
        return await self._one(UPDATE_BYOK_KEY, request, how)

    async def delete(self, key_id: str, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete a credential."""
        return await self._caller.call(DELETE_BYOK_KEY, Id(id=key_id), **how)
