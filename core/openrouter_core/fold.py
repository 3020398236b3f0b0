"""Chunks of a stream -> the answer that the call without streaming would have given.

``Fold`` is deliberately not a frozen value: a frozen fold would copy the answer for every chunk, which is quadratic for
an answer of 100,000 chunks. It is an accumulator that belongs to one stream: ``add`` appends in constant time and
returns the fold, ``result`` joins and gives a frozen ``ChatCompletionResponse``, as often as one likes, at any time.

The fold does not judge. It says what a judge needs to know: the first ``error`` that any chunk carried, and whether
every choice was ``finished``.

What the wire does (OpenRouter docs, api_reference/streaming, and recorded streams):

- the last chunk brings ``usage`` and repeats the finish_reason, or has null there, or no choices at all: so the last
  reason that is not null counts;
- ``model`` may be empty in error chunks; ``content`` is null or "" in chunks that carry something else;
- ids, provider and model come with every chunk; usage may come with any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from openrouter_core.deltas import ReasoningDetails, ToolCalls, joined_base64
from openrouter_core.wire.chunk import ChatCompletionChunk, Delta, StreamChoice
from openrouter_core.wire.message import ASSISTANT
from openrouter_core.wire.response import (
    ChatCompletionResponse,
    Choice,
    Logprobs,
    ResponseMessage,
    TokenLogprob,
    Usage,
)

_KEPT: Final = (
    "id",
    "created",
    "model",
    "provider",
    "system_fingerprint",
    "service_tier",
    "openrouter_metadata",
    "safeguard_results",
    "alignment",
    "user_id",
)
"""Fields of a chunk that are the answer's own; the last value that is not empty counts."""


_NOTHING: Final = ChatCompletionChunk()


def _has_more(chunk: ChatCompletionChunk) -> Any:
    """Whether a chunk has any of the fields of `_KEPT` that few chunks have."""
    return (
        chunk.system_fingerprint
        or chunk.service_tier
        or chunk.openrouter_metadata
        or chunk.safeguard_results
        or chunk.alignment
        or chunk.user_id
    )


class Fold:
    """The answer so far. ``Fold()`` is the empty one; not to be shared between streams."""

    __slots__ = ("_choices", "_error", "_kept", "_last", "_usage", "chunks", "error")

    def __init__(self) -> None:
        self.chunks: int = 0
        self.error: Any = None
        """The first error of any chunk, top-level or of a choice, as JSON. None: there was none."""
        self._error: Any = None
        self._choices: dict[int, _ChoiceFold] = {}
        self._kept: dict[str, Any] = {}
        self._last = _NOTHING
        self._usage: Usage | None = None

    def add(self, chunk: ChatCompletionChunk) -> Fold:
        """Take the next chunk. Gives this same fold, so that it can be used with ``functools.reduce``."""
        self.chunks += 1
        if chunk.id and chunk.model and chunk.created and chunk.provider and not _has_more(chunk):
            self._last = chunk  # as nearly every chunk: one reference instead of four values
        else:
            self._keep(chunk)
        if chunk.usage is not None:
            self._usage = _merged_usage(self._usage, chunk.usage)
        if chunk.error is not None and self._error is None:
            self._error = chunk.error
            self.error = self.error or chunk.error
        for place, choice in enumerate(chunk.choices or ()):
            index = place if choice.index is None else choice.index
            folded = self._choices.get(index)
            if folded is None:
                folded = self._choices[index] = _ChoiceFold()
            folded.add(choice)
            if choice.error is not None and self.error is None:
                self.error = choice.error
        return self

    def _keep(self, chunk: ChatCompletionChunk) -> None:
        """Keep what a chunk, and the one in `_last` before it, say of the answer itself."""
        for name in _KEPT:
            value = getattr(chunk, name) or getattr(self._last, name)
            if value:
                self._kept[name] = value
        self._last = _NOTHING

    @property
    def finished(self) -> bool:
        """Whether every choice that began has a finish_reason, and there is one. If not, the stream was cut."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    @property
    def delivered(self) -> bool:
        """Whether anything of an answer has come: text, reasoning, a tool call, an image, audio."""
        return any(choice.delivered for choice in self._choices.values())

    def result(self) -> ChatCompletionResponse:
        """The answer so far, as the call without streaming would have given it."""
        self._keep(_NOTHING)
        return ChatCompletionResponse(
            object="chat.completion",
            choices=[choice.result(index) for index, choice in sorted(self._choices.items())],
            usage=self._usage,
            error=self._error,
            **self._kept,
        )


class _ChoiceFold:
    """One choice so far."""

    __slots__ = (
        "annotations",
        "audio",
        "content",
        "details",
        "error",
        "finish_reason",
        "images",
        "logprobs",
        "native_finish_reason",
        "reasoning",
        "refusal",
        "role",
        "tool_calls",
    )

    def __init__(self) -> None:
        self.role = ASSISTANT
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.details = ReasoningDetails()
        self.tool_calls = ToolCalls()
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.audio: list[dict[str, Any]] = []
        self.logprobs: list[Logprobs] = []
        self.finish_reason: str | None = None
        self.native_finish_reason: str | None = None
        self.error: Any = None

    def add(self, choice: StreamChoice) -> None:
        if choice.delta is not None:
            self._add_delta(choice.delta)
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        if choice.native_finish_reason:
            self.native_finish_reason = choice.native_finish_reason
        if choice.logprobs is not None:
            self.logprobs.append(choice.logprobs)
        if choice.error is not None and self.error is None:
            self.error = choice.error

    def _add_delta(self, delta: Delta) -> None:
        if delta.content or (delta.content is not None and not self.content):
            self.content.append(delta.content)  # of empty ones the first will do: it says that content was there
        if delta.reasoning:
            self.reasoning.append(delta.reasoning)
        if delta.reasoning_details:
            for piece in delta.reasoning_details:
                self.details.add(piece)
        if delta.tool_calls:
            for call in delta.tool_calls:
                self.tool_calls.add(call)
        if delta.refusal:
            self.refusal.append(delta.refusal)
        if delta.images:
            self.images.extend(delta.images)
        if delta.annotations:
            self.annotations.extend(delta.annotations)
        if delta.audio:
            self.audio.append(delta.audio)
        self.role = delta.role or self.role

    @property
    def delivered(self) -> bool:
        parts = (self.reasoning, self.details, self.tool_calls, self.refusal, self.images, self.audio)
        return any(parts) or any(self.content)

    def result(self, index: int) -> Choice:
        text = "".join(self.content)
        silent = not text and (self.tool_calls or not self.content)
        return Choice(
            index=index,
            finish_reason=self.finish_reason,
            native_finish_reason=self.native_finish_reason,
            logprobs=_joined_logprobs(self.logprobs),
            error=self.error,
            message=ResponseMessage(
                role=self.role,
                content=None if silent else text,
                reasoning="".join(self.reasoning) or None,
                refusal="".join(self.refusal) or None,
                reasoning_details=self.details.result() or None,
                tool_calls=self.tool_calls.result() or None,
                images=[*self.images] or None,
                annotations=[*self.annotations] or None,
                audio=_joined_audio(self.audio),
            ),
        )


def _merged_usage(old: Usage | None, new: Usage) -> Usage:
    """Usage from two chunks: the later value of each field, unless it is missing."""
    if old is None:
        return new
    known = {name: value for name in new.__struct_fields__ if (value := getattr(new, name)) is not None}
    return msgspec.structs.replace(old, **known)


def _joined_audio(pieces: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Audio from its pieces: the data and the transcript grow, the last of anything else (id, expires_at) counts."""
    if not pieces:
        return None
    audio = {key: value for piece in pieces for key, value in piece.items() if value is not None}
    data = [piece["data"] for piece in pieces if isinstance(piece.get("data"), str)]
    transcript = [piece["transcript"] for piece in pieces if isinstance(piece.get("transcript"), str)]
    if data:
        audio["data"] = joined_base64(data)
    if transcript:
        audio["transcript"] = "".join(transcript)
    return audio


def _joined_logprobs(pieces: Sequence[Logprobs]) -> Logprobs | None:
    """Log probabilities from their pieces, token after token."""
    if not pieces:
        return None
    content = _tokens([piece.content for piece in pieces])
    return Logprobs(content=content, refusal=_tokens([piece.refusal for piece in pieces]))


def _tokens(lists: Sequence[list[TokenLogprob] | None]) -> list[TokenLogprob] | None:
    """One list of all; None where none of them was a list."""
    if all(tokens is None for tokens in lists):
        return None
    return [token for tokens in lists for token in tokens or ()]
