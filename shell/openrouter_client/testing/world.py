"""A world without sockets: the client's own machinery, and a server that is a function."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec

from openrouter_client.calls import Calls
from openrouter_client.client import OpenRouterClient
from openrouter_client.making import calls_of
from openrouter_client.observe import Observe
from openrouter_client.raising import unwrap
from openrouter_client.testing.replies import pieces
from openrouter_client.world import Exchange, RealWorld
from openrouter_core.admission import Ticket, Turn
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import HttpRequest
from openrouter_core.hedge import Hedge
from openrouter_core.journal import Moment
from openrouter_core.outcome import Outcome, Responded, Streamed, TimedOut, Unreachable
from openrouter_core.policy import Policy
from openrouter_core.reader import BaseReader
from openrouter_core.simulate import Reply, Server, scripted
from openrouter_core.states import Clocks
from openrouter_core.stream import chunk_of
from openrouter_core.traces import recorded, rolls_of

CALL: ContextVar[int] = ContextVar("CALL", default=0)
"""The number of the call that the running task is in."""

CONFIG = OpenRouterConfig(api_key="sk-or-v1-scripted", base_url="https://scripted.invalid/api/v1")


class ScriptedWorld:
    """Makes clients that talk to a script instead of the network.

        world = ScriptedWorld(fails(503), says("yes"))
        async with world.client(max_retries=1) as client:
            answer = unwrap(await client.chat_completion(request))

    Each call meets the replies in turn, and the last one for ever; or what a function says: `server(call, attempt,
    now)`, as for `simulate`, with `requests[-1]` being what is asked. Everything else is the client's own: building,
    verdicts, retries, limits, streams. `rolls` are the dice, over and over. `requests` and `sends` are what was sent,
    and when: in seconds since the first call began. Times pass on the loop's clock, which may be a `VirtualClock`.
    """

    def __init__(self, *replies: Reply, server: Server | None = None, rolls: Iterable[float] = (0.5,)) -> None:
        if bool(replies) is (server is not None):
            raise ValueError("ScriptedWorld needs replies, or a server, and not both")
        dice = list(rolls)
        if not dice or not all(0 <= roll < 1 for roll in dice):
            raise ValueError(f"rolls = {dice}: must be numbers in [0, 1), at least one")
        self.server: Server = server or scripted(replies)
        self.dice: Iterator[float] = itertools.cycle(dice)
        self.requests: list[HttpRequest] = []
        self.sends: list[float] = []
        self.began: float | None = None

    @classmethod
    def replaying(cls, moments: Sequence[Moment]) -> ScriptedWorld:
        """Make a world in which calls meet what those of a trace met; see `Recorder`."""
        return cls(server=recorded(moments), rolls=rolls_of(moments) or (0.5,))

    def client(
        self,
        config: OpenRouterConfig = CONFIG,
        *,
        observe: Observe | None = None,
        policy: Policy | None = None,
        hedge: Hedge | None = None,
        **settings: Any,
    ) -> OpenRouterClient:
        """Make a client in this world; `settings` are fields of the config. Raises OpenRouterError for bad ones."""
        unknown = sorted(set(settings) - set(OpenRouterConfig.__struct_fields__))
        if unknown:
            raise TypeError(f"{unknown[0]} is no setting of OpenRouterConfig")
        wanted = msgspec.structs.replace(config, **settings)
        calls = unwrap(calls_of(wanted, observe=observe, policy=policy, hedge=hedge))
        calls.world = Scripted(self, calls)
        return OpenRouterClient(calls)

    def reply(self, call: int, attempt: int, request: HttpRequest, now: float) -> Reply:
        """Note a request, and give what it meets."""
        self.requests.append(request)
        self.sends.append(now - (self.began or 0.0))
        return self.server(call, attempt, now)


class Scripted(RealWorld):
    """The world of one client of a script."""

    def __init__(self, script: ScriptedWorld, calls: Calls) -> None:
        super().__init__(calls.transport, calls.line)
        self.script = script
        self.attempts: Counter[int] = Counter()

    def roll(self) -> float:
        """Throw the dice of the script."""
        return next(self.script.dice)

    def enter(self, ticket: Ticket, until: float) -> Coroutine[Any, Any, Turn[Any]]:
        """Wait in line, and remember which call this is."""
        CALL.set(ticket.place.number)
        if self.script.began is None:
            self.script.began = self.now()
        return super().enter(ticket, until)

    def met(self, request: HttpRequest) -> Reply:
        """Ask the script what an attempt meets."""
        flaw = self.transport.flaw()
        if flaw:
            return Reply(Unreachable("closed", flaw))
        call = CALL.get()
        self.attempts[call] += 1
        return self.script.reply(call, self.attempts[call], request, self.now())

    async def send(self, request: HttpRequest, timeout: float) -> Outcome:  # noqa: ASYNC109 - as in RealWorld
        """Ask the script, and wait as long as it says, or until the time is up."""
        reply = self.met(request)
        await self.sleep(min(reply.after, timeout))
        if self.transport.closed:
            return Unreachable("closed", self.transport.flaw())
        return TimedOut("attempt", timeout) if reply.after >= timeout else reply.outcome

    def exchange(self, request: HttpRequest, clocks: Clocks, reader: BaseReader[Any]) -> Exchange:
        """Prepare one attempt that the script answers."""
        return ScriptedExchange(lambda: self.met(request), clocks, reader, self)


class ScriptedExchange:
    """One streamed attempt that a script answers."""

    def __init__(self, met: Callable[[], Reply], clocks: Clocks, reader: BaseReader[Any], world: Scripted) -> None:
        self.met = met
        self.clocks = clocks
        self.reader = reader
        self.world = world
        self.said: Responded | None = None
        self.settled: Outcome | None = None

    async def batches(self) -> AsyncGenerator[Sequence[Any], None]:
        """Give the events as the script says."""
        reply, (clock, limit) = self.met(), self.clocks.silence
        self.reader.begin(self.world.now())
        await self.world.sleep(min(reply.after, limit))
        outcome = TimedOut(clock, limit) if reply.after >= limit else reply.outcome
        if not isinstance(outcome, Responded) or not is_stream(outcome):
            self.settled = outcome
            if isinstance(outcome, Streamed) and outcome.delivered and self.reader.handing_out:
                yield [chunk_of(outcome.answer)]
            return
        self.said = outcome
        for piece in pieces(outcome.body):
            events = self.reader.feed(piece, self.world.now())
            if events:
                yield events
                self.reader.resume(self.world.now())
        rest = self.reader.finish()
        if rest:
            yield rest

    async def collect(self) -> Outcome:
        """Take the whole stream, and tell the outcome."""
        async for _ in self.batches():
            pass
        return self.outcome()

    def outcome(self) -> Outcome:
        """Tell how the attempt ended, or that it was left."""
        if self.settled is not None:
            return self.settled
        said = self.said or Responded(200, b"")
        return self.reader.outcome(said.status, said.headers, said.at)

    def snapshot(self) -> Any:
        """Give what has come of the answer so far."""
        return self.reader.snapshot()


def is_stream(outcome: Responded) -> bool:
    """Tell a stream of events from an answer in one piece."""
    return outcome.status == 200 and "text/event-stream" in outcome.headers.get("content-type", "")
