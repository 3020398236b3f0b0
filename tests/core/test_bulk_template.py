"""A template gives back its text, with the values where their names stood."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.bulk import template
from openrouter_core.bulk.template import Piece, Template, fill, parse_template

NAMES = st.text("abcX_ é1", min_size=1, max_size=5)
PARTS = st.lists(st.tuples(st.text(max_size=8), NAMES), max_size=6)
VALUES = st.dictionaries(NAMES, st.one_of(st.text(), st.integers(), st.booleans()), max_size=6)


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@given(PARTS, VALUES)
def test_values_stand_where_their_names_stood(parts: list[tuple[str, str]], values: dict[str, Any]) -> None:
    """The bug: braces in texts or values that are taken for places."""
    made = template.parse_template("".join(f"{escaped(text)}{{{name}}}" for text, name in parts)).unwrap()
    filled = template.fill(made, values)
    missing = [name for _, name in parts if name not in values]
    if missing:
        assert filled == Failure(missing[0])
    else:
        assert filled == Success("".join(text + template.written(values[name]) for text, name in parts))


def test_the_property_bites() -> None:
    def unescaped(text: str, field: str = "") -> Any:
        pieces = [Piece(*part.partition("{")[::2]) for part in text.split("}")[:-1]]
        return Success(Template(tuple(pieces)))

    prop, strategies = test_values_stand_where_their_names_stood, (PARTS, VALUES)
    caught(prop, *strategies, where=template, parse_template=unescaped)
    caught(prop, *strategies, where=template, fill=lambda *_: Success(""))


@pytest.mark.parametrize("text", ["{", "}", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>3}", "{0.x}"])
def test_what_is_no_column_is_refused(text: str) -> None:
    error = parse_template(text, "system").failure()
    assert (error.field, error.value) == ("system", repr(text))
    assert "{column}" in str(error.bound)


def test_values_are_written_as_text_or_json() -> None:
    made = parse_template("{a} {b} {c}").unwrap()
    assert made.columns == ("a", "b", "c")
    assert fill(made, {"a": "x", "b": 1.5, "c": ["y", None]}).unwrap() == 'x 1.5 ["y",null]'
    assert fill(made, {"a": "x", "b": None, "c": 1}).failure() == "b"
