"""From the options to a client that answers: keys, settings, the stand-in, Ctrl-C. Commands that call are run here.

aiohttp is imported when a client is made, and not before: help needs none.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from returns.result import Failure, Result, Success

from openrouter_client.cli.exits import INTERRUPTED
from openrouter_client.cli.keyfiles import NO_KEY, NO_MANAGEMENT_KEY, folder, keys_from_files
from openrouter_client.cli.options import Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import usage
from openrouter_client.cli.signals import CTRL_C, ENDING, heard
from openrouter_client.cli.spending import Meter
from openrouter_client.environment import config_from_environment, environment
from openrouter_client.observe import Hook
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import AuthError, DataSourceError
from openrouter_core.journal import Moment

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient
    from openrouter_client.simulator import Simulator

T = TypeVar("T")

Wanted = Literal["any", "api_key", "management_key", "none"]
"""The key without which a command makes no sense; it may be either of the two."""

STAND_IN_LATENCY = (0.1, 0.8)
"""How long the stand-in takes for an answer, in seconds, from and to: about as long as a quick model."""

NOTICE = "LOCAL STAND-IN: a simulator on this machine ({}) makes the answers up; no model is asked, nothing is charged."


def perform(
    out: Output,
    reach: Reach,
    work: Callable[["OpenRouterClient", Output], Coroutine[Any, Any, int]],
    *,
    wanted: Wanted = "any",
) -> int:
    """Run a command that is one piece of work with a client, and give its exit code."""
    return conduct(out, reach, lambda session, client: session.run(work(client, out)), wanted=wanted)


def conduct(
    out: Output, reach: Reach, drive: Callable[["Session", "OpenRouterClient"], int], *, wanted: Wanted = "any"
) -> int:
    """Run a command step by step, and give its exit code; Ctrl-C ends it, and what was spent is said."""
    meter = Meter(out.remark)
    try:
        with Session(reach, meter, wanted=wanted) as session:
            made = session.client()
            if isinstance(made, Failure):
                return out.failed(made.failure())
            if reach.stand_in is not None:
                out.remark(NOTICE.format(reach.stand_in))
            return drive(session, made.unwrap())
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.remark(f"{out.command}: interrupted. {meter.spent()}")
        return INTERRUPTED


class Session:
    """A client on a loop of its own, run step by step: between two steps a person may be waited for.

    `observe` is the client's hook.
    """

    def __init__(self, reach: Reach, observe: Hook, *, wanted: Wanted = "any") -> None:
        self._reach = reach
        self._observe = observe
        self._wanted: Wanted = wanted
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.run(self._stack.aclose())
        finally:
            self._runner.close()

    def run(self, step: Coroutine[Any, Any, T], interrupted: Callable[[], object] | None = None) -> T:
        """Run one step to its end; Ctrl-C cancels it, and is a CancelledError or a KeyboardInterrupt here.

        With `interrupted` that is called instead, and at each further Ctrl-C again.
        """
        return self._runner.run(_interruptible(step, interrupted))

    def client(self) -> Result["OpenRouterClient", DataSourceError]:
        """Make the client, or say what is wrong with the options, the environment or the key files."""
        return self.run(self._client())

    def config(self) -> Result[OpenRouterConfig, DataSourceError]:
        """Settle the client's settings; a stand-in that they want runs from now on."""
        return self.run(self._config())

    async def _client(self) -> Result["OpenRouterClient", DataSourceError]:
        from openrouter_client.client import OpenRouterClient

        config = await self._config()
        made = config.bind(lambda config: OpenRouterClient.new(config, observe=self._observe))
        if isinstance(made, Success):
            await self._stack.enter_async_context(made.unwrap())
        return made

    async def _config(self) -> Result[OpenRouterConfig, DataSourceError]:
        """Settle the client's settings. The stand-in heeds the options only: no variable can send it elsewhere."""
        flaw = self._reach.flaw()
        if flaw is not None:
            return Failure(flaw)
        if not self._reach.simulate:
            return configured(self._reach, self._wanted)
        simulator = stand_in(self._reach)
        if isinstance(simulator, Failure):
            return simulator
        running = await self._stack.enter_async_context(simulator.unwrap())
        told: dict[str, Any] = {
            **self._reach.settings(),
            "base_url": running.base_url,
            "api_key": running.api_key,
            "management_key": running.management_key,
        }
        return Success(OpenRouterConfig(**told))


def configured(reach: Reach, wanted: Wanted = "any") -> Result[OpenRouterConfig, DataSourceError]:
    """Settle the settings for the real API: options, then variables, then key files."""
    environ = environment()
    keys = keys_from_files(environ)
    if isinstance(keys, Failure):
        return Failure(keys.failure())
    config = config_from_environment({**keys.unwrap(), **reach.settings()})
    return config.bind(lambda config: keyed(config, wanted, str(folder(environ))))


def keyed(config: OpenRouterConfig, wanted: Wanted, home: str) -> Result[OpenRouterConfig, DataSourceError]:
    """Accept settings that have the key that is wanted; `home` is the folder where key files may be."""
    if wanted == "none" or (config.management_key if wanted == "management_key" else config.api_key):
        return Success(config)
    if wanted == "any" and config.management_key:
        return Success(config)
    if wanted == "management_key":
        words = NO_MANAGEMENT_KEY.format(file=f"{home}/management-key")
        return Failure(AuthError(message=words, key="management"))
    return Failure(AuthError(message=NO_KEY.format(file=f"{home}/key")))


def unheard(moment: Moment) -> None:
    """Hear an event of a call, and do nothing: for commands that tell in their own way how it goes."""
    del moment


def stand_in(reach: Reach) -> Result["Simulator", DataSourceError]:
    """Make the local stand-in that the options describe."""
    from openrouter_client.simulator import Simulator

    try:
        return Success(Simulator(seed=reach.seed, faults=reach.faults or "", latency=STAND_IN_LATENCY))
    except ValueError as error:
        return Failure(usage("--faults", reach.faults, str(error)))


async def _interruptible(step: Coroutine[Any, Any, T], interrupted: Callable[[], object] | None) -> T:
    """Run a step; Ctrl-C cancels it, unless somebody else is to hear of that, and of requests to end."""
    task = asyncio.current_task()
    with heard(CTRL_C, lambda: task and task.cancel()) if interrupted is None else heard(ENDING, interrupted):
        return await step
