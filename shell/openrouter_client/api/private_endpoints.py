"""Private endpoints of models, by a management key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.organization import (
    ACTIVATE_PRIVATE_ENDPOINT,
    CREATE_PRIVATE_ENDPOINT,
    DELETE_PRIVATE_ENDPOINT,
    DISABLE_PRIVATE_ENDPOINT,
    ENABLE_PRIVATE_ENDPOINT,
    GET_PRIVATE_ENDPOINT,
    LIST_PRIVATE_ENDPOINTS,
    SET_PRIVATE_PRICING,
    UPDATE_PRIVATE_ENDPOINT,
    VALIDATE_PRIVATE_ENDPOINT,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.params import Id
from openrouter_core.wire.private_endpoints import (
    CreatePrivateEndpoint,
    DeletedEndpoint,
    DeletePrivateEndpoint,
    PrivateEndpoint,
    PrivateValidation,
    SetPrivatePricing,
    UpdatePrivateEndpoint,
    ValidatePrivateEndpoint,
)


class PrivateEndpoints(Group):
    """Private endpoints of models, by a management key."""

    async def list(self, **how: Unpack[Options]) -> Result[Sequence[PrivateEndpoint], DataSourceError]:
        """List private endpoints."""
        return await self._items(LIST_PRIVATE_ENDPOINTS, None, how)

    async def create(
        self, request: CreatePrivateEndpoint, **how: Unpack[Options]
    ) -> Result[PrivateEndpoint, DataSourceError]:
        """Make a private endpoint."""
        return await self._one(CREATE_PRIVATE_ENDPOINT, request, how)

    async def get(self, endpoint_id: str, **how: Unpack[Options]) -> Result[PrivateEndpoint, DataSourceError]:
        """Get a private endpoint."""
        return await self._one(GET_PRIVATE_ENDPOINT, Id(id=endpoint_id), how)

    async def update(
        self, request: UpdatePrivateEndpoint, **how: Unpack[Options]
    ) -> Result[PrivateEndpoint, DataSourceError]:
        """Change a draft."""
        return await self._one(UPDATE_PRIVATE_ENDPOINT, request, how)

    async def delete(
        self, request: DeletePrivateEndpoint, **how: Unpack[Options]
    ) -> Result[DeletedEndpoint, DataSourceError]:
        """Delete a private endpoint."""
        return await self._one(DELETE_PRIVATE_ENDPOINT, request, how)

    async def validate(
        self, endpoint_id: str, workspace_id: str, **how: Unpack[Options]
    ) -> Result[PrivateValidation, DataSourceError]:
        """Try whether a draft answers as it should."""
        return await self._one(
            VALIDATE_PRIVATE_ENDPOINT, ValidatePrivateEndpoint(id=endpoint_id, workspace_id=workspace_id), how
        )

    async def activate(self, endpoint_id: str, **how: Unpack[Options]) -> Result[PrivateEndpoint, DataSourceError]:
        """Put a validated endpoint into service."""
        return await self._one(ACTIVATE_PRIVATE_ENDPOINT, Id(id=endpoint_id), how)

    async def enable(self, endpoint_id: str, **how: Unpack[Options]) -> Result[PrivateEndpoint, DataSourceError]:
        """Put an endpoint into service again."""
        return await self._one(ENABLE_PRIVATE_ENDPOINT, Id(id=endpoint_id), how)

    async def disable(self, endpoint_id: str, **how: Unpack[Options]) -> Result[PrivateEndpoint, DataSourceError]:
        """Take an endpoint out of service."""
        return await self._one(DISABLE_PRIVATE_ENDPOINT, Id(id=endpoint_id), how)

    async def set_pricing(
        self, request: SetPrivatePricing, **how: Unpack[Options]
    ) -> Result[PrivateEndpoint, DataSourceError]:
        """Set what an endpoint costs."""
        return await self._one(SET_PRIVATE_PRICING, request, how)
