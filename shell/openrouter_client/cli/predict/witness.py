"""What the client's hook sees of each row: attempts, why they were made again, and what the answers used.

It notes and passes on; it waits for nothing. The tasks that ask say in `current_row` which row they are at.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field

from openrouter_client.cli.predict.boards import Board
from openrouter_client.cli.predict.report import Wait
from openrouter_client.cli.predict.rows import Call
from openrouter_client.cli.spending import short_reason, total, usages_of
from openrouter_core.journal import Answered, Moment, Sent, Slept
from openrouter_core.wire.response import Usage

REPAIRS = 1
"""How often a model may be asked again whose answer is no prediction."""

MISFIT = "ParseError in a 200"
"""How an attempt ended whose answer was no prediction, in the words of `short_reason`."""

current_row: ContextVar[int] = ContextVar("current_row")
"""The index of the row whose call runs in this task: what the client's hook is told has to be told apart by row."""


@dataclass
class Seen:
    """What was seen of a row: the attempts made, how those ended that were made again, and what answers used."""

    attempts: int = 0
    retried: list[str] = field(default_factory=list[str])
    usages: list[Usage] = field(default_factory=list[Usage])


class Witness:
    """The hook. A wrong answer is billed too, so costs and tokens are taken from every answer, not from the last."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._seen: dict[int, Seen] = {}

    def retried(self, index: int) -> tuple[str, ...]:
        """How those attempts of a row had ended that were made again."""
        return tuple(self._seen.get(index, Seen()).retried)

    def call(self, index: int, latency: float, *, model: str | None, generation_id: str | None) -> Call:
        """What a row took, all its attempts and answers together."""
        seen = self._seen.get(index, Seen())
        return Call(
            attempts=seen.attempts,
            retried=tuple(seen.retried),
            latency_secs=latency,
            cost_usd=total(usage.cost for usage in seen.usages),
            prompt_tokens=total(usage.prompt_tokens for usage in seen.usages),
            completion_tokens=total(usage.completion_tokens for usage in seen.usages),
            model=model,
            generation_id=generation_id,
        )

    def __call__(self, moment: Moment) -> None:
        """Hear one event of a call. Calls that belong to no row are ignored."""
        index = current_row.get(-1)
        if index < 0:
            return
        seen = self._seen.setdefault(index, Seen())
        match moment.event:
            case Sent(number=number):
                if number == 1 and seen.attempts:
                    seen.retried.append(MISFIT)
                    reason = f"{MISFIT}: the answer was no prediction, asking again"
                    self._board.waiting(index, Wait(retry=1, of=REPAIRS, delay=0.0, reason=reason))
                seen.attempts += 1
                self._board.sending(index, seen.attempts)
            case Answered(outcome=outcome):
                seen.usages.extend(usages_of(outcome))
            case Slept(number=number, of=of, delay=delay, error=error):
                seen.retried.append(short_reason(error))
                limit = None if of is None else of - 1
                reason = f"{short_reason(error)}: {error.message}"
                self._board.waiting(index, Wait(retry=number, of=limit, delay=delay, reason=reason))
            case _:
                pass
