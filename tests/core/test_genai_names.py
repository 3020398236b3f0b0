"""The names that telemetry uses: each means one thing, and is spelled as OpenTelemetry spells names."""

from __future__ import annotations

import re

from openrouter_core.genai import names

NAMES = {name: value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def test_no_two_things_have_one_name() -> None:
    """Exists for a fact that overwrites another: attributes are a mapping."""
    assert len({*NAMES.values()}) == len(NAMES)


def test_a_name_is_lower_case_words_with_points() -> None:
    for value in NAMES.values():
        assert re.fullmatch(r"[a-z][a-z_]*(\.[a-z_]+)*", value), value


def test_buckets_grow() -> None:
    """Exists for a histogram whose bounds are not in order: the SDK takes them as they come."""
    for bounds in (names.SECONDS, names.TOKENS):
        assert list(bounds) == sorted({*bounds})
