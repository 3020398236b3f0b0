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
        ({"a": "\ud800"}, "a"),
    ],
)
def test_what_json_cannot_hold_is_named(body: dict[str, Any], field: str) -> None:
    flaw = plain.encoded(body, encoder=NUMBERS)
    assert isinstance(flaw, InvalidRequest)
    assert flaw.field == field


def test_words_that_only_look_like_numbers_are_text() -> None:
    assert plain.encoded({"a": "NaN and null"}, encoder=NUMBERS) == b'{"a":"NaN and null"}'
