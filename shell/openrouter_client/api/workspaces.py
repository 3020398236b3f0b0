"""Workspaces, their members and budgets, by a management key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.management import (
    ADD_WORKSPACE_MEMBERS,
    CREATE_WORKSPACE,
    DELETE_WORKSPACE,
    DELETE_WORKSPACE_BUDGET,
    GET_WORKSPACE,
    GET_WORKSPACE_BUDGET,
    LIST_WORKSPACE_BUDGETS,
    LIST_WORKSPACE_MEMBERS,
    LIST_WORKSPACES,
    REMOVE_WORKSPACE_MEMBERS,
    SET_WORKSPACE_BUDGET,
    UPDATE_WORKSPACE,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.guardrails import IdPaged
from openrouter_core.wire.params import Id, Paged
from openrouter_core.wire.workspaces import (
    BudgetInterval,
    CreateWorkspace,
    DeleteWorkspace,
    MembersAdded,
    MembersRemoved,
    OneBudget,
    SetBudget,
    UpdateWorkspace,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
    WorkspaceMembers,
    WorkspaceRef,
)


class Workspaces(Group):
    """Workspaces, their members and budgets, by a management key."""

    def list(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[Workspace]:
        """List workspaces."""
        return self._caller.pages(LIST_WORKSPACES, which, **how)

    async def create(self, request: CreateWorkspace, **how: Unpack[Options]) -> Result[Workspace, DataSourceError]:
        """Make a workspace."""
        return await self._one(CREATE_WORKSPACE, request, how)

    async def get(self, workspace_id: str, **how: Unpack[Options]) -> Result[Workspace, DataSourceError]:
        """Get a workspace, by its id or slug."""
        return await self._one(GET_WORKSPACE, Id(id=workspace_id), how)

    async def update(self, request: UpdateWorkspace, **how: Unpack[Options]) -> Result[Workspace, DataSourceError]:
        """Change a workspace."""
        return await self._one(UPDATE_WORKSPACE, request, how)

    async def delete(self, request: DeleteWorkspace, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete a workspace."""
        return await self._caller.call(DELETE_WORKSPACE, request, **how)

    def members(self, workspace_id: str, **how: Unpack[PageOptions]) -> Pages[WorkspaceMember]:
        """List a workspace's members."""
        return self._caller.pages(LIST_WORKSPACE_MEMBERS, IdPaged(id=workspace_id), **how)

    async def add_members(
        self, workspace_id: str, user_ids: Sequence[str], **how: Unpack[Options]
    ) -> Result[MembersAdded, DataSourceError]:
        """Add members to a workspace."""
        return await self._caller.call(
            ADD_WORKSPACE_MEMBERS, WorkspaceMembers(id=workspace_id, user_ids=user_ids), **how
        )

    async def remove_members(
        self, workspace_id: str, user_ids: Sequence[str], **how: Unpack[Options]
    ) -> Result[MembersRemoved, DataSourceError]:
        """Take members from a workspace."""
        return await self._caller.call(
            REMOVE_WORKSPACE_MEMBERS, WorkspaceMembers(id=workspace_id, user_ids=user_ids), **how
        )

    async def budgets(self, workspace_ref: str, **how: Unpack[Options]) -> Result[WorkspaceBudgets, DataSourceError]:
        """List a workspace's budgets."""
        return await self._caller.call(LIST_WORKSPACE_BUDGETS, WorkspaceRef(workspace_ref=workspace_ref), **how)

    async def budget(
        self, workspace_ref: str, interval: str, **how: Unpack[Options]
    ) -> Result[OneBudget, DataSourceError]:
        """Get a budget."""
        return await self._caller.call(
            GET_WORKSPACE_BUDGET, BudgetInterval(workspace_ref=workspace_ref, interval=interval), **how
        )

    async def set_budget(self, request: SetBudget, **how: Unpack[Options]) -> Result[OneBudget, DataSourceError]:
        """Set a budget."""
        return await self._caller.call(SET_WORKSPACE_BUDGET, request, **how)

    async def delete_budget(
        self, workspace_ref: str, interval: str, **how: Unpack[Options]
    ) -> Result[Deleted, DataSourceError]:
        """Delete a budget."""
        return await self._caller.call(
            DELETE_WORKSPACE_BUDGET, BudgetInterval(workspace_ref=workspace_ref, interval=interval), **how
        )
