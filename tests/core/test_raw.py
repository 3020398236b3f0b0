"""raw: any path of the API, and no other address; what comes back is what came."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success
from tests.core.outcomes import failed, said

from openrouter_core.classify import classify
from openrouter_core.endpoint import CallSettings, HttpRequest, Key, Raw
from openrouter_core.errors import InvalidRequest, NotFound, ProviderError
from openrouter_core.raw import build_raw, raw_endpoint
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient
from openrouter_core.wire.params import Parameters

HOME = CallSettings(base_url="https://host/api/v1", headers=(("HTTP-Referer", "https://me"),))


def built(method: str, path: str, key: Key = "inference", **how: Any) -> Any:
    return build_raw(raw_endpoint(method, path, key, repeat=False), HOME, **how)


def refused(method: str, path: str, key: Any = "inference", **how: Any) -> str | None:
    error = built(method, path, key, **how).failure()
    assert isinstance(error, InvalidRequest)
    return error.field


def test_a_request_is_what_its_words_say() -> None:
    sent = built("POST", "/any/thing", "management", json={"a": Decimal("1.50")}, headers={"X-A": "b"})
    headers = (("HTTP-Referer", "https://me"), ("Content-Type", "application/json"), ("X-A", "b"))
    url = "https://host/api/v1/any/thing"
    assert isinstance(sent, Success)
    request = sent.unwrap()
    assert sorted(request.headers) == sorted(headers)
    assert (request.method, request.url, request.body, request.key) == ("POST", url, b'{"a":1.50}', "management")
    plain = built("GET", "/any/thing").unwrap()
    assert plain == HttpRequest("GET", url, (("HTTP-Referer", "https://me"),))
    asked = built("GET", "/x", query={"a": "b c", "n": 1, "yes": True}).unwrap()
    assert asked.url == "https://host/api/v1/x?a=b%20c&n=1&yes=true"
    assert built("GET", "/x", query={"a/b": "c/d"}).unwrap().url == "https://host/api/v1/x?a%2Fb=c%2Fd"
    endpoint = raw_endpoint("GET", "/x", "none", repeat=False)
    assert build_raw(endpoint, CallSettings(base_url="https://host/X/")).unwrap().url == "https://host/X/x"
    assert endpoint.params is Parameters


@given(st.text())
def test_whatever_the_path_is_the_key_stays_at_home(path: str) -> None:
    """Bug: `@evil.host`, `//evil.host` or `/../..` take the key to another address."""
    result = built("GET", path)
    if isinstance(result, Success):
        parts = urlsplit(result.unwrap().url)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "host", "", "")
        assert parts.path == "/api/v1" + path
        assert not {".", ".."} & set(parts.path.split("/"))


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))))
def test_any_query_comes_out_as_it_went_in(query: dict[str, str]) -> None:
    url = built("GET", "/x", query=query).unwrap().url
    assert dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == query
    assert unquote(url).isprintable() or query


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("FETCH", "/x"), "method"),
        (("get", "/x"), "method"),
        (("GET", "/a/./b"), "path"),
        (("GET", "x"), "path"),
        (("GET", "https://evil"), "path"),
        (("GET", "/x?y"), "path"),
        (("GET", "/x#y"), "path"),
        (("GET", "/a/../b"), "path"),
        (("GET", "/ü"), "path"),
        (("GET", "/x", "mine"), "key"),
    ],
)
def test_what_cannot_be_sent_is_refused(given: tuple[Any, ...], field: str) -> None:
    assert refused(*given) == field


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("FETCH", "/x"), "method = 'FETCH': must be one of GET, HEAD, POST, PUT, PATCH, DELETE"),
        (("GET", "/x", "mine"), "key = 'mine': must be one of inference, management, none"),
        (
            ("GET", "x"),
            "path = 'x': must begin with / and be percent-encoded, without ?, # and the steps . and ..",
        ),
    ],
)
def test_a_refusal_says_what_there_is(given: tuple[Any, ...], message: str) -> None:
    assert built(*given).failure().message == message


def test_bodies_headers_and_queries_that_cannot_be_sent_are_refused() -> None:
    assert refused("POST", "/x", json=object()) == "json"
    assert refused("POST", "/x", json="\ud800") == "json"
    assert refused("POST", "/x", json={"a": Decimal("NaN")}) == "json.a"
    assert refused("GET", "/x", headers={"Authorization": "mine"}) is not None
    error = built("GET", "/x", query={"a": "\ud800"}).failure()
    assert error.message == "query['a'] must be text without lone surrogates"


def test_a_method_that_may_make_something_is_sent_once_unless_the_caller_says_so() -> None:
    repeatable = {m: raw_endpoint(m, "/", "none", repeat=False).repeatable for m in ("GET", "PUT", "POST", "PATCH")}
    assert repeatable == {"GET": True, "PUT": True, "POST": False, "PATCH": False}
    assert raw_endpoint("POST", "/", "none", repeat=True).repeatable


def test_a_good_answer_is_given_as_it_came_and_a_failure_is_one() -> None:
    """Bug: an error inside a 200 is handed over as an answer."""
    endpoint = raw_endpoint("GET", "/x", "none", repeat=False)
    good = classify(endpoint, said(b"any\xff", 201, {"x-a": "b"}), Rules())
    assert good == Accepted(Raw(201, {"x-a": "b"}, b"any\xff"))
    assert Raw(200, {}, b' {"a": 1}').json() == {"a": 1}
    found = classify(endpoint, failed(404), Rules())
    assert isinstance(found, Permanent)
    assert isinstance(found.error, NotFound)
    inside = classify(endpoint, failed(200, {"content-type": "application/json"}, code=502), Rules())
    assert isinstance(inside, Transient)
    assert isinstance(inside.error, ProviderError)
