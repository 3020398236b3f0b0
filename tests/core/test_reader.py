"""reader: what is the same for all streams; `test_stream` and `test_events` try it with each kind of events."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.events import IMAGE_EVENTS, framed
from tests.core.streamed import DONE, ended, said

from openrouter_core.events import EventReader
from openrouter_core.image_fold import ImageFold
from openrouter_core.outcome import Cut, Overlong, StreamEnd
from openrouter_core.reader import HEAD, BaseReader, error_in
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader

CLOCKS = Clocks(total=60.0, first=20.0, idle=5.0)


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


def test_before_anything_came() -> None:
    reader = Reader(CLOCKS, 1000, handing_out=True)
    assert reader.due() == ("first_event", 20.0), "who is not told when it began, began at 0"
    left = reader.outcome(200, {"x": "y"}, 7.0)
    assert left.end == Cut("the stream was left before its end")
    assert (left.headers, left.at, left.delivered) == ({"x": "y"}, 7.0, False)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b": hello\n\n", Cut("the stream ended without any event; it began: : hello")),
        (b"", Cut("the stream ended without any event; it began: nothing")),
        (said("a"), Cut("the stream ended without its last event")),
        (said("a") + DONE, Cut("[DONE] came before any finish_reason")),
    ],
)
def test_what_ends_too_early_says_how(data: bytes, end: StreamEnd) -> None:
    reader = Reader(CLOCKS, 1000, handing_out=True)
    reader.feed(data, 0.0)
    reader.finish()
    assert reader.end == end


def test_the_limit_is_the_last_byte_that_may_come() -> None:
    """Kills: a byte more that ends the last event."""
    data = said("a") + ended()
    reader = Reader(CLOCKS, len(data) - 1, handing_out=True)
    reader.feed(data[:-1], 0.0)
    assert reader.end is None
    reader.feed(data[-1:], 0.0)
    assert reader.end == Overlong(len(data) - 1)


def test_what_may_be_an_error_after_all_is_kept_up_to_the_first_event() -> None:
    """Exists for streams of comments without end, and for what nobody will ask for again."""
    reader = Reader(CLOCKS, 2**30, handing_out=True)
    reader.feed(b":" * HEAD, 0.0)
    reader.feed(b"\n\n", 0.0)
    assert len(reader._head) == HEAD
    for _ in range(2):
        reader.feed(said("a"), 0.0)
        assert reader._head == b""


def test_what_is_handed_out_is_what_came() -> None:
    reader = EventReader(ImageFold(), CLOCKS, 2**30, handing_out=True)
    events = reader.feed(framed(*IMAGE_EVENTS), 0.0)
    assert [event.type for event in events] == [event["type"] for event in IMAGE_EVENTS]


def test_an_error_in_what_is_no_event() -> None:
    assert error_in(b'{"error": 5}') == 5
    assert error_in(b"[1]") is None
    assert error_in(b"{") is None
