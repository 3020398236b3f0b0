"""Looks at the world, one thing after the other, and lets `checks` judge it. Nothing here costs money."""

import asyncio
import platform
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.cli.doctor import checks
from openrouter_client.cli.doctor.checks import Certificate, Check, skipped
from openrouter_client.cli.keyfiles import candidates
from openrouter_core.config import ENVIRONMENT_PREFIX, OpenRouterConfig
from openrouter_core.errors import DataSourceError

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient

PATIENCE_SECS = 10.0
PLACEHOLDER = "no-key"
"""Stands where there is no key; nothing that carries a key is asked then."""
PACKAGES = ("aio-openrouter", "aiohttp", "msgspec", "returns", "cyclopts", "rich")


def versions() -> Check:
    """Tell the versions, for whoever is asked for help."""
    found = [f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} without metadata")
    return Check(name="versions", status="ok", found=", ".join(found))


def source_of(setting: str, environ: Mapping[str, str]) -> str:
    """Say where a key came from."""
    variable = ENVIRONMENT_PREFIX + setting.upper()
    return next((str(file.path) for file in candidates(environ) if file.setting == setting), variable)


async def connection(config: OpenRouterConfig) -> list[Check]:
    """Look at the way to the API: the name, the connection, the certificate."""
    host, port, secure = checks.place_of(config.base_url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return [
            checks.dns_check(host, (), words(error)),
            skipped("connect", "no address"),
            skipped("tls", "no address"),
        ]
    resolved = checks.dns_check(host, sorted({str(one[4][0]) for one in found}), "")
    try:
        context = ssl.create_default_context(cafile=config.ca_file) if secure else None
    except (OSError, ValueError):  # the client says it better
        return [resolved, *(skipped(name, "OPENROUTER_CA_FILE cannot be used") for name in ("connect", "tls"))]
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_SECS):
            certificate = await greeted(host, port, context)
    except ssl.SSLError as error:
        connected = checks.connect_check(f"{host}:{port}", time.monotonic() - began, "")
        return [resolved, connected, checks.tls_check(None, error.reason or str(error))]
    except (OSError, TimeoutError) as error:
        problem = words(error) or f"no answer within {PATIENCE_SECS:.0f} s"
        return [resolved, checks.connect_check(f"{host}:{port}", 0.0, problem), skipped("tls", "no connection")]
    connected = checks.connect_check(f"{host}:{port}", time.monotonic() - began, "")
    tls = skipped("tls", "base_url is http") if certificate is None else checks.tls_check(certificate, "")
    return [resolved, connected, tls]


async def greeted(host: str, port: int, context: ssl.SSLContext | None) -> Certificate | None:
    """Connect as calls do, read the certificate, and hang up; without a context there is no TLS."""
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        channel: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        if channel is None:
            return None
        told: Any = channel.getpeercert() or {}
        names = {key: value for part in told.get("issuer", ()) for key, value in part}
        ends = ssl.cert_time_to_seconds(told["notAfter"])
        issuer = str(names.get("organizationName") or names.get("commonName") or "?")
        return Certificate(version=channel.version() or "?", issuer=issuer, days=(ends - time.time()) / 86400.0)
    finally:
        writer.close()


async def answers(client: "OpenRouterClient", *, keyed: bool, manages: bool) -> list[Check]:
    """Ask the API what costs nothing: whether it is there, its time, and what the keys may do."""
    began, at = time.monotonic(), time.time()
    raw = await client.request("GET", "/models/count", key="none")
    took = time.monotonic() - began
    if isinstance(raw, Failure):
        why = "the API does not answer"
        return [checks.api_check(took, raw.failure()), *(skipped(name, why) for name in ("clock", "validity", "limit"))]
    skew = skew_of(raw.unwrap().headers.get("date"), at, took)
    found = [checks.api_check(took, None), checks.clock_check(skew)]
    found += await allowance(client) if keyed else [skipped(name, "no key") for name in ("validity", "limit")]
    if not manages:
        return [*found, skipped("credits", "no management key (OPENROUTER_MANAGEMENT_KEY)")]
    bought = await client.credits.get()
    if isinstance(bought, Failure):
        problem = bought.failure()
        return [*found, Check(name="credits", status="fail", found=problem.message, remedy=problem.advice())]
    return [*found, checks.credits_check(bought.unwrap())]


async def allowance(client: "OpenRouterClient") -> list[Check]:
    """Ask what the key may do."""
    current = await client.keys.current()
    if isinstance(current, Failure):
        return [checks.validity_check(current.failure(), None), skipped("limit", "the key was not accepted")]
    key = current.unwrap()
    return [checks.validity_check(None, key), checks.limit_check(key)]


def skew_of(date: str | None, at: float, took: float) -> float | None:
    """Tell by how many seconds our clock is ahead of a `Date`, which is cut to whole seconds; None without one."""
    if date is None:
        return None
    try:
        served = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    return at + took / 2.0 - (served + 0.5)


async def everything(
    config: Result[OpenRouterConfig, DataSourceError], environ: Mapping[str, str], source: str
) -> list[Check]:
    """Look at all there is; without usable settings, at the way to the API that would be taken by default.

    `source` says where the key came from.
    """
    from openrouter_client.client import OpenRouterClient

    found = [versions(), checks.settings_check(config, environ)]
    used = config.value_or(OpenRouterConfig())
    if isinstance(config, Success):  # otherwise it was not looked for
        found.append(checks.key_check(used.api_key, source))
    found.append(checks.proxy_check(used, environ))
    if checks.proxied(used, environ):
        found += [skipped(name, "the proxy's affair") for name in ("dns", "connect", "tls")]
    else:
        found += await connection(used)
    quick = msgspec.structs.replace(
        used,
        api_key=used.api_key or PLACEHOLDER,
        max_retries=0,
        timeout_secs=PATIENCE_SECS,
        deadline_secs=PATIENCE_SECS,
    )
    made = OpenRouterClient.new(quick)
    if isinstance(made, Failure):
        flaw = made.failure()
        return [*found, Check(name="api", status="fail", found=flaw.message, remedy=flaw.advice() or "correct it")]
    async with made.unwrap() as client:
        return [*found, *await answers(client, keyed=bool(used.api_key), manages=bool(used.management_key))]


def words(error: BaseException) -> str:
    """Say what the system said."""
    return str(getattr(error, "strerror", None) or error)
