"""From settings to calls that can be run: everything that is brought along is checked, and put together."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import aiohttp
from returns.result import Failure, Result, Success

from openrouter_client.bringing import called, trusting, usable
from openrouter_client.calls import Calls
from openrouter_client.line import Line
from openrouter_client.observe import Observe
from openrouter_client.transport import Transport
from openrouter_core.admission import limits_of, money_of
from openrouter_core.config import OpenRouterConfig, checked
from openrouter_core.errors import DataSourceError
from openrouter_core.headers import app_headers
from openrouter_core.limit.standard import standard
from openrouter_core.policy import Policy, policy_of

if TYPE_CHECKING:  # only hedged calls need it
    from openrouter_client.hedging import Hedging
    from openrouter_core.hedge import Hedge


def calls_of(
    config: OpenRouterConfig,
    *,
    session: aiohttp.ClientSession | None = None,
    observe: Observe | None = None,
    policy: Policy | None = None,
    tls: ssl.SSLContext | None = None,
    hedge: Hedge | None = None,
    keyless: bool = False,
) -> Result[Calls, DataSourceError]:
    """Put together what makes calls, or say what is wrong with it; see `OpenRouterClient.new`.

    With `keyless` there may be no key: a call that wants one fails.
    """
    good = checked(config, keyless=keyless)
    if isinstance(good, Failure):
        return good
    config = good.unwrap()
    headers = app_headers(config.app_url, config.app_title, config.app_categories)
    context = trusting(config, tls)
    brought = usable(session)
    hook = called(observe)
    hedging = hedging_of(hedge)
    line = line_of(config)
    for given in (headers, context, brought, hook, hedging, line):
        if isinstance(given, Failure):
            return given
    return Success(
        Calls(
            config,
            Transport(config, brought.unwrap(), context.unwrap()),
            headers.unwrap(),
            policy or policy_of(config),
            line.unwrap(),
            observe=hook.unwrap(),
            hedging=hedging.unwrap(),
        )
    )


def hedging_of(hedge: Hedge | None) -> Result[Hedging | None, DataSourceError]:
    """Make what runs calls hedged, if they are to be."""
    if hedge is None:
        return Success(None)
    from openrouter_client.hedging import Hedging  # noqa: PLC0415 - only hedged calls need it
    from openrouter_core.hedge import checked_hedge  # noqa: PLC0415 - the same

    return checked_hedge(hedge).map(Hedging)


def line_of(config: OpenRouterConfig) -> Result[Line, DataSourceError]:
    """Make the line that a config describes: the client's own, or one that shares its quota through Redis."""
    if config.redis_url is None:
        return Success(Line(standard(limits_of(config)), money_of(config)))
    from openrouter_client.shared import shared_line  # noqa: PLC0415 - only whoever has a Redis needs it

    return shared_line(config, config.redis_url)
