"""The coordinator: a bulk run whose rows are asked elsewhere. It has the ledger, the limiters, the money, the leases.

It differs from `BatchRun` only in the way in which rows are asked (`remote`). So all that a run can be told, and all
that it promises, is what it is on one machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import IO

import msgspec
from returns.result import Result

from openrouter_client.bulk.asking import Workers
from openrouter_client.bulk.batching import Batches
from openrouter_client.bulk.ledger import Ledger
from openrouter_client.bulk.opening import Opened
from openrouter_client.bulk.running import BatchRun
from openrouter_client.bulk.settings import Parts
from openrouter_client.calls import Calls
from openrouter_client.line import NOBODY
from openrouter_client.spread.desk import Desk
from openrouter_client.spread.remote import Remote
from openrouter_client.spread.spec import freed
from openrouter_core.bulk.figures import Summary
from openrouter_core.bulk.posts import FromWorker, Heard, Hello, ToWorker, Welcome
from openrouter_core.bulk.states import IN_FLIGHT
from openrouter_core.errors import DataSourceError
from openrouter_core.fallback import Fallback
from openrouter_core.limit.seen import Ask

RECOVERY = 30.0
"""For so many seconds a coordinator that was restarted waits for its workers to tell what they have."""


class Coordinator(BatchRun):
    """A run. `workers` is how many there are to be; `resumed`: an earlier coordinator of theirs has died."""

    def __init__(self, parts: Parts, calls: Calls, stream: IO[bytes] | None, fallbacks: Sequence[Fallback]) -> None:
        super().__init__(parts, calls, stream, fallbacks)
        self.workers: int = 1
        self.resumed: bool = False
        self.remote: Remote = Remote(self.standing, calls, self.options)
        self.way: Workers | Batches = self.remote
        self.desk: Desk = self.remote.desk
        self.hellos: dict[str, Hello] = {}
        self.came: asyncio.Event = asyncio.Event()
        self.ready: asyncio.Event = asyncio.Event()
        self.over: bool = False

    # --- the run ------------------------------------------------------------------------------------------------------

    async def run(self) -> Result[Summary, DataSourceError]:
        """Run all rows that are not answered yet, by the workers that present themselves."""
        watch = asyncio.create_task(self.watch())
        try:
            return await super().run()
        finally:
            watch.cancel()
            self.over = True
            self.ready.set()
            self.desk.close()

    async def _opened(self) -> Result[Opened, DataSourceError]:
        """Open the ledger, when it is known what the workers still have of an earlier coordinator's rows."""
        if self.resumed:
            await freed(self.parts.ledger)
            await self.gathered()
        self.held: frozenset[int] = frozenset(claim.row for hello in self.hellos.values() for claim in hello.claims)
        return (await super()._opened()).map(self.adopted)

    async def gathered(self) -> None:
        """Wait until all workers have said what they have, or for as long as they may take."""
        try:
            async with asyncio.timeout(RECOVERY):
                while len(self.hellos) < self.workers:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            return

    def adopted(self, begun: Opened) -> Opened:
        """Take over the rows that workers have, and count them as rows that are still to be asked."""
        now, line = self.calls.world.now(), self.calls.line
        for hello in self.hellos.values():
            self.desk.leases.joined(hello.worker, hello.life, (), now)
            for claim in hello.claims:
                if claim.row < len(begun.states) and begun.states[claim.row] == IN_FLIGHT:
                    self.remote.adopted.add(claim.row)
                    self.desk.leases.adopt(claim.row, hello.worker)
                    talk = self.remote.talk(claim.row)
                    talk.stamp = line.admission.let_go(NOBODY, Ask(), now).stamp if claim.under_way else None
        counts, many = begun.counts, len(self.remote.adopted)
        again = msgspec.structs.replace(counts, todo=counts.todo + many, in_flight=counts.in_flight - many)
        return msgspec.structs.replace(begun, counts=again)

    async def _budget(self, ledger: Ledger, spent: float) -> None:
        """Learn the budget and the prices, and let the workers in."""
        await super()._budget(ledger, spent)
        self.ready.set()

    async def watch(self) -> None:
        """Take their rows from workers that are silent."""
        while True:
            await asyncio.sleep(1.0)
            self.desk.look(self.calls.world.now())

    # --- workers ------------------------------------------------------------------------------------------------------

    async def hello(self, hello: Hello) -> Welcome:
        """Let a worker in, when the run has begun."""
        if hello.flaw:
            self.stop("key", f"{hello.worker}: {hello.flaw}")
        if not self.ready.is_set():
            self.hellos[hello.worker] = hello
            self.came.set()
            await self.ready.wait()
        if self.over or hello.flaw:
            return Welcome(over=True)
        session, accepted = self.desk.joined(hello, self.calls.world.now())
        return Welcome(session=session.name, accepted=accepted, prices=self.calls.prices)

    async def post(self, session: str, heard: Heard[FromWorker]) -> bool:
        """Hear what a worker tells; False where its session is not known any more."""
        return self.desk.post(session, heard, self.calls.world.now())

    async def hear(self, session: str, after: int) -> Heard[ToWorker] | None:
        """Give what a worker is to be told, as soon as there is something; None where its session is not known."""
        return await self.desk.hear(session, after, self.calls.world.now())
