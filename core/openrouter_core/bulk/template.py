"""Text with places to fill in from a row's columns: `Is {place} in {country}?`. Doubled braces are plain ones."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse


class Piece(msgspec.Struct, frozen=True):
    """Some text, and the column whose value follows it; none after the last."""

    text: str
    column: str | None = None


class Template(msgspec.Struct, frozen=True):
    """A text that was read into its pieces."""

    pieces: tuple[Piece, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it needs, in their order."""
        return tuple(piece.column for piece in self.pieces if piece.column is not None)


def parse_template(text: str, field: str = "template") -> Result[Template, InvalidRequest]:
    """Read a template; fails, naming the setting as `field`, for braces that do not fit and for more than a name."""
    bound = "must name columns as {column}; a brace that is only text is written twice, {{ or }}"
    pieces: list[Piece] = []
    try:
        for told, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and (not name or spec or conversion or not plain(name)):
                return Failure(refuse(field, bound, text))
            pieces.append(Piece(told, name))
    except ValueError:
        return Failure(refuse(field, bound, text))
    return Success(Template(tuple(pieces)))


def plain(name: str) -> bool:
    """Tell a column's name from an expression: nothing is looked up inside a value."""
    return not set(name) & set(".[]")


def fill(template: Template, columns: Mapping[str, Any]) -> Result[str, str]:
    """Fill in a row's values, or give the name of the first column that the row does not have."""
    filled: list[str] = []
    for piece in template.pieces:
        filled.append(piece.text)
        if piece.column is not None:
            if columns.get(piece.column) is None:
                return Failure(piece.column)
            filled.append(written(columns[piece.column]))
    return Success("".join(filled))


def written(value: Any) -> str:
    """Write a value as text: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
