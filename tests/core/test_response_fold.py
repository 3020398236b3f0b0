"""response_fold: the last event is the answer; before it, what has come so far is put together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.events import OUTPUT, RESPONSE, RESPONSE_EVENTS, STATE

from openrouter_core.response_fold import MOST_PARTS, ResponseFold
from openrouter_core.wire.responses import FunctionCallItem, ResponsesResponse
from openrouter_core.wire.responses_events import ResponsesEvent


def folded(*events: dict[str, Any]) -> ResponseFold:
    fold = ResponseFold()
    for event in events:
        fold.add(msgspec.convert(event, ResponsesEvent))
    return fold


def test_before_the_last_event_the_items_are_put_together() -> None:
    fold = folded(*RESPONSE_EVENTS[:-1])
    assert not fold.finished
    assert fold.result().output == OUTPUT
    assert fold.result() == fold.result()


def test_a_last_event_without_its_items_gets_those_that_came() -> None:
    fold = folded(*RESPONSE_EVENTS[:-1], {"type": "response.completed", "response": {**RESPONSE, "output": []}})
    assert fold.result() == msgspec.convert(RESPONSE, ResponsesResponse)


def test_before_any_event_and_after_the_first() -> None:
    assert ResponseFold().result() == ResponsesResponse(id="")
    fold = folded(RESPONSE_EVENTS[0])
    assert (fold.id, fold.model) == (RESPONSE["id"], RESPONSE["model"])


def test_the_last_event_wins_over_what_was_put_together() -> None:
    other = [{"type": "message", "content": []}]
    fold = folded(*RESPONSE_EVENTS[:-1], {"type": "response.completed", "response": {**RESPONSE, "output": other}})
    assert fold.result().output == other


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"type": "error", "code": "busy", "message": "later"}, {"code": "busy", "message": "later"}),
        ({"type": "response.error", "error": {"code": 5}, "message": "later"}, {"code": 5}),
        (
            {"type": "response.failed", "response": {**STATE, "error": {"code": "x"}, "error_type": "overloaded"}},
            {"code": "x", "error_type": "overloaded"},
        ),
    ],
)
def test_a_failure_says_what_it_was_told(event: dict[str, Any], error: dict[str, Any]) -> None:
    assert folded(event).error == error


@pytest.mark.parametrize("delta", ["response.output_text.delta", "response.function_call_arguments.delta"])
def test_an_item_that_is_done_is_not_added_to(delta: str) -> None:
    """Exists for a piece that was lost on the way: the whole item has it."""
    done = {"content": [{"type": "output_text", "text": "Hello"}], "arguments": "Hello"}
    fold = folded({"type": delta, "delta": "Hel"}, {"type": "response.output_item.done", "item": done})
    assert fold.result().output == [done]


def test_parts_grow_in_their_places() -> None:
    known = {"type": "summary_text", "text": "", "by": "me"}
    fold = folded(
        {"type": "response.output_item.added", "item": {"type": "reasoning", "summary": [known, known]}},
        *(
            {"type": "response.reasoning_summary_text.delta", "summary_index": place, "delta": text}
            for place, text in ((0, "a"), (0, "b"), (3, "c"))
        ),
    )
    assert fold.result().output[0]["summary"] == [
        {**known, "text": "ab"},
        known,
        {"type": "summary_text"},
        {"type": "summary_text", "text": "c"},
    ]


def test_an_incomplete_response_is_whole() -> None:
    fold = folded({"type": "response.incomplete", "response": {**RESPONSE, "status": "incomplete"}})
    assert fold.finished
    assert fold.error is None


def test_deltas_of_items_that_were_never_announced() -> None:
    fold = folded(
        {"type": "response.refusal.delta", "content_index": 1, "delta": "No"},
        {"type": "response.reasoning_text.delta", "output_index": 1, "delta": None},
        {"type": "response.function_call_arguments.delta", "output_index": 2},
    )
    assert fold.result().output == [
        {"content": [{"type": "refusal"}, {"type": "refusal", "refusal": "No"}]},
        {"content": [{"type": "reasoning_text", "text": ""}]},
        {"arguments": ""},
    ]
    assert fold.delivered


def test_a_silly_index_makes_no_endless_list() -> None:
    fold = folded({"type": "response.output_text.delta", "content_index": 10**9, "delta": "x"})
    assert len(fold.result().output[0]["content"]) == MOST_PARTS + 1


def test_nothing_is_delivered_before_there_is_something() -> None:
    assert not folded(*RESPONSE_EVENTS[:2]).delivered
    assert folded(*RESPONSE_EVENTS[:3]).delivered
    assert folded({"type": "response.image_generation_call.partial_image", "partial_image_b64": "QQ=="}).delivered


def test_what_an_answer_says() -> None:
    answer = msgspec.convert(RESPONSE, ResponsesResponse)
    assert answer.text == "Hello"
    assert answer.reasoning_text == "Easy."
    assert answer.function_calls == [FunctionCallItem(call_id="call_1", name="add", arguments='{"a": 1}', id="fc_1")]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "content", "summary", "name", "text"]),
            st.sampled_from(
                ["message", "reasoning", "function_call", 5, None, [], [5], [{"type": "output_text", "text": 5}], {}]
            ),
            max_size=4,
        )
    )
)
def test_any_items_can_be_read(output: list[dict[str, Any]]) -> None:
    """Exists because items are open, and stay as they came."""
    answer = ResponsesResponse(id="r", output=output)
    assert isinstance(answer.text + answer.reasoning_text, str)
    assert all(isinstance(call.name, str) for call in answer.function_calls)


@pytest.mark.parametrize("field", ["text", "reasoning_text"])
def test_an_answer_without_items_has_no_text(field: str) -> None:
    assert getattr(ResponsesResponse(id="r"), field) == ""
