"""Where the JSON may be: found in linear time, whatever stands around it."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.candidates import candidates

VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
).filter(lambda value: isinstance(value, dict | list))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n", []),
        ("plain words", ["plain words"]),
        ('{"a": 1}', ['{"a": 1}']),
        ('```json\n{"a": 1}\n```', ['```json\n{"a": 1}\n```', '{"a": 1}', '{"a": 1}']),
        ("```\n5\n```", ["```\n5\n```", "5"]),
        ('See [1]: {"a": [2]} .', ['See [1]: {"a": [2]} .', "[1]", '{"a": [2]}', "[2]"]),
        ('a "{"b": 1}" c', ['a "{"b": 1}" c', '{"b": 1}']),
        ('{stray 5" and [1]', ['{stray 5" and [1]', "[1]"]),
        ('{"a": {"b": "}"}, oops', ['{"a": {"b": "}"}, oops', '{"b": "}"}']),
        ('["open\n[2]', ['["open\n[2]', "[2]"]),
        ('["open\n] x', ['["open\n] x']),
        ("```\n5", ["```\n5"]),
        ("[1} [2]", ["[1} [2]", "[2]"]),
        ('{"a": "\\"}"} x', ['{"a": "\\"}"} x', '{"a": "\\"}"}']),
        ('{"a {"a {"a', ['{"a {"a {"a']),
        ('["x", {y}, [3]]', ['["x", {y}, [3]]', "[3]"]),
    ],
)
def test_examples(text: str, expected: list[str]) -> None:
    assert list(candidates(text)) == expected


@given(VALUES, st.sampled_from(["", "Sure:\n", "It is (see [2]) ", 'He said "well" {ahem} ', "x = f(y[i])\n"]))
def test_a_value_in_prose_is_among_the_first(value: object, before: str) -> None:
    """Exists for a search that a bracket or a quote in the prose leads astray."""
    text = before + json.dumps(value) + " and that is all [sic]."
    assert json.dumps(value) in list(islice(candidates(text), 3))


@given(st.text(alphabet='{}[]",:1 \\\n\u2028a', max_size=60))
def test_candidates_are_bounded(text: str) -> None:
    """Exists for a search that is quadratic: all candidates together are a few times as long as the text."""
    assert sum(map(len, candidates(text))) <= 8 * len(text)


@pytest.mark.parametrize("unit", ["[", '{"a', '{\\"a', '{"', '{"abc\n', "[1]", "{]", '["\\"', '[1\\"'])
def test_hostile_texts_take_no_longer(unit: str) -> None:
    """Half a megabyte of each: a quadratic search would take hours."""
    text = unit * (500_000 // len(unit))
    assert sum(1 for _ in candidates(text)) <= len(text)


def test_deep_nesting() -> None:
    text = "[" * 50_000 + "]" * 50_000
    assert len(list(candidates(text))) == 6
