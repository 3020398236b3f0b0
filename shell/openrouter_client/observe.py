"""From effects to log lines and hooks.

The logger `openrouter_client` gets one DEBUG line for each call, and a WARNING for each retry, with their facts as
`extra` fields. A hook is called with every `Moment`; an exception in it is logged and does not hurt the call. No line
holds the key, and none holds text of a prompt or an answer unless `log_content` is set.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from typing import Any, Final

from returns.result import Success

from openrouter_core.errors import DataSourceError
from openrouter_core.journal import Answered, Moment, event_of
from openrouter_core.outcome import Outcome
from openrouter_core.states import Done, Sleep, State, tries
from openrouter_core.wire.response import ChatCompletionResponse

LOGGER: Final = logging.getLogger("openrouter_client")
LOGGER.addHandler(logging.NullHandler())

CONTENT_LIMIT = 500
"""How much of a prompt and of an answer a line shows, in characters, when `log_content` is set."""

Hook = Callable[[Moment], object]


class CallWatcher:
    """Watches one call, for the log and for the caller's hook. `number` is the call's number within its client."""

    __slots__ = ("content", "hook", "number")

    def __init__(self, number: int, hook: Hook | None, *, content: bool) -> None:
        self.number: int = number
        self.hook: Hook | None = hook
        self.content: bool = content

    def state(self, at: float, state: State[Any]) -> None:
        """Tell a new state of the call."""
        if isinstance(state, Sleep):
            log_retry(self.number, state)
        elif isinstance(state, Done) and LOGGER.isEnabledFor(logging.DEBUG):
            log_call(self.number, state, content=self.content)
        if self.hook is not None:
            tell(self.hook, Moment(self.number, at, event_of(state)))

    def outcome(self, at: float, outcome: Outcome, roll: float, company: int) -> None:
        """Tell how an attempt ended."""
        if self.hook is not None:
            tell(self.hook, Moment(self.number, at, Answered(outcome, roll, company)))


def tell(hook: Hook, moment: Moment) -> None:
    """Call a hook; whatever it raises is its own affair."""
    try:
        hook(moment)
    except (Exception, CancelledError):  # a hook that looks into a cancelled task does not cancel this one
        LOGGER.exception("the observe hook failed; the call goes on", extra={"call": moment.call})


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
    job = state.job
    fields: dict[str, Any] = {
        "call": number,
        "endpoint": f"{job.endpoint.method} {job.endpoint.path}",
        "attempts": len(state.past.attempts),
        "elapsed_secs": state.ended - state.past.began,
        "request_bytes": len(job.request.body),
    }
    fields |= state.result.map(success_fields).lash(lambda error: Success(failure_fields(error))).unwrap()
    if content:
        fields |= shown_content(state)
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
