"""What a message's blocks say together, read out of plain JSON."""

from __future__ import annotations

from openrouter_core.wire.messages import MessagesResponse, ToolUse


def test_the_blocks_of_a_kind_are_read_together() -> None:
    message = MessagesResponse(
        content=[
            {"type": "thinking", "thinking": "a"},
            {"type": "text", "text": "b"},
            {"type": "tool_use", "id": "1", "name": "f", "input": {"x": 1}},
            {"type": "thinking", "thinking": "c"},
            {"type": "text", "text": "d"},
            {"type": "novelty", "text": "e", "thinking": "e"},
        ]
    )
    assert (message.text, message.thinking) == ("bd", "ac")
    assert message.tool_uses == [ToolUse(id="1", name="f", input={"x": 1})]
    silent = MessagesResponse(content=[{"type": "text"}, {"type": "thinking", "thinking": 7}])
    assert (silent.text, silent.thinking, silent.tool_uses) == ("", "", [])
