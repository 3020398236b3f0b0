"""Destinations of traces, by a management key."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.organization import (
    CREATE_DESTINATION,
    DELETE_DESTINATION,
    GET_DESTINATION,
    LIST_DESTINATIONS,
    UPDATE_DESTINATION,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.observability import CreateDestination, Destination, ListDestinations, UpdateDestination
from openrouter_core.wire.params import Id


class Destinations(Group):
    """Destinations of traces, by a management key."""

    def list(self, which: ListDestinations | None = None, **how: Unpack[PageOptions]) -> Pages[Destination]:
        """List destinations of traces."""
        return self._caller.pages(LIST_DESTINATIONS, which, **how)

    async def create(self, request: CreateDestination, **how: Unpack[Options]) -> Result[Destination, DataSourceError]:
        """Make a destination."""
        return await self._one(CREATE_DESTINATION, request, how)

    async def get(self, destination_id: str, **how: Unpack[Options]) -> Result[Destination, DataSourceError]:
        """Get a destination."""
        return await self._one(GET_DESTINATION, Id(id=destination_id), how)

    async def update(self, request: UpdateDestination, **how: Unpack[Options]) -> Result[Destination, DataSourceError]:
        """Change a destination."""
        return await self._one(UPDATE_DESTINATION, request, how)

    async def delete(self, destination_id: str, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete a destination."""
        return await self._caller.call(DELETE_DESTINATION, Id(id=destination_id), **how)
