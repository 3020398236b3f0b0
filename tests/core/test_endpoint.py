"""An endpoint and the request that a call of it becomes are plain values."""

from __future__ import annotations

import msgspec
import pytest

from openrouter_core.endpoint import Endpoint, HttpRequest


class Ask(msgspec.Struct):
    question: str


class Told(msgspec.Struct):
    answer: str


def test_an_endpoint_says_where_it_is_and_what_it_takes_and_gives() -> None:
    endpoint: Endpoint[Ask, Told] = Endpoint("GET", "/oracle", Ask, Told, key="none", repeatable=False)
    assert (endpoint.method, endpoint.path) == ("GET", "/oracle")
    assert (endpoint.params, endpoint.answer) == (Ask, Told)
    assert endpoint == Endpoint("GET", "/oracle", Ask, Told, key="none", repeatable=False)


def test_the_common_case_needs_an_inference_key_and_may_be_repeated() -> None:
    endpoint = Endpoint("POST", "/oracle", Ask, Told)
    assert endpoint.key == "inference"
    assert endpoint.repeatable


def test_a_request_is_frozen_and_has_no_authorization_of_its_own() -> None:
    request = HttpRequest("POST", "https://host/x", (("X-A", "b"),), b"{}")
    assert "authorization" not in {name.lower() for name, _ in request.headers}
    with pytest.raises(AttributeError):
        request.body = b"else"  # type: ignore[misc] # frozen is what is tested
    assert HttpRequest("GET", "https://host/x") == HttpRequest("GET", "https://host/x", (), b"")
