"""A bulk run: so many workers, each of which takes the next row when its last one has ended; there are no batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.ledger import Broken, Ledger
from openrouter_client.bulk.opening import Opened, Wish, opened
from openrouter_client.bulk.output import Output
from openrouter_client.bulk.recording import FLIGHT, RecordingWorld
from openrouter_client.bulk.settings import BatchSettings, Parts, parts_of
from openrouter_client.bulk.sources import Known, Raw, placed, unreadable
from openrouter_client.bulk.tables import ABSENT, Flight
from openrouter_client.calls import NO_OPTIONS, CallOptions, Calls
from openrouter_client.environment import config_from_environment
from openrouter_client.making import calls_of
from openrouter_client.observe import Observe
from openrouter_core.admission import Stats
from openrouter_core.bulk.figures import (
    Counts,
    Meter,
    Progress,
    Summary,
    counted,
    left,
    marked,
    progress,
    sent,
    summed,
)
from openrouter_core.bulk.identity import Fingerprint, digest, digest_of, settings_of
from openrouter_core.bulk.lines import Outcome, failed, outcome_of
from openrouter_core.bulk.rows import at, read_row
from openrouter_core.bulk.states import TODO, Stop
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError
from openrouter_core.fallback import Fallback
from openrouter_core.refuse import refuse
from openrouter_core.wire.request import ChatCompletionRequest

Asked = tuple[Flight, ChatCompletionRequest, str]


class BatchRun:
    """Asks a model about every row of a file, once, and writes a line for each. Made with `new`, and run once.

        run = unwrap(BatchRun.new("prompts.jsonl", "results.jsonl", BatchSettings(model="openai/gpt-4o-mini")))
        summary = unwrap(await run.run())

    What was asked and answered is in a ledger beside the output. Killed at any instant and run again, it goes on: no
    row is lost or written twice, and no call is paid twice but those that were in flight at the kill.
    """

    def __init__(self, parts: Parts, calls: Calls, stream: IO[bytes] | None, fallbacks: Sequence[Fallback]) -> None:
        """Not for users: `new` makes runs."""
        self.parts: Parts = parts
        self.calls: Calls = calls
        self.stream: IO[bytes] | None = stream
        self.options: CallOptions = CallOptions(fallbacks=fallbacks) if fallbacks else NO_OPTIONS
        self.counts: Counts = Counts(rows=0)
        self.stopped: Stop | None = None
        self.told: str = ""
        self._meter: Meter = Meter()
        self._began: float = 0.0
        self._flights: dict[asyncio.Task[None], tuple[Flight, float]] = {}

    @classmethod
    def new(
        cls,
        source: str | Path,
        output: str | Path | IO[bytes],
        settings: BatchSettings | None = None,
        *,
        config: OpenRouterConfig | None = None,
        ledger: str | Path | None = None,
        fallbacks: Sequence[Fallback] = (),
        observe: Observe | None = None,
    ) -> Result[BatchRun, DataSourceError]:
        """Prepare a run of a file of rows, or say what is wrong with its settings; nothing is read or sent yet.

        `output` is a file, or a binary stream, which gets all lines of the ledger. `config` is the client's (from the
        environment, if left out): its limits, deadlines, retries and `max_cost_usd` apply, the latter to all runs of
        the ledger together. `ledger` is a file beside the output, if left out.
        """
        wished = settings or BatchSettings()
        to = Path(output) if isinstance(output, (str, Path)) else None
        parts = parts_of(Path(source), to, None if ledger is None else Path(ledger), wished)
        settled = Success(config) if config is not None else config_from_environment({})
        for given in (parts, settled):
            if isinstance(given, Failure):
                return given
        least = max(wished.max_in_flight, settled.unwrap().max_connections)
        own = msgspec.structs.replace(settled.unwrap(), max_connections=least)
        stream = None if isinstance(output, (str, Path)) else output
        return calls_of(own, observe=observe).map(lambda calls: cls(parts.unwrap(), calls, stream, fallbacks))

    # --- looking ------------------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        """Tell how the run stands. To be called on its event loop, while it runs."""
        now = self.calls.world.now()
        self._meter = marked(self._meter, now, self.counts.ended)
        return progress(self.counts, self._meter, self._began, now)

    def stats(self) -> Stats:
        """Tell what the limiters have found out; see `OpenRouterClient.stats`."""
        return self.calls.line.stats()

    def slowest(self, most: int = 3) -> list[tuple[int, str | None, float]]:
        """Give the rows that have been under way for longest: row, its own name, and since how many seconds."""
        now = self.calls.world.now()
        under_way = sorted(self._flights.values(), key=lambda one: one[1])[:most]
        return [(flight.row, flight.custom_id, now - began) for flight, began in under_way]

    # --- stopping -----------------------------------------------------------------------------------------------------

    def stop(self, why: Stop = "interrupted", told: str = "") -> None:
        """Begin no more rows. Calls that are under way are finished; those that wait in line are left for later."""
        if self.stopped is None:
            self.stopped, self.told = why, told
        for task, (flight, _) in self._flights.items():
            if not flight.sent:
                task.cancel()

    def abort(self, why: Stop = "interrupted", told: str = "") -> None:
        """End at once. Calls that are under way are dropped; they may be paid, and are in doubt for the next run."""
        self.stop(why, told)
        for task in self._flights:
            task.cancel()

    # --- running ------------------------------------------------------------------------------------------------------

    async def run(self) -> Result[Summary, DataSourceError]:
        """Run all rows that are not answered yet. A failure says why the run could not begin."""
        try:
            begun = await self._opened()
            if isinstance(begun, Failure):
                return begun
            return Success(await self._run(begun.unwrap()))
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections. A run is over with that."""
        await self.calls.transport.close()
        self.calls.line.close()
        await self.calls.line.disconnect()

    async def known(self) -> Result[Known, DataSourceError]:
        """Read the input once, to know it."""
        try:
            known = await asyncio.to_thread(self.parts.source.scan)
        except OSError as error:
            return Failure(unreadable(error))
        return Success(known) if known.rows else Failure(refuse("input", "has no rows; each line is to be one"))

    async def _opened(self) -> Result[Opened, DataSourceError]:
        known = await self.known()
        if isinstance(known, Failure):
            return known
        told, parts = known.unwrap(), self.parts
        asking = settings_of(parts.plan.asking, self._default_model)
        asking["fallbacks"] = [one.model for one in self.options.fallbacks]
        wish = Wish(
            ledger=parts.ledger,
            output=parts.output,
            fingerprint=Fingerprint(told.hash, told.rows, asking),
            rows=min(told.rows, parts.settings.limit or told.rows),
            in_doubt=parts.settings.in_doubt,
            retry_failed=parts.settings.retry_failed,
        )
        return await asyncio.to_thread(opened, wish)

    @property
    def _default_model(self) -> str:
        return self.calls.config.default_model

    async def _run(self, begun: Opened) -> Summary:
        """Let the workers work, and sum up."""
        self._began, self.counts = self.calls.world.now(), begun.counts
        self._meter = marked(Meter(), self._began, self.counts.ended)
        ledger = Ledger(begun.tables, Output(self.parts.output, self.stream, ordered=self.parts.settings.ordered))
        try:
            await ledger.prepare()
            await self._budget(ledger, begun.spent)
            rows = self._todo(begun.states)
            many = min(self.parts.settings.max_in_flight, max(1, begun.counts.todo))
            workers = [asyncio.create_task(self._work(rows, ledger)) for _ in range(many)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        except Broken as error:
            self.abort("ledger", str(error))
        finally:
            broken = await ledger.close()
            begun.lock.release()
        if broken is not None:
            self.stopped, self.told = "ledger", str(broken)
        return summed(self.counts, begun.counts, self.calls.world.now() - self._began, self.stopped, self.told)

    async def _budget(self, ledger: Ledger, spent: float) -> None:
        """Let the client spend what earlier runs of this ledger have left, and know the prices before rows are sent."""
        self.calls.world = RecordingWorld(self.calls.transport, self.calls.line, ledger, spent)
        maximum = self.calls.config.max_cost_usd
        if maximum is None or self.calls.line.money is None:
            return
        left = max(0.0, maximum - spent)
        self.calls.line.money = msgspec.structs.replace(self.calls.line.money, maximum=left)
        await self.calls.priced()

    def _todo(self, states: bytearray) -> Iterator[tuple[int, Raw, bool]]:
        """Give the rows that are to be asked: number, what stands there, and whether the ledger knows them."""
        last = len(states) - 1
        for row, raw in enumerate(self.parts.source.rows(), start=1):
            if row > last:
                return
            if states[row] in (ABSENT, TODO):
                yield row, raw, states[row] == TODO

    async def _work(self, rows: Iterator[tuple[int, Raw, bool]], ledger: Ledger) -> None:
        """Be a worker. All take from one iterator; between two awaits nobody else does."""
        for row, raw, known in rows:
            if self.stopped is not None:
                return
            asked = self._read(row, raw, known=known)
            if isinstance(asked, Failure):
                flight, outcome = asked.failure()
                await self._end(flight, outcome, ledger)
            else:
                await self._ask(asked.unwrap(), ledger)

    def _read(self, row: int, raw: Raw, *, known: bool) -> Result[Asked, tuple[Flight, Outcome]]:
        """Make the request of a row, or the outcome of one that cannot be asked."""
        self.counts = sent(self.counts)
        custom_id, flaw = None, None
        columns = self.parts.source.columns(raw)
        made = columns.bind(lambda one: read_row(one, raw.place, self.parts.plan))
        if isinstance(made, Success):
            custom_id, request = made.unwrap().custom_id, made.unwrap().request
            hashed = digest_of(request, self._default_model)
            if isinstance(hashed, Success):
                return Success((Flight(row, custom_id, hashed.unwrap(), known), request, raw.place))
            flaw = at(raw.place, hashed.failure())
        flaw = flaw or made.failure()
        flight = Flight(row, custom_id, digest(["no request", str(raw.data)]), known)
        return Failure((flight, failed(row, custom_id, flaw, 0.0)))

    async def _ask(self, asked: Asked, ledger: Ledger) -> None:
        """Ask one row, and write down what came of it."""
        flight, request, place = asked
        task, began = asyncio.current_task(), self.calls.world.now()
        if task is None:
            return
        self._flights[task] = (flight, began)
        FLIGHT.set(flight)
        try:
            answer = await self.calls.complete(request, self.options)
            seconds = self.calls.world.now() - began
            outcome = outcome_of(
                flight.row, flight.custom_id, answer.alt(lambda error: placed(error, place)), self.parts.wanted, seconds
            )
        except (asyncio.CancelledError, Broken) as error:
            self.counts = left(self.counts, sent=flight.sent)
            if self.stopped is None or isinstance(error, Broken):
                raise
            return
        finally:
            self._flights.pop(task, None)
        if outcome.stop is not None:
            self.stop(outcome.stop, str(answer.failure()))
        await self._end(flight, outcome, ledger)

    async def _end(self, flight: Flight, outcome: Outcome, ledger: Ledger) -> None:
        """Write down how a row ended."""
        flight.ended = True
        try:
            await ledger.write(lambda tables: tables.end(flight, outcome))
        except Broken:
            self.counts = left(self.counts, sent=flight.sent)
            raise
        self.counts = counted(self.counts, outcome)
