"""The command `openrouter-client batch`: its options, and what they come to."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter, validators
from returns.result import Failure, Result, Success

from openrouter_client.bulk.settings import BatchSettings, Via, beside
from openrouter_client.cli.batch import looking
from openrouter_client.cli.exits import INTERRUPTED
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import as_schema, as_text, read_file, usage
from openrouter_client.cli.session import NOTICE, Session, unheard
from openrouter_core.bulk.states import Doubt
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError

AT_LEAST_ONE = Parameter(validator=validators.Number(gte=1))
AT_LEAST_ZERO = Parameter(validator=validators.Number(gte=0))
ABOVE_ZERO = Parameter(validator=validators.Number(gt=0))
FLAG = Parameter(negative="", show_default=False)
STREAM = Path("-")


class BatchTask(msgspec.Struct, frozen=True):
    """A run as the command line wants it. `source` is a file; `output` may be the standard output."""

    source: Path
    output: Path
    ledger: Path
    settings: BatchSettings
    config: OpenRouterConfig
    dry_run: bool = msgspec.field(default=False)


def run(
    source: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)],
    model: Annotated[str | None, Parameter(name=["--model", "-m"])] = None,
    system: str | None = None,
    template: str | None = None,
    schema: Path | None = None,
    repair: Annotated[int, AT_LEAST_ZERO] = 0,
    max_tokens: Annotated[int | None, AT_LEAST_ONE] = None,
    limit: Annotated[int | None, AT_LEAST_ONE] = None,
    max_cost: Annotated[float | None, AT_LEAST_ZERO] = None,
    max_in_flight: Annotated[int, AT_LEAST_ONE] = 100,
    requests_per_minute: Annotated[float | None, ABOVE_ZERO] = None,
    tokens_per_minute: Annotated[float | None, ABOVE_ZERO] = None,
    order: Annotated[bool, FLAG] = False,
    retry_failed: Annotated[bool, FLAG] = False,
    in_doubt: Doubt = "retry",
    via: Via = "calls",
    poll: Annotated[float, ABOVE_ZERO] = 60.0,
    ledger: Path | None = None,
    dry_run: Annotated[bool, FLAG] = False,
    json: Json = False,
    reach: Reach = EVERYWHERE,
) -> int:
    """Ask a model about every row of a file, once. Killed at any instant and run again, it goes on where it was.

    Parameters
    ----------
    source
        The rows: JSON lines, .csv or .parquet; - is the standard input. A row is a prompt (the column `prompt`, or
        columns for --template, or `messages`), or a whole request in OpenAI's batch shape (`custom_id`, `body`).
    output
        Where the lines go, in the shape of OpenAI's batches; - is the standard output.
    model
        The model of rows that name none; by default the client's default model.
    system
        A system prompt that goes before each prompt; may hold {column}.
    template
        The prompt of each row, with {column} for its values; @file reads it from a file.
    schema
        A JSON schema in a file, which the answers have to fit; they are then also decoded into `value`.
    repair
        How often an answer that does not fit the schema is asked for again, with what was wrong.
    max_tokens
        The most that an answer may have; of rows that do not say it themselves.
    limit
        Run only the first so many rows.
    max_cost
        What all runs of the ledger may cost together, in USD: each call's worst case must fit before it is sent.
    max_in_flight
        How many calls are under way at most.
    requests_per_minute
        A known quota, which is never exceeded; what is not known is found out.
    tokens_per_minute
        The same for tokens.
    order
        Write the lines in the order of the input. Each then waits for those before it.
    retry_failed
        Ask the rows again that failed in an earlier run.
    in_doubt
        What to do about rows that were in flight when a run was killed, and may have been paid: retry them, skip them,
        or report them as failed.
    via
        How rows are asked: one call each, or together in OpenRouter's own batches, for about half the price, within 24
        hours. With batches, --deadline limits how long this run waits for them; the next one goes on.
    poll
        With --via batches: how many seconds lie between two questions about a batch at most.
    ledger
        Where it is written down what was asked and answered; by default beside the output.
    dry_run
        Check every row, estimate tokens and cost, and ask nothing of a model.
    json
        Print the summary as one JSON object on the standard output (the standard error, if the lines go there).
    reach
        Whom to ask, and how patiently. The limits are those of each row's call.

    """
    out = Output("batch run", json=json)
    given = {
        "model": model,
        "repair": repair,
        "max_tokens": max_tokens,
        "limit": limit,
        "max_in_flight": max_in_flight,
        "in_doubt": in_doubt,
        "retry_failed": retry_failed,
        "ordered": order,
        "via": via,
        "poll_secs": poll,
        "wait_secs": reach.deadline if via == "batches" else None,
    }
    settings = settings_of(given, system=system, template=template, schema=schema)
    if isinstance(settings, Failure):
        return out.failed(settings.failure())
    if source == output == STREAM and ledger is None:
        return out.failed(usage("--ledger", "", "name one: there is no input or output file to put it beside"))
    limits = {
        "max_cost_usd": max_cost,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
    }
    place = ledger or beside(source if output == STREAM else output)
    try:
        with Session(reach, unheard, wanted="none" if dry_run else "api_key") as session, input_of(source) as path:
            config = session.config()
            if isinstance(config, Failure):
                return out.failed(config.failure())
            if reach.stand_in is not None:
                out.remark(NOTICE.format(reach.stand_in))
            told = {name: limit for name, limit in limits.items() if limit is not None}
            limited = msgspec.structs.replace(config.unwrap(), **told)
            return carry(session, out, BatchTask(path, output, place, settings.unwrap(), limited, dry_run=dry_run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.remark("batch run: interrupted")
        return INTERRUPTED


def carry(session: Session, out: Output, task: BatchTask) -> int:
    """Run it, or tell what it would take."""
    from openrouter_client.bulk.running import BatchRun
    from openrouter_client.cli.batch.board import board_on
    from openrouter_client.cli.batch.carrying import Interruptions, carried, rehearsed

    to = sys.stdout.buffer if task.output == STREAM else task.output
    made = BatchRun.new(task.source, to, task.settings, config=task.config, ledger=task.ledger)
    if isinstance(made, Failure):
        return out.failed(made.failure())
    run = made.unwrap()
    if task.dry_run:
        return session.run(rehearsed(run, out))
    board = board_on(out.remarks)
    return session.run(carried(run, board, out, quiet=task.output == STREAM), Interruptions(run, board))


def status(ledger: Path, /, *, json: Json = False) -> int:
    """Show how a run stands, while it runs too.

    Parameters
    ----------
    ledger
        The ledger, or the output that it is beside.
    json
        Print one JSON object.

    """
    return looking.looked(Output("batch status", json=json), ledger, looking.status)


def export(
    ledger: Path, /, *, output: Annotated[Path, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = STREAM
) -> int:
    """Write all lines of a ledger, in the order of the input, while it runs too.

    Parameters
    ----------
    ledger
        The ledger, or the output that it is beside.
    output
        Where to; - is the standard output.

    """
    return looking.looked(
        Output("batch export"), ledger, lambda one, _: looking.export(one, None if output == STREAM else output)
    )


def failures(ledger: Path, /, *, json: Json = False) -> int:
    """Show the rows that failed, each with its error, while it runs too.

    Parameters
    ----------
    ledger
        The ledger, or the output that it is beside.
    json
        Print their lines of the output instead of a table.

    """
    return looking.looked(Output("batch failures", json=json), ledger, looking.failures)


@contextmanager
def input_of(source: Path) -> Generator[Path]:
    """Give the input as a file: what comes from the standard input is kept for as long as it is needed."""
    if source != STREAM:
        yield source
        return
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield Path(kept.name)


def settings_of(
    given: dict[str, Any], *, system: str | None, template: str | None, schema: Path | None
) -> Result[BatchSettings, DataSourceError]:
    """Put the settings of a run together, with what is read from files."""
    texts = {"system": text_of("--system", system), "template": text_of("--template", template)}
    told: dict[str, Any] = {}
    for name, text in texts.items():
        if isinstance(text, Failure):
            return text
        told[name] = text.unwrap()
    if schema is not None:
        read = read_file("--schema", schema, as_schema)
        if isinstance(read, Failure):
            return read
        told["schema"] = read.unwrap().schema
    return Success(BatchSettings(**given, **told))


def text_of(option: str, given: str | None) -> Result[str | None, DataSourceError]:
    """Give a text, read from a file where it is @file."""
    if given is None or not given.startswith("@"):
        return Success(given)
    return read_file(option, Path(given[1:]), as_text)
