"""Files: those of workspaces, and those that tools left in containers.

OpenRouter, OpenAI and Anthropic describe files differently, and so may the answer, by the provider that holds the file:
`bytes` or `size_bytes`, seconds since the epoch or ISO 8601 text. Source: the OpenAPI schemas FileResponse and
ContainerFile.
"""

from msgspec import field

from openrouter_core.wire.params import AtLeastOne, FileUpload, Parameters, Slug
from openrouter_core.wire.shape import Shape


class StoredFile(Shape, frozen=True, kw_only=True):
    """A file. Of the fields that mean the same, one is set; `shape` says whose description it is."""

    id: str
    filename: str | None = None
    purpose: str | None = None
    mime_type: str | None = None
    object: str | None = None
    type: str | None = None
    status: str | None = None
    bytes: int | None = None
    size_bytes: int | None = None
    created_at: int | str | None = None
    downloadable: bool | None = None
    shape: str | None = field(default=None, name="_shape")

    @property
    def size(self) -> int | None:
        """How long the file is, in bytes."""
        return self.size_bytes if self.bytes is None else self.bytes


class ContainerFile(Shape, frozen=True, kw_only=True):
    """A file in a container, where tools work. `source` says who put it there."""

    id: str
    container_id: str | None = None
    path: str | None = None
    object: str | None = None
    source: str | None = None
    bytes: int | None = None
    created_at: int | None = None


class FileScope(Parameters, frozen=True, kw_only=True):
    """Whose files: of a workspace (the default one if left out), or those stored at a provider by your own key."""

    workspace_id: str | None = None
    provider: str | None = None


class ListFiles(FileScope, frozen=True, kw_only=True):
    """Which files to list; `cursor`, `after` and `after_id` are marks of the page before, by kind of provider."""

    limit: AtLeastOne | None = None
    cursor: str | None = None
    after: str | None = None
    after_id: str | None = None
    before_id: str | None = None
    order: str | None = None


class UploadFile(FileScope, frozen=True, kw_only=True):
    """A file to store."""

    file: FileUpload


class FileId(FileScope, frozen=True, kw_only=True):
    """Names a file."""

    file_id: Slug


class ListContainerFiles(Parameters, frozen=True, kw_only=True):
    """Which files of a container to list: at most `limit` (1 to 1,000) after the mark `after`."""

    container_id: Slug
    limit: AtLeastOne | None = None
    after: str | None = None


class ContainerFileId(Parameters, frozen=True, kw_only=True):
    """Names a file of a container."""

    container_id: Slug
    file_id: Slug
