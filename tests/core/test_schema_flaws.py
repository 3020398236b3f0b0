"""A schema that cannot be held against is told of, with the place and a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_core.schema_flaws import FORMS, flaw_in


@pytest.mark.parametrize(
    ("schema", "path", "words"),
    [
        ([], "$", "must be a JSON object"),
        ({"type": "int"}, "$", "type must be one or several of null"),
        ({"type": []}, "$", "type must be"),
        ({"type": ["string", 1]}, "$", "type must be"),
        ({"properties": {"a": {"type": 3}}}, "$.properties.a", "type must be"),
        ({"properties": {"a": {"type": 3}, "b": True}}, "$.properties.a", "type must be"),
        ({"properties": {"a": 3}}, "$", "properties must have a schema for each name"),
        ({"items": [{"type": "string"}]}, "$", "items must be a schema"),
        ({"anyOf": []}, "$", "anyOf must be a list of schemas"),
        ({"anyOf": [True, {"enum": []}]}, "$.anyOf[1]", "enum must be a list"),
        ({"required": "a"}, "$", "required must be a list of names"),
        ({"dependentRequired": {"a": "b"}}, "$", "dependentRequired must"),
        ({"not": {"pattern": "("}}, "$.not", "pattern must be a regular expression"),
        ({"pattern": 1}, "$", "pattern must be"),
        ({"patternProperties": {"(": {}}}, "$", "'(' is no regular expression"),
        ({"minLength": -1}, "$", "minLength must be a count"),
        ({"minLength": True}, "$", "minLength must be a count"),
        ({"maximum": "3"}, "$", "maximum must be a number"),
        ({"multipleOf": 0}, "$", "multipleOf must be a number above 0"),
        ({"uniqueItems": 1}, "$", "uniqueItems must be true or false"),
        ({"$ref": 1}, "$", "$ref must be a text"),
        ({"$ref": "https://example.com/x"}, "$", "leads out of the schema"),
        ({"$defs": {"a": {}}, "items": {"$ref": "#/$defs/b"}}, "$.items", "leads nowhere"),
        ({"unevaluatedProperties": False}, "$", "cannot be held here: leave it out"),
    ],
)
def test_a_flaw_is_told_with_its_place(schema: Any, path: str, words: str) -> None:
    flaw = flaw_in(schema)
    assert flaw is not None
    assert flaw.path == path
    assert words in flaw.message


def test_a_good_schema_has_none() -> None:
    whole = {
        "$schema": "x", "title": "T", "type": ["object", "null"], "required": ["a"], "$comment": 1,
        "properties": {"a": True, "b": {"$ref": "#/$defs/c~1d"}}, "dependentRequired": {"a": ["b"]},
        "patternProperties": {"^a": {"pattern": "a+", "minLength": 0}},
        "$defs": {"c/d": {"prefixItems": [{"type": "string", "format": "date"}], "items": False}},
    }  # fmt: skip
    assert flaw_in(whole) is None
    assert "unevaluatedItems" in FORMS
