"""What a bulk run is told, and the parts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.sources import Source, source_of
from openrouter_core.bulk.lines import Wanted
from openrouter_core.bulk.rows import Asking, Plan, planned
from openrouter_core.bulk.states import Doubt
from openrouter_core.conform import AnswerSchema
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.schema import describe

Via = Literal["calls", "batches"]
"""How rows are asked: one call each, or together in OpenRouter's own batches."""

CHOICES: Mapping[str, tuple[str, ...]] = {"in_doubt": get_args(Doubt), "via": get_args(Via)}


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks, and how.

    `model` and `max_tokens` are for rows that name none; `system` and `template` are texts with `{column}` in them.
    `schema` is the JSON schema of the answers, or `wanted` their type; an answer that does not fit is asked for again
    at most `repair` times, with what was wrong, and is then a failed row.
    `limit` runs only the first so many rows. At most `max_in_flight` calls are under way.

    What an earlier run left in flight when it was killed may have been paid: `in_doubt` says whether to "retry" such
    rows, "skip" them, or "report" them as failed. `retry_failed` takes up the rows that failed. With `ordered` the
    output has the order of the input.

    `via` "batches" sends the rows as OpenRouter's own batches: about half the price, within 24 hours. These are asked
    about every `poll_secs` seconds, at first more often, for `wait_secs` seconds at most (None: until they have ended);
    then, or when it is stopped or killed, the next run goes on. A call's limits of time are not for them.
    """

    model: str | None = None
    system: str | None = None
    template: str | None = None
    schema: Mapping[str, Any] | None = None
    wanted: Any = None
    repair: int = 0
    max_tokens: int | None = None
    limit: int | None = None
    max_in_flight: int = 100
    in_doubt: Doubt = "retry"
    retry_failed: bool = False
    ordered: bool = False
    via: Via = "calls"
    poll_secs: float = 60.0
    wait_secs: float | None = None


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, understood: where rows come from, how they become requests, and the type of their answers."""

    source: Source
    plan: Plan
    wanted: Wanted | None
    settings: BatchSettings
    ledger: Path
    output: Path | None


def parts_of(
    source: Path, output: Path | None, ledger: Path | None, settings: BatchSettings
) -> Result[Parts, DataSourceError]:
    """Understand the settings, or say what is wrong with them: field, value, bound."""
    for name in ("limit", "max_in_flight"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            return Failure(refuse(name, "must be at least 1", value))
    if settings.repair < 0 or (settings.repair and settings.via == "batches"):
        bound = "must be 0 with batches: they take no conversation" if settings.repair > 0 else "must be at least 0"
        return Failure(refuse("repair", bound, settings.repair))
    for name in ("poll_secs", "wait_secs"):
        value = getattr(settings, name)
        if value is not None and not value > 0:
            return Failure(refuse(name, "must be above 0", value))
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            return Failure(refuse(name, f"must be one of {', '.join(choices)}", getattr(settings, name)))
    asking = asking_of(settings)
    found = source_of(source)
    plan = asking.bind(planned)
    for given in (asking, plan, found):
        if isinstance(given, Failure):
            return given
    made = Parts(
        source=found.unwrap(),
        plan=plan.unwrap(),
        wanted=wanted_of(settings),
        settings=settings,
        ledger=ledger or beside(output or source),
        output=output,
    )
    return Success(made)


def beside(path: Path) -> Path:
    """Give the ledger's place where none is named: beside the output."""
    return path.with_name(path.name + ".ledger")


def asking_of(settings: BatchSettings) -> Result[Asking, InvalidRequest]:
    """Give what decides the requests."""
    if settings.wanted is not None and settings.schema is not None:
        return Failure(refuse("schema", "must be left out where a type is wanted"))
    schema, name, wanted = None, "answer", type_of(settings)
    if wanted is not None:
        described = describe(wanted)
        if isinstance(described, Failure):
            return Failure(refuse("wanted" if settings.schema is None else "schema", str(described.failure())))
        schema, name = described.unwrap().schema, described.unwrap().name
    return Success(
        Asking(
            model=settings.model,
            system=settings.system,
            template=settings.template,
            schema=schema,
            schema_name=name,
            max_tokens=settings.max_tokens,
        )
    )


def wanted_of(settings: BatchSettings) -> Wanted | None:
    """Give the type of the answers, with what describes it."""
    wanted = type_of(settings)
    return None if wanted is None else Wanted(wanted, describe(wanted).unwrap())


def type_of(settings: BatchSettings) -> Any:
    """Give the type of the answers: a Python type, or what a JSON schema says; None where they are text."""
    return settings.wanted if settings.schema is None else AnswerSchema.of(settings.schema)
