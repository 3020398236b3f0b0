"""The common subset: whatever JSON schema comes in, nothing goes out that a strict mode refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openrouter_core.strict import is_strict, portable


def inner(node: Any) -> Any:
    """One property's schema, made portable."""
    return portable({"type": "object", "properties": {"x": node}})["properties"]["x"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"type": "integer", "minimum": 0}, {"type": "integer", "description": "at least 0"}),
        ({"type": "integer", "minimum": 0, "maximum": 9}, {"type": "integer", "description": "at least 0; at most 9"}),
        ({"type": "integer", "description": " "}, {"type": "integer"}),
        ({"type": "object", "required": ["a"]}, {"type": "object", "additionalProperties": True}),
        ({"$ref": "#/elsewhere", "type": "string"}, {"$ref": "#/elsewhere"}),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "description": " Odds "},
            {"type": "number", "description": "Odds (more than 0; less than 1)"},
        ),
        ({"type": "string", "maxLength": None, "title": "T", "default": "d"}, {"type": "string"}),
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
        ({"type": "string", "format": "regex"}, {"type": "string", "description": "in the format regex"}),
        ({"type": "string", "examples": ["ä", 1]}, {"type": "string", "description": 'for example "ä", 1'}),
        ({"examples": [Decimal("1.5")]}, {"description": 'for example "1.5"'}),
        ({"uniqueItems": True}, {"description": "no item twice"}),
        ({"uniqueItems": False}, {}),
        ({"const": 1.5}, {"type": "number", "enum": [1.5]}),
        ({"enum": []}, {}),
        ({"not": {}, "enum": ["a"]}, {"type": "string", "enum": ["a"], "not": {}}),
        ({"not": {}, "const": "a"}, {"type": "string", "enum": ["a"], "not": {}}),
        (
            {"enum": [True, 1, None, "a", "b"]},
            {
                "anyOf": [
                    {"type": "boolean", "enum": [True]},
                    {"type": "integer", "enum": [1]},
                    {"type": "null"},
                    {"type": "string", "enum": ["a", "b"]},
                ]
            },
        ),
        ({"oneOf": [{"type": "null"}], "discriminator": {}}, {"anyOf": [{"type": "null"}]}),
        ({"allOf": [{"type": "null", "description": "a"}], "description": "b"}, {"type": "null", "description": "b"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 2},
            {"type": "array", "items": {"type": "null"}, "description": "at least 2 items"},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}], "items": False, "minItems": 2},
            {"type": "array", "items": {"type": "null"}, "description": "exactly 2 items, in this order: null, null"},
        ),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        (
            {"type": "object", "additionalProperties": {"type": "null", "title": "x"}},
            {"type": "object", "additionalProperties": {"type": "null"}},
        ),
        ({"properties": {}}, {"properties": {}, "required": [], "additionalProperties": False}),
        (
            {"type": "object", "properties": {}, "additionalProperties": True},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": True},
        ),
        (True, {}),
        ({"type": "string", "not": {}}, {"type": "string", "not": {}}),
        ({"$ref": "#/elsewhere", "title": "x"}, {"$ref": "#/elsewhere"}),
    ],
)
def test_one_node(raw: Any, expected: dict[str, Any]) -> None:
    assert inner(raw) == expected


def test_a_tuple_is_described_in_words() -> None:
    members = [
        {"$ref": "#/$defs/Point"},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
        {"enum": ["a", 1]},
        {"enum": ["a", "b"]},
        {"type": "string", "enum": ["c"]},
        {},
    ]
    words = inner({"type": "array", "prefixItems": members})["description"]
    assert words == 'exactly 6 items, in this order: Point, null or string, "a" or 1, "a" or "b", "c", anything'


def test_definitions_are_kept_only_where_they_must_be() -> None:
    """Used twice: kept. Used once: written in place, also inside of another. Circular: kept. Not used: dropped."""
    raw = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/Twice"},
            "b": {"$ref": "#/$defs/Twice"},
            "c": {"$ref": "#/$defs/Once", "description": "in a frame"},
            "d": {"$ref": "#/$defs/Ring"},
        },
        "$defs": {
            "Twice": {"type": "object", "properties": {"e": {"$ref": "#/$defs/Inside"}}},
            "Inside": {"type": "null"},
            "Once": {"type": "string", "description": "its own"},
            "Ring": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Ring"}, {"type": "null"}]}}},
            "Unused": {"type": "object", "properties": {"f": {"$ref": "#/$defs/Inside"}}},
        },
    }
    done = portable(raw)
    assert set(done["$defs"]) == {"Twice", "Ring"}
    assert done["$defs"]["Twice"]["properties"]["e"] == {"type": "null"}
    assert done["properties"]["c"] == {"type": "string", "description": "in a frame"}
    assert is_strict(done)


def test_a_definition_without_a_name_is_only_where_it_is_referred_to() -> None:
    """Exists for a node without a reference that was taken for one to nothing."""
    properties = {"a": {"$ref": "#/$defs/"}, "b": {"type": "null"}}
    done = portable({"type": "object", "properties": properties, "$defs": {"": {"type": "string"}}})
    assert done["properties"] == {"a": {"type": "string"}, "b": {"type": "null"}}


def test_a_name_for_a_shared_definition_leaves_nothing_beside_the_reference() -> None:
    """Found by fuzzing: the name is used once, so it is written in place, and a description stood beside a `$ref`."""
    raw = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Name", "description": "told"}, "b": {"$ref": "#/$defs/Side"}},
        "$defs": {"Name": {"$ref": "#/$defs/Side"}, "Side": {"type": "string", "enum": ["up", "down"]}},
    }
    assert portable(raw)["properties"]["a"] == {"description": "told", "anyOf": [{"$ref": "#/$defs/Side"}]}


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "array"},
        {},
        {"type": "object"},
        {"type": "object", "properties": {"x": {}}},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"anyOf": [{}]},
        {"type": "string", "not": {}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}},
    ],
)
def test_what_is_not_strict(raw: dict[str, Any]) -> None:
    assert not is_strict(portable(raw))


def test_strict_is_not_asked_for_with_what_is_not_in_the_subset() -> None:
    point = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    assert is_strict({**point, "additionalProperties": False})
    assert not is_strict(point)
    assert not is_strict({**point, "additionalProperties": False, "required": []})
    assert not is_strict({"type": "array", "items": True})
    rest = {"$defs": {}, "$ref": "#", "anyOf": [], "description": "", "enum": [], "format": "", "items": {"$ref": "#"}}
    assert is_strict({**point, "additionalProperties": False, **rest}), "with all that may be said at once"
