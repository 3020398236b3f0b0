"""reader: what is the same for all streams; `test_stream` and `test_events` try it with each kind of events."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_core.reader import BaseReader, error_in
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader


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


def test_who_wants_to_know_hears_when_events_came() -> None:
    """Kills: comments, the end mark or empty events that are taken for chunks."""
    heard: list[float] = []
    reader = Reader(Clocks(first=9, idle=9, total=9), 1000, handing_out=False)
    reader.heard = heard.append
    reader.begin(0.0)
    for at, data in ((1.0, b": hello\n\n"), (2.0, b'data: {"id": "g"}\n\ndata: {"id": "g"}\n\n'), (3.0, b"data:\n\n")):
        reader.feed(data, at)
    reader.feed(b"data: [DONE]\n\n", 4.0)
    assert heard == [2.0, 2.0]


def test_an_error_in_what_is_no_event() -> None:
    assert error_in(b'{"error": 5}') == 5
    assert error_in(b"[1]") is None
    assert error_in(b"{") is None
