"""Events of streamed images -> the images.

Source: OpenRouter docs, guides/overview/multimodal/image-generation: sketches come first and are not kept, each image
that is done comes with its own event, a failure as an event `error`, and `[DONE]` last.
"""

from __future__ import annotations

from openrouter_core.events import EventFold
from openrouter_core.wire.images import COMPLETED, ERROR, GeneratedImage, ImageEvent, ImagesResponse
from openrouter_core.wire.usage import ProviderUsage


class ImageFold(EventFold[ImageEvent]):
    """The images so far."""

    event: type[ImageEvent] = ImageEvent
    last: str = "image that is done"

    def __init__(self) -> None:
        super().__init__()
        self._images: list[GeneratedImage] = []
        self._created: int | None = None
        self._usage: ProviderUsage | None = None

    def add(self, event: ImageEvent) -> None:
        """Take the next event."""
        if event.type == ERROR:
            self.fail(event.error or {"message": "an error without content"})
        elif event.type == COMPLETED and event.b64_json is not None:
            self._images.append(GeneratedImage(b64_json=event.b64_json, media_type=event.media_type))
            self._created, self._usage = event.created or self._created, event.usage or self._usage
            self.end()
        self.came(something=bool(event.b64_json or event.text))

    def result(self) -> ImagesResponse:
        """The images so far."""
        return ImagesResponse(data=[*self._images], created=self._created, usage=self._usage)
