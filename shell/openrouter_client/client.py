"""The client: what users hold. It puts the core's decisions and the shell's effects together and adds none."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import aiohttp
from returns.result import Failure, Result, Success

from openrouter_client.bringing import called, trusting, usable
from openrouter_client.environment import config_from_environment
from openrouter_client.interpreter import run, run_stream
from openrouter_client.line import Line
from openrouter_client.observe import CallWatcher, Hook, tell_replaced
from openrouter_client.shared import line_of
from openrouter_client.streaming import ChatStream, Handle, watched
from openrouter_client.tools import ToolLike, begun, run_loop, run_question
from openrouter_client.transport import Transport
from openrouter_client.world import RealWorld
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.build import BuildSettings, build_chat
from openrouter_core.config import OpenRouterConfig, checked
from openrouter_core.endpoint import HttpRequest
from openrouter_core.errors import ConnectError, DataSourceError
from openrouter_core.evidence import asked
from openrouter_core.headers import app_headers
from openrouter_core.limit.queue import Place
from openrouter_core.policy import Policy, checked_deadline, policy_of, until, with_deadline
from openrouter_core.question import ask
from openrouter_core.states import Job, Mode
from openrouter_core.tool_loop import LoopLimits, ToolRun
from openrouter_core.typed import Parsed
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")


class OpenRouterClient:
    """An async client of the OpenRouter API. Make one with `new` or `from_env`, and use it as `async with client:`.

    Every call returns a `Result`: `Success` with the answer or `Failure` with a `DataSourceError`; none raises. One
    client serves any number of concurrent calls on one event loop, over one pool of connections.
    """

    def __init__(
        self,
        config: OpenRouterConfig,
        transport: Transport,
        headers: tuple[tuple[str, str], ...],
        policy: Policy,
        hook: Hook | None,
        *,
        line: Line,
    ) -> None:
        """Not for users: `new` checks what this takes for granted."""
        self._config = config
        self._transport = transport
        self._line = line
        self._world = RealWorld(transport, self._line)
        self._policy = policy
        self._hook = hook
        self._settings = BuildSettings(
            url=config.base_url + CHAT_COMPLETIONS.path,
            default_model=config.default_model,
            resolve_retired=config.resolve_retired_models,
            headers=headers,
            safe_retries=config.safe_retries,
        )
        self._numbers = itertools.count()
        self._told: set[str] = set()

    @classmethod
    def new(
        cls,
        config: OpenRouterConfig,
        *,
        session: aiohttp.ClientSession | None = None,
        observe: Hook | None = None,
        policy: Policy | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Result[OpenRouterClient, DataSourceError]:
        """Make a client, or say what is wrong with its settings. Nothing is connected yet, no loop is needed.

        `session` is your own aiohttp session; its connector, proxy and TLS settings then apply, and it is not closed.
        `observe` is called with every `Moment` of every call; it is a plain function, for nobody would await a
        coroutine. `policy` replaces the one that `config` describes. `tls` is a context for https. An empty or
        malformed key is an `AuthError`; any other setting that does not fit is an `InvalidRequest` that names it.
        """
        good = checked(config)
        if isinstance(good, Failure):
            return good
        config = good.unwrap()
        headers = app_headers(config.app_url, config.app_title, config.app_categories)
        context = trusting(config, tls)
        brought = usable(session)
        hook = called(observe)
        line = line_of(config)
        for given in (headers, context, brought, hook, line):
            if isinstance(given, Failure):
                return given
        transport = Transport(config, brought.unwrap(), context.unwrap())
        chosen = policy or policy_of(config)
        return Success(cls(config, transport, headers.unwrap(), chosen, hook.unwrap(), line=line.unwrap()))

    @classmethod
    def from_env(cls, **overrides: Any) -> Result[OpenRouterClient, DataSourceError]:
        """Make a client from OPENROUTER_API_KEY, OPENROUTER_BASE_URL and the like; keyword arguments win.

        Every field of `OpenRouterConfig` has its variable: OPENROUTER_ and the field's name in capitals.
        """
        return config_from_environment(overrides).bind(cls.new)

    @property
    def config(self) -> OpenRouterConfig:
        """The settings that this client was made with."""
        return self._config

    async def chat_completion(
        self, request: ChatCompletionRequest, *, deadline_secs: float | None = None, streamed: bool = False
    ) -> Result[ChatCompletionResponse, DataSourceError]:
        """Ask a model, and give its answer, whole and free of errors, or say why there is none.

        `deadline_secs` bounds this call, queueing, attempts and waits together, in seconds; the earlier of it and the
        config's counts. Retries follow the client's policy. Cancelling the task drops the connection at once.

        With `streamed` the answer is taken over a stream and given whole: a stall is noticed by `idle_timeout_secs`
        instead of a long timeout, and cancelling stops the bill where the provider supports it.
        """
        return await self._complete(request, deadline_secs, streamed=streamed)

    async def _complete(
        self,
        request: ChatCompletionRequest,
        deadline_secs: float | None,
        *,
        streamed: bool,
        began: float | None = None,
    ) -> Result[ChatCompletionResponse, DataSourceError]:
        """Run a chat completion call; its deadline counts from `began`, or from now."""
        number = next(self._numbers)
        job = self._chat_job(request, deadline_secs, "collected" if streamed else "whole", number)
        return job if isinstance(job, Failure) else await run(self._world, job.unwrap(), self._watcher(number), began)

    @overload
    async def chat_completion_as(
        self,
        wanted: type[T],
        request: ChatCompletionRequest,
        *,
        repair: int = 0,
        deadline_secs: float | None = None,
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
        streamed: bool = False,
    ) -> Result[Parsed[Any], DataSourceError]: ...
    async def chat_completion_as(
        self,
        wanted: Any,
        request: ChatCompletionRequest,
        *,
        repair: int = 0,
        deadline_secs: float | None = None,
        streamed: bool = False,
    ) -> Result[Parsed[Any], DataSourceError]:
        """Ask a model for a value of a type, and give it, checked, with the response that it was read from.

        `wanted` is any type that msgspec can describe (Structs, dataclasses, TypedDicts, unions, Literals, Annotated
        with Meta, lists, enums...), or a pydantic model. Its JSON schema is sent as `response_format`. Code fences and
        text around the JSON are tolerated. An answer that does not fit is asked for again at most `repair` times, with
        what was wrong; after that it is a `ParseError` with the path that was wrong and the text. `deadline_secs`, in
        seconds, bounds all of that together. (Type checkers see `Parsed[Any]` for what is no class: unions, Literals.)
        """
        began = self._world.now()

        async def complete(asked: ChatCompletionRequest) -> Result[ChatCompletionResponse, DataSourceError]:
            return await self._complete(asked, deadline_secs, streamed=streamed, began=began)

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
        began = self._world.now()

        async def complete(asked: ChatCompletionRequest) -> Result[ChatCompletionResponse, DataSourceError]:
            if on_chunk is None:
                return await self._complete(asked, deadline_secs, streamed=streamed, began=began)
            return await watched(self._stream(asked, deadline_secs, "watched", began), on_chunk)

        deadline = checked_deadline(deadline_secs).map(lambda secs: until(with_deadline(self._policy, secs), began))
        if isinstance(deadline, Failure):
            return deadline
        limits = LoopLimits(max_turns=max_turns, max_cost=max_cost_usd, deadline=deadline.unwrap())
        loop = begun(request, tools, limits, tool_timeout_secs, began)
        if isinstance(loop, Failure):
            return loop
        return await run_loop(loop.unwrap(), complete, self._world.now, tool_timeout_secs)

    def stream_chat_completion(
        self, request: ChatCompletionRequest, *, deadline_secs: float | None = None
    ) -> ChatStream:
        """Ask a model, and give its answer chunk by chunk: `async with ... as stream: async for chunk in stream`.

        After the last chunk `stream.result` is what `chat_completion` would have returned. It fails, with what had
        arrived in `partial`, for an error in the stream, a stream that ends before its finish_reason, a chunk that is
        malformed, or a clock that runs out (`first_event_timeout_secs`, `idle_timeout_secs`, `timeout_secs`). Failures
        before the first content are retried by the client's policy, later ones never. `deadline_secs` bounds the wait
        for the first event, in seconds.
        """
        return self._stream(request, deadline_secs, "handed_out")

    def _stream(
        self, request: ChatCompletionRequest, deadline_secs: float | None, mode: Mode, began: float | None = None
    ) -> ChatStream:
        """Prepare a stream; its deadline counts from `began`, or from when it is first asked for a chunk."""
        handle: Handle[ChatCompletionResponse] = Handle()
        return ChatStream(self._batches(request, deadline_secs, mode, handle, began), handle)

    async def _batches(
        self,
        request: ChatCompletionRequest,
        deadline_secs: float | None,
        mode: Mode,
        handle: Handle[ChatCompletionResponse],
        began: float | None,
    ) -> AsyncGenerator[Sequence[ChatCompletionChunk], None]:
        """Run a streamed call; what stands in its way becomes its result."""
        number = next(self._numbers)
        job = self._chat_job(request, deadline_secs, mode, number)
        if isinstance(job, Failure):
            handle.result = job
            return
        async with aclosing(run_stream(self._world, job.unwrap(), self._watcher(number), handle, began)) as batches:
            async for chunks in batches:
                yield chunks

    def _chat_job(
        self, request: ChatCompletionRequest, deadline_secs: float | None, mode: Mode, number: int
    ) -> Result[Job[ChatCompletionResponse], DataSourceError]:
        """Make a chat completion call, if its request is good and the client can be used here and now."""
        flaw = self._transport.flaw()
        if flaw:
            return Failure(ConnectError(message=flaw, kind="closed"))
        deadline = checked_deadline(deadline_secs)
        built = build_chat(request, self._settings, stream=mode != "whole")
        if isinstance(deadline, Failure):
            return deadline
        if isinstance(built, Failure):
            return built
        ready = built.unwrap()
        tell_replaced(ready.replaced, self._told)
        http = HttpRequest("POST", self._settings.url, ready.headers, ready.body)
        policy = with_deadline(self._policy, deadline.unwrap())
        ask = asked(ready.model, ready.body, request.max_completion_tokens or request.max_tokens)
        return Success(Job(CHAT_COMPLETIONS, http, policy, mode, ask, Place(0, number)))

    def _watcher(self, number: int) -> CallWatcher:
        """Watch a call."""
        return CallWatcher(number, self._hook, content=self._config.log_content)

    async def close(self) -> None:
        """Close the connections. May be called twice; calls that are under way fail."""
        await self._transport.close()
        self._line.close()
        await self._line.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"OpenRouterClient({self._config!r})"
