"""An estimate adds up, and its bound is one: no answer that the request allows can cost more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk import estimate
from openrouter_core.bulk.estimate import SHOWN, Estimate, with_flaw, with_row, with_row_in_batch, worst_in_batch
from openrouter_core.prices import Price, worst_case

PRICES = {
    "m/a": Price(prompt=1e-6, completion=2e-6, request=1e-5, context=10_000),
    "m/b": Price(prompt=2e-6, completion=1e-6),
}
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["m/a", "m/b", "m/c"]), st.text("ab", max_size=50), st.one_of(st.none(), st.integers(1, 99))
    ),
    max_size=10,
)


def body(model: str, text: str, most: int | None) -> bytes:
    request: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    return msgspec.json.encode(request if most is None else {**request, "max_completion_tokens": most})


@given(ROWS)
def test_no_run_costs_more_than_its_bound(rows: list[Any]) -> None:
    """The bugs: a bound that leaves out the answers, or counts the price that nobody knows as nothing."""
    made, dearest, unpriced, about, tokens = Estimate(), 0.0, 0, 0.0, 0
    for model, text, most in rows:
        sent, price = body(model, text, most), PRICES.get(model)
        made = estimate.with_row(made, sent, model, most, PRICES)
        longest = most or (None if price is None else price.context)
        if price is None or longest is None:
            unpriced += 1
        else:
            dearest += price.prompt * len(text) / 3 + price.completion * longest + price.request
            about += price.prompt * round(len(sent) / 4) + price.request
        tokens += round(len(sent) / 4)
    assert made.most_usd >= dearest - 1e-12
    assert made.unpriced == unpriced
    assert made.about_usd == pytest.approx(about)
    assert made.about_usd <= made.most_usd
    assert made.prompt_tokens == tokens
    assert (made.most_usd > 0.0) == (unpriced < len(rows))
    assert made.rows == len(rows)
    assert made.unbounded == sum(most is None for _, _, most in rows)
    assert made.most_tokens == sum(most or 0 for _, _, most in rows)


def test_the_property_bites() -> None:
    caught(test_no_run_costs_more_than_its_bound, ROWS, where=estimate, worst_case=lambda *_: 0.0)
    caught(test_no_run_costs_more_than_its_bound, ROWS, where=estimate, priced=lambda *_: PRICES["m/a"])


def test_flaws_are_counted_and_the_first_are_kept() -> None:
    made = Estimate()
    for number in range(SHOWN + 5):
        made = with_flaw(made, f"line {number}")
    assert (made.rows, made.invalid, len(made.flaws), made.flaws[0]) == (SHOWN + 5, SHOWN + 5, SHOWN, "line 0")
    assert with_row(made, body("m/a", "x", 1), "m/a", 1, PRICES).rows == SHOWN + 6


def test_a_row_in_a_batch_has_the_price_of_batches_or_the_full_one() -> None:
    prices = {"m/a": Price(prompt=2.0, completion=2.0), "m/a:batch": Price(prompt=1.0, completion=1.0)}
    body = b'{"max_tokens":10}'
    half = with_row_in_batch(Estimate(), body, "m/a:batch", 10, prices)
    full = with_row_in_batch(Estimate(), body, "m/a:batch", 10, {"m/a": prices["m/a"]})
    assert (half.full_price, full.full_price) == (0, 1)
    assert (half.most_tokens, half.unbounded) == (10, 0)
    assert 0 < half.most_usd < full.most_usd
    named = b'{"model":"m/a:batch","max_tokens":10}'
    assert worst_in_batch(body, "m/a:batch", prices) == worst_case(named, prices)
    assert worst_in_batch(b'{"n":1}', "m/a:batch", prices) is None  # without a bound on its answer
