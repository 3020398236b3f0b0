"""Files of the workspace, for prompts and batches."""

from __future__ import annotations

import os
from typing import Unpack

from returns.result import Failure, Result

from openrouter_client.api.base import DownloadOptions, Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_client.uploads import Source, upload_of
from openrouter_core.endpoints.inference import DELETE_FILE, GET_FILE, GET_FILE_CONTENT, LIST_FILES, UPLOAD_FILE
from openrouter_core.errors import DataSourceError
from openrouter_core.received import Received
from openrouter_core.wire.answers import Deleted
from openrouter_core.wire.files import FileId, ListFiles, StoredFile, UploadFile


class Files(Group):
    """Files of the workspace; `call` with the endpoints takes those of other workspaces and providers too."""

    def list(self, which: ListFiles | None = None, **how: Unpack[PageOptions]) -> Pages[StoredFile]:
        """List files."""
        return self._caller.pages(LIST_FILES, which, **how)

    async def upload(
        self, file: Source, *, name: str | None = None, content_type: str | None = None, **how: Unpack[Options]
    ) -> Result[StoredFile, DataSourceError]:
        """Store a file: its path, or its bytes with a `name`. The media type is guessed by the name."""
        upload = await upload_of(file, name, content_type)
        if isinstance(upload, Failure):
            return upload
        return await self._caller.call(UPLOAD_FILE, UploadFile(file=upload.unwrap()), **how)

    async def get(self, file_id: str, **how: Unpack[Options]) -> Result[StoredFile, DataSourceError]:
        """Get what is known of a file."""
        return await self._caller.call(GET_FILE, FileId(file_id=file_id), **how)

    async def content(self, file_id: str, **how: Unpack[Options]) -> Result[bytes, DataSourceError]:
        """Get a file's bytes."""
        return await self._caller.call(GET_FILE_CONTENT, FileId(file_id=file_id), **how)

    async def download(
        self, file_id: str, to: str | os.PathLike[str], **how: Unpack[DownloadOptions]
    ) -> Result[Received, DataSourceError]:
        """Download a file into the file `to`, which is there when it is whole."""
        return await self._caller.download(GET_FILE_CONTENT, FileId(file_id=file_id), to, **how)

    async def delete(self, file_id: str, **how: Unpack[Options]) -> Result[Deleted, DataSourceError]:
        """Delete a file."""
        return await self._caller.call(DELETE_FILE, FileId(file_id=file_id), **how)
