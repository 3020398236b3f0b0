"""What a run would take: every row is read and checked, the price list asked for, and nothing sent to a model."""

from __future__ import annotations

import asyncio

from returns.result import Failure, Result, Success

from openrouter_client.bulk.running import BatchRun
from openrouter_client.bulk.sources import Raw, unreadable
from openrouter_core.build import build_chat
from openrouter_core.bulk.estimate import Estimate, with_flaw, with_row
from openrouter_core.bulk.rows import read_row
from openrouter_core.errors import DataSourceError
from openrouter_core.prices import Prices


async def estimate(run: BatchRun) -> Result[Estimate, DataSourceError]:
    """Estimate tokens and cost of a run, and tell which of its rows cannot be asked. The run is over with that.

    It takes no key: the price list is public. Where it cannot be had, the cost is unknown, and why is told.
    """
    calls = run.calls
    try:
        known = await run.known()
        if isinstance(known, Failure):
            return known
        loaded = await calls.load_prices()
        begun = Estimate(priceless=str(loaded.failure()) if isinstance(loaded, Failure) else "")
        last = min(known.unwrap().rows, run.parts.settings.limit or known.unwrap().rows)
        return Success(await asyncio.to_thread(summed_up, run, last, calls.prices or {}, begun))
    except OSError as error:
        return Failure(unreadable(error))
    finally:
        await run.close()


def summed_up(run: BatchRun, last: int, prices: Prices, made: Estimate) -> Estimate:
    """Read the first so many rows, and add up what they would take."""
    for row, raw in enumerate(run.parts.source.rows(), start=1):
        if row > last:
            break
        made = with_one(made, run, raw, prices)
    return made


def with_one(made: Estimate, run: BatchRun, raw: Raw, prices: Prices) -> Estimate:
    """Add a row."""
    read = run.parts.source.columns(raw).bind(lambda columns: read_row(columns, raw.place, run.parts.plan))
    if isinstance(read, Failure):
        return with_flaw(made, read.failure().message)
    request = read.unwrap().request
    built = build_chat(request, run.calls.settings)
    if isinstance(built, Failure):
        return with_flaw(made, f"{raw.place}: {built.failure().message}")
    sent = built.unwrap()
    return with_row(made, sent.body, sent.model, request.max_completion_tokens or request.max_tokens, prices)
