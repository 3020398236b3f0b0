"""Outcomes name themselves without a word of what the server sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.core.mutants import caught
from tests.core.outcomes import OUTCOMES, streamed

from openrouter_core import outcome as o

SECRET = "a text of the answer"


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        (o.Responded(503, SECRET.encode()), "HTTP 503"),
        (streamed(o.Cut(SECRET), text=SECRET), "HTTP 200, stream cut"),
        (o.TimedOut("attempt", 60.0), "attempt timeout after 60 s"),
        (o.Unreachable("dns", SECRET), "unreachable (dns)"),
        (o.Interrupted(SECRET, 12), "disconnected"),
    ],
)
def test_a_summary_names_the_case_and_quotes_nothing(outcome: o.Outcome, summary: str) -> None:
    assert o.summary(outcome) == summary


@given(OUTCOMES)
def test_a_summary_is_one_short_line(outcome: o.Outcome) -> None:
    """Bug: an outcome without a name, or with the server's text in the log of attempts."""
    line = o.summary(outcome)
    assert line
    assert line.isascii()
    assert len(line) < 80


def test_the_property_bites() -> None:
    caught(test_a_summary_is_one_short_line, OUTCOMES, where=o, summary=lambda outcome: str(outcome)[:100])


def test_outcomes_are_values_that_compare_and_go_through_json() -> None:
    outcome = o.Responded(200, b"\x00\xff", {"date": "x"}, 1.5, overflow=True)
    kind: Any = o.Outcome
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=kind) == outcome
    assert outcome != o.Responded(200, b"\x00\xff", {"date": "x"}, 1.5)
