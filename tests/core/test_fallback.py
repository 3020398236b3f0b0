"""Which model to ask instead: what OpenRouter does by itself is left to it."""

from __future__ import annotations

from typing import Any

import pytest
from returns.result import Failure, Success

from openrouter_core import errors
from openrouter_core.fallback import SEEN_BY_CLIENT, SEEN_BY_SERVER, Fallback, by_server, checked_fallbacks


def test_the_names_are_names_of_errors() -> None:
    assert all(issubclass(getattr(errors, name), errors.DataSourceError) for name in SEEN_BY_SERVER + SEEN_BY_CLIENT)


def test_only_the_first_ones_that_need_nothing_that_the_client_sees_are_the_servers() -> None:
    """Bug: a model is asked out of its turn, or after errors that it is not meant for."""
    a, b = Fallback("a", SEEN_BY_SERVER), Fallback("b", ("RateLimited",))
    anything, slow = Fallback("c"), Fallback("d", ("Timeout",))
    assert by_server([a, b, slow, a]) == ("a", "b")
    assert by_server([anything, a]) == ()
    assert by_server([]) == ()
    assert checked_fallbacks([a, anything]) == Success((a, anything))


@pytest.mark.parametrize(
    ("fallbacks", "told"),
    [
        (["acme/one"], "fallbacks[0] = 'acme/one': must be a Fallback"),
        ([Fallback("a"), Fallback("")], "fallbacks[1].model = '': must be the slug of a model"),
        ([Fallback(7)], "fallbacks[0].model = 7: must be the slug of a model"),  # type: ignore[arg-type]  # as a caller may err
        (
            [Fallback("a", ("Timeout", "Slowness"))],
            "fallbacks[0].after = ('Timeout', 'Slowness'): must be some of RateLimited, ProviderError, NotFound, ",
        ),
        ([Fallback("a", ())], "fallbacks[0].after = (): must be some of RateLimited, ProviderError, NotFound, "),
    ],
)
def test_what_is_no_fallback_is_refused(fallbacks: Any, told: str) -> None:
    refused = checked_fallbacks(fallbacks)
    assert isinstance(refused, Failure)
    assert refused.failure().message.startswith(told)
    assert refused.failure().field == told.partition(" ")[0]
