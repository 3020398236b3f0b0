"""Videos: jobs that are submitted, asked about until they end, and then downloaded.

Source: OpenRouter docs, guides/overview/multimodal/video-generation; the OpenAPI schemas VideoGenerationRequest and
VideoModel.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import field

from openrouter_core.wire.params import AtLeastZero, Inference, Parameters, Slug
from openrouter_core.wire.shape import Shape

PENDING: Final = "pending"
IN_PROGRESS: Final = "in_progress"
COMPLETED: Final = "completed"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"


class VideoRequest(Inference, frozen=True, kw_only=True):
    """What to film. `duration` is in seconds; `callback_url` is told when it is done.

    `frame_images` are the first and the last frame, `input_references` images, sounds or videos to go by;
    `previous_job_id` continues a job. `size` is such as "1280x720".
    """

    model: Slug
    prompt: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    size: str | None = None
    callback_url: str | None = None
    previous_job_id: str | None = None
    duration: int | None = None
    seed: int | None = None
    creativity: int | None = None
    upscale_factor: float | None = None
    generate_audio: bool | None = None
    frame_images: Sequence[Mapping[str, Any]] | None = None
    input_references: Sequence[Mapping[str, Any]] | None = None


class VideoUsage(Shape, frozen=True, kw_only=True):
    """What it cost, in USD."""

    cost: float | None = None
    is_byok: bool | None = None


class Video(Shape, frozen=True, kw_only=True):
    """A job, as it stands. `error` says why it failed; `unsigned_urls` are where the videos are, with the key.

    `expires_at` is in seconds since the epoch. `polling_url` is the address to ask, on the host that holds the job.
    """

    id: str
    status: str
    generation_id: str | None = None
    polling_url: str | None = None
    error: Any | None = None
    expires_at: int | None = None
    urls: list[str] | None = None
    unsigned_urls: list[str] | None = None
    usage: VideoUsage | None = None

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in (COMPLETED, FAILED, CANCELLED, EXPIRED)


class VideoJob(Parameters, frozen=True, kw_only=True):
    """Names a job."""

    job_id: Slug = field(name="jobId")


class VideoContent(VideoJob, frozen=True, kw_only=True):
    """Names one video of a job, from 0."""

    index: AtLeastZero | None = None


class UpscaleFactors(Shape, frozen=True, kw_only=True):
    """How far a video can be enlarged."""

    min: float | None = None
    max: float | None = None


class VideoModel(Shape, frozen=True, kw_only=True):
    """A model that films. Durations are in seconds; `pricing_skus` are USD by what is billed."""

    id: str
    name: str | None = None
    canonical_slug: str | None = None
    description: str | None = None
    hugging_face_id: str | None = None
    created: int | None = None
    generate_audio: bool | None = None
    seed: bool | None = None
    creativity: list[int] | None = None
    supported_durations: list[int] | None = None
    supported_aspect_ratios: list[str] | None = None
    supported_resolutions: list[str] | None = None
    supported_sizes: list[str] | None = None
    supported_frame_images: list[str] | None = None
    allowed_passthrough_parameters: list[str] | None = None
    upscale_factor: UpscaleFactors | None = None
    pricing_skus: dict[str, Decimal] | None = None
