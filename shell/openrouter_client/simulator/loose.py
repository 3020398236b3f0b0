"""Views of JSON that may be anything: ask for a shape, get it, or get an empty one. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

Json: TypeAlias = dict[str, object]
"""A JSON object that has been decoded."""


def mapping(value: object) -> Mapping[str, object]:
    """The value, if it is a JSON object; otherwise an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """The value, if it is a JSON array; otherwise an empty one."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def text(value: object) -> str:
    """The value, if it is a string; otherwise an empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """The value, if it is a JSON number (true and false are none); otherwise None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def texts(content: object) -> list[Json]:
    """The parts of a message, as a chat's: those with a text keep it."""
    return [{"type": "text", "text": text(mapping(part).get("text"))} for part in sequence(content)]
