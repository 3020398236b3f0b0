"""Two copies of one call: the second is begun when the first is slow, and the first good answer wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import DataSourceError
from openrouter_core.evidence import cost_of
from openrouter_core.hedge import Hedge, HedgeState, answered, begun, delay, initial, spent
from openrouter_core.wire.attempt import CallRecord, Hedged
from openrouter_core.wire.response import ChatCompletionResponse

Answer = Result[ChatCompletionResponse, DataSourceError]
Copy = Callable[[], Coroutine[Any, Any, Answer]]


class Hedging:
    """Runs calls hedged. It holds the one mutable cell: what is known of the answers' times, and the budget."""

    def __init__(self, hedge: Hedge) -> None:
        self.hedge: Hedge = hedge
        self.state: HedgeState = initial(hedge)

    async def run(self, copy: Copy, worst: float | None) -> Answer:
        """Run a call, and a second copy of it when it is slow and the budget allows; the loser is cancelled.

        `worst` is what a copy can cost at most, in USD. Cancelling this cancels both.
        """
        self.state = begun(self.hedge, self.state)
        loop = asyncio.get_running_loop()
        began, copies = loop.time(), [asyncio.ensure_future(copy())]
        try:
            await asyncio.wait(copies, timeout=delay(self.hedge, self.state))
            paid = None if copies[0].done() else spent(self.state)
            if paid is None:
                return self.learned(await copies[0], loop.time() - began)
            self.state, after = paid, loop.time() - began
            copies.append(asyncio.ensure_future(copy()))
            winner = await first_good(copies)
            if winner is None:
                return await copies[0]
            won = self.learned(await copies[winner], loop.time() - began - (after if winner else 0.0))
            return won.map(told(copies, winner, after, worst))
        finally:
            for one in copies:
                one.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    def learned(self, answer: Answer, seconds: float) -> Answer:
        """Remember how long a good answer took."""
        if isinstance(answer, Success):
            self.state = answered(self.state, seconds)
        return answer


async def first_good(copies: Sequence[asyncio.Future[Answer]]) -> int | None:
    """Wait for the first good answer, and tell whose it is; None when there is none."""
    waiting = set(copies)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        good = [one for one in copies if one in done and isinstance(one.result(), Success)]
        if good:
            return copies.index(good[0])
    return None


def told(
    copies: Sequence[asyncio.Future[Answer]], winner: int, after: float, worst: float | None
) -> Callable[[ChatCompletionResponse], ChatCompletionResponse]:
    """Attach to an answer that there were two copies, and what became of the other."""
    other = copies[1 - winner]
    fate, cost = ended(other.result()) if other.done() else ("cancelled", None)
    record = Hedged(after=after, winner="second" if winner else "first", other=fate, other_cost=cost, other_worst=worst)

    def noted(answer: ChatCompletionResponse) -> ChatCompletionResponse:
        call = msgspec.structs.replace(answer.call or CallRecord(), hedged=record)
        return msgspec.structs.replace(answer, call=call)

    return noted


def ended(answer: Answer) -> tuple[str, float | None]:
    """Tell how the other copy ended, and what it cost in USD, if that is known."""
    if isinstance(answer, Failure):
        error = answer.failure()
        return type(error).__name__, cost_of(error)
    return "answered too late", answer.unwrap().cost
