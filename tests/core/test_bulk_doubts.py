"""A call in doubt is taken for free only where its record says so, and for answered only with its answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk import doubts
from openrouter_core.bulk.doubts import CACHE_SECS, Answered, Free, Paid, Unknown, cached
from openrouter_core.wire.generation import Generation, GenerationContent, GenerationOutput
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

COSTS = st.one_of(st.none(), st.just(Decimal(0)), st.decimals(0, 5, allow_nan=False))
TOKENS = st.one_of(st.none(), st.just(0), st.integers(1, 9))
TEXTS = st.one_of(st.none(), st.text(max_size=5))
ENDS = st.sampled_from([None, "stop", "length", "tool_calls", "error"])


def content(text: str | None) -> GenerationContent:
    return GenerationContent(output=GenerationOutput(completion=text))


@given(COSTS, COSTS, TOKENS, TOKENS, TEXTS, ENDS)
def test_what_was_paid_is_never_taken_for_free(  # noqa: PLR0917 - a property's values
    total: Decimal | None, usage: Decimal | None, native: int | None, tokens: int | None, text: str | None,
    ends: str | None,
) -> None:  # fmt: skip
    """The bugs: a call that is asked again although it was paid, and an answer out of nothing, or thrown away."""
    record = Generation(
        id="gen-1",
        total_cost=total,
        usage=usage,
        native_tokens_completion=native,
        tokens_completion=tokens,
        finish_reason=ends,
    )
    cost, found = usage if total is None else total, doubts.settled(record, content(text))
    match found:
        case Free():
            assert not any((cost, native, tokens))
        case Unknown():
            assert cost is None
        case Paid(paid):
            assert any((cost, native, tokens))
            assert not text or ends not in {"stop", "length"}
            assert paid == pytest.approx(float(cost or 0))
        case Answered(answer):
            assert (answer.text, answer.finish_reason, answer.cost) == (text, ends, float(cost or 0))
            assert text


def test_the_property_bites() -> None:
    strategies = (COSTS, COSTS, TOKENS, TOKENS, TEXTS, ENDS)
    generous: Any = lambda record, content: Free()  # noqa: E731, ARG005 - a planted bug
    caught(test_what_was_paid_is_never_taken_for_free, *strategies, where=doubts, settled=generous)


def test_the_answer_is_made_of_the_record() -> None:
    record = Generation(id="g", model="m/a", provider_name="P", usage=Decimal("0.5"), finish_reason="stop",
                        tokens_prompt=3, tokens_completion=4)  # fmt: skip
    found = doubts.settled(record, content("yes"))
    assert isinstance(found, Answered)
    assert found.answer == ChatCompletionResponse(
        id="g",
        model="m/a",
        provider="P",
        choices=[Choice(index=0, finish_reason="stop", message=ResponseMessage(role="assistant", content="yes"))],
        usage=Usage(prompt_tokens=3, completion_tokens=4, cost=0.5),
    )
    billed = msgspec.structs.replace(record, native_tokens_prompt=5, native_tokens_completion=0)
    usage = doubts.answer_of(billed, "yes", 0.5).usage
    assert usage == Usage(prompt_tokens=5, completion_tokens=0, cost=0.5)
    assert doubts.settled(record, None) == doubts.settled(record, GenerationContent()) == Paid(0.5)


def test_the_cache_is_trusted_for_a_while() -> None:
    assert cached(100.0, 100.0, safe=True)
    assert cached(100.0, 100.0 + CACHE_SECS - 1, safe=True)
    assert not cached(100.0, 100.0 + CACHE_SECS, safe=True)
    assert not cached(100.0, 101.0, safe=False)
    assert not cached(None, 101.0, safe=True)
    assert not cached(100.0, 99.0, safe=True)
