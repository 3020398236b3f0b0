"""What a command cannot work with, as values: options and files, each named with its value and a remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.conform import AnswerSchema
from openrouter_core.errors import AuthError, DataSourceError, InvalidRequest
from openrouter_core.schema_flaws import flaw_in

T = TypeVar("T")

LARGEST_FILE = 64 * 2**20
"""What is read of a file at most, in bytes."""


def usage(option: str, value: object, remedy: str) -> InvalidRequest:
    """Make the error of an option: its name, its value, and what would be right."""
    return InvalidRequest(message=f"{option} {value}: {remedy}", field=option, value=str(value), bound=remedy)


def words_of(error: DataSourceError) -> str:
    """Say what happened; of what this command found itself the message is enough, for it has the remedy."""
    ours = isinstance(error, InvalidRequest) and error.field is not None and error.field.startswith(("--", "the "))
    keys = isinstance(error, AuthError) and error.status is None and not error.attempts
    return error.message if ours or keys else str(error)


def read_file(option: str, path: Path, read: Callable[[bytes], Result[T, str]]) -> Result[T, InvalidRequest]:
    """Read a file whole, and make of it what is wanted; `read` says what is wrong with its content."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return Failure(usage(option, path, f"{error.strerror or error}; give the path of a file that can be read"))
    if len(content) > LARGEST_FILE:
        return Failure(usage(option, path, f"is larger than {LARGEST_FILE >> 20} MiB; give a part of it"))
    return read(content).alt(lambda flaw: usage(option, path, flaw))


def as_schema(content: bytes) -> Result[AnswerSchema, str]:
    """Read a JSON schema that answers can be held against; its title names it."""
    try:
        schema: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Failure(f"is no JSON ({error}); give a file with a JSON schema")
    flaw = flaw_in(schema)
    if flaw is not None:
        return Failure(f"is no JSON schema to go by: at {flaw.path}, {flaw.message}")
    return Success(AnswerSchema.of(schema))


def as_text(content: bytes) -> Result[str, str]:
    """Read text; a mark of the byte order at its beginning is no part of it."""
    try:
        return Success(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Failure(f"not UTF-8 at byte {error.start}; save it as UTF-8")
