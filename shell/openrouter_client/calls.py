"""From a request and its options to a call that runs: what the client's methods have in common."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.interpreter import run, run_stream
from openrouter_client.line import Line
from openrouter_client.observe import CallWatcher, Hook, Observe, Observer, apart, observed
from openrouter_client.records import tell_replaced, tell_unpriced
from openrouter_client.transport import Transport
from openrouter_client.world import RealWorld
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.build import BuildSettings, Built, built_chat
from openrouter_core.config import OpenRouterConfig
from openrouter_core.endpoint import Headers, HttpRequest, Key
from openrouter_core.errors import AuthError, ConnectError, DataSourceError
from openrouter_core.evidence import asked
from openrouter_core.fallback import Fallback, by_server, checked_fallbacks
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import Ask
from openrouter_core.policy import Policy, checked_deadline, checked_options, with_deadline
from openrouter_core.states import Alternative, Job, Mode
from openrouter_core.unshared import Unshared
from openrouter_core.validate import is_request
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

if TYPE_CHECKING:  # only streams, hedged calls and those with a budget need it
    from openrouter_client.hedging import Hedging
    from openrouter_client.streaming import ChatStream, Handle
    from openrouter_core.prices import Prices
    from openrouter_core.wire.chunk import ChatCompletionChunk

T = TypeVar("T")

Answer = Result[ChatCompletionResponse, DataSourceError]


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What one call may say for itself: see the parameters of `OpenRouterClient.chat_completion`.

    Its deadline counts from `began` on the loop's clock, or from when it is begun.
    """

    deadline_secs: float | None = None
    max_cost_usd: float | None = None
    priority: int = 0
    fallbacks: Sequence[Fallback] = ()
    began: float | None = None

    def after(self, cost: float | None) -> CallOptions:
        """Give the options of a call that shares this one's budget, once this has cost so much (USD); None: all."""
        if self.max_cost_usd is None:
            return self
        left = 0.0 if cost is None else max(0.0, self.max_cost_usd - cost)
        return msgspec.structs.replace(self, max_cost_usd=left)


NO_OPTIONS = CallOptions()


class Calls(Unshared):
    """Makes calls and runs them, in one world and one line. The client that users hold stands in front of it."""

    def __init__(
        self,
        config: OpenRouterConfig,
        transport: Transport,
        headers: Headers,
        policy: Policy,
        line: Line,
        *,
        observe: Observe | None = None,
        hedging: Hedging | None = None,
    ) -> None:
        self.config: OpenRouterConfig = config
        self.transport: Transport = transport
        self.policy: Policy = policy
        self.line: Line = line
        self.world: RealWorld = RealWorld(transport, line)
        self.hook: Hook | None
        self.observer: Observer | None
        self.hook, self.observer = apart(observe)
        self.hedging: Hedging | None = hedging
        self.settings: BuildSettings = BuildSettings(
            url=config.base_url + CHAT_COMPLETIONS.path,
            default_model=config.default_model,
            resolve_retired=config.resolve_retired_models,
            headers=headers,
            safe_retries=config.safe_retries,
        )
        if self.observer is not None:
            self.observer.attached(config, line.stats)
        self.prices: Prices | None = None
        self.pricing: asyncio.Lock = asyncio.Lock()
        self.numbers: itertools.count[int] = itertools.count()
        self.told: set[str] = set()

    async def complete(self, request: ChatCompletionRequest, options: CallOptions, *, streamed: bool = False) -> Answer:
        """Run a chat completion call to its end, hedged where that was asked for."""
        if self.budgeted(options):
            await self.priced()
        job = self.chat_job(request, options, "collected" if streamed else "whole")
        if not isinstance(job, Job):
            return Failure(job)
        if self.hedging is not None:
            return await self.hedged(self.hedging, job, options)
        return await run(self.world, *self.watched(job), options.began)

    async def hedged(self, hedging: Hedging, job: Job[ChatCompletionResponse], options: CallOptions) -> Answer:
        """Run a call, and copies of it when it takes long."""
        return await hedging.run(lambda: self.copy(job, options), job.ask.worst)

    async def copy(self, job: Job[ChatCompletionResponse], options: CallOptions) -> Answer:
        """Run one copy of a call, with a place in line of its own."""
        own = msgspec.structs.replace(job, place=self.place(job.place.priority))
        return await run(self.world, *self.watched(own), options.began)

    def stream(self, request: ChatCompletionRequest, options: CallOptions, mode: Mode) -> ChatStream:
        """Prepare a stream; nothing is sent before it is first asked for a chunk."""
        from openrouter_client.streaming import ChatStream, Handle  # noqa: PLC0415 - only streams need it

        handle: Handle[ChatCompletionResponse] = Handle()
        return ChatStream(self.batches(request, options, mode, handle), handle)

    async def batches(
        self, request: ChatCompletionRequest, options: CallOptions, mode: Mode, handle: Handle[ChatCompletionResponse]
    ) -> AsyncGenerator[Sequence[ChatCompletionChunk], None]:
        """Run a streamed call; what stands in its way becomes its result."""
        if self.budgeted(options):
            await self.priced()
        job = self.chat_job(request, options, mode)
        if not isinstance(job, Job):
            handle.result = Failure(job)
            return
        async with aclosing(run_stream(self.world, *self.watched(job), handle, options.began)) as batches:
            async for chunks in batches:
                yield chunks

    def chat_job(
        self, request: ChatCompletionRequest, options: CallOptions, mode: Mode
    ) -> Job[ChatCompletionResponse] | DataSourceError:
        """Make a chat completion call, if its request is good and the client can be used here and now."""
        barred = self.barred("inference")
        if barred is not None:
            return barred
        policy = self.policy if options == NO_OPTIONS else self.policy_for(options)
        if not isinstance(policy, Policy):
            return policy
        asking = falling_back(request, options.fallbacks) if options.fallbacks else request
        built = built_chat(asking, self.settings, stream=mode != "whole")
        if not isinstance(built, Built):
            return built
        others = self.alternatives(request, options, mode) if options.fallbacks else ()
        if not isinstance(others, tuple):
            return others
        return Job(
            CHAT_COMPLETIONS,
            self.sent(built),
            policy,
            mode,
            self.ask(asking, built, options),
            self.place(options.priority),
            options.max_cost_usd,
            others,
        )

    def policy_for(self, options: CallOptions) -> Policy | DataSourceError:
        """Give the policy of a call with these options, if they make sense."""
        for given in (checked_options(options.priority, options.max_cost_usd), checked_fallbacks(options.fallbacks)):
            if isinstance(given, Failure):
                return error_of(given)
        deadline = checked_deadline(options.deadline_secs)
        return error_of(deadline) if isinstance(deadline, Failure) else with_deadline(self.policy, deadline.unwrap())

    def alternatives(
        self, request: ChatCompletionRequest, options: CallOptions, mode: Mode
    ) -> tuple[Alternative, ...] | DataSourceError:
        """Build the requests to the models that the client itself falls back to."""
        made: list[Alternative] = []
        for one in options.fallbacks[len(by_server(options.fallbacks)) :]:
            asking = msgspec.structs.replace(request, model=one.model, models=None)
            built = built_chat(asking, self.settings, stream=mode != "whole")
            if not isinstance(built, Built):
                return built
            ask = self.ask(asking, built, options)
            made.append(Alternative(one.after, self.sent(built), one.model, ask))
        return tuple(made)

    def sent(self, built: Built) -> HttpRequest:
        """Make what is sent; a model that was replaced is told of once."""
        if built.replaced:
            tell_replaced(built.replaced, self.told)
        return HttpRequest("POST", self.settings.url, built.headers, built.body)

    def ask(self, request: ChatCompletionRequest, built: Built, options: CallOptions) -> Ask:
        """Tell what an attempt uses; its worst case in USD only where somebody counts it."""
        worst = self.worst(built.body, counted=self.budgeted(options) or self.hedging is not None)
        return asked(built.model, built.body, request.max_completion_tokens or request.max_tokens, worst)

    def worst(self, body: bytes, *, counted: bool) -> float | None:
        """Tell what a request can cost at most, in USD: what is assumed, unless it is counted and the list tells."""
        known: float | None = None
        if counted and self.prices:
            from openrouter_core.prices import worst_case  # noqa: PLC0415 - only budgets need it

            known = worst_case(body, self.prices)
        return self.config.assumed_cost_usd if known is None else known

    def barred(self, key: Key) -> DataSourceError | None:
        """Say why no call with this key can be made here and now, if none can."""
        flaw = self.transport.flaw()
        if flaw:
            return ConnectError(message=flaw, kind="closed")
        if key == "none" or (self.config.management_key if key == "management" else self.config.api_key):
            return None
        return AuthError(message=f"this call wants the {key} key, and none is set", key=key)

    def budgeted(self, options: CallOptions) -> bool:
        """Tell whether money is counted for a call."""
        return options.max_cost_usd is not None or self.config.max_cost_usd is not None

    async def priced(self) -> None:
        """Load the price list, unless it is there; without one, costs stay unknown, and the log says so."""
        async with self.pricing:
            if self.prices is None:
                loaded = await self.load_prices()
                if isinstance(loaded, Failure):
                    tell_unpriced(loaded.failure())

    async def load_prices(self) -> Result[int, DataSourceError]:
        """Load the price list; tell how many models it names."""
        from openrouter_core.prices import CATALOGUE, prices_in  # noqa: PLC0415 - only budgets need it

        barred = self.barred("none")
        if barred is not None:
            return Failure(barred)
        key: Key = "inference" if self.config.api_key else "none"  # the list is public
        http = HttpRequest("GET", self.config.base_url + CATALOGUE.path, self.settings.headers, key=key)
        job = Job(CATALOGUE, http, self.policy, place=self.place(0), ask=Ask(worst=0.0))
        listed = await run(self.world, *self.watched(job))
        if isinstance(listed, Success):
            self.prices = prices_in(listed.unwrap())
        return listed.map(lambda catalogue: len(catalogue.data))

    def place(self, priority: int) -> Place:
        """Give the next place in line of a priority."""
        return Place(priority, next(self.numbers))

    def watched(self, job: Job[T]) -> tuple[Job[T], CallWatcher]:
        """Give a call as its observer wants it sent, and who watches it: its place's number is its own."""
        watcher = CallWatcher(job.place.number, self.hook, content=self.config.log_content)
        return (job, watcher) if self.observer is None else observed(self.observer, job, watcher)


def error_of(failed: Failure[DataSourceError]) -> DataSourceError:
    """Take the error out of a failure."""
    return failed.failure()


def falling_back(request: ChatCompletionRequest, fallbacks: Sequence[Fallback]) -> ChatCompletionRequest:
    """Name the models in the request that OpenRouter itself may go on to."""
    others = by_server(fallbacks) if is_request(request) else ()
    return msgspec.structs.replace(request, models=(*(request.models or ()), *others)) if others else request
