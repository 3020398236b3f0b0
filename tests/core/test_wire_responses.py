"""What a response's items say together, read out of plain JSON."""

from __future__ import annotations

from openrouter_core.wire.responses import FunctionCallItem, ResponsesResponse


def test_the_items_of_a_kind_are_read_together() -> None:
    response = ResponsesResponse(
        id="r",
        output=[
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "b"}, {"type": "refusal", "text": "e"}]},
            {"type": "reasoning", "content": [{"text": "c"}], "summary": [{"text": "e"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "d"}]},
            {"type": "function_call", "id": "fc", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call"},
            {"type": "novelty", "content": [{"type": "output_text", "text": "e"}]},
        ],
    )
    assert (response.text, response.reasoning_text) == ("bd", "ac")
    assert response.function_calls == [
        FunctionCallItem(id="fc", call_id="1", name="f", arguments="{}"),
        FunctionCallItem(call_id="", name="", arguments=""),
    ]
