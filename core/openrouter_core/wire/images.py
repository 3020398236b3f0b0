"""Images from text and images, whole or as a stream.

Source: OpenRouter docs, guides/overview/multimodal/image-generation; the OpenAPI schemas ImageGenerationRequest and
ImageStreamingResponse; recorded answers.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from msgspec import Meta

from openrouter_core.wire.models import Architecture
from openrouter_core.wire.params import Inference, Slug
from openrouter_core.wire.parts import PartLike
from openrouter_core.wire.shape import Shape
from openrouter_core.wire.usage import ProviderUsage

PARTIAL_IMAGE: Final = "image_generation.partial_image"
TEXT_CHUNK: Final = "image_generation.text_chunk"
COMPLETED: Final = "image_generation.completed"
ERROR: Final = "error"

ImageCount = Annotated[int, Meta(ge=1, le=10)]

Percent = Annotated[int, Meta(ge=0, le=100)]


class ImagesRequest(Inference, frozen=True, kw_only=True):
    """What to paint. `size` is such as "1024x1024", `aspect_ratio` such as "16:9", `resolution` such as "2K".

    `quality` is "auto", "low", "medium", "high", "xhigh" or "max"; `background` "auto", "transparent" or "opaque";
    `output_format` "png", "jpeg" or "webp", with a compression of 0 to 100. Providers may give fewer images than `n`.
    """

    model: Slug
    prompt: Slug
    n: ImageCount | None = None
    size: str | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    output_compression: Percent | None = None
    seed: int | None = None
    input_references: Sequence[PartLike] | None = None


class GeneratedImage(Shape, frozen=True, kw_only=True):
    """An image in base64, and its media type."""

    b64_json: str
    media_type: str | None = None


class ImagesResponse(Shape, frozen=True, kw_only=True):
    """The images. `created` is in seconds since the epoch."""

    data: list[GeneratedImage]
    created: int | None = None
    usage: ProviderUsage | None = None


class ImageEvent(Shape, frozen=True, kw_only=True):
    """One event of a stream: a first sketch, some text, or a finished image, by its `type` (see the names above)."""

    type: str | None = None
    b64_json: str | None = None
    media_type: str | None = None
    text: str | None = None
    phase: str | None = None
    partial_image_index: int | None = None
    created: int | None = None
    usage: ProviderUsage | None = None
    error: Any | None = None


class Capability(Shape, frozen=True, kw_only=True):
    """What values a parameter takes: "enum" with `values`, "range" from `min` to `max`, or "boolean"."""

    type: str | None = None
    values: list[str] | None = None
    min: float | None = None
    max: float | None = None


class ImageModel(Shape, frozen=True, kw_only=True):
    """A model that paints. `endpoints` is the address of its endpoints, relative to the API's root."""

    id: str
    name: str | None = None
    description: str | None = None
    endpoints: str | None = None
    created: int | None = None
    architecture: Architecture | None = None
    supported_parameters: dict[str, Capability] | None = None
    supports_streaming: bool | None = None


class ImagePrice(Shape, frozen=True, kw_only=True):
    """What is billed: `cost_usd` USD for each `unit` of `billable`."""

    billable: str | None = None
    unit: str | None = None
    variant: str | None = None
    cost_usd: Decimal | None = None


class ImageEndpoint(Shape, frozen=True, kw_only=True):
    """A provider where an image model can be had."""

    provider_name: str | None = None
    provider_slug: str | None = None
    provider_tag: str | None = None
    supports_streaming: bool | None = None
    supported_parameters: dict[str, Capability] | None = None
    allowed_passthrough_parameters: list[str] | None = None
    pricing: list[ImagePrice] | None = None


class ImageModelEndpoints(Shape, frozen=True, kw_only=True):
    """An image model and where it can be had."""

    endpoints: list[ImageEndpoint]
    id: str | None = None
