"""What a bulk run is told, and the parts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.sources import Source, source_of
from openrouter_core.bulk.lines import Wanted
from openrouter_core.bulk.rows import Asking, Plan, planned
from openrouter_core.bulk.states import Doubt
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.schema import describe

DOUBTS = ("retry", "skip", "report")


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks, and how.

    `model` and `max_tokens` are for rows that name none; `system` and `template` are texts with `{column}` in them.
    `schema` is the JSON schema of the answers; `wanted` is a type instead, which the answers are also checked against.
    `limit` runs only the first so many rows. At most `max_in_flight` calls are under way.

    What an earlier run left in flight when it was killed may have been paid: `in_doubt` says whether to "retry" such
    rows, "skip" them, or "report" them as failed. `retry_failed` takes up the rows that failed. With `ordered` the
    output has the order of the input.
    """

    model: str | None = None
    system: str | None = None
    template: str | None = None
    schema: Mapping[str, Any] | None = None
    wanted: Any = None
    max_tokens: int | None = None
    limit: int | None = None
    max_in_flight: int = 100
    in_doubt: Doubt = "retry"
    retry_failed: bool = False
    ordered: bool = False


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
    if settings.in_doubt not in DOUBTS:
        return Failure(refuse("in_doubt", f"must be one of {', '.join(DOUBTS)}", settings.in_doubt))
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
    schema, name = settings.schema, "answer"
    if settings.wanted is not None:
        if schema is not None:
            return Failure(refuse("schema", "must be left out where a type is wanted"))
        described = describe(settings.wanted)
        if isinstance(described, Failure):
            return Failure(refuse("wanted", str(described.failure())))
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
    """Give the type of the answers: any JSON value where only a schema says it."""
    if settings.wanted is not None:
        return Wanted(settings.wanted, describe(settings.wanted).unwrap())
    return None if settings.schema is None else Wanted(dict[str, Any])
