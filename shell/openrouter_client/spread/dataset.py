"""For those who have a Ray Dataset already: a callable class for `map_batches`, without ledger and leases.

    ds.map_batches(
        DatasetChat,
        fn_constructor_args=(DatasetSpec(settings=BatchSettings(model="openai/gpt-4o-mini"), config=...),),
        compute=ray.data.ActorPoolStrategy(size=4),
        batch_size=1000,
        num_cpus=0.5,
    )

A batch is a barrier: its slowest row holds up the next batch of its actor. So batches are to be large, many times
`max_in_flight`, and what must be durable, ordered by money, or never paid twice is a case for `RayBatchRun`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.settings import BatchSettings, asking_of, wanted_of
from openrouter_client.calls import NO_OPTIONS, CallOptions, Calls
from openrouter_client.making import calls_of
from openrouter_client.raising import unwrap
from openrouter_client.spread.spec import KEY_ENV, keyed, keyless
from openrouter_core.bulk.lines import Wanted, valued
from openrouter_core.bulk.rows import Plan, planned, read_row
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError
from openrouter_core.evidence import cost_of
from openrouter_core.fallback import Fallback
from openrouter_core.unshared import Unshared

Batch = Mapping[str, Any]


class DatasetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a `DatasetChat` is told: it is pickled, and has no key in it; `key_env` names the variable that has one.

    Of `settings`, those about a ledger or an output are of no use here. `config` is the client's; its limits and budget
    hold for each actor alone: for one quota over all of them set `redis_url`. Of the actors' environment only the key
    is read.
    """

    settings: BatchSettings = BatchSettings()
    config: OpenRouterConfig = OpenRouterConfig()
    key_env: str = KEY_ENV
    fallbacks: tuple[Fallback, ...] = ()


class DatasetChat(Unshared):
    """Asks a model about each row of a batch, and adds the columns `answer`, `error` and `cost_usd` to it.

    `answer` is the text, or JSON where a schema or type was asked for, and "" for a row that failed; `error` says why
    it did, and is "" otherwise; `cost_usd` is nan where nobody told. A row that fails never fails its batch. Columns
    are read as those of a file are: `prompt`, `messages`, a template's columns, or `body`.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        """Check the settings; raises `OpenRouterError`, for Ray knows no other way to hear of it."""
        config = keyless(spec.config, spec.key_env).bind(lambda one: keyed(one, spec.key_env))
        self.spec: DatasetSpec = spec
        self.plan: Plan = unwrap(asking_of(spec.settings).bind(planned))
        self.wanted: Wanted | None = wanted_of(spec.settings)
        self.options: CallOptions = CallOptions(fallbacks=spec.fallbacks) if spec.fallbacks else NO_OPTIONS
        self.calls: Calls = unwrap(config.bind(calls_of))

    async def __call__(self, batch: Batch) -> dict[str, Any]:
        """Ask about a batch: a mapping of columns, as `batch_format="numpy"` gives them."""
        columns = {name: plain(values) for name, values in batch.items()}
        many = len(next(iter(columns.values()), ()))
        answers: list[tuple[str, str, float]] = [("", "", 0.0)] * many
        rows = iter(range(many))
        workers = min(many, self.spec.settings.max_in_flight)
        await asyncio.gather(*(self.work(rows, columns, answers) for _ in range(workers)))
        texts, errors, costs = zip(*answers, strict=True) if answers else ((), (), ())
        return {**batch, "answer": list(texts), "error": list(errors), "cost_usd": list(costs)}

    async def work(
        self, rows: Iterator[int], columns: Mapping[str, Sequence[Any]], answers: list[tuple[str, str, float]]
    ) -> None:
        """Be a worker: take the next row when the last one has ended."""
        for row in rows:
            answers[row] = await self.ask({name: values[row] for name, values in columns.items()}, f"row {row + 1}")

    async def ask(self, columns: Mapping[str, Any], place: str) -> tuple[str, str, float]:
        """Ask about one row: its answer, or what went wrong, and the cost in USD."""
        there = {name: value for name, value in columns.items() if value is not None}
        read = read_row(there, place, self.plan)
        if isinstance(read, Failure):
            return "", str(read.failure()), 0.0
        answer = await self.calls.complete(read.unwrap().request, self.options)
        if isinstance(answer, Failure):
            return "", str(answer.failure()), cost(cost_of(answer.failure()))
        good = answer.unwrap()
        value: Result[Any, DataSourceError] = Success(None) if self.wanted is None else valued(good, self.wanted)
        if isinstance(value, Failure):
            return "", str(value.failure()), cost(good.cost)
        text = good.text if self.wanted is None else msgspec.json.encode(value.unwrap(), enc_hook=str).decode()
        return text, "", cost(good.cost)


def plain(values: Any) -> Sequence[Any]:
    """Give a column as a sequence of Python's own values."""
    listed: Sequence[Any] = values.tolist() if hasattr(values, "tolist") else values
    return listed


def cost(usd: float | None) -> float:
    """Give a cost as a number that a column of numbers can hold."""
    return float("nan") if usd is None else usd
