"""What users hold: a bulk run on the machines that Ray has."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from returns.result import Failure, Result, Success

from openrouter_client.bulk.looking import Looking
from openrouter_client.bulk.settings import BatchSettings, Parts, parts_of
from openrouter_client.environment import config_from_environment
from openrouter_client.making import calls_of
from openrouter_client.spread.actors import Handle, Ray, begun, connected
from openrouter_client.spread.spec import KEY_ENV, Spec, checked_way, checked_workers, freed, keyed, keyless, paths
from openrouter_core.admission import Stats
from openrouter_core.bulk.figures import Counts, Progress, Summary, summed
from openrouter_core.bulk.states import Stop
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError, LedgerFailed
from openrouter_core.fallback import Fallback
from openrouter_core.unshared import Unshared

T = TypeVar("T")

ALL = 2**62

FAREWELL = 5.0
"""For so many seconds workers may hear that the run is over; then they are ended."""


class RayBatchRun(Unshared):
    """Asks a model about every row of a file, once, by workers on the machines of a Ray cluster.

        ray.init(address="auto")
        run = unwrap(RayBatchRun.new("prompts.jsonl", "results.jsonl", BatchSettings(max_in_flight=2000), workers=8))
        summary = unwrap(await run.run())

    Rows, ledger, output and summary are those of `BatchRun`, and either can go on where the other was stopped. The
    files are on the machine that this is called on. Limits, budget and places in line are those of one client: one
    coordinator has them for all workers. Ray starts the processes, places them, and restarts those that die; the rows
    of a worker that died are in doubt, as those of a run that was killed.
    """

    def __init__(self, ray: Ray, parts: Parts, spec: Spec, options: Mapping[str, Any]) -> None:
        """Not for users: `new` makes runs."""
        self.parts: Parts = parts
        self.spec: Spec = spec
        self.options: Mapping[str, Any] = options
        self._ray: Ray = ray
        self._coordinator: Handle | None = None

    @classmethod
    def new(
        cls,
        source: str | Path,
        output: str | Path,
        settings: BatchSettings | None = None,
        *,
        config: OpenRouterConfig | None = None,
        ledger: str | Path | None = None,
        fallbacks: Sequence[Fallback] = (),
        workers: int = 2,
        key_env: str = KEY_ENV,
        worker_options: Mapping[str, Any] | None = None,
    ) -> Result[RayBatchRun, DataSourceError]:
        """Prepare a run, or say what is wrong with its settings; nothing is read, started or sent yet.

        Ray must be connected (`ray.init`). The key does not travel: the environment variable `key_env` holds it on
        every machine. `workers` is how many processes ask, `settings.max_in_flight` how many calls all of them have
        under way. `worker_options` are options of Ray's actors, such as num_cpus (1, if left out) or resources.
        """
        wished = settings or BatchSettings()
        whole = paths(source, output, ledger)
        parts = parts_of(Path(whole[0]), Path(whole[1]), None if whole[2] is None else Path(whole[2]), wished)
        given = Success(config) if config is not None else config_from_environment({})
        travels = given.bind(lambda one: keyless(one, key_env))
        usable = travels.bind(lambda one: keyed(one, key_env)).bind(calls_of)
        ray = connected()
        by_calls = checked_way(wished)
        for one in (parts, by_calls, checked_workers(workers), travels, usable, ray):
            if isinstance(one, Failure):
                return one
        spec = Spec(
            source=whole[0],
            output=whole[1],
            ledger=whole[2],
            settings=wished,
            config=travels.unwrap(),
            key_env=key_env,
            fallbacks=tuple(fallbacks),
            workers=workers,
        )
        return Success(cls(ray.unwrap(), parts.unwrap(), spec, worker_options or {}))

    # --- looking and stopping -----------------------------------------------------------------------------------------

    async def progress(self) -> Progress | None:
        """Tell how the run stands; None when it is not under way."""
        return None if self._coordinator is None else await self._coordinator.progress.remote()

    async def stats(self) -> Stats | None:
        """Tell what the limiters have found out, for all workers together; None when it is not under way."""
        return None if self._coordinator is None else await self._coordinator.stats.remote()

    async def slowest(self, most: int = 3) -> list[tuple[int, str | None, float]]:
        """Give the rows that have been under way for longest: row, its own name, and since how many seconds."""
        return [] if self._coordinator is None else await self._coordinator.slowest.remote(most)

    async def stop(self, why: Stop = "interrupted", told: str = "") -> None:
        """Begin no more rows. Calls that are under way are finished; those that wait in line are left for later."""
        if self._coordinator is not None:
            await self._coordinator.stop.remote(why, told)

    async def abort(self, why: Stop = "interrupted", told: str = "") -> None:
        """End at once. Calls that are under way are dropped; they may be paid, and are in doubt for the next run."""
        if self._coordinator is not None:
            await self._coordinator.abort.remote(why, told)

    # --- running ------------------------------------------------------------------------------------------------------

    async def run(self) -> Result[Summary, DataSourceError]:
        """Run all rows that are not answered yet. A failure says why the run could not begin, or not go on."""
        before, began = self._before(), time.monotonic()
        self._coordinator, workers = begun(self._ray, self.spec, self.options)
        try:
            ended = await self._ended(self._coordinator, workers)
        finally:
            for actor in (*workers, self._coordinator):
                self._ray.kill(actor, no_restart=True)
            await freed(self.parts.ledger)
            self._coordinator = None
        return ended.map(lambda one: summed(one.counts, before, time.monotonic() - began, one.stop, one.told))

    async def _ended(self, coordinator: Handle, workers: Sequence[Handle]) -> Result[Summary, DataSourceError]:
        """Wait for the coordinator to end; or for all workers to fail, without which it never would."""
        run: asyncio.Task[Result[Summary, DataSourceError]] = asyncio.create_task(awaited(coordinator.run.remote()))
        working = asyncio.gather(
            *(awaited(worker.run.remote(coordinator)) for worker in workers), return_exceptions=True
        )
        try:
            await asyncio.wait((run, working), return_when=asyncio.FIRST_COMPLETED)
            if not run.done() and all(isinstance(one, BaseException) for one in working.result()):
                return Failure(unable(self.parts.ledger, working.result()[0]))
            await run
            await asyncio.wait([working], timeout=FAREWELL)
            return run.result()
        except Exception as error:  # noqa: BLE001 - Ray's errors, and what it wraps: all say that an actor is gone
            return Failure(unable(self.parts.ledger, error))
        finally:
            for task in (run, working):
                task.cancel()
            await asyncio.gather(run, working, return_exceptions=True)

    def _before(self) -> Counts:
        """Count what earlier runs have done."""
        try:
            ledger = Looking.at(self.parts.ledger)
        except sqlite3.Error:
            return Counts(rows=0)
        try:
            return ledger.counts(self.parts.settings.limit or ALL)
        finally:
            ledger.close()


async def awaited(call: Awaitable[T]) -> T:
    """Wait for a call to an actor."""
    return await call


def unable(ledger: Path, error: object) -> LedgerFailed:
    """Make the error of a run whose actors Ray could not keep alive."""
    told = " ".join(str(error).split())[:500]
    return LedgerFailed(message=f"the run cannot go on: {type(error).__name__}: {told}", path=str(ledger))
