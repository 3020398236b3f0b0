"""`openrouter-client simulate`: the local OpenRouter as a process of its own, until Ctrl-C."""

import asyncio
import contextlib
import signal
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from openrouter_client.simulator import API_KEY, Simulator

_WRONG_USAGE = 2
_CANNOT_LISTEN = 1


async def simulate(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 0,
    faults: str = "",
    quota: str | None = None,
    latency: str = "0",
    api_key: Annotated[str, Parameter(name="--key")] = API_KEY,
) -> int:
    """Run a local stand-in for OpenRouter until Ctrl-C; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on; 0 takes a free one.
    seed
        Fixes every answer and every fault.
    faults
        What goes wrong, and how often: name:probability, with commas, for example "500:0.05,429:0.1,reset:0.02".
        A number after @ says how long or how large: "slow@2:0.1". A wrong name lists the known ones.
    quota
        How many requests are granted: "10/s", "20/min window", "10/s burst 3"; add "reset" for X-RateLimit headers,
        "nohint" for no hint at all. Beyond it: 429.
    latency
        How long an answer takes, in seconds: "0.2", or from and to, "0.1:0.3".
    api_key
        The key that requests have to carry.

    """
    console, complaints = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        simulator = Simulator(
            seed=seed, faults=faults, quota=quota, host=host, port=port, api_key=api_key, latency=_latency(latency)
        )
    except ValueError as error:
        complaints.print(f"simulate: {error}", markup=False)
        return _WRONG_USAGE
    try:
        async with simulator:
            _greet(console, simulator)
            await _interrupted()
    except OSError as error:
        complaints.print(f"simulate: cannot listen on {host}:{port}: {error.strerror or error}", markup=False)
        return _CANNOT_LISTEN
    _summarise(console, simulator)
    return 0


def _latency(text: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise ValueError(f"latency {text!r}: expected seconds, '0.2', or from and to, '0.1:0.3'") from None


async def _interrupted() -> None:
    """Return at Ctrl-C, or when the process is asked to end."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for one in signals:
        # Windows has no handlers on the loop; there, Ctrl-C cancels this wait instead.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(one, asked.set)
    try:
        await asked.wait()
    finally:
        for one in signals:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(one)


def _greet(console: Console, simulator: Simulator) -> None:
    lines = (
        f"A stand-in for OpenRouter listens on {simulator.base_url} (made-up answers; Ctrl-C ends it).",
        "For the client, in another terminal:",
        f"  export OPENROUTER_BASE_URL={simulator.base_url} OPENROUTER_API_KEY={simulator.api_key}",
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    console.file.flush()


def _summarise(console: Console, simulator: Simulator) -> None:
    table = Table("answer", "times", title="Served", title_justify="left")
    for kind, times in sorted(simulator.counts.items(), key=lambda pair: -pair[1]):
        table.add_row(kind, str(times))
    console.print(table if simulator.counts else "Served nothing.")
    console.print(f"Cost, had it been real: {simulator.cost:.6f} USD")
