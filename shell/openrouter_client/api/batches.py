"""Batches: many requests at half the price, within a day."""

from __future__ import annotations

from typing import Unpack

from returns.result import Failure, Result, Success

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_client.waiting import until_ended, within
from openrouter_core.endpoints.inference import CREATE_BATCH, DELETE_BATCH, GET_BATCH, LIST_BATCHES
from openrouter_core.errors import DataSourceError
from openrouter_core.polling import BATCH, Polling, failure_of_job
from openrouter_core.wire.batches import Batch, BatchRequest, DeletedBatch, ListBatches
from openrouter_core.wire.params import Id


class Batches(Group):
    """Batches. The results come with a batch that is done, in `batch.results`."""

    def list(self, which: ListBatches | None = None, **how: Unpack[PageOptions]) -> Pages[Batch]:
        """List batches, the newest first, without results."""
        return self._caller.pages(LIST_BATCHES, which, **how)

    async def create(self, request: BatchRequest, **how: Unpack[Options]) -> Result[Batch, DataSourceError]:
        """Submit a batch. It is submitted twice only with `repeat`, or if it certainly was not."""
        return await self._caller.call(CREATE_BATCH, request, **how)

    async def get(self, batch_id: str, **how: Unpack[Options]) -> Result[Batch, DataSourceError]:
        """Ask how a batch stands; the results come with it."""
        return await self._caller.call(GET_BATCH, Id(id=batch_id), **how)

    async def wait(
        self, batch_id: str, *, deadline_secs: float | None = None, polling: Polling = BATCH
    ) -> Result[Batch, DataSourceError]:
        """Ask about a batch until it has ended, at most for `deadline_secs` (25 h). One that failed is a failure.

        A batch that is done may have requests that failed: each of `results` tells.
        """

        async def ask(left: float) -> Result[Batch, DataSourceError]:
            return await self.get(batch_id, deadline_secs=left)

        polling = within(polling, deadline_secs)
        ended = await until_ended(self._world, ask, lambda batch: batch.ended, polling, f"batch {batch_id}")
        return ended.bind(judged)

    async def delete(self, batch_id: str, **how: Unpack[Options]) -> Result[DeletedBatch, DataSourceError]:
        """Delete a batch that has ended, with its results."""
        return await self._caller.call(DELETE_BATCH, Id(id=batch_id), **how)


def judged(batch: Batch) -> Result[Batch, DataSourceError]:
    """Tell a batch that failed from one that is there."""
    failed = failure_of_job(batch)
    return Success(batch) if failed is None else Failure(failed)
