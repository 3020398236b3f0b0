"""From effects to the log, hooks and observers: whoever watches a call is told here.

A hook is called with every `Moment`; an exception in it is logged and does not hurt the call.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from logging import DEBUG
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, TypeVarTuple, runtime_checkable

from openrouter_client.records import LOGGER, log_call, log_left, log_retry, write
from openrouter_core.admission import Stats
from openrouter_core.config import OpenRouterConfig
from openrouter_core.journal import Answered, Moment, event_of, left
from openrouter_core.outcome import Outcome
from openrouter_core.states import Done, Job, Sleep, State

if TYPE_CHECKING:  # commands that do not call import this, and neither network code nor what streams need with it
    from openrouter_client.world import Watcher
    from openrouter_core.reader import Heard

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
        match state:
            case Sleep():
                log_retry(self.number, state)
            case Done() if LOGGER.isEnabledFor(DEBUG):
                log_call(self.number, state, content=self.content)
            case _:
                pass
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
            if LOGGER.isEnabledFor(DEBUG):
                log_left(self.number, state, at)
            if self.hook is not None:
                tell(self.number, self.hook, Moment(self.number, at, left(state, at)))
        if self.other is not None:
            tell(self.number, self.other.left, at)


def observed(observer: Observer, job: Job[T], watcher: CallWatcher) -> tuple[Job[T], CallWatcher]:
    """Let an observer see a call that begins; one that fails sees nothing of it."""
    try:
        job, other = observer.begun(watcher.number, job)
    except Exception:  # noqa: BLE001 - whatever it raises is logged
        write("hook.failed", "the observer failed; the call goes on without it", exc_info=True, call=watcher.number)
        return job, watcher
    watcher.other, heard, number = other, other.heard, watcher.number
    watcher.heard = None if heard is None else lambda at: tell(number, heard, at)
    return job, watcher


def tell(number: int, told: Callable[[*Ts], object], *what: *Ts) -> None:
    """Tell a hook or an observer of a call; whatever it raises is its own affair."""
    try:
        told(*what)
    except (Exception, CancelledError):  # noqa: BLE001 - a hook that looks into a cancelled task cancels nothing here
        write("hook.failed", "the observe hook failed; the call goes on", exc_info=True, call=number)
