"""Settings of requests, kept under a name."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.access import (
    CREATE_PRESET_FROM_CHAT,
    CREATE_PRESET_FROM_MESSAGES,
    CREATE_PRESET_FROM_RESPONSES,
    GET_PRESET,
    GET_PRESET_VERSION,
    LIST_PRESET_VERSIONS,
    LIST_PRESETS,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.params import Paged
from openrouter_core.wire.presets import (
    ListPresetVersions,
    Preset,
    PresetFromChat,
    PresetFromMessages,
    PresetFromResponses,
    PresetSlug,
    PresetVersion,
    PresetVersionNumber,
)


class Presets(Group):
    """Settings of requests, kept under a name."""

    def list(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[Preset]:
        """List presets."""
        return self._caller.pages(LIST_PRESETS, which, **how)

    async def get(self, slug: str, **how: Unpack[Options]) -> Result[Preset, DataSourceError]:
        """Get a preset."""
        return await self._one(GET_PRESET, PresetSlug(slug=slug), how)

    async def create_from_chat(
        self, request: PresetFromChat, **how: Unpack[Options]
    ) -> Result[Preset, DataSourceError]:
        """Make a preset of a chat request, or a new version of one."""
        return await self._one(CREATE_PRESET_FROM_CHAT, request, how)

    async def create_from_messages(
        self, request: PresetFromMessages, **how: Unpack[Options]
    ) -> Result[Preset, DataSourceError]:
        """Make a preset of a request to the Anthropic skin."""
        return await self._one(CREATE_PRESET_FROM_MESSAGES, request, how)

    async def create_from_responses(
        self, request: PresetFromResponses, **how: Unpack[Options]
    ) -> Result[Preset, DataSourceError]:
        """Make a preset of a request to the responses API."""
        return await self._one(CREATE_PRESET_FROM_RESPONSES, request, how)

    def versions(self, slug: str, **how: Unpack[PageOptions]) -> Pages[PresetVersion]:
        """List a preset's versions."""
        return self._caller.pages(LIST_PRESET_VERSIONS, ListPresetVersions(slug=slug), **how)

    async def version(self, slug: str, version: str, **how: Unpack[Options]) -> Result[PresetVersion, DataSourceError]:
        """Get a version of a preset."""
        return await self._one(GET_PRESET_VERSION, PresetVersionNumber(slug=slug, version=version), how)
