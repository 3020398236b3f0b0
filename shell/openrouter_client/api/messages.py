"""Anthropic's messages API, for every model."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, StreamOptions
from openrouter_client.streaming import EventStream
from openrouter_core.endpoints.inference import MESSAGES
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.messages import MessagesRequest, MessagesResponse
from openrouter_core.wire.messages_events import MessagesEvent


class Messages(Group):
    """Anthropic's messages API, for every model."""

    async def create(
        self, request: MessagesRequest, **how: Unpack[Options]
    ) -> Result[MessagesResponse, DataSourceError]:
        """Create a message."""
        return await self._caller.call(MESSAGES, request, **how)

    def stream(
        self, request: MessagesRequest, **how: Unpack[StreamOptions]
    ) -> EventStream[MessagesEvent, MessagesResponse]:
        """Create a message, and give its events as they come."""
        return self._caller.stream(MESSAGES, request, **how)
