"""Secrets of a workspace and its interns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.access import (
    COPY_SECRETS,
    DELETE_INTERN_SECRET,
    DELETE_SECRET,
    LIST_EFFECTIVE_SECRETS,
    LIST_INTERN_CONNECTIONS,
    LIST_INTERN_SECRETS,
    LIST_SECRETS,
    STORE_INTERN_SECRET,
    STORE_SECRET,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.vault import (
    Connection,
    CopySecrets,
    InternId,
    InternSecret,
    ListInternSecrets,
    ListSecrets,
    Secret,
    SecretName,
    StoreInternSecret,
    StoreSecret,
)


class Vault(Group):
    """Secrets of a workspace and its interns."""

    def list(self, which: ListSecrets | None = None, **how: Unpack[PageOptions]) -> Pages[Secret]:
        """List the workspace's secrets."""
        return self._caller.pages(LIST_SECRETS, which, **how)

    async def store(self, request: StoreSecret, **how: Unpack[Options]) -> Result[Secret, DataSourceError]:
        """Keep a secret for the workspace."""
        return await self._one(STORE_SECRET, request, how)

    async def delete(self, name: str, **how: Unpack[Options]) -> Result[None, DataSourceError]:
        """Delete a secret of the workspace."""
        return await self._caller.call(DELETE_SECRET, SecretName(name=name), **how)

    def intern_secrets(self, intern_id: str, **how: Unpack[PageOptions]) -> Pages[Secret]:
        """List an intern's secrets."""
        return self._caller.pages(LIST_INTERN_SECRETS, ListInternSecrets(intern_id=intern_id), **how)

    def effective_secrets(self, intern_id: str, **how: Unpack[PageOptions]) -> Pages[Secret]:
        """List the secrets that an intern receives."""
        return self._caller.pages(LIST_EFFECTIVE_SECRETS, ListInternSecrets(intern_id=intern_id), **how)

    async def connections(
        self, intern_id: str, **how: Unpack[Options]
    ) -> Result[Sequence[Connection], DataSourceError]:
        """List the connections that an intern can use."""
        return await self._items(LIST_INTERN_CONNECTIONS, InternId(intern_id=intern_id), how)

    async def copy(
        self, intern_id: str, names: Sequence[str], **how: Unpack[Options]
    ) -> Result[Sequence[Secret], DataSourceError]:
        """Copy the workspace's secrets to an intern."""
        return await self._items(COPY_SECRETS, CopySecrets(intern_id=intern_id, names=names), how)

    async def store_for_intern(
        self, request: StoreInternSecret, **how: Unpack[Options]
    ) -> Result[Secret, DataSourceError]:
        """Keep a secret for an intern."""
        return await self._one(STORE_INTERN_SECRET, request, how)

    async def delete_for_intern(
        self, intern_id: str, name: str, **how: Unpack[Options]
    ) -> Result[None, DataSourceError]:
        """Delete a secret of an intern."""
        return await self._caller.call(DELETE_INTERN_SECRET, InternSecret(intern_id=intern_id, name=name), **how)
