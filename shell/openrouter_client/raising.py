"""For callers who prefer exceptions: the one place that raises."""

from __future__ import annotations

from typing import TypeVar

from returns.result import Failure, Result, Success

from openrouter_core.errors import DataSourceError

T = TypeVar("T")


class OpenRouterError(Exception):
    """A `DataSourceError` as an exception; the error itself is in `error`."""

    def __init__(self, error: DataSourceError) -> None:
        super().__init__(error)
        self.error = error

    def __str__(self) -> str:
        return str(self.error)


def unwrap(result: Result[T, DataSourceError]) -> T:
    """Give the value of a result, or raise an `OpenRouterError` that carries its error."""
    match result:
        case Success(value):
            return value  # type: ignore[no-any-return] # a pattern tells mypy no type here
        case Failure(error):
            raise OpenRouterError(error)
        case _:
            raise TypeError(f"unwrap takes a Result, not {type(result).__name__}")
