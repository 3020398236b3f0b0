"""Reading of plain JSON that answers keep as it came. Total: what is not there, or is something else, gives nothing."""

from collections.abc import Sequence
from typing import Any, cast


def text_in(value: Any) -> str:
    """Take a text; '' for anything else."""
    return value if isinstance(value, str) else ""


def object_in(value: Any) -> dict[str, Any]:
    """Take an object; an empty one for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Take the objects in a list; none for anything else."""
    members: Sequence[Any] = cast("Sequence[Any]", value) if isinstance(value, list) else ()
    return [member for member in members if isinstance(member, dict)]
