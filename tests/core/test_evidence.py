"""What the limiters are told of an attempt's end."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from openrouter_core.errors import (
    AuthError,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    EmptyCompletion,
    InsufficientCredits,
    InvalidRequest,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
)
from openrouter_core.evidence import asked, seen_in_answer, seen_in_error
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.limit.standard import FREE, scopes
from openrouter_core.wire.generation import Generation
from openrouter_core.wire.messages import MessagesResponse, MessagesUsage
from openrouter_core.wire.response import ChatCompletionResponse, Usage
from openrouter_core.wire.videos import Video, VideoUsage

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
    assert seen_in_error(theirs, PAID) == Seen(kind="rate", hint=3.0, scope="x-ai/grok-4.7", cost=0.0)
    assert seen_in_error(theirs, Ask()).scope == ""
    assert seen_in_error(msgspec.structs.replace(theirs, resets_at=9e8), PAID).resets_at is None
    assert seen_in_error(InsufficientCredits(message="", retry_after=2.0), PAID).hint == 2.0
    ours = RateLimited(message="limit", provider_name="Google", retry_after=3.0, limit=20.0, window_secs=60.0)
    ours = msgspec.structs.replace(ours, resets_at=9e8)
    assert seen_in_error(ours, FOR_FREE) == Seen(
        kind="rate", hint=3.0, limit=20.0, resets_in=3.0, resets_at=9e8, window=60.0, scope=FREE, cost=0.0
    )
    assert seen_in_error(ours, PAID).scope == ""
    assert seen_in_error(ProviderError(message="", provider_name="xAI"), PAID).scope == "x-ai/grok-4.7"


def test_an_answer_tells_its_tokens() -> None:
    """Bug: tokens that were estimated are never settled."""
    answer = ChatCompletionResponse(usage=Usage(total_tokens=12, cost=0.5))
    assert seen_in_answer(answer) == Seen(kind="ok", tokens=12, cost=0.5)
    assert seen_in_answer(ChatCompletionResponse(usage=Usage(total_tokens=12))).cost is None
    assert seen_in_answer(ChatCompletionResponse()) == Seen(kind="ok")
    assert seen_in_answer({"anything": 1}) == Seen(kind="ok")
    bare = msgspec.defstruct("Bare", [("total_tokens", int)])(5)
    assert seen_in_answer(msgspec.defstruct("Answer", ["usage"])(bare)) == Seen(kind="ok", tokens=5)


def test_other_answers_tell_their_tokens_too_in_their_own_words() -> None:
    """Bug: a message's tokens are never settled; or an amount of money called `usage` is taken for an account of it."""
    told = MessagesResponse(content=[], usage=MessagesUsage(input_tokens=3, output_tokens=4, cost=0.5))
    assert seen_in_answer(told) == Seen(kind="ok", tokens=7, cost=0.5)
    assert seen_in_answer(MessagesResponse(content=[], usage=MessagesUsage(output_tokens=4))).tokens == 4
    assert seen_in_answer(MessagesResponse(content=[], usage=MessagesUsage(input_tokens=3))).tokens == 3
    assert seen_in_answer(MessagesResponse(content=[], usage=MessagesUsage())).tokens is None
    assert seen_in_answer(Video(id="v", status="pending", usage=VideoUsage(cost=2.0))).cost == 2.0
    assert seen_in_answer(Generation(id="g", usage=Decimal(1))) == Seen(kind="ok")


def test_what_is_asked_names_the_model_and_estimates_its_tokens() -> None:
    """Bug: a call without a model, or without a bound on its answer, cannot be booked."""
    assert asked("x-ai/grok-4.7", b"x" * 400, 50) == Ask(("x-ai/grok-4.7",), 150.0)
    assert asked("", b"", None) == Ask()
    assert asked("", b"", None, 0.25) == Ask(worst=0.25)


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (ConnectError(message=""), 0.0),
        (Timeout(message="", sent=False), 0.0),
        (Timeout(message=""), None),
        (Disconnected(message=""), None),
        (TruncatedStream(message=""), None),
        (TruncatedStream(message="", partial=ChatCompletionResponse(usage=Usage(cost=0.3))), 0.3),
        (TruncatedStream(message="", partial=ChatCompletionResponse()), None),
        (ProviderError(message="", status=503), 0.0),
        (ProviderError(message="", status=524), None),
        (ProviderError(message="", status=200, code=504), None),
        (InvalidRequest(message="", status=400), 0.0),
        (RateLimited(message=""), 0.0),
        (ParseError(message="", status=200), None),
        (EmptyCompletion(message="", status=200), None),
        (DeadlineExceeded(message="", cause=ProviderError(message="", status=502)), 0.0),
        (DeadlineExceeded(message=""), None),
    ],
)
def test_what_nobody_told_the_cost_of_is_never_free(error: DataSourceError, cost: float | None) -> None:
    """Bug: a call that was lost on the way back counts as nothing, and the budget is overspent."""
    assert seen_in_error(error, PAID).cost == cost
