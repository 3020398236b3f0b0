"""An event loop on which waiting takes no time, and a world that the real interpreter can live in.

The loop lets one thing happen at a time: when nothing is ready any more, the clock jumps to the next instant at which
something is due, and only that happens, until nothing is ready again. What is due at the same instant happens in the
order in which it was asked for. So a run is exact, repeatable and comparable with `openrouter_core.simulate`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from openrouter_client.line import Line
from openrouter_core.endpoint import HttpRequest
from openrouter_core.journal import Moment
from openrouter_core.outcome import Outcome, TimedOut
from openrouter_core.simulate import Server

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(AssertionError):
    """Everybody waits, and nothing will ever happen."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock shows `now`, and moves only when nothing else can be done."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._serial = itertools.count()
        self._agenda: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._selector: Any
        self._selector.select = self._advance

    def time(self) -> float:
        return self.now

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._agenda, (when, next(self._serial), handle))
        return handle

    def _advance(self, timeout: float | None) -> list[Any]:
        """In the place of waiting for sockets: let the next thing on the agenda happen."""
        if timeout == 0:  # something is ready
            return []
        while self._agenda:
            when, _, handle = heapq.heappop(self._agenda)
            if not handle.cancelled():
                self.now = max(self.now, when)
                self.call_soon(handle._run)
                return []
        raise Stuck


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a new virtual loop, and close the loop whatever happens."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(main(loop))
    try:
        return loop.run_until_complete(task)
    finally:
        for left in asyncio.all_tasks(loop):
            left.cancel()
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


class World:
    """What the interpreter of one call needs: the loop's clock, the shared dice and line, and a scripted server."""

    def __init__(self, call: int, loop: VirtualLoop, server: Server, rolls: Iterator[float], line: Line) -> None:
        self.call, self.loop, self.server, self.rolls, self.line = call, loop, server, rolls, line
        self.attempts = 0
        self.enter = line.enter
        self.leave = line.leave

    def attended(self) -> Line:
        return self.line

    def company(self) -> int:
        return self.line.admission.company

    def now(self) -> float:
        return self.loop.time()

    def roll(self) -> float:
        return next(self.rolls)

    async def sleep(self, seconds: float) -> None:
        """Sleep on the agenda, also for no time at all: `asyncio.sleep(0)` would jump the queue of that instant."""
        await self._due(seconds)

    async def send(self, request: HttpRequest, timeout: float) -> Outcome:  # noqa: ASYNC109 - the World's signature
        self.attempts += 1
        reply = self.server(self.call, self.attempts, self.now())
        await self._due(max(0.0, min(reply.after, timeout)))
        return TimedOut("attempt", timeout) if reply.after >= timeout else reply.outcome

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def _due(self, seconds: float) -> None:
        done = self.loop.create_future()
        self.loop.call_later(seconds, finish, done)
        await done


def finish(future: asyncio.Future[None]) -> None:
    """Let a wait end, unless it was given up."""
    if not future.done():
        future.set_result(None)


def endless(rolls: Iterable[float]) -> Iterator[float]:
    """The same dice over and over."""
    return itertools.cycle(list(rolls))


class Journal:
    """A hook that remembers every moment."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def __call__(self, moment: Moment) -> None:
        self.moments.append(moment)
