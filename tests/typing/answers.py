"""How users read what comes back, as their type checkers see it. Never run, only checked."""

from __future__ import annotations

from typing import assert_type

from openrouter_client import (
    ChatCompletionResponse,
    Choice,
    DataSourceError,
    Failure,
    OpenRouterError,
    ResponseMessage,
    Result,
    Success,
    Usage,
    unwrap,
)

Answer = Result[ChatCompletionResponse, DataSourceError]


def matched(result: Answer) -> str:
    """The usual way: one case for each side."""
    match result:
        case Success(response):
            text: str = response.text
            return text
        case Failure(error):
            reason: str = error.message
            return reason
        case _:  # returns does not declare Result as closed, so checkers want this case
            raise AssertionError(result)


def chained(result: Answer) -> None:
    """Result's own methods keep the types."""
    assert_type(result.map(lambda response: response.text), Result[str, DataSourceError])
    assert_type(result.map(lambda response: response.text).value_or(""), str)
    assert_type(result.alt(str), Result[ChatCompletionResponse, str])
    assert_type(result.unwrap(), ChatCompletionResponse)
    assert_type(result.failure(), DataSourceError)


def raised(result: Answer) -> str:
    """For those who would rather have exceptions."""
    try:
        return unwrap(result).text
    except OpenRouterError as raised:
        assert_type(raised.error, DataSourceError)
        return str(raised.error)


def read(response: ChatCompletionResponse) -> None:
    """Nearly everything may be missing from an answer, and the types say so."""
    assert_type(response.text, str)
    assert_type(response.id, str | None)
    assert_type(response.model, str | None)
    assert_type(response.provider, str | None)
    assert_type(response.choices, list[Choice] | None)
    assert_type(response.usage, Usage | None)
    for choice in response.choices or []:
        assert_type(choice.message, ResponseMessage | None)
        assert_type(choice.finish_reason, str | None)
    if response.usage is not None:
        assert_type(response.usage.cost, float | None)
        assert_type(response.usage.prompt_tokens, int | None)
