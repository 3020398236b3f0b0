"""What a run would take: every row is read and checked, the price list asked for, and nothing sent to a model."""

from __future__ import annotations

import asyncio

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.running import BatchRun
from openrouter_client.bulk.sources import Raw, unreadable
from openrouter_core.build import build_chat
from openrouter_core.bulk.batches import full, packable, taking
from openrouter_core.bulk.estimate import Estimate, with_flaw, with_row, with_row_in_batch
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
    packs: dict[str, tuple[int, int]] = {}
    for row, raw in enumerate(run.parts.source.rows(), start=1):
        if row > last:
            break
        made = with_one(made, run, raw, prices, packs)
    return msgspec.structs.replace(made, batches=made.batches + len(packs))


def with_one(made: Estimate, run: BatchRun, raw: Raw, prices: Prices, packs: dict[str, tuple[int, int]]) -> Estimate:
    """Add a row; `packs` are the rows and bytes of the batches that are not full yet, by model."""
    read = run.parts.source.columns(raw).bind(lambda columns: read_row(columns, raw.place, run.parts.plan))
    if isinstance(read, Failure):
        return with_flaw(made, read.failure().message)
    request = read.unwrap().request
    most = request.max_completion_tokens or request.max_tokens
    if run.parts.settings.via == "batches":
        packed = packable(request, run.calls.settings)
        if isinstance(packed, Failure):
            return with_flaw(made, f"{raw.place}: {packed.failure().message}")
        model, body = packed.unwrap()
        rows, size = packs.get(model, (0, 0))
        over = rows > 0 and full(rows, size, taking(body))
        packs[model] = (1, taking(body)) if over else (rows + 1, size + taking(body))
        made = with_row_in_batch(made, body, model, most, prices)
        return msgspec.structs.replace(made, batches=made.batches + over)
    built = build_chat(request, run.calls.settings)
    if isinstance(built, Failure):
        return with_flaw(made, f"{raw.place}: {built.failure().message}")
    return with_row(made, built.unwrap().body, built.unwrap().model, most, prices)
