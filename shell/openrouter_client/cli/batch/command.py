"""The command `openrouter-client batch`: its options, and what they come to."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter, validators
from returns.result import Failure
from rich.console import Console

from openrouter_client.bulk.settings import BatchSettings, beside
from openrouter_client.cli import exits
from openrouter_client.cli.batch import looking
from openrouter_client.cli.batch.refusing import complained, keyed, refused
from openrouter_client.cli.keyfiles import folder, keys_from_files
from openrouter_client.environment import config_from_environment, environment

AT_LEAST_ONE = Parameter(validator=validators.Number(gte=1))
AT_LEAST_ZERO = Parameter(validator=validators.Number(gte=0))
ABOVE_ZERO = Parameter(validator=validators.Number(gt=0))
FLAG = Parameter(negative="")
STREAM = Path("-")


def run(
    source: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)],
    model: Annotated[str | None, Parameter(name=["--model", "-m"])] = None,
    system: str | None = None,
    template: str | None = None,
    schema: Path | None = None,
    max_tokens: Annotated[int | None, AT_LEAST_ONE] = None,
    limit: Annotated[int | None, AT_LEAST_ONE] = None,
    max_cost: Annotated[float | None, AT_LEAST_ZERO] = None,
    max_in_flight: Annotated[int, AT_LEAST_ONE] = 100,
    deadline: Annotated[float | None, ABOVE_ZERO] = None,
    timeout: Annotated[float | None, ABOVE_ZERO] = None,
    requests_per_minute: Annotated[float | None, ABOVE_ZERO] = None,
    tokens_per_minute: Annotated[float | None, ABOVE_ZERO] = None,
    order: Annotated[bool, FLAG] = False,
    retry_failed: Annotated[bool, FLAG] = False,
    in_doubt: Literal["retry", "skip", "report"] = "retry",
    ledger: Path | None = None,
    dry_run: Annotated[bool, FLAG] = False,
    json: Annotated[bool, FLAG] = False,
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
        A JSON schema in a file, which the answers are to follow; they are then also decoded into `value`.
    max_tokens
        The most that an answer may have; of rows that do not say it themselves.
    limit
        Run only the first so many rows.
    max_cost
        What all runs of the ledger may cost together, in USD: each call's worst case must fit before it is sent.
    max_in_flight
        How many calls are under way at most.
    deadline
        The limit of each row's call in seconds: its turn, its attempts and their waits together.
    timeout
        The limit of each attempt in seconds.
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
    ledger
        Where it is written down what was asked and answered; by default beside the output.
    dry_run
        Check every row, estimate tokens and cost, and ask nothing of a model.
    json
        Print the summary as one JSON object on the standard output (the standard error, if the lines go there).

    """
    from openrouter_client.bulk.running import BatchRun
    from openrouter_client.cli.batch.carrying import carried, rehearsed

    settings: dict[str, Any] = {
        "max_cost_usd": max_cost,
        "deadline_secs": deadline,
        "timeout_secs": timeout,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
    }
    environ = environment()
    keys = keys_from_files(environ)
    if isinstance(keys, Failure):
        return refused(keys.failure())
    given = {name: value for name, value in settings.items() if value is not None}
    config = config_from_environment({**keys.unwrap(), **given}).bind(lambda one: keyed(one, folder(environ) / "key"))
    if isinstance(config, Failure):
        return refused(config.failure())
    if source == output == STREAM and ledger is None:
        return complained("--ledger: name one, for there is neither an input nor an output file to put it beside")
    try:
        asked = BatchSettings(
            model=model,
            system=text_of(system),
            template=text_of(template),
            schema=None if schema is None else msgspec.json.decode(schema.read_bytes(), type=dict[str, Any]),
            max_tokens=max_tokens,
            limit=limit,
            max_in_flight=max_in_flight,
            in_doubt=in_doubt,
            retry_failed=retry_failed,
            ordered=order,
        )
    except (OSError, ValueError) as error:
        return complained(f"--schema, --template or --system: {error}; give a file that can be read")
    place = ledger or beside(source if output == STREAM else output)
    console = Console(stderr=True, highlight=False)
    with input_of(source) as path:
        to = sys.stdout.buffer if output == STREAM else output
        made = BatchRun.new(path, to, asked, config=config.unwrap(), ledger=place)
        if isinstance(made, Failure):
            return refused(made.failure())
        one = made.unwrap()
        try:
            if dry_run:
                return asyncio.run(rehearsed(one, console, json=json))
            return asyncio.run(carried(one, console, json=json, quiet=output == STREAM))
        except KeyboardInterrupt:
            return exits.INTERRUPTED


def status(ledger: Path, /, *, json: Annotated[bool, FLAG] = False) -> int:
    """Show how a run stands, while it runs too.

    Parameters
    ----------
    ledger
        The ledger, or the output that it is beside.
    json
        Print one JSON object.

    """
    return looking.looked(ledger, lambda one: looking.status(one, Console(highlight=False), json=json))


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
    return looking.looked(ledger, lambda one: looking.export(one, None if output == STREAM else output))


def failures(ledger: Path, /, *, json: Annotated[bool, FLAG] = False) -> int:
    """Show the rows that failed, each with its error, while it runs too.

    Parameters
    ----------
    ledger
        The ledger, or the output that it is beside.
    json
        Print their lines of the output instead of a table.

    """
    return looking.looked(ledger, lambda one: looking.failures(one, Console(highlight=False), json=json))


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


def text_of(given: str | None) -> str | None:
    """Give a text, read from a file where it is @file; raises OSError."""
    if given is None or not given.startswith("@"):
        return given
    return Path(given[1:]).read_text(encoding="utf-8")
