"""message_fold: blocks grow by their deltas, usage is cumulative, and odd streams give what they can."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.core.events import MESSAGE, MESSAGE_EVENTS

from openrouter_core.message_fold import MessageFold, merged_usage
from openrouter_core.wire.messages import MessagesResponse, MessagesUsage, ToolUse
from openrouter_core.wire.messages_events import MessagesEvent


def folded(*events: dict[str, Any]) -> MessageFold:
    fold = MessageFold()
    for event in events:
        fold.add(msgspec.convert(event, MessagesEvent))
    return fold


def test_the_message_so_far() -> None:
    fold = folded(*MESSAGE_EVENTS[:9])
    assert (fold.finished, fold.delivered, fold.id, fold.model) == (False, True, "gen-2", "anthropic/claude")
    assert fold.result().content[-1] == {"type": "text", "text": "Hello"}
    assert fold.result() == fold.result()


def test_what_a_message_says() -> None:
    message = msgspec.convert(MESSAGE, MessagesResponse)
    assert (message.text, message.thinking) == ("Hello", "Hm.")
    assert message.tool_uses == [ToolUse(id="t1", name="add", input={"a": 1})]


def test_a_block_that_begins_with_text_goes_on_with_it() -> None:
    """Kills: text that is read as JSON, as the input of a tool is."""
    fold = folded(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Take "}},
        *({"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": "5"}} for at in (0, 1)),
    )
    assert fold.result().content == [{"type": "text", "text": "Take 5"}, {"type": "text", "text": "5"}]


def test_an_error_that_does_not_say_why() -> None:
    assert folded({"type": "error"}).error == {"message": "an error without content"}
    assert folded({"type": "error", "error": {"message": "busy"}}).error == {"message": "busy"}


def test_odd_streams_give_what_they_can() -> None:
    fold = folded(
        {"type": "message_start"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_start", "index": 1},
        {"type": "content_block_delta", "index": 1},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{cut"}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "citations_delta"}},
        {"type": "message_delta"},
    )
    assert fold.result().content == [
        {"type": "text", "text": "a"},
        {},
        {"type": "text", "input": "{cut"},
        {"type": "text", "citations": [None]},
    ]


def test_usage_keeps_what_the_later_one_leaves_out() -> None:
    old, new = MessagesUsage(input_tokens=9, output_tokens=1), MessagesUsage(output_tokens=5)
    assert merged_usage(old, new) == MessagesUsage(input_tokens=9, output_tokens=5)
    assert merged_usage(None, new) == new
    assert merged_usage(old, None) == old
    assert merged_usage(None, None) is None
