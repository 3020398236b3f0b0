"""The settings: every field is checked, every field can come from the environment, and the key is never seen."""

from __future__ import annotations

import copy
import math
import pickle
import pprint
import traceback
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core import config as c
from openrouter_core.config import OpenRouterConfig, checked
from openrouter_core.errors import AuthError, InvalidRequest

KEY = "sk-or-v1-0123456789abcdef"
FIELDS = OpenRouterConfig.__struct_fields__


def config(**settings: Any) -> OpenRouterConfig:
    """A config with a good key."""
    return OpenRouterConfig(**{"api_key": KEY, **settings})


def refused(result: Any) -> InvalidRequest:
    """The InvalidRequest that a check gave."""
    assert isinstance(result, Failure)
    error = result.failure()
    assert isinstance(error, InvalidRequest)
    return error


# --- the key --------------------------------------------------------------------------------------------------------

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=60).map("sk-or-".__add__)
JUNK: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9) | st.lists(st.integers())
)


def everything_shown(value: OpenRouterConfig) -> str:
    """All that a program shows of a config without asking for its fields."""
    shown = [repr(value), str(value), f"{value}", f"{value!r}", pprint.pformat([value]), repr({"config": value})]
    shown += [repr(dict(value.__rich_repr__())), repr(pickle.dumps(value)), repr(pickle.loads(pickle.dumps(value)))]  # noqa: S301 - our own bytes
    shown += [repr(copy.copy(value)), repr(copy.deepcopy([value]))]
    shown += traceback.format_exception_only(ValueError(value))
    return "\n".join(shown)


@given(KEYS, st.sampled_from(FIELDS), JUNK)
def test_the_key_is_never_shown(key: str, field: str, junk: Any) -> None:
    """Bug: a key in a log line, a traceback, a pickle on a queue, or the error about another field."""
    proxy = f"http://user:{key}@proxy"
    value = OpenRouterConfig(**{"api_key": key, "management_key": key[::-1], "proxy": proxy, field: junk})
    shown = everything_shown(value)
    result = checked(value)
    if isinstance(result, Failure):
        shown += f"{result}{result.failure()}{pickle.dumps(result.failure())!r}"
    else:
        shown += repr(result)
    environ = {f"OPENROUTER_{name}": key for name in ("API_KEY", "MANAGEMENT_KEY")}
    told = OpenRouterConfig.from_env({**environ, "OPENROUTER_TIMEOUT_SECS": str(junk)})
    shown += f"{told}{told.swap().value_or(None)}"
    assert key not in shown
    assert key[::-1] not in shown


def test_the_property_bites() -> None:
    prop, fields = test_the_key_is_never_shown, st.sampled_from(FIELDS)
    caught(prop, KEYS, fields, JUNK, where=c, masked=lambda _name, value: value)
    caught(prop, KEYS, fields, JUNK, where=c, ADDRESSES=())
    caught(prop, KEYS, fields, JUNK, where=c, KEYS=("api_key",))
    caught(prop, KEYS, fields, JUNK, where=OpenRouterConfig, __rich_repr__=msgspec.Struct.__rich_repr__)
    caught(prop, KEYS, fields, JUNK, where=OpenRouterConfig, __repr__=msgspec.Struct.__repr__)


@pytest.mark.parametrize("key", [KEY, KEY.encode(), [KEY], 1234567890123456])
def test_a_key_of_any_type_is_masked(key: Any) -> None:
    value = OpenRouterConfig(api_key=key, management_key=key)
    assert "1234567" not in everything_shown(value)
    assert "api_key='***', management_key='***'" in repr(value)
    assert "1234567" not in str(checked(value).swap().value_or(None))


def test_copies_keep_the_key_and_pickles_do_not() -> None:
    value = config(app_title="T", proxy="http://u:p@proxy:8080", management_key="sk-or-manages")
    assert copy.copy(value).api_key == copy.deepcopy(value).api_key == KEY
    other = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
    assert (other.api_key, other.management_key) == ("", "")
    assert (other.app_title, other.proxy) == ("T", "http://***@proxy:8080")
    assert isinstance(checked(other).failure(), AuthError)


@pytest.mark.parametrize("key", ["", "   ", "\n", None])
def test_an_empty_key_is_an_auth_error(key: Any) -> None:
    error = checked(OpenRouterConfig(api_key=key)).failure()
    assert isinstance(error, AuthError)
    assert "OPENROUTER_API_KEY" in str(error)


@pytest.mark.parametrize("key", ["qq qq", "qq\r\nX-Evil: 1", "qqqq\n", " qqqq", "qschlüssel", "qq\x00", "qq\x7f"])
def test_a_key_that_no_header_can_carry_is_an_auth_error(key: str) -> None:
    for wrong in (OpenRouterConfig(api_key=key), OpenRouterConfig(api_key=KEY, management_key=key)):
        error = checked(wrong).failure()
        assert isinstance(error, AuthError)
        assert key.strip() not in str(error)
        which = "management" if wrong.management_key else "API"
        assert error.message == f"the {which} key contains white space or characters that no key has"


def test_what_is_public_takes_no_key_and_a_bad_one_is_told_all_the_same() -> None:
    assert isinstance(checked(OpenRouterConfig(), keyless=True), Success)
    assert isinstance(checked(OpenRouterConfig(api_key="a b"), keyless=True).failure(), AuthError)


def test_one_of_the_two_keys_is_enough() -> None:
    """Bug: who only manages keys has to make up an inference key."""
    assert isinstance(checked(OpenRouterConfig(management_key=KEY)), Success)
    assert isinstance(checked(OpenRouterConfig(api_key="  ", management_key=KEY)).failure(), AuthError)


# --- every field ----------------------------------------------------------------------------------------------------

BAD: list[tuple[str, Any]] = [
    *((name, value) for name in FIELDS if name.endswith("_secs") for value in (0, -1.0, math.nan, math.inf, 2e9, "1")),
    *((name, None) for name in FIELDS if name.endswith("_secs") and name != "deadline_secs"),
    *((name, value) for name in ("max_retries", "retry_delay_ms", "max_retry_delay_ms")
      for value in (-1, 1.5, "3", None, 10**10)),
    *((name, value) for name in ("max_connections", "max_response_bytes") for value in (0, -5, 2.5, "9", None)),
    *((name, value) for name in FIELDS if name.startswith(("retry_empty", "retry_sent", "safe_", "resolve_", "trust_"))
      for value in (None, 1, "true")),
    *(("max_rate_retries", value) for value in (-1, 1.5, "3", 10**10)),
    *((name, value) for name in FIELDS if name.endswith("_per_minute") for value in (0, -1, math.nan, math.inf, "9")),
    *((name, value) for name in ("max_cost_usd", "assumed_cost_usd") for value in (-0.01, math.nan, math.inf, "1")),
    ("adaptive_limits", None),
    ("allow_http", "yes"),
    ("log_content", 0.0),
    ("hint_spread", -0.1),
    ("hint_spread", 1.1),
    ("hint_spread", math.nan),
    ("jitter", "some"),
    ("jitter", None),
    ("default_model", ""),
    ("default_model", None),
    ("base_url", None),
    ("base_url", b"https://host"),
    ("app_url", 7),
    ("app_title", ["x"]),
    ("app_categories", "one"),
    ("app_categories", (1,)),
    ("app_categories", None),
    ("proxy", 8080),
    ("proxy", "proxy:8080"),
    ("proxy", "socks5://proxy"),
    ("ca_file", 3),
    ("redis_url", 6379),
    ("redis_url", "localhost:6379"),
    ("redis_url", "http://host"),
    ("redis_url", "redis://"),
    ("redis_url", "redis://host:port"),
    ("redis_url", "redis://host/one"),
    ("redis_url", "redis://host/0?password=x"),
    ("redis_url", "redis://h\u00f6st"),
    ("redis_url", "redis://host/0#1"),
    ("redis_url", "unix:///run/my redis"),
    ("redis_url", "unix://"),
    ("redis_processes", 0),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_field_that_does_not_fit_is_named_with_its_value_and_bound(field: str, value: Any) -> None:
    error = refused(checked(config(**{field: value})))
    assert error.field == field
    assert error.value == repr(value)
    assert error.bound
    assert str(error).startswith(f"InvalidRequest: {field} = ")


def test_what_is_shown() -> None:
    """A long value is cut, a key that is missing is seen to be, and what has `://` in its password is masked."""
    assert len(refused(checked(config(app_title=["x" * 999]))).value or "") == 200
    assert "api_key='', management_key=''" in repr(OpenRouterConfig())
    assert dict(config(app_title="T").__rich_repr__())["app_title"] == "T"
    assert c.masked("proxy", "http://user:my://secret@proxy") == "http://***@proxy"


@pytest.mark.parametrize(
    ("field", "value", "bound"),
    [
        ("base_url", "ftp://host", "must be an address such as https://host/path"),
        ("proxy", "http://proxy#1", "must have no query, fragment or spaces"),
        (
            "redis_url",
            "redis://host/0#1",
            "must have no query, fragment or spaces (a password that has them is written with %3F, %23, %20)",
        ),
    ],
)
def test_an_address_that_does_not_fit_says_why(field: str, value: str, bound: str) -> None:
    assert refused(checked(config(**{field: value}))).message == f"{field} = {value!r}: {bound}"


def test_every_field_but_the_key_has_a_bad_value_in_the_list() -> None:
    assert {field for field, _ in BAD} == set(FIELDS) - {"api_key", "management_key"}


def test_what_fits_is_accepted_unchanged() -> None:
    good = config(
        timeout_secs=1, max_retries=0, retry_delay_ms=0, deadline_secs=0.5, jitter="full", app_categories=("a", "b")
    )
    assert checked(good) == Success(good)
    assert checked(config()) == Success(config())


def test_the_defaults_are_the_specified_ones() -> None:
    value = OpenRouterConfig()
    assert (value.base_url, value.default_model) == ("https://openrouter.ai/api/v1", "x-ai/grok-3-latest")
    assert (value.timeout_secs, value.max_retries, value.retry_delay_ms) == (60.0, 3, 1000)
    assert (value.max_retry_delay_ms, value.deadline_secs, value.api_key) == (60_000, None, "")


def test_a_jitter_that_is_none_says_what_there_is() -> None:
    assert str(refused(checked(config(jitter="some")))) == (
        "InvalidRequest: jitter = 'some': must be 'none', 'full' or 'equal'"
    )


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "https://eu.openrouter.ai:8443/api/v1",
        "HTTPS://host",
        "http://localhost:8080",
        "http://api.localhost/v1",
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:8080/v1",
        "https://host/X",
        "https://[2001:db8::1]/v1",
    ],
)
def test_a_safe_address_is_accepted(url: str) -> None:
    assert checked(config(base_url=url)).unwrap().base_url == url
    assert checked(config(base_url=f"{url}/")).unwrap().base_url == url
    assert checked(config(base_url=f"{url}//")).unwrap().base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "openrouter.ai/api/v1",
        "//openrouter.ai",
        "ftp://openrouter.ai",
        "https://",
        "https://:443",
        "https://host:99999",
        "https://host:port",
        "https://[::1",
        "https://h\u00f6st",
        "https://host/\r\nX-Evil: 1",
        "https://host\x00",
        "https://ho\tst",
        "https://host/a b",
        "https://host/v1?key=1",
        "https://host/v1?",
        "https://host/v1#part",
        "https://host/v1#",
        "https://user@host/v1",
        "https://user:secret@host/v1",
        "http://openrouter.ai/api/v1",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
    ],
)
def test_an_unsafe_or_broken_address_is_refused(url: str) -> None:
    error = refused(checked(config(base_url=url)))
    assert error.field == "base_url"
    assert "secret" not in str(error)
    assert "secret" not in everything_shown(config(base_url=url))


def test_the_caller_may_allow_http_but_nothing_else() -> None:
    assert isinstance(checked(config(base_url="http://10.0.0.1:80/v1", allow_http=True)), Success)
    assert refused(checked(config(base_url="http://u:p@10.0.0.1", allow_http=True))).field == "base_url"


def test_a_proxy_may_have_a_password_which_is_masked() -> None:
    value = config(proxy="http://user:pass@word@proxy:3128")
    assert checked(value) == Success(value)
    assert "proxy='http://***@proxy:3128'" in repr(value)
    assert refused(checked(config(proxy="socks5://user:secret@proxy"))).value == "'socks5://***@proxy'"
    assert "secret" not in str(refused(checked(config(proxy=b"http://user:secret@proxy"))))
    assert "secret" not in everything_shown(config(proxy=b"http://user:secret@proxy"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "rediss://user:p%23ss@host:6380/2",
        "redis://[::1]:6379/",
        "unix:///run/redis.sock",
        "unix://:p@/s",
    ],
)
def test_a_redis_is_accepted_and_its_password_is_masked(url: str) -> None:
    value = config(redis_url=url)
    assert checked(value) == Success(value)
    assert "p%23ss" not in everything_shown(value)
    assert ":p@" not in everything_shown(value)
    assert refused(checked(config(redis_url="http://user:secret@host"))).value == "'http://***@host'"


def test_what_is_no_setting_of_a_field_is_named_config() -> None:
    assert c.where(msgspec.ValidationError("Expected `object`, got `int`")) == (
        "config",
        "expected `object`, got `int`",
    )


# --- the environment ------------------------------------------------------------------------------------------------

TOLD: dict[str, tuple[str, Any]] = {
    "api_key": (f" {KEY}\n", KEY),
    "management_key": ("sk-or-v1-manages", "sk-or-v1-manages"),
    "base_url": ("https://eu.openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1"),
    "default_model": ("acme/one", "acme/one"),
    "timeout_secs": ("12.5", 12.5),
    "max_retries": ("7", 7),
    "retry_delay_ms": ("250", 250),
    "max_retry_delay_ms": ("9000", 9000),
    "deadline_secs": ("90", 90.0),
    "connect_timeout_secs": ("3", 3.0),
    "first_event_timeout_secs": ("4", 4.0),
    "idle_timeout_secs": ("5", 5.0),
    "jitter": ("equal", "equal"),
    "hint_spread": ("0.5", 0.5),
    "retry_empty": ("true", True),
    "retry_sent": ("0", False),
    "safe_retries": ("1", True),
    "resolve_retired_models": ("False", False),
    "max_connections": ("20", 20),
    "max_response_bytes": ("1024", 1024),
    "max_rate_retries": ("9", 9),
    "adaptive_limits": ("false", False),
    "requests_per_minute": ("300", 300.0),
    "tokens_per_minute": ("1e5", 1e5),
    "redis_url": ("redis://host:6379/1", "redis://host:6379/1"),
    "redis_processes": ("8", 8),
    "max_cost_usd": ("2.5", 2.5),
    "assumed_cost_usd": ("0.01", 0.01),
    "app_url": ("https://app.example", "https://app.example"),
    "app_title": ("An App", "An App"),
    "app_categories": ("tools, , finance ", ("tools", "finance")),
    "proxy": ("http://proxy:3128", "http://proxy:3128"),
    "trust_env": ("TRUE", True),
    "ca_file": ("/etc/ca.pem", "/etc/ca.pem"),
    "allow_http": ("true", True),
    "log_content": ("1", True),
}


def test_every_field_is_read_from_its_variable() -> None:
    assert set(TOLD) == set(FIELDS)
    environ = {f"OPENROUTER_{name.upper()}": text for name, (text, _) in TOLD.items()}
    read = OpenRouterConfig.from_env(environ | {"OTHER": "x"}).unwrap()
    assert msgspec.structs.asdict(read) == {name: value for name, (_, value) in TOLD.items()}


def test_absent_and_empty_variables_leave_the_default() -> None:
    assert OpenRouterConfig.from_env({}) == Success(OpenRouterConfig())
    assert OpenRouterConfig.from_env({"OPENROUTER_MAX_RETRIES": "", "OPENROUTER_PROXY": "  "}) == Success(
        OpenRouterConfig()
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("OPENROUTER_TIMEOUT_SECS", "60s"),
        ("OPENROUTER_TIMEOUT_SECS", "nan"),
        ("OPENROUTER_MAX_RETRIES", "-1"),
        ("OPENROUTER_TRUST_ENV", "yes"),
        ("OPENROUTER_JITTER", "some"),
        ("OPENROUTER_MAX_CONNECTIONS", "0"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(variable: str, text: str) -> None:
    error = refused(OpenRouterConfig.from_env({variable: text}))
    assert (error.field, error.value) == (variable, repr(text))
    assert error.bound
    assert str(error) == f"InvalidRequest: {variable} = {text!r}: {error.bound}"
