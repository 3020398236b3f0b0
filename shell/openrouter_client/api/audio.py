"""Speech from text, and text from speech."""

from __future__ import annotations

import os
from typing import Unpack

from returns.result import Failure, Result

from openrouter_client.api.base import ByteOptions, DownloadOptions, Group, Options
from openrouter_client.streaming import ByteStream
from openrouter_client.uploads import Source, upload_of
from openrouter_core.endpoints.inference import SPEECH, TRANSCRIPTION_UPLOADS, TRANSCRIPTIONS
from openrouter_core.errors import DataSourceError
from openrouter_core.received import Received
from openrouter_core.wire.audio import (
    SpeechRequest,
    TranscriptionRequest,
    TranscriptionResponse,
    TranscriptionUpload,
)


class Audio(Group):
    """Speech from text, and text from speech."""

    async def speech(self, request: SpeechRequest, **how: Unpack[Options]) -> Result[bytes, DataSourceError]:
        """Say a text, and give the sound as bytes."""
        return await self._caller.call(SPEECH, request, **how)

    async def save_speech(
        self, request: SpeechRequest, to: str | os.PathLike[str], **how: Unpack[DownloadOptions]
    ) -> Result[Received, DataSourceError]:
        """Say a text into the file `to`, which is there when it is whole."""
        return await self._caller.download(SPEECH, request, to, **how)

    def stream_speech(self, request: SpeechRequest, **how: Unpack[ByteOptions]) -> ByteStream:
        """Say a text, and give the sound piece by piece, as it comes."""
        return self._caller.stream_bytes(SPEECH, request, **how)

    async def transcribe(
        self, request: TranscriptionRequest, **how: Unpack[Options]
    ) -> Result[TranscriptionResponse, DataSourceError]:
        """Write down sound that is in the request, or at an address."""
        return await self._caller.call(TRANSCRIPTIONS, request, **how)

    async def transcribe_file(
        self, file: Source, model: str, *, language: str | None = None, **how: Unpack[Options]
    ) -> Result[TranscriptionResponse, DataSourceError]:
        """Write down a file: its path, or its bytes (give a `FileUpload` to name them)."""
        upload = await upload_of(file)
        if isinstance(upload, Failure):
            return upload
        request = TranscriptionUpload(model=model, file=upload.unwrap(), language=language)
        return await self._caller.call(TRANSCRIPTION_UPLOADS, request, **how)
