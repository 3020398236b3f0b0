"""How a run stands: what its parts agree on while it goes, and what they take rows from."""

from __future__ import annotations

from collections.abc import Iterator

from returns.result import Failure, Result, Success

from openrouter_client.bulk.ledger import Broken, Ledger
from openrouter_client.bulk.settings import Parts
from openrouter_client.bulk.sources import Raw
from openrouter_client.bulk.tables import ABSENT, Flight
from openrouter_core.bulk.figures import Counts, counted, left, sent
from openrouter_core.bulk.identity import digest, digest_of
from openrouter_core.bulk.lines import Outcome, failed
from openrouter_core.bulk.rows import at, read_row
from openrouter_core.bulk.states import TODO, Stop
from openrouter_core.wire.request import ChatCompletionRequest

Asked = tuple[Flight, ChatCompletionRequest, str]
"""A row that can be asked: as the ledger needs it, its request, and where it stands in the input."""


class Standing:
    """How a run stands, and whether it was stopped; `states` has a byte for each row, from row 1 at place 1.

    `spent` is the most that earlier runs of the ledger can have cost in USD, and for batches this one too.
    """

    def __init__(self, parts: Parts, default_model: str) -> None:
        self.parts: Parts = parts
        self.default_model: str = default_model
        self.counts: Counts = Counts(rows=0)
        self.states: bytearray = bytearray()
        self.spent: float = 0.0
        self.stopped: Stop | None = None
        self.told: str = ""

    def stop(self, why: Stop, told: str) -> None:
        """Stop the run, unless it is stopped already."""
        if self.stopped is None:
            self.stopped, self.told = why, told

    def moved(self, row: int, state: int) -> bool:
        """Note the state of a row; tell whether it is one of this run, whose limit may be lower than an earlier's."""
        within = row < len(self.states)
        if within:
            self.states[row] = state
        return within

    def todo(self) -> Iterator[tuple[int, Raw, bool]]:
        """Give the rows that are to be asked: number, what stands there, and whether the ledger knows them."""
        last = len(self.states) - 1
        for row, raw in enumerate(self.parts.source.rows(), start=1):
            if row > last:
                return
            if self.states[row] in (ABSENT, TODO):
                yield row, raw, self.states[row] == TODO

    def read(self, row: int, raw: Raw, *, known: bool) -> Result[Asked, tuple[Flight, Outcome]]:
        """Make the request of a row, which is being asked from now on, or the outcome of one that cannot be."""
        self.counts = sent(self.counts)
        custom_id, flaw = None, None
        columns = self.parts.source.columns(raw)
        made = columns.bind(lambda one: read_row(one, raw.place, self.parts.plan))
        if isinstance(made, Success):
            custom_id, request = made.unwrap().custom_id, made.unwrap().request
            hashed = digest_of(request, self.default_model)
            if isinstance(hashed, Success):
                return Success((Flight(row, custom_id, hashed.unwrap(), known), request, raw.place))
            flaw = at(raw.place, hashed.failure())
        flaw = flaw or made.failure()
        flight = Flight(row, custom_id, digest(["no request", str(raw.data)]), known)
        return Failure((flight, failed(row, custom_id, flaw, 0.0)))

    async def end(self, flight: Flight, outcome: Outcome, ledger: Ledger) -> None:
        """Write down how a row ended."""
        flight.ended = True
        try:
            await ledger.write(lambda tables: tables.end(flight, outcome))
        except Broken:
            self.counts = left(self.counts, sent=flight.sent)
            raise
        self.counts = counted(self.counts, outcome)
