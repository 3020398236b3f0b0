"""The responses API, OpenAI's successor of chat completions."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, StreamOptions
from openrouter_client.streaming import EventStream
from openrouter_core.endpoints.inference import RESPONSES
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.responses import ResponsesRequest, ResponsesResponse
from openrouter_core.wire.responses_events import ResponsesEvent


class Responses(Group):
    """The responses API, OpenAI's successor of chat completions."""

    async def create(
        self, request: ResponsesRequest, **how: Unpack[Options]
    ) -> Result[ResponsesResponse, DataSourceError]:
        """Create a response."""
        return await self._caller.call(RESPONSES, request, **how)

    def stream(
        self, request: ResponsesRequest, **how: Unpack[StreamOptions]
    ) -> EventStream[ResponsesEvent, ResponsesResponse]:
        """Create a response, and give its events as they come."""
        return self._caller.stream(RESPONSES, request, **how)
