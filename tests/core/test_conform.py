"""Values are held against a JSON schema as the reference implementation holds them."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core import conform
from openrouter_core.conform import DEEPEST, AnswerSchema, Misfit, canonical, misfit_of
from openrouter_core.schema_flaws import flaw_in

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.0, 1.5]), st.text("ab1", max_size=3)
)
NAMES = st.sampled_from(["a", "b", "ab"])
VALUES = st.recursive(
    SCALARS, lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(NAMES, one, max_size=3)), max_leaves=6
)
KINDS = st.sampled_from(list(conform.TYPES))
COUNTS = st.integers(0, 3)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make schemas out of smaller ones."""
    many, named = st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(KINDS, st.lists(KINDS, min_size=1, max_size=2, unique=True)),
            "properties": named, "required": st.lists(NAMES, max_size=2, unique=True), "additionalProperties": inner,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=1),
            "propertyNames": inner, "minProperties": COUNTS, "maxProperties": COUNTS,
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=1), max_size=1),
            "items": inner, "prefixItems": many, "contains": inner, "minItems": COUNTS, "maxItems": COUNTS,
            "uniqueItems": st.booleans(), "anyOf": many, "oneOf": many, "allOf": many, "not": inner,
            "if": inner, "then": inner, "else": inner,
        },
    )  # fmt: skip


LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": KINDS, "enum": st.lists(SCALARS, min_size=1, max_size=3), "const": SCALARS,
            "minimum": st.integers(-2, 2), "maximum": st.integers(-2, 2), "exclusiveMinimum": st.integers(-2, 2),
            "exclusiveMaximum": st.integers(-2, 2), "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": COUNTS, "maxLength": COUNTS, "pattern": st.sampled_from(["^a", "b", "1$"]),
            "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two"]),
        },
    ),
)  # fmt: skip
SCHEMAS = st.recursive(LEAVES, objects, max_leaves=8).filter(lambda schema: isinstance(schema, dict))


@given(SCHEMAS, VALUES)
def test_the_reference_agrees(schema: dict[str, Any], value: Any) -> None:
    """The bugs: an answer that does not fit and is taken, and one that fits and is refused."""
    whole = schema | {"$defs": {"one": {"type": "integer"}, "two": {"enum": ["a", 1, None]}}}
    assert flaw_in(whole) is None
    assert (conform.misfit_of(whole, value) is None) == jsonschema.Draft202012Validator(whole).is_valid(value)


def test_the_property_bites() -> None:
    lax = {name: rule for name, rule in conform.RULES.items() if name != "additionalProperties"}
    closed = st.builds(lambda schema, inner: schema | {"additionalProperties": inner}, SCHEMAS, LEAVES)
    named = st.dictionaries(NAMES, SCALARS, min_size=1)
    caught(test_the_reference_agrees, closed, named, where=conform, RULES=lax)
    caught(test_the_reference_agrees, SCHEMAS, VALUES, where=conform, misfit_of=lambda *_: None)


@pytest.mark.parametrize(
    ("schema", "value", "path", "message"),
    [
        (
            {"properties": {"a": {"items": {"type": "integer"}}}},
            {"a": [1, "x"]},
            "$.a[1]",
            "Expected `integer`, got `string`",
        ),
        ({"type": "string"}, {"a": 1}, "$", "Expected `string`, got `object`"),
        ({"type": ["string", "null"]}, 1, "$", "Expected `string | null`, got `number`"),
        ({"required": ["a", "b"]}, {"a": 1}, "$", "Object missing required field `b`"),
        ({"dependentRequired": {"c": ["d"], "a": ["b"]}}, {"a": 1}, "$", "Object missing required field `b`"),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"a": 1, "b": 1},
            "$",
            "Object contains unknown field `b`",
        ),
        ({"additionalProperties": {"type": "null"}}, {"a": 1}, "$.a", "Expected `null`, got `number`"),
        ({"patternProperties": {"^a": False}}, {"b": 1, "ab": 1}, "$.ab", "nothing is allowed here"),
        ({"propertyNames": {"maxLength": 1}}, {"b": 1, "ab": 1}, "$.ab", "must have at most 1 characters"),
        ({"prefixItems": [True, False]}, [1, 2, 3], "$[1]", "nothing is allowed here"),
        ({"prefixItems": [True], "items": False}, [1, 2], "$[1]", "nothing is allowed here"),
        ({"contains": {"type": "string"}}, [1], "$", "must have an item that it does not have"),
        ({"enum": ["up", "down"]}, "flat", "$", 'must be one of ["up","down"]'),
        ({"const": "n" * 999}, 1, "$", 'must be one of ["' + "n" * 198),
        ({"minimum": 3}, 2, "$", "must be at least 3"),
        ({"maxLength": 1}, "ab", "$", "must have at most 1 characters"),
        ({"pattern": "^a"}, "b", "$", "must match ^a"),
        ({"uniqueItems": True}, [1, 2, 1.0], "$", "must not have an item twice"),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "null"}}, "type": "object"}]},
            {"a": 1},
            "$.a",
            "Expected `null`, got `number`",
        ),
        ({"allOf": [True, {"maximum": 0}]}, 1, "$", "must be at most 0"),
        ({"oneOf": [{}, {}]}, 1, "$", "fits more than one of oneOf"),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, 1, "$", "Expected `null`, got `number`"),
        ({"not": {"type": "integer"}}, 1, "$", "must not be as it is (not)"),
        ({"if": {"type": "integer"}, "then": {"minimum": 2}}, 1, "$", "must be at least 2"),
        ({"if": {"type": "null"}, "else": {"type": "string"}}, 1, "$", "Expected `string`, got `number`"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 2}}}, 1, "$", "must be one of [2]"),
        ({"$ref": "#/$defs/~01", "$defs": {"~1": {"const": 2}}}, 1, "$", "must be one of [2]"),
        ({"$ref": "#"}, 1, "$", "the schema, or the value, is nested too deeply"),
        (False, 1, "$", "nothing is allowed here"),
    ],
)
def test_a_misfit_says_where_and_why(schema: Any, value: Any, path: str, message: str) -> None:
    assert misfit_of(schema, value) == Misfit(message, path)


REF = {"$ref": "#/$defs/null"}


@pytest.mark.parametrize(
    ("schema", "value", "path"),
    [
        ({"properties": {"a": REF}}, {"a": 1}, "$.a"),
        ({"patternProperties": {"a": REF}}, {"a": 1}, "$.a"),
        ({"additionalProperties": REF}, {"a": 1}, "$.a"),
        ({"propertyNames": REF}, {"a": 1}, "$.a"),
        ({"prefixItems": [REF]}, [1], "$[0]"),
        ({"items": REF}, [1], "$[0]"),
        ({"contains": REF}, [1], "$"),
        ({"allOf": [REF]}, 1, "$"),
        ({"anyOf": [REF]}, 1, "$"),
        ({"oneOf": [REF, {"type": "integer"}]}, 1, None),
        ({"oneOf": [REF]}, 1, "$"),
        ({"not": REF}, 1, None),
        ({"if": REF, "then": False}, 1, None),
        ({"if": True, "then": REF}, 1, "$"),
        ({"if": False, "else": REF}, 1, "$"),
        ({"$ref": "#/$defs/other"}, 1, "$"),
    ],
)
def test_a_reference_leads_there_wherever_it_stands(schema: dict[str, Any], value: Any, path: str | None) -> None:
    misfit = misfit_of({**schema, "$defs": {"null": {"type": "null"}, "other": REF}}, value)
    assert (misfit and misfit.path) == path


def test_a_schema_reads_what_fits_as_msgspecs_decoders_do() -> None:
    wanted = AnswerSchema({"type": "object", "properties": {"x": {"type": "integer"}}})
    assert wanted.decode('{"x": 1}') == {"x": 1}
    with pytest.raises(msgspec.ValidationError, match=r"Expected `integer`, got `string` - at `\$\.x`"):
        wanted.decode('{"x": "1"}')
    with pytest.raises(msgspec.DecodeError):
        wanted.decode("{")
    assert AnswerSchema({}).decode('"\ud800"') == "?"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"not": {"type": "null"}}, 1),
        ({"contains": {"type": "integer"}}, ["a", 1]),
        ({"if": {"type": "integer"}, "then": True}, 1),
        ({"$ref": "#/$defs/nowhere"}, 1),
        ({"title": "no rule", "enum": ["a", 1]}, 1),
        ({"uniqueItems": False}, [1, 1]),
        ({"uniqueItems": True}, [1, True, "1", 2]),
        ({"type": ["string", "integer"]}, 1.0),
        ({"dependentRequired": {"a": ["b"]}}, {"c": 1}),
        ({"patternProperties": {"^b": {}}, "additionalProperties": False}, {"b": 1}),
    ],
)
def test_what_fits_has_no_misfit(schema: Any, value: Any) -> None:
    assert misfit_of(schema, value) is None


def test_keywords_say_nothing_of_values_of_other_types() -> None:
    whole = {
        "additionalProperties": False, "required": ["a"], "dependentRequired": {"a": ["b"]}, "minimum": 3,
        "minLength": 3, "pattern": "x", "items": False, "prefixItems": [False], "uniqueItems": True,
        "propertyNames": False, "patternProperties": {"a": False}, "contains": False, "minProperties": 3,
    }  # fmt: skip
    assert misfit_of(whole, None) is None
    assert misfit_of({"properties": {"a": False}}, "ab") is None


def test_a_value_that_is_nested_deeply_is_no_fit_and_no_crash() -> None:
    tree = {"type": ["array"], "items": {"$ref": "#"}}
    deep: list[Any] = []
    for _ in range(DEEPEST // 2):
        deep = [deep]
    assert misfit_of(tree, deep) is None, "each item is one reference and one schema further"
    assert misfit_of(tree, [deep]) is not None


@pytest.mark.parametrize(
    ("title", "name"), [("Sky", "Sky"), ("Wie heißt du?", "Wieheitdu"), ("?", "answer"), ("x" * 99, "x" * 64)]
)
def test_a_schema_is_named_after_its_title(title: str, name: str) -> None:
    assert AnswerSchema.of({"title": title}).name == name
    assert AnswerSchema.of({}).name == "answer"


def test_equal_values_are_written_alike() -> None:
    assert canonical({"a": [1.0, True], "b": 1}) == canonical({"b": 1.0, "a": [1, True]})
    assert canonical(1) != canonical(True) != canonical("1")
    assert canonical(0.5) == b"0.5"
    assert canonical({"a": [1.0, None]}) == b'{"a":[1,null]}'
    assert canonical(2.0**53 - 1) == canonical(2**53 - 1)
    assert canonical(2.0**53) == b"9007199254740992.0", "from there on, a float is not one number"
