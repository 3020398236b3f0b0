"""One conversation: each turn asks with all that was said before, and shows the answer while it comes."""

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.cli.chat.asking import cost_line, first_messages, told_of
from openrouter_client.cli.exits import DONE
from openrouter_client.cli.output import Output
from openrouter_core.conform import AnswerSchema
from openrouter_core.errors import DataSourceError, ParseError
from openrouter_core.question import ask
from openrouter_core.typed import Parsed
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
        wanted: AnswerSchema | None = None,
        repair: int = 0,
    ) -> None:
        self._client = client
        self._out = out
        self._pattern = pattern
        self._system = system
        self._budget = max_cost_usd
        self._wanted = wanted
        self._repair = repair
        self._said: list[ChatMessage] = []

    async def turn(self, question: ChatMessage) -> int:
        """Ask, and show the answer; the result is an exit code. A question without an answer is forgotten."""
        messages = first_messages(self._system, self._said, question)
        request = msgspec.structs.replace(self._pattern, messages=messages)
        began, value = time.monotonic(), None
        if self._wanted is None:
            result = await self._asked(request, self._budget)
        else:
            fitting = await self._fitting(request, self._wanted)
            result, value = fitting.map(lambda one: one.response), fitting.map(lambda one: one.value).value_or(None)
        if isinstance(result, Failure):
            return self._failed(result.failure())
        answer = result.unwrap()
        if self._wanted is not None and not self._out.json:
            self._out.write(answer.text.rstrip("\n") + "\n")
        if answer.message is not None:
            self._said += [question, answer.message.to_message()]
        told = told_of(answer, time.monotonic() - began, value)
        if self._out.json:
            self._out.value(told)
        self._out.remark(cost_line(told))
        return DONE

    def _failed(self, error: DataSourceError) -> int:
        """Say why there is no answer; one that did not fit was paid, and is shown to people all the same."""
        if isinstance(error, ParseError) and error.text and not self._out.json:
            self._out.remark(error.text)
        return self._out.failed(error)

    async def _fitting(
        self, request: ChatCompletionRequest, wanted: AnswerSchema
    ) -> Result[Parsed[Any], DataSourceError]:
        """Ask for an answer that fits, again where that may repair it, all within one budget."""
        from openrouter_client.tools import run_question

        left = self._budget

        async def complete(asked: ChatCompletionRequest) -> Result[ChatCompletionResponse, DataSourceError]:
            nonlocal left
            answer = await self._asked(asked, left)
            if left is not None and isinstance(answer, Success):
                cost = answer.unwrap().cost
                left = 0.0 if cost is None else max(0.0, left - cost)
            return answer

        question = ask(cast("type[Any]", wanted), request, self._repair)
        return question if isinstance(question, Failure) else await run_question(question.unwrap(), complete)

    async def _asked(
        self, request: ChatCompletionRequest, budget: float | None
    ) -> Result[ChatCompletionResponse, DataSourceError]:
        """Ask once, and show what comes, unless it has to fit first."""
        stream = self._client.stream_chat_completion(request, max_cost_usd=budget)
        try:
            return await self._streamed(stream)
        except asyncio.CancelledError:
            cut = stream.snapshot.id
            if cut is not None:
                self._out.remark(f"cut off: `openrouter-client generation {cut}` tells what it cost")
            raise

    async def _streamed(self, stream: "ChatStream") -> Result[ChatCompletionResponse, DataSourceError]:
        """Take a stream to its end, printing its text as it comes; with --json or a schema nothing is."""
        last, shown = "\n", self._wanted is None and not self._out.json
        with ExitStack() as status:
            status.enter_context(self._out.waiting("waiting for the first words"))
            async with stream:
                try:
                    async for text in stream.texts():
                        if self._wanted is None:
                            status.close()
                        if shown:
                            self._out.write(text)
                            last = text
                finally:
                    if not last.endswith("\n"):
                        self._out.write("\n")
        return stream.result
