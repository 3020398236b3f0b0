"""Files that tools left in containers."""

from __future__ import annotations

import os
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import DownloadOptions, Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.inference import (
    GET_CONTAINER_FILE,
    GET_CONTAINER_FILE_CONTENT,
    LIST_CONTAINER_FILES,
    PROMOTE_CONTAINER_FILE,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.received import Received
from openrouter_core.wire.files import ContainerFile, ContainerFileId, ListContainerFiles, StoredFile


class Containers(Group):
    """Files that tools left in containers."""

    def files(self, container_id: str, **how: Unpack[PageOptions]) -> Pages[ContainerFile]:
        """List what tools left in a container."""
        return self._caller.pages(LIST_CONTAINER_FILES, ListContainerFiles(container_id=container_id), **how)

    async def get(
        self, container_id: str, file_id: str, **how: Unpack[Options]
    ) -> Result[ContainerFile, DataSourceError]:
        """Get what is known of a container's file."""
        return await self._caller.call(
            GET_CONTAINER_FILE, ContainerFileId(container_id=container_id, file_id=file_id), **how
        )

    async def promote(
        self, container_id: str, file_id: str, **how: Unpack[Options]
    ) -> Result[StoredFile, DataSourceError]:
        """Keep a container's file among the workspace's."""
        return await self._caller.call(
            PROMOTE_CONTAINER_FILE, ContainerFileId(container_id=container_id, file_id=file_id), **how
        )

    async def download(
        self, container_id: str, file_id: str, to: str | os.PathLike[str], **how: Unpack[DownloadOptions]
    ) -> Result[Received, DataSourceError]:
        """Download a container's file into the file `to`."""
        return await self._caller.download(
            GET_CONTAINER_FILE_CONTENT, ContainerFileId(container_id=container_id, file_id=file_id), to, **how
        )
