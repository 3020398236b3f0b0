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
`Reader` is mutable, as `fold.Fold` is, and belongs to one attempt; it does no I/O and reads no clock. What is the same
for all kinds of streams is in `reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from openrouter_core.envelope import UNDECODABLE
from openrouter_core.fold import Fold
from openrouter_core.outcome import Finished, Malformed, Streamed, StreamEnd
from openrouter_core.reader import SHOWN, BaseReader, error_in, untouched
from openrouter_core.states import Clocks
from openrouter_core.wire.chunk import ChatCompletionChunk, Delta, FunctionCallDelta, StreamChoice, ToolCallDelta
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.response import ChatCompletionResponse, ResponseMessage

_DECODER: Final = msgspec.json.Decoder(ChatCompletionChunk)


class Reader(BaseReader[ChatCompletionChunk]):
    """Reads one stream of a chat completion; see `BaseReader` for the arguments."""

    def __init__(
        self, clocks: Clocks, limit: int, *, handing_out: bool, clean: Callable[[bytes], bytes] = untouched
    ) -> None:
        super().__init__(clocks, limit, last="finish_reason", handing_out=handing_out, clean=clean)
        self.fold: Fold = Fold()

    def _taken(self, data: bytes) -> StreamEnd | None:
        try:
            chunk = _DECODER.decode(data)
        except UNDECODABLE as problem:
            error = error_in(data)
            if error is None:
                return Malformed(data[:SHOWN].decode("utf-8", "replace"), str(problem))
            return self._failed(error)
        return self._chunk(chunk)

    def _failed(self, error: Any) -> StreamEnd | None:
        return self._chunk(ChatCompletionChunk(error=error))

    def _chunk(self, chunk: ChatCompletionChunk) -> StreamEnd | None:
        self.fold.add(chunk)
        self._settled = (self._settled or chunk.usage is not None) and self.fold.finished
        failed = self.fold.error is not None
        if self.handing_out:
            self._held.append(chunk)  # not by `_keep`: what is asked once for a stream is dear for every chunk
            self.delivered: bool = self.delivered or (self.fold.delivered and not failed)
        return Finished() if failed else None

    def _whole(self) -> bool:
        return self.fold.finished

    def _began(self) -> bool:
        return bool(self.fold.chunks)

    def snapshot(self) -> ChatCompletionResponse:
        """Give what there is of the answer."""
        return self.fold.result()

    def outcome(self, status: int, headers: Mapping[str, str], at: float) -> Streamed:
        """Tell how the attempt ended, or that it was left, with what there is of the answer."""
        answer = self.fold.result()
        return Streamed(status, self._end(), answer, headers, at, delivered=self.delivered, received=self.received)


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
