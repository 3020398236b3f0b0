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
from openrouter_core.conform import DEEPEST, AnswerSchema, canonical, misfit_of
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
    ("schema", "value", "path", "words"),
    [
        ({"properties": {"a": {"items": {"type": "integer"}}}}, {"a": [1, "x"]}, "$.a[1]", "Expected `integer`, got"),
        ({"required": ["a"]}, {}, "$", "missing required field `a`"),
        ({"additionalProperties": False}, {"b": 1}, "$", "unknown field `b`"),
        ({"enum": ["up", "down"]}, "flat", "$", '["up","down"]'),
        ({"minimum": 3}, 2, "$", "at least 3"),
        ({"maxLength": 1}, "ab", "$", "at most 1 characters"),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "null"}}, "type": "object"}]},
            {"a": 1},
            "$.a",
            "null",
        ),
        ({"contains": {"type": "string"}}, [1], "$", "must have an item that it does not have"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "$", "missing required field `b`"),
        ({"additionalProperties": {"type": "null"}}, {"a": 1}, "$.a", "null"),
        ({"$ref": "#"}, 1, "$", "nested too deeply"),
        (False, 1, "$", "nothing"),
        ({"oneOf": [{}, {}]}, 1, "$", "more than one"),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, 1, "$", "Expected `null`"),
        ({"allOf": [True, {"maximum": 0}]}, 1, "$", "at most 0"),
        ({"not": {"type": "integer"}}, 1, "$", "(not)"),
        ({"if": {"type": "integer"}, "then": {"minimum": 2}}, 1, "$", "at least 2"),
        ({"if": {"type": "null"}, "else": {"type": "string"}}, 1, "$", "Expected `string`"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 2}}}, 1, "$", "must be one of [2]"),
        ({"type": "string"}, {"a": 1}, "$", "got `object`"),
    ],
)
def test_a_misfit_says_where_and_why(schema: Any, value: Any, path: str, words: str) -> None:
    misfit = misfit_of(schema, value)
    assert misfit is not None
    assert misfit.path == path
    assert words in misfit.message


def test_a_schema_reads_what_fits_as_msgspecs_decoders_do() -> None:
    wanted = AnswerSchema({"type": "object", "properties": {"x": {"type": "integer"}}})
    assert wanted.decode('{"x": 1}') == {"x": 1}
    with pytest.raises(msgspec.ValidationError, match=r"Expected `integer`, got `string` - at `\$\.x`"):
        wanted.decode('{"x": "1"}')
    with pytest.raises(msgspec.DecodeError):
        wanted.decode("{")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"not": {"type": "null"}}, 1),
        ({"contains": {"type": "integer"}}, ["a", 1]),
        ({"if": {"type": "integer"}, "then": True}, 1),
        ({"$ref": "#/$defs/nowhere"}, 1),
        ({"title": "no rule", "enum": ["a", 1]}, 1),
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


def test_a_value_that_is_nested_deeply_is_no_fit_and_no_crash() -> None:
    tree = {"type": ["array"], "items": {"$ref": "#"}}
    deep: list[Any] = []
    for _ in range(DEEPEST):
        deep = [deep]
    assert misfit_of(tree, deep) is not None


@pytest.mark.parametrize(
    ("title", "name"), [("Sky", "Sky"), ("Wie heißt du?", "Wieheitdu"), ("?", "answer"), ("x" * 99, "x" * 64)]
)
def test_a_schema_is_named_after_its_title(title: str, name: str) -> None:
    assert AnswerSchema.of({"title": title}).name == name


def test_equal_values_are_written_alike() -> None:
    assert canonical({"a": [1.0, True], "b": 1}) == canonical({"b": 1.0, "a": [1, True]})
    assert canonical(1) != canonical(True) != canonical("1")
    assert canonical(0.5) == b"0.5"
