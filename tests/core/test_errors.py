"""Errors are values: they pickle, compare, go through JSON, and print as one line."""

from __future__ import annotations

import copy
import pickle
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from tests.core.mutants import caught
from tests.core.outcomes import ERRORS, OWN

from openrouter_core import errors as e
from openrouter_core.wire.attempt import Attempt

ANY_ERROR: Any = e.AnyError


def test_the_union_of_errors_is_closed_over_all_variants() -> None:
    assert set(get_args(e.AnyError)) == set(OWN)


@given(ERRORS)
def test_an_error_survives_pickle_copy_and_json(error: e.DataSourceError) -> None:
    """Bug: an error that crosses a process, or comes back from a journal, as something else or not at all."""
    for other in (
        pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
        copy.deepcopy(error),
        msgspec.json.decode(msgspec.json.encode(error), type=ANY_ERROR),
    ):
        assert other == error
        assert type(other) is type(error)


@given(ERRORS)
def test_an_error_prints_as_one_line_that_names_it_and_says_its_message(error: e.DataSourceError) -> None:
    """Bug: a provider's message of many lines tears a log apart, or is left out."""
    line = str(error)
    assert line.splitlines() == [line]
    assert line.startswith(type(error).__name__)
    assert " ".join(error.message.split()).rstrip(". ") in line


def test_the_properties_bite() -> None:
    caught(
        test_an_error_prints_as_one_line_that_names_it_and_says_its_message,
        ERRORS,
        where=e.DataSourceError,
        __str__=lambda self: f"{type(self).__name__}: {self.message}",
    )
    caught(
        test_an_error_prints_as_one_line_that_names_it_and_says_its_message,
        ERRORS,
        where=e.DataSourceError,
        __str__=lambda self: f"{type(self).__name__}: {self.advice()}",
    )
    caught(
        test_an_error_survives_pickle_copy_and_json,
        ERRORS,
        where=e.DataSourceError,
        __eq__=lambda self, other: self is other,
    )


def made(kind: type[e.DataSourceError], message: str) -> e.DataSourceError:
    """An error of a kind, with as little as it needs."""
    needs: dict[str, Any] = {"cause": e.AuthError(message="no")} if kind is e.ToolLoopFailed else {}
    return kind(message=message, **needs)


@pytest.mark.parametrize("kind", OWN)
def test_two_kinds_are_never_equal(kind: type[e.DataSourceError]) -> None:
    assert made(kind, "m") == made(kind, "m")
    assert made(kind, "m") != made(kind, "n")
    assert all(made(kind, "m") != made(other, "m") for other in OWN if other is not kind)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            e.RateLimited(message="Slow down.", status=429, code=429, provider_name="Acme", retry_after=12.0),
            "RateLimited: Slow down [HTTP 429, Acme]. Try again in 12 s",
        ),
        (
            e.RateLimited(message="Slow\r\n down", status=200, code="429", generation_id="gen-1"),
            "RateLimited: Slow down [HTTP 200, code 429, gen-1]. Send less at a time, or raise max_retries",
        ),
        (
            e.ProviderError(
                message="overloaded",
                error_type="provider_overloaded",
                attempts=(
                    Attempt(number=1, started=0.0, ended=1.0, outcome="HTTP 503"),
                    Attempt(number=2, started=2.0, ended=3.25, outcome="HTTP 503", waited=1.0),
                    Attempt(number=3, started=5.25, ended=6.5, outcome="HTTP 503", waited=2.0),
                ),
            ),
            "ProviderError: overloaded [provider_overloaded, 3 attempts in 6.5 s]",
        ),
        (
            e.ParseError(
                message="no JSON",
                attempts=(
                    Attempt(number=1, started=0.0, ended=1.0, outcome="no JSON"),
                    Attempt(number=2, started=2.0, ended=3.25, outcome="no JSON", waited=1.0),
                ),
            ),
            "ParseError: no JSON [2 attempts in 3.2 s]",
        ),
        (e.NotFound(message="no such model"), "NotFound: no such model"),
        (
            e.BudgetExceeded(message="too dear", maximum=1.0, worst=2.0, missing=1.0),
            "BudgetExceeded: too dear. Raise max_cost_usd, or lower max_completion_tokens",
        ),
        (
            e.BudgetExceeded(message="who knows", maximum=1.0),
            "BudgetExceeded: who knows. Set max_completion_tokens and load_prices() first, or set assumed_cost_usd",
        ),
        (
            e.NotFound(
                message="no model X. ", attempts=(Attempt(number=1, started=0.0, ended=1.0, outcome="HTTP 404"),)
            ),
            "NotFound: no model X",
        ),
    ],
)
def test_a_line_tells_what_who_how_often_and_what_to_do(error: e.DataSourceError, line: str) -> None:
    assert str(error) == line


def test_every_kind_that_a_person_can_mend_says_how() -> None:
    for kind in (e.AuthError, e.InsufficientCredits, e.ConnectError, e.Disconnected, e.RateLimited):
        assert kind(message="m").advice()
    assert e.ToolLoopFailed(message="m", cause=e.AuthError(message="no")).advice() == e.AuthError.remedy


def test_known_and_replaced_keep_the_type() -> None:
    error: e.DataSourceError = e.Forbidden(message="no")
    assert e.known(error) is error
    assert e.replaced(error, message="never") == e.Forbidden(message="never")


def test_a_missing_key_says_where_it_is_set() -> None:
    assert "OPENROUTER_API_KEY" in str(e.AuthError(message="no"))
    managing = e.AuthError(message="no", key="management")
    assert managing.advice().startswith("Set OPENROUTER_MANAGEMENT_KEY or ")
    assert managing.advice().endswith(" a management key from openrouter.ai/settings/management-keys")
