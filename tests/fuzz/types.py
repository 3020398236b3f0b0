"""Bytes -> a type that an answer can be asked for as, and bytes -> a JSON schema as users write them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict

import msgspec
import pydantic
from msgspec import Meta
from tests.fuzz.cursor import Cursor

DEEPEST = 4
"""How far types and schemas are nested: deeper ones are slow, and nothing new."""


class Buy(msgspec.Struct, frozen=True, tag=True):
    """Buy some."""

    amount: float


class Wait(msgspec.Struct, frozen=True, tag=True):
    until: dt.date | None


class Tree(msgspec.Struct, frozen=True):
    """A tree, which contains itself."""

    label: str
    children: list[Tree]


class Market(pydantic.BaseModel):
    """A market."""

    name: str = pydantic.Field(max_length=9)
    odds: float = pydantic.Field(ge=0, le=1, description="a probability")
    inner: Market | None = None


SCALARS: tuple[Any, ...] = (
    int, str, bool, float, None, Any, bytes, dt.date, dt.datetime, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID,
    Literal["yes", "no", 3], Buy | Wait, Tree, Annotated[float, Meta(ge=0, le=1, description="a probability")],
    Annotated[int, Meta(gt=0, lt=9, multiple_of=2)], Annotated[str, Meta(min_length=1, max_length=3, pattern="^a")],
    object, complex, Market,
)  # fmt: skip

NAMES = ("a", "b", "value", "größe", "type", "$ref", "a b", "properties")


def fields(cursor: Cursor, depth: int) -> list[tuple[str, Any]]:
    """Draw the members of a class."""
    return [(f"f{place}", drawn_type(cursor, depth + 1)) for place in range(cursor.below(4))]


def generic(origin: Any, *arguments: Any) -> Any:
    """Make a generic type of arguments that are known at run time only."""
    return origin[arguments if len(arguments) > 1 else arguments[0]]


MADE: tuple[Callable[[Cursor, int], Any], ...] = (
    lambda cursor, depth: msgspec.defstruct("Record", fields(cursor, depth), frozen=True),
    lambda cursor, depth: msgspec.defstruct("Listed", fields(cursor, depth), frozen=True, array_like=True),
    lambda cursor, depth: dataclasses.make_dataclass("Data", fields(cursor, depth)),
    lambda cursor, depth: TypedDict("Mapped", dict(fields(cursor, depth))),  # type: ignore[operator] # mypy knows no dynamic ones
    lambda cursor, depth: NamedTuple("Row", fields(cursor, depth)),
    lambda cursor, depth: generic(list, drawn_type(cursor, depth + 1)),
    lambda cursor, depth: generic(tuple, drawn_type(cursor, depth + 1), drawn_type(cursor, depth + 1)),
    lambda cursor, depth: generic(Optional, drawn_type(cursor, depth + 1)),
    lambda cursor, depth: generic(dict, cursor.one_of((str, int, dt.date)), drawn_type(cursor, depth + 1)),
    lambda cursor, _: generic(set, cursor.one_of((str, int, dt.date))),
)


def drawn_type(cursor: Cursor, depth: int = 0) -> Any:
    """Draw a type."""
    kind = cursor.below(len(SCALARS) + 2 * len(MADE))
    if kind < len(SCALARS) or depth >= DEEPEST:
        return SCALARS[kind % len(SCALARS)]
    return MADE[(kind - len(SCALARS)) % len(MADE)](cursor, depth)


# --- JSON schemas ---------------------------------------------------------------------------------------------------

BOUNDS: tuple[dict[str, Any], ...] = (
    {"minimum": 0}, {"exclusiveMaximum": 1.5}, {"multipleOf": 2}, {"minLength": 1}, {"pattern": "^{}$"}, {"title": "T"},
    {"maxItems": 3}, {"uniqueItems": True}, {"format": "regex"}, {"format": "uuid"}, {"default": None}, {"not": {}},
    {"examples": ["é", 1, [2]]}, {"description": " Some {words} "}, {"const": 1.5}, {"enum": ["a", None, 1, True]},
    {"enum": []}, {"enum": [[1], {"a": 2}]}, {"minProperties": 1}, {"if": True}, {"$comment": "no"},
)  # fmt: skip
PLAIN = ("null", "boolean", "integer", "number", "string", "array", "object")
DEFS = ("A", "B", "a b")


def drawn_schema(cursor: Cursor, depth: int = 0) -> Any:
    """Draw a JSON schema that is one by its own meta-schema."""
    if depth >= DEEPEST:
        return cursor.one_of((True, False, {}, {"type": "string"}, {"$ref": "#/$defs/A"}))
    node: dict[str, Any] = {"type": cursor.one_of(PLAIN)} if cursor.below(4) else {}
    for _ in range(cursor.below(4)):
        node |= cursor.one_of(BOUNDS)
    match cursor.below(12):
        case 0:
            node["properties"] = {cursor.one_of(NAMES): drawn_schema(cursor, depth + 1) for _ in range(cursor.below(4))}
        case 1:
            node["items"] = drawn_schema(cursor, depth + 1)
        case 2:
            node["prefixItems"] = [drawn_schema(cursor, depth + 1) for _ in range(1 + cursor.below(3))]
        case 3 | 4 | 5 as which:
            many = [drawn_schema(cursor, depth + 1) for _ in range(1 + cursor.below(3))]
            node[("anyOf", "oneOf", "allOf")[which - 3]] = many
        case 6:
            node["additionalProperties"] = drawn_schema(cursor, depth + 1)
        case 7:
            node["$ref"] = cursor.one_of(("#/$defs/A", "#/$defs/B", "#/$defs/a b", "#/elsewhere", "#"))
        case _:
            pass
    return node


def drawn_root(cursor: Cursor) -> dict[str, Any]:
    """Draw the schema of an object, with its definitions."""
    properties = {cursor.one_of(NAMES): drawn_schema(cursor) for _ in range(cursor.below(4))}
    defs = {name: drawn_schema(cursor) for name in DEFS[: cursor.below(4)]}
    return {"type": "object", "properties": properties, "$defs": defs}
