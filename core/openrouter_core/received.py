"""An answer that is a file or a sound, as it comes: bytes are handed on, the clocks and the limit are a stream's.

Nothing is struck out of what is received: a file comes as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openrouter_core.outcome import Finished, Overlong, Streamed, StreamEnd
from openrouter_core.reader import BaseReader
from openrouter_core.states import Clocks
from openrouter_core.wire.response import ChatCompletionResponse


class Received(msgspec.Struct, frozen=True):
    """What came: how many bytes, of which media type, and the id of the generation that made them, if one did."""

    size: int = 0
    content_type: str | None = None
    generation_id: str | None = None


class ByteReader(BaseReader[bytes]):
    """Hands on every piece at once.

    With `handing_out` a piece that was handed on forbids to try again; without, whoever takes them can begin anew.
    """

    def __init__(self, clocks: Clocks, limit: int, *, handing_out: bool) -> None:
        super().__init__(clocks, limit, last="byte", handing_out=handing_out)
        self._told: Received = Received()

    def feed(self, data: bytes, now: float) -> Sequence[bytes]:
        """Take the next bytes; give them on, up to the limit."""
        allowed = data[: max(0, self.limit - self.received)]
        self.received: int = self.received + len(data)
        self._last, self._started = now, True
        if self.received > self.limit:
            self.end: StreamEnd | None = Overlong(self.limit)
        self.delivered: bool = self.delivered or (self.handing_out and bool(allowed))
        return (allowed,) if allowed else ()

    def finish(self) -> Sequence[bytes]:
        """The bytes have ended in good order; HTTP itself tells when some are missing."""
        self._settle(Finished())
        return ()

    def snapshot(self) -> Received:
        """Tell what has come so far."""
        return msgspec.structs.replace(self._told, size=min(self.received, self.limit))

    def _ended(self, otherwise: StreamEnd) -> StreamEnd:
        return otherwise

    def outcome(self, status: int, headers: Mapping[str, str], at: float) -> Streamed:
        """Tell how the attempt ended, or that it was left."""
        generation = headers.get("x-generation-id")
        self._told = Received(content_type=headers.get("content-type"), generation_id=generation)
        none = ChatCompletionResponse(id=generation)
        value: Any = self.snapshot()
        return Streamed(
            status, self._end(), none, headers, at, delivered=self.delivered, received=self.received, value=value
        )
