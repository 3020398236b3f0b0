"""What the interpreter needs: a world with a clock, dice, sleep, a line and a way to send, and a watcher."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from openrouter_client.line import Line
from openrouter_client.transport import Transport
from openrouter_core.admission import Stamp, Ticket, Turn
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.limit.seen import Seen
from openrouter_core.outcome import Outcome
from openrouter_core.states import Clocks, State

if TYPE_CHECKING:  # only streams need it
    from openrouter_core.reader import BaseReader, Heard

T = TypeVar("T")


class World(Protocol):
    """The effects of a call. Times are in seconds on the clock of `now`, which never goes back."""

    def now(self) -> float:
        """Read the clock."""
        ...

    def roll(self) -> float:
        """Throw the dice: a number in [0, 1)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def attended(self) -> AbstractContextManager[object]:
        """Count a call as alive for as long as the block lasts."""
        ...

    def company(self) -> int:
        """Count the other calls that are alive."""
        ...

    def enter(self, ticket: Ticket, until: float) -> Coroutine[Any, Any, Turn[Any]]:
        """Wait in line for the turn to send, until the clock shows `until` at the latest."""
        ...

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        """Tell that an attempt is over, and what it showed."""
        ...

    def send(self, request: HttpRequest, timeout: float) -> Coroutine[Any, Any, Outcome]:
        """Send a request, and tell the outcome within `timeout` seconds."""
        ...

    def stream(
        self,
        endpoint: Endpoint[Any, Any],
        request: HttpRequest,
        clocks: Clocks,
        *,
        handing_out: bool,
        heard: Heard | None,
    ) -> Exchange:
        """Prepare one attempt of a request that is answered by a stream, as the endpoint's streams are read.

        `heard` is told when each event came.
        """
        ...


class Exchange(Protocol):
    """One streamed attempt: its events as they come, and then, or when it was left, its outcome."""

    def batches(self) -> AsyncGenerator[Sequence[Any], None]:
        """Give the events, those together that came together; closing the generator drops the connection."""
        ...

    async def collect(self) -> Outcome:
        """Take the whole stream, and tell the outcome."""
        ...

    def outcome(self) -> Outcome:
        """Tell how the attempt ended, or that it was left before its end."""
        ...

    def snapshot(self) -> Any:
        """Give what has come of the answer so far."""
        ...


class Watcher(Protocol):
    """Whoever is told what happens: each state of the call, and each outcome with the dice thrown after it.

    `heard` is told when each event of a stream came; None: nobody wants to know.
    """

    @property
    def heard(self) -> Heard | None:
        """Who is told of events."""
        ...

    def state(self, at: float, state: State[T]) -> None:
        """See the call in a new state."""
        ...

    def outcome(self, at: float, outcome: Outcome, roll: float, company: int) -> None:
        """See how an attempt ended."""
        ...

    def left(self, at: float) -> None:
        """See that the call was left: cancelled, or its stream closed, or something that is no part of it raised.

        It may have ended already.
        """
        ...


class RealWorld:
    """The running event loop's clock, real dice, the line, and the network."""

    def __init__(self, transport: Transport, line: Line) -> None:
        self.transport: Transport = transport
        self.line: Line = line

    def now(self) -> float:
        """Read the clock of the client's event loop; also when that is gone, and a forgotten call is cleared away."""
        return self.line.loop.time()

    def roll(self) -> float:
        """Throw Python's own dice."""
        return random.random()  # noqa: S311 - spreads retries, keeps no secret

    def attended(self) -> Line:
        """Count a call as alive for as long as the block lasts."""
        return self.line

    def company(self) -> int:
        """Count the other calls that are alive."""
        return self.line.admission.company

    def enter(self, ticket: Ticket, until: float) -> Coroutine[Any, Any, Turn[Any]]:
        """Wait in line for the turn to send, until the clock shows `until` at the latest."""
        return self.line.enter(ticket, until)

    def leave(self, stamp: Stamp, seen: Seen) -> None:
        """Tell that an attempt is over, and what it showed."""
        self.line.leave(stamp, seen)

    def send(self, request: HttpRequest, timeout: float) -> Coroutine[Any, Any, Outcome]:
        """Send a request, and tell the outcome within `timeout` seconds."""
        return self.transport.send(request, timeout)

    def stream(
        self,
        endpoint: Endpoint[Any, Any],
        request: HttpRequest,
        clocks: Clocks,
        *,
        handing_out: bool,
        heard: Heard | None,
    ) -> Exchange:
        """Prepare one attempt of a request that is answered by a stream, as the endpoint's streams are read."""
        from openrouter_client.exchange import event_reader  # noqa: PLC0415 - with all that only streams need

        reader = event_reader(endpoint, clocks, self.transport, handing_out=handing_out, heard=heard)
        return self.exchange(request, clocks, reader)

    def exchange(self, request: HttpRequest, clocks: Clocks, reader: BaseReader[Any]) -> Exchange:
        """Prepare the sending of a request whose answer a reader takes."""
        from openrouter_client.exchange import StreamExchange  # noqa: PLC0415 - the same

        return StreamExchange(self.transport, request, clocks, reader)

    async def sleep(self, seconds: float) -> None:
        """Wait; but not on, once the client is closed."""
        with suppress(TimeoutError), self.transport.limited(self.now() + seconds):
            await asyncio.get_running_loop().create_future()
