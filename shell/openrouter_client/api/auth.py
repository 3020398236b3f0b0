"""Sign-in of users (PKCE, see `openrouter_core.pkce`), and tokens for workloads."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.access import CREATE_AUTH_CODE, EXCHANGE_CODE, EXCHANGE_TOKEN, LIST_JSON_WEB_KEYS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.oauth import (
    AccessToken,
    AuthCode,
    CreateAuthCode,
    ExchangeCode,
    ExchangedKey,
    ExchangeToken,
    JsonWebKeys,
)


class Auth(Group):
    """Sign-in of users (PKCE, see `openrouter_core.pkce`), and tokens for workloads."""

    async def exchange_code(
        self, request: ExchangeCode, **how: Unpack[Options]
    ) -> Result[ExchangedKey, DataSourceError]:
        """Change a code (PKCE) for the user's key."""
        return await self._caller.call(EXCHANGE_CODE, request, **how)

    async def create_code(self, request: CreateAuthCode, **how: Unpack[Options]) -> Result[AuthCode, DataSourceError]:
        """Make a code for a user-controlled key."""
        return await self._one(CREATE_AUTH_CODE, request, how)

    async def exchange_token(
        self, request: ExchangeToken, **how: Unpack[Options]
    ) -> Result[AccessToken, DataSourceError]:
        """Change a workload's identity token for an access token."""
        return await self._caller.call(EXCHANGE_TOKEN, request, **how)

    async def web_keys(self, **how: Unpack[Options]) -> Result[JsonWebKeys, DataSourceError]:
        """Get the public keys that access tokens are signed with."""
        return await self._caller.call(LIST_JSON_WEB_KEYS, None, **how)
