"""From the parameters of any endpoint to a call that can run: what `Caller`'s methods have in common."""

from __future__ import annotations

import math
from typing import Any, Final, TypeVar

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.calls import CallOptions, Calls
from openrouter_core.endpoint import CallSettings, Endpoint, HttpRequest
from openrouter_core.errors import DataSourceError
from openrouter_core.evidence import asked
from openrouter_core.limit.seen import Ask
from openrouter_core.policy import Policy, checked_deadline, checked_options, with_deadline
from openrouter_core.states import Job, Mode

A = TypeVar("A")

UNBILLED: Final = Ask(worst=0.0)
"""What a call uses that costs nothing and asks no model."""

PRICED: Final = ("/completions", "/messages")
"""Endpoints whose worst case the price list tells; elsewhere there is more to pay for than tokens."""


def settings_of(calls: Calls) -> CallSettings:
    """Give what is the same for all calls of a client."""
    return CallSettings(base_url=calls.config.base_url, headers=calls.settings.headers)


def repeating(endpoint: Endpoint[Any, A], *, repeat: bool) -> Endpoint[Any, A]:
    """Give the endpoint as the caller wants it treated: with `repeat` it may be sent twice."""
    return msgspec.structs.replace(endpoint, repeatable=True) if repeat and not endpoint.repeatable else endpoint


def endpoint_job(
    calls: Calls, endpoint: Endpoint[Any, A], params: Any, options: CallOptions, mode: Mode = "whole"
) -> Result[Job[A], DataSourceError]:
    """Make a call of an endpoint, if its parameters are good and the client can be used here and now."""
    from openrouter_core.assemble import build_call  # noqa: PLC0415 - chat completions do without it

    given = nothing(endpoint) if params is None else params
    built = build_call(endpoint, given, settings_of(calls), stream=mode != "whole" and endpoint.kind != "bytes")
    if isinstance(built, Failure):
        return built
    request = built.unwrap()
    return job_of(calls, endpoint, request, options, mode=mode, ask=ask_of(calls, endpoint, request, given, options))


def job_of(
    calls: Calls,
    endpoint: Endpoint[Any, A],
    request: HttpRequest,
    options: CallOptions,
    *,
    mode: Mode = "whole",
    ask: Ask = UNBILLED,
) -> Result[Job[A], DataSourceError]:
    """Make a call of a request that is built."""
    barred = calls.barred(endpoint.key)
    if barred is not None:
        return Failure(barred)
    deadline = checked_deadline(options.deadline_secs)
    sound = checked_options(options.priority, options.max_cost_usd)
    for checked in (deadline, sound):
        if isinstance(checked, Failure):
            return checked
    policy = with_deadline(policy_of(calls, endpoint, mode), deadline.unwrap())
    return Success(Job(endpoint, request, policy, mode, ask, calls.place(options.priority), options.max_cost_usd))


def policy_of(calls: Calls, endpoint: Endpoint[Any, Any], mode: Mode) -> Policy:
    """Give a call's policy. A download may take its time, as long as bytes come: the idle clock is its limit."""
    downloading = mode != "whole" and endpoint.kind == "bytes"
    return msgspec.structs.replace(calls.policy, timeout=math.inf) if downloading else calls.policy


def nothing(endpoint: Endpoint[Any, Any]) -> Any:
    """Give the parameters of an endpoint that needs none; None for one that does, which is then told."""
    try:
        return endpoint.params()
    except TypeError:
        return None


def ask_of(calls: Calls, endpoint: Endpoint[Any, Any], request: HttpRequest, params: Any, options: CallOptions) -> Ask:
    """Tell what an attempt uses: its model's limits, tokens, and at worst so many USD where somebody counts them."""
    if not endpoint.billed:
        return UNBILLED
    body = b"" if endpoint.form else request.body
    worst = calls.worst(body, counted=endpoint.path in PRICED and calls.budgeted(options))
    most = getattr(params, "max_output_tokens", None) or getattr(params, "max_tokens", None)
    return asked(getattr(params, "model", None) or "", body, most, worst)
