"""The settings of a client: one frozen value, checked as a whole, that never shows its keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta
from returns.result import Failure, Result, Success

from openrouter_core.errors import AuthError, DataSourceError, InvalidRequest

MASK = "***"
ENVIRONMENT_PREFIX = "OPENROUTER_"

KEYS = ("api_key", "management_key")
"""The settings that are secrets as a whole."""

ADDRESSES = ("base_url", "proxy", "redis_url")
"""The settings that may have a password in them."""

REDIS_EXAMPLES = "must be an address such as redis://host:6379/0, rediss://:password@host or unix:///path/of/socket"

CHOICES = {"jitter": "must be 'none', 'full' or 'equal'"}
"""What msgspec does not say of a setting that it refuses."""

Seconds = Annotated[float, Meta(gt=0.0, le=1e9)]
Milliseconds = Annotated[int, Meta(ge=0, le=10**9)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0.0, le=1e9)]
Usd = Annotated[float, Meta(ge=0.0, le=1e9)]


class OpenRouterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is told once. Every field can be set in the environment as `OPENROUTER_` and its name in capitals.

    The keys are masked in `repr` and left out of pickles: a config that crosses to another process finds its keys in
    that process's own environment.
    """

    api_key: str = ""
    """The inference key, `sk-or-v1-...`; sent in the `Authorization` header and nowhere else."""
    management_key: str = ""
    """The key that manages keys, credits, guardrails, workspaces...; sent likewise, with such calls alone. It cannot do
    inference; either key may be missing, and then the calls that want it are an `AuthError`."""
    base_url: str = "https://openrouter.ai/api/v1"
    """Where the API is. https, unless the host is loopback or `allow_http` is set."""
    default_model: Annotated[str, Meta(min_length=1)] = "x-ai/grok-3-latest"
    """The model of requests that name none. OpenRouter no longer serves this slug: see `resolve_retired_models`."""
    timeout_secs: Seconds = 60.0
    """The limit of one attempt, in seconds, from connecting to the last byte, whatever drips in between."""
    max_retries: Count = 3
    """How many tries may follow the first."""
    max_rate_retries: Count | None = None
    """How often a call may be refused for its rate (429) and try again. None: as often as `max_retries` says for a call
    that is alone, and 8 times for one with others beside it, which wait together until the quota has room."""
    retry_delay_ms: Milliseconds = 1000
    """The waits are `retry_delay_ms * 2**attempt` milliseconds: 1 s, 2 s, 4 s."""
    max_retry_delay_ms: Milliseconds = 60_000
    """No wait is longer than this, in milliseconds; a server that asks for more is not waited for."""
    deadline_secs: Seconds | None = None
    """The limit of a whole call, in seconds: queueing, attempts and waits together. None: no limit."""
    connect_timeout_secs: Seconds = 10.0
    """The limit for making a connection, in seconds, inside `timeout_secs`."""
    first_event_timeout_secs: Seconds = 60.0
    """The limit for the first event of a stream, in seconds; comments that keep the connection alive do not count."""
    idle_timeout_secs: Seconds = 30.0
    """The limit for the gap between two events of a stream, in seconds; comments do not count."""
    jitter: Literal["none", "full", "equal"] = "none"
    """Whether our own waits are shortened at random; "none" keeps 1 s, 2 s, 4 s as they are."""
    hint_spread: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.1
    """A wait that the server asked for is lengthened at random by up to this share, so that calls do not come back
    as a herd; it is never shortened."""
    retry_empty: bool = False
    """Whether to retry an answer in which nothing was generated; it may have been billed."""
    retry_sent: bool = True
    """Whether to retry when the connection or the time was lost after sending; the first try may have been billed."""
    safe_retries: bool = False
    """Whether to ask OpenRouter to cache answers, so that repeating a completed call is a free cache hit. Identical
    requests then share their answer."""
    resolve_retired_models: bool = True
    """Whether to replace slugs that OpenRouter has retired by their living successors, saying so in the log."""
    max_connections: Positive = 500
    """How many requests may be under way at once; the others wait in line, which `timeout_secs` does not count."""
    adaptive_limits: bool = True
    """Whether the client learns quotas and outages from refusals and failures, and makes calls wait instead of fail."""
    requests_per_minute: Rate | None = None
    """A known quota of requests: evenly spaced, never exceeded. None: none is known, and what there is is learned."""
    tokens_per_minute: Rate | None = None
    """A known quota of prompt and completion tokens, estimated before each request and settled by its usage."""
    redis_url: str | None = None
    """The address of a Redis (redis://, rediss:// or unix://) through which all processes with this key and the same
    settings of its quota share it; a password in it is masked in `repr`. Needs the extra `redis`."""
    redis_processes: Positive = 4
    """How many processes share the key, for as long as Redis has never told: one that starts while it is down uses so
    small a part of the quota."""
    max_cost_usd: Usd | None = None
    """What all calls of this client may cost together, in USD. The worst case of each attempt is set aside before it is
    sent; a call whose worst case does not fit, or is not known, is refused."""
    assumed_cost_usd: Usd | None = None
    """The worst case in USD of an attempt whose price is not known. None: with a budget, such a call is refused."""
    max_response_bytes: Positive = 64 * 1024 * 1024
    """The limit of an answer's body, in bytes, once decompressed."""
    app_url: str | None = None
    """Your application's address, for OpenRouter's rankings (`HTTP-Referer`)."""
    app_title: str | None = None
    """Your application's name (`X-OpenRouter-Title`)."""
    app_categories: tuple[str, ...] = ()
    """Your application's categories (`X-OpenRouter-Categories`)."""
    proxy: str | None = None
    """The address of an HTTP proxy; a password in it is masked in `repr`."""
    trust_env: bool = False
    """Whether to take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and proxy passwords from ~/.netrc."""
    ca_file: str | None = None
    """A file of certificate authorities in PEM form, to be trusted instead of the system's."""
    allow_http: bool = False
    """Whether an unencrypted `base_url` may name a host other than this machine. The key then travels in the clear."""
    log_content: bool = False
    """Whether DEBUG lines may show the beginning of prompts and answers."""

    def __repr__(self) -> str:
        fields = (f"{name}={shown(name, getattr(self, name))}" for name in self.__struct_fields__)
        return f"OpenRouterConfig({', '.join(fields)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show itself to rich, whose tracebacks print local variables: masked too."""
        return [(name, masked(name, getattr(self, name))) for name in self.__struct_fields__]

    def __reduce__(self) -> tuple[Callable[..., OpenRouterConfig], tuple[dict[str, Any]]]:
        settings = {name: masked(name, getattr(self, name)) for name in self.__struct_fields__ if name not in KEYS}
        return _without_key, (settings,)

    def __copy__(self) -> OpenRouterConfig:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> OpenRouterConfig:
        return self

    @staticmethod
    def from_env(environ: Mapping[str, str]) -> Result[OpenRouterConfig, DataSourceError]:
        """Read a config from environment variables: OPENROUTER_API_KEY, OPENROUTER_BASE_URL, OPENROUTER_TIMEOUT_SECS...

        Pass `os.environ`, or any mapping. Variables that are absent or empty leave the default. A value that does not
        fit is an `InvalidRequest` that names the variable.
        """
        names = {name: ENVIRONMENT_PREFIX + name.upper() for name in OpenRouterConfig.__struct_fields__}
        told = {
            name: environ[variable].strip() for name, variable in names.items() if environ.get(variable, "").strip()
        }
        values: dict[str, Any] = {**told}
        if "app_categories" in told:
            values["app_categories"] = [part.strip() for part in told["app_categories"].split(",") if part.strip()]
        try:
            return Success(msgspec.convert(values, OpenRouterConfig, strict=False))
        except msgspec.ValidationError as error:
            name, bound = where(error)
            return Failure(refused(names[name], shown(name, told.get(name)), bound))


def _without_key(settings: dict[str, Any]) -> OpenRouterConfig:
    return OpenRouterConfig(**settings)


def checked(config: OpenRouterConfig, *, keyless: bool = False) -> Result[OpenRouterConfig, DataSourceError]:
    """Accept a config whose every field is of its type and in its range, with a usable key and a safe address.

    With `keyless` there may be no key at all: some of what is asked is public.
    """
    flaw = "" if keyless and not (config.api_key or config.management_key) else key_flaw(config)
    if flaw:
        return Failure(AuthError(message=flaw))
    try:
        config = msgspec.convert(msgspec.structs.asdict(config), OpenRouterConfig)
    except msgspec.ValidationError as error:
        name, bound = where(error)
        return Failure(refused(name, shown(name, getattr(config, name)), bound))
    flaw = url_flaw(config.base_url, secure=not config.allow_http)
    if flaw:
        return Failure(refused("base_url", shown("base_url", config.base_url), flaw))
    proxy_flaw = config.proxy is not None and url_flaw(config.proxy, secure=False, credentials=True)
    if proxy_flaw:
        return Failure(refused("proxy", shown("proxy", config.proxy), proxy_flaw))
    store_flaw = config.redis_url is not None and redis_flaw(config.redis_url)
    if store_flaw:
        return Failure(refused("redis_url", shown("redis_url", config.redis_url), store_flaw))
    return Success(msgspec.structs.replace(config, base_url=config.base_url.rstrip("/")))


def key_flaw(config: OpenRouterConfig) -> str:
    """Say what is wrong with the keys; nothing when they are good. One of the two is enough."""
    given = {"API key": f"{config.api_key or ''}", "management key": f"{config.management_key or ''}"}
    if not any(key.strip() for key in given.values()):
        return "the API key is empty (a config does not carry its key through a pickle)"
    wrong = [name for name, key in given.items() if key and not re.fullmatch(r"[\x21-\x7e]+", key)]
    return f"the {wrong[0]} contains white space or characters that no key has" if wrong else ""


def url_flaw(url: str, *, secure: bool, credentials: bool = False) -> str:
    """Say what is wrong with an address; nothing when it is good."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "must be an address such as https://host/path"
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        return "must be an address such as https://host/path"
    if "?" in url or "#" in url or " " in url:
        return "must have no query, fragment or spaces"
    if not credentials and "@" in parts.netloc:
        return "must not contain a user name or password"
    if secure and parts.scheme == "http" and not loopback(parts):
        return "must be https, for the key would travel in the clear; allow_http=True permits it"
    return ""


def redis_flaw(url: str) -> str:
    """Say what is wrong with the address of a Redis; nothing when it is good."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return REDIS_EXAMPLES
    good = parts.path if parts.scheme == "unix" else parts.hostname and re.fullmatch(r"(/\d*)?", parts.path)
    if parts.scheme not in ("redis", "rediss", "unix") or not good or not url.isascii() or not url.isprintable():
        return REDIS_EXAMPLES
    if "?" in url or "#" in url or " " in url:
        return "must have no query, fragment or spaces (a password that has them is written with %3F, %23, %20)"
    return ""


def loopback(parts: SplitResult) -> bool:
    """Tell whether an address is this machine's own."""
    host = str(parts.hostname)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def where(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split msgspec's message into the field's name and what is expected of it."""
    bound, _, path = str(error).partition(" - at `")
    name = path.removeprefix("$.").partition("[")[0].removesuffix("`") or "config"
    return name, CHOICES.get(name, bound[:1].lower() + bound[1:])


def refused(name: str, value: str, bound: str) -> InvalidRequest:
    """Make the error of a setting that does not fit."""
    return InvalidRequest(message=f"{name} = {value}: {bound}", field=name, value=value, bound=bound)


def shown(name: str, value: Any) -> str:
    """Show a setting, but neither the key nor the passwords in an address."""
    return repr(masked(name, value))[:200]


def masked(name: str, value: Any) -> Any:
    """Replace a key, and the user name and password in an address; whatever type they are of."""
    if name in KEYS:
        return MASK if value else ""
    if name not in ADDRESSES or "@" not in str(value):
        return value
    head, _, host = str(value).rpartition("@")
    scheme, slashes, _ = head.partition("://")
    return f"{scheme}{slashes}{MASK}@{host}"
