"""The tool loop: ask the model, run what it calls, tell it the results, ask again. Decisions only.

A state is what the loop waits for:

    begin --> Ask --answered--> Execute --executed--> Ask --> ...
               |                   |
               +--> Finished <-----+

- ``Ask``: send ``request``, then give the answer to ``answered``. Successors: Ask (nothing to run: every call was
  wrong, and the model is told so), Execute, Finished.
- ``Execute``: run ``calls``, all at once if you like, then give their results to ``executed``. Successors: Ask,
  Finished.
- ``Finished``: the result. It ends on an answer without calls, after ``max_turns`` answers, on the cost or deadline
  limit; each answer is a turn, so it always ends.

What goes wrong with a tool (no such tool, bad arguments, an exception) is told to the model, not to the caller. The
model's messages are sent back as they came, so reasoning details stay whole and in order, as reasoning models demand
(OpenRouter docs, guides/best-practices/reasoning-tokens).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.retry_after import number
from openrouter_core.tool import Tool, error_content
from openrouter_core.wire.message import ChatMessage, ToolCall
from openrouter_core.wire.request import ChatCompletionRequest, MessageLike
from openrouter_core.wire.response import ChatCompletionResponse, ResponseMessage, Usage

Reason: TypeAlias = Literal["answer", "max_turns", "max_cost", "unknown_cost", "deadline"]


class LoopLimits(Struct, frozen=True, kw_only=True):
    """When to stop although the model wants more.

    ``max_turns`` counts answers of the model and is at least 1. ``max_cost`` is in USD, for all turns together: no turn
    begins once it is reached, nor after an answer of unknown cost. ``deadline`` is an instant in seconds on the clock
    of ``now``. None: no limit.
    """

    max_turns: int = 10
    max_cost: float | None = None
    deadline: float | None = None


class ToolUse(Struct, frozen=True):
    """A call to run: ``tool.function(**arguments)``, whose result answers the call ``id``."""

    id: str
    tool: Tool
    arguments: dict[str, Any]


class ToolOutcome(Struct, frozen=True):
    """What came of a call, as text for the model; ``failed`` where it raised or took too long."""

    id: str
    content: str
    failed: bool = False


class ToolRun(Struct, frozen=True, kw_only=True):
    """A finished loop. ``messages`` is the whole conversation, the request's own messages first.

    If it was stopped by a limit, the last message may hold calls that nobody answered. ``usage`` is summed over the
    turns; its ``cost`` is None if that of any turn was unknown.
    """

    reason: Reason
    response: ChatCompletionResponse | None
    messages: tuple[MessageLike, ...]
    usage: Usage | None
    turns: int
    outcomes: tuple[ToolOutcome, ...]

    @property
    def text(self) -> str:
        """The model's last word; "" if there was none."""
        return self.response.text if self.response else ""

    @property
    def cost(self) -> float | None:
        """The cost of all turns in USD; None where it is unknown."""
        return self.usage.cost if self.usage else None


class Progress(Struct, frozen=True, kw_only=True):
    """What every state carries along."""

    request: ChatCompletionRequest
    tools: tuple[Tool, ...]
    limits: LoopLimits
    messages: tuple[MessageLike, ...]
    response: ChatCompletionResponse | None = None
    usage: Usage | None = None
    turns: int = 0
    outcomes: tuple[ToolOutcome, ...] = ()


class Ask(Struct, frozen=True):
    """Waits for the model's answer to ``request``."""

    progress: Progress
    request: ChatCompletionRequest


class Execute(Struct, frozen=True):
    """Waits for the results of ``calls``. ``refused`` are those that were wrong, already answered."""

    progress: Progress
    calls: tuple[ToolUse, ...]
    order: tuple[str, ...]
    refused: tuple[ToolOutcome, ...] = ()


class Finished(Struct, frozen=True):
    """Waits for nothing."""

    run: ToolRun


def begin(request: ChatCompletionRequest, tools: Sequence[Tool], limits: LoopLimits, now: float) -> Ask | Finished:
    """Start a loop. The request's own tools, OpenRouter's server tools for example, stay beside these."""
    offered = [*(request.tools or ()), *(tool.definition() for tool in tools)]
    first = msgspec.structs.replace(request, tools=offered or None, prompt=None)
    return _asking(
        Progress(request=first, tools=tuple(tools), limits=limits, messages=tuple(request.conversation)), now
    )


def answered(state: Ask, response: ChatCompletionResponse, now: float) -> Ask | Execute | Finished:
    """Take the model's answer: run what it calls, or finish."""
    before = state.progress
    calls = _named(response.tool_calls, before.turns)
    said = (_said(response.message, calls),) if response.message else ()
    progress = msgspec.structs.replace(
        before,
        response=response,
        messages=(*before.messages, *said),
        usage=added(before.usage, response.usage, first=before.turns == 0),
        turns=before.turns + 1,
    )
    if not calls:
        return _finished(progress, "answer")
    stop = _stop(progress, now)
    if stop is not None:
        return _finished(progress, stop)
    planned = [_planned(call, {tool.name: tool for tool in before.tools}) for call in calls]
    execute = Execute(
        progress=progress,
        calls=tuple(one for one in planned if isinstance(one, ToolUse)),
        order=tuple(one.id for one in planned),
        refused=tuple(one for one in planned if isinstance(one, ToolOutcome)),
    )
    return execute if execute.calls else executed(execute, (), now)


def executed(state: Execute, outcomes: Sequence[ToolOutcome], now: float) -> Ask | Finished:
    """Take what the tools gave, in any order, and ask again. A call without an outcome counts as failed."""
    known = {outcome.id: outcome for outcome in (*state.refused, *outcomes)}
    missing = error_content("the tool gave no result")
    told = tuple(known.get(one) or ToolOutcome(id=one, content=missing, failed=True) for one in state.order)
    messages = tuple(ChatMessage.tool(outcome.content, tool_call_id=outcome.id) for outcome in told)
    before = state.progress
    return _asking(
        msgspec.structs.replace(before, messages=(*before.messages, *messages), outcomes=(*before.outcomes, *told)), now
    )


def _asking(progress: Progress, now: float) -> Ask | Finished:
    """The next question, unless a limit says no. A tool that had to be called once need not be called for ever."""
    stop = _stop(progress, now)
    if stop is not None:
        return _finished(progress, stop)
    choice = progress.request.tool_choice
    if progress.turns and choice not in ("auto", "none"):
        choice = None
    request = msgspec.structs.replace(progress.request, messages=progress.messages, tool_choice=choice)
    return Ask(progress=progress, request=request)


def _stop(progress: Progress, now: float) -> Reason | None:
    """The limit that forbids another turn, if any does."""
    limits = progress.limits
    cost = progress.usage.cost if progress.usage else None
    if progress.turns >= max(1, limits.max_turns):
        return "max_turns"
    if limits.deadline is not None and now >= limits.deadline:
        return "deadline"
    if limits.max_cost is None or progress.turns == 0:
        return None
    if cost is None:
        return "unknown_cost"
    return "max_cost" if cost >= limits.max_cost else None


def _finished(progress: Progress, reason: Reason) -> Finished:
    run = ToolRun(
        reason=reason,
        response=progress.response,
        messages=progress.messages,
        usage=progress.usage,
        turns=progress.turns,
        outcomes=progress.outcomes,
    )
    return Finished(run)


def _named(calls: Sequence[ToolCall], turn: int) -> list[ToolCall]:
    """The calls, each with an id of its own: results are matched by it."""
    given = [call.id for call in calls]
    free = (made for number in itertools.count() if (made := f"call_{turn}_{number}") not in given)
    return [
        call if call.id and call.id not in given[:i] else msgspec.structs.replace(call, id=next(free))
        for i, call in enumerate(calls)
    ]


def _said(message: ResponseMessage, calls: Sequence[ToolCall]) -> ChatMessage:
    """The model's message, to be sent back."""
    return msgspec.structs.replace(message.to_message(), tool_calls=[*calls] or None)


def _planned(call: ToolCall, tools: Mapping[str, Tool]) -> ToolUse | ToolOutcome:
    """What to do with a call: run it, or tell the model what is wrong with it."""
    call_id, function = str(call.id), call.function
    tool = tools.get(function.name) if function and function.name else None
    if function is None or tool is None:
        offered = ", ".join(sorted(tools)) or "none"
        problem = f"there is no tool {(function.name if function else None)!r}; the tools are: {offered}"
        return ToolOutcome(id=call_id, content=error_content(problem), failed=True)
    arguments = tool.arguments(function.arguments or "")
    if isinstance(arguments, Success):
        return ToolUse(id=call_id, tool=tool, arguments=arguments.unwrap())
    wrong = arguments.failure()
    problem = f"the arguments are wrong{f' at {wrong.path}' if wrong.path else ''}: {wrong.message}"
    return ToolOutcome(id=call_id, content=error_content(problem), failed=True)


def added(one: Usage | None, other: Usage | None, *, first: bool = False) -> Usage | None:
    """The usage of two turns together. Tokens that were not told count as none; an unknown cost stays unknown."""
    if first:
        return other
    known = one is not None and other is not None and one.cost is not None and other.cost is not None
    total: Usage | None = _sum(one, other)
    return total if total is None or known else msgspec.structs.replace(total, cost=None)


def _sum(one: Any, other: Any) -> Any:
    """Numbers added, structs member by member; where one is missing, the other."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, bool):
        return one or other
    if isinstance(one, Struct):
        return type(one)(**{name: _sum(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__})
    return one + other


def bounded(limits: LoopLimits, timeout_secs: float) -> Result[LoopLimits, InvalidRequest]:
    """Accept limits that make sense: at least one turn, no negative cost, some seconds for a tool."""
    turns, cost, secs = _real(limits.max_turns), _real(limits.max_cost), _real(timeout_secs)
    if turns is None or turns < 1:
        return Failure(refuse("max_turns", "must be a number, 1 or more", limits.max_turns))
    if limits.max_cost is not None and (cost is None or cost < 0.0):
        return Failure(refuse("max_cost_usd", "must be a number of USD, 0 or more", limits.max_cost))
    if secs is None or secs <= 0.0:
        return Failure(refuse("tool_timeout_secs", "must be a positive number of seconds", timeout_secs))
    return Success(limits)


def _real(value: object) -> float | None:
    """A finite number; callers without type checkers pass anything, and nothing may raise."""
    return None if isinstance(value, str) else number(value)
