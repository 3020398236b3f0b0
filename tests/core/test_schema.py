"""The schema of a type accepts what msgspec writes for its values, and says what it cannot describe."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypedDict, TypeVar, Union
from uuid import UUID

import jsonschema  # type: ignore[import-untyped] # it has no types
import msgspec
import pydantic
import pytest
from hypothesis import given
from msgspec import Meta, Struct
from returns.result import Failure
from tests.core.types_and_values import SCALARS, Buy, Colour, Tree, Wait, typed_values

from openrouter_core.conform import AnswerSchema
from openrouter_core.schema import SchemaError, describe, is_pydantic, schema_for

T = TypeVar("T")


@given(typed_values())
def test_the_schema_accepts_what_is_written(case: tuple[Any, Any]) -> None:
    """Exists for a schema that forbids what the type allows: the model then can never give that value."""
    kind, value = case
    described = describe(kind).unwrap()
    written = msgspec.json.decode(msgspec.json.encode(value))
    jsonschema.validate(
        {"value": written} if described.wrapped else written, described.schema, jsonschema.Draft202012Validator
    )


@given(typed_values())
def test_the_root_is_an_object_and_strict_means_closed(case: tuple[Any, Any]) -> None:
    """Exists for what providers answer 400 to: a union at the root, open objects, keywords beside a reference."""
    described = describe(case[0]).unwrap()
    assert described.schema["type"] == "object"
    assert "anyOf" not in described.schema
    for node in nodes(described.schema):
        if "$ref" in node:
            assert set(node) == {"$ref"}
            assert node["$ref"].removeprefix("#/$defs/") in described.schema["$defs"]
        if described.strict and node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        assert not node.keys() & {"minimum", "maxLength", "pattern", "prefixItems", "uniqueItems", "title", "default"}


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Every schema in a schema."""
    extra = schema.get("additionalProperties")
    below = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", []),
        *([schema["items"]] if "items" in schema else []),
        *([extra] if isinstance(extra, dict) else []),
    ]
    return [schema, *(node for each in below for node in nodes(each))]


class Prediction(Struct):
    """What the market will do."""

    direction: Literal["up", "down"]
    probability: Annotated[float, Meta(ge=0, le=1, description="How likely that is")]
    reasons: Annotated[list[str], Meta(max_length=3)]
    target: float | None = None


def test_a_prediction() -> None:
    """The whole schema of a typical answer: bounds in words, optionals nullable, everything required."""
    described = describe(Prediction).unwrap()
    assert (described.name, described.strict, described.wrapped) == ("Prediction", True, False)
    assert described.schema == {
        "type": "object",
        "properties": {
            "direction": {"type": "string", "enum": ["down", "up"]},
            "probability": {"type": "number", "description": "How likely that is (at least 0; at most 1)"},
            "reasons": {"type": "array", "items": {"type": "string"}, "description": "at most 3 items"},
            "target": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "required": ["direction", "probability", "reasons", "target"],
        "additionalProperties": False,
        "description": "What the market will do.",
    }
    assert schema_for(Prediction).unwrap() == described.schema


@pytest.mark.parametrize("kind", [int, list[Prediction], Buy | Wait, Colour, Literal[1], tuple[int, str], Any])
def test_what_is_no_object_is_wrapped(kind: Any) -> None:
    described = describe(kind).unwrap()
    assert described.wrapped
    assert list(described.schema["properties"]) == ["value"]


def test_a_union_keeps_its_tags() -> None:
    union = schema_for(Buy | Wait).unwrap()["properties"]["value"]["anyOf"]
    assert [member["properties"]["type"] for member in union] == [
        {"type": "string", "enum": ["Buy"]},
        {"type": "string", "enum": ["Wait"]},
    ]


def test_a_type_that_contains_itself_is_referred_to() -> None:
    schema = schema_for(Tree).unwrap()
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["properties"] == schema["properties"]


class Once(Struct):
    here: Annotated[Buy, Meta(description="Bought once")]


class Twice(Struct):
    first: Buy
    second: Annotated[Buy, Meta(description="The second one")]


def test_what_is_used_once_is_written_in_place() -> None:
    once, twice = schema_for(Once).unwrap(), schema_for(Twice).unwrap()
    assert "$defs" not in once
    assert once["properties"]["here"]["description"] == "Bought once"
    assert twice["properties"] == {
        "first": {"$ref": "#/$defs/Buy"},
        "second": {"description": "The second one", "anyOf": [{"$ref": "#/$defs/Buy"}]},
    }


class Box(Struct, Generic[T]):
    content: T


@dataclasses.dataclass
class Undocumented:
    number: int = 3


class Row(NamedTuple):
    name: str
    amount: int = 0


class Part(TypedDict, total=False):
    name: str


class Documented(enum.Enum):
    """The first letter."""

    A = "a"


class Plain(enum.Enum):
    A = "a"


def same_name() -> Any:
    return msgspec.defstruct("Buy", [("other", int)])


def test_names_are_what_providers_allow() -> None:
    """A generic class has its arguments in the name; two classes of one name are told apart; unions are answers."""
    assert describe(Box[int]).unwrap().name == "Box_int"
    assert describe(Buy | Wait).unwrap().name == "answer_Buy_Wait"
    assert describe(msgspec.defstruct("N" * 99, [])).unwrap().name == "N" * 64
    both = msgspec.defstruct("Both", [("a", list[Buy]), ("b", list[Buy]), ("c", same := same_name()), ("d", same)])
    assert list(schema_for(both).unwrap()["$defs"]) == ["Buy", "Buy_"]


def test_made_up_docstrings_are_left_out() -> None:
    assert "description" not in schema_for(Undocumented).unwrap()
    assert "description" not in schema_for(Part).unwrap()


def test_dictionaries_and_anything_are_not_strict() -> None:
    for kind in (dict[str, int], Box[Any], list[dict[str, str]], Box[list[Any]], Box[dict[str, Any]]):
        assert not describe(kind).unwrap().strict
    assert schema_for(dict[int, int]).unwrap() == {"type": "object", "additionalProperties": {"type": "integer"}}


@pytest.mark.parametrize(
    ("kind", "path", "culprit"),
    [
        (complex, "$", "complex"),
        (list[dict[str, complex]], "$[]{}", "complex"),
        (Box[tuple[int, Callable[[], None]]], "$.content[1]", "Callable"),
        (dict[complex, int], "$ (key)", "complex"),
        (Union[Buy, Box[int]], "$", "Union_Buy"),  # noqa: UP007 - its name is that of the old form
        (Box["Missing"], "$", "Box"),  # type: ignore[name-defined] # a name that is missing is what is tested
        (Box[complex | None], "$.content", "complex"),
        (Annotated[msgspec.msgpack.Ext, Meta(description="x")], "$", "ExtType"),
    ],
)
def test_what_cannot_be_described_is_named(kind: Any, path: str, culprit: str) -> None:
    error = describe(kind).failure()
    assert (error.path, error.type) == (path, culprit)
    assert culprit in str(error)


def test_a_custom_type_may_bring_its_own_schema() -> None:
    own = Annotated[complex, Meta(extra_json_schema={"type": "string", "pattern": "j$"})]
    schema = describe(msgspec.defstruct("Own", [("z", own)])).unwrap().schema
    assert schema["properties"]["z"] == {"type": "string", "description": "matches the regular expression j$"}


def test_meta_at_the_root() -> None:
    described = describe(Annotated[Buy, Meta(description="Buy now", title="Left out")]).unwrap()
    assert described.schema["description"] == "Buy now"
    assert not described.wrapped


class Inner(pydantic.BaseModel):
    """Inside."""

    x: int = 3


class Outer(pydantic.BaseModel):
    probability: float = pydantic.Field(ge=0, le=1, description="How likely", alias="p")
    inner: Inner
    again: Inner | None = None
    pair: tuple[int, str]
    kind: Literal["a"]


class Numbers(pydantic.RootModel[list[int]]):
    """Some numbers."""


class Hostile:
    """Looks like a pydantic model and is none."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        raise RuntimeError("no schema today")

    @classmethod
    def model_validate_json(cls, data: str) -> Hostile:
        raise NotImplementedError


class HalfHostile:
    """Looks half like a pydantic model."""

    @classmethod
    def model_validate_json(cls, data: str) -> Hostile:
        raise NotImplementedError


def test_pydantic_models_are_known_by_their_methods() -> None:
    described = describe(Outer).unwrap()
    assert (described.name, described.strict, described.wrapped) == ("Outer", True, False)
    assert described.schema["required"] == ["p", "inner", "again", "pair", "kind"]
    assert described.schema["properties"]["p"] == {
        "type": "number",
        "description": "How likely (at least 0; at most 1)",
    }
    assert described.schema["properties"]["kind"] == {"type": "string", "enum": ["a"]}
    assert describe(Numbers).unwrap().wrapped
    assert is_pydantic(Outer)
    assert not any(is_pydantic(other) for other in (Buy, Outer.model_construct(), HalfHostile))
    assert describe(Hostile) == Failure(SchemaError(path="$", type="Hostile", message="no schema today"))


def test_optional_written_the_old_way() -> None:
    assert schema_for(Box[Optional[int]]).unwrap() == schema_for(Box[int | None]).unwrap()  # noqa: UP045 - the old way is what is tested


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (None, {"type": "null"}),
        (bool, {"type": "boolean"}),
        (
            Annotated[int, Meta(gt=1, lt=9, multiple_of=2)],
            {"type": "integer", "description": "more than 1; less than 9; a multiple of 2"},
        ),
        (Annotated[float, Meta(ge=1, le=9)], {"type": "number", "description": "at least 1; at most 9"}),
        (
            Annotated[str, Meta(min_length=2, max_length=3, pattern="a+")],
            {
                "type": "string",
                "description": "at least 2 characters; at most 3 characters; matches the regular expression a+",
            },
        ),
        (bytes, {"type": "string", "description": "encoded as base64"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (
            Annotated[datetime, Meta(tz=False)],
            {"type": "string", "description": "in the format ISO 8601 without an offset"},
        ),
        (Annotated[time, Meta(tz=True)], {"type": "string", "format": "time"}),
        (time, {"type": "string", "description": "in the format HH:MM:SS without an offset"}),
        (date, {"type": "string", "format": "date"}),
        (timedelta, {"type": "string", "description": "in the format ISO 8601 duration"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (Decimal, {"type": "string", "description": "in the format decimal number"}),
        (
            Annotated[list[int], Meta(min_length=2, max_length=3)],
            {"type": "array", "items": {"type": "integer"}, "description": "at least 2 items; at most 3 items"},
        ),
        (set[int], {"type": "array", "items": {"type": "integer"}, "description": "no item twice"}),
        (frozenset[int], {"type": "array", "items": {"type": "integer"}, "description": "no item twice"}),
        (
            tuple[int, int],
            {
                "type": "array",
                "items": {"type": "integer"},
                "description": "exactly 2 items, in this order: integer, integer",
            },
        ),
        (Documented, {"type": "string", "enum": ["a"], "description": "The first letter."}),
        (Plain, {"type": "string", "enum": ["a"]}),
    ],
)
def test_what_a_model_reads_of_a_value(kind: Any, expected: dict[str, Any]) -> None:
    assert schema_for(kind).unwrap()["properties"]["value"] == expected


def test_what_a_model_reads_of_a_dictionary() -> None:
    described = schema_for(Annotated[dict[str, int], Meta(min_length=2, max_length=3)]).unwrap()
    assert described["description"] == "at least 2 entries; at most 3 entries"


@pytest.mark.parametrize("kind", [kind for kind, _ in SCALARS])
def test_every_scalar_can_be_described(kind: Any) -> None:
    assert describe(kind).unwrap().strict


def test_a_schema_of_ones_own_is_taken_as_it_is_or_told_what_is_wrong() -> None:
    point = {"title": "Point", "type": "object", "properties": {"x": {"type": "integer"}}}
    described = describe(AnswerSchema.of(point)).unwrap()
    assert (described.name, described.schema, described.strict, described.wrapped) == ("Point", point, False, False)
    closed = {**point, "required": ["x"], "additionalProperties": False}
    del closed["title"]
    assert describe(AnswerSchema(closed)).unwrap().strict
    error = describe(AnswerSchema({"properties": {"x": {"type": "int"}}}, "Point")).failure()
    assert (error.path, error.type) == ("$.properties.x", "Point")
    assert "type must be" in str(error)
