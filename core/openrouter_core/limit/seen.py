"""What every limiter asks and is told: `Ask`, `Seen`, and the four functions of `Limiter`.

Shapes and small rules of evidence only. A limiter is a frozen Struct of settings with four pure functions over a
frozen state. Time is the client's monotonic seconds, always passed; nothing here waits, sends or reads a clock.

    init(now) -> state
    admit(state, ask, in_flight, now) -> seconds to wait            a question: 0 = go, inf = wait for an outcome
    on_send(state, ask, now) -> (state, stamp)                      the call goes; the stamp travels with the attempt
    on_outcome(state, stamp, seen, in_flight, now) -> state         the attempt is over, exactly once per on_send

`in_flight` is the number of other attempts that are under way within the limiter's scope.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar

import msgspec

Kind = Literal["ok", "rate", "server", "timeout", "other"]
"""How an attempt ended: answered, refused for its rate (429), failed (5xx), ran out of time, or none of these.

"other" is no evidence of anything: a 400, a cancelled call, a lost hedge.
"""


class Ask(msgspec.Struct, frozen=True, gc=False):
    """What a call that wants to go would use.

    `scopes` names what has limits of its own besides the key: the model, the model at a provider, all free models.
    `tokens` is the estimate of prompt and completion tokens; only limits on tokens read it. `retry` says that the call
    goes again because the server failed it, which the retry budget bounds. `worst` is the most that the attempt can
    cost in USD, None where that is unknown; only a budget in money reads it. `ahead` asks for the least that a call
    must wait that has so many others before it.
    """

    scopes: tuple[str, ...] = ()
    tokens: float = 0.0
    retry: bool = False
    worst: float | None = None
    ahead: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one attempt showed. All durations are in seconds from the moment of the answer.

    `hint` is the wait that the server asked for (Retry-After, or the body's retry_after).
    `limit`, `resets_in` and `window` are a documented quota: so many requests, until when, in windows of which length.
    `resets_in` may be negative: the named moment has passed on the client's clock. `resets_at` is the same moment in
    seconds since the epoch, by the server's clock, if it named one.
    `scope` is the one that the answer blames; "" blames the key. `tokens` is what was really used, if known, and `cost`
    what it cost in USD: 0.0 for what is never billed, None for what nobody told.
    `company` counts the client's other calls that are alive: in flight, waiting or between two attempts.
    """

    kind: Kind
    hint: float | None = None
    limit: float | None = None
    resets_in: float | None = None
    resets_at: float | None = None
    window: float | None = None
    scope: str = ""
    tokens: float | None = None
    cost: float | None = None
    company: int = 0


NOTHING = Seen(kind="other")
"""What a limiter sees of an attempt that is none of its business, but is over."""

UNSENT = Seen(kind="other", cost=0.0)
"""What is seen of a call that was let go and then sent nothing."""

S = TypeVar("S")
P = TypeVar("P")


class Limiter(Protocol[S, P]):
    """The four functions. `S` is the limiter's state, `P` the stamp that an attempt carries."""

    def init(self, now: float) -> S:
        """Give the state in which nothing is known."""
        ...

    def admit(self, state: S, ask: Ask, in_flight: int, now: float) -> float:
        """Say how many seconds the call must wait: 0 = go, inf = until an outcome changes the state."""
        ...

    def on_send(self, state: S, ask: Ask, now: float) -> tuple[S, P]:
        """Book the call that goes now."""
        ...

    def on_outcome(self, state: S, stamp: P, seen: Seen, in_flight: int, now: float) -> S:
        """Learn from an attempt that is over."""
        ...


def heard(seen: Seen, others: int) -> Seen:
    """Hear of trouble only from calls that had at least `others` others beside them.

    A lone call, and calls one after another, meet their specified retries and no more: what happens to them says
    nothing about too many calls at once.
    """
    return seen if seen.kind == "ok" or seen.company >= others else NOTHING


def noted(recent: tuple[int, ...], number: int, many: int) -> tuple[int, ...]:
    """Remember an event by the number of its send, and the `many - 1` before it."""
    return (*recent, number)[-many:]


def dry(recent: tuple[int, ...], row: int, many: int, among: int) -> bool:
    """Decide whether the last refusals show that a quota is used up: `row` in a row, or `many` among `among` sends."""
    return dense(recent[-row:], row, row) or dense(recent, many, among)


def dense(recent: tuple[int, ...], many: int, among: int) -> bool:
    """Decide whether `many` events fell among `among` consecutive sends: too many for chance."""
    return len(recent) == many and max(recent) - min(recent) < among
