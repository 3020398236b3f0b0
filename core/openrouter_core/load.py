"""A described server to try policies on under a virtual clock: what it grants, what it tells, how it fails.

    server = ServerSpec(quota=Bucket(rates=((0.0, 10.0), (60.0, 5.0)), burst=10.0), tells="whole")
    timeline = simulate(arrivals, Serving(server, dice), rolls=dice, limiter=limiter, together=100)

The description is data, and round-trips as JSON. `Serving` is the server at work: it answers with what OpenRouter would
send, so that the real core reads it. All times are in seconds of the virtual clock, which begins at 0. Where something
changes over time, it is told as (from second, value), in the order of time; before the first, the first one holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from email.utils import formatdate
from heapq import heappop, heappush
from itertools import pairwise
from typing import Annotated, Any, Literal, assert_never

import msgspec
from msgspec import Meta

from openrouter_core.outcome import Responded
from openrouter_core.simulate import Reply

EPOCH = 1_900_022_400.0
"""When the virtual clock shows 0, in seconds since the epoch: a midnight in UTC."""

MINUTE = 60.0

Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Changes = Annotated[tuple[tuple[NotNegative, Positive], ...], Meta(min_length=1)]
"""A value over time: (from second, value)."""

Tells = Literal["nothing", "exact", "whole", "reset", "named"]
"""What a refusal of the quota tells: nothing; how long to wait (Retry-After), exactly or in whole seconds, rounded up;
X-RateLimit-Limit and -Reset; or these and, as OpenRouter does for its minutes, the window's length in the message."""


class Bucket(msgspec.Struct, frozen=True, tag="bucket"):
    """A quota that refills evenly: `rates` in requests per second, and up to `burst` requests at once."""

    rates: Changes
    burst: Annotated[float, Meta(ge=1.0)] = 1.0


class Windows(msgspec.Struct, frozen=True, tag="windows"):
    """A quota of `limit` requests in each window of `length` seconds; the first one is `phase` seconds old at 0."""

    limit: Annotated[int, Meta(ge=1)]
    length: Positive
    phase: NotNegative = 0.0


Quota = Bucket | Windows


class Pool(msgspec.Struct, frozen=True):
    """So many requests are worked on at once, each for about `seconds`; the others queue, even when nobody waits."""

    workers: Annotated[int, Meta(ge=1)]
    seconds: Changes = ((0.0, 1.0),)


class ServerSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A server as data. An answer takes about `latency` seconds (the median; `spread` is that of its logarithm).

    `refusal`: how long a refusal of the quota takes, in seconds; a failure and a spurious refusal take longer.
    `lie` multiplies what refusals tell. `ahead`: how far the client's clock is ahead of the server's, in seconds, and
    `dated` whether failures carry a `Date` header, by which the client can notice. `failing` is the share of requests
    answered with 502, `spurious` that of 429s that have nothing to do with the quota; these ask to wait
    `spurious_hint` seconds, if anything. From and to the seconds of `outage` all answers are 502. With a `pool`, an
    answer takes as long as its queue.
    """

    quota: Quota | None = None
    tells: Tells = "nothing"
    lie: NotNegative = 1.0
    ahead: float = 0.0
    dated: bool = True
    latency: NotNegative = 2.0
    spread: NotNegative = 0.5
    refusal: NotNegative = 0.06
    failing: Share = 0.0
    spurious: Share = 0.0
    spurious_hint: NotNegative | None = None
    outage: tuple[NotNegative, NotNegative] | None = None
    pool: Pool | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the calls come: `calls` of them, one per `every` seconds (0: all at once), at most `together` alive at once.

    An attempt may take `timeout` seconds.
    """

    calls: Annotated[int, Meta(ge=1)] = 2000
    together: Annotated[int, Meta(ge=1)] = 100
    every: NotNegative = 0.0
    timeout: Positive = 60.0


# --- what the quota allows ------------------------------------------------------------------------------------------


def value_at(changes: Changes, now: float) -> float:
    """Give the value that holds at an instant."""
    return next((value for begin, value in reversed(changes) if begin <= now), changes[0][1])


def granted(quota: Quota, start: float, end: float) -> float:
    """Count the requests that a quota allows in a span, by its rate alone."""
    match quota:
        case Windows(limit, length):
            return limit / length * (end - start)
        case Bucket(rates):
            spans = pairwise([(-math.inf, rates[0][1]), *rates[1:], (math.inf, math.inf)])
            return sum(max(0.0, min(end, stop) - max(start, begin)) * rate for (begin, rate), (stop, _) in spans)
        case _:
            assert_never(quota)


def whole(quota: Quota, start: float, end: float) -> tuple[float, float]:
    """Give the span within this one in which use may be measured: a part of a window may be used in full."""
    if isinstance(quota, Bucket):
        return start, end
    length, phase = quota.length, quota.phase
    return math.ceil((start + phase) / length) * length - phase, math.floor((end + phase) / length) * length - phase


class Meter:
    """What is left of a quota. Mutable, and private to one server."""

    def __init__(self, quota: Quota) -> None:
        self.quota: Quota = quota
        self.left: float = float(quota.burst if isinstance(quota, Bucket) else quota.limit)
        self.at: float = 0.0

    def room(self, now: float) -> float:
        """Say how many seconds later a request would be granted, if the rate stays; 0: now."""
        match self.quota:
            case Bucket(rates, burst):
                self.left, self.at = min(burst, self.left + granted(self.quota, self.at, now)), now
                return 0.0 if self.left >= 1.0 - 1e-9 else (1.0 - self.left) / value_at(rates, now)
            case Windows(limit, length, phase):
                if (now + phase) // length > (self.at + phase) // length:
                    self.left = float(limit)
                self.at = now
                return 0.0 if self.left >= 1.0 else ((now + phase) // length + 1) * length - phase - now
            case _:
                assert_never(self.quota)

    def take(self, now: float) -> float:
        """Grant a request, or say how many seconds later it would be."""
        wait = self.room(now)
        if wait <= 0.0:
            self.left -= 1.0
        return wait


# --- the server at work ---------------------------------------------------------------------------------------------


def enveloped(code: int, message: str, **more: Any) -> bytes:
    """Write OpenRouter's error envelope."""
    return msgspec.json.encode({"error": {"code": code, "message": message, **more}})


ANSWER = msgspec.json.encode(
    {"id": "gen-1", "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
)
UPSTREAM = {"metadata": {"provider_name": "Upstream", "error_type": "provider_unavailable"}}
FAILED = enveloped(502, "Provider returned error", **UPSTREAM)
DOWN = enveloped(502, "Bad gateway")
SPURIOUS = enveloped(429, "Provider returned error", metadata={"provider_name": "Upstream", "raw": "Too Many Requests"})
REFUSED = enveloped(429, "Rate limit exceeded")
NAMED = enveloped(429, "Rate limit exceeded: free-models-per-min.")


class Serving:
    """The server at work: how it answers the n-th attempt of a call. Mutable; `dice` are numbers in [0, 1).

    An answer that takes longer than the client waits is a timeout; the work of a pool is done all the same.
    """

    def __init__(self, spec: ServerSpec, dice: Iterator[float]) -> None:
        self.spec: ServerSpec = spec
        self.dice: Iterator[float] = dice
        self.meter: Meter | None = None if spec.quota is None else Meter(spec.quota)
        self.busy: list[float] = [] if spec.pool is None else [0.0] * spec.pool.workers

    def __call__(self, _call: int, _attempt: int, now: float) -> Reply:
        """Answer a request that is sent now."""
        spec = self.spec
        quick = spec.refusal * self.between(0.7, 1.3)
        if spec.outage is not None and spec.outage[0] <= now < spec.outage[1]:
            return self.failed(502, DOWN, now, 2 * quick)
        if self.meter is not None and (wait := self.meter.take(now)) > 0.0:
            return self.refused(self.meter.quota, wait, now, quick)
        if next(self.dice) < spec.spurious:
            hint = {} if spec.spurious_hint is None else {"retry-after": f"{spec.spurious_hint}"}
            return self.failed(429, SPURIOUS, now, 3 * quick, hint)
        if next(self.dice) < spec.failing:
            return self.failed(502, FAILED, now, 3 * quick)
        after = self.worked(spec.pool, now) if spec.pool is not None else self.latency()
        return Reply(Responded(200, ANSWER, {}, EPOCH + now + after + spec.ahead), after)

    def between(self, low: float, high: float) -> float:
        """Roll a number in [low, high)."""
        return low + (high - low) * next(self.dice)

    def latency(self) -> float:
        """Roll how long an answer takes: a normal variate by Box and Muller is the logarithm's."""
        normal = math.sqrt(-2.0 * math.log(1.0 - next(self.dice))) * math.cos(2.0 * math.pi * next(self.dice))
        return self.spec.latency * math.exp(self.spec.spread * normal)

    def worked(self, pool: Pool, now: float) -> float:
        """Put a request into the queue; give the seconds until it is answered."""
        ends = max(now, heappop(self.busy)) + value_at(pool.seconds, now) * self.between(0.8, 1.2)
        heappush(self.busy, ends)
        return ends - now

    def refused(self, quota: Quota, wait: float, now: float, after: float) -> Reply:
        """Refuse a request that the quota would grant `wait` seconds later."""
        seconds, told = wait * self.spec.lie, self.spec.tells
        match told:
            case "nothing":
                return self.failed(429, REFUSED, now, after)
            case "exact" | "whole":
                hint = f"{math.ceil(seconds) if told == 'whole' else seconds}"
                return self.failed(429, REFUSED, now, after, {"retry-after": hint})
            case "reset" | "named":
                limit = quota.limit if isinstance(quota, Windows) else int(quota.burst)
                reset = math.ceil((EPOCH + now + seconds) * 1000.0 - 1e-3)
                names = told == "named" and isinstance(quota, Windows) and quota.length == MINUTE
                headers = {"x-ratelimit-limit": f"{limit}", "x-ratelimit-reset": f"{reset}"}
                return self.failed(429, NAMED if names else REFUSED, now, after, headers)
            case _:
                assert_never(told)

    def failed(
        self, status: int, body: bytes, now: float, after: float, headers: dict[str, str] | None = None
    ) -> Reply:
        """Answer with an error."""
        server = EPOCH + now + after
        dated = {"date": formatdate(server, usegmt=True)} if self.spec.dated else {}
        return Reply(Responded(status, body, {**dated, **(headers or {})}, server + self.spec.ahead), after)


def ideal(load: Load, server: ServerSpec, dice: Iterator[float]) -> float:
    """Give the seconds that a client needs that knows when the server grants a request, where nothing else fails."""
    faultless = msgspec.structs.replace(server, failing=0.0, spurious=0.0, outage=None)
    serving = Serving(faultless, dice)
    alive: list[float] = []
    at, last = 0.0, 0.0
    for call in range(load.calls):
        at = max(at, call * load.every)
        if len(alive) >= load.together:
            at = max(at, heappop(alive))
        while serving.meter is not None and (wait := serving.meter.room(at)) > 0.0:
            at += max(wait, 1e-9)
        end = at + serving(call, 1, at).after
        heappush(alive, end)
        last = max(last, end)
    return last
