"""API keys, by a management key; and what the key that asks may do."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.access import CREATE_KEY, DELETE_KEY, GET_CURRENT_KEY, GET_KEY, LIST_KEYS, UPDATE_KEY
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.keys import ApiKey, CreatedKey, CreateKey, CurrentKey, KeyHash, ListKeys, UpdateKey


class Keys(Group):
    """API keys, by a management key; and what the key that asks may do."""

    async def current(self, **how: Unpack[Options]) -> Result[CurrentKey, DataSourceError]:
        """Get what the key that asks has used and may use."""
        return await self._one(GET_CURRENT_KEY, None, how)

    def list(self, which: ListKeys | None = None, **how: Unpack[PageOptions]) -> Pages[ApiKey]:
        """List API keys."""
        return self._caller.pages(LIST_KEYS, which, **how)

    async def create(self, request: CreateKey, **how: Unpack[Options]) -> Result[CreatedKey, DataSourceError]:
        """Make an API key; it is told only once."""
        return await self._caller.call(CREATE_KEY, request, **how)

    async def get(self, key_hash: str, **how: Unpack[Options]) -> Result[ApiKey, DataSourceError]:
        """Get an API key."""
        return await self._one(GET_KEY, KeyHash(hash=key_hash), how)

    async def update(self, request: UpdateKey, **how: Unpack[Options]) -> Result[ApiKey, DataSourceError]:
        """Change an API key."""
        return await self._one(UPDATE_KEY, request, how)

    async def delete(self, key_hash: str, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete an API key."""
        return await self._caller.call(DELETE_KEY, KeyHash(hash=key_hash), **how)
