"""Streams whose events are none of a chat completion's, read and put together, unjudged.

Responses, messages, images and legacy completions:

    bytes -> EventReader -> events, handed out from the first content on
                  |
                  +-> a fold, which is the answer that the call without streaming would have given

The rules are those of `stream`. A fold is mutable, belongs to one stream, and takes constant time for each event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from openrouter_core.envelope import UNDECODABLE
from openrouter_core.outcome import Finished, Malformed, Streamed, StreamEnd
from openrouter_core.reader import SHOWN, BaseReader, error_in, untouched
from openrouter_core.states import Clocks
from openrouter_core.wire.response import ChatCompletionResponse

Event = TypeVar("Event")


class EventFold(Generic[Event]):
    """The answer so far. `error` is the first error of any event, as JSON; `finished` says that nothing is missing.

    `delivered` says that something of the answer has come; `id` and `model` are told by failures.
    """

    event: type[Event]
    last: str

    def __init__(self) -> None:
        self.count: int = 0
        self.error: Any = None
        self.finished: bool = False
        self.delivered: bool = False
        self.id: str | None = None
        self.model: str | None = None

    def add(self, event: Event) -> None:
        """Take the next event."""
        raise NotImplementedError

    def result(self) -> Any:
        """The answer so far, as the call without streaming would have given it."""
        raise NotImplementedError

    def named(self, generation: str | None, model: str | None) -> None:
        """Keep where the answer comes from, as far as it tells."""
        self.id, self.model = generation or self.id, model or self.model

    def came(self, *, something: bool) -> None:
        """Keep that something of the answer has come."""
        self.delivered = self.delivered or something

    def end(self) -> None:
        """Keep that nothing of the answer is missing."""
        self.finished = True

    @property
    def settled(self) -> bool:
        """Whether nothing more can come, so that the connection may end without an end mark."""
        return self.finished

    def fail(self, error: Any) -> None:
        """Keep an error, if it is the first."""
        self.error = error if self.error is None else self.error


class EventReader(BaseReader[Event]):
    """Reads one stream into a fold; see `BaseReader` for the other arguments."""

    def __init__(
        self,
        fold: EventFold[Event],
        clocks: Clocks,
        limit: int,
        *,
        handing_out: bool,
        clean: Callable[[bytes], bytes] = untouched,
    ) -> None:
        super().__init__(clocks, limit, last=fold.last, handing_out=handing_out, clean=clean)
        self.fold: EventFold[Event] = fold
        self._decoder_of_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(fold.event)

    def _taken(self, data: bytes) -> StreamEnd | None:
        try:
            event = self._decoder_of_events.decode(data)
        except UNDECODABLE as problem:
            error = error_in(data)
            if error is None:
                return Malformed(data[:SHOWN].decode("utf-8", "replace"), str(problem))
            return self._failed(error)
        self.fold.count += 1
        self.fold.add(event)
        self._settled = self.fold.settled
        failed = self.fold.error is not None
        self._keep(event, delivered=self.fold.delivered and not failed)
        return Finished() if failed else None

    def _failed(self, error: Any) -> StreamEnd | None:
        self.fold.fail(error)
        return Finished()

    def _whole(self) -> bool:
        return self.fold.finished

    def _began(self) -> bool:
        return bool(self.fold.count)

    def snapshot(self) -> Any:
        """Give what there is of the answer."""
        return self.fold.result()

    def outcome(self, status: int, headers: Mapping[str, str], at: float) -> Streamed:
        """Tell how the attempt ended, or that it was left, with what there is of the answer."""
        fold = self.fold
        told = ChatCompletionResponse(id=fold.id, model=fold.model, error=fold.error)
        value = fold.result()
        end = self._end()
        return Streamed(status, end, told, headers, at, delivered=self.delivered, received=self.received, value=value)
