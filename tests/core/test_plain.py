"""plain: what JSON can hold is written, what it cannot is named. `validate` and `assemble` are the larger tests."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.core.strategies import JSON

from openrouter_core import plain
from openrouter_core.errors import InvalidRequest

NUMBERS = msgspec.json.Encoder(decimal_format="number")


@given(JSON)
def test_json_is_written_as_it_is(value: Any) -> None:
    written = plain.encoded({"it": value})
    if isinstance(written, bytes):
        assert json.loads(written) == {"it": value}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"a": [1, {"b": float("nan")}]}, "a[1].b"),
        ({"a": None, "b": Decimal("Infinity")}, "b"),
        ({"a": {"b": Decimal("NaN")}}, "a.b"),
        ({"a": Decimal("-Infinity")}, "a"),
        ({"a": "\ud800"}, "a"),
    ],
)
def test_what_json_cannot_hold_is_named(body: dict[str, Any], field: str) -> None:
    flaw = plain.encoded(body, encoder=NUMBERS)
    assert isinstance(flaw, InvalidRequest)
    assert flaw.field == field


def test_names_that_are_not_the_wires_are_told_as_the_caller_wrote_them() -> None:
    assert plain.top(".@options.cache") == "options.cache"


def test_what_has_no_flaw_alone_is_refused_as_a_whole() -> None:
    assert plain.unencodable({"a": 1}).message == "request = {'a': 1}: cannot be written as JSON"


def test_a_flaw_is_told_at_bounded_length() -> None:
    assert len(plain.flaw(type("L" * 999, (), {})()) or "") == 200


def test_words_that_only_look_like_numbers_are_text() -> None:
    assert plain.encoded({"a": "NaN and null"}, encoder=NUMBERS) == b'{"a":"NaN and null"}'
