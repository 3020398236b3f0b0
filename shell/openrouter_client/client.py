"""The client: what users hold. It puts the core's decisions and the shell's effects together and adds none."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import aiohttp
from returns.result import Failure, Result

from openrouter_client.calls import CallOptions
from openrouter_client.environment import config_from_environment
from openrouter_client.groups import Groups
from openrouter_client.making import calls_of
from openrouter_client.observe import Observe
from openrouter_core.admission import Stats
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError
from openrouter_core.fallback import Fallback
from openrouter_core.policy import Policy, checked_deadline, until, with_deadline
from openrouter_core.unshared import Unshared
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

if TYPE_CHECKING:  # what only streams, typed answers, tools and hedged calls need is imported by them
    from openrouter_client.streaming import ChatStream
    from openrouter_client.tools import ToolLike
    from openrouter_core.hedge import Hedge
    from openrouter_core.tool_loop import ToolRun
    from openrouter_core.typed import Parsed
    from openrouter_core.wire.chunk import ChatCompletionChunk

T = TypeVar("T")


class OpenRouterClient(Unshared, Groups):
    """An async client of the OpenRouter API. Make one with `new` or `from_env`, and use it as `async with client:`.

    Every call returns a `Result`: `Success` with the answer or `Failure` with a `DataSourceError`; none raises. One
    client serves any number of concurrent calls on one event loop, over one pool of connections.
    """

    @classmethod
    def new(
        cls,
        config: OpenRouterConfig,
        *,
        session: aiohttp.ClientSession | None = None,
        observe: Observe | None = None,
        policy: Policy | None = None,
        tls: ssl.SSLContext | None = None,
        hedge: Hedge | None = None,
    ) -> Result[OpenRouterClient, DataSourceError]:
        """Make a client, or say what is wrong with its settings. Nothing is connected yet, no loop is needed.

        `session` is your own aiohttp session; its connector, proxy and TLS settings then apply, and it is not closed.
        `observe` is called with every `Moment` of every call; it is a plain function, for nobody would await a
        coroutine; or an `Observer`, such as `openrouter_client.otel.Telemetry`. `policy` replaces the one that `config`
        describes. `tls` is a context for https. With `hedge` a second copy of a slow call is sent, and the first good
        answer wins (not for `stream_chat_completion`). An empty or malformed key is an `AuthError`; any other setting
        that does not fit is an `InvalidRequest` that names it.
        """
        return calls_of(config, session=session, observe=observe, policy=policy, tls=tls, hedge=hedge).map(cls)

    @classmethod
    def from_env(cls, **overrides: Any) -> Result[OpenRouterClient, DataSourceError]:
        """Make a client from OPENROUTER_API_KEY, OPENROUTER_BASE_URL and the like; keyword arguments win.

        Every field of `OpenRouterConfig` has its variable: OPENROUTER_ and the field's name in capitals.
        """
        return config_from_environment(overrides).bind(cls.new)

    @property
    def config(self) -> OpenRouterConfig:
        """The settings that this client was made with."""
        return self._calls.config

    def stats(self) -> Stats:
        """Tell how the client's calls stand: alive, waiting, in flight, refused, held, spent, and the quotas found.

        To be called on the client's event loop, once a call has been made or is under way.
        """
        return self._calls.line.stats()

    async def chat_completion(
        self,
        request: ChatCompletionRequest,
        *,
        deadline_secs: float | None = None,
        max_cost_usd: float | None = None,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
        streamed: bool = False,
    ) -> Result[ChatCompletionResponse, DataSourceError]:
        """Ask a model, and give its answer, whole and free of errors, or say why there is none.

        `deadline_secs` bounds this call, queueing, attempts and waits together, in seconds; the earlier of it and the
        config's counts. Retries follow the client's policy. Cancelling the task drops the connection at once.

        `max_cost_usd` bounds what all attempts of this call may cost, in USD: the worst case of the next one must fit,
        or the call is a `BudgetExceeded`. While calls wait in line, those with a lower `priority` go first. When the
        call would fail, `fallbacks` say which model to ask instead, after which errors.

        With `streamed` the answer is taken over a stream and given whole: a stall is noticed by `idle_timeout_secs`
        instead of a long timeout, and cancelling stops the bill where the provider supports it.
        """
        options = CallOptions(
            deadline_secs=deadline_secs, max_cost_usd=max_cost_usd, priority=priority, fallbacks=fallbacks
        )
        return await self._calls.complete(request, options, streamed=streamed)

    async def load_prices(self) -> Result[int, DataSourceError]:
        """Load OpenRouter's price list, from which worst cases are computed; tell how many models it names.

        Calls with a budget load it by themselves, once; call this again when prices may have changed.
        """
        return await self._calls.load_prices()

    @overload
    async def chat_completion_as(
        self,
        wanted: type[T],
        request: ChatCompletionRequest,
        *,
        repair: int = 0,
        deadline_secs: float | None = None,
        max_cost_usd: float | None = None,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
        streamed: bool = False,
    ) -> Result[Parsed[T], DataSourceError]: ...
    @overload
    async def chat_completion_as(
        self,
        wanted: Any,
        request: ChatCompletionRequest,
        *,
        repair: int = 0,
        deadline_secs: float | None = None,
        max_cost_usd: float | None = None,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
        streamed: bool = False,
    ) -> Result[Parsed[Any], DataSourceError]: ...
    async def chat_completion_as(
        self,
        wanted: Any,
        request: ChatCompletionRequest,
        *,
        repair: int = 0,
        deadline_secs: float | None = None,
        max_cost_usd: float | None = None,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
        streamed: bool = False,
    ) -> Result[Parsed[Any], DataSourceError]:
        """Ask a model for a value of a type, and give it, checked, with the response that it was read from.

        `wanted` is any type that msgspec can describe (Structs, dataclasses, TypedDicts, unions, Literals, Annotated
        with Meta, lists, enums...), or a pydantic model. Its JSON schema is sent as `response_format`. Code fences and
        text around the JSON are tolerated. An answer that does not fit is asked for again at most `repair` times, with
        what was wrong; after that it is a `ParseError` with the path that was wrong and the text. `deadline_secs`, in
        seconds, and `max_cost_usd` bound all of that together; the other options are those of `chat_completion`. (Type
        checkers see `Parsed[Any]` for what is no class: unions, Literals.)
        """
        options = CallOptions(
            deadline_secs=deadline_secs,
            max_cost_usd=max_cost_usd,
            priority=priority,
            fallbacks=fallbacks,
            began=self._calls.world.now(),
        )

        async def complete(asked: ChatCompletionRequest) -> Result[ChatCompletionResponse, DataSourceError]:
            nonlocal options
            answer = await self._calls.complete(asked, options, streamed=streamed)
            options = answer.map(lambda paid: options.after(paid.cost)).value_or(options)
            return answer

        from openrouter_client.tools import run_question  # noqa: PLC0415 - with all that describes types
        from openrouter_core.question import ask  # noqa: PLC0415 - the same

        question = ask(wanted, request, repair)
        return question if isinstance(question, Failure) else await run_question(question.unwrap(), complete)

    async def run_tools(
        self,
        request: ChatCompletionRequest,
        tools: Sequence[ToolLike],
        *,
        max_turns: int = 10,
        max_cost_usd: float | None = None,
        deadline_secs: float | None = None,
        tool_timeout_secs: float = 60.0,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
        streamed: bool = False,
        on_chunk: Callable[[ChatCompletionChunk], object] | None = None,
    ) -> Result[ToolRun, DataSourceError]:
        """Let a model call functions until it answers, and give the whole conversation with its usage and cost.

        `tools` are `Tool`s or plain functions, sync or async; those of one turn run at the same time, each for at most
        `tool_timeout_secs`. Bad arguments, unknown tools and exceptions are told to the model, not raised. The loop
        ends on an answer, after `max_turns` answers, once `max_cost_usd` is spent, or at `deadline_secs` for all of it
        together; `ToolRun.reason` says which. A call of the model that fails ends it with that error, after the first
        turn as a `ToolLoopFailed` that carries what was said and spent.

        With `streamed` answers are taken over streams. With `on_chunk` they are also handed out as they come, to a
        function or coroutine function; a stream that breaks off after its first content is then not retried. What
        `on_chunk` raises goes up to the caller, and drops the connection.
        """
        calls, began = self._calls, self._calls.world.now()
        options = CallOptions(deadline_secs=deadline_secs, priority=priority, fallbacks=fallbacks, began=began)

        async def complete(asked: ChatCompletionRequest) -> Result[ChatCompletionResponse, DataSourceError]:
            if on_chunk is None:
                return await calls.complete(asked, options, streamed=streamed)
            from openrouter_client.streaming import watched  # noqa: PLC0415 - with all that only streams need

            return await watched(calls.stream(asked, options, "watched"), on_chunk)

        deadline = checked_deadline(deadline_secs).map(lambda secs: until(with_deadline(calls.policy, secs), began))
        if isinstance(deadline, Failure):
            return deadline
        from openrouter_client.tools import begun, run_loop  # noqa: PLC0415 - with all that describes functions
        from openrouter_core.tool_loop import LoopLimits  # noqa: PLC0415 - the same

        limits = LoopLimits(max_turns=max_turns, max_cost=max_cost_usd, deadline=deadline.unwrap())
        loop = begun(request, tools, limits, tool_timeout_secs, began)
        if isinstance(loop, Failure):
            return loop
        return await run_loop(loop.unwrap(), complete, calls.world.now, tool_timeout_secs)

    def stream_chat_completion(
        self,
        request: ChatCompletionRequest,
        *,
        deadline_secs: float | None = None,
        max_cost_usd: float | None = None,
        priority: int = 0,
        fallbacks: Sequence[Fallback] = (),
    ) -> ChatStream:
        """Ask a model, and give its answer chunk by chunk: `async with ... as stream: async for chunk in stream`.

        After the last chunk `stream.result` is what `chat_completion` would have returned. It fails, with what had
        arrived in `partial`, for an error in the stream, a stream that ends before its finish_reason, a chunk that is
        malformed, or a clock that runs out (`first_event_timeout_secs`, `idle_timeout_secs`, `timeout_secs`). Failures
        before the first content are retried by the client's policy, later ones never, and no fallback is tried after
        them. `deadline_secs` bounds the wait for the first event, in seconds; the other options are those of
        `chat_completion`.
        """
        options = CallOptions(
            deadline_secs=deadline_secs, max_cost_usd=max_cost_usd, priority=priority, fallbacks=fallbacks
        )
        return self._calls.stream(request, options, "handed_out")

    async def close(self) -> None:
        """Close the connections. May be called twice; calls that are under way fail."""
        await self._calls.transport.close()
        self._calls.line.close()
        await self._calls.line.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"OpenRouterClient({self._calls.config!r})"
