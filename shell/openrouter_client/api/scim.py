"""The directory: groups, their roles, and its syncs, by a management key."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.organization import (
    CREATE_GROUP_MAPPING,
    DELETE_GROUP_MAPPING,
    GET_GROUP_MAPPING,
    GET_SYNC,
    LIST_GROUP_MAPPINGS,
    LIST_GROUPS,
    START_SYNC,
    UPDATE_GROUP_MAPPING,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.organization import (
    CreateGroupMapping,
    DeleteGroupMapping,
    DirectoryGroup,
    GroupMapping,
    ListGroups,
    SyncJob,
    UpdateGroupMapping,
)
from openrouter_core.wire.params import Id, Paged


class Scim(Group):
    """The directory: groups, their roles, and its syncs, by a management key."""

    def mappings(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[GroupMapping]:
        """List which groups have which roles where."""
        return self._caller.pages(LIST_GROUP_MAPPINGS, which, **how)

    async def create_mapping(
        self, request: CreateGroupMapping, **how: Unpack[Options]
    ) -> Result[GroupMapping, DataSourceError]:
        """Make a mapping."""
        return await self._one(CREATE_GROUP_MAPPING, request, how)

    async def mapping(self, mapping_id: str, **how: Unpack[Options]) -> Result[GroupMapping, DataSourceError]:
        """Get a mapping."""
        return await self._one(GET_GROUP_MAPPING, Id(id=mapping_id), how)

    async def update_mapping(
        self, mapping_id: str, role: str, **how: Unpack[Options]
    ) -> Result[GroupMapping, DataSourceError]:
        """Change a mapping's role."""
        return await self._one(UPDATE_GROUP_MAPPING, UpdateGroupMapping(id=mapping_id, role=role), how)

    async def delete_mapping(
        self, mapping_id: str, *, keep_members: bool, **how: Unpack[Options]
    ) -> Result[Deleted, DataSourceError]:
        """Delete a mapping."""
        return await self._caller.call(
            DELETE_GROUP_MAPPING, DeleteGroupMapping(id=mapping_id, keep_members=keep_members), **how
        )

    def groups(self, which: ListGroups | None = None, **how: Unpack[PageOptions]) -> Pages[DirectoryGroup]:
        """List the directory's groups."""
        return self._caller.pages(LIST_GROUPS, which, **how)

    async def start_sync(self, **how: Unpack[Options]) -> Result[SyncJob, DataSourceError]:
        """Start a sync of the directory."""
        return await self._one(START_SYNC, None, how)

    async def sync(self, job_id: str, **how: Unpack[Options]) -> Result[SyncJob, DataSourceError]:
        """Ask how a sync stands."""
        return await self._one(GET_SYNC, Id(id=job_id), how)
