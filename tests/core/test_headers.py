"""headers: what a request's options become, and that nothing can be smuggled in by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from openrouter_core.headers import RESERVED, app_headers, merge
from openrouter_core.wire.options import RequestOptions

BASE = (("Content-Type", "application/json"), ("X-OpenRouter-Title", "mine"))


def merged(**options: Any) -> dict[str, str]:
    return dict(merge((), msgspec.to_builtins(RequestOptions(**options))).unwrap())


@given(st.text() | st.sampled_from(["a\r\nX: y", "a\x00", "\x7f", "\t"]), st.text() | st.sampled_from(["X-A", "Host"]))
def test_no_header_breaks_out_of_its_line(value: str, name: str) -> None:
    """Catches header injection: a line break in a value would add headers of the caller's prompt's choosing."""
    for result in (app_headers(value, value, [value]), merge((), {"session_id": value, "headers": {name: value}})):
        for header, text in result.value_or(()):
            assert (header + text).isascii()
            assert (header + text).isprintable()
            assert header.lower() not in RESERVED


@given(st.text(min_size=1).filter(lambda text: not text.isascii() or not text.isprintable()))
def test_a_refused_value_is_not_shown(value: str) -> None:
    """Catches secrets in error messages: a header may carry one."""
    error = merge((), {"headers": {"X-Secret": f"sk-or-{value}"}}).failure()
    assert "sk-or-" not in str(error)
    assert error.field == "options.headers['X-Secret']"


@pytest.mark.parametrize(
    ("option", "header"),
    [
        ({"session_id": "s"}, {"x-session-id": "s"}),
        ({"cache": True}, {"X-OpenRouter-Cache": "true"}),
        ({"cache": False}, {"X-OpenRouter-Cache": "false"}),
        ({"cache_ttl_secs": 60}, {"X-OpenRouter-Cache-TTL": "60"}),
        ({"cache_clear": True}, {"X-OpenRouter-Cache-Clear": "true"}),
        ({"metadata": True}, {"X-OpenRouter-Metadata": "enabled"}),
        ({"metadata": False}, {"X-OpenRouter-Metadata": "disabled"}),
        ({"anthropic_beta": "a"}, {"x-anthropic-beta": "a"}),
        ({"anthropic_beta": ["a", "b"]}, {"x-anthropic-beta": "a,b"}),
        ({"app_visibility": "private"}, {"X-OpenRouter-App-Visibility": "private"}),
        ({"headers": {"X-Trace": "1"}}, {"X-Trace": "1"}),
        ({"cache": True, "headers": {"x-openrouter-cache": "false"}}, {"x-openrouter-cache": "false"}),
        ({}, {}),
    ],
)
def test_options_as_headers(option: dict[str, Any], header: dict[str, str]) -> None:
    assert merged(**option) == header


def test_a_request_wins_over_the_standing_headers_and_without_options_they_are_kept() -> None:
    assert merge(BASE, None) == Success(BASE)
    assert merge(BASE, {"headers": {"x-openrouter-title": "yours"}}) == Success(
        (BASE[0], ("x-openrouter-title", "yours"))
    )


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", *sorted(RESERVED), "AUTHORIZATION", "Host"])
def test_names_that_cannot_be_set(name: str) -> None:
    assert isinstance(merge((), {"headers": {name: "x"}}), Failure)


def test_the_headers_of_an_application() -> None:
    assert app_headers("https://a.example", "A", ("cli", "agents")).unwrap() == (
        ("HTTP-Referer", "https://a.example"),
        ("X-OpenRouter-Title", "A"),
        ("X-OpenRouter-Categories", "cli,agents"),
    )
    assert app_headers() == app_headers("", "", "") == Success(())
    assert app_headers(app_title="A\nB").failure().field == "app_title"
    assert app_headers(app_categories="a,é").failure().field == "app_categories"


def test_an_app_is_known_by_three_headers() -> None:
    headers = app_headers("https://app", "App", "games").unwrap()
    assert headers == (
        ("HTTP-Referer", "https://app"), ("X-OpenRouter-Title", "App"), ("X-OpenRouter-Categories", "games")
    )  # fmt: skip
    assert app_headers(None, None, ["a", "b"]).unwrap() == (("X-OpenRouter-Categories", "a,b"),)
    assert app_headers() == Success(())


@pytest.mark.parametrize(
    ("made", "field", "words"),
    [
        (lambda: app_headers("a\nb"), "app_url", "printable ASCII"),
        (lambda: app_headers("a", "b\n"), "app_title", "printable ASCII"),
        (lambda: app_headers(app_categories=["a", "\n"]), "app_categories", "printable ASCII"),
        (lambda: merge((), {"session_id": "\n"}), "options.session_id", "printable ASCII"),
        (lambda: merge((), {"headers": {"a b": "c"}}), "options.headers['a b']", "a header's name"),
        (lambda: merge((), {"headers": {"": "c"}}), "options.headers['']", "a header's name"),
        (lambda: merge((), {"headers": {"Host": "c"}}), "options.headers['Host']", "cannot be set"),
    ],
)
def test_what_is_wrong_with_a_header_is_named(made: Callable[[], Any], field: str, words: str) -> None:
    error = made().failure()
    assert error.field == field
    assert words in error.message
