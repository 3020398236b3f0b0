"""Bytes of an event stream -> events, by the WHATWG rules, whatever the chunks look like.

``feed`` is a pure function: a state and some bytes give the next state and the events that these bytes completed.
It never raises, knows nothing of JSON or of OpenRouter's ``[DONE]``, and keeps no more than one event in memory.

The rules (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6):

- LF, CR and CRLF end a line, and nothing else does: U+2028, U+2029 and U+0085 are ordinary text;
- one byte order mark at the very beginning is dropped;
- a line that begins with a colon is a comment: it is counted, as a sign of life, and is never an event;
- the values of several ``data`` lines are joined by LF; one space after the colon is dropped;
- a blank line dispatches the event. An event whose blank line never came is not dispatched: ``finish`` hands it over.

How it stays linear: an unfinished line is never searched twice. Its pieces are kept so that each is more than twice
as long as the next (``_push``): few pieces, and few copies of each byte, however small the chunks are.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

BOM: Final = b"\xef\xbb\xbf"
DONE: Final = b"[DONE]"
"""The data of the event that closes a chat completion stream (OpenRouter docs, api_reference/streaming)."""

DEFAULT_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""Bytes that one event may have: reasoning and images come in lines of megabytes, a runaway server never ends one."""

_LONGEST_RETRY: Final = 18


class ServerSentEvent(Struct, frozen=True, gc=False):
    """One dispatched event: its data as bytes, its type ("message" unless named) and the last event id."""

    data: bytes
    event: str = "message"
    id: str = ""


class EventTooLarge(Struct, frozen=True, tag=True):
    """The stream is unusable: an event grew beyond ``limit`` bytes. Nothing comes after it."""

    limit: int


SseItem = ServerSentEvent | EventTooLarge


class SseState(Struct, frozen=True, kw_only=True):
    """What the decoder remembers between two feeds. Begin with ``SseState()``; the fields are for reading only."""

    limit: int = DEFAULT_LIMIT_BYTES
    comments: int = 0
    """Comment lines so far. A growing number is a sign of life, never of progress."""
    last_id: str = ""
    retry_ms: int | None = None
    """The last ``retry`` field, in milliseconds."""
    started: bool = False
    after_cr: bool = False
    line: tuple[bytes, ...] = ()
    data: tuple[bytes, ...] = ()
    name: str = ""
    overflowed: bool = False


class Ending(Struct, frozen=True):
    """How the bytes ended: ``clean`` on a boundary between events, otherwise with an ``event`` that was not dispatched.

    A caller may still use the event (some servers forget the last blank line), knowing that it may have been cut.
    """

    clean: bool
    event: ServerSentEvent | None = None


def feed(state: SseState, data: bytes) -> tuple[SseState, tuple[SseItem, ...]]:
    """Take the next bytes of the stream: the next state, and the events that these bytes completed.

    ``EventTooLarge`` is the last item there will ever be: after it every feed gives nothing.
    """
    if state.overflowed or not data:
        return state, ()
    run = _Run(state)
    text = run.text_of(data)
    if run.started:
        run.take(text)
    return run.frozen(), tuple(run.items)


def finish(state: SseState) -> Ending:
    """Decide how the stream ended. An event without its final blank line is reported, as if the line had come."""
    if state.overflowed:
        return Ending(clean=False)
    if not (state.line or state.data or state.name):
        return Ending(clean=True)
    run = _Run(state)
    run.take_line(b"".join(state.line))
    run.dispatch()
    return Ending(clean=False, event=run.events[0] if run.events else None)


class _Run:
    """One feed at work: a mutable copy of the state, which lives no longer than the call of ``feed``."""

    __slots__ = (
        "after_cr",
        "comments",
        "data",
        "events",
        "last_id",
        "limit",
        "line",
        "name",
        "new_data",
        "overflowed",
        "retry_ms",
        "size",
        "started",
    )

    def __init__(self, state: SseState) -> None:
        self.limit = state.limit
        self.comments = state.comments
        self.last_id = state.last_id
        self.retry_ms = state.retry_ms
        self.started = state.started
        self.after_cr = state.after_cr
        self.line = state.line
        self.data = state.data
        self.new_data: list[bytes] = []
        self.name = state.name
        self.size = sum(map(len, state.data))
        self.overflowed = False
        self.events: list[ServerSentEvent] = []

    @property
    def items(self) -> list[SseItem]:
        """What this feed hands out."""
        return [*self.events, EventTooLarge(self.limit)] if self.overflowed else [*self.events]

    def text_of(self, data: bytes) -> bytes:
        """The bytes with every line end as LF and without the order mark, which may itself come in pieces."""
        if not self.started:
            data = b"".join(self.line) + data
            if len(data) < len(BOM) and BOM.startswith(data):
                self.line = (data,)
                return b""
            self.started, self.line = True, ()
            data = data.removeprefix(BOM)
        if self.after_cr and data.startswith(b"\n"):
            data = data[1:]
        self.after_cr = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def take(self, text: bytes) -> None:
        """Take text whose lines end with LF: first the rest of the pending line, then whole blocks, then a tail."""
        if self.line:
            head, found, rest = text.partition(b"\n")
            if not found:
                self.hold(text)
                return
            line, self.line = b"".join((*self.line, head)), ()
            self.take_line(line)
            if self.overflowed:
                return
            text = rest
        *blocks, tail = text.split(b"\n\n")
        self.take_blocks(blocks)
        *lines, tail = tail.split(b"\n")
        for line in lines:
            self.take_line(line)
        self.hold(tail)

    def take_blocks(self, blocks: list[bytes]) -> None:
        """Take the lines of each block, and the blank line after it. Nearly every block is one ``data`` line.

        Only the first block can continue an event: the blank line after it leaves nothing pending.
        """
        short = self.limit if not (self.size or self.name) else -1
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block and len(block) <= short:
                self.events.append(ServerSentEvent(block[6:], "message", self.last_id))
                continue
            for line in block.split(b"\n"):
                self.take_line(line)
            self.dispatch()
            if self.overflowed:
                return
            short = self.limit

    def take_line(self, line: bytes) -> None:
        """Take one whole line, without its end."""
        if self.overflowed or self.size + len(line) > self.limit:
            self.overflowed = True
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"data":
                self.new_data.append(value)
                self.size += len(value) + 1
            case b"event":
                self.name = value.decode("utf-8", "replace")
            case b"id" if b"\0" not in value:
                self.last_id = value.decode("utf-8", "replace")
            case b"retry" if value.isdigit() and len(value) <= _LONGEST_RETRY:
                self.retry_ms = int(value)
            case b"" if line:
                self.comments += 1
            case b"":
                self.dispatch()
            case _:
                pass

    def dispatch(self) -> None:
        """End the event: hand it out if it has data (an empty ``data`` line is data), and forget it."""
        if self.size and not self.overflowed:
            lines = (b"".join(self.data) + b"\n".join(self.new_data)) if self.new_data else b"".join(self.data)[:-1]
            self.events.append(ServerSentEvent(lines, self.name or "message", self.last_id))
        self.data, self.new_data, self.size, self.name = (), [], 0, ""

    def hold(self, tail: bytes) -> None:
        """Keep the beginning of a line that has not ended, unless it is already too long."""
        if tail:
            self.line = _push(self.line, tail)
        self.overflowed = self.overflowed or self.size + sum(map(len, self.line)) > self.limit

    def frozen(self) -> SseState:
        """The state after this feed. One that overflowed holds no bytes."""
        new_data = b"".join(value + b"\n" for value in self.new_data)
        return SseState(
            limit=self.limit,
            comments=self.comments,
            last_id=self.last_id,
            retry_ms=self.retry_ms,
            started=self.started,
            after_cr=self.after_cr,
            line=() if self.overflowed else self.line,
            data=() if self.overflowed else _push(self.data, new_data) if new_data else self.data,
            name=self.name,
            overflowed=self.overflowed,
        )


def _push(pieces: tuple[bytes, ...], piece: bytes) -> tuple[bytes, ...]:
    """Append a piece, joining it with those not twice as long: there are never more than log2(size) + 1 pieces."""
    keep = len(pieces)
    size = len(piece)
    while keep and len(pieces[keep - 1]) <= 2 * size:
        keep -= 1
        size += len(pieces[keep])
    return (*pieces[:keep], b"".join((*pieces[keep:], piece)))
