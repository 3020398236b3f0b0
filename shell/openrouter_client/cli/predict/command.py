"""The command itself: reads the file, chooses who answers (OpenRouter or the local stand-in) and where to show it."""

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, validators
from returns.result import Failure, Result, Success

from openrouter_client.cli.predict.asking import Asking
from openrouter_client.cli.predict.boards import Board, JsonBoard
from openrouter_client.cli.predict.markets import Market, MarketProblem, parse_markets
from openrouter_client.cli.predict.report import Heading
from openrouter_client.cli.predict.rows import EXIT_INTERRUPTED, EXIT_USAGE, summarise
from openrouter_client.cli.predict.table import Screen, TableBoard
from openrouter_client.cli.predict.witness import Witness
from openrouter_client.client import OpenRouterClient
from openrouter_client.environment import config_from_environment
from openrouter_client.simulator import Simulator
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import AuthError, DataSourceError

_AT_LEAST_ONE = validators.Number(gte=1)
_AT_LEAST_ZERO = validators.Number(gte=0)
_ABOVE_ZERO = validators.Number(gt=0)
_SHOWN_PROBLEMS = 10

STAND_IN_LATENCY = (0.1, 0.8)
"""How long the stand-in takes for an answer, in seconds, from and to: about as long as a quick model."""

_NO_KEY = """\
No API key. There are two ways to go on:
  with the real OpenRouter:  export OPENROUTER_API_KEY=sk-or-...   (from openrouter.ai/settings/keys; it costs money)
  with the local stand-in:   openrouter-client predict {file} --simulate   (made-up answers, no key, no network)"""


def predict(
    file: Path,
    /,
    *,
    model: str | None = None,
    concurrency: Annotated[int, Parameter(validator=_AT_LEAST_ONE)] = 8,
    limit: Annotated[int | None, Parameter(validator=_AT_LEAST_ONE)] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    simulate: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    faults: str | None = None,
    deadline: Annotated[float | None, Parameter(validator=_ABOVE_ZERO)] = None,
    timeout: Annotated[float | None, Parameter(validator=_ABOVE_ZERO)] = None,
    retries: Annotated[int | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
    retry_delay_ms: Annotated[int | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
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
    simulate
        Let the local stand-in answer: made-up predictions, no key, no network, no cost.
    seed
        With --simulate: the seed of its answers and faults.
    faults
        With --simulate: which faults it makes; see `openrouter-client simulate --help`.
    deadline
        The limit of each market's call in seconds, retries and waits included.
    timeout
        The limit of each attempt in seconds.
    retries
        How many attempts may follow a failed first one.
    retry_delay_ms
        The wait before the first retry in milliseconds; it doubles with each.

    """
    settings: dict[str, Any] = {
        "deadline_secs": deadline,
        "timeout_secs": timeout,
        "max_retries": retries,
        "retry_delay_ms": retry_delay_ms,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    if faults is not None and not simulate:
        return _complain("--faults is for the local stand-in: add --simulate, or leave it out")
    markets = _read(file)
    if isinstance(markets, str):
        return _complain(markets)
    markets = markets[:limit]
    try:
        simulator = Simulator(seed=seed, faults=faults or "", latency=STAND_IN_LATENCY) if simulate else None
    except ValueError as error:
        return _complain(f"--faults {faults}: {error}")
    _take_every_character(sys.stdout, json=json)
    board = JsonBoard(sys.stdout, sys.stderr) if json else TableBoard(Screen(), [market.question for market in markets])
    run = Run(
        source=file,
        markets=markets,
        model=model,
        concurrency=concurrency,
        settings=settings,
        board=board,
        simulator=simulator,
        stand_in=f"seed {seed}, faults: {faults or 'none'}" if simulate else None,
    )
    try:
        return asyncio.run(_run(run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain("Interrupted, with nothing to show.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone (`| head`). What is left in the buffer goes nowhere, without a complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the command line came to. `stand_in` describes the simulator; both are `None` for the real API."""

    source: Path
    markets: Sequence[Market]
    model: str | None
    concurrency: int
    settings: dict[str, Any]
    board: Board
    simulator: Simulator | None
    stand_in: str | None


async def _run(run: Run) -> int:
    """Make the client, and ask everything."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_cancelled_by_ctrl_c())
        witness = Witness(run.board)
        config = await _config(run, stack)
        made = config.bind(lambda config: OpenRouterClient.new(config, observe=witness))
        if not isinstance(made, Success):
            return _complain(_told(made.failure(), run.source))
        client = await stack.enter_async_context(made.unwrap())
        heading = Heading(
            source=str(run.source),
            markets=len(run.markets),
            model=run.model or client.config.default_model,
            concurrency=run.concurrency,
            max_retries=client.config.max_retries,
            base_url=client.config.base_url,
            stand_in=run.stand_in,
        )
        asking = Asking(client, run.markets, model=run.model, board=run.board, witness=witness)
        return await _ask(asking, run.board, heading)


async def _config(run: Run, stack: AsyncExitStack) -> Result[OpenRouterConfig, DataSourceError]:
    """The client's settings. The stand-in heeds the command line only: no variable can send it elsewhere."""
    if run.simulator is None:
        return config_from_environment(run.settings)
    simulator = await stack.enter_async_context(run.simulator)
    return Success(OpenRouterConfig(**run.settings, api_key=simulator.api_key, base_url=simulator.base_url))


@contextmanager
def _cancelled_by_ctrl_c() -> Generator[None, None, None]:
    """Let Ctrl-C cancel this task between two steps of the loop.

    Without this, asyncio cancels it from a signal handler, in the middle of a step: a connection that is just being
    made then dies with an InvalidStateError on the screen.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    try:
        loop.add_signal_handler(signal.SIGINT, lambda: task and task.cancel())
    except (NotImplementedError, RuntimeError, ValueError):  # Windows; a thread that is not the main one
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


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


def _take_every_character(out: object, *, json: bool) -> None:
    """Make an output lose no more than a character that it cannot show: what comes there was paid for."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8" if json else None, errors=None if json else "replace")


def _read(file: Path) -> tuple[Market, ...] | str:
    """The markets of a file, or what to tell the user."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        return f"{file}: {error.strerror or error}; give the path of a JSON-lines file of markets"
    except UnicodeDecodeError as error:
        return f"{file}: not UTF-8 at byte {error.start}; save the file as UTF-8"
    match parse_markets(text, str(file)):
        case Success(markets):
            return tuple(markets)
        case Failure(problems):
            return _listed(problems)
        case unknown:
            raise AssertionError(unknown)


def _listed(problems: Sequence[MarketProblem]) -> str:
    """The first problems, one a line, and how many more there are."""
    lines = [str(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"... and {len(problems) - _SHOWN_PROBLEMS} more")
    return "\n".join(lines)


def _told(error: DataSourceError, file: Path) -> str:
    """Why there is no client, and what to do."""
    return _NO_KEY.format(file=file) if isinstance(error, AuthError) else str(error)


def _complain(words: str) -> int:
    sys.stderr.write(f"{words}\n")
    return EXIT_USAGE
