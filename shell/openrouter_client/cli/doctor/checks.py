"""Facts about this machine, its way to OpenRouter and its key, judged. Pure: facts in, checks out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from returns.result import Failure, Result

from openrouter_client.cli.money import usd
from openrouter_core.config import ENVIRONMENT_PREFIX, KEYS, OpenRouterConfig, shown
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.account import Credits
from openrouter_core.wire.keys import CurrentKey

Status = Literal["ok", "warn", "fail", "skip"]

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""The variables that name a proxy for https, by those who heed them."""
KEY_START = "sk-or-"
SOON_DAYS = 14.0
"""A certificate that ends earlier than this is worth a word."""
SMALL_SHARE = Decimal("0.1")
SMALL_CREDIT = Decimal(1)
SKEW_SECS, LARGE_SKEW_SECS = 5.0, 300.0


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at: how it stands, what was found, and what to do unless it is well."""

    name: str
    status: Status
    found: str
    remedy: str = ""


class Certificate(Struct, frozen=True, kw_only=True):
    """How a connection is secured: the version of TLS, who issued the certificate, and for how many days it is good."""

    version: str
    issuer: str
    days: float


def settings_check(config: Result[OpenRouterConfig, DataSourceError], environ: Mapping[str, str]) -> Check:
    """Judge the variables: those that cannot be read, and those that nobody reads."""
    if isinstance(config, Failure):
        problem = config.failure()
        return Check(name="settings", status="fail", found=problem.message, remedy=problem.advice() or "correct it")
    names = {ENVIRONMENT_PREFIX + name.upper() for name in OpenRouterConfig.__struct_fields__}
    names |= {f"{ENVIRONMENT_PREFIX}{name.upper()}_FILE" for name in KEYS}
    unknown = sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX) and name not in names)
    if unknown:
        found = f"{', '.join(unknown)}: no such setting"
        return Check(name="settings", status="warn", found=found, remedy="unset it, or correct its name")
    good = config.unwrap()
    return Check(name="settings", status="ok", found=f"base_url {good.base_url}, model {good.default_model}")


def key_check(key: str, source: str) -> Check:
    """Judge how a key looks; its own letters are never shown."""
    if not key:
        remedy = "export OPENROUTER_API_KEY=sk-or-... (from openrouter.ai/settings/keys), or use a key file"
        return Check(name="key", status="fail", found="there is none", remedy=remedy)
    if not key.startswith(KEY_START):
        remedy = f"OpenRouter's keys begin with {KEY_START}; look whether another service's key was set"
        return Check(name="key", status="warn", found=f"from {source}, does not begin with {KEY_START}", remedy=remedy)
    return Check(name="key", status="ok", found=f"from {source}, {len(key)} characters")


def proxy_check(config: OpenRouterConfig, environ: Mapping[str, str]) -> Check:
    """Judge which proxy is used, and whether one is set that is not."""
    if config.proxy is not None:
        return Check(name="proxy", status="ok", found=f"OPENROUTER_PROXY: {shown('proxy', config.proxy)}")
    named = [name for name in PROXIES if environ.get(name, "").strip()]
    if not named:
        return Check(name="proxy", status="ok", found="none")
    found = f"{named[0]}: {shown('proxy', environ[named[0]].strip())}"
    if config.trust_env:
        return Check(name="proxy", status="ok", found=f"{found} (by OPENROUTER_TRUST_ENV)")
    remedy = "if this machine reaches the network only through it: export OPENROUTER_TRUST_ENV=true"
    return Check(name="proxy", status="warn", found=f"{found}, which is not used", remedy=remedy)


def proxied(config: OpenRouterConfig, environ: Mapping[str, str]) -> bool:
    """Tell whether calls go through a proxy; then names are resolved and connections made by it."""
    return config.proxy is not None or (config.trust_env and any(environ.get(name, "").strip() for name in PROXIES))


def dns_check(host: str, addresses: Sequence[str], problem: str) -> Check:
    """Judge whether the API's name leads anywhere."""
    if problem:
        remedy = "check the network, the resolver and base_url; behind a proxy, see the line about it"
        return Check(name="dns", status="fail", found=f"{host}: {problem}", remedy=remedy)
    return Check(name="dns", status="ok", found=f"{host}: {', '.join(addresses[:3])}")


def connect_check(place: str, seconds: float, problem: str) -> Check:
    """Judge whether a connection can be made, and how long that takes."""
    if problem:
        remedy = "check the network and the firewall; a company may want its proxy: OPENROUTER_PROXY"
        return Check(name="connect", status="fail", found=f"{place}: {problem}", remedy=remedy)
    return Check(name="connect", status="ok", found=f"{place} in {seconds * 1000.0:.0f} ms")


def tls_check(certificate: Certificate | None, problem: str) -> Check:
    """Judge the certificate; one that is not trusted may be that of a proxy which looks into the traffic."""
    if certificate is None:
        remedy = "if your company's proxy looks into the traffic: OPENROUTER_CA_FILE=... names its certificates"
        return Check(name="tls", status="fail", found=problem, remedy=remedy)
    found = f"{certificate.version}, issued by {certificate.issuer}, good for {certificate.days:.0f} days"
    if certificate.days < SOON_DAYS:
        remedy = "the server's certificate ends soon; if the date of this machine is right, it is the server's affair"
        return Check(name="tls", status="warn", found=found, remedy=remedy)
    return Check(name="tls", status="ok", found=found)


def clock_check(skew: float | None) -> Check:
    """Judge how far this machine's clock is ahead of the server's, in seconds; None where the server told no date."""
    if skew is None:
        return Check(name="clock", status="skip", found="the server told no date")
    found = f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}" if abs(skew) > SKEW_SECS else "right"
    if abs(skew) <= SKEW_SECS:
        return Check(name="clock", status="ok", found=found)
    status: Status = "fail" if abs(skew) > LARGE_SKEW_SECS else "warn"
    return Check(
        name="clock", status=status, found=found, remedy="let the system keep its time: timedatectl set-ntp true"
    )


def api_check(seconds: float, problem: DataSourceError | None) -> Check:
    """Judge whether the API answers."""
    if problem is not None:
        return Check(name="api", status="fail", found=problem.message, remedy=problem.advice() or "try again later")
    return Check(name="api", status="ok", found=f"answers in {seconds * 1000.0:.0f} ms")


def validity_check(problem: DataSourceError | None, found: CurrentKey | None) -> Check:
    """Judge whether the key is accepted."""
    if found is None:
        said = problem.message if problem is not None else "not asked"
        remedy = (problem.advice() if problem is not None else "") or "try again later"
        return Check(name="validity", status="fail", found=said, remedy=remedy)
    until = f", until {found.expires_at}" if found.expires_at else ""
    if found.is_management_key or found.is_provisioning_key:
        remedy = "it cannot ask models: set OPENROUTER_MANAGEMENT_KEY to it, and OPENROUTER_API_KEY to an inference key"
        return Check(name="validity", status="warn", found=f"a management key{until}", remedy=remedy)
    return Check(name="validity", status="ok", found=f"{found.label or 'accepted'}{until}")


def limit_check(found: CurrentKey) -> Check:
    """Judge what the key may still spend."""
    if found.limit is None:
        return Check(name="limit", status="ok", found=f"none; used {usd(found.usage)}")
    left = found.limit_remaining if found.limit_remaining is not None else found.limit - (found.usage or 0)
    words = f"{usd(left)} of {usd(found.limit)} left"
    remedy = "raise the key's limit at openrouter.ai/settings/keys, or wait for its reset"
    if left <= 0:
        return Check(name="limit", status="fail", found=words, remedy=remedy)
    if left < found.limit * SMALL_SHARE:
        return Check(name="limit", status="warn", found=words, remedy=remedy)
    return Check(name="limit", status="ok", found=words)


def credits_check(found: Credits) -> Check:
    """Judge what the account has left."""
    left = found.total_credits - found.total_usage
    words, remedy = f"{usd(left)} of {usd(found.total_credits)} left", "add credits at openrouter.ai/settings/credits"
    if left <= 0:
        return Check(name="credits", status="fail", found=words, remedy=remedy)
    if left < SMALL_CREDIT:
        return Check(name="credits", status="warn", found=words, remedy=remedy)
    return Check(name="credits", status="ok", found=words)


def skipped(name: str, why: str) -> Check:
    """Say that something was not looked at."""
    return Check(name=name, status="skip", found=why)


def place_of(base_url: str) -> tuple[str, int, bool]:
    """Give the host, the port, and whether it is https."""
    parts = urlsplit(base_url)
    secure = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if secure else 80), secure


def worst(checks: Sequence[Check]) -> Status:
    """Give how it stands altogether."""
    found = {check.status for check in checks}
    if "fail" in found:
        return "fail"
    return "warn" if "warn" in found else "ok"
