"""Packs rows into batches, one model each, as full as they may be."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.sources import placed
from openrouter_client.bulk.standing import Asked, Standing
from openrouter_client.calls import Calls
from openrouter_core.bulk.batches import LARGEST, Intent, Item, full, packable, taking
from openrouter_core.bulk.estimate import worst_in_batch
from openrouter_core.bulk.figures import left
from openrouter_core.bulk.lines import failed
from openrouter_core.errors import BudgetExceeded, DataSourceError

BREATH = 200
"""After so many rows others on the loop have their turn."""


class Pack(msgspec.Struct):
    """A batch in the making: its model, its rows, their bytes, and the most that they can cost in USD."""

    model: str
    items: list[Item] = []
    size: int = 0
    worst: float = 0.0


class Packer:
    """Takes the rows that are to be asked, and packs them, up to one that does not fit into the budget: `short`."""

    def __init__(self, standing: Standing, calls: Calls, ledger: Ledger) -> None:
        self.standing: Standing = standing
        self.calls: Calls = calls
        self.ledger: Ledger = ledger
        self.packs_open: dict[str, Pack] = {}
        self.short: BudgetExceeded | None = None

    async def packs(self) -> AsyncGenerator[tuple[Intent, list[Item]], None]:
        """Give packs, each as soon as it is full, and the rest at the end; none after the run was stopped."""
        try:
            for row, raw, known in self.standing.todo():
                if self.standing.stopped is not None:
                    break
                if row % BREATH == 0:
                    await asyncio.sleep(0)
                asked = self.standing.read(row, raw, known=known)
                if isinstance(asked, Failure):
                    flight, outcome = asked.failure()
                    await self.standing.end(flight, outcome, self.ledger)
                    continue
                made = self.item(asked.unwrap())
                if isinstance(made, Failure):
                    flight, _, place = asked.unwrap()
                    told = placed(made.failure(), place)
                    await self.standing.end(flight, failed(flight.row, flight.custom_id, told, 0.0), self.ledger)
                    continue
                model, item = made.unwrap()
                self.short = self.short_of(item)
                if self.short is not None:
                    self.standing.counts = left(self.standing.counts, sent=False)
                    break
                for pack in self.added(model, item):
                    yield self.drafted(pack), pack.items
            for pack in list(self.packs_open.values()):
                if self.standing.stopped is None:
                    yield self.drafted(self.packs_open.pop(pack.model)), pack.items
        finally:
            self.dropped()

    def dropped(self) -> None:
        """Leave the rows for later that are in no batch, because the run was stopped."""
        for pack in self.packs_open.values():
            for _ in pack.items:
                self.standing.counts = left(self.standing.counts, sent=False)
        self.packs_open.clear()

    def item(self, asked: Asked) -> Result[tuple[str, Item], DataSourceError]:
        """Make what is submitted of a row, and tell for which model."""
        flight, request, _ = asked
        packed = packable(request, self.calls.settings)
        if isinstance(packed, Failure):
            return packed
        model, body = packed.unwrap()
        worst = None
        if self.calls.config.max_cost_usd is not None:
            worst = worst_in_batch(body, model, self.calls.prices or {})
            worst = self.calls.config.assumed_cost_usd if worst is None else worst
        item = Item(flight.row, flight.custom_id, flight.hashed, flight.known, body, worst)
        return Success((model, item))

    def short_of(self, item: Item) -> BudgetExceeded | None:
        """Tell that a row does not fit into the budget beside those that are packed."""
        maximum = self.calls.config.max_cost_usd
        if maximum is None:
            return None
        packed, spent = sum(pack.worst for pack in self.packs_open.values()), self.standing.spent
        if item.worst is not None and spent + packed + item.worst <= maximum:
            return None
        missing = None if item.worst is None else spent + packed + item.worst - maximum
        words = "the next row could cost more than the budget still allows"
        return BudgetExceeded(
            message=words, maximum=maximum, spent=spent, reserved=packed, worst=item.worst, missing=missing
        )

    def added(self, model: str, item: Item) -> list[Pack]:
        """Put a row into its pack; give the packs that are full with that, or too much to hold together."""
        ready: list[Pack] = []
        pack = self.packs_open.setdefault(model, Pack(model))
        if full(len(pack.items), pack.size, taking(item.body)):
            ready.append(self.packs_open.pop(model))
            pack = self.packs_open.setdefault(model, Pack(model))
        pack.items.append(item)
        pack.size += taking(item.body)
        pack.worst += item.worst or 0.0
        if sum(one.size for one in self.packs_open.values()) > LARGEST:
            largest = max(self.packs_open.values(), key=lambda one: one.size)
            ready.append(self.packs_open.pop(largest.model))
        return ready

    def drafted(self, pack: Pack) -> Intent:
        """Make the intent of a pack; its mark tells its requests from everybody else's."""
        self.standing.spent += pack.worst
        return Intent(
            number=0,
            mark=secrets.token_hex(6),
            model=pack.model,
            rows=len(pack.items),
            at=time.time(),
            worst=pack.worst,
        )
