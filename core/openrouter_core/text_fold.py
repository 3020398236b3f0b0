"""Chunks of a streamed legacy completion -> the completion.

The shape is OpenAI's: each chunk has the next piece of a choice's text, the last of them its finish_reason; usage comes
with it or after it, `[DONE]` last. A failure comes as OpenRouter's `error`, in the chunk or in its choice.
"""

from __future__ import annotations

from typing import Any

import msgspec

from openrouter_core.events import EventFold
from openrouter_core.wire.completions import CompletionChoice, CompletionChunk, CompletionResponse

GROWING = ("text", "reasoning")
"""The fields of a choice that come in pieces."""

OF_ALL = ("id", "object", "model", "provider", "system_fingerprint", "created", "usage", "openrouter_metadata")
"""The fields of the completion that chunks repeat; the last that is told counts."""


class TextFold(EventFold[CompletionChunk]):
    """The ways to go on so far."""

    event: type[CompletionChunk] = CompletionChunk
    last: str = "finish_reason"

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, Any] = {}
        self._choices: dict[int, CompletionChoice] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}

    @property
    def settled(self) -> bool:
        """Whether nothing more can come: usage is the last to be told."""
        return self.finished and "usage" in self._told

    def add(self, event: CompletionChunk) -> None:
        """Take the next chunk."""
        self._told |= {name: value for name in OF_ALL if (value := getattr(event, name)) is not None}
        self.named(event.id, event.model)
        if event.error is not None:
            self.fail(event.error)
        for choice in event.choices or ():
            self._grow(choice.index or 0, choice)
        ended = [one.finish_reason is not None for one in self._choices.values()]
        self.finished: bool = bool(ended) and all(ended)

    def _grow(self, place: int, choice: CompletionChoice) -> None:
        if choice.error is not None:
            self.fail(choice.error)
        for field in GROWING:
            piece = getattr(choice, field)
            if piece is not None:
                self._pieces.setdefault((place, field), []).append(piece)
                self.came(something=bool(piece))
        old = self._choices.get(place, CompletionChoice())
        told = {name: value for name in choice.__struct_fields__ if (value := getattr(choice, name)) is not None}
        self._choices[place] = msgspec.structs.replace(old, **told)

    def result(self) -> CompletionResponse:
        """The ways to go on so far."""
        return CompletionResponse(choices=[self._choice(place) for place in sorted(self._choices)], **self._told)

    def _choice(self, place: int) -> CompletionChoice:
        """Put one choice together: what it was told last, with all of its text."""
        grown = {field: self._pieces.get((place, field)) for field in GROWING}
        texts = {field: "".join(pieces) for field, pieces in grown.items() if pieces is not None}
        return msgspec.structs.replace(self._choices[place], **texts)
