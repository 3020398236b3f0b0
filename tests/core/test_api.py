"""The table of endpoints."""

from __future__ import annotations

from openrouter_core import api
from openrouter_core.endpoint import Endpoint
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse


def test_chat_completions_is_where_openrouter_has_it() -> None:
    endpoint = api.CHAT_COMPLETIONS
    assert (endpoint.method, endpoint.path, endpoint.key) == ("POST", "/chat/completions", "inference")
    assert (endpoint.params, endpoint.answer) == (ChatCompletionRequest, ChatCompletionResponse)


def test_every_path_is_relative_to_the_base_url_and_belongs_to_one_endpoint() -> None:
    endpoints = [value for value in vars(api).values() if isinstance(value, Endpoint)]
    assert all(endpoint.path.startswith("/") and not endpoint.path.endswith("/") for endpoint in endpoints)
    assert len({(endpoint.method, endpoint.path) for endpoint in endpoints}) == len(endpoints)
