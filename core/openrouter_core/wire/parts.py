"""The parts that a message's content may be made of: text, image, audio, video, file. Shapes only.

Source: OpenRouter docs, guides/overview/multimodal, and the OpenAPI schemas ChatContent*.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from openrouter_core.wire.shape import Shape, open_union


class CacheControl(Shape, frozen=True, kw_only=True, tag_field="type", tag="ephemeral"):
    """An Anthropic-style cache breakpoint. `ttl` is "5m" or "1h"."""

    ttl: str | None = None


class CacheBreakpoint(Shape, frozen=True, kw_only=True, tag_field="mode", tag="explicit"):
    """An OpenAI-style explicit prompt-cache breakpoint (GPT-5.6 and newer). `ttl` is "30m" or "12h"."""

    ttl: str | None = None


if TYPE_CHECKING:
    CacheControlLike: TypeAlias = CacheControl | Mapping[str, Any]
    CacheBreakpointLike: TypeAlias = CacheBreakpoint | Mapping[str, Any]
else:
    CacheControlLike = open_union(CacheControl, tag="type")
    CacheBreakpointLike = open_union(CacheBreakpoint, tag="mode")


class TextPart(Shape, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A piece of text, with an optional cache breakpoint after it."""

    text: str
    cache_control: CacheControlLike | None = None
    prompt_cache_breakpoint: CacheBreakpointLike | None = None


class ImageUrl(Shape, frozen=True, kw_only=True):
    """Where an image is: an https address or a `data:` URL. `detail` is "auto", "low", "high" or "original"."""

    url: str
    detail: str | None = None


class InputAudio(Shape, frozen=True, kw_only=True):
    """Audio as base64 (addresses are not accepted). `format` is "wav", "mp3", "flac", "m4a", "ogg", "pcm16", ..."""

    data: str
    format: str


class VideoUrl(Shape, frozen=True, kw_only=True):
    """Where a video is: an address or a `data:` URL. `processing` is "agentic" or "static"."""

    url: str
    processing: str | None = None


class FileSource(Shape, frozen=True, kw_only=True):
    """A document: `file_data` is a `data:` URL or an address, `file_id` names a file uploaded before."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


if TYPE_CHECKING:
    ImageUrlLike: TypeAlias = ImageUrl | Mapping[str, Any]
    InputAudioLike: TypeAlias = InputAudio | Mapping[str, Any]
    VideoUrlLike: TypeAlias = VideoUrl | Mapping[str, Any]
    FileSourceLike: TypeAlias = FileSource | Mapping[str, Any]
else:
    ImageUrlLike = open_union(other=ImageUrl)
    InputAudioLike = open_union(other=InputAudio)
    VideoUrlLike = open_union(other=VideoUrl)
    FileSourceLike = open_union(other=FileSource)


class ImagePart(Shape, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """An image for a vision model."""

    image_url: ImageUrlLike

    @classmethod
    def of(cls, url: str, detail: str | None = None) -> "ImagePart":
        """Make the part from the image's address or `data:` URL."""
        return cls(image_url=ImageUrl(url=url, detail=detail))


class AudioPart(Shape, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Audio for a model that listens."""

    input_audio: InputAudioLike

    @classmethod
    def of(cls, data: str, audio_format: str) -> "AudioPart":
        """Make the part from base64 data and its format ("wav", "mp3", ...)."""
        return cls(input_audio=InputAudio(data=data, format=audio_format))


class VideoPart(Shape, frozen=True, kw_only=True, tag_field="type", tag="video_url"):
    """A video for a model that watches. Its older name, `input_video`, can be given as a mapping."""

    video_url: VideoUrlLike

    @classmethod
    def of(cls, url: str, processing: str | None = None) -> "VideoPart":
        """Make the part from the video's address or `data:` URL."""
        return cls(video_url=VideoUrl(url=url, processing=processing))


class FilePart(Shape, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A document, such as a PDF."""

    file: FileSourceLike

    @classmethod
    def of(cls, file_data: str, filename: str | None = None) -> "FilePart":
        """Make the part from a `data:` URL or an address."""
        return cls(file=FileSource(file_data=file_data, filename=filename))


if TYPE_CHECKING:
    PartLike: TypeAlias = TextPart | ImagePart | AudioPart | VideoPart | FilePart | Mapping[str, Any]
else:
    PartLike = open_union(TextPart, ImagePart, AudioPart, VideoPart, FilePart, tag="type")
