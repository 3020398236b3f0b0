"""Credits bought and used, by a management key."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.access import GET_CREDITS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.account import Credits


class AccountCredits(Group):
    """Credits bought and used, by a management key."""

    async def get(self, **how: Unpack[Options]) -> Result[Credits, DataSourceError]:
        """Get the credits bought and used."""
        return await self._one(GET_CREDITS, None, how)
