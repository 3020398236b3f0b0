"""refuse: how errors are worded, for any value and any path."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.refuse import FIELD_LIMIT, VALUE_LIMIT, bounded_repr, explain, refuse


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError


@given(st.recursive(st.text() | st.integers() | st.binary(), lambda inner: st.lists(inner, max_size=9), max_leaves=9))
def test_a_shown_value_is_short(value: Any) -> None:
    """Catches whole prompts in logs."""
    assert len(bounded_repr(value)) <= VALUE_LIMIT


def test_values_that_cannot_be_shown_are_named_by_their_type() -> None:
    assert bounded_repr(10**5000) == "<int>"
    assert "Mute" in bounded_repr(Mute())
    cut = bounded_repr({"a": ["x" * 500] * 9})
    assert (len(cut), cut[-3:]) == (VALUE_LIMIT, "...")
    assert bounded_repr("x" * (VALUE_LIMIT - 2)) == repr("x" * (VALUE_LIMIT - 2))


def test_the_sentence_names_field_value_and_bound() -> None:
    assert refuse("temperature", "must be between 0 and 2", 3.5).message == "temperature = 3.5: must be between 0 and 2"
    assert refuse("extra.model", "must not be given").message == "extra.model must not be given"
    assert refuse("extra.model", "must not be given").value is None
    assert len(refuse("x" * 10_000, "is long").field or "") == FIELD_LIMIT


@given(
    st.text(max_size=9),
    st.recursive(st.integers(), lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=2)),
)
def test_any_complaint_is_explained(text: str, body: Any) -> None:
    """Catches a wording of msgspec, or a key with dots and brackets, that the path reader stumbles over."""
    for complaint in (text, f"{text} - at `$.{text}`", f"Expected `int`, got `{text}` - at `$[...]`"):
        assert explain(msgspec.ValidationError(complaint), body).message


@pytest.mark.parametrize(
    ("complaint", "field", "value"),
    [
        ("Expected `int`, got `str`", "request", "{'a': {'b': [1, 'x'], 'c': 2}}"),
        ("Expected `int`, got `str` - at `$.a.b[1]`", "a.b[1]", "'x'"),
        ("Expected `int`, got `str` - at `$.b[1]` - at `$.a`", "a.b[1]", "'x'"),
        ("Expected `str`, got `int` - at `$.a[...]`", "a.c", "2"),
        ("Expected `str`, got `new` - at `$.a[...]`", "a.b", "[1, 'x']"),
        ("Expected `str`, got `bool` - at `$.a[...]`", "a[...]", None),
        ("Expected `int`, got `str` - at `$.a.b[7]`", "a.b[7]", None),
        ("Expected `int`, got `str` - at `$.a.z`", "a.z", None),
        ("Expected `int`, got `str` - at `$.a$z.X`", "a$z.X", None),
        ("Expected `str`, got `int` - at `key` in `$.a`", "a", None),
        ("Object missing required field `d` - at `$.a`", "a.d", None),
        ("Invalid value 'x' - at `$.a.b[1]`", "a.b[1]", "'x'"),
    ],
)
def test_paths_lead_to_the_value(complaint: str, field: str, value: str | None) -> None:
    error = explain(msgspec.ValidationError(complaint), {"a": {"b": [1, "x"], "c": 2}})
    assert (error.field, error.value) == (field, value)
    assert "missing" not in complaint or error.bound == "is required"
