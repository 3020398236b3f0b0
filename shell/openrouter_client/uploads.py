"""Files to send: from a path or from bytes."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from pathlib import Path

from returns.result import Failure, Result, Success

from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.wire.params import FileUpload

Source = bytes | str | os.PathLike[str] | FileUpload
"""What can be sent: bytes, the path of a file, or both name and bytes."""


async def upload_of(
    source: Source, name: str | None = None, content_type: str | None = None
) -> Result[FileUpload, DataSourceError]:
    """Read what is to be sent. Its media type is guessed by its name, if it is not told."""
    if isinstance(source, FileUpload):
        return Success(source)
    if isinstance(source, bytes):
        content, called = source, name or "file"
    else:
        path = Path(source)
        called = name or path.name
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except (OSError, ValueError) as error:
            bound = f"must be a file that can be read: {error}"
            what = f"file = {str(source)!r}: {bound}"
            return Failure(InvalidRequest(message=what, field="file", value=str(source), bound=bound))
    guessed = content_type or mimetypes.guess_type(called)[0] or "application/octet-stream"
    return Success(FileUpload(name=called, content=content, content_type=guessed))
