"""What the limiters are told of an attempt's end."""

from __future__ import annotations

import pytest

from openrouter_core.errors import (
    AuthError,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    InsufficientCredits,
    ProviderError,
    RateLimited,
    Timeout,
)
from openrouter_core.evidence import asked, seen_in_answer, seen_in_error
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.limit.standard import FREE, scopes
from openrouter_core.wire.response import ChatCompletionResponse, Usage

PAID, FOR_FREE = Ask(scopes("x-ai/grok-4.7")), Ask(scopes("vendor/model:free"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RateLimited(message=""), "rate"),
        (InsufficientCredits(message="", retry_after=2.0), "rate"),
        (InsufficientCredits(message=""), "other"),
        (RateLimited(message="", retry_after=120.0), "rate"),
        (RateLimited(message="", retry_after=121.0, limit=50.0), "other"),
        (ProviderError(message=""), "server"),
        (Disconnected(message=""), "server"),
        (ConnectError(message=""), "server"),
        (Timeout(message=""), "timeout"),
        (AuthError(message=""), "other"),
        (DeadlineExceeded(message=""), "other"),
    ],
)
def test_each_error_is_one_kind_of_event(error: DataSourceError, kind: str) -> None:
    """Bug: a wrong key, or an empty account, slows all calls down."""
    assert seen_in_error(error, PAID).kind == kind


def test_a_providers_refusal_is_blamed_on_the_model_and_its_own_quota_on_the_key() -> None:
    """Bug: one provider's limit slows all models, or the key's own quota only one."""
    theirs = RateLimited(message="Provider returned error", provider_name="Google", retry_after=3.0)
    assert seen_in_error(theirs, PAID) == Seen(kind="rate", hint=3.0, scope="x-ai/grok-4.7")
    assert seen_in_error(theirs, Ask()).scope == ""
    ours = RateLimited(message="limit", provider_name="Google", retry_after=3.0, limit=20.0, window_secs=60.0)
    assert seen_in_error(ours, FOR_FREE) == Seen(
        kind="rate", hint=3.0, limit=20.0, resets_in=3.0, window=60.0, scope=FREE
    )
    assert seen_in_error(ours, PAID).scope == ""
    assert seen_in_error(ProviderError(message="", provider_name="xAI"), PAID).scope == "x-ai/grok-4.7"


def test_an_answer_tells_its_tokens() -> None:
    """Bug: tokens that were estimated are never settled."""
    assert seen_in_answer(ChatCompletionResponse(usage=Usage(total_tokens=12))) == Seen(kind="ok", tokens=12)
    assert seen_in_answer(ChatCompletionResponse()) == Seen(kind="ok")
    assert seen_in_answer({"anything": 1}) == Seen(kind="ok")


def test_what_is_asked_names_the_model_and_estimates_its_tokens() -> None:
    """Bug: a call without a model, or without a bound on its answer, cannot be booked."""
    assert asked("x-ai/grok-4.7", b"x" * 400, 50) == Ask(("x-ai/grok-4.7",), 150.0)
    assert asked("", b"", None) == Ask()
