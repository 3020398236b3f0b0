"""A bulk run: opens the ledger, lets the rows be asked one way or the other, and sums up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk import parcels
from openrouter_client.bulk.asking import Workers
from openrouter_client.bulk.batching import Batches
from openrouter_client.bulk.ledger import Broken, Ledger
from openrouter_client.bulk.opening import Opened, Wish, opened
from openrouter_client.bulk.output import Output
from openrouter_client.bulk.recording import RecordingWorld
from openrouter_client.bulk.settings import BatchSettings, Parts, parts_of
from openrouter_client.bulk.settling import Doubts, settle
from openrouter_client.bulk.sources import Known, unreadable
from openrouter_client.bulk.standing import Standing
from openrouter_client.calls import NO_OPTIONS, CallOptions, Calls
from openrouter_client.environment import config_from_environment
from openrouter_client.making import calls_of
from openrouter_client.observe import Observe
from openrouter_core.admission import Stats
from openrouter_core.bulk.batches import Intent
from openrouter_core.bulk.figures import Counts, Meter, Progress, Summary, marked, progress, summed
from openrouter_core.bulk.identity import Fingerprint, settings_of
from openrouter_core.bulk.states import Stop
from openrouter_core.config import OpenRouterConfig, loopback
from openrouter_core.errors import DataSourceError, LedgerFailed
from openrouter_core.fallback import Fallback
from openrouter_core.refuse import refuse
from openrouter_core.unshared import Unshared

LARGEST_RESULTS = 2**30
"""The limit of an answer with a batch's results, in bytes."""

PATIENCE_SECS = 900.0
"""How long a batch may take on its way there, and its results on their way back, at least."""


class BatchRun(Unshared):
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
        self.standing: Standing = Standing(parts, calls.config.default_model)
        self.way: Workers | Batches = (
            Workers(self.standing, calls, self.options)
            if parts.settings.via == "calls"
            else Batches(self.standing, calls)
        )
        self.doubts: Doubts = {}
        self.held: frozenset[int] = frozenset()
        self._meter: Meter = Meter()
        self._began: float = 0.0

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
    ) -> Result[Self, DataSourceError]:
        """Prepare a run of a file of rows, or say what is wrong with its settings; nothing is read or sent yet.

        `output` is a file, or a binary stream, which gets all lines of the ledger. `config` is the client's (from the
        environment, if left out): its limits, deadlines, retries and `max_cost_usd` apply, the latter to all runs of
        the ledger together; it may lack a key where the run is only to be estimated. `ledger` is a file beside the
        output, if left out.
        """
        wished = settings or BatchSettings()
        to = Path(output) if isinstance(output, (str, Path)) else None
        parts = parts_of(Path(source), to, None if ledger is None else Path(ledger), wished)
        settled = Success(config) if config is not None else config_from_environment({})
        for given in (parts, settled):
            if isinstance(given, Failure):
                return given
        if fallbacks and wished.via == "batches":
            return Failure(refuse("fallbacks", "must be left out: a batch has one model"))
        own = fitting(settled.unwrap(), wished)
        stream = None if isinstance(output, (str, Path)) else output
        calls = calls_of(own, observe=observe, keyless=True)
        return calls.map(lambda one: cls(parts.unwrap(), one, stream, fallbacks))

    # --- looking ------------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """How the rows stand."""
        return self.standing.counts

    @property
    def batches(self) -> tuple[Intent, ...]:
        """The batches that are not over, in the order of their submission; none where rows are asked by calls."""
        return tuple(self.way.intents.values()) if isinstance(self.way, Batches) else ()

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
        return self.way.slowest(most)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def stop(self, why: Stop = "interrupted", told: str = "") -> None:
        """Begin no more rows. Calls that are under way are finished; those that wait in line are left for later.

        Batches go on at OpenRouter; the next run asks about them.
        """
        self.way.stop(why, told)

    def abort(self, why: Stop = "interrupted", told: str = "") -> None:
        """End at once. Calls that are under way are dropped; they may be paid, and are in doubt for the next run."""
        self.stop(why, told)
        self.way.abort()

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
        barred = self.calls.barred("inference")
        if barred is not None:
            return Failure(barred)
        known = await self.known()
        if isinstance(known, Failure):
            return known
        told, parts = known.unwrap(), self.parts
        asking = settings_of(parts.plan.asking, self.standing.default_model)
        asking["fallbacks"] = [one.model for one in self.options.fallbacks]
        if loopback(urlsplit(self.calls.config.base_url)):  # a stand-in's answers are not to be mixed with a model's
            asking["server"] = "on this machine"
        wish = Wish(
            ledger=parts.ledger,
            output=parts.output,
            fingerprint=Fingerprint(told.hash, told.rows, asking),
            rows=min(told.rows, parts.settings.limit or told.rows),
            in_doubt="skip",  # until it is settled what became of them
            retry_failed=parts.settings.retry_failed,
            held=self.held,
        )
        begun = await asyncio.to_thread(opened, wish)
        return begun if isinstance(begun, Failure) else await self._settled(begun.unwrap())

    async def _settled(self, begun: Opened) -> Result[Opened, DataSourceError]:
        """Settle the rows in doubt."""
        ready: Result[tuple[Opened, Doubts], DataSourceError] = Failure(LedgerFailed(message="left"))
        try:
            ready = await settle(begun, self.standing, self.calls)
        finally:
            if isinstance(ready, Failure):
                begun.tables.close()
                begun.lock.release()
        if isinstance(ready, Failure):
            return ready
        opened_now, self.doubts = ready.unwrap()
        return Success(opened_now)

    async def _run(self, begun: Opened) -> Summary:
        """Let the rows be asked, and sum up."""
        standing = self.standing
        self._began = self.calls.world.now()
        standing.counts, standing.states, standing.spent = begun.counts, begun.states, begun.spent
        self._meter = marked(Meter(), self._began, standing.counts.ended)
        in_batches = 0
        ledger = Ledger(begun.tables, Output(self.parts.output, self.stream, ordered=self.parts.settings.ordered))
        try:
            await ledger.prepare()
            await self._budget(ledger, begun.spent)
            await self.way.drive(ledger)
            in_batches = await ledger.write(parcels.rows_left)
        except Broken as error:
            self.abort("ledger", str(error))
        finally:
            broken = await ledger.close()
            begun.lock.release()
        if broken is not None:
            standing.stopped, standing.told = "ledger", str(broken)
        seconds = self.calls.world.now() - self._began
        summary = summed(standing.counts, begun.counts, seconds, standing.stopped, standing.told)
        return msgspec.structs.replace(summary, in_batches=in_batches)

    async def _budget(self, ledger: Ledger, spent: float) -> None:
        """Let the client spend what earlier runs of this ledger have left, and know the prices before rows are sent."""
        self.calls.world = RecordingWorld(self.calls.transport, self.calls.line, ledger, spent)
        maximum = self.calls.config.max_cost_usd
        if maximum is None or self.calls.line.money is None:
            return
        left = max(0.0, maximum - spent)
        self.calls.line.money = msgspec.structs.replace(self.calls.line.money, maximum=left)
        await self.calls.priced()


def fitting(config: OpenRouterConfig, settings: BatchSettings) -> OpenRouterConfig:
    """Give a client's settings what a run needs: connections for its calls, or room and time for its batches."""
    least = max(settings.max_in_flight, config.max_connections)
    config = msgspec.structs.replace(config, max_connections=least)
    if settings.via == "calls":
        return config
    return msgspec.structs.replace(
        config,
        timeout_secs=max(config.timeout_secs, PATIENCE_SECS),
        deadline_secs=None,
        max_response_bytes=max(config.max_response_bytes, LARGEST_RESULTS),
    )
