"""From effects to log lines and hooks.

The logger `openrouter_client` gets one DEBUG line for each call that ends or is left, and a WARNING for each retry,
with their facts as `extra` fields. A hook is called with every `Moment`; an exception in it is logged and does not hurt
the call. No line holds the key, and none holds text of a prompt or an answer unless `log_content` is set.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, runtime_checkable

from returns.result import Success

from openrouter_client.world import Watcher
from openrouter_core.admission import Stats
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError
from openrouter_core.journal import Answered, Moment, event_of, left
from openrouter_core.outcome import Outcome
from openrouter_core.reader import Heard
from openrouter_core.states import Done, Job, Sleep, State, tries
from openrouter_core.wire.response import ChatCompletionResponse

LOGGER: Final = logging.getLogger("openrouter_client")
LOGGER.addHandler(logging.NullHandler())

CONTENT_LIMIT = 500
"""How much of a prompt and of an answer a line shows, in characters, when `log_content` is set."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Hook = Callable[[Moment], object]


@runtime_checkable
class Observer(Protocol):
    """What sees more of calls than a hook does: their requests, answers and events. Telemetry is one."""

    def attached(self, config: OpenRouterConfig, stats: Callable[[], Stats]) -> None:
        """Get to know a client: its settings, and what tells how its calls stand (on the client's event loop)."""
        ...

    def begun(self, number: int, job: Job[T]) -> tuple[Job[T], Watcher]:
        """See a call that begins, in the caller's context: give it as it is to be sent, and who watches it."""
        ...


Observe = Hook | Observer


def apart(observe: Observe | None) -> tuple[Hook | None, Observer | None]:
    """Tell a hook from an observer: what can be called is a hook."""
    return (observe, None) if observe is None or callable(observe) else (None, observe)


class CallWatcher:
    """Watches one call, for the log, the caller's hook and an observer. `number` is the call's within its client."""

    __slots__ = ("content", "heard", "hook", "last", "number", "other")

    def __init__(self, number: int, hook: Hook | None, *, content: bool) -> None:
        self.number: int = number
        self.hook: Hook | None = hook
        self.content: bool = content
        self.heard: Heard | None = None
        self.other: Watcher | None = None
        self.last: State[Any] | None = None

    def state(self, at: float, state: State[Any]) -> None:
        """Tell a new state of the call."""
        self.last = state
        if isinstance(state, Sleep):
            log_retry(self.number, state)
        elif isinstance(state, Done) and LOGGER.isEnabledFor(logging.DEBUG):
            log_call(self.number, state, content=self.content)
        if self.hook is not None:
            tell(self.number, self.hook, Moment(self.number, at, event_of(state)))
        if self.other is not None:
            tell(self.number, self.other.state, at, state)

    def outcome(self, at: float, outcome: Outcome, roll: float, company: int) -> None:
        """Tell how an attempt ended."""
        if self.hook is not None:
            tell(self.number, self.hook, Moment(self.number, at, Answered(outcome, roll, company)))
        if self.other is not None:
            tell(self.number, self.other.outcome, at, outcome, roll, company)

    def left(self, at: float) -> None:
        """Tell that the call was left, if it had not ended."""
        state = self.last
        if isinstance(state, Done):
            return
        if state is not None:
            if LOGGER.isEnabledFor(logging.DEBUG):
                log_left(self.number, state, at)
            if self.hook is not None:
                tell(self.number, self.hook, Moment(self.number, at, left(state, at)))
        if self.other is not None:
            tell(self.number, self.other.left, at)


def observed(observer: Observer, job: Job[T], watcher: CallWatcher) -> tuple[Job[T], CallWatcher]:
    """Let an observer see a call that begins; one that fails sees nothing of it."""
    try:
        job, other = observer.begun(watcher.number, job)
    except Exception:
        LOGGER.exception("the observer failed; the call goes on without it", extra={"call": watcher.number})
        return job, watcher
    watcher.other, heard, number = other, other.heard, watcher.number
    watcher.heard = None if heard is None else lambda at: tell(number, heard, at)
    return job, watcher


def tell(number: int, told: Callable[[*Ts], object], *what: *Ts) -> None:
    """Tell a hook or an observer of a call; whatever it raises is its own affair."""
    try:
        told(*what)
    except (Exception, CancelledError):  # a hook that looks into a cancelled task does not cancel this one
        LOGGER.exception("the observe hook failed; the call goes on", extra={"call": number})


def log_retry(number: int, state: Sleep[Any]) -> None:
    """Write the WARNING of a retry: which attempt failed, of how many, why, and how long the wait is."""
    attempt, of = len(state.past.attempts), tries(state)
    LOGGER.warning(
        "attempt %d of %s failed, retrying in %.3g s: %s",
        attempt,
        "any number" if of is None else of,
        state.delay,
        reason(state),
        extra={
            "call": number,
            "attempt": attempt,
            "max_attempts": of,
            "delay_secs": state.delay,
            "reason": reason(state),
            "status": state.error.status,
            "generation_id": state.error.generation_id,
        },
    )


def reason(state: Sleep[Any]) -> str:
    """Name the failure that is retried, without text that a provider may have copied from the prompt."""
    return f"{type(state.error).__name__}, {state.past.attempts[-1].outcome}"


def log_call(number: int, state: Done[Any], *, content: bool) -> None:
    """Write the DEBUG line of a call that has ended."""
    fields = call_fields(number, state, len(state.past.attempts), state.ended)
    fields |= state.result.map(success_fields).lash(lambda error: Success(failure_fields(error))).unwrap()
    if content:
        fields |= shown_content(state)
    write(fields)


def log_left(number: int, state: State[Any], at: float) -> None:
    """Write the DEBUG line of a call that was left."""
    write(call_fields(number, state, left(state, at).attempts, at) | {"result": "left"})


def call_fields(number: int, state: State[Any], attempts: int, at: float) -> dict[str, Any]:
    """Tell what the log shows of every call."""
    job = state.job
    return {
        "call": number,
        "endpoint": f"{job.endpoint.method} {job.endpoint.path}",
        "attempts": attempts,
        "elapsed_secs": at - state.past.began,
        "request_bytes": len(job.request.body),
    }


def write(fields: dict[str, Any]) -> None:
    """Write a DEBUG line of fields."""
    LOGGER.debug("%s", " ".join(f"{name}={flat(value)}" for name, value in fields.items()), extra=fields)


def flat(value: object) -> str:
    """Write a value on one line: what a server sends must not look like lines of our own."""
    return " ".join(str(value).split())


def success_fields(answer: Any) -> dict[str, Any]:
    """Tell what the log shows of an answer."""
    if not isinstance(answer, ChatCompletionResponse):
        return {"result": "ok"}
    return {"result": "ok", "model": answer.model, "generation_id": answer.id, "cost_usd": answer.cost}


def failure_fields(error: DataSourceError) -> dict[str, Any]:
    """Tell what the log shows of an error; not its message, which a provider may have copied from the prompt."""
    return {"result": type(error).__name__, "status": error.status, "generation_id": error.generation_id}


def shown_content(state: Done[Any]) -> dict[str, str]:
    """Give the beginning of the prompt and of the answer."""
    answer = state.result.value_or(None)
    text = answer.text if isinstance(answer, ChatCompletionResponse) else ""
    return {
        "prompt": repr(state.job.request.body[:CONTENT_LIMIT].decode("utf-8", "replace")),
        "answer": repr(text[:CONTENT_LIMIT]),
    }


def tell_replaced(replaced: Iterable[tuple[str, str]], told: set[str]) -> None:
    """Say once that a retired model was replaced by its successor; `told` remembers which were said."""
    for slug, successor in replaced:
        if slug not in told:
            told.add(slug)
            LOGGER.warning(
                "OpenRouter no longer serves %s; asking %s instead (resolve_retired_models=False turns this off)",
                slug,
                successor,
                extra={"model": slug, "successor": successor},
            )
