"""The life of one streamed attempt, once its headers are there: bytes and instants in, chunks and an ending out.

             data event                 data event                [DONE], or all finished
    waiting ------------> (held back) ------------> flowing ------------------------------> Finished
       |                                  |
       +--- first_event, attempt          +--- idle, attempt ...................... Stalled
       +----------------------------------+--- an event with an error ............. Finished, and the answer has it
       +----------------------------------+--- bytes that are no chunk ............ Malformed
       +----------------------------------+--- more bytes than allowed ............ Overlong
       +----------------------------------+--- the connection broke ............... Lost
       +----------------------------------+--- the end, without a finish_reason ... Cut

Rules. Chunks are held back until the first one that has content, so that an attempt that fails before it can be
repeated unseen. Comments, and events without data, are a sign of life, never of progress: the clocks run on data. An
answer is whole when every choice has its finish_reason and `[DONE]`, or the usage, has come after it; a stream that
ends earlier is cut, however politely. What a stream comes to does not depend on how its bytes are split.
`Reader` is mutable, as `fold.Fold` is, and belongs to one attempt; it does no I/O and reads no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from openrouter_core import sse
from openrouter_core.envelope import UNDECODABLE, mapping, page_text
from openrouter_core.fold import Fold
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Stalled, Streamed, StreamEnd
from openrouter_core.states import Clocks
from openrouter_core.wire.chunk import ChatCompletionChunk, Delta, FunctionCallDelta, StreamChoice, ToolCallDelta
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.response import ChatCompletionResponse, ResponseMessage

SHOWN: Final = 500
"""How much of an undecodable event is kept, in bytes."""

HEAD: Final = 2**16
"""How much of a stream without any event is kept, in bytes, in case it is an error in JSON after all."""

_DECODER: Final = msgspec.json.Decoder(ChatCompletionChunk)


def untouched(data: bytes) -> bytes:
    """Clean nothing away."""
    return data


class Reader:
    """Reads one stream; every `now` is in seconds on the same clock.

    `limit` bounds the bytes of the stream. Without `handing_out` no chunk is given out, only the outcome counts.
    `clean` strikes out of an event what nobody may see: of whole events, for a read may end in the middle of a secret.
    """

    def __init__(
        self, clocks: Clocks, limit: int, *, handing_out: bool, clean: Callable[[bytes], bytes] = untouched
    ) -> None:
        self.clocks = clocks
        self.began: float = 0.0
        self.limit = limit
        self.handing_out = handing_out
        self.clean = clean
        self.fold: Fold = Fold()
        self.end: StreamEnd | None = None
        self.delivered: bool = False
        self.received: int = 0
        self._decoder = sse.SseState(limit=limit)
        self._head = b""
        self._held: list[ChatCompletionChunk] = []
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

    def feed(self, data: bytes, now: float) -> Sequence[ChatCompletionChunk]:
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
        if isinstance(item, sse.EventTooLarge):
            self.end = Overlong(item.limit)
        elif item.data and not item.data.isspace():
            self._last, self._started, self._head = now, True, b""
            self.end = self._event(item.data)

    def _event(self, raw: bytes) -> StreamEnd | None:
        """Take one event: the end mark, a chunk, or neither. Tell the stream's end if this is it."""
        data = self.clean(raw)
        if not data.startswith(b"{") and data.strip() == sse.DONE:
            return Finished() if self.fold.finished else Cut("[DONE] came before any finish_reason")
        try:
            chunk = _DECODER.decode(data)
        except UNDECODABLE as problem:
            error = _error_in(data)
            if error is None:
                return Malformed(data[:SHOWN].decode("utf-8", "replace"), str(problem))
            chunk = ChatCompletionChunk(error=error)
        return self._chunk(chunk)

    def _chunk(self, chunk: ChatCompletionChunk) -> StreamEnd | None:
        """Take one chunk; an error in it ends the stream."""
        self.fold.add(chunk)
        self._settled = (self._settled or chunk.usage is not None) and self.fold.finished
        failed = self.fold.error is not None
        if self.handing_out:
            self._held.append(chunk)
            self.delivered = self.delivered or (self.fold.delivered and not failed)
        return Finished() if failed else None

    def _released(self) -> Sequence[ChatCompletionChunk]:
        """Hand out what was held back, once there is content."""
        if not self.delivered:
            return ()
        released, self._held = self._held, []
        return released

    def finish(self) -> Sequence[ChatCompletionChunk]:
        """The bytes have ended in good order; an event without its last blank line counts if it is whole."""
        rest = self._rest()
        if self.end is None and rest and (rest == sse.DONE or not sse.DONE.startswith(rest)):
            end, self._decoder = self._event(rest), sse.SseState()
            self.end = Cut("the stream ended in the middle of an event") if isinstance(end, Malformed) else end
        if self.end is None and not self.fold.chunks:
            self.end = self._without_events()
        self._settle(Cut("the stream ended without its last event"))
        return self._released()

    def _rest(self) -> bytes:
        """Give the data of an event whose end has not come."""
        event = sse.finish(self._decoder).event
        return b"" if event is None else event.data.strip()

    def _without_events(self) -> StreamEnd | None:
        """End a stream in which there was no chunk: its bytes may be an error in JSON, whatever they were called."""
        head = self.clean(self._head)
        error = _error_in(head)
        if error is not None:
            return self._chunk(ChatCompletionChunk(error=error))
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

    def outcome(self, status: int, headers: Mapping[str, str], at: float) -> Streamed:
        """Tell how the attempt ended, or that it was left, with what there is of the answer."""
        end = self.end or self._ended(Cut("the stream was left before its end"))
        return Streamed(status, end, self.fold.result(), headers, at, delivered=self.delivered, received=self.received)


def _error_in(data: bytes) -> Any:
    """Find the error in an event that is no chunk."""
    try:
        return mapping(msgspec.json.decode(data)).get("error")
    except UNDECODABLE:
        return None


def chunk_of(answer: ChatCompletionResponse) -> ChatCompletionChunk:
    """Give a whole answer as one chunk: the fold of it is the answer again."""
    choices = [
        StreamChoice(
            index=choice.index,
            finish_reason=choice.finish_reason,
            native_finish_reason=choice.native_finish_reason,
            logprobs=choice.logprobs,
            error=choice.error,
            delta=None if choice.message is None else delta_of(choice.message),
        )
        for choice in answer.choices or ()
    ]
    return ChatCompletionChunk(
        id=answer.id,
        object="chat.completion.chunk",
        created=answer.created,
        model=answer.model,
        provider=answer.provider,
        choices=choices,
        usage=answer.usage,
        system_fingerprint=answer.system_fingerprint,
        service_tier=answer.service_tier,
        openrouter_metadata=answer.openrouter_metadata,
        safeguard_results=answer.safeguard_results,
        alignment=answer.alignment,
        user_id=answer.user_id,
    )


def delta_of(message: ResponseMessage) -> Delta:
    """Give a whole message as one delta; content in parts becomes its text."""
    return Delta(
        role=message.role,
        content=None if message.content is None else message.text,
        reasoning=message.reasoning,
        reasoning_details=message.reasoning_details,
        refusal=message.refusal,
        tool_calls=[call_delta_of(place, call) for place, call in enumerate(message.tool_calls or ())] or None,
        audio=message.audio,
        images=message.images,
        annotations=message.annotations,
    )


def call_delta_of(place: int, call: ToolCall) -> ToolCallDelta:
    """Give a whole tool call as one delta; its place counts, not the number that the server gave it."""
    function = FunctionCall() if call.function is None else call.function
    return ToolCallDelta(
        index=place,
        id=call.id,
        type=call.type,
        function=FunctionCallDelta(name=function.name, arguments=function.arguments),
    )
