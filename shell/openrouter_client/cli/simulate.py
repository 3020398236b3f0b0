"""`openrouter-client simulate`: the local OpenRouter as a process of its own, until Ctrl-C."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from openrouter_client.cli.exits import DONE, NETWORK
from openrouter_client.cli.money import usd
from openrouter_client.cli.options import Json
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import usage
from openrouter_client.cli.signals import ENDING, heard
from openrouter_core.errors import InvalidRequest

if TYPE_CHECKING:
    from openrouter_client.simulator import Simulator


async def simulate(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 0,
    faults: str = "",
    quota: str | None = None,
    latency: str = "0",
    api_key: Annotated[str | None, Parameter(name="--key")] = None,
    management_key: str | None = None,
    json: Json = False,
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
        The made-up key that requests have to carry; unless given, one that is told.
    management_key
        The made-up key for requests that manage, likewise.
    json
        Print one JSON object when it listens, with its address and keys, and one at the end, with what it served.

    """
    from openrouter_client.simulator import API_KEY, MANAGEMENT_KEY, Simulator

    out = Output("simulate", json=json)
    try:
        simulator = Simulator(
            seed=seed,
            faults=faults,
            quota=quota,
            host=host,
            port=port,
            api_key=API_KEY if api_key is None else api_key,
            management_key=MANAGEMENT_KEY if management_key is None else management_key,
            latency=_latency(latency),
        )
    except ValueError as error:
        return out.failed(InvalidRequest(message=str(error), field="the options"))
    try:
        async with simulator:
            _greet(out, simulator)
            await _interrupted()
    except OSError as error:
        problem = usage("--port", port, f"cannot listen on {host}:{port}: {error.strerror or error}; try --port 0")
        out.failed(problem)
        return NETWORK
    _summarise(out, simulator)
    return DONE


def _latency(text: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise ValueError(f"latency {text!r}: expected seconds, '0.2', or from and to, '0.1:0.3'") from None


async def _interrupted() -> None:
    """Return at Ctrl-C, or when the process is asked to end. On Windows, Ctrl-C cancels this wait instead."""
    asked = asyncio.Event()
    with heard(ENDING, asked.set):
        await asked.wait()


def _greet(out: Output, simulator: "Simulator") -> None:
    if out.json:
        keys = {"api_key": simulator.api_key, "management_key": simulator.management_key}
        out.value({"base_url": simulator.base_url, **keys})
        return
    variables = f"OPENROUTER_BASE_URL={simulator.base_url} OPENROUTER_API_KEY={simulator.api_key}"
    for line in (
        f"A stand-in for OpenRouter listens on {simulator.base_url} (made-up answers; Ctrl-C ends it).",
        "For the client, in another terminal:",
        f"  export {variables}",
        f"  export OPENROUTER_MANAGEMENT_KEY={simulator.management_key}",
    ):
        out.write(f"{line}\n")


def _summarise(out: Output, simulator: "Simulator") -> None:
    if out.json:
        out.value({"served": dict(simulator.counts.most_common()), "cost_usd": simulator.cost})
        return
    if simulator.counts:
        out.table(("served", "times"), simulator.counts.most_common(), numbers=("times",))
    else:
        out.write("Served nothing.\n")
    out.write(f"Cost, had it been real: {usd(simulator.cost)}\n")
