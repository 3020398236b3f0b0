"""Many calls against a described server under a virtual clock: the limiters, and two policies without.

    python -m tests.core.loadsim              the table of scenarios, side by side
    python -m tests.core.loadsim holdout 40   random scenarios
    python -m tests.core.loadsim a1 outage    some of them

Everything is a function of the scenario and the seed. A refused call costs the server nothing and comes back quickly.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import msgspec

from openrouter_core.limit.compose import is_probe
from openrouter_core.limit.pump import Go, Lines, Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask, Kind, Seen
from openrouter_core.limit.standard import LimitSettings, standard

INF = math.inf

# --- the clock -------------------------------------------------------------------------------------------------------


class Clock:
    """A virtual clock: runs what is due in the order of time, ties in the order of insertion."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        heappush(self._due, (max(when, self.now), next(self._number), do))

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _, do = heappop(self._due)
            do()


# --- the server ------------------------------------------------------------------------------------------------------


class Quota(Protocol):
    """Say None to accept a request, or the headers of the refusal."""

    def take(self, now: float) -> Seen | None: ...

    def allowed(self, start: float, end: float) -> float: ...

    def room(self, now: float) -> float:
        """Say when the next request may be accepted; `now` if one is now."""
        ...

    def whole(self, start: float, end: float) -> tuple[float, float]:
        """Give the span within this one that use may be measured in: a part of a window may be used in full."""
        ...


@dataclass
class Bucket:
    """A token bucket whose rate changes. `hints`: none, exact or whole seconds; `lie` multiplies them."""

    rates: tuple[tuple[float, float], ...]
    burst: float
    hints: str = "none"
    lie: float = 1.0
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def allowed(self, start: float, end: float) -> float:
        total = 0.0
        for number, (begin, rate) in enumerate(self.rates):
            stop = self.rates[number + 1][0] if number + 1 < len(self.rates) else INF
            total += max(0.0, min(end, stop) - max(start, begin)) * rate
        return total

    def room(self, now: float) -> float:
        tokens = min(self.burst, self.tokens + self.allowed(self.at, now))
        if tokens >= 1 - 1e-9:
            return now
        change = min((begin for begin, _ in self.rates if begin > now), default=INF)
        return min(now + (1 - tokens) / [r for begin, r in self.rates if begin <= now][-1], change)

    def whole(self, start: float, end: float) -> tuple[float, float]:
        return start, end

    def take(self, now: float) -> Seen | None:
        self.tokens = min(self.burst, self.tokens + self.allowed(self.at, now))
        self.at = now
        if self.tokens >= 1 - 1e-9:
            self.tokens -= 1
            return None
        if self.hints == "none":
            return Seen(kind="rate")
        rate = [r for begin, r in self.rates if begin <= now][-1]
        wait = (1 - self.tokens) / rate
        return Seen(kind="rate", hint=self.lie * (wait if self.hints == "exact" else float(math.ceil(wait))))


@dataclass
class Windows:
    """Fixed windows. `named`: what a refusal says (all, limit, retry-after, nothing). `ahead`: the client's clock."""

    limit: int
    length: float
    phase: float = 0.0
    named: str = "all"
    ahead: float = 0.0
    current: int = -1
    used: int = 0

    def allowed(self, start: float, end: float) -> float:
        return self.limit / self.length * (end - start)

    def room(self, now: float) -> float:
        current = math.floor((now + self.phase) / self.length)
        if current != self.current or self.used < self.limit:
            return now
        return (current + 1) * self.length - self.phase + 1e-9

    def whole(self, start: float, end: float) -> tuple[float, float]:
        first, last = ((at + self.phase) / self.length for at in (start, end))
        return math.ceil(first) * self.length - self.phase, math.floor(last) * self.length - self.phase

    def take(self, now: float) -> Seen | None:
        current = math.floor((now + self.phase) / self.length)
        if current != self.current:
            self.current, self.used = current, 0
        self.used += 1
        if self.used <= self.limit:
            return None
        left = (current + 1) * self.length - self.phase - now - self.ahead
        if self.named == "retry-after":
            return Seen(kind="rate", hint=left + self.ahead)
        if self.named == "nothing":
            return Seen(kind="rate")
        return Seen(
            kind="rate", limit=float(self.limit), resets_in=left, window=self.length if self.named == "all" else None
        )


@dataclass
class Server:
    """How each request ends, and after how many seconds. `drops`: an outage ends what is in flight when it begins."""

    dice: random.Random
    quota: Quota | None = None
    latency: float = 2.0
    spread: float = 0.5
    refusal: float = 0.06
    failing: float = 0.0
    outage: tuple[float, float] = (INF, INF)
    drops: bool = False
    spurious: float = 0.0
    spurious_hint: float | None = None
    servers: int = 0
    service: Callable[[float], float] = lambda _: 1.0
    busy: list[float] = field(default_factory=list)

    def answer(self, now: float, timeout: float) -> tuple[Seen, float]:
        quick = self.refusal * self.dice.uniform(0.7, 1.3)
        if self.outage[0] <= now < self.outage[1]:
            return Seen(kind="server"), 2 * quick
        refused = self.quota.take(now) if self.quota is not None else None
        if refused is not None:
            return refused, quick
        if self.dice.random() < self.spurious:
            return Seen(kind="rate", hint=self.spurious_hint), 3 * quick
        if self.dice.random() < self.failing:
            return Seen(kind="server"), 3 * quick
        after = self.latency * math.exp(self.spread * self.dice.gauss(0, 1))
        if self.servers:
            self.busy = self.busy or [0.0] * self.servers
            ends = max(now, heappop(self.busy)) + self.service(now) * self.dice.uniform(0.8, 1.2)
            heappush(self.busy, ends)
            after = ends - now
        if self.drops and now + after > self.outage[0] > now:
            return Seen(kind="server"), self.outage[0] - now + quick
        return (Seen(kind="ok"), after) if after <= timeout else (Seen(kind="timeout"), timeout)


# --- the clients -----------------------------------------------------------------------------------------------------


@dataclass
class Call:
    number: int
    born: float
    begun: float = INF
    retries: int = 0
    refusals: int = 0
    ended: float | None = None
    failed: bool = False


@dataclass
class Sent:
    at: float
    kind: Kind


@dataclass
class Load:
    """How the calls come: `calls` in all, `together` alive at a time, one per `every` seconds (0 = all at once)."""

    calls: int = 2000
    together: int = 100
    every: float = 0.0
    timeout: float = 60.0
    until: float = 4000.0


class Client:
    """What the policies have in common: calls come, at most `together` are alive, attempts are logged."""

    def __init__(self, clock: Clock, server: Server, load: Load, dice: random.Random) -> None:
        self.clock, self.server, self.load, self.dice = clock, server, load, dice
        self.calls: list[Call] = []
        self.log: list[Sent] = []
        self.alive = 0
        self.in_flight = 0
        self.outside: list[Call] = []
        for number in range(load.calls):
            clock.at(number * load.every, partial(self.arrive, number))

    def arrive(self, number: int) -> None:
        self.calls.append(call := Call(number, self.clock.now))
        self.outside.append(call)
        self.outside_in()

    def outside_in(self) -> None:
        while self.outside and self.alive < self.load.together:
            self.alive += 1
            call = self.outside.pop(0)
            call.begun = self.clock.now
            self.begin(call)

    def end(self, call: Call, *, failed: bool) -> None:
        call.ended, call.failed = self.clock.now, failed
        self.alive -= 1
        self.outside_in()

    def attempt(self, then: Callable[[Seen], None]) -> None:
        seen, after = self.server.answer(self.clock.now, self.load.timeout)
        self.log.append(Sent(self.clock.now, seen.kind))
        self.in_flight += 1

        def ended() -> None:
            self.in_flight -= 1
            then(seen)

        self.clock.at(self.clock.now + after, ended)

    def begin(self, call: Call) -> None:
        raise NotImplementedError(call)


class Naive(Client):
    """Retries and nothing else: `waits(attempt, hint, roll)` in seconds, None to give up."""

    def __init__(self, *of: Any, waits: Callable[[int, float | None, float], float | None]) -> None:
        self.waits = waits
        super().__init__(*of)

    def begin(self, call: Call) -> None:
        self.attempt(lambda seen: self.seen(call, seen))

    def seen(self, call: Call, seen: Seen) -> None:
        if seen.kind == "ok":
            return self.end(call, failed=False)
        wait = self.waits(call.retries, seen.hint if seen.resets_in is None else seen.resets_in, self.dice.random())
        if wait is None:
            return self.end(call, failed=True)
        call.retries += 1
        return self.clock.at(self.clock.now + wait, lambda: self.begin(call))


def specified(attempt: int, hint: float | None, roll: float) -> float | None:
    """1 s, 2 s, 4 s."""
    return 2.0**attempt if attempt < 3 else None


def openai_python(attempt: int, hint: float | None, roll: float) -> float | None:
    """0.5 s doubling up to 8 s, shortened by up to a quarter; hints up to 60 s; 2 retries."""
    if attempt >= 2:
        return None
    return hint if hint is not None and 0 < hint <= 60 else min(8.0, 0.5 * 2.0**attempt) * (1 - 0.25 * roll)


class Paced(Client):
    """The limiters, driven as the shell drives them: one state, one pump, one timer."""

    def __init__(self, *of: Any, settings: LimitSettings, rate_retries: int = 8) -> None:
        self.limiter = standard(settings)
        self.state = self.limiter.init(0.0)
        self.lines: Lines[Call] = Lines()
        self.rate_retries = rate_retries
        self.timer = INF
        super().__init__(*of)

    def begin(self, call: Call) -> None:
        self.wait(call, retry=False)

    def wait(self, call: Call, *, retry: bool) -> None:
        self.lines.push(Place(0, call.number), Ask(retry=retry), call)
        self.pump()

    def pump(self) -> None:
        while True:
            admit = partial(self.limiter.admit, self.state, in_flight=self.in_flight, now=self.clock.now)
            match self.lines.next(admit, self.clock.now):
                case Go(_, ask, call):
                    self.state, stamp = self.limiter.on_send(self.state, ask, self.clock.now)
                    self.attempt(partial(self.seen, call, stamp))
                case Wait(seconds):
                    self.wake_at(self.clock.now + seconds)
                    return
                case _:
                    return

    def wake_at(self, when: float) -> None:
        if when < self.timer or self.timer < self.clock.now:
            self.timer = when
            if when < INF:
                self.clock.at(max(when, math.nextafter(self.clock.now, INF)), lambda: self.wake(when))

    def wake(self, when: float) -> None:
        if when == self.timer:
            self.timer = INF
            self.pump()

    def seen(self, call: Call, stamp: Any, seen: Seen) -> None:
        seen = msgspec.structs.replace(seen, company=self.alive - 1)
        self.state = self.limiter.on_outcome(self.state, stamp, seen, self.in_flight, self.clock.now)
        if seen.kind == "ok":
            self.end(call, failed=False)
        elif seen.kind == "rate":
            call.refusals += 1
            self.again(call, call.refusals, self.rate_retries, max(seen.hint or 0.0, seen.resets_in or 0.0))
        else:
            probe = is_probe(stamp)
            call.retries += 0 if probe else 1
            self.again(call, max(1, call.retries), 3, 0.0, retry=not probe)
        self.pump()

    def again(self, call: Call, number: int, most: int, hint: float, *, retry: bool = False) -> None:
        if number > most:
            return self.end(call, failed=True)
        wait = max(hint, min(60.0, 2.0 ** (number - 1)))
        return self.clock.at(self.clock.now + wait, lambda: self.wait(call, retry=retry))


class Omniscient(Client):
    """Knows when the server will accept a request, and sends then."""

    def __init__(self, *of: Any) -> None:
        self.waiting: list[Call] = []
        self.wakes = -1.0
        super().__init__(*of)

    def begin(self, call: Call) -> None:
        self.waiting.append(call)
        self.pump()

    def pump(self) -> None:
        now, quota = self.clock.now, self.server.quota
        while self.waiting:
            if quota is not None and (room := quota.room(now)) > now:
                if self.wakes <= now:
                    self.wakes = room
                    self.clock.at(room, self.pump)
                return
            call = self.waiting.pop(0)
            self.attempt(partial(self.seen, call))

    def seen(self, call: Call, seen: Seen) -> None:
        if seen.kind == "ok":
            return self.end(call, failed=False)
        return self.begin(call)


POLICIES: dict[str, Callable[..., Client]] = {
    "limiters": lambda *of: Paced(*of, settings=LimitSettings()),
    "1, 2, 4 s": lambda *of: Naive(*of, waits=specified),
    "openai-python": lambda *of: Naive(*of, waits=openai_python),
}

# --- scenarios and figures -------------------------------------------------------------------------------------------


@dataclass
class Scenario:
    """A server, a load, and which figures tell."""

    name: str
    server: Callable[[random.Random], Server]
    load: Load = field(default_factory=Load)
    changes: tuple[float, ...] = ()


@dataclass
class Run:
    scenario: Scenario
    client: Client
    server: Server
    seed: int

    @property
    def ended(self) -> float:
        return max((call.ended or INF for call in self.client.calls), default=0.0)

    def sends(self, start: float, end: float, kind: Kind | None = None) -> int:
        return sum(1 for sent in self.client.log if start <= sent.at < end and kind in (None, sent.kind))

    def refused_share(self, start: float = 0.0, end: float = INF) -> float:
        """Refusals per success."""
        return self.sends(start, end, "rate") / max(1, self.sends(start, end, "ok"))

    @property
    def lost(self) -> int:
        return sum(1 for call in self.client.calls if call.failed or call.ended is None)

    @property
    def demanding(self) -> float:
        """Until when there were as many callers as may be: then the last ones come back one by one."""
        sent = sorted(sent.at for sent in self.client.log if sent.kind == "ok")
        return sent[max(0, len(sent) - self.scenario.load.together)] if sent else 0.0

    def of_quota(self, start: float, end: float) -> float:
        quota = self.server.quota
        if quota is None:
            return math.nan
        start, end = quota.whole(start, end)
        return self.sends(start, end, "ok") / quota.allowed(start, end) if end > start else math.nan

    def settled(self, start: float, end: float, good: Callable[[float], bool], step: float = 0.5) -> float:
        """Seconds from `start` until a window of 5 s is good."""
        at = start
        while at + 5 <= end:
            if good(at):
                return at - start
            at += step
        return INF


def play(scenario: Scenario, policy: Callable[..., Client], seed: int) -> Run:
    """Run one scenario under one policy."""
    clock = Clock()
    server = scenario.server(random.Random(seed))
    client = policy(clock, server, scenario.load, random.Random(seed + 1))
    clock.run(scenario.load.until)
    return Run(scenario, client, server, seed)


def ideal(run: Run) -> float:
    """The seconds that a client needs that knows everything, on a server with the same quota where nothing fails."""

    def faultless(dice: random.Random) -> Server:
        return replace(run.scenario.server(dice), failing=0.0, spurious=0.0, outage=(INF, INF))

    return play(replace(run.scenario, server=faultless), Omniscient, run.seed).ended


def bucket(rate: float, burst: float, hints: str = "none", **server: Any) -> Callable[[random.Random], Server]:
    return lambda dice: Server(dice, Bucket(((0.0, rate),), burst, hints), **server)


def moving(
    rates: tuple[tuple[float, float], ...], burst: float, hints: str = "none", **server: Any
) -> Callable[[random.Random], Server]:
    return lambda dice: Server(dice, Bucket(rates, burst, hints), **server)


def windows(
    limit: int, length: float, phase: float, named: str = "all", ahead: float = 0.0, **server: Any
) -> Callable[[random.Random], Server]:
    return lambda dice: Server(dice, Windows(limit, length, phase, named, ahead), **server)


def plain(**server: Any) -> Callable[[random.Random], Server]:
    return lambda dice: Server(dice, **server)


FAST: dict[str, Any] = {"latency": 0.035, "spread": 0.1, "refusal": 0.035}

SCENARIOS: dict[str, Scenario] = {
    "a1": Scenario("10/s, burst 10", bucket(10, 10)),
    "a2": Scenario("10/s, burst 10, Retry-After", bucket(10, 10, "whole")),
    "a3": Scenario("20 a minute, documented", windows(20, 60, 22.3), Load(calls=200, together=20)),
    "a4": Scenario("600 a minute, documented", windows(600, 60, 22.3), Load(calls=3000)),
    "a4r": Scenario("600 a minute, Retry-After", windows(600, 60, 22.3, "retry-after"), Load(calls=3000)),
    "a4n": Scenario("100 per 10 s, unnamed", windows(100, 10, 2.3, "nothing"), Load(calls=2000)),
    "a4l": Scenario("100 per 10 s, length not named", windows(100, 10, 2.3, "limit"), Load(calls=2000)),
    "a4s": Scenario("100 per 10 s, clock 0.5 s ahead", windows(100, 10, 2.3, "all", 0.5), Load(calls=2000)),
    "a4m": Scenario("600 a minute, unnamed", windows(600, 60, 22.3, "nothing"), Load(calls=4000)),
    "w50n": Scenario("50 per s windows, unnamed", windows(50, 1, 0.4, "nothing"), Load(calls=3000, together=300)),
    "w50": Scenario("50 per s windows, documented", windows(50, 1, 0.4), Load(calls=3000, together=300)),
    "w20r": Scenario("20 per s windows, Retry-After", windows(20, 1, 0.9, "retry-after"), Load(calls=2000)),
    "w500": Scenario("500 per s windows, documented", windows(500, 1, 0.1, **FAST), Load(calls=10000, together=500)),
    "f200n": Scenario(
        "200 per s windows, unnamed", windows(200, 1, 0.3, "nothing", **FAST), Load(calls=4000, together=500)
    ),
    "f200r": Scenario(
        "200 per s windows, Retry-After", windows(200, 1, 0.3, "retry-after", **FAST), Load(calls=4000, together=500)
    ),
    "a5": Scenario("10/s strict", bucket(10, 1)),
    "a5f": Scenario("200/s strict", bucket(200, 1, **FAST), Load(calls=4000, together=500)),
    "a5e": Scenario("20/s strict and 1 % spurious 429", bucket(20, 1, spurious=0.01), Load(calls=3000)),
    "a5s": Scenario("3/s strict", bucket(3, 1), Load(calls=900)),
    "a8": Scenario(
        "20/s, burst 20, hints that lie (x 0.2)",
        lambda dice: Server(dice, Bucket(((0.0, 20.0),), 20, "exact", 0.2)),
        Load(calls=3000),
    ),
    "a9": Scenario(
        "20/s, burst 20, hints that lie (x 3)",
        lambda dice: Server(dice, Bucket(((0.0, 20.0),), 20, "exact", 3.0)),
        Load(calls=3000),
    ),
    "a6": Scenario("1/s, burst 5", bucket(1, 5), Load(calls=600)),
    "a7": Scenario("50/s, burst 50, 400 at a time", bucket(50, 50), Load(calls=5000, together=400)),
    "a1w": Scenario("10/s, burst 10, 300 at a time", bucket(10, 10), Load(together=300)),
    "a5w": Scenario("10/s strict, 300 at a time", bucket(10, 1), Load(together=300)),
    "f200": Scenario("200/s, burst 200", bucket(200, 200, **FAST), Load(calls=4000, together=500)),
    "f200h": Scenario("200/s, burst 20, Retry-After", bucket(200, 20, "whole", **FAST), Load(calls=4000, together=500)),
    "f200w": Scenario("200 per s windows, documented", windows(200, 1, 0.3, **FAST), Load(calls=4000, together=500)),
    "f200m": Scenario(
        "200/s halves at 8 s", moving(((0, 200), (8, 100)), 200, **FAST), Load(calls=4000, together=500), (8,)
    ),
    "b": Scenario(
        "10/s, 5/s at 100 s, 20/s at 250 s", moving(((0, 10), (100, 5), (250, 20)), 10), Load(calls=5000), (100, 250)
    ),
    "b50": Scenario(
        "50/s, 25/s at 40 s, 100/s at 100 s",
        moving(((0, 50), (40, 25), (100, 100)), 20),
        Load(calls=12000, together=400),
        (40, 100),
    ),
    "d1": Scenario(
        "30 s of 502, 10 arrivals/s", plain(outage=(30.0, 60.0)), Load(calls=1200, together=10**6, every=0.1)
    ),
    "d1b": Scenario(
        "30 s of 502, 2 arrivals/s", plain(outage=(30.0, 60.0)), Load(calls=240, together=10**6, every=0.5)
    ),
    "d3": Scenario("100 in flight dropped, 30 s of 502", plain(outage=(30.0, 60.0), drops=True), Load(calls=2000)),
    "d4": Scenario(
        "500 in flight dropped, 30 s of 502",
        plain(outage=(30.0, 60.0), drops=True),
        Load(calls=9000, together=500),
    ),
    "d2": Scenario(
        "metastable queue",
        plain(servers=20, service=lambda t: 4.0 if 60 <= t < 90 else 1.0),
        Load(calls=3000, together=10**6, every=0.06, timeout=10.0),
    ),
    "e": Scenario("5 % random 502", plain(failing=0.05), Load(calls=2000)),
    "e20": Scenario("20 % random 502", plain(failing=0.2), Load(calls=2000)),
    "e2": Scenario("2 % spurious 429", plain(spurious=0.02), Load(calls=4000)),
    "e3": Scenario("2 % spurious 429, Retry-After 5 s", plain(spurious=0.02, spurious_hint=5.0), Load(calls=4000)),
    "e5": Scenario("30/s and 2 % spurious 429", moving(((0, 30),), 30, spurious=0.02), Load(calls=3000)),
    "n": Scenario("no quota, cold burst of 500", plain(), Load(calls=500, together=500)),
}


def figures(run: Run) -> dict[str, float]:
    """What is measured in every scenario, and what tells in some."""
    server, calls = run.server, run.client.calls
    out = {
        "lost %": 100 * run.lost / len(calls),
        "429/ok": run.refused_share(),
        "later": run.refused_share(10.0),
        "sends/call": len(run.client.log) / len(calls),
    }
    if not server.servers:
        out["time:ideal"] = run.ended / ideal(run)
    if server.quota is not None:
        out["of quota"] = run.of_quota(10.0, run.demanding)
    if run.scenario.changes:
        down, *up = (*run.scenario.changes, run.demanding)
        until = up[0]
        out["halved: 429/ok"] = run.refused_share(down, until)
        calm = lambda at: run.sends(at, at + 5, "rate") <= 0.02 * run.sends(at, at + 5, "ok") + 1  # noqa: E731
        out["halved: settled"] = run.settled(down, until, calm)
        if len(up) > 1:
            full = lambda at: run.of_quota(at, at + 5) >= 0.95  # noqa: E731
            out["x4: settled"] = run.settled(up[0], up[1], full)
    if server.outage[0] < INF:
        start, end = server.outage
        arrivals = sum(1 for call in calls if start <= call.born < end) or run.scenario.load.together
        out["outage: sent/arrival"] = run.sends(start, end) / arrivals
        done = sorted(call.ended for call in calls if call.ended is not None and call.ended >= end and not call.failed)
        out["outage: first after"] = done[0] - end
        late = [call.ended or INF for call in calls if call.begun < end]
        out["outage: drained"] = max(late) - end
    times = sorted((call.ended or INF) - call.born for call in calls)
    out["p95"] = times[int(0.95 * len(times))]
    return out


def averaged(rows: Iterable[dict[str, float]]) -> dict[str, float]:
    rows = list(rows)
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def random_scenario(seed: int) -> Scenario:
    """A quota that nobody tuned for: rate, burst, hints, noise, a skewed clock, lies, and changes on the way."""
    dice = random.Random(seed)
    rate = 0.7 * (80 / 0.7) ** dice.random()
    burst = dice.choice([1, dice.randint(1, 60), dice.randint(1, 60)])
    kind = dice.choice(["none", "exact", "whole", "window", "window"])
    noise = dice.choice([0.0, 0.0, 0.01])
    together = dice.choice([50, 100, 300])
    load = Load(calls=max(400, int(rate * 120)), together=together)
    if kind == "window":
        length = dice.choice([10.0, 60.0])
        limit = max(2, int(rate * length))
        named, ahead = dice.choice(["all", "all", "limit", "retry-after"]), dice.choice([0.0, 0.0, 0.3, 1.5, -0.5])
        return Scenario(
            f"{limit} per {length:g} s, {named}, ahead {ahead}, noise {noise}, {together}",
            windows(limit, length, dice.uniform(0, length), named, ahead, spurious=noise),
            load,
        )
    moves = dice.choice([1.0, 1.0, 0.5, 1.5])
    lie = dice.choice([1.0, 1.0, 0.2, 3.0])
    rates = ((0.0, rate), (40.0, rate * moves))
    return Scenario(
        f"{rate:.1f}/s x{moves} b{burst}, {kind} hints x{lie}, noise {noise}, {together}",
        lambda dice: Server(dice, Bucket(rates, burst, kind, lie), spurious=noise),
        load,
    )


def show(name: str, row: dict[str, float]) -> str:
    return f"  {name:<14}" + "  ".join(f"{key} {value:.4g}" for key, value in row.items())


def main(words: list[str]) -> None:
    if words[:1] == ["holdout"]:
        for seed in range(int(words[1]) if len(words) > 1 else 40):
            scenario = random_scenario(seed)
            row = figures(play(scenario, POLICIES["limiters"], seed))
            print(f"{seed:3d} {scenario.name:<60}" + show("", row))  # noqa: T201
        return
    mine = "mine" in words
    names = [word for word in words if word != "mine"]
    for key in names or SCENARIOS:
        print(f"{key}: {SCENARIOS[key].name}")  # noqa: T201
        for name, policy in POLICIES.items():
            if mine and name != "limiters":
                continue
            rows = [figures(play(SCENARIOS[key], policy, seed)) for seed in (1, 2, 3)]
            print(show(name, averaged(rows)))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
