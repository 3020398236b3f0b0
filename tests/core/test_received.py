"""received: every byte is handed on once, in order, within the limit; how it ended is told as of any stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.classify import classify
from openrouter_core.endpoints.inference import SPEECH
from openrouter_core.errors import Disconnected, ParseError, Timeout
from openrouter_core.outcome import Cut, Finished, Overlong, Streamed
from openrouter_core.received import ByteReader, Received
from openrouter_core.states import Clocks
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient, Verdict
from openrouter_core.wire.response import ChatCompletionResponse

CLOCKS = Clocks(first=10.0, idle=5.0, total=60.0)
HEADERS = {"content-type": "audio/mpeg", "x-generation-id": "gen-1"}


def reader(limit: int = 100, *, handing_out: bool = True) -> ByteReader:
    made = ByteReader(CLOCKS, limit, handing_out=handing_out)
    made.begin(0.0)
    return made


def judged(made: ByteReader) -> Verdict[Any]:
    return classify(SPEECH, made.outcome(200, HEADERS, 0.0), Rules())


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_all_bytes_are_handed_on_up_to_the_limit(pieces: list[bytes]) -> None:
    made = reader(limit=100)
    given = b""
    for piece in pieces:
        if made.end is None:
            given += b"".join(made.feed(piece, 1.0))
    sent = b"".join(pieces)
    assert given == sent[:100]
    made.finish()
    if len(sent) <= 100:
        assert judged(made) == Accepted(Received(len(sent), "audio/mpeg", "gen-1"))
    else:
        verdict = judged(made)
        assert isinstance(verdict, Permanent)
        assert isinstance(verdict.error, ParseError)


def test_the_clocks_are_a_streams() -> None:
    made = reader()
    assert made.due() == ("first_event", 10.0)
    made.feed(b"x", 3.0)
    assert made.due() == ("idle", 8.0)
    made.stall("idle")
    verdict = judged(made)
    assert isinstance(verdict, Transient)
    assert isinstance(verdict.error, Timeout)


def test_a_connection_that_breaks_is_told_and_what_was_left_early_too() -> None:
    made = reader()
    made.feed(b"x", 1.0)
    made.lose("gone")
    verdict = judged(made)
    assert isinstance(verdict, Transient)
    assert isinstance(verdict.error, Disconnected)
    assert isinstance(reader().outcome(200, {}, 0.0).end, Cut)


@pytest.mark.parametrize("handing_out", [True, False])
def test_only_what_somebody_has_seen_forbids_to_begin_anew(*, handing_out: bool) -> None:
    """Bug: a file that is half written cannot be begun again; or a listener hears the beginning twice."""
    made = reader(handing_out=handing_out)
    assert made.feed(b"", 1.0) == ()
    assert made.outcome(200, {}, 0.0).delivered is False
    assert made.feed(b"x", 1.0) == (b"x",)
    assert made.outcome(200, {}, 0.0).delivered is handing_out
    assert made.snapshot() == Received(1)
    made.finish()
    assert isinstance(made.outcome(200, {}, 0.0).end, Finished)


def test_bytes_beyond_the_limit_end_it_and_are_not_handed_on() -> None:
    made = reader(limit=3)
    assert made.feed(b"12345", 1.0) == (b"123",)
    assert made.end == Overlong(3)
    exact = reader(limit=3)
    assert exact.feed(b"123", 1.0) == (b"123",)
    assert exact.end is None
    assert exact.feed(b"4", 1.0) == ()
    assert exact.end == Overlong(3)


def test_an_outcome_tells_what_came_and_when() -> None:
    made = reader()
    assert (made.last, made.snapshot()) == ("byte", Received())
    made.feed(b"x", 1.0)
    made.finish()
    none, value = ChatCompletionResponse(id="gen-1"), Received(1, "audio/mpeg", "gen-1")
    whole = Streamed(200, Finished(), none, HEADERS, 7.0, delivered=True, received=1, value=value)
    assert made.outcome(200, HEADERS, 7.0) == whole
