"""Sends rows as OpenRouter's own batches, asks about these until they have ended, and takes their results down.

    rows ─► packs ─► intent ─► submit ─► ask ... ask ─► merge          what is written down is left of what is done
                        ^        |  in doubt: looked for in the list,
                        |        v  and proven by its results
                        '---- released: it was certainly not accepted

Whatever kills it, the next run goes on with what the ledger knows of each batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing, suppress
from datetime import UTC, datetime

import msgspec
from returns.result import Failure

from openrouter_client.bulk import parcels
from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.merging import merged
from openrouter_client.bulk.packing import Packer
from openrouter_client.bulk.standing import Standing
from openrouter_client.calling import Caller
from openrouter_client.calls import NO_OPTIONS, Calls
from openrouter_client.interpreter import run
from openrouter_client.jobs import job_of
from openrouter_core.bulk.batches import (
    FETCH_BATCH,
    LOOKS,
    SKEW_SECS,
    Fetched,
    Intent,
    Item,
    candidates,
    in_doubt,
    not_yet,
    ours,
    polling,
    submission,
)
from openrouter_core.bulk.figures import left
from openrouter_core.bulk.states import IN_DOUBT, IN_FLIGHT, TODO, Stop, meaning
from openrouter_core.endpoint import HttpRequest
from openrouter_core.endpoints.inference import CREATE_BATCH, LIST_BATCHES
from openrouter_core.errors import DataSourceError, NotFound
from openrouter_core.headers import JSON_BODY
from openrouter_core.polling import next_ask
from openrouter_core.wire.batches import ListBatches
from openrouter_core.wire.params import Id

KEPT_SECS = 30 * 86_400.0
"""How long OpenRouter keeps a batch (OpenRouter docs, guides/features/batch-api)."""

PASSES = 4
"""How often rows are submitted again whose batch was certainly not accepted, in one run."""


class Batches:
    """The way of a run through batches. `intents` are those that are not over, by their numbers."""

    def __init__(self, standing: Standing, calls: Calls) -> None:
        self.standing: Standing = standing
        self.calls: Calls = calls
        self.caller: Caller = Caller(calls)
        self.intents: dict[int, Intent] = {}
        self.missing: set[int] = set()
        self.trouble: str = ""
        self._wake: asyncio.Event = asyncio.Event()
        self._looked: Counter[int] = Counter()
        self._released: bool = False
        self._task: asyncio.Task[None] | None = None

    def slowest(self, most: int) -> list[tuple[int, str | None, float]]:
        """Give no rows: all of a batch take equally long."""
        del most
        return []

    def stop(self, why: Stop, told: str) -> None:
        """Submit no more, and wait no longer. Batches go on at OpenRouter."""
        self.standing.stop(why, told)
        self._wake.set()

    def abort(self) -> None:
        """Drop even what is being submitted or asked now."""
        if self._task is not None:
            self._task.cancel()

    async def drive(self, ledger: Ledger) -> None:
        """Submit all rows that are to be asked, and wait for all batches; raises `Broken`."""
        self._task = asyncio.create_task(self._drive(ledger))
        try:
            await self._task
        except asyncio.CancelledError:
            if self.standing.stopped is None:
                raise
        finally:
            self._task.cancel()

    async def _drive(self, ledger: Ledger) -> None:
        settings = self.standing.parts.settings
        asking, began = polling(settings.poll_secs, settings.wait_secs), self.calls.world.now()
        passes = 0
        while passes < PASSES:
            packer, self._released, submitted, asked = Packer(self.standing, self.calls, ledger), False, 0, 0
            async with aclosing(packer.packs()) as packs:
                async for draft, items in packs:
                    await self._submit(draft, items, ledger)
                    submitted += 1
            while self.standing.stopped is None and await self._round(ledger):
                wait = next_ask(asking, asked, self.calls.world.now() - began)
                if wait is None:
                    return self.stop("deadline", self._late())
                asked += 1
                await self._pause(wait)
            if packer.short is not None and not submitted:  # what batches did not cost is there for the next ones
                self.stop("budget", str(packer.short))
            if self.missing:
                self.standing.told = self.standing.told or self.trouble
            if self.standing.stopped is not None or not self.standing.counts.todo:
                return None
            passes += self._released or packer.short is None
        self.standing.told = self.trouble
        return None

    def _late(self) -> str:
        """Say that the time is over."""
        words = "the time to wait is over; the batches go on at OpenRouter, and are asked about again by the next run"
        return f"{words} (last: {self.trouble})" if self.trouble else words

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    # --- submitting ---------------------------------------------------------------------------------------------------

    async def _submit(self, draft: Intent, items: list[Item], ledger: Ledger) -> None:
        """Write down that a batch will be submitted, submit it, and write down what came of it."""
        intent = await ledger.write(lambda tables: parcels.intend(tables, draft, items))
        self.intents[intent.number] = intent
        for item in items:
            self.standing.moved(item.row, IN_FLIGHT)
        url, headers = self.calls.config.base_url + CREATE_BATCH.path, JSON_BODY + self.calls.settings.headers
        http = HttpRequest("POST", url, headers, submission(intent.model, intent.mark, items))
        made = job_of(self.calls, CREATE_BATCH, http, NO_OPTIONS)
        if isinstance(made, Failure):
            return await self._refused(intent, made.failure(), ledger)
        answer = await run(self.calls.world, *self.calls.watched(made.unwrap()))
        if isinstance(answer, Failure):
            return await self._refused(intent, answer.failure(), ledger)
        batch = answer.unwrap()
        return await self._save(intent, ledger, id=batch.id, proven=True, status=batch.status)

    async def _refused(self, intent: Intent, error: DataSourceError, ledger: Ledger) -> None:
        """Settle a submission that failed: looked for later if in doubt, else asked again, or put down as failed."""
        self.trouble = str(error)
        if in_doubt(error):
            return
        means = meaning(error)
        if means.event == "refuse":
            nothing = Fetched(id="(not accepted)", status="refused", error={"message": str(error)}, results=[])
            await merged(self.standing, intent, nothing, ledger)
            return
        await self._release(intent, ledger)
        if means.stop is not None:
            self.stop(means.stop, str(error))

    async def _save(self, intent: Intent, ledger: Ledger, **changes: object) -> None:
        """Write down what has become known of a batch."""
        changed = msgspec.structs.replace(intent, **changes)
        self.intents[intent.number] = changed
        await ledger.write(lambda tables: parcels.save(tables, changed))

    async def _release(self, intent: Intent, ledger: Ledger) -> None:
        """Take the rows of a batch up again that was certainly not accepted."""
        rows = await ledger.write(lambda tables: parcels.release(tables, intent))
        self.intents.pop(intent.number, None)
        self._released = True
        self.standing.spent -= intent.worst
        self._moved(rows, TODO)

    def _moved(self, rows: list[int], state: int) -> None:
        """Count rows that are no longer in flight."""
        for row in rows:
            if self.standing.moved(row, state):
                self.standing.counts = left(self.standing.counts, sent=state == IN_DOUBT)

    # --- asking -------------------------------------------------------------------------------------------------------

    async def _round(self, ledger: Ledger) -> bool:
        """Ask about each batch once; tell whether any is left."""
        for intent in await ledger.write(parcels.opened):
            if self.standing.stopped is not None:
                return False
            self.intents.setdefault(intent.number, intent)
            if intent.number in self.missing:
                continue
            await (self._look_for(intent, ledger) if intent.id is None else self._ask(intent, intent.id, ledger))
        return any(one.number not in self.missing for one in await ledger.write(parcels.opened))

    async def _look_for(self, intent: Intent, ledger: Ledger) -> None:
        """Look for a batch whose submission is in doubt. One that is nowhere was not accepted."""
        since = datetime.fromtimestamp(intent.at - SKEW_SECS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        listed = await self.caller.pages(LIST_BATCHES, ListBatches(limit=100, created_after=since)).collect()
        if isinstance(listed, Failure):
            return self._unasked(listed.failure())
        found = candidates(intent, listed.unwrap(), await ledger.write(parcels.known_ids))
        if found:
            return await self._save(intent, ledger, id=found[0], proven=False, status="found")
        self._looked[intent.number] += 1
        return await self._release(intent, ledger) if self._looked[intent.number] >= LOOKS else None

    async def _ask(self, intent: Intent, batch_id: str, ledger: Ledger) -> None:
        """Ask about a batch; one that has ended is taken down."""
        answer = await self.caller.call(FETCH_BATCH, Id(id=batch_id))
        if isinstance(answer, Failure):
            return await self._unknown(intent, answer.failure(), ledger)
        batch = answer.unwrap()
        if not batch.ended or batch.unready:
            status = batch.status if not batch.ended else f"{batch.status}, its results are not there yet"
            done, failed = batch.ran("completed"), batch.ran("failed")
            return await self._save(intent, ledger, status=status, completed=done, failed=failed)
        mine = True if intent.proven else ours(intent, batch)
        if mine is None:
            return await self._doubted(intent, ledger)
        if not mine:
            return await self._stranger(intent, batch_id, ledger)
        outcome = await merged(self.standing, msgspec.structs.replace(intent, status=batch.status), batch, ledger)
        self.intents.pop(intent.number, None)
        return None if outcome is None else self.stop(*outcome)

    async def _unknown(self, intent: Intent, error: DataSourceError, ledger: Ledger) -> None:
        """Settle that a batch cannot be asked about. One that was ours may be another key's now: its rows are paid."""
        now = time.time()
        if not isinstance(error, NotFound):
            return self._unasked(error)
        if not_yet(intent, now):
            return None
        if not intent.proven:
            return await self._stranger(intent, str(intent.id), ledger)
        if now - intent.at > KEPT_SECS or self.standing.parts.settings.in_doubt == "report":
            return await self._doubted(intent, ledger)
        self.missing.add(intent.number)
        self.trouble = (
            f"batch {intent.id} is not found. Was it deleted, or submitted with another key? Its rows are left alone; "
            "--in-doubt report gives it up"
        )
        return None

    def _unasked(self, error: DataSourceError) -> None:
        """Note that a question failed; it is asked again, unless no question can be asked."""
        self.trouble, stop = str(error), meaning(error).stop
        if stop is not None:
            self.stop(stop, self.trouble)

    async def _stranger(self, intent: Intent, batch_id: str, ledger: Ledger) -> None:
        """Note that a batch that was found is not the one, and look further."""
        strangers = (*intent.strangers, batch_id)
        await self._save(intent, ledger, id=None, proven=False, status="intended", strangers=strangers)

    async def _doubted(self, intent: Intent, ledger: Ledger) -> None:
        """Put the rows of a batch in doubt of which nobody can tell any more what became of it."""
        self.trouble = f"batch {intent.id} is gone, or has no results: its rows are in doubt"
        rows = await ledger.write(lambda tables: parcels.doubt(tables, intent))
        self.intents.pop(intent.number, None)
        self._moved(rows, IN_DOUBT)
