"""Generated types, each with a strategy for its values: what typed outputs are tried on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict

import msgspec
from hypothesis import strategies as st
from msgspec import Meta, Struct


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Buy(Struct, frozen=True, tag=True):
    """Buy some."""

    amount: float


class Wait(Struct, frozen=True, tag=True):
    until: dt.date | None


class Tree(Struct, frozen=True):
    """A tree, which contains itself."""

    label: str
    children: list[Tree]


Typed = tuple[Any, st.SearchStrategy[Any]]

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTS = st.integers(-(2**53), 2**53)
TREES = st.recursive(
    st.builds(Tree, st.text(max_size=3), st.just([])),
    lambda inner: st.builds(Tree, st.text(max_size=3), st.lists(inner, max_size=2)),
    max_leaves=4,
)
AWARE = st.datetimes(timezones=st.just(dt.UTC))

HASHABLE: list[Typed] = [
    (int, INTS),
    (str, st.text(max_size=5)),
    (bool, st.booleans()),
    (float, FLOATS),
    (dt.date, st.dates()),
    (uuid.UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
]
SCALARS: list[Typed] = [
    *HASHABLE,
    (type(None), st.none()),
    (bytes, st.binary(max_size=5)),
    (dt.datetime, AWARE),
    (Annotated[dt.datetime, Meta(tz=False)], st.datetimes()),
    (dt.time, st.times()),
    (Annotated[dt.time, Meta(tz=True)], st.times(timezones=st.just(dt.UTC))),
    (dt.timedelta, st.timedeltas(dt.timedelta(0), dt.timedelta(days=99))),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (Size, st.sampled_from(Size)),
    (Literal["yes", "no", 3] | None, st.sampled_from(["yes", "no", 3, None])),
    (Annotated[float, Meta(ge=0, le=1, description="a probability")], st.floats(0, 1)),
    (Annotated[int, Meta(gt=0, lt=9, multiple_of=2)], st.sampled_from([2, 4, 6, 8])),
    (Annotated[str, Meta(min_length=1, max_length=3, pattern="^a")], st.sampled_from(["a", "ab", "abc"])),
    (Annotated[list[int], Meta(min_length=1, max_length=2)], st.lists(INTS, min_size=1, max_size=2)),
    (Buy | Wait, st.one_of(st.builds(Buy, FLOATS), st.builds(Wait, st.none() | st.dates()))),
    (Tree, TREES),
]


def _record(make: Callable[[list[tuple[str, Any]]], Any]) -> Callable[[list[Typed]], Typed]:
    """A class of some fields, made from their types."""

    def made(members: list[Typed]) -> Typed:
        cls = make([(f"field_{i}", kind) for i, (kind, _) in enumerate(members)])
        return cls, st.builds(cls, **{f"field_{i}": values for i, (_, values) in enumerate(members)})

    return made


def _tuple(members: list[Typed]) -> Typed:
    return _of(tuple, *(kind for kind, _ in members)), st.tuples(*(values for _, values in members))


def _of(generic: Any, *arguments: Any) -> Any:
    """A generic type of arguments that are known at run time only."""
    return generic[arguments if len(arguments) > 1 else arguments[0]]


RECORDS: list[Callable[[list[Typed]], Typed]] = [
    _record(lambda fields: msgspec.defstruct("Record", fields, frozen=True)),
    _record(lambda fields: msgspec.defstruct("Listed", fields, frozen=True, array_like=True)),
    _record(lambda fields: dataclasses.make_dataclass("Data", fields, frozen=True)),
    _record(lambda fields: TypedDict("Mapped", dict(fields))),  # type: ignore[operator] # mypy knows no dynamic ones
    _record(lambda fields: NamedTuple("Row", fields)),
    _tuple,
]
WRAPPED: list[Callable[[Any, st.SearchStrategy[Any]], Typed]] = [
    lambda kind, values: (_of(list, kind), st.lists(values, max_size=3)),
    lambda kind, values: (_of(tuple, kind, ...), st.lists(values, max_size=3).map(tuple)),
    lambda kind, values: (_of(Optional, kind), st.none() | values),
    lambda kind, values: (_of(dict, str, kind), st.dictionaries(st.text(max_size=3), values, max_size=3)),
]
GATHERED: list[Callable[[Any, st.SearchStrategy[Any]], Typed]] = [
    lambda kind, values: (_of(set, kind), st.sets(values, max_size=3)),
    lambda kind, values: (_of(frozenset, kind), st.frozensets(values, max_size=3)),
]


def _extended(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    records = st.tuples(st.sampled_from(RECORDS), st.lists(inner, min_size=1, max_size=3)).map(lambda it: it[0](it[1]))
    wrapped = st.tuples(st.sampled_from(WRAPPED), inner).map(lambda it: it[0](*it[1]))
    gathered = st.tuples(st.sampled_from(GATHERED), st.sampled_from(HASHABLE)).map(lambda it: it[0](*it[1]))
    return records | wrapped | gathered


TYPES: st.SearchStrategy[Typed] = st.recursive(st.sampled_from(SCALARS), _extended, max_leaves=6)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Any, Any]:
    """A type, and a value of it."""
    kind, values = draw(TYPES)
    return kind, draw(values)
