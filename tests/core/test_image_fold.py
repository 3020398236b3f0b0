"""image_fold: images that are done are kept, sketches are not."""

from __future__ import annotations

import msgspec
from tests.core.events import IMAGE_EVENTS, IMAGES

from openrouter_core.image_fold import ImageFold
from openrouter_core.wire.images import ImageEvent, ImagesResponse


def test_sketches_are_not_images() -> None:
    fold = ImageFold()
    for event in IMAGE_EVENTS[:2]:
        fold.add(msgspec.convert(event, ImageEvent))
    assert (fold.finished, fold.delivered, fold.result()) == (False, True, ImagesResponse(data=[]))


def test_an_error_that_does_not_say_why() -> None:
    fold = ImageFold()
    fold.add(ImageEvent(type="error"))
    assert fold.error == {"message": "an error without content"}


def test_each_image_that_is_done_is_kept() -> None:
    fold = ImageFold()
    for event in [IMAGE_EVENTS[2], {"type": "image_generation.completed", "b64_json": "QQ=="}]:
        fold.add(msgspec.convert(event, ImageEvent))
    first = msgspec.convert(IMAGES, ImagesResponse)
    assert fold.result().data[0] == first.data[0]
    assert [image.b64_json for image in fold.result().data] == ["QUJD", "QQ=="]
    assert (fold.result().created, fold.result().usage) == (first.created, first.usage)
