"""Takes the results of a batch down, row by row, into the same ledger and the same output as calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from openrouter_client.bulk import parcels
from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.standing import Standing
from openrouter_client.bulk.tables import Flight, Tables
from openrouter_core.bulk.batches import Fetched, Intent, answer_of, costs_shared, results_of
from openrouter_core.bulk.figures import counted
from openrouter_core.bulk.lines import Outcome, outcome_of
from openrouter_core.bulk.states import DONE, TODO, Stop

TOGETHER = 500
"""How many rows are taken down at once."""

Ended = tuple[Flight, Outcome]


async def merged(standing: Standing, intent: Intent, batch: Fetched, ledger: Ledger) -> tuple[Stop, str] | None:
    """Write down how each row of a batch ended; tell why the run must stop, if it must.

    Rows that an earlier run has taken down already, before it was killed, are left as they are.
    """
    rows = await ledger.write(lambda tables: parcels.left_in(tables, intent.number))
    results, seconds, stop = results_of(intent, batch), max(0.0, time.time() - intent.at), None
    outcomes: list[Outcome] = []
    for row, name in rows.items():
        answer = answer_of(results.get(row), batch)
        outcome = outcome_of(row, name, answer, standing.parts.wanted, seconds)
        if outcome.stop is not None:
            stop = (outcome.stop, str(answer.failure()))
        outcomes.append(outcome)
    outcomes = costs_shared(outcomes, batch.cost)
    ended = [(Flight(row, name, b"", known=True), one) for (row, name), one in zip(rows.items(), outcomes, strict=True)]
    for begin in range(0, len(ended), TOGETHER):
        part = ended[begin : begin + TOGETHER]
        await ledger.write(writing(part))
        for flight, outcome in part:
            if standing.moved(flight.row, TODO if outcome.event == "give_back" else DONE):
                standing.counts = counted(standing.counts, outcome)
    cost = spent_on(intent, outcomes, batch.cost)
    standing.spent += cost - intent.worst
    await ledger.write(lambda tables: parcels.over(tables, intent, cost))
    return stop


def writing(part: Sequence[Ended]) -> Callable[[Tables], None]:
    """Make the write of some rows."""

    def write(tables: Tables) -> None:
        for flight, outcome in part:
            tables.end(flight, outcome)

    return write


def spent_on(intent: Intent, outcomes: Sequence[Outcome], told: float | None) -> float:
    """Tell what a batch cost in USD; the worst case where nobody told."""
    if told is not None:
        return told
    known = [one.cost for one in outcomes if one.cost is not None]
    return sum(known) if len(known) == len(outcomes) else max(intent.worst, sum(known))
