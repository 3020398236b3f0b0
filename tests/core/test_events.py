"""events: a stream gives the answer that the call without streaming would have given, or a failure, and never less."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.events import (
    COMPLETION,
    COMPLETION_EVENTS,
    DONE,
    FAILURES,
    IMAGE_EVENTS,
    IMAGES,
    MESSAGE,
    MESSAGE_EVENTS,
    RESPONSE,
    RESPONSE_EVENTS,
    framed,
)

from openrouter_core.classify import classify
from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints import inference
from openrouter_core.errors import ProviderError, RateLimited, TruncatedStream
from openrouter_core.events import EventFold, EventReader
from openrouter_core.image_fold import ImageFold
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Stalled, Streamed
from openrouter_core.states import Clocks
from openrouter_core.streams import FOLDS
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient, Verdict

CLOCKS = Clocks(first=10.0, idle=5.0, total=60.0)
KINDS: dict[str, tuple[Endpoint[Any, Any], list[dict[str, Any]], dict[str, Any]]] = {
    "responses": (inference.RESPONSES, RESPONSE_EVENTS, RESPONSE),
    "messages": (inference.MESSAGES, MESSAGE_EVENTS, MESSAGE),
    "images": (inference.IMAGES, IMAGE_EVENTS, IMAGES),
    "completions": (inference.COMPLETIONS, COMPLETION_EVENTS, COMPLETION),
}
KIND = st.sampled_from(sorted(KINDS))


def reader_of(kind: str, *, handing_out: bool = True, limit: int = 2**20) -> EventReader[Any]:
    fold: EventFold[Any] = FOLDS[KINDS[kind][0].events]()
    return EventReader(fold, CLOCKS, limit, handing_out=handing_out)


def judged(kind: str, reader: EventReader[Any]) -> Verdict[Any]:
    return classify(KINDS[kind][0], reader.outcome(200, {}, 0.0), Rules())


def whole(kind: str) -> bytes:
    return framed(*KINDS[kind][1], named=kind == "messages") + DONE


def pieces(data: bytes, cuts: Sequence[float]) -> list[bytes]:
    places = sorted({0, len(data), *(int(cut * len(data)) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(KIND, st.lists(st.floats(0, 1), max_size=12), st.booleans())
def test_however_the_bytes_are_split_the_answer_is_that_of_the_plain_call(
    kind: str, cuts: list[float], hand: bool
) -> None:
    endpoint, events, answer = KINDS[kind]
    reader, seen = reader_of(kind, handing_out=hand), list[Any]()
    for piece in pieces(whole(kind), cuts):
        seen += reader.feed(piece, 1.0)
    seen += reader.finish()
    outcome = reader.outcome(200, {}, 0.0)
    assert outcome.end == Finished()
    expected = msgspec.convert(answer, endpoint.answer)
    assert judged(kind, reader) == Accepted(expected)
    assert len(seen) == (len(events) if hand else 0)
    assert outcome.delivered == hand


@given(KIND, st.floats(0, 1), st.sampled_from(["finish", "lose", "stall"]))
def test_a_stream_that_is_cut_is_never_a_success_with_less(kind: str, cut: float, how: str) -> None:
    """Exists because a part of an answer looks like an answer."""
    endpoint, _, answer = KINDS[kind]
    data = whole(kind)
    reader = reader_of(kind)
    reader.feed(data[: int(cut * len(data))], 1.0)
    match how:
        case "finish":
            reader.finish()
        case "lose":
            reader.lose("gone")
        case _:
            reader.stall("idle")
    match judged(kind, reader):
        case Accepted(value):
            assert value == msgspec.convert(answer, endpoint.answer)
        case Transient() | Permanent():
            assert isinstance(reader.end, Cut | Lost | Stalled)


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_end_mark_a_whole_answer_is_whole(kind: str) -> None:
    reader = reader_of(kind)
    reader.feed(framed(*KINDS[kind][1]), 1.0)
    reader.finish()
    assert isinstance(judged(kind, reader), Accepted)


@pytest.mark.parametrize("kind", KINDS)
def test_an_end_mark_before_the_end_is_a_cut(kind: str) -> None:
    reader = reader_of(kind)
    reader.feed(framed(KINDS[kind][1][0]) + DONE, 1.0)
    verdict = judged(kind, reader)
    assert isinstance(verdict, Transient)
    assert isinstance(verdict.error, TruncatedStream)
    assert reader.fold.last in verdict.error.message


@pytest.mark.parametrize(("kind", "event"), [(kind, event) for kind, events in FAILURES.items() for event in events])
@pytest.mark.parametrize("before", [0, 6])
def test_an_error_ends_the_stream_and_is_judged_as_its_status_would_be(
    kind: str, event: dict[str, Any], before: int
) -> None:
    reader = reader_of(kind)
    reader.feed(framed(*KINDS[kind][1][: min(before, 2)], event) + DONE, 1.0)
    verdict = judged(kind, reader)
    assert isinstance(verdict, Transient)
    limited = "rate_limit" in str(event)
    assert isinstance(verdict.error, RateLimited if limited else ProviderError)
    assert reader.end == Finished()


def test_a_failure_names_the_generation_it_was() -> None:
    reader = reader_of("responses")
    reader.feed(framed(RESPONSE_EVENTS[0], FAILURES["responses"][4]), 1.0)
    verdict = judged("responses", reader)
    assert isinstance(verdict, Transient)
    assert verdict.error.generation_id == "gen-1"


def test_an_error_that_came_without_events() -> None:
    reader = reader_of("images")
    reader.feed(b'{"error": {"code": 503, "message": "busy"}}', 1.0)
    reader.finish()
    assert isinstance(judged("images", reader), Transient)
    silent = reader_of("images")
    silent.feed(b"<html><title>Away</title>", 1.0)
    silent.finish()
    assert silent.end == Cut("the stream ended without any event; it began: Away")


def test_events_are_held_back_until_there_is_content() -> None:
    reader = reader_of("responses")
    assert reader.feed(framed(*RESPONSE_EVENTS[:2]), 1.0) == ()
    seen = reader.feed(framed(*RESPONSE_EVENTS[2:4]), 1.0)
    assert [event.type for event in seen] == [event["type"] for event in RESPONSE_EVENTS[:4]]
    answer = reader.outcome(200, {}, 0.0).answer
    assert (answer.id, answer.model) == (RESPONSE["id"], RESPONSE["model"])


def test_what_is_no_event_and_what_is_too_long() -> None:
    reader = reader_of("messages")
    reader.feed(b"data: {nonsense\n\n", 1.0)
    assert isinstance(reader.end, Malformed)
    long = reader_of("messages", limit=10)
    long.feed(whole("messages"), 1.0)
    assert long.end == Overlong(10)


def test_what_is_no_event_is_shown_as_far_as_it_is_text() -> None:
    reader = reader_of("images")
    reader.feed(b'data: {"type": "\xff"}\n\n', 1.0)
    assert isinstance(reader.end, Malformed)
    assert reader.end.event == '{"type": "\ufffd"}'
    assert "utf-8" in reader.end.detail


def test_secrets_are_struck_out_of_whole_events() -> None:
    reader = EventReader(
        ImageFold(), CLOCKS, 2**20, handing_out=True, clean=lambda data: data.replace(b"sk-secret", b"***")
    )
    events = [event for part in (b'data: {"text": "sk-sec', b'ret"}\n\n') for event in reader.feed(part, 1.0)]
    assert [event.text for event in events] == ["***"]


def test_a_fold_must_say_how() -> None:
    fold = EventFold[Any]()
    assert (fold.error, fold.finished, fold.delivered, fold.id, fold.model) == (None, False, False, None, None)
    with pytest.raises(NotImplementedError):
        fold.add(None)
    with pytest.raises(NotImplementedError):
        fold.result()
    fold.fail("first")
    fold.fail("second")
    assert fold.error == "first"


def test_an_outcome_tells_what_came_and_when() -> None:
    reader = reader_of("images")
    reader.feed(whole("images"), 1.0)
    outcome = reader.outcome(200, {"x-generation-id": "g"}, 7.0)
    assert isinstance(outcome, Streamed)
    assert (outcome.status, outcome.at, outcome.received) == (200, 7.0, len(whole("images")))
    assert reader.fold.count == len(IMAGE_EVENTS)


@pytest.mark.parametrize("kind", ["responses", "messages", "images", "completions"])
def test_a_snapshot_of_nothing_is_nothing_yet(kind: str) -> None:
    reader = reader_of(kind)
    reader.begin(0.0)
    assert reader.snapshot() == reader.fold.result()
