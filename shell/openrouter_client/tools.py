"""Running what takes several calls: the effects of `openrouter_core.question` and `tool_loop`, which decide.

Tools of one turn run concurrently: coroutine functions as tasks, plain ones in threads. What goes wrong with a tool is
told to the model; what goes wrong with a call of the model ends the loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeAlias, TypeVar, assert_never, cast

from returns.result import Failure, Result, Success

from openrouter_core.errors import DataSourceError, InvalidRequest, ToolLoopFailed, known, replaced
from openrouter_core.question import Question, read
from openrouter_core.refuse import refuse
from openrouter_core.tool import Tool, content_of, error_content, shown
from openrouter_core.tool_loop import (
    Ask,
    Execute,
    Finished,
    LoopLimits,
    Progress,
    ToolOutcome,
    ToolRun,
    ToolUse,
    answered,
    begin,
    bounded,
    executed,
)
from openrouter_core.typed import Parsed
from openrouter_core.validate import check, is_request
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")

ToolLike: TypeAlias = Tool | Result[Tool, InvalidRequest] | Callable[..., Any]
"""A tool, what `Tool.from_function` gave, or the function itself."""

Complete: TypeAlias = Callable[[ChatCompletionRequest], Awaitable[Result[ChatCompletionResponse, DataSourceError]]]


def tool_of(tool: ToolLike) -> Result[Tool, InvalidRequest]:
    """Describe a tool, if that has not been done."""
    if isinstance(tool, Tool):
        return Success(tool)
    made: Any = tool
    return made if isinstance(tool, Result) else Tool.from_function(tool)


def described(tools: Sequence[ToolLike]) -> Result[tuple[Tool, ...], DataSourceError]:
    """Describe all tools, or say which of them cannot be."""
    if not is_list(tools):
        return Failure(refuse("tools", "must be a list of tools", tools))
    ready: list[Tool] = []
    for place, tool in enumerate(tools):
        made = tool_of(tool)
        if isinstance(made, Failure):
            wrong = made.failure()
            return Failure(replaced(wrong, message=f"tools[{place}]: {wrong.message}", field=f"tools[{place}]"))
        ready.append(made.unwrap())
    names = [tool.name for tool in ready]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return Failure(refuse("tools", f"must have names of their own: {twice!r} is there twice"))
    return Success(tuple(ready))


def is_list(value: object) -> bool:
    """Tell a list from what callers without type checkers may pass, a single function for example."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def begun(
    request: ChatCompletionRequest, tools: Sequence[ToolLike], limits: LoopLimits, timeout_secs: float, now: float
) -> Result[Ask | Finished, DataSourceError]:
    """Begin a tool loop, or say what is wrong with its tools or limits."""
    if not is_request(request):
        return Failure(refuse("request", "must be a ChatCompletionRequest", request))
    ready, good, sound = described(tools), bounded(limits, timeout_secs), check(request, stream=True)
    if isinstance(ready, Failure):
        return ready
    if isinstance(good, Failure):
        return good
    if isinstance(sound, InvalidRequest):
        return Failure(sound)
    return Success(begin(request, ready.unwrap(), limits, now))


async def run_question(question: Question[T], complete: Complete) -> Result[Parsed[T], DataSourceError]:
    """Ask for a typed answer until there is one, or an end of it."""
    step: Question[T] | Parsed[T] = question
    while isinstance(step, Question):
        answer = await complete(step.request)
        if isinstance(answer, Failure):
            return answer
        got = read(step, answer.unwrap())
        if isinstance(got, Failure):
            return got
        step = got.unwrap()
    return Success(step)


async def run_loop(
    state: Ask | Finished, complete: Complete, now: Callable[[], float], timeout_secs: float
) -> Result[ToolRun, DataSourceError]:
    """Run a tool loop to its end."""
    step: Ask | Execute | Finished = state
    while True:
        match step:
            case Ask(progress, request):
                answer = await complete(request)
                if isinstance(answer, Failure):
                    return Failure(failed(answer.failure(), progress))
                step = answered(step, answer.unwrap(), now())
            case Execute():
                deadline = step.progress.limits.deadline
                left = timeout_secs if deadline is None else min(timeout_secs, deadline - now())
                outcomes = await asyncio.gather(*(carried_out(use, max(0.0, left)) for use in step.calls))
                step = executed(step, outcomes, now())
            case Finished(run):
                return Success(run)
            case _:
                assert_never(step)


def failed(error: DataSourceError, progress: Progress) -> DataSourceError:
    """Make the error of a loop: after the first turn it carries what was said and spent."""
    if progress.turns == 0:
        return error
    failure = ToolLoopFailed(
        message=f"turn {progress.turns + 1} of the tool loop failed: {error.message}",
        cause=known(error),
        messages=progress.messages,
        turns=progress.turns,
        cost=progress.usage.cost if progress.usage is not None else None,
    )
    return replaced(failure, attempts=error.attempts, status=error.status, generation_id=error.generation_id)


async def carried_out(use: ToolUse, timeout_secs: float) -> ToolOutcome:
    """Run one call of a tool; whatever it raises, or its taking too long, becomes its outcome."""
    limit = asyncio.timeout(timeout_secs)
    try:
        async with limit:
            value = await called(use)
    except TimeoutError as error:
        value = Failure(f"the tool took longer than {timeout_secs:g} s" if limit.expired() else told(error))
    except asyncio.CancelledError as error:
        if cast("asyncio.Task[Any]", asyncio.current_task()).cancelling():
            raise
        value = Failure(told(error))  # the tool's own: something that it waited for was cancelled
    except Exception as error:  # noqa: BLE001 - a tool may raise anything; the model is told
        value = Failure(told(error))
    if isinstance(value, Failure):
        return ToolOutcome(use.id, error_content(value.failure()), failed=True)
    return ToolOutcome(use.id, content_of(value.unwrap()))


def told(error: BaseException) -> str:
    """Say in a line what a tool raised."""
    return f"{type(error).__name__}: {shown(error)}"


async def called(use: ToolUse) -> Result[Any, str]:
    """Call a tool's function: a coroutine function here, any other in a thread, so that it holds nobody up."""
    if inspect.iscoroutinefunction(use.tool.function):
        return Success(await use.tool.function(**use.arguments))
    result = await in_thread(lambda: use.tool.function(**use.arguments))
    value = result.value_or(None)
    return Success(await value) if inspect.isawaitable(value) else result


async def in_thread(function: Callable[[], Any]) -> Result[Any, str]:
    """Call a function in a thread of its own. One that is given up goes on in there, but keeps nobody from ending.

    Not in the event loop's pool of threads: a few functions that hang would fill it, and names are looked up in there.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Result[Any, str]] = loop.create_future()

    def end(result: Result[Any, str]) -> None:
        if not ended.done():
            ended.set_result(result)

    def work() -> None:
        result: Result[Any, str]
        try:
            result = Success(function())
        except BaseException as error:  # noqa: BLE001 - SystemExit too, which ends no more than a thread here
            result = Failure(told(error))
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(end, result)

    Thread(target=copy_context().run, args=(work,), daemon=True).start()
    return await ended
