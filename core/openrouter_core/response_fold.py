"""Events of a streamed response -> the response. The last event has it whole; until then, it is put together.

Source: OpenRouter docs, api_reference/responses/streaming; recorded streams: `response.completed` repeats every item, a
failure comes as `response.failed`, `response.error` or `error`, and `[DONE]` follows.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from openrouter_core.events import EventFold
from openrouter_core.verdict import failure_of
from openrouter_core.wire import responses_events as names
from openrouter_core.wire.loose import objects_in
from openrouter_core.wire.responses import FAILED, ResponsesResponse
from openrouter_core.wire.responses_events import ResponsesEvent

GROWING: Final = {
    names.TEXT_DELTA: ("content", "text", "output_text"),
    names.REFUSAL_DELTA: ("content", "refusal", "refusal"),
    names.REASONING_DELTA: ("content", "text", "reasoning_text"),
    names.SUMMARY_DELTA: ("summary", "text", "summary_text"),
}
"""What a delta adds to: the list of an item's parts, the part's field, and the type of such a part."""

ERRORS: Final = (names.ERROR, names.RESPONSE_ERROR)


class ResponseFold(EventFold[ResponsesEvent]):
    """A response so far."""

    event: type[ResponsesEvent] = ResponsesEvent
    last: str = "response.completed"

    def __init__(self) -> None:
        super().__init__()
        self._state = ResponsesResponse(id="")
        self._items: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, list[str]] = {}
        self._texts: dict[int, dict[tuple[str, int], list[str]]] = {}

    def add(self, event: ResponsesEvent) -> None:
        """Take the next event."""
        if event.response is not None:
            self._state = event.response
            self.named(event.response.id, event.response.model)
        if event.type in ERRORS:
            self.fail(event.error or {"code": event.code, "message": event.message})
        elif event.type == names.FAILED or self._state.status == FAILED:
            self.fail(failure_of(self._state.error, self._state.error_type, failed=True))
        if event.type in (names.COMPLETED, names.INCOMPLETE):
            self.end()
        self.came(something=bool(event.delta or event.partial_image_b64 or event.type == names.ITEM_DONE))
        place = event.output_index or 0
        if event.item is not None:
            self._items[place] = event.item
            self._arguments.pop(place, None)
            self._texts.pop(place, None)
        elif event.type == names.ARGUMENTS_DELTA:
            self._arguments.setdefault(place, []).append(event.delta or "")
        elif event.type in GROWING:
            part = event.summary_index if event.type == names.SUMMARY_DELTA else event.content_index
            self._texts.setdefault(place, {}).setdefault((event.type, part or 0), []).append(event.delta or "")

    def result(self) -> ResponsesResponse:
        """The response so far; what the last event says wins over what was put together."""
        if self._state.output or not (self._items or self._texts or self._arguments):
            return self._state
        places = sorted({*self._items, *self._texts, *self._arguments})
        return msgspec.structs.replace(self._state, output=[self._item(place) for place in places])

    def _item(self, place: int) -> dict[str, Any]:
        """Put one item together: as it was announced, with all that has grown since."""
        item = dict(self._items.get(place, {}))
        if place in self._arguments:
            item["arguments"] = "".join(self._arguments[place])
        for (kind, index), pieces in sorted(self._texts.get(place, {}).items()):
            parts_name, field, part_type = GROWING[kind]
            parts = [dict(part) for part in objects_in(item.get(parts_name))]
            parts += [{"type": part_type} for _ in range(min(index, MOST_PARTS) + 1 - len(parts))]
            parts[min(index, MOST_PARTS)][field] = "".join(pieces)
            item[parts_name] = parts
        return item


MOST_PARTS: Final = 1000
"""An index of a part beyond this is an error of the server's, and must not make a list as long as it says."""
