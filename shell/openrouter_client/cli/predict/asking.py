"""Ask the model about every market, a bounded number at a time, and tell a board what happens.

The only place of the command that waits. It knows a client by one method, so tests can bring their own.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from returns.result import Failure, Result, Success

from openrouter_client.cli.predict.boards import Board
from openrouter_client.cli.predict.markets import Market
from openrouter_client.cli.predict.prediction import Prediction, edge, request_for
from openrouter_client.cli.predict.rows import Call, Failed, NotDone, Predicted, Row
from openrouter_client.cli.predict.witness import REPAIRS, Witness, current_row
from openrouter_core.errors import DataSourceError
from openrouter_core.typed import Parsed
from openrouter_core.wire.request import ChatCompletionRequest

T = TypeVar("T")

REFRESH_SECS = 0.1


class Asker(Protocol):
    """What is needed of a client."""

    async def chat_completion_as(
        self, wanted: type[T], request: ChatCompletionRequest, *, repair: int = 0
    ) -> Result[Parsed[T], DataSourceError]:
        """One typed answer, with its retries and repairs."""
        ...


class Asking:
    """One run over some markets."""

    def __init__(
        self, client: Asker, markets: Sequence[Market], *, model: str | None, board: Board, witness: Witness
    ) -> None:
        self._client = client
        self._markets = markets
        self._model = model
        self._board = board
        self._witness = witness
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._unheard = False

    async def all(self, concurrency: int) -> list[Row]:
        """The rows in the order of the markets; at most `concurrency` calls are under way at any time.

        Cancelling this (Ctrl-C) cancels the calls, and gives the rows that are there; the others are `NotDone`.
        """
        todo = iter(range(len(self._markets)))
        try:
            async with asyncio.TaskGroup() as group:
                ticker = group.create_task(self._tick())
                await asyncio.gather(*(group.create_task(self._work(todo)) for _ in range(concurrency)))
                ticker.cancel()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
        for index in range(len(self._markets)):
            if index not in self._rows:
                self._finish(index, self._not_done(index))
        return [self._rows[index] for index in range(len(self._markets))]

    async def _work(self, todo: Iterator[int]) -> None:
        # All workers take from one iterator; between two awaits nobody else does.
        for index in todo:
            if self._unheard:
                # `predict ... | head`: nobody reads on, so nobody should pay on.
                return
            current_row.set(index)
            self._asked.add(index)
            self._board.asked(index)
            self._finish(index, await self._one(index))

    async def _tick(self) -> None:
        while True:
            self._board.refresh()
            await asyncio.sleep(REFRESH_SECS)

    async def _one(self, index: int) -> Row:
        market = self._markets[index]
        began = time.monotonic()
        result = await self._client.chat_completion_as(Prediction, request_for(market, self._model), repair=REPAIRS)
        latency = time.monotonic() - began
        match result:
            case Success(parsed):
                response = parsed.response
                call = self._witness.call(index, latency, model=response.model, generation_id=response.id)
                return predicted(index, market, parsed.value, call)
            case Failure(error):
                model = error.partial.model if error.partial else None
                call = self._witness.call(index, latency, model=model, generation_id=error.generation_id)
                return Failed(**named(index, market), kind=type(error).__name__, error=str(error), call=call)
            case _:
                raise AssertionError(result)

    def _finish(self, index: int, row: Row) -> None:
        self._rows[index] = row
        try:
            self._board.finished(row)
        except BrokenPipeError:
            self._unheard = True

    def _not_done(self, index: int) -> NotDone:
        market, retried = self._markets[index], self._witness.retried(index)
        return NotDone(**named(index, market), asked=index in self._asked, retried=retried)


def predicted(index: int, market: Market, prediction: Prediction, call: Call) -> Predicted:
    """The row of a prediction, with its edge at the market's prices."""
    return Predicted(
        **named(index, market),
        prediction=prediction.prediction,
        confidence=prediction.confidence,
        target_price=prediction.target_price,
        edge=edge(market, prediction),
        reasoning=prediction.reasoning,
        call=call,
    )


def named(index: int, market: Market) -> Mapping[str, Any]:
    """What every row says of its market."""
    return {
        "row": index + 1,
        "id": market.id,
        "question": market.question,
        "yes_price": market.yes_price,
        "no_price": market.no_price,
    }
