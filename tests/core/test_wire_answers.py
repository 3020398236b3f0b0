"""The shapes of answers, with bodies made after what OpenRouter documents and sends: exact prices, and nothing required
that may be absent. What its own models say of every answer is in tests/oracle.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.endpoints.table import TABLE
from openrouter_core.wire.batches import COMPLETED, Batch
from openrouter_core.wire.completions import CompletionResponse
from openrouter_core.wire.files import StoredFile
from openrouter_core.wire.loose import object_in, objects_in, text_in
from openrouter_core.wire.models import Pricing
from openrouter_core.wire.params import FileUpload, Parameters

BODIES: dict[str, str] = {
    "LIST_MODELS": '{"data": [{"id": "x-ai/grok-4.7", "pricing": {"prompt": "0.000002", "completion": 6e-06},'
    ' "architecture": {"modality": "text->text"}, "top_provider": {"is_moderated": false}, "reasoning": null}],'
    ' "total_count": 1, "links": {"next": null}}',
    "GET_CURRENT_KEY": '{"data": {"label": "sk-or-v1-abc...123", "limit": 1, "limit_reset": null, "usage": 0,'
    ' "free_model_daily_requests": {"used": 2, "limit": 1000, "remaining": 998}, "rate_limit": {"requests": -1}}}',
    "GET_GENERATION": '{"data": {"id": "gen-1", "total_cost": 0.04, "latency": 3080, "cache_discount": null,'
    ' "provider_responses": [{"status": 200, "latency": 3080}]}}',
    "GET_CREDITS": '{"data": {"total_credits": 10.5, "total_usage": 3}}',
    "EMBEDDINGS": '{"object": "list", "data": [{"object": "embedding", "embedding": [0.5, -1]}], "provider": "OpenAI",'
    ' "usage": {"prompt_tokens": 7, "total_tokens": 7, "cost": 1.4e-07}}',
    "RERANK": '{"results": [{"index": 1, "relevance_score": 0.8, "document": {"text": "Ruby"}}],'
    ' "usage": {"total_tokens": 17, "cost": 3.4e-7}}',
    "TRANSCRIPTIONS": '{"text": "Hello", "usage": {"total_tokens": 49, "cost": 0.0001}}',
    "CREATE_VIDEO": '{"id": "v", "generation_id": "gen-vid-1", "polling_url": "/api/v1/videos/v", "status": "pending"}',
    "CREATE_BATCH": '{"id": "batch_1", "status": "validating", "request_counts": {"total": 1}, "results": null,'
    ' "error": null}',
    "CREATE_KEY": '{"data": {"hash": "h", "limit": null}, "key": "sk-or-v1-secret"}',
    "EXCHANGE_CODE": '{"key": "sk-or-v1-secret", "user_id": null}',
}


@pytest.mark.parametrize("name", BODIES)
def test_documented_bodies_are_read(name: str) -> None:
    answer = msgspec.json.decode(b"\n   \n" + BODIES[name].encode(), type=TABLE[name].answer)
    again = msgspec.json.Encoder(decimal_format="number").encode(answer)
    assert msgspec.json.decode(again, type=TABLE[name].answer) == answer


@pytest.mark.parametrize("name", [name for name, endpoint in TABLE.items() if endpoint.kind == "json"])
def test_what_is_no_answer_is_not_taken_for_one(name: str) -> None:
    """Exists because a body without anything of the answer would else be an answer in which nothing is said."""
    lenient = {"CHAT_COMPLETIONS", "DELETE_FILE"}  # judged by what is in them
    if name in lenient or TABLE[name].answer.__name__ in ("Deleted", "MembersAdded", "GetGeneration"):
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"{}", type=TABLE[name].answer)


@given(st.decimals(0, 1, places=9))
def test_a_price_is_exact_as_text_and_as_a_number(price: Decimal) -> None:
    texts = f'{{"prompt": "{price}", "completion": {price:f}}}'.encode()
    pricing = msgspec.json.decode(texts, type=Pricing)
    assert (pricing.prompt, pricing.completion) == (price, price)


def test_a_file_has_its_size_wherever_it_comes_from() -> None:
    assert StoredFile(id="f", bytes=5).size == StoredFile(id="f", size_bytes=5).size == 5
    assert StoredFile(id="f").size is None
    assert StoredFile(id="f", bytes=0, size_bytes=5).size == 0


def test_a_completion_has_the_text_of_its_first_choice() -> None:
    assert msgspec.json.decode(b'{"choices": [{"text": "a"}, {"text": "b"}]}', type=CompletionResponse).text == "a"
    assert CompletionResponse(choices=[]).text == ""
    assert msgspec.json.decode(b'{"choices": [{}]}', type=CompletionResponse).text == ""


def test_a_batch_has_ended_when_its_status_says_so() -> None:
    assert Batch(id="b", status=COMPLETED).ended
    assert not Batch(id="b", status="status_of_tomorrow").ended


@given(
    st.none()
    | st.integers()
    | st.text()
    | st.lists(st.integers() | st.just({}))
    | st.dictionaries(st.text(), st.none())
)
def test_reading_loosely_is_total(value: Any) -> None:
    assert text_in(value) == (value if isinstance(value, str) else "")
    assert object_in(value) == (value if isinstance(value, dict) else {})
    assert objects_in(value) == ([{} for each in value if each == {}] if isinstance(value, list) else [])


def test_parameters_are_values() -> None:
    assert Parameters() == Parameters()
    assert "secret" not in repr(Parameters())
    with pytest.raises(AttributeError):
        FileUpload(name="a", content=b"").name = "b"  # type: ignore[misc] # frozen is what is tested
