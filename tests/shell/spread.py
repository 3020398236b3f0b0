"""What the tests of spread runs share: a coordinator and workers in one process, with ways between them that break."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from returns.result import Result
from tests.shell.bulk import config_of
from tests.shell.loopback import Loopback

from openrouter_client import BatchSettings, unwrap
from openrouter_client.simulator import Simulator
from openrouter_client.spread.actors import coordinator_of
from openrouter_client.spread.coordinator import Coordinator
from openrouter_client.spread.link import LinkLost
from openrouter_client.spread.spec import Spec
from openrouter_client.spread.worker import Worker
from openrouter_core.bulk.figures import Summary
from openrouter_core.bulk.posts import FromWorker, Heard, Hello, ToWorker, Welcome
from openrouter_core.errors import DataSourceError


def spec_of(server: Simulator | Loopback, source: Path, **settings: Any) -> Spec:
    """Describe a run; names of the config go there, the others are the run's settings."""
    ours = {name: value for name, value in settings.items() if name in BatchSettings.__struct_fields__}
    own = {name: value for name, value in settings.items() if name in Spec.__struct_fields__}
    theirs = {name: value for name, value in settings.items() if name not in ours and name not in own}
    return Spec(
        source=str(source),
        output=str(source.with_name("out.jsonl")),
        settings=BatchSettings(**ours),
        config=config_of(server, **theirs),
        **{"ledger": None, "workers": 2} | own,
    )


class Cluster:
    """Plays Ray: coordinator and workers, of which each can be killed and started again.

    Every call of a worker goes over a way that loses some of what it carries, before or after it has arrived.
    """

    def __init__(self, spec: Spec, *, losing: float = 0.0) -> None:
        self.spec = spec
        self.losing = losing
        self.dice = random.Random(3)
        self.coordinator: Coordinator | None = None
        self.running: asyncio.Task[Result[Summary, DataSourceError]] | None = None
        self.workers: dict[str, asyncio.Task[None]] = {}
        self.alive: dict[str, Worker] = {}

    def lead(self, *, resumed: bool = False) -> None:
        """Start a coordinator."""
        self.coordinator = unwrap(coordinator_of(self.spec))
        self.coordinator.resumed = resumed
        self.running = asyncio.create_task(self.coordinator.run())

    def hire(self, name: str) -> None:
        """Start a worker."""
        self.alive[name] = Worker(self.spec, name, self)
        self.workers[name] = asyncio.create_task(self.alive[name].run())

    async def kill(self, name: str) -> None:
        """Kill a worker, without a word to anybody."""
        task = self.workers.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def behead(self) -> None:
        """Kill the coordinator."""
        assert self.running is not None
        self.coordinator = None
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running

    async def ended(self) -> Summary:
        """Wait for the end."""
        assert self.running is not None
        summary = unwrap(await self.running)
        await asyncio.gather(*self.workers.values())
        return summary

    async def __aenter__(self) -> Self:
        self.lead()
        for number in range(1, self.spec.workers + 1):
            self.hire(f"worker-{number}")
        return self

    async def __aexit__(self, *raised: object) -> None:
        for name in list(self.workers):
            await self.kill(name)
        if self.coordinator is not None:
            await self.behead()

    # --- the way ------------------------------------------------------------------------------------------------------

    async def there(self) -> Coordinator:
        """Carry something, or lose it."""
        await asyncio.sleep(0)
        if self.coordinator is None or self.dice.random() < self.losing:
            raise LinkLost("lost on the way")
        return self.coordinator

    async def back(self, of: Coordinator) -> None:
        """Carry an answer back, or lose it."""
        await asyncio.sleep(0)
        if self.coordinator is not of or self.dice.random() < self.losing:
            raise LinkLost("lost on the way back")

    async def hello(self, hello: Hello) -> Welcome:
        to = await self.there()
        answer = await to.hello(hello)
        await self.back(to)
        return answer

    async def post(self, session: str, heard: Heard[FromWorker]) -> bool:
        to = await self.there()
        answer = await to.post(session, heard)
        await self.back(to)
        return answer

    async def hear(self, session: str, after: int) -> Heard[ToWorker] | None:
        to = await self.there()
        answer = await to.hear(session, after)
        await self.back(to)
        return answer
