"""What an attempt can cost at worst: never less than what it costs, and unknown wherever it cannot be known."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core import prices as module
from openrouter_core.build import BuildSettings, build_chat
from openrouter_core.prices import CATALOGUE, Catalogue, Price, dearest, price_of, priced, prices_in, worst_case
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest

LISTED: dict[str, Any] = {
    "id": "acme/one",
    "canonical_slug": "acme/one-20260101",
    "context_length": 1000,
    "pricing": {"prompt": "0.000002", "completion": "0.00001", "input_cache_write": "0.000003", "request": "0.001"},
    "top_provider": {"max_completion_tokens": 100, "is_moderated": True},
}
ONE = Price(prompt=2e-6, completion=1e-5, cached=3e-6, request=0.001, context=1000, most=100)
PRICES = {"acme/one": ONE, "acme/two": Price(prompt=4e-6, completion=2e-5, context=500)}


def listed(**changes: Any) -> Any:
    """A model of the list."""
    return msgspec.convert({"data": [LISTED | changes]}, Catalogue).data[0]


def body(**fields: Any) -> bytes:
    """The JSON of a request."""
    request = ChatCompletionRequest(**{"model": "acme/one", "messages": [ChatMessage.user("how much?")]} | fields)
    return build_chat(request, BuildSettings(url="https://host")).unwrap().body


# --- the property ---------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=200)
MOST = st.none() | st.integers(1, 400)


@given(TEXTS, MOST, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans())
def test_no_call_costs_more_than_its_worst_case(
    text: str, most: int | None, share: float, told: float, cache: bool
) -> None:
    """Bug: a budget is overspent, because tokens were estimated where they must be bounded."""
    marked = {"cache_control": {"type": "ephemeral"}} if cache else {}
    sent = body(messages=[ChatMessage.user(text)], max_completion_tokens=most, **marked)
    worst = worst_case(sent, PRICES)
    prompt = min(1000, round(share * len(text.encode())))  # a token is a byte at least
    answer = round(told * min(most or 100, 1000))
    cost = ONE.request + prompt * (ONE.cached if cache else ONE.prompt) + answer * ONE.completion
    assert worst is not None
    assert worst >= cost


def test_the_property_bites() -> None:
    estimated = lambda price, size, most, **_: price.prompt * (size or 0) / 4 + price.completion * (most or 50)  # noqa: E731 - planted in the place of a function
    things = (TEXTS, MOST, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans())
    caught(test_no_call_costs_more_than_its_worst_case, *things, where=module, cost_at=estimated)


# --- examples -------------------------------------------------------------------------------------------------------


def test_the_worst_case_of_a_request() -> None:
    sent = body(max_tokens=10)
    assert worst_case(sent, PRICES) == pytest.approx(0.001 + len(sent) * 2e-6 + 10 * 1e-5)
    assert worst_case(body(), PRICES) == pytest.approx(0.001 + len(body()) * 2e-6 + 100 * 1e-5)
    long = body(messages=[ChatMessage.user("x" * 5000)])
    assert worst_case(long, PRICES) == pytest.approx(0.001 + 1000 * 2e-6 + 100 * 1e-5)


def test_of_several_models_the_dearest_counts_and_each_must_be_known() -> None:
    assert worst_case(body(models=["acme/two"]), PRICES) == pytest.approx(
        4e-6 * len(body(models=["acme/two"])) + 500 * 2e-5
    )
    assert worst_case(body(models=["acme/three"]), PRICES) is None


def test_pictures_may_become_any_number_of_tokens() -> None:
    picture = [{"type": "image_url", "image_url": {"url": "https://host/a.png"}}, {"type": "text", "text": "?"}]
    sent = body(messages=[{"role": "user", "content": picture}])
    assert worst_case(sent, PRICES) == pytest.approx(0.001 + 1000 * 2e-6 + 100 * 1e-5)
    assert worst_case(sent, {"acme/one": Price(prompt=1.0, completion=1.0, most=5)}) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"plugins": [{"id": "web"}]},
        {"preset": "mine", "model": None},
        {"web_search_options": {}},
        {"image_config": {"a": 1}},
        {"tools": [{"type": "openrouter:web_search"}]},
        {"modalities": ["text", "image"]},
        {"model": "acme/unheard"},
        {"model": "acme/one:online"},
    ],
)
def test_what_no_list_tells_has_no_known_worst_case(fields: dict[str, Any]) -> None:
    assert worst_case(body(**fields), PRICES) is None


def test_a_models_price_is_the_dearest_of_its_tiers() -> None:
    assert price_of(listed()) == ONE
    tiers = [{"min_prompt_tokens": 200, "prompt": "0.000008", "completion": "0.00003"}, "odd"]
    dear = price_of(listed(pricing=LISTED["pricing"] | {"overrides": tiers, "internal_reasoning": "0.00004"}))
    assert dear is not None
    assert (dear.prompt, dear.completion, dear.cached) == (8e-6, 4e-5, 8e-6)
    bare = price_of(listed(pricing={"prompt": 0, "completion": "0"}, top_provider=None))
    assert bare == Price(prompt=0.0, completion=0.0, context=1000)


@pytest.mark.parametrize("pricing", [{}, {"prompt": "-1", "completion": "-1"}, {"prompt": "?", "completion": "1"}])
def test_a_model_without_a_fixed_price_is_not_in_the_list(pricing: dict[str, str]) -> None:
    assert price_of(listed(pricing=pricing)) is None
    assert dearest([pricing], "prompt") is None
    catalogue = msgspec.convert({"data": [LISTED, LISTED | {"id": "auto", "pricing": pricing}]}, Catalogue)
    assert prices_in(catalogue) == {"acme/one": ONE, "acme/one-20260101": ONE}
    two = msgspec.convert({"data": [LISTED, {"id": "b", "pricing": {"prompt": 1, "completion": 2}}]}, Catalogue)
    assert prices_in(two) == prices_in(catalogue) | {"b": Price(prompt=1.0, completion=2.0, cached=1.0)}


def test_an_alias_costs_no_more_than_the_dearest_of_its_family() -> None:
    """Bug: the default model is an alias, and a client with a budget could not ask anything."""
    family = {
        "x-ai/grok-4": Price(prompt=2.0, completion=1.0, cached=3.0, context=10, most=5),
        "x-ai/grok-5": Price(prompt=1.0, completion=4.0, request=0.5, context=20),
        "x-ai/other": Price(prompt=9.0, completion=9.0),
    }
    bound = Price(prompt=2.0, completion=4.0, cached=3.0, request=0.5, context=20, most=20)
    assert priced("~x-ai/grok-latest", family) == priced("~x-ai/grok-latest:nitro", family) == bound
    assert priced("~x-ai/latest", family) == Price(prompt=9.0, completion=9.0, cached=3.0, request=0.5)
    assert priced("~x-ai/grok-latest", {"x-ai/grok": ONE}) == ONE
    assert priced("~nobody/latest", family) is None
    assert priced("~x-ai/grok-latest", {"~x-ai/grok-latest": ONE}) is ONE


def test_suffixes_that_choose_a_provider_do_not_change_the_model() -> None:
    for suffix in ("nitro", "floor", "exacto"):
        assert priced(f"acme/one:{suffix}", PRICES) is ONE
    assert priced("acme/one:online", PRICES) is None
    assert (CATALOGUE.method, CATALOGUE.path, CATALOGUE.repeatable) == ("GET", "/models", True)


def test_what_is_kept_for_an_hour_is_the_dearest_to_write() -> None:
    price = price_of(listed(pricing=LISTED["pricing"] | {"input_cache_write_1h": "0.000004"}))
    assert price is not None
    assert price.cached == 4e-6


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [{"function": {"name": "f"}}], "modalities": ["text"]},
        {"models": None, "tools": None, "modalities": None, "messages": None},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}]}, {"role": "assistant"}]},
    ],
)
def test_tools_of_the_callers_own_and_text_have_a_worst_case(fields: dict[str, Any]) -> None:
    sent = msgspec.json.encode({"model": "acme/one", "max_tokens": 10, **fields})
    assert worst_case(sent, PRICES) == pytest.approx(0.001 + len(sent) * 2e-6 + 10 * 1e-5)


def test_a_request_that_names_no_model_has_no_known_worst_case() -> None:
    assert worst_case(b'{"messages": []}', PRICES) is None
    both = b'{"model": "acme/one", "max_completion_tokens": 5, "max_tokens": 10}'
    assert worst_case(both, PRICES) == pytest.approx(0.001 + len(both) * 2e-6 + 5 * 1e-5)


def test_what_is_to_be_kept_costs_what_keeping_costs() -> None:
    sent = body(max_tokens=10, cache_control={"type": "ephemeral"})
    assert worst_case(sent, PRICES) == pytest.approx(0.001 + len(sent) * 3e-6 + 10 * 1e-5)
