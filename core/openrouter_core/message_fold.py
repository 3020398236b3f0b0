"""Events of a streamed message -> the message, as Anthropic's skin would have given it whole.

Source: OpenRouter docs, api_reference/anthropic-messages. Usage is cumulative; the input of a tool comes as pieces of
JSON; a failure comes as an event `error`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from openrouter_core.envelope import parsed
from openrouter_core.events import EventFold
from openrouter_core.wire import messages_events as names
from openrouter_core.wire.loose import object_in, text_in
from openrouter_core.wire.messages import MessagesResponse, MessagesUsage
from openrouter_core.wire.messages_events import MessagesEvent

GROWING: Final = {
    names.TEXT_DELTA: ("text", "text"),
    names.THINKING_DELTA: ("thinking", "thinking"),
    names.SIGNATURE_DELTA: ("signature", "signature"),
    names.INPUT_JSON_DELTA: ("partial_json", "input"),
}
"""By a delta's type: its field with the new text, and the block's field that grows by it."""

ENDINGS: Final = ("stop_reason", "stop_sequence", "stop_details", "container")
"""Fields that the last delta of the message sets."""


class MessageFold(EventFold[MessagesEvent]):
    """A message so far."""

    event: type[MessagesEvent] = MessagesEvent
    last: str = "message_stop"

    def __init__(self) -> None:
        super().__init__()
        self._message = MessagesResponse(content=[])
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[int, dict[str, list[str]]] = {}
        self._citations: dict[int, list[Any]] = {}

    def add(self, event: MessagesEvent) -> None:
        """Take the next event."""
        place = event.index or 0
        match event.type:
            case names.ERROR:
                self.fail(event.error or {"message": "an error without content"})
            case names.MESSAGE_START if event.message is not None:
                self._message = event.message
                self.named(event.message.id, event.message.model)
            case names.BLOCK_START:
                self._blocks[place] = event.content_block or {}
            case names.BLOCK_DELTA:
                self._grow(place, event.delta or {})
            case names.MESSAGE_DELTA:
                ending = {name: value for name in ENDINGS if (value := object_in(event.delta).get(name)) is not None}
                self._message = msgspec.structs.replace(
                    self._message, **ending, usage=merged_usage(self._message.usage, event.usage)
                )
            case names.MESSAGE_STOP:
                self.end()
            case _:
                pass

    def _grow(self, place: int, delta: dict[str, Any]) -> None:
        kind = text_in(delta.get("type"))
        if kind in GROWING:
            source, field = GROWING[kind]
            piece = text_in(delta.get(source))
            self._pieces.setdefault(place, {}).setdefault(field, []).append(piece)
            self.came(something=bool(piece))
        elif kind == names.CITATIONS_DELTA:
            self._citations.setdefault(place, []).append(delta.get("citation"))

    def result(self) -> MessagesResponse:
        """The message so far."""
        places = sorted({*self._blocks, *self._pieces, *self._citations})
        blocks = self._message.content + [self._block(place) for place in places]
        return msgspec.structs.replace(self._message, content=blocks)

    def _block(self, place: int) -> dict[str, Any]:
        """Put one block together: as it began, with all that has grown since."""
        block = dict(self._blocks.get(place, {"type": "text"}))
        for field, pieces in self._pieces.get(place, {}).items():
            text = "".join(pieces)
            block[field] = parsed(text) if field == "input" else text_in(block.get(field)) + text
        if place in self._citations:
            block["citations"] = [*self._citations[place]]
        return block


def merged_usage(old: MessagesUsage | None, new: MessagesUsage | None) -> MessagesUsage | None:
    """Usage from two events: the later value of each field, unless it is missing."""
    if old is None or new is None:
        return new or old
    known = {name: value for name in new.__struct_fields__ if (value := getattr(new, name)) is not None}
    return msgspec.structs.replace(old, **known)
