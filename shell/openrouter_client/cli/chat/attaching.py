"""Reads what goes with a question: files, images, the schema, and what comes through the pipe."""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from returns.result import Failure, Result, Success

from openrouter_client.cli.chat.asking import Given, document_part, image_part
from openrouter_client.cli.problems import LARGEST_FILE, as_text, read_file, usage
from openrouter_core.errors import InvalidRequest
from openrouter_core.wire.parts import PartLike


def gathered(
    words: Sequence[str], files: Sequence[Path], images: Sequence[Path], piped: str
) -> Result[Given, InvalidRequest]:
    """Read everything that a question consists of; the first file that cannot be used is the failure."""
    texts: list[tuple[str, str]] = []
    parts: list[PartLike] = []
    for path in files:
        content = read_file("--file", path, Success)
        if isinstance(content, Failure):
            return Failure(content.failure())
        document = document_part(path.name, content.unwrap())
        if document is not None:
            parts.append(document)
            continue
        text = as_text(content.unwrap())
        if isinstance(text, Failure):
            return Failure(usage("--file", path, f"{text.failure()}, or give an image with --image"))
        texts.append((str(path), text.unwrap()))
    for path in images:
        part = read_file("--image", path, image_part)
        if isinstance(part, Failure):
            return Failure(part.failure())
        parts.append(part.unwrap())
    return Success(Given(words=" ".join(words), piped=piped, texts=tuple(texts), parts=tuple(parts)))


def from_pipe() -> Result[str, InvalidRequest]:
    """Read what is piped or redirected into the command; nothing from a terminal, and from what is no input at all."""
    content = piped()
    if len(content) > LARGEST_FILE:
        return Failure(usage("the input", "<stdin>", f"is larger than {LARGEST_FILE >> 20} MiB; give a part of it"))
    return as_text(content).alt(lambda flaw: usage("the input", "<stdin>", flaw))


def piped() -> bytes:
    """Give the bytes of the standard input, if it is a pipe, a file or a socket."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or none at all
        return b""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return b""
    return sys.stdin.buffer.read(LARGEST_FILE + 1)
