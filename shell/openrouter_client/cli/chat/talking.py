"""One conversation: each turn asks with all that was said before, and shows the answer while it comes."""

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import msgspec
from returns.result import Failure, Result

from openrouter_client.cli.chat.asking import cost_line, first_messages, told_of, value_in
from openrouter_client.cli.exits import DONE
from openrouter_client.cli.output import Output
from openrouter_core.errors import DataSourceError, ParseError
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient
    from openrouter_client.streaming import ChatStream


class Talk:
    """A conversation. `pattern` is a request that has everything but the messages; the budget is for each turn."""

    def __init__(
        self,
        client: "OpenRouterClient",
        out: Output,
        pattern: ChatCompletionRequest,
        *,
        system: str | None,
        max_cost_usd: float | None,
    ) -> None:
        self._client = client
        self._out = out
        self._pattern = pattern
        self._system = system
        self._budget = max_cost_usd
        self._said: list[ChatMessage] = []

    async def turn(self, question: ChatMessage) -> int:
        """Ask, and show the answer; the result is an exit code. A question without an answer is forgotten."""
        messages = first_messages(self._system, self._said, question)
        request = msgspec.structs.replace(self._pattern, messages=messages)
        began = time.monotonic()
        stream = self._client.stream_chat_completion(request, max_cost_usd=self._budget)
        try:
            result = await self._streamed(stream)
        except asyncio.CancelledError:
            cut = stream.snapshot.id
            if cut is not None:
                self._out.remark(f"cut off: `openrouter-client generation {cut}` tells what it cost")
            raise
        if isinstance(result, Failure):
            return self._out.failed(result.failure())
        answer = result.unwrap()
        value: Any = None
        if self._pattern.response_format is not None:
            read = value_in(answer.text)
            if isinstance(read, Failure):
                return self._out.failed(misfit(answer, read.failure()))
            value = read.unwrap()
        if answer.message is not None:
            self._said += [question, answer.message.to_message()]
        told = told_of(answer, time.monotonic() - began, value)
        if self._out.json:
            self._out.value(told)
        self._out.remark(cost_line(told))
        return DONE

    async def _streamed(self, stream: "ChatStream") -> Result[ChatCompletionResponse, DataSourceError]:
        """Take a stream to its end, printing its text as it comes; with --json nothing is printed here."""
        last = "\n"
        with ExitStack() as status:
            status.enter_context(self._out.waiting("waiting for the first words"))
            async with stream:
                try:
                    async for text in stream.texts():
                        status.close()
                        if not self._out.json:
                            self._out.write(text)
                            last = text
                finally:
                    if not last.endswith("\n"):
                        self._out.write("\n")
        return stream.result


def misfit(answer: ChatCompletionResponse, flaw: str) -> ParseError:
    """Make the error of an answer that was to be JSON."""
    hint = "; it was cut: raise --max-tokens" if answer.finish_reason == "length" else ""
    return ParseError(
        message=f"the answer is no JSON ({flaw}){hint}", text=answer.text, generation_id=answer.id, partial=answer
    )
