"""The command itself: reads the file, chooses who answers (OpenRouter or the local stand-in) and where to show it."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from returns.result import Failure, Result, Success

from openrouter_client.cli.exits import INTERRUPTED
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.predict.asking import Asking
from openrouter_client.cli.predict.boards import Board, JsonBoard
from openrouter_client.cli.predict.markets import Market, MarketProblem, parse_markets
from openrouter_client.cli.predict.report import Heading
from openrouter_client.cli.predict.rows import summarise
from openrouter_client.cli.predict.table import Screen, TableBoard
from openrouter_client.cli.predict.witness import Witness
from openrouter_client.cli.problems import as_text, read_file
from openrouter_client.cli.session import Session
from openrouter_core.errors import InvalidRequest

_AT_LEAST_ONE = validators.Number(gte=1)
_SHOWN_PROBLEMS = 10


def predict(
    file: Path,
    /,
    *,
    model: Annotated[str | None, Parameter(alias="-m")] = None,
    concurrency: Annotated[int, Parameter(validator=_AT_LEAST_ONE)] = 8,
    limit: Annotated[int | None, Parameter(validator=_AT_LEAST_ONE)] = None,
    json: Json = False,
    reach: Reach = EVERYWHERE,
) -> int:
    """Ask a model about prediction markets, and show each prediction with its edge against the price.

    Parameters
    ----------
    file
        Markets as JSON lines: id, question, description, yes_price, no_price, volume_24h, liquidity and
        hours_to_resolution. Prices in USD per contract of 1 USD.
    model
        The model to ask; by default the client's default model.
    concurrency
        How many markets are asked about at a time.
    limit
        Ask only about the first so many markets.
    json
        Print one JSON object a line for each market, then a summary, and nothing else on the standard output.
    reach
        Whom to ask, and how patiently; a deadline is for each market.

    """
    out = Output("predict", json=json)
    read = _read(file)
    if isinstance(read, Failure):
        return out.failed(read.failure())
    markets = read.unwrap()[:limit]
    board = JsonBoard(sys.stdout, sys.stderr) if json else TableBoard(Screen(), [market.question for market in markets])
    witness = Witness(board)
    try:
        with Session(reach, witness, wanted="api_key") as session:
            made = session.client()
            if isinstance(made, Failure):
                return out.failed(made.failure())
            client = made.unwrap()
            asking = Asking(client, markets, model=model, board=board, witness=witness)
            heading = Heading(
                source=str(file),
                markets=len(markets),
                model=model or client.config.default_model,
                concurrency=concurrency,
                max_retries=client.config.max_retries,
                base_url=client.config.base_url,
                stand_in=reach.stand_in,
            )
            return session.run(_ask(asking, board, heading))
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.remark("Interrupted, with nothing to show.")
        return INTERRUPTED


async def _ask(asking: Asking, board: Board, heading: Heading) -> int:
    """Everything between the heading and the totals."""
    began = time.monotonic()
    board.opened(heading)
    try:
        rows = await asking.all(heading.concurrency)
    except BaseException:
        board.abandoned()
        raise
    summary = summarise(rows, time.monotonic() - began, stand_in=heading.stand_in is not None)
    board.closed(rows, summary)
    return summary.exit_code


def _read(file: Path) -> Result[tuple[Market, ...], InvalidRequest]:
    """The markets of a file, or what is wrong with it, line by line."""
    text = read_file("the file", file, as_text)
    if isinstance(text, Failure):
        return Failure(text.failure())
    match parse_markets(text.unwrap(), str(file)):
        case Success(markets):
            return Success(tuple(markets))
        case Failure(problems):
            return Failure(InvalidRequest(message=_listed(problems), field="the file", value=str(file)))
        case unknown:
            raise AssertionError(unknown)


def _listed(problems: Sequence[MarketProblem]) -> str:
    """The first problems, one a line, and how many more there are."""
    lines = [str(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"... and {len(problems) - _SHOWN_PROBLEMS} more")
    return "\n".join(lines)
