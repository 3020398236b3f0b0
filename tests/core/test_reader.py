"""reader: what is the same for all streams; `test_stream` and `test_events` try it with each kind of events."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_core.reader import BaseReader, error_in
from openrouter_core.states import Clocks


def test_what_events_are_is_for_subclasses_to_say() -> None:
    reader = BaseReader[Any](Clocks(first=1, idle=1, total=1), 10, last="end", handing_out=False)
    for unknown in (
        lambda: reader._taken(b"{}"),
        lambda: reader._failed("error"),
        reader._whole,
        reader._began,
        reader.snapshot,
        lambda: reader.outcome(200, {}, 0.0),
    ):
        with pytest.raises(NotImplementedError):
            unknown()


def test_an_error_in_what_is_no_event() -> None:
    assert error_in(b'{"error": 5}') == 5
    assert error_in(b"[1]") is None
    assert error_in(b"{") is None
