"""Limits for keys and members, by a management key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.management import (
    ASSIGN_KEYS,
    ASSIGN_MEMBERS,
    CREATE_GUARDRAIL,
    DELETE_GUARDRAIL,
    GET_GUARDRAIL,
    LIST_GUARDRAIL_KEYS,
    LIST_GUARDRAIL_MEMBERS,
    LIST_GUARDRAILS,
    LIST_KEY_ASSIGNMENTS,
    LIST_MEMBER_ASSIGNMENTS,
    UNASSIGN_KEYS,
    UNASSIGN_MEMBERS,
    UPDATE_GUARDRAIL,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.guardrails import (
    Assigned,
    AssignKeys,
    AssignMembers,
    CreateGuardrail,
    Guardrail,
    IdPaged,
    KeyAssignment,
    ListGuardrails,
    MemberAssignment,
    Unassigned,
    UpdateGuardrail,
)
from openrouter_core.wire.params import Id, Paged


class Guardrails(Group):
    """Limits for keys and members, by a management key."""

    def list(self, which: ListGuardrails | None = None, **how: Unpack[PageOptions]) -> Pages[Guardrail]:
        """List guardrails."""
        return self._caller.pages(LIST_GUARDRAILS, which, **how)

    async def create(self, request: CreateGuardrail, **how: Unpack[Options]) -> Result[Guardrail, DataSourceError]:
        """Make a guardrail."""
        return await self._one(CREATE_GUARDRAIL, request, how)

    async def get(self, guardrail_id: str, **how: Unpack[Options]) -> Result[Guardrail, DataSourceError]:
        """Get a guardrail."""
        return await self._one(GET_GUARDRAIL, Id(id=guardrail_id), how)

    async def update(self, request: UpdateGuardrail, **how: Unpack[Options]) -> Result[Guardrail, DataSourceError]:
        """Change a guardrail."""
        return await self._one(UPDATE_GUARDRAIL, request, how)

    async def delete(self, guardrail_id: str, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete a guardrail."""
        return await self._caller.call(DELETE_GUARDRAIL, Id(id=guardrail_id), **how)

    def all_keys(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[KeyAssignment]:
        """List which keys are under guardrails."""
        return self._caller.pages(LIST_KEY_ASSIGNMENTS, which, **how)

    def all_members(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[MemberAssignment]:
        """List which members are under guardrails."""
        return self._caller.pages(LIST_MEMBER_ASSIGNMENTS, which, **how)

    def keys(self, guardrail_id: str, **how: Unpack[PageOptions]) -> Pages[KeyAssignment]:
        """List the keys under a guardrail."""
        return self._caller.pages(LIST_GUARDRAIL_KEYS, IdPaged(id=guardrail_id), **how)

    async def assign_keys(
        self, guardrail_id: str, key_hashes: Sequence[str], **how: Unpack[Options]
    ) -> Result[Assigned, DataSourceError]:
        """Put keys under a guardrail."""
        return await self._caller.call(ASSIGN_KEYS, AssignKeys(id=guardrail_id, key_hashes=key_hashes), **how)

    async def unassign_keys(
        self, guardrail_id: str, key_hashes: Sequence[str], **how: Unpack[Options]
    ) -> Result[Unassigned, DataSourceError]:
        """Take keys from a guardrail."""
        return await self._caller.call(UNASSIGN_KEYS, AssignKeys(id=guardrail_id, key_hashes=key_hashes), **how)

    def members(self, guardrail_id: str, **how: Unpack[PageOptions]) -> Pages[MemberAssignment]:
        """List the members under a guardrail."""
        return self._caller.pages(LIST_GUARDRAIL_MEMBERS, IdPaged(id=guardrail_id), **how)

    async def assign_members(
        self, guardrail_id: str, member_user_ids: Sequence[str], **how: Unpack[Options]
    ) -> Result[Assigned, DataSourceError]:
        """Put members under a guardrail."""
        return await self._caller.call(
            ASSIGN_MEMBERS, AssignMembers(id=guardrail_id, member_user_ids=member_user_ids), **how
        )

    async def unassign_members(
        self, guardrail_id: str, member_user_ids: Sequence[str], **how: Unpack[Options]
    ) -> Result[Unassigned, DataSourceError]:
        """Take members from a guardrail."""
        return await self._caller.call(
            UNASSIGN_MEMBERS, AssignMembers(id=guardrail_id, member_user_ids=member_user_ids), **how
        )
