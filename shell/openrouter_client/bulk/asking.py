"""Asks rows one call each: so many workers, each of which takes the next row when its last one has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import msgspec
from returns.result import Failure

from openrouter_client.bulk.ledger import Broken, Ledger
from openrouter_client.bulk.recording import FLIGHT
from openrouter_client.bulk.sources import Raw, placed
from openrouter_client.bulk.standing import Asked, Standing
from openrouter_client.bulk.tables import Flight
from openrouter_client.calls import CallOptions, Calls
from openrouter_core.bulk.figures import left
from openrouter_core.bulk.lines import Answer, Outcome, Wanted, outcome_of, with_earlier
from openrouter_core.bulk.states import Stop
from openrouter_core.question import Question, read
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


class Workers:
    """The way of a run through calls. There are no barriers: who is done takes the next row."""

    def __init__(self, standing: Standing, calls: Calls, options: CallOptions) -> None:
        self.standing: Standing = standing
        self.calls: Calls = calls
        self.options: CallOptions = options
        self._flights: dict[asyncio.Task[None], tuple[Flight, float]] = {}

    def slowest(self, most: int) -> list[tuple[int, str | None, float]]:
        """Give the rows that have been under way for longest: row, its own name, and since how many seconds."""
        now = self.calls.world.now()
        under_way = sorted(self._flights.values(), key=lambda one: one[1])[:most]
        return [(flight.row, flight.custom_id, now - began) for flight, began in under_way]

    def stop(self, why: Stop, told: str) -> None:
        """Begin no more rows. Calls that are under way are finished; those that wait in line are left for later."""
        self.standing.stop(why, told)
        for task, (flight, _) in self._flights.items():
            if not flight.sent:
                task.cancel()

    def abort(self) -> None:
        """Drop the calls that are under way."""
        for task in self._flights:
            task.cancel()

    def rows(self) -> Iterator[tuple[int, Raw, bool]]:
        """Give the rows that are to be asked: number, what stands there, and whether the ledger knows them."""
        return self.standing.todo()

    async def drive(self, ledger: Ledger) -> None:
        """Ask all rows that are to be asked; raises `Broken` when the ledger does not take it down."""
        rows = self.rows()
        many = min(self.standing.parts.settings.max_in_flight, max(1, self.standing.counts.todo))
        workers = [asyncio.create_task(self._work(rows, ledger)) for _ in range(many)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, rows: Iterator[tuple[int, Raw, bool]], ledger: Ledger) -> None:
        """Be a worker. All take from one iterator; between two awaits nobody else does."""
        for row, raw, known in rows:
            if self.standing.stopped is not None:
                return
            asked = self.standing.read(row, raw, known=known)
            if isinstance(asked, Failure):
                flight, outcome = asked.failure()
                await self.standing.end(flight, outcome, ledger)
            else:
                await self._ask(asked.unwrap(), ledger)

    async def _answer(self, request: ChatCompletionRequest) -> tuple[Answer, tuple[ChatCompletionResponse, ...]]:
        """Ask, and ask again while the answer may be repaired and the run goes on."""
        wanted, repair = self.standing.parts.wanted, self.standing.parts.settings.repair

        def over() -> bool:
            return self.standing.stopped is not None

        return await repaired(self.calls, request, self.options, wanted=wanted, repair=repair, over=over)

    async def _ask(self, asked: Asked, ledger: Ledger) -> None:
        """Ask one row, and write down what came of it."""
        flight = asked[0]
        ended = await self._under_way(flight, self._ended(asked))
        if ended is None:
            return
        answer, outcome = ended
        if outcome.stop is not None:
            self.stop(outcome.stop, str(answer.failure()))
        await self.standing.end(flight, outcome, ledger)

    async def _ended(self, asked: Asked) -> tuple[Answer, Outcome]:
        """Ask one row; give the answer, and what is to be written down of it."""
        flight, request, place = asked
        began = self.calls.world.now()
        FLIGHT.set(flight)
        answer, earlier = await self._answer(request)
        told = answer.alt(lambda error: placed(error, place))
        seconds = self.calls.world.now() - began
        outcome = outcome_of(flight.row, flight.custom_id, told, self.standing.parts.wanted, seconds)
        return answer, with_earlier(outcome, earlier) if earlier else outcome

    async def _under_way(self, flight: Flight, asking: Awaitable[T]) -> T | None:
        """Count a row as under way while it is asked; None where it was left, because the run has stopped."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a row is asked by a task, which can be cancelled")
        self._flights[task] = (flight, self.calls.world.now())
        try:
            return await asking
        except (asyncio.CancelledError, Broken) as error:
            self.standing.counts = left(self.standing.counts, sent=flight.sent)
            if self.standing.stopped is None or isinstance(error, Broken):
                raise
            return None
        finally:
            self._flights.pop(task, None)


async def repaired(
    calls: Calls,
    request: ChatCompletionRequest,
    options: CallOptions,
    *,
    wanted: Wanted | None,
    repair: int,
    over: Callable[[], bool],
) -> tuple[Answer, tuple[ChatCompletionResponse, ...]]:
    """Ask, and ask again while the answer does not fit and may be repaired; give the last answer and those before.

    The deadline is for all of them together. Nothing is asked again once the run is `over`.
    """
    if wanted is None or not repair:
        return await calls.complete(request, options), ()
    options = msgspec.structs.replace(options, began=calls.world.now())
    question = Question(wanted.type, request, repair, known=wanted.known)
    while True:
        answer = await calls.complete(question.request, options)
        if isinstance(answer, Failure) or over():
            return answer, question.earlier
        again = read(question, answer.unwrap()).value_or(None)
        if not isinstance(again, Question):
            return answer, question.earlier
        question = again
