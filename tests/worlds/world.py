"""A world, made from a seed: a client's settings, its calls, a server that is described, and what goes wrong.

The same seed makes the same world on every machine: the dice are `random.Random(seed)` and nothing else. A world is
small (a dozen calls), because what matters is how many there are; its quotas, clocks and faults are drawn so that they
meet within it.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from openrouter_core.admission import limits_of, money_of
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import HttpRequest
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask
from openrouter_core.limit.standard import scopes, standard
from openrouter_core.load import EPOCH, Bucket, Pool, ServerSpec, Serving, Windows, enveloped
from openrouter_core.outcome import (
    Cut,
    Finished,
    Interrupted,
    Lost,
    Outcome,
    Responded,
    Stalled,
    Streamed,
    TimedOut,
    Unreachable,
)
from openrouter_core.policy import policy_of, with_deadline
from openrouter_core.simulate import Reply, VirtualWorld
from openrouter_core.states import Job, Mode
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

MODELS = ("x-ai/grok-4", "openai/gpt-5", "meta/llama:free")

WORST_USD = 0.02
"""What an attempt can cost at most, where money is counted."""

ANSWER = ChatCompletionResponse(
    id="gen-1",
    choices=[Choice(index=0, finish_reason="stop", message=ResponseMessage(role="assistant", content="yes"))],
    usage=Usage(prompt_tokens=3, completion_tokens=1, total_tokens=4, cost=0.01),
)

GOOD = msgspec.json.encode(ANSWER)


class CallSpec(msgspec.Struct, frozen=True):
    """One call: when it comes, what it asks for, how long it may take, and when its caller leaves it, if he does."""

    at: float
    model: str
    mode: Mode
    priority: int
    deadline: float | None
    max_cost: float | None
    leaves: float | None


class World(msgspec.Struct, frozen=True):
    """All that a seed settles. `faults` is the share of attempts that meet one of `FAULTS` instead of the server.

    `standing`: spans in which the process stands still; `jumps`: (from second, seconds) by which the wall clock is off.
    """

    seed: int
    config: OpenRouterConfig
    server: ServerSpec
    calls: tuple[CallSpec, ...]
    faults: float
    standing: tuple[tuple[float, float], ...]
    jumps: tuple[tuple[float, float], ...]
    together: int


def made(seed: int) -> World:
    """Make a world from its seed."""
    dice = random.Random(seed)
    calls = dice.choice((1, 2, 2, 3, 5, 8, 20))
    span = dice.choice((0.0, 1.0, 10.0, 100.0))
    money = dice.random() < 0.2
    return World(
        seed=seed,
        config=config_of(dice, money=money),
        server=server_of(dice, max(span, 5.0)),
        calls=tuple(sorted((call_of(dice, span, money=money) for _ in range(calls)), key=lambda call: call.at)),
        faults=dice.choice((0.0, 0.0, 0.1, 0.5)),
        standing=spans(dice, span) if dice.random() < 0.2 else (),
        jumps=tuple((dice.uniform(0.0, span), dice.choice((-3600.0, -1.0, 0.5, 86400.0))) for _ in range(2))
        if dice.random() < 0.2
        else (),
        together=dice.choice((1, 3, 1000)),
    )


def spans(dice: random.Random, span: float) -> tuple[tuple[float, float], ...]:
    """Draw spans in which the process stands still."""
    begins = [dice.uniform(0.0, span + 5.0) for _ in range(dice.randint(1, 3))]
    return tuple((begin, begin + dice.choice((0.1, 3.0, 600.0))) for begin in begins)


def config_of(dice: random.Random, *, money: bool) -> OpenRouterConfig:
    """Draw a client's settings."""
    return OpenRouterConfig(
        api_key="sk-or-v1-0",
        max_retries=dice.choice((0, 1, 3, 6)),
        retry_delay_ms=dice.choice((0, 100, 1000)),
        max_retry_delay_ms=dice.choice((1000, 60_000)),
        jitter=dice.choice(("none", "full", "equal")),
        max_rate_retries=dice.choice((None, None, 0, 8)),
        timeout_secs=dice.choice((1.0, 10.0, 60.0)),
        first_event_timeout_secs=dice.choice((0.5, 30.0)),
        deadline_secs=dice.choice((None, None, 3.0, 60.0)),
        max_connections=dice.choice((1, 2, 5, 500)),
        adaptive_limits=dice.random() < 0.8,
        requests_per_minute=dice.choice((None, None, None, 60.0, 600.0)),
        tokens_per_minute=dice.choice((None, None, None, 6000.0)),
        retry_sent=dice.random() < 0.7,
        max_cost_usd=dice.choice((0.05, 0.2, 1.0)) if money else None,
        assumed_cost_usd=dice.choice((None, WORST_USD)) if money else None,
    )


def server_of(dice: random.Random, span: float) -> ServerSpec:
    """Draw a server."""
    quotas = (
        None,
        Bucket(
            rates=((0.0, dice.choice((0.5, 2.0, 20.0))), (span / 2, dice.choice((0.2, 5.0)))),
            burst=dice.choice((1.0, 5.0)),
        ),
        Windows(limit=dice.choice((1, 3, 20)), length=dice.choice((1.0, 10.0, 60.0)), phase=dice.uniform(0.0, 60.0)),
    )
    return ServerSpec(
        quota=dice.choice(quotas),
        tells=dice.choice(("nothing", "exact", "whole", "reset", "named")),
        lie=dice.choice((1.0, 1.0, 0.5, 3.0)),
        ahead=dice.choice((0.0, 0.0, -2.0, 2.0)),
        dated=dice.random() < 0.7,
        latency=dice.choice((0.05, 1.0, 5.0)),
        failing=dice.choice((0.0, 0.0, 0.1, 0.6)),
        spurious=dice.choice((0.0, 0.0, 0.1)),
        spurious_hint=dice.choice((None, 0.0, 1.0, 7.0)),
        outage=(span / 4, span / 2) if dice.random() < 0.2 else None,
        pool=Pool(workers=dice.choice((1, 3)), seconds=((0.0, 1.0),)) if dice.random() < 0.2 else None,
    )


def call_of(dice: random.Random, span: float, *, money: bool) -> CallSpec:
    """Draw a call."""
    at = dice.uniform(0.0, span)
    return CallSpec(
        at=at,
        model=dice.choice(MODELS),
        mode=dice.choice(("whole", "whole", "collected", "handed_out")),
        priority=dice.choice((0, 0, 0, -1, 5)),
        deadline=dice.choice((None, None, None, 0.5, 20.0)),
        max_cost=dice.choice((None, 0.03)) if money else None,
        leaves=at + dice.choice((0.0, 0.1, 2.0, 50.0)) if dice.random() < 0.15 else None,
    )


# --- what happens in it -----------------------------------------------------------------------------------------------


def job_of(world: World, call: CallSpec) -> Job[ChatCompletionResponse]:
    """Make the call's job, as the client would."""
    worst = WORST_USD if world.config.max_cost_usd is not None else None
    return Job(
        CHAT_COMPLETIONS,
        HttpRequest("POST", "https://openrouter.ai/api/v1/chat/completions"),
        with_deadline(policy_of(world.config), call.deadline),
        call.mode,
        Ask(scopes(call.model), tokens=100.0, worst=worst),
        Place(call.priority, 0),
        call.max_cost,
        model=call.model,
    )


FAULTS: tuple[Any, ...] = (
    Unreachable("dns", "no such host"),
    Unreachable("refused", "nobody listens"),
    Unreachable("tls", "the certificate has run out"),
    Interrupted("reset", 0),
    Interrupted("reset", 17, 200),
    TimedOut("connect", 1.0, sent=False),
    Responded(200, GOOD[:-9], {}, EPOCH),
    Responded(200, b"", {}, EPOCH),
    Responded(200, b"<html>", {"content-type": "text/html"}, EPOCH),
    Responded(200, enveloped(503, "no instances"), {}, EPOCH),
    Responded(200, enveloped(400, "bad"), {}, EPOCH),
    Responded(200, b'{"choices": []}', {}, EPOCH),
    Responded(502, b"<html>Bad gateway</html>", {}, EPOCH),
    Responded(503, enveloped(503, "busy"), {"retry-after": "2"}, EPOCH),
    Responded(529, b"", {}, EPOCH),
    Responded(400, enveloped(400, "no such model"), {}, EPOCH),
    Responded(401, enveloped(401, "no such key"), {}, EPOCH),
    Responded(402, enveloped(402, "no credits"), {}, EPOCH),
    Responded(402, enveloped(402, "too many in flight"), {"retry-after": "1"}, EPOCH),
    Responded(403, enveloped(403, "moderated"), {}, EPOCH),
    Responded(404, enveloped(404, "no endpoints"), {}, EPOCH),
    Responded(413, b"", {}, EPOCH),
    Responded(429, enveloped(429, "later"), {"retry-after": "9999"}, EPOCH),
    Responded(429, enveloped(429, "upstream", metadata={"provider_name": "Upstream"}), {"retry-after": "3"}, EPOCH),
    Responded(429, b"\xff", {"retry-after": "nan", "x-ratelimit-reset": "-1"}, EPOCH),
    Responded(301, b"", {"location": "https://elsewhere.example/"}, EPOCH),
)
"""What an attempt may meet instead of the server."""

ENDS: tuple[Any, ...] = (Cut("cut"), Lost("reset"), Stalled("idle", 30.0), Finished())
"""How a stream may end that was under way."""


class Hostile:
    """The world's server: the described one, faults in its way, streams that break, a wall clock that jumps."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world: World = world
        self.dice: random.Random = dice
        self.serving: Serving = Serving(world.server, iter(dice.random, 1.0))

    def __call__(self, call: int, attempt: int, now: float) -> Reply:
        """Answer an attempt."""
        mode = self.world.calls[call].mode
        if self.dice.random() < self.world.faults:
            after = self.dice.choice((0.0, 0.2, 3.0, float("inf")))
            return Reply(self.dated(self.broken(mode), now), after)
        reply = self.serving(call, attempt, now)
        outcome = reply.outcome
        if isinstance(outcome, Responded) and outcome.status == 200:
            outcome = streamed(Finished()) if mode != "whole" else Responded(200, GOOD, outcome.headers, outcome.at)
        return Reply(self.dated(outcome, now), reply.after)

    def broken(self, mode: Mode) -> Outcome:
        """Draw a fault."""
        if mode != "whole" and self.dice.random() < 0.5:
            text = self.dice.choice(("", "ye"))
            return streamed(self.dice.choice(ENDS), text=text, delivered=bool(text) and mode == "handed_out")
        fault: Outcome = self.dice.choice(FAULTS)
        return fault

    def dated(self, outcome: Outcome, now: float) -> Outcome:
        """Tell when an answer came, by a wall clock that jumps."""
        off = sum(by for begin, by in self.world.jumps if begin <= now)
        if off and isinstance(outcome, (Responded, Streamed)):
            return msgspec.structs.replace(outcome, at=outcome.at + off)
        return outcome


def streamed(end: Any, *, text: str = "yes", delivered: bool = False) -> Streamed:
    """Tell of a stream that ended so, with so much text."""
    said = [Choice(index=0, finish_reason="stop", message=ResponseMessage(role="assistant", content=text))]
    answer = msgspec.structs.replace(ANSWER, choices=said if text else None)
    return Streamed(200, end, answer, {}, EPOCH, delivered=delivered, received=len(text))


MOST = 20_000
"""Steps after which a world should have ended."""

Virtual = VirtualWorld[ChatCompletionResponse]


def played(world: World) -> Virtual:
    """Let a world happen, to its end or for `MOST` steps."""
    virtual: Virtual = VirtualWorld(
        Hostile(world, random.Random(f"{world.seed} at work")),
        iter(random.Random(f"{world.seed} decides").random, 1.0),
        standard(limits_of(world.config)),
        money_of(world.config),
        world.together,
        standing=world.standing,
    )
    virtual.plan(
        [(call.at, job_of(world, call)) for call in world.calls],
        {number: call.leaves for number, call in enumerate(world.calls) if call.leaves is not None},
    )
    steps = 0
    while virtual.agenda and steps < MOST:
        virtual.advance()
        steps += 1
    return virtual
