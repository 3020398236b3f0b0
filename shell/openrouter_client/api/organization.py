"""The organization, its members and users, by a management key."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.organization import (
    CREATE_EXTERNAL_USER,
    DELETE_EXTERNAL_USER,
    GET_EXTERNAL_USER,
    GET_ORGANIZATION_SETTINGS,
    LIST_EXTERNAL_USERS,
    LIST_ORGANIZATION_MEMBERS,
    UPDATE_EXTERNAL_USER,
    UPDATE_ORGANIZATION_SETTINGS,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.organization import (
    ListExternalUsers,
    Member,
    OrganizationSettings,
    RegisteredUser,
    UpdateExternalUser,
    UpdateOrganizationSettings,
    UserName,
)
from openrouter_core.wire.params import Paged


class Organization(Group):
    """The organization, its members and users, by a management key."""

    def members(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[Member]:
        """List members."""
        return self._caller.pages(LIST_ORGANIZATION_MEMBERS, which, **how)

    async def settings(self, **how: Unpack[Options]) -> Result[OrganizationSettings, DataSourceError]:
        """Get the organization's settings."""
        return await self._one(GET_ORGANIZATION_SETTINGS, None, how)

    async def update_settings(
        self, *, is_filtered_model_catalog_enabled: bool, **how: Unpack[Options]
    ) -> Result[OrganizationSettings, DataSourceError]:
        """Change the organization's settings."""
        return await self._one(
            UPDATE_ORGANIZATION_SETTINGS,
            UpdateOrganizationSettings(is_filtered_model_catalog_enabled=is_filtered_model_catalog_enabled),
            how,
        )

    def external_users(
        self, which: ListExternalUsers | None = None, **how: Unpack[PageOptions]
    ) -> Pages[RegisteredUser]:
        """List users of one's own apps."""
        return self._caller.pages(LIST_EXTERNAL_USERS, which, **how)

    async def create_external_user(self, user: str, **how: Unpack[Options]) -> Result[RegisteredUser, DataSourceError]:
        """Register a user."""
        return await self._one(CREATE_EXTERNAL_USER, UserName(user=user), how)

    async def external_user(self, user: str, **how: Unpack[Options]) -> Result[RegisteredUser, DataSourceError]:
        """Get a registered user."""
        return await self._one(GET_EXTERNAL_USER, UserName(user=user), how)

    async def update_external_user(
        self, user: str, *, is_active: bool, **how: Unpack[Options]
    ) -> Result[RegisteredUser, DataSourceError]:
        """Change a registered user."""
        return await self._one(UPDATE_EXTERNAL_USER, UpdateExternalUser(user=user, is_active=is_active), how)

    async def delete_external_user(self, user: str, **how: Unpack[Options]) -> Result[None, DataSourceError]:
        """Deactivate a registered user."""
        return await self._caller.call(DELETE_EXTERNAL_USER, UserName(user=user), **how)
