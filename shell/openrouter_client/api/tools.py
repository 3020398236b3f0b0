"""The tools that OpenRouter runs."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.catalogue import GET_TOOL, LIST_TOOLS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.server_tools import ListTools, RegisteredTool, ToolName


class Tools(Group):
    """The tools that OpenRouter runs."""

    def list(self, which: ListTools | None = None, **how: Unpack[PageOptions]) -> Pages[RegisteredTool]:
        """List the tools that OpenRouter runs."""
        return self._caller.pages(LIST_TOOLS, which, **how)

    async def get(self, name: str, **how: Unpack[Options]) -> Result[RegisteredTool, DataSourceError]:
        """Get a tool that OpenRouter runs."""
        return await self._one(GET_TOOL, ToolName(name=name), how)
