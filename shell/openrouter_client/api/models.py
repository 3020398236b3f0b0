"""Models: which there are, what they cost, and where they can be had. Prices are `Decimal`, in USD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.catalogue import (
    COUNT_MODELS,
    GET_MODEL,
    LIST_EMBEDDINGS_MODELS,
    LIST_IMAGE_MODEL_ENDPOINTS,
    LIST_IMAGE_MODELS,
    LIST_MODEL_ENDPOINTS,
    LIST_MODELS,
    LIST_USER_MODELS,
    LIST_VIDEO_MODELS,
    LIST_ZDR_ENDPOINTS,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.images import ImageModel, ImageModelEndpoints
from openrouter_core.wire.models import (
    ListModels,
    ListUserModels,
    Model,
    ModelEndpoint,
    ModelEndpoints,
    ModelName,
    ModelsCount,
    OutputModalities,
)
from openrouter_core.wire.params import Paged
from openrouter_core.wire.videos import VideoModel


class Models(Group):
    """Models. They are named by their slugs, such as "x-ai/grok-4"."""

    def list(self, which: ListModels | None = None, **how: Unpack[PageOptions]) -> Pages[Model]:
        """List models."""
        return self._caller.pages(LIST_MODELS, which, **how)

    def for_user(self, which: ListUserModels | None = None, **how: Unpack[PageOptions]) -> Pages[Model]:
        """List the models that the account's settings allow."""
        return self._caller.pages(LIST_USER_MODELS, which, **how)

    async def count(
        self, which: OutputModalities | None = None, **how: Unpack[Options]
    ) -> Result[ModelsCount, DataSourceError]:
        """Count models."""
        return await self._one(COUNT_MODELS, which, how)

    async def get(self, model: str, **how: Unpack[Options]) -> Result[Model, DataSourceError]:
        """Get a model."""
        return await self._one(GET_MODEL, named(model), how)

    async def endpoints(self, model: str, **how: Unpack[Options]) -> Result[ModelEndpoints, DataSourceError]:
        """List where a model can be had."""
        return await self._one(LIST_MODEL_ENDPOINTS, named(model), how)

    async def zdr_endpoints(self, **how: Unpack[Options]) -> Result[Sequence[ModelEndpoint], DataSourceError]:
        """List endpoints that retain no data."""
        return await self._items(LIST_ZDR_ENDPOINTS, None, how)

    def embeddings(self, which: Paged | None = None, **how: Unpack[PageOptions]) -> Pages[Model]:
        """List models that make vectors."""
        return self._caller.pages(LIST_EMBEDDINGS_MODELS, which, **how)

    async def images(self, **how: Unpack[Options]) -> Result[Sequence[ImageModel], DataSourceError]:
        """List models that paint."""
        return await self._items(LIST_IMAGE_MODELS, None, how)

    async def image_endpoints(self, model: str, **how: Unpack[Options]) -> Result[ImageModelEndpoints, DataSourceError]:
        """List where an image model can be had."""
        return await self._caller.call(LIST_IMAGE_MODEL_ENDPOINTS, named(model), **how)

    async def videos(self, **how: Unpack[Options]) -> Result[Sequence[VideoModel], DataSourceError]:
        """List models that film."""
        return await self._items(LIST_VIDEO_MODELS, None, how)


def named(model: str) -> ModelName:
    """Give a slug's two parts."""
    author, _, slug = model.partition("/")
    return ModelName(author=author, slug=slug)
