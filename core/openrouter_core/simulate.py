"""The same core under a virtual clock: many calls, a scripted server, no network and no event loop.

    policy = Policy(schedule=Both(Exponential(1.0), Attempts(3)))
    timeline = simulate([(0.0, job(policy))], scripted([Reply(Responded(503, b"")), Reply(answer)]), rolls=repeat(0.5))
    print(timeline)

The server is any function that says how the n-th attempt of a call ends and how long that takes.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, assert_never

import msgspec
from returns.result import Result

from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.call import Done, Job, Queue, Send, Sleep, State, admitted, answered, begin, expired, slept
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import DataSourceError
from openrouter_core.journal import Answered, Ended, Moment, Queued, Sent, Slept, event_of
from openrouter_core.outcome import Outcome, TimedOut, summary
from openrouter_core.policy import Policy
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """How a server answers one attempt: with `outcome`, `after` seconds; an infinite `after` is silence."""

    outcome: Outcome
    after: float = 0.0


Server = Callable[[int, int, float], Reply]
"""`server(call, attempt, now)`: the reply to attempt number `attempt` (from 1) of a call, sent at `now` seconds."""


Agenda = Job[T] | Queue[T] | Sleep[T] | tuple[Send[T], Outcome]
"""What can be due: a call that arrives, one that waits in line too long, one that wakes, and an answer."""


class Timeline(msgspec.Struct, Generic[T], frozen=True):
    """What happened, moment by moment, and how each call ended, in the order of the calls."""

    moments: tuple[Moment, ...]
    results: tuple[Result[T, DataSourceError], ...]

    def __str__(self) -> str:
        return "\n".join(told(moment) for moment in self.moments)

    @property
    def sends(self) -> tuple[float, ...]:
        """The instants at which requests were sent, in seconds."""
        return tuple(moment.at for moment in self.moments if isinstance(moment.event, Sent))

    @property
    def waits(self) -> tuple[float, ...]:
        """The waits between attempts, in seconds."""
        return tuple(moment.event.delay for moment in self.moments if isinstance(moment.event, Slept))


def told(moment: Moment) -> str:
    """Tell a moment in one line."""
    match moment.event:
        case Queued():
            what = "queue"
        case Sent(number, of, timeout):
            most = "" if timeout is None else f", {timeout:g} s at most"
            what = f"send {number}{'' if of is None else f' of {of}'}{most}"
        case Answered(outcome):
            what = summary(outcome)
        case Slept(delay=delay):
            what = f"wait {delay:g} s"
        case Ended(error=None):
            what = "done"
        case Ended(error=error):
            what = f"failed: {error}"
        case _:
            assert_never(moment.event)
    return f"{moment.at:12.3f} s  call {moment.call}  {what}"


def scripted(replies: Sequence[Reply]) -> Server:
    """Make a server that answers each call's attempts with these replies in turn, the last one for ever."""
    return lambda _call, attempt, _now: replies[min(attempt, len(replies)) - 1]


def chat_job(policy: Policy) -> Job[ChatCompletionResponse]:
    """Make a chat completion call with an empty request: enough to see how a policy behaves."""
    return Job(CHAT_COMPLETIONS, HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions"), policy)


def simulate(
    arrivals: Iterable[tuple[float, Job[T]]], server: Server, *, rolls: Iterable[float], places: int = 500
) -> Timeline[T]:
    """Run calls that arrive at given instants (seconds) against a server, `places` at a time, and tell what happened.

    `rolls` are the numbers in [0, 1) that decisions are given, one for each outcome.
    """
    world: VirtualWorld[T] = VirtualWorld(server, iter(rolls), places)
    for number, (at, job) in enumerate(arrivals):
        world.later(at, number, job)
    while world.agenda:
        world.advance()
    results = tuple(world.results[number] for number in sorted(world.results))
    return Timeline(tuple(world.moments), results)


class VirtualWorld(Generic[T]):
    """The agenda of a simulation: what is due when. Mutable, and private to one call of `simulate`."""

    def __init__(self, server: Server, rolls: Iterator[float], places: int) -> None:
        self.server: Server = server
        self.rolls: Iterator[float] = rolls
        self.places: int = places
        self.now: float = -math.inf
        self.serial: int = 0
        self.agenda: list[tuple[float, int, int, Agenda[T]]] = []
        self.line: deque[tuple[int, Queue[T]]] = deque()
        self.waiting: dict[int, Queue[T]] = {}
        self.moments: list[Moment] = []
        self.results: dict[int, Result[T, DataSourceError]] = {}

    def later(self, at: float, call: int, what: Agenda[T]) -> None:
        """Put something on the agenda; what is due at the same instant happens in the order in which it was put."""
        self.serial += 1
        heapq.heappush(self.agenda, (at, self.serial, call, what))

    def advance(self) -> None:
        """Let the next thing on the agenda happen."""
        self.now, _, call, what = heapq.heappop(self.agenda)
        match what:
            case Job():
                self.enter(call, begin(what, self.now))
            case Queue() if self.waiting.get(call) is what:
                del self.waiting[call]
                self.enter(call, expired(what, self.now))
            case Queue():
                pass  # it got its place before it expired
            case Sleep():
                self.enter(call, slept(what))
            case (state, outcome):
                self.places += 1
                roll = next(self.rolls)
                self.moments.append(Moment(call, self.now, Answered(outcome, roll)))
                self.enter(call, answered(state, outcome, self.now, roll))
                self.fill()
            case _:
                assert_never(what)

    def enter(self, call: int, state: State[T]) -> None:
        """Bring a call into a state, and see to its effect."""
        self.moments.append(Moment(call, self.now, event_of(state)))
        match state:
            case Queue():
                self.line.append((call, state))
                self.waiting[call] = state
                if state.expires < math.inf:
                    self.later(state.expires, call, state)
                self.fill()
            case Send():
                reply = self.server(call, state.number, self.now)
                clock, limit = state.clocks.silence
                outcome = TimedOut(clock, limit) if reply.after >= limit else reply.outcome
                self.later(self.now + max(0.0, min(reply.after, limit)), call, (state, outcome))
            case Sleep():
                self.later(state.until, call, state)
            case Done():
                self.results[call] = state.result
            case _:
                assert_never(state)

    def fill(self) -> None:
        """Give the free places to those who wait longest."""
        while self.places > 0 and self.line:
            call, state = self.line.popleft()
            if self.waiting.get(call) is state:
                del self.waiting[call]
                turned = admitted(state, self.now)
                self.places -= isinstance(turned, Send)
                self.enter(call, turned)
