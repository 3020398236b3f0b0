"""What a caller may bring along (certificate authorities, an aiohttp session, a hook): accepted, or refused."""

from __future__ import annotations

import inspect
import ssl
from typing import Any

import aiohttp
from returns.result import Failure, Result, Success

from openrouter_client.observe import Observe, Observer
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import DataSourceError, InvalidRequest


def trusting(config: OpenRouterConfig, tls: ssl.SSLContext | None) -> Result[ssl.SSLContext | None, DataSourceError]:
    """Make the TLS context that trusts the config's certificate authorities; None stands for the system's."""
    if config.ca_file is None:
        return Success(tls)
    if tls is not None:
        return Failure(unfit("ca_file", config.ca_file, "cannot go together with tls: load it into the context"))
    try:
        return Success(ssl.create_default_context(cafile=config.ca_file))
    except (OSError, ValueError) as error:
        bound = f"must be a readable file of certificates in PEM form: {error}"
        return Failure(unfit("ca_file", config.ca_file, bound))


def usable(session: aiohttp.ClientSession | None) -> Result[aiohttp.ClientSession | None, DataSourceError]:
    """Accept a caller's session that does not authenticate on its own: the key is what authenticates here."""
    if session is None or session.auth is None:
        return Success(session)
    return Failure(unfit("session", "ClientSession(auth=...)", "must have no auth of its own beside the API key"))


def called(observe: Observe | None) -> Result[Observe | None, DataSourceError]:
    """Accept an observer, or a hook that has done its work when it returns: nobody would await its coroutine."""
    if observe is None or is_plain(observe) or (isinstance(observe, Observer) and not callable(observe)):
        return Success(observe)
    name = getattr(observe, "__name__", type(observe).__name__)
    bound = "must be a plain function of a Moment (nobody would await a coroutine), or an Observer such as Telemetry()"
    return Failure(unfit("observe", name, bound))


def is_plain(hook: object) -> bool:
    """Tell what can be called, and does something then, from functions that only make coroutines or generators."""
    given: Any = hook
    if not callable(hook) or (isinstance(hook, type) and issubclass(hook, Observer)):  # a class, not its object
        return False
    return not any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in (given, type(given).__call__)
    )


def unfit(name: str, value: str, bound: str) -> InvalidRequest:
    """Make the error of something that was given to `new` and does not fit."""
    return InvalidRequest(message=f"{name} = {value!r}: {bound}", field=name, value=repr(value), bound=bound)
