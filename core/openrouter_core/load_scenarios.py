"""Policies to compare and servers to compare them on, as data, and `play`, which runs one against the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

import msgspec

from openrouter_core.admission import limits_of
from openrouter_core.config import OpenRouterConfig
from openrouter_core.limit.seen import Ask
from openrouter_core.limit.standard import LimitSettings, scopes, standard
from openrouter_core.load import MINUTE, Bucket, Load, Pool, ServerSpec, Serving, Tells, Windows
from openrouter_core.policy import Policy, policy_of
from openrouter_core.schedule import Attempts, Both, Capped, Exponential, Heeding, Jittered
from openrouter_core.simulate import Timeline, chat_job, simulate
from openrouter_core.states import Job
from openrouter_core.wire.response import ChatCompletionResponse

MODEL = "x-ai/grok-4"


class Contender(msgspec.Struct, frozen=True):
    """A policy with its limits, under a name."""

    name: str
    policy: Policy
    limits: LimitSettings


class Scenario(msgspec.Struct, frozen=True):
    """A server and how calls come to it."""

    title: str
    server: ServerSpec
    load: Load = Load()


def configured(name: str, config: OpenRouterConfig) -> Contender:
    """Make a contender of a client's config."""
    return Contender(name, policy_of(config), limits_of(config))


OURS = configured("ours", OpenRouterConfig())

WITHOUT = LimitSettings(adaptive=False)

CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        OURS,
        configured("1-2-4", OpenRouterConfig(adaptive_limits=False, max_rate_retries=3)),
        configured("unlimited", OpenRouterConfig(adaptive_limits=False)),
        Contender(
            "openai-python",
            Policy(schedule=Both(Both(Jittered(Capped(Exponential(0.5), 8.0), "slight"), Attempts(2)), Heeding(60.0))),
            WITHOUT,
        ),
        configured("full-jitter", OpenRouterConfig(adaptive_limits=False, max_rate_retries=3, jitter="full")),
        configured("no-retries", OpenRouterConfig(adaptive_limits=False, max_rate_retries=0, max_retries=0)),
    )
}
"""Policies by name.

ours            this client, with its default settings
1-2-4           waits of 1, 2 and 4 s, or longer where the server says so, and no limits of the client's own
unlimited       this client without adaptive limits: refusals are retried 8 times
openai-python   0.5 s, doubling up to 8 s, shortened by up to a quarter; 2 retries; hints up to 60 s, where the original
                ignores longer ones and X-RateLimit headers
full-jitter     1-2-4, each wait shortened at random, to anything from nothing
no-retries      one attempt
"""

KNOWING = "known-rate"
"""The name of the upper bound: this client, told the server's rate beforehand."""


def knowing(server: ServerSpec) -> Contender:
    """Make the contender that knows a server's first rate, if there is one, and nothing of what will become of it."""
    match server.quota:
        case Bucket(rates):
            rate = rates[0][1]
        case Windows(limit, length):
            rate = limit / length
        case None:
            return msgspec.structs.replace(OURS, name=KNOWING)
        case _:
            assert_never(server.quota)
    return configured(KNOWING, OpenRouterConfig(requests_per_minute=rate * MINUTE))


def chosen(name: str, server: ServerSpec) -> Contender | None:
    """Find a contender by name."""
    return knowing(server) if name == KNOWING else CONTENDERS.get(name)


def called(policy: Policy, timeout: float) -> Job[ChatCompletionResponse]:
    """Describe one of the calls, all of which are for one model; an attempt may take `timeout` seconds."""
    job = chat_job(msgspec.structs.replace(policy, timeout=timeout))
    return msgspec.structs.replace(job, ask=Ask(scopes(MODEL)))


def play(scenario: Scenario, contender: Contender, dice: Iterator[float]) -> Timeline[ChatCompletionResponse]:
    """Run the calls of a scenario under a policy; `dice` are numbers in [0, 1), for the server and the client."""
    load = scenario.load
    job = called(contender.policy, load.timeout)
    return simulate(
        [(call * load.every, job) for call in range(load.calls)],
        Serving(scenario.server, dice),
        rolls=dice,
        limiter=standard(contender.limits),
        together=load.together,
    )


# --- scenarios ------------------------------------------------------------------------------------------------------


def fast(quota: Bucket | Windows | None, tells: Tells = "nothing") -> ServerSpec:
    """Describe a server that answers at once, as one on the same machine does."""
    return ServerSpec(quota=quota, tells=tells, latency=0.035, spread=0.1, refusal=0.035)


def steady(rate: float, burst: float) -> Bucket:
    """Describe a bucket that refills at one rate, in requests per second."""
    return Bucket(((0.0, rate),), burst)


MANY = Load(calls=4000, together=500)
TOKENS = steady(200.0, 200.0)
TEN = steady(10.0, 10.0)
HALVED_AND_QUADRUPLED = Bucket(((0.0, 50.0), (40.0, 25.0), (100.0, 100.0)), 20.0)
MINUTES = Windows(600, 60.0, 22.3)
OUTAGE = ServerSpec(outage=(30.0, 60.0))

SCENARIOS: dict[str, Scenario] = {
    "200": Scenario("200/s, burst 200, no hints", fast(TOKENS), MANY),
    "200-hinted": Scenario("200/s, burst 200, Retry-After", fast(TOKENS, "whole"), MANY),
    "200-hinted-20": Scenario("200/s, burst 20, Retry-After", fast(steady(200.0, 20.0), "whole"), MANY),
    "200-windows": Scenario("200 in each second, no hints", fast(Windows(200, 1.0, 0.3)), MANY),
    "200-windows-hinted": Scenario(
        "200 in each second, Retry-After in whole seconds", fast(Windows(200, 1.0, 0.3), "whole"), MANY
    ),
    "200-windows-exact": Scenario("200 in each second, exact hints", fast(Windows(200, 1.0, 0.3), "exact"), MANY),
    "200-windows-told": Scenario("200 in each second, X-RateLimit", fast(Windows(200, 1.0, 0.3), "reset"), MANY),
    "200-halves": Scenario("200/s, 100/s from 8 s on", fast(Bucket(((0.0, 200.0), (8.0, 100.0)), 200.0)), MANY),
    "10": Scenario("10/s, burst 10, no hints", ServerSpec(quota=TEN)),
    "10-hinted": Scenario("10/s, burst 10, Retry-After", ServerSpec(quota=TEN, tells="whole")),
    "10-strict": Scenario("10/s, burst 1, no hints", ServerSpec(quota=steady(10.0, 1.0))),
    "10-300": Scenario("10/s, burst 10, 300 at a time", ServerSpec(quota=TEN), Load(together=300)),
    "10-strict-300": Scenario("10/s, burst 1, 300 at a time", ServerSpec(quota=steady(10.0, 1.0)), Load(together=300)),
    "50": Scenario(
        "50/s, burst 50, 400 at a time", ServerSpec(quota=steady(50.0, 50.0)), Load(calls=5000, together=400)
    ),
    "1": Scenario("1/s, burst 5, no hints", ServerSpec(quota=steady(1.0, 5.0)), Load(calls=600)),
    "free": Scenario(
        "20 a minute, documented (:free)",
        ServerSpec(quota=Windows(20, 60.0, 22.3), tells="named"),
        Load(calls=200, together=20),
    ),
    "minutes": Scenario("600 a minute, documented", ServerSpec(quota=MINUTES, tells="named"), Load(calls=3000)),
    "minutes-hinted": Scenario("600 a minute, Retry-After", ServerSpec(quota=MINUTES, tells="whole"), Load(calls=3000)),
    "minutes-untold": Scenario("600 a minute, no hints", ServerSpec(quota=MINUTES), Load(calls=4000)),
    "windows-untold": Scenario("100 in 10 s, no hints", ServerSpec(quota=Windows(100, 10.0, 2.3))),
    "windows-told": Scenario("100 in 10 s, X-RateLimit", ServerSpec(quota=Windows(100, 10.0, 2.3), tells="reset")),
    "windows-skewed": Scenario(
        "100 in 10 s, X-RateLimit, clock 0.5 s ahead",
        ServerSpec(quota=Windows(100, 10.0, 2.3), tells="reset", ahead=0.5, dated=False),
    ),
    "moving": Scenario(
        "50/s, 25/s from 40 s on, 100/s from 100 s on",
        ServerSpec(quota=HALVED_AND_QUADRUPLED),
        Load(calls=12_000, together=400),
    ),
    "outage": Scenario("30 s of 502, 10 calls/s", OUTAGE, Load(calls=1200, together=1_000_000, every=0.1)),
    "outage-slow": Scenario("30 s of 502, 2 calls/s", OUTAGE, Load(calls=240, together=1_000_000, every=0.5)),
    "queue": Scenario(
        "a queue that outgrows the timeout",
        ServerSpec(pool=Pool(20, ((0.0, 1.0), (60.0, 4.0), (90.0, 1.0)))),
        Load(calls=3000, together=1_000_000, every=0.06, timeout=10.0),
    ),
    "failing": Scenario("5 % random 502", ServerSpec(failing=0.05)),
    "failing-20": Scenario("20 % random 502", ServerSpec(failing=0.2)),
    "spurious": Scenario("2 % spurious 429, no quota", ServerSpec(spurious=0.02), Load(calls=4000)),
    "spurious-hinted": Scenario(
        "2 % spurious 429 that ask for 5 s", ServerSpec(spurious=0.02, spurious_hint=5.0), Load(calls=4000)
    ),
    "30-spurious": Scenario(
        "30/s and 2 % spurious 429", ServerSpec(quota=steady(30.0, 30.0), spurious=0.02), Load(calls=3000)
    ),
    "cold": Scenario("500 calls at once, no quota", ServerSpec(), Load(calls=500, together=500)),
}
"""Servers and loads by name."""
