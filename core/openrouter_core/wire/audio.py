"""Speech from text, and text from speech.

Source: OpenRouter docs, guides/overview/multimodal (tts, stt); the OpenAPI schemas SpeechRequest, STTRequest and
STTResponse; recorded answers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import field

from openrouter_core.wire.params import FileUpload, Inference, Slug
from openrouter_core.wire.shape import Shape, open_union


class SpeechTurn(Shape, frozen=True, kw_only=True):
    """What one speaker says."""

    text: str
    voice: str | None = None
    instructions: str | None = None


if TYPE_CHECKING:
    SpeechInputLike: TypeAlias = SpeechTurn | Mapping[str, Any]
else:
    SpeechInputLike = open_union(other=SpeechTurn)


class SpeechRequest(Inference, frozen=True, kw_only=True):
    """What to say, by one voice or by several in turn.

    `response_format` is "pcm" (if left out) or "mp3"; `speed` a factor. `instructions` tell tone and pace to models
    that heed them; `input_references` are samples of voices, texts or images.
    """

    model: Slug
    input: str | Sequence[SpeechInputLike]
    voice: str | None = None
    response_format: str | None = None
    instructions: str | None = None
    speed: float | None = None
    input_references: Sequence[Mapping[str, Any]] | None = None


class AudioSource(Shape, frozen=True, kw_only=True):
    """Sound to transcribe: base64 `data` with its `format` ("wav", "mp3", ...), or a `url`."""

    data: str | None = None
    format: str | None = None
    url: str | None = None


if TYPE_CHECKING:
    AudioSourceLike: TypeAlias = AudioSource | Mapping[str, Any]
else:
    AudioSourceLike = open_union(other=AudioSource)


class TranscriptionRequest(Inference, frozen=True, kw_only=True):
    """Sound to write down.

    `response_format` is "json" or "verbose_json", with `timestamp_granularities` of "segment" and "word"; `language` is
    a code such as "en"; `diarize` tells speakers apart; `keyterms` are words to expect.
    """

    model: Slug
    input_audio: AudioSourceLike
    language: str | None = None
    response_format: str | None = None
    temperature: float | None = None
    timestamp_granularities: Sequence[str] | None = None
    keyterms: Sequence[str] | None = None
    diarize: bool | None = None


class TranscriptionUpload(Inference, frozen=True, kw_only=True):
    """The same, with the sound as a file of at most 25 MB or the address of one (`source_url`)."""

    model: Slug
    file: FileUpload | None = None
    source_url: str | None = None
    language: str | None = None
    response_format: str | None = None
    temperature: float | None = None
    timestamp_granularities: Sequence[str] | None = field(default=None, name="timestamp_granularities[]")
    keyterms: Sequence[str] | None = field(default=None, name="keyterms[]")
    diarize: bool | None = None


class TranscribedWord(Shape, frozen=True, kw_only=True):
    """A word. Times are in seconds from the beginning."""

    word: str | None = None
    type: str | None = None
    speaker_label: str | None = None
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    channel: int | None = None
    speaker: int | None = None


class TranscribedSegment(Shape, frozen=True, kw_only=True):
    """A stretch of speech. Times are in seconds from the beginning."""

    text: str | None = None
    speaker_label: str | None = None
    id: int | None = None
    seek: int | None = None
    channel: int | None = None
    speaker: int | None = None
    start: float | None = None
    end: float | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None
    tokens: list[int] | None = None


class SpokenEntity(Shape, frozen=True, kw_only=True):
    """A name or number in the text, and where it stands."""

    text: str | None = None
    type: str | None = None
    start_char: int | None = None
    end_char: int | None = None


class TranscriptionUsage(Shape, frozen=True, kw_only=True):
    """What it used, in tokens or seconds of sound; `cost` is in USD."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    cost: float | None = None


class TranscriptionResponse(Shape, frozen=True, kw_only=True):
    """The text; `duration` is in seconds."""

    text: str
    task: str | None = None
    language: str | None = None
    duration: float | None = None
    confidence: float | None = None
    language_confidence: float | None = None
    words: list[TranscribedWord] | None = None
    segments: list[TranscribedSegment] | None = None
    entities: list[SpokenEntity] | None = None
    usage: TranscriptionUsage | None = None
