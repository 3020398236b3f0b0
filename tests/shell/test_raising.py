"""Exceptions, for those who prefer them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from returns.result import Failure, Success

from openrouter_client import Attempt, OpenRouterError, RateLimited, unwrap

ERROR = RateLimited(
    message="slow down", status=429, attempts=(Attempt(number=1, started=0.0, ended=0.5, outcome="HTTP 429"),)
)


def test_a_success_gives_its_value() -> None:
    assert unwrap(Success(5)) == 5


def test_a_failure_is_raised_with_its_error() -> None:
    with pytest.raises(OpenRouterError, match="slow down") as raised:
        unwrap(Failure(ERROR))
    assert raised.value.error is ERROR
    assert str(raised.value) == str(ERROR)


def test_the_exception_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(OpenRouterError(ERROR)))  # noqa: S301 - our own
    assert isinstance(again, OpenRouterError)
    assert again.error == ERROR


@pytest.mark.parametrize("other", [None, 5, ERROR])
def test_anything_else_is_a_mistake(other: Any) -> None:
    with pytest.raises(TypeError, match="Result"):
        unwrap(other)
