"""Who may send now: the one mutable cell that all calls of a client share.

It holds the limiter's state, the money, the lines of those who wait, and two counts. Whoever owns it tells it what
happens and asks `next` until nobody may go, then again at the next event or when the wait that it named is over. None
of its methods waits, and nothing may come between two of them.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Generic, Literal, TypeVar

import msgspec
from returns.result import Failure

from openrouter_core.config import OpenRouterConfig
from openrouter_core.limit.compose import is_probe
from openrouter_core.limit.money import NANO, Money, MoneyState, Refused, Reserved
from openrouter_core.limit.pump import Go, Lines, TurnedAway, Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask, Kind, Limiter, Seen
from openrouter_core.limit.standard import LimitSettings, View, view
from openrouter_core.unshared import Unshared

T = TypeVar("T")


def limits_of(config: OpenRouterConfig) -> LimitSettings:
    """Read what a config says of limits."""
    return LimitSettings(
        adaptive=config.adaptive_limits,
        requests_per_minute=config.requests_per_minute,
        tokens_per_minute=config.tokens_per_minute,
        places=config.max_connections,
    )


def money_of(config: OpenRouterConfig) -> Money | None:
    """Make the budget that a config describes, if any."""
    if config.max_cost_usd is None:
        return None
    return Money(maximum=config.max_cost_usd, assumed=config.assumed_cost_usd)


class Ticket(msgspec.Struct, frozen=True):
    """What a call that waits shows: its place, which it keeps for life, and what it would use."""

    place: Place = Place(0, 0)
    ask: Ask = Ask()


class Stamp(msgspec.Struct, frozen=True):
    """What an attempt carries until it is over: the marks of the limiters, and the money set aside for it."""

    limits: Any = None
    money: Reserved | None = None

    @property
    def probe(self) -> bool:
        """Whether the attempt tries out a server that has failed: its failure will be none of the call's tries."""
        return is_probe(self.limits)


class Admitted(msgspec.Struct, Generic[T], frozen=True):
    """A call that goes now; its `stamp` is due back when the attempt is over."""

    call: T
    stamp: Stamp = Stamp()


Mode = Literal["new", "shared", "lost"]


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """How a quota is shared: "new" before the store has ever answered, "shared", or "lost" while it does not.

    `members` is how many processes share the key, as far as is known, and `part` which part of the quota this one may
    use: 1 while shared. `swaps` and `conflicts` count what the store has agreed to, and what had to be decided again.
    """

    mode: Mode
    members: int
    part: float
    swaps: int
    conflicts: int


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """How a client's calls stand. `alive` calls have begun and not ended; `waiting` of them stand in line.

    `in_flight` attempts are under way; `answered`, `refused` (429) and `failed` (5xx, timeouts, lost connections) count
    those that are over, and `refused_share` is refusals per answer or refusal. `held`: an outage holds calls back.
    `scopes` is what is known of the quota and health of the key ("") and of models that had trouble of their own.
    `spent_usd` is what the calls cost, with `guessed_usd` of it at worst, because nobody told; `reserved_usd` is set
    aside for attempts under way. The amounts are counted where `max_cost_usd` is set. `sharing` tells of
    the Redis that the quota is shared through, if it is.
    """

    alive: int
    waiting: int
    in_flight: int
    answered: int
    refused: int
    failed: int
    refused_share: float
    held: bool
    scopes: dict[str, View]
    spent_usd: float
    reserved_usd: float
    guessed_usd: float
    sharing: Sharing | None = None


Turn = Admitted[T] | TurnedAway[T]
"""How waiting in line ends."""


class Saved(msgspec.Struct, frozen=True):
    """What a cell has booked up to some moment, to go back to."""

    state: Any
    purse: MoneyState
    in_flight: int


class Admission(Unshared, Generic[T]):
    """The shared cell. `alive` counts the calls that have begun and not ended, `in_flight` the attempts under way.

    `ended` counts the attempts that are over, by what they showed.
    """

    def __init__(self, limiter: Limiter[Any, Any], now: float, money: Money | None = None) -> None:
        self.limiter: Limiter[Any, Any] = limiter
        self.state: Any = limiter.init(now)
        self.money: Money | None = money
        self.purse: MoneyState = MoneyState()
        self.lines: Lines[T] = Lines()
        self.alive: int = 0
        self.in_flight: int = 0
        self.ended: Counter[Kind] = Counter()

    def at_once(self, ticket: Ticket, call: T, expires: float, now: float) -> Admitted[T] | None:
        """Let a call go that need not wait in line: nobody is before it, and no limiter objects."""
        if self.lines.waiting or expires <= now or self.needed(ticket.ask, now) != 0.0:
            return None
        return self.let_go(call, ticket.ask, now)

    def wait(self, ticket: Ticket, call: T, expires: float, now: float) -> TurnedAway[T] | None:
        """Let a call wait in its line until `expires`; or turn it away, if those before it alone take longer."""
        if expires < math.inf:
            ask = msgspec.structs.replace(ticket.ask, ahead=self.lines.ahead(ticket.place, ticket.ask))
            needed = self.limiter.admit(self.state, ask, self.in_flight, now)
            if now + needed >= expires and needed < math.inf:
                return TurnedAway(call, needed)
        self.lines.push(ticket.place, ticket.ask, call, expires)
        return None

    def cancel(self, ticket: Ticket) -> bool:
        """Take a call out of its line; False when it does not stand in one."""
        return self.lines.cancel(ticket.place, ticket.ask)

    def next(self, now: float) -> Turn[T] | Wait | None:
        """Decide who is next: one who goes, one who has no hope, how long nobody goes, or that nobody waits."""
        if not self.lines.waiting:
            return None
        chosen = self.lines.next(lambda ask: self.needed(ask, now), now)
        return self.let_go(chosen.call, chosen.ask, now) if isinstance(chosen, Go) else chosen

    def needed(self, ask: Ask, now: float) -> float | Refused:
        """Tell how many seconds a call must wait: infinity when others must end first; or that it is refused."""
        if self.money is not None:
            reserved = self.money.reserve(self.purse, ask.worst)
            if isinstance(reserved, Failure):
                refused = reserved.failure()
                return refused if refused.final else math.inf
        return self.limiter.admit(self.state, ask, self.in_flight, now)

    def rush(self, now: float) -> Admitted[T] | None:
        """Let the oldest call go, whatever the limiters say; None when nobody waits."""
        oldest = self.lines.oldest()
        return None if oldest is None else self.let_go(oldest.call, oldest.ask, now)

    def let_go(self, call: T, ask: Ask, now: float) -> Admitted[T]:
        """Book a call that has left its line."""
        self.state, limits = self.limiter.on_send(self.state, ask, now)
        self.in_flight += 1
        held: Reserved | None = None
        if self.money is not None:
            self.purse, held = self.money.reserve(self.purse, ask.worst).value_or((self.purse, None))
        return Admitted(call, Stamp(limits, held))

    def over(self, stamp: Stamp, seen: Seen, now: float) -> None:
        """Learn from an attempt that has ended."""
        self.learn(stamp, self.beside(seen), now)

    def beside(self, seen: Seen) -> Seen:
        """Note how many other calls are alive: trouble is judged by the company that it came in."""
        return seen if seen.kind == "ok" else msgspec.structs.replace(seen, company=self.company)

    def learn(self, stamp: Stamp, seen: Seen, now: float) -> None:
        """Learn from an attempt that has ended, with the company that was noted."""
        self.in_flight -= 1
        self.ended[seen.kind] += 1
        self.state = self.limiter.on_outcome(self.state, stamp.limits, seen, self.in_flight, now)
        if self.money is not None and stamp.money is not None:
            self.purse = self.money.settle(self.purse, stamp.money, seen.cost)

    def saved(self) -> Saved:
        """Give what is booked so far."""
        return Saved(self.state, self.purse, self.in_flight)

    def restore(self, saved: Saved) -> None:
        """Take back what was booked since; those who wait, and who is alive, stay as they are."""
        self.state, self.purse, self.in_flight = saved.state, saved.purse, saved.in_flight

    def stats(self, now: float) -> Stats:
        """Tell how things stand."""
        scopes = view(self.state, now)
        refused, good = self.ended["rate"], self.ended["ok"]
        return Stats(
            alive=self.alive,
            waiting=self.lines.waiting,
            in_flight=self.in_flight,
            answered=good,
            refused=refused,
            failed=self.ended["server"] + self.ended["timeout"],
            refused_share=refused / max(1, refused + good),
            held=any(scope.held for scope in scopes.values()),
            scopes=scopes,
            spent_usd=self.purse.spent / NANO,
            reserved_usd=self.purse.reserved / NANO,
            guessed_usd=self.purse.guessed / NANO,
        )

    @property
    def company(self) -> int:
        """How many other calls are alive beside one that is."""
        return self.alive - 1 if self.alive else 0
