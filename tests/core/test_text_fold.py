"""text_fold: the choices of a legacy completion grow side by side, and usage is the last to be told."""

from __future__ import annotations

import msgspec
from tests.core.events import COMPLETION, COMPLETION_EVENTS

from openrouter_core.text_fold import TextFold
from openrouter_core.wire.completions import CompletionChoice, CompletionChunk, CompletionResponse


def folded(count: int) -> TextFold:
    fold = TextFold()
    for event in COMPLETION_EVENTS[:count]:
        fold.add(msgspec.convert(event, CompletionChunk))
    return fold


def test_a_choice_that_has_not_ended_leaves_the_whole_open() -> None:
    """Kills: a stream of several choices that ends with the first of them."""
    assert [folded(count).finished for count in range(6)] == [False, False, False, False, True, True]
    assert [folded(count).settled for count in range(6)] == [False] * 5 + [True]


def test_the_text_so_far() -> None:
    fold = folded(2)
    assert [choice.text for choice in fold.result().choices] == ["upon ", "mo"]
    assert (fold.delivered, fold.id, fold.model) == (True, "gen-3", "openai/gpt-4o-mini")
    assert folded(1).delivered
    assert TextFold().result() == CompletionResponse(choices=[])


def test_all_of_it_is_what_the_plain_call_gives() -> None:
    assert folded(5).result() == msgspec.convert(COMPLETION, CompletionResponse)


def test_a_chunk_tells_its_text() -> None:
    chunks = [msgspec.convert(event, CompletionChunk) for event in COMPLETION_EVENTS]
    assert [chunk.text for chunk in chunks] == ["", "mo", "a time", "re", ""]


def test_what_is_told_once_stays() -> None:
    fold = TextFold()
    for chunk in ({"id": "g", "choices": [{"index": 1, "finish_reason": "stop"}]}, {"choices": [{"index": 1}]}):
        fold.add(msgspec.convert(chunk, CompletionChunk))
    choice = CompletionChoice(index=1, finish_reason="stop")
    assert fold.result() == CompletionResponse(id="g", choices=[choice])
    assert fold.finished


def test_a_choice_without_a_number_is_the_first() -> None:
    fold = TextFold()
    fold.add(msgspec.convert({"choices": [{"text": "a"}]}, CompletionChunk))
    fold.add(msgspec.convert({"choices": [{"text": "b", "finish_reason": "stop"}]}, CompletionChunk))
    assert fold.result().text == "ab"
    assert fold.finished
