"""From what was given to a request, and from an answer to what is shown of it. Pure."""

import base64
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from msgspec import Struct
from returns.result import Failure, Result, Success

from openrouter_client.cli.money import usd
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.parts import FilePart, ImagePart, PartLike, TextPart
from openrouter_core.wire.response import ChatCompletionResponse

_IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
_PDF = b"%PDF-"


class Given(Struct, frozen=True, kw_only=True):
    """What the user gave: words of the command line, text from the pipe, texts by name, and parts that are no text."""

    words: str = ""
    piped: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    parts: tuple[PartLike, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was given."""
        return not (self.words.strip() or self.piped.strip() or self.texts or self.parts)


class Told(Struct, frozen=True, kw_only=True):
    """An answer, for machines. Tokens are counts, the cost is in USD, and None where nobody said; time in seconds.

    `value` is the answer read as JSON, where a schema was given.
    """

    text: str
    value: Any = None
    model: str | None = None
    id: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float = 0.0
    attempts: int = 1


def image_part(content: bytes) -> Result[ImagePart, str]:
    """Make the part of an image; what it is, its first bytes tell, and not its name."""
    kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "webp"
    if kind is None:
        return Failure("is no PNG, JPEG, GIF or WebP image; convert it, or give text with --file")
    return Success(ImagePart.of(data_url(f"image/{kind}", content)))


def document_part(name: str, content: bytes) -> FilePart | None:
    """Make the part of a document that models read, a PDF; None for anything else."""
    return FilePart.of(data_url("application/pdf", content), name) if content.startswith(_PDF) else None


def data_url(media_type: str, content: bytes) -> str:
    """Write bytes as an address that has them in it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def message_of(given: Given) -> ChatMessage:
    """Make the user's message: the words first, then the pipe's text, then the files' under their names."""
    files = [f"--- {PurePath(name).name} ---\n{text.strip()}" for name, text in given.texts]
    text = "\n\n".join(part for part in (given.words.strip(), given.piped.strip(), *files) if part)
    if not given.parts:
        return ChatMessage.user(text)
    return ChatMessage.user([*([TextPart(text=text)] if text else []), *given.parts])


def first_messages(system: str | None, earlier: Sequence[ChatMessage], new: ChatMessage) -> list[ChatMessage]:
    """Put a conversation together."""
    return [*([] if system is None else [ChatMessage.system(system)]), *earlier, new]


def told_of(answer: ChatCompletionResponse, seconds: float, value: Any = None) -> Told:
    """Sum an answer up."""
    usage = answer.usage
    return Told(
        text=answer.text,
        value=value,
        model=answer.model,
        id=answer.id,
        finish_reason=answer.finish_reason,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        completion_tokens=None if usage is None else usage.completion_tokens,
        cost_usd=answer.cost,
        seconds=round(seconds, 3),
        attempts=len(answer.call.attempts) if answer.call is not None else 1,
    )


def cost_line(told: Told) -> str:
    """Say who answered, and what it took."""
    counts = f"{shown(told.prompt_tokens)} tokens in, {shown(told.completion_tokens)} out"
    cut = ", cut at its limit of tokens" if told.finish_reason == "length" else ""
    return f"{told.model or '?'}: {counts}, {usd(told.cost_usd)}, {told.seconds:.1f} s{cut}"


def shown(count: int | None) -> str:
    """Write a count that may be unknown."""
    return "?" if count is None else f"{count:,}"
