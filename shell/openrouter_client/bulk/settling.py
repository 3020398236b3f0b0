"""Rows in doubt, before the user's choice applies to them: OpenRouter is asked what became of their generations."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.opening import Opened, decided, unusable
from openrouter_client.bulk.settings import Parts
from openrouter_client.bulk.standing import Standing
from openrouter_client.bulk.tables import Doubtful, Flight, Mismatch, Tables
from openrouter_client.calling import Caller
from openrouter_client.calls import Calls
from openrouter_client.waiting import until_ended
from openrouter_client.world import RealWorld
from openrouter_core.bulk.doubts import Answered, Free, Paid, Settled, Unknown, cached, settled
from openrouter_core.bulk.lines import outcome_of
from openrouter_core.endpoints.catalogue import GET_GENERATION, GET_GENERATION_CONTENT
from openrouter_core.errors import ConnectError, DataSourceError
from openrouter_core.polling import Polling
from openrouter_core.wire.answers import One
from openrouter_core.wire.generation import Generation
from openrouter_core.wire.params import Id

AT_ONCE = 20
"""How many rows are asked about at once."""

SOON = Polling(first=0.5, factor=1.5, longest=2.0, deadline=8.0, absent=5.0)
"""A record takes some seconds to appear, and may have been asked for right after the kill."""

Doubts = Mapping[str, int]
"""How many rows in doubt were "answered" after all, are "free" to be asked again, were "paid", or are "unknown"."""


async def settle(begun: Opened, standing: Standing, calls: Calls) -> Result[tuple[Opened, Doubts], DataSourceError]:
    """Settle what can be settled, let the user's choice apply to the rest, and give the ledger as it is then.

    A run that is stopped meanwhile leaves the rest in doubt.
    """
    parts = standing.parts
    safe = bool(begun.tables.meta("safe")) and calls.config.safe_retries
    doubtful = begun.tables.doubtful()
    found = await Asking(calls, standing, safe=safe).ask(doubtful)

    def write() -> Opened:
        rows, tables = begun.counts.rows, begun.tables
        with tables.db:
            tables.db.execute("BEGIN IMMEDIATE")
            for one, what in zip(doubtful, found, strict=True):
                written(tables, one, what, parts)
            if standing.stopped is None:
                decided(tables, parts.settings.in_doubt)
            tables.set_meta(safe=calls.config.safe_retries)
        counts = tables.counts(rows)
        spent = max(begun.spent, counts.cost_usd)
        return msgspec.structs.replace(begun, states=tables.states(rows), counts=counts, spent=spent)

    try:
        ready = await asyncio.to_thread(write)
    except (sqlite3.Error, Mismatch) as error:
        return Failure(unusable(parts.ledger, error))
    return Success((ready, Counter(type(what).__name__.lower() for what in found)))


class Asking:
    """Asks about generations, until OpenRouter cannot be reached."""

    def __init__(self, calls: Calls, standing: Standing, *, safe: bool) -> None:
        self.standing: Standing = standing
        self.world: RealWorld = calls.world
        self.caller: Caller = Caller(calls)
        self.safe: bool = safe
        self.away: bool = False

    async def ask(self, doubtful: Sequence[Doubtful]) -> list[Settled]:
        """Ask about rows, some at a time."""
        found: list[Settled] = []
        for begin in range(0, len(doubtful), AT_ONCE):
            found += await asyncio.gather(*map(self.one, doubtful[begin : begin + AT_ONCE]))
        return found

    async def one(self, row: Doubtful) -> Settled:
        """Ask about a row."""
        if cached(row.sent, time.time(), safe=self.safe):
            return Free(cost_known=False)
        if row.generation_id is None or self.away or self.standing.stopped is not None:
            return Unknown()
        name = Id(id=row.generation_id)

        async def ask(left: float) -> Result[One[Generation], DataSourceError]:
            return await self.caller.call(GET_GENERATION, name, deadline_secs=left)

        record = await until_ended(self.world, ask, lambda _: True, SOON, f"generation {name.id}")
        if isinstance(record, Failure):
            if isinstance(record.failure(), ConnectError):
                self.away = True
            return Unknown()
        content = await self.caller.call(GET_GENERATION_CONTENT, name, deadline_secs=SOON.deadline)
        return settled(record.unwrap().data, content.map(lambda one: one.data).value_or(None))


def written(tables: Tables, row: Doubtful, what: Settled, parts: Parts) -> None:
    """Write down what became of a row in doubt."""
    match what:
        case Answered(answer):
            outcome = outcome_of(row.row, row.custom_id, Success(answer), parts.wanted, 0.0)
            event = "answer" if outcome.event == "answer" else "report"
            tables.known_cost(row.row, 0.0)
            flight = Flight(row.row, row.custom_id, b"", known=True)
            tables.end(flight, msgspec.structs.replace(outcome, event=event))
        case Paid(cost):
            tables.known_cost(row.row, cost)
        case Free(cost_known):
            if cost_known:
                tables.known_cost(row.row, 0.0)
            tables.move(row.row, "retry", "kind = NULL")
        case Unknown():
            pass
