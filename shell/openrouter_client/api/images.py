"""Images from text and images."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, StreamOptions
from openrouter_client.streaming import EventStream
from openrouter_core.endpoints.inference import IMAGES
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.images import ImageEvent, ImagesRequest, ImagesResponse


class Images(Group):
    """Images from text and images."""

    async def create(self, request: ImagesRequest, **how: Unpack[Options]) -> Result[ImagesResponse, DataSourceError]:
        """Paint."""
        return await self._caller.call(IMAGES, request, **how)

    def stream(self, request: ImagesRequest, **how: Unpack[StreamOptions]) -> EventStream[ImageEvent, ImagesResponse]:
        """Paint, and give sketches and images as they come."""
        return self._caller.stream(IMAGES, request, **how)
