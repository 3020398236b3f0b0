"""What is written down while a call runs: the intent before each attempt, and its id as soon as the headers are there.

The call itself knows nothing of it: its task carries the row (`FLIGHT`), and the world that it runs in looks there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar

from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.tables import Flight
from openrouter_client.line import Line
from openrouter_client.transport import Transport
from openrouter_client.world import RealWorld
from openrouter_core.endpoint import HttpRequest
from openrouter_core.limit.money import NANO
from openrouter_core.outcome import Outcome

FLIGHT: ContextVar[Flight | None] = ContextVar("FLIGHT", default=None)
"""The row that the running task asks."""


class RecordingWorld(RealWorld):
    """The real world, in which no row is sent before that is durable. `before` is what was spent earlier, in USD."""

    def __init__(self, transport: Transport, line: Line, ledger: Ledger, before: float) -> None:
        super().__init__(transport, line)
        self.ledger: Ledger = ledger
        self.before: float = before
        transport.heard = self.heard

    async def send(self, request: HttpRequest, timeout: float) -> Outcome:  # noqa: ASYNC109 - as in RealWorld
        """Write the intent down, then send; raises `Broken` when it cannot be written, and nothing is sent."""
        flight = FLIGHT.get()
        if flight is not None and request.method == "POST":
            await self.intend(flight)
        return await self.transport.send(request, timeout)

    async def intend(self, flight: Flight) -> None:
        """Write down that a row is about to be sent; raises `Broken`."""
        at, spent = time.time(), self.spent()
        flight.sent = True
        await self.ledger.write(lambda tables: tables.intend(flight, at, spent))

    def heard(self, headers: Mapping[str, str]) -> None:
        """Write down which generation a call has become, unless its whole answer is there too."""
        flight, generation_id = FLIGHT.get(), headers.get("X-Generation-Id")
        if flight is not None and generation_id:
            asyncio.get_running_loop().call_soon(self.noted, flight, generation_id)

    def noted(self, flight: Flight, generation_id: str) -> None:
        """Have it written with the next commit."""
        if not flight.ended:
            self.ledger.post(lambda tables: tables.note(flight.row, generation_id))

    def spent(self) -> float | None:
        """Tell the most that all runs of this ledger can have cost in USD by now; None where nobody counts it."""
        if self.line.money is None:
            return None
        purse = self.line.admission.purse
        return self.before + (purse.spent + purse.reserved) / NANO
