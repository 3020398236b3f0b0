"""The life of one streamed attempt, whatever its events are: bytes and instants in, events and an ending out.

`stream` tells the rules, which are the same for all streams. What an event is, and when the answer is whole, subclasses
say: `stream.Reader` for chat completions, `events.EventReader` for all others. A reader is mutable, belongs to one
attempt, does no I/O and reads no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from openrouter_core import sse
from openrouter_core.envelope import UNDECODABLE, mapping, page_text
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Stalled, Streamed, StreamEnd
from openrouter_core.states import Clocks

Event = TypeVar("Event")

Heard = Callable[[float], object]
"""Whoever is told when an event of a stream came, in seconds on the clock of the stream."""

SHOWN: Final = 500
"""How much of an undecodable event is kept, in bytes."""

HEAD: Final = 2**16
"""How much of a stream without any event is kept, in bytes, in case it is an error in JSON after all."""


def untouched(data: bytes) -> bytes:
    """Clean nothing away."""
    return data


class BaseReader(Generic[Event]):
    """Reads one stream; every `now` is in seconds on the same clock.

    `limit` bounds the bytes of the stream. `last` is what the answer is whole with, in words. Without `handing_out` no
    event is given out, only the outcome counts. `clean` strikes out of an event what nobody may see: of whole events,
    for a read may end in the middle of a secret.
    """

    def __init__(
        self,
        clocks: Clocks,
        limit: int,
        *,
        last: str,
        handing_out: bool,
        clean: Callable[[bytes], bytes] = untouched,
    ) -> None:
        self.last = last
        self.clocks = clocks
        self.began: float = 0.0
        self.limit = limit
        self.handing_out = handing_out
        self.clean = clean
        self.heard: Heard | None = None
        self.end: StreamEnd | None = None
        self.delivered: bool = False
        self.received: int = 0
        self._decoder = sse.SseState(limit=limit)
        self._head = b""
        self._held: list[Event] = []
        self._last = 0.0
        self._started = False
        self._settled = False

    def begin(self, now: float) -> None:
        """The attempt begins: its clocks run from here."""
        self.began = now

    def resume(self, now: float) -> None:
        """The consumer asks for more: the time that it took for the last chunks is not the server's."""
        self._last = now

    def due(self) -> tuple[str, float]:
        """Tell which clock runs out next, and when. Only data moves the clocks on."""
        last = self._last + self.clocks.idle if self._started else self.began + self.clocks.first
        total = self.began + self.clocks.total
        waiting = "idle" if self._started else "first_event"
        return (waiting, last) if last < total else ("attempt", total)

    def feed(self, data: bytes, now: float) -> Sequence[Event]:
        """Take the next bytes; give the chunks that may be handed out now."""
        allowed = data[: max(0, self.limit - self.received)]
        self.received += len(data)
        if not self._started and len(self._head) < HEAD:
            self._head += allowed
        self._decoder, items = sse.feed(self._decoder, allowed)
        for item in items:
            if self.end is not None:
                break
            self._item(item, now)
        if self.end is None and self.received > self.limit:
            self.end = Overlong(self.limit)
        return self._released()

    def _item(self, item: sse.SseItem, now: float) -> None:
        """Take what the decoder gave; an event without data is no more than a comment."""
        if not isinstance(item, sse.ServerSentEvent):
            self.end = Overlong(item.limit)
        elif item.data and not item.data.isspace():
            self._last, self._started, self._head = now, True, b""
            self.end = self._event(item.data)

    def _event(self, raw: bytes) -> StreamEnd | None:
        """Take one event: the end mark, an event of the answer, or neither. Tell the stream's end if this is it."""
        data = self.clean(raw)
        if data.strip() == sse.DONE:
            return Finished() if self._whole() else Cut(f"[DONE] came before any {self.last}")
        if self.heard is not None:
            self.heard(self._last)
        return self._taken(data)

    def _taken(self, data: bytes) -> StreamEnd | None:
        """Decode one event and add it to the answer; an error in it ends the stream."""
        raise NotImplementedError

    def _failed(self, error: Any) -> StreamEnd | None:
        """Take an error that is no event of the answer; it ends the stream."""
        raise NotImplementedError

    def _whole(self) -> bool:
        """Whether nothing of the answer is missing."""
        raise NotImplementedError

    def _began(self) -> bool:
        """Whether any event has come."""
        raise NotImplementedError

    def _keep(self, event: Event, *, delivered: bool) -> None:
        """Hold an event back until it may be handed out; `delivered` says that from now on they may."""
        if self.handing_out:
            self._held.append(event)
            self.delivered = self.delivered or delivered

    def _released(self) -> Sequence[Event]:
        """Hand out what was held back, once there is content."""
        if not self.delivered:
            return ()
        released, self._held = self._held, []
        return released

    def finish(self) -> Sequence[Event]:
        """The bytes have ended in good order; an event without its last blank line counts if it is whole."""
        rest = self._rest()
        if self.end is None and rest and (rest == sse.DONE or not sse.DONE.startswith(rest)):
            end, self._decoder = self._event(rest), sse.SseState()
            self.end = Cut("the stream ended in the middle of an event") if isinstance(end, Malformed) else end
        if self.end is None and not self._began():
            self.end = self._without_events()
        self._settle(Cut("the stream ended without its last event"))
        return self._released()

    def _rest(self) -> bytes:
        """Give the data of an event whose end has not come."""
        event = sse.finish(self._decoder).event
        return b"" if event is None else event.data.strip()

    def _without_events(self) -> StreamEnd | None:
        """End a stream in which there was no event: its bytes may be an error in JSON, whatever they were called."""
        head = self.clean(self._head)
        error = error_in(head)
        if error is not None:
            return self._failed(error)
        return Cut(f"the stream ended without any event; it began: {page_text(head) or 'nothing'}")

    def lose(self, detail: str) -> None:
        """The connection broke."""
        self._settle(Lost(detail))

    def stall(self, clock: str) -> None:
        """A clock ran out."""
        after = {"idle": self.clocks.idle, "first_event": self.clocks.first}.get(clock, self.clocks.total)
        self._settle(Stalled(clock, after))

    def _settle(self, otherwise: StreamEnd) -> None:
        """End the stream: well if nothing of the answer is missing, else as told."""
        if self.end is None:
            self.end = self._ended(otherwise)

    def _ended(self, otherwise: StreamEnd) -> StreamEnd:
        """Tell whether the answer is whole, and only the end mark, or the end of that, has not come."""
        return Finished() if self._settled and sse.DONE.startswith(self._rest()) else otherwise

    def snapshot(self) -> Any:
        """Give what there is of the answer."""
        raise NotImplementedError

    def outcome(self, status: int, headers: Mapping[str, str], at: float) -> Streamed:
        """Tell how the attempt ended, or that it was left, with what there is of the answer."""
        raise NotImplementedError

    def _end(self) -> StreamEnd:
        """Tell how the stream ended, if it was not simply left."""
        return self.end or self._ended(Cut("the stream was left before its end"))


def error_in(data: bytes) -> Any:
    """Find the error in an event that is none of the answer's."""
    try:
        return mapping(msgspec.json.decode(data)).get("error")
    except UNDECODABLE:
        return None
