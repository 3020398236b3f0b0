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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Any, Generic, TypeVar, assert_never, cast

import msgspec
from returns.result import Result

from openrouter_core.admission import Admission, Admitted, Turn
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.call import answered, begin, entered, slept
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import DataSourceError
from openrouter_core.journal import Answered, Moment, Sent, Slept, event_of, left, told
from openrouter_core.limit.money import Money
from openrouter_core.limit.places import Places
from openrouter_core.limit.pump import TurnedAway, Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING, Limiter
from openrouter_core.outcome import Outcome, TimedOut
from openrouter_core.policy import Policy
from openrouter_core.states import Done, Job, Queue, Send, Sleep, State
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """How a server answers one attempt: with `outcome`, `after` seconds; an infinite `after` is silence."""

    outcome: Outcome
    after: float = 0.0


Server = Callable[[int, int, float], Reply]
"""`server(call, attempt, now)`: the reply to attempt number `attempt` (from 1) of a call, sent at `now` seconds."""


class Wake(msgspec.Struct, frozen=True):
    """Time to ask again who may send, unless that has been done since."""

    at: float


NEVER = Wake(math.inf)


class Leave(msgspec.Struct, frozen=True):
    """Time for a call to be cancelled by its caller, unless it has ended."""


Agenda = Job[T] | Sleep[T] | tuple[Send[T], Outcome] | Wake | Leave
"""What can be due: a call that arrives, one that wakes, an answer, a limit that opens, and a call that is left."""


class Timeline(msgspec.Struct, Generic[T], frozen=True):
    """What happened, moment by moment, and how each call ended that was not left, in the order of the calls."""

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


def scripted(replies: Sequence[Reply]) -> Server:
    """Make a server that answers each call's attempts with these replies in turn, the last one for ever."""
    return lambda _call, attempt, _now: replies[min(attempt, len(replies)) - 1]


def chat_job(policy: Policy) -> Job[ChatCompletionResponse]:
    """Make a chat completion call with an empty request: enough to see how a policy behaves."""
    return Job(CHAT_COMPLETIONS, HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions"), policy)


PLACES = Places(500)
"""At most 500 attempts at a time, and no other limit: what a policy does by itself."""


def simulate(
    arrivals: Iterable[tuple[float, Job[T]]],
    server: Server,
    *,
    rolls: Iterable[float],
    limiter: Limiter[Any, Any] = PLACES,
    money: Money | None = None,
    together: float = math.inf,
    leaving: Mapping[int, float] | None = None,
    standing: Sequence[tuple[float, float]] = (),
) -> Timeline[T]:
    """Run calls that arrive at given instants (seconds) against a server, and tell what happened.

    `limiter` says when they may be sent, as the client's does (`limiter_of`); by default 500 at a time and nothing
    else. `rolls` are the numbers in [0, 1) that decisions are given, one for each outcome. At most `together` calls are
    alive at once; who arrives when there are as many begins when one of them ends. `leaving` tells which calls (by
    their place in `arrivals`) are cancelled, and when. In the spans of `standing` the process stands still (its machine
    sleeps, or is too busy): what is due then happens at their end.
    """
    world: VirtualWorld[T] = VirtualWorld(server, iter(rolls), limiter, money, together, standing=standing)
    world.plan(arrivals, leaving or {})
    while world.agenda:
        world.advance()
    return world.timeline()


class VirtualWorld(Generic[T]):
    """The agenda of a simulation: what is due when. Mutable, and belongs to whoever advances it, as `simulate` does."""

    def __init__(
        self,
        server: Server,
        rolls: Iterator[float],
        limiter: Limiter[Any, Any],
        money: Money | None,
        together: float = math.inf,
        *,
        standing: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.server: Server = server
        self.rolls: Iterator[float] = rolls
        self.limiter: Limiter[Any, Any] = limiter
        self.money: Money | None = money
        self.together: float = together
        self.standing: Sequence[tuple[float, float]] = standing
        self.now: float = -math.inf
        self.serial: Iterator[int] = count()
        self.agenda: list[tuple[float, int, int, Agenda[T]]] = []
        self.outside: deque[tuple[int, Job[T]]] = deque()
        self.states: dict[int, State[T]] = {}
        self.left: set[int] = set()
        self.turns: dict[int, Turn[int]] = {}
        self.waking: Wake = NEVER
        self.moments: list[Moment] = []
        self.results: dict[int, Result[T, DataSourceError]] = {}

    @cached_property
    def admission(self) -> Admission[int]:
        """Who may send: known from the first arrival on."""
        return Admission(self.limiter, self.now, self.money)

    def plan(self, arrivals: Iterable[tuple[float, Job[T]]], leaving: Mapping[int, float]) -> None:
        """Put the calls on the agenda, and when they are left."""
        for number, (at, job) in enumerate(arrivals):
            self.later(at, number, job)
        for number, at in leaving.items():
            self.later(at, number, Leave())

    def timeline(self) -> Timeline[T]:
        """Tell what has happened so far."""
        return Timeline(tuple(self.moments), tuple(self.results[number] for number in sorted(self.results)))

    def later(self, at: float, call: int, what: Agenda[T]) -> None:
        """Put something on the agenda; what is due at the same instant happens in the order in which it was put."""
        heapq.heappush(self.agenda, (at, next(self.serial), call, what))

    def advance(self) -> None:
        """Let the next thing on the agenda happen, and then all that follows from it at the same instant."""
        at, _, call, what = heapq.heappop(self.agenda)
        self.now = max([at, *(end for begin, end in self.standing if begin <= at)])
        match what:
            case Leave():
                self.leave(call)
            case _ if call in self.left:
                pass
            case Job():
                self.outside.append((call, msgspec.structs.replace(what, place=Place(what.place.priority, call))))
                self.come_in()
            case Wake():
                if what is self.waking:
                    self.waking = NEVER
                    self.pump()
            case Sleep():
                self.enter(call, slept(what, self.now))
            case (state, outcome):
                roll, company = next(self.rolls), self.admission.company
                self.moments.append(Moment(call, self.now, Answered(outcome, roll, company)))
                after = answered(state, outcome, company, self.now, roll)
                self.admission.over(state.stamp, after.past.seen, self.now)
                self.pump()
                self.enter(call, after)
            case _:
                assert_never(what)
        while self.turns:
            self.take_turn(next(iter(self.turns)))

    def come_in(self) -> None:
        """Let those begin for whom there is room."""
        while self.outside and self.admission.alive < self.together:
            call, job = self.outside.popleft()
            if call not in self.left:
                self.admission.alive += 1
                self.enter(call, begin(job, self.now))

    def leave(self, call: int) -> None:
        """Cancel a call, unless it has ended: its place in line, or its turn, is given back."""
        self.left.add(call)
        state = self.states.pop(call, None)
        if state is None:
            return
        self.moments.append(Moment(call, self.now, left(state, self.now)))
        if isinstance(state, Queue):
            self.admission.cancel(state.ticket)
        elif isinstance(state, Send):
            self.admission.over(state.stamp, NOTHING, self.now)
        self.admission.alive -= 1
        self.pump()
        self.come_in()

    def enter(self, call: int, state: State[T]) -> None:
        """Bring a call into a state, and see to its effect."""
        self.moments.append(Moment(call, self.now, event_of(state)))
        self.states[call] = state
        match state:
            case Queue():
                of = state.ticket, call, state.expires, self.now
                got = None if self.turns else self.admission.at_once(*of)  # nor before those who have their turns
                turned = got or self.admission.wait(*of)
                if turned is None:
                    self.pump()  # whose turn it is now goes after those who got theirs before
                else:
                    self.turns[call] = turned
                    self.take_turn(call)
            case Send():
                reply = self.server(call, state.number, self.now)
                clock, limit = state.clocks.silence
                outcome = TimedOut(clock, limit) if reply.after >= limit else reply.outcome
                self.later(self.now + max(0.0, min(reply.after, limit)), call, (state, outcome))
            case Sleep():
                self.later(state.until, call, state)
            case Done():
                self.results[call] = state.result
                del self.states[call]
                self.admission.alive -= 1
                self.come_in()
            case _:
                assert_never(state)

    def pump(self) -> None:
        """Find out whose turn it is, and when to ask again."""
        while True:
            match self.admission.next(self.now):
                case Admitted() | TurnedAway() as turn:
                    self.turns[turn.call] = turn
                case Wait(seconds):
                    at = max(self.now + seconds, math.nextafter(self.now, math.inf))
                    if at < self.waking.at:
                        self.waking = Wake(at)
                        self.later(at, -1, self.waking)
                    return
                case _:
                    return

    def take_turn(self, call: int) -> None:
        """Let a call go on whose turn it is."""
        turn = self.turns.pop(call)
        self.enter(call, entered(cast("Queue[T]", self.states[call]), turn, self.now))
