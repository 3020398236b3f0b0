"""response_fold: the last event is the answer; before it, what has come so far is put together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.events import OUTPUT, RESPONSE, RESPONSE_EVENTS

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
