"""The records of the logger `openrouter_client`: each has a level, a text, and its facts as `extra` fields.

`event` says which record it is. A library says nothing unasked: there is a NullHandler, and whoever configures logging
gets the records. None holds a key, and none holds text of a prompt or an answer unless `log_content` is set. What is
not shown costs a look at the level.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from logging import DEBUG, ERROR, WARNING
from typing import Any, Final

from returns.result import Success

from openrouter_core.errors import DataSourceError
from openrouter_core.journal import left
from openrouter_core.states import Done, Sleep, State, tries
from openrouter_core.wire.response import ChatCompletionResponse, Usage

LOGGER: Final = logging.getLogger("openrouter_client")
LOGGER.addHandler(logging.NullHandler())

RECORDS: Final[dict[str, int]] = {
    "call.ended": DEBUG,
    "call.left": DEBUG,
    "call.retried": WARNING,
    "hook.failed": ERROR,
    "model.replaced": WARNING,
    "prices.failed": WARNING,
    "redis.lost": WARNING,
    "redis.back": WARNING,
}
"""Every record that there is, with its level; docs/telemetry.md tells their fields."""

CONTENT_LIMIT = 500
"""How much of a prompt and of an answer a line shows, in characters, when `log_content` is set."""


def write(event: str, text: str, *args: object, exc_info: bool = False, **fields: Any) -> None:
    """Write a record."""
    LOGGER.log(RECORDS[event], text, *args, exc_info=exc_info, stacklevel=2, extra={"event": event, **fields})


def log_retry(number: int, state: Sleep[Any]) -> None:
    """Write the WARNING of a retry: which attempt failed, of how many, why, and how long the wait is."""
    attempt, of = len(state.past.attempts), tries(state)
    write(
        "call.retried",
        "attempt %d of %s failed, retrying in %.3g s: %s",
        attempt,
        "any number" if of is None else of,
        state.delay,
        reason(state),
        call=number,
        attempt=attempt,
        max_attempts=of,
        delay_secs=state.delay,
        reason=reason(state),
        status=state.error.status,
        generation_id=state.error.generation_id,
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
    tell_call("call.ended", fields)


def log_left(number: int, state: State[Any], at: float) -> None:
    """Write the DEBUG line of a call that was left."""
    tell_call("call.left", call_fields(number, state, left(state, at).attempts, at) | {"result": "left"})


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


def tell_call(event: str, fields: dict[str, Any]) -> None:
    """Write the line of a call, its fields once more in its text."""
    write(event, "%s", " ".join(f"{name}={flat(value)}" for name, value in fields.items()), **fields)


def flat(value: object) -> str:
    """Write a value on one line: what a server sends must not look like lines of our own."""
    return " ".join(str(value).split())


def success_fields(answer: Any) -> dict[str, Any]:
    """Tell what the log shows of an answer."""
    if not isinstance(answer, ChatCompletionResponse):
        return {"result": "ok"}
    usage = answer.usage or Usage()
    return {
        "result": "ok",
        "model": answer.model,
        "generation_id": answer.id,
        "cost_usd": answer.cost,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }


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
            write(
                "model.replaced",
                "OpenRouter no longer serves %s; asking %s instead (resolve_retired_models=False turns this off)",
                slug,
                successor,
                model=slug,
                successor=successor,
            )


def tell_unpriced(error: DataSourceError) -> None:
    """Say that the price list could not be loaded, which a budget needs."""
    why = type(error).__name__ if error.status is None else f"{type(error).__name__}, HTTP {error.status}"
    write("prices.failed", "the price list could not be loaded: %s", why, reason=why)
