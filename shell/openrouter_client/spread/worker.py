"""A worker: it asks the rows that it is given, each as soon as it is given, and tells what came of each.

What it may send, and when, is decided by the coordinator, before each attempt. When the coordinator has gone and is
back, the worker presents itself anew with what it has: calls that are under way go on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import msgspec
from returns.result import Failure

from openrouter_client.bulk.asking import repaired
from openrouter_client.bulk.settings import wanted_of
from openrouter_client.bulk.sources import placed
from openrouter_client.calls import NO_OPTIONS, CallOptions, Calls
from openrouter_client.making import calls_of
from openrouter_client.spread.link import Link, LinkLost
from openrouter_client.spread.spec import Spec, keyed
from openrouter_client.world import RealWorld
from openrouter_core.admission import Admitted, Stamp, Ticket, Turn
from openrouter_core.bulk.lines import Outcome, Wanted, failed, outcome_of, with_earlier
from openrouter_core.bulk.posts import (
    Away,
    Claim,
    Drop,
    End,
    Enter,
    FromWorker,
    Given,
    Go,
    Heard,
    Hello,
    Inbox,
    Kept,
    Leave,
    Note,
    Outbox,
    ToWorker,
    Welcome,
)
from openrouter_core.errors import InvalidRequest
from openrouter_core.journal import PROBE
from openrouter_core.limit.pump import TurnedAway
from openrouter_core.limit.seen import Seen

BREATH = 0.01
"""So many seconds lie between two messages the same way, at least: a call of Ray costs as much as the whole of a row's
work, and so carries many rows' messages when there are many. Who has been silent for longer does not wait."""

AGAIN = 0.5
"""How many seconds lie between two tries to find a coordinator that does not answer."""


class Job(msgspec.Struct):
    """A row that is asked here. `asking` is what the coordinator was told and has not answered yet."""

    row: int
    task: asyncio.Task[None] | None = None
    sent: bool = False
    under_way: bool = False
    asking: Enter | End | None = None
    reply: asyncio.Future[Go | Away | Kept] | None = None


JOB: ContextVar[Job | None] = ContextVar("JOB", default=None)
"""The row that the running task asks."""


class Worker:
    """Asks rows. `run` ends when there are none to come."""

    def __init__(self, spec: Spec, name: str, link: Link) -> None:
        self.spec: Spec = spec
        self.name: str = name
        self.link: Link = link
        self.life: str = uuid4().hex
        self.company: int = 0
        self.jobs: dict[int, Job] = {}
        self.outbox: Outbox[FromWorker] = Outbox()
        self.inbox: Inbox[ToWorker] = Inbox()
        self.bell: asyncio.Event = asyncio.Event()
        self.wanted: Wanted | None = wanted_of(spec.settings)
        self.options: CallOptions = CallOptions(fallbacks=spec.fallbacks) if spec.fallbacks else NO_OPTIONS

    async def run(self) -> None:
        """Work until the run is over."""
        made = keyed(self.spec.config, self.spec.key_env).bind(calls_of)
        if isinstance(made, Failure):
            await self.link.hello(Hello(worker=self.name, life=self.life, flaw=str(made.failure())))
            return
        calls = made.unwrap()
        calls.world = RemoteWorld(calls, self)
        try:
            while not (welcome := await self.welcomed()).over:
                calls.prices = welcome.prices
                await self.session(calls, welcome)
        finally:
            await self.close(calls)

    async def welcomed(self) -> Welcome:
        """Present oneself, until somebody answers."""
        while True:
            claims = tuple(
                Claim(job.row, job.under_way, isinstance(job.asking, End)) for job in self.jobs.values() if job.sent
            )
            try:
                return await self.link.hello(Hello(worker=self.name, life=self.life, claims=claims))
            except LinkLost:
                await asyncio.sleep(AGAIN)

    async def session(self, calls: Calls, welcome: Welcome) -> None:
        """Exchange messages, until the coordinator does not know of it any more, or does not answer."""
        self.outbox, self.inbox = Outbox(), Inbox()
        for job in list(self.jobs.values()):
            if job.row not in welcome.accepted:
                self.drop(job)
            elif job.asking is not None:
                self.tell(job.asking)
        ways = [
            asyncio.ensure_future(self.posting(welcome.session)),
            asyncio.ensure_future(self.hearing(welcome.session, calls)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def posting(self, session: str) -> None:
        """Tell what there is to tell, all that has come meanwhile at once."""
        told = 0
        with contextlib.suppress(LinkLost):
            while True:
                await self.bell.wait()
                self.bell.clear()
                heard: Heard[FromWorker] = self.outbox.after(told)
                if heard.messages and not await self.link.post(session, heard):
                    return
                told = heard.first + len(heard.messages) - 1
                await asyncio.sleep(BREATH)

    async def hearing(self, session: str, calls: Calls) -> None:
        """Hear what there is to hear."""
        with contextlib.suppress(LinkLost):
            while (heard := await self.link.hear(session, self.inbox.last)) is not None:
                for message in self.inbox.fresh(heard):
                    self.told(message, calls)
                await asyncio.sleep(BREATH)

    def told(self, message: ToWorker, calls: Calls) -> None:
        """Do what the coordinator says."""
        if isinstance(message, Given):
            job = self.jobs[message.row] = Job(message.row)
            job.task = asyncio.create_task(self.work(job, message, calls))
            return
        known = self.jobs.get(message.row)
        if known is None:
            return
        if isinstance(message, Drop):
            self.drop(known)
        elif known.reply is not None and not known.reply.done():
            known.reply.set_result(message)

    def tell(self, message: FromWorker) -> None:
        """Have something told."""
        self.outbox.put(message)
        self.bell.set()

    async def asked(self, job: Job, message: Enter | End) -> Go | Away | Kept:
        """Tell something, and wait for the answer, whoever is the coordinator by then."""
        job.asking, job.reply = message, asyncio.get_running_loop().create_future()
        self.tell(message)
        try:
            return await job.reply
        finally:
            job.asking = job.reply = None

    async def work(self, job: Job, given: Given, calls: Calls) -> None:
        """Ask a row, and tell what came of it."""
        JOB.set(job)
        began = calls.world.now()
        try:
            answer, earlier = await repaired(
                calls,
                given.request,
                self.options,
                wanted=self.wanted,
                repair=self.spec.settings.repair,
                over=lambda: False,
            )
            good = answer.alt(lambda error: placed(error, given.place))
            outcome = outcome_of(given.row, given.custom_id, good, self.wanted, calls.world.now() - began)
            outcome = with_earlier(outcome, earlier) if earlier else outcome
            told = str(answer.failure()) if isinstance(answer, Failure) else ""
        except Exception as error:  # noqa: BLE001 - a type of the user's may raise anything: it is the row's failure
            outcome, told = unforeseen(given, error, calls.world.now() - began), ""
        await self.asked(job, End(given.row, outcome, told))
        self.jobs.pop(given.row, None)

    def drop(self, job: Job) -> None:
        """Leave a row that is somebody else's."""
        self.jobs.pop(job.row, None)
        if job.task is not None:
            job.task.cancel()

    async def close(self, calls: Calls) -> None:
        """Drop what is under way, and close the connections. An end may be kept without the worker hearing of it."""
        tasks = [job.task for job in self.jobs.values() if job.task is not None]
        self.jobs.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await calls.transport.close()


def unforeseen(given: Given, error: Exception, seconds: float) -> Outcome:
    """Tell what is written down about a row whose answer somebody's code could not take; it may have been paid."""
    flaw = InvalidRequest(message=f"{given.place}: {type(error).__name__}: {error}", field="wanted")
    return msgspec.structs.replace(failed(given.row, given.custom_id, flaw, seconds), cost=None)


class RemoteWorld(RealWorld):
    """The real world, but for the line: where one stands in it is told by the coordinator."""

    def __init__(self, calls: Calls, worker: Worker) -> None:
        super().__init__(calls.transport, calls.line)
        self.worker: Worker = worker
        calls.transport.heard = self.heard

    def company(self) -> int:
        """Count the other calls that are alive in the whole run, as the coordinator told last."""
        return self.worker.company

    def enter(self, ticket: Ticket, until: float) -> Coroutine[Any, Any, Turn[Any]]:
        """Wait for the turn to send, which comes when the intent is durable."""
        return self.entered(ticket, until)

    async def entered(self, ticket: Ticket, until: float) -> Turn[Any]:
        """Ask the coordinator."""
        job = JOB.get()
        if job is None:
            return Admitted(None)
        seconds = None if until == math.inf else until - self.now()
        reply = await self.worker.asked(job, Enter(job.row, ticket.ask, seconds))
        if not isinstance(reply, Go):
            return TurnedAway(None, *((reply.needed, reply.refused) if isinstance(reply, Away) else (math.inf, None)))
        job.sent = job.under_way = True
        self.worker.company = reply.company
        return Admitted(None, PROBE if reply.probe else Stamp())

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        """Tell that an attempt is over, and what it showed."""
        del stamp
        job = JOB.get()
        if job is not None:
            job.under_way = False
            self.worker.tell(Leave(job.row, seen))

    def heard(self, headers: Mapping[str, str]) -> None:
        """Tell which generation a call has become, unless its whole answer is there too."""
        job, generation_id = JOB.get(), headers.get("X-Generation-Id")
        if job is not None and generation_id:
            asyncio.get_running_loop().call_soon(self.noted, job, generation_id)

    def noted(self, job: Job, generation_id: str) -> None:
        """Have it written down."""
        if job.under_way:
            self.worker.tell(Note(job.row, generation_id))
