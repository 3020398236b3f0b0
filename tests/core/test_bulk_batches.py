"""A batch is never too large, never taken for another's, and its results come to the rows that asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.build import BuildSettings
from openrouter_core.bulk import batches
from openrouter_core.bulk.batches import (
    LARGEST,
    MOST,
    Fetched,
    Intent,
    Item,
    answer_of,
    body_of,
    candidates,
    costs_shared,
    full,
    in_doubt,
    not_yet,
    ours,
    packable,
    polling,
    submission,
    variant,
)
from openrouter_core.bulk.lines import Outcome
from openrouter_core.errors import (
    AuthError,
    BudgetExceeded,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
)
from openrouter_core.polling import next_ask
from openrouter_core.wire.batches import Batch, BatchAnswer, BatchCounts, BatchResult
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.options import RequestOptions
from openrouter_core.wire.request import ChatCompletionRequest

INTENT = Intent(number=1, mark="ab-12", model="m/a:batch", rows=3, at=1000.0)
ITEMS = st.lists(st.integers(1, 10**9), max_size=20, unique=True).map(
    lambda rows: [Item(row, None, b"", known=False, body=b'{"x":%d}' % row) for row in rows]
)


@given(ITEMS)
def test_a_submission_names_each_row_once_and_is_no_larger_than_was_counted(items: list[Item]) -> None:
    """The bugs: requests before the model, a row that cannot be told from another's, a batch that is too large."""
    data = submission("m/a:batch", INTENT.mark, items)
    read = msgspec.json.decode(data)
    head = {"endpoint": "/v1/chat/completions", "model": "m/a:batch", "completion_window": "24h"}
    assert [*read.items()][:-1] == [*head.items()]
    assert [one["custom_id"] for one in read["requests"]] == [f"ab-12-{item.row}" for item in items]
    assert [one["body"]["x"] for one in read["requests"]] == [item.row for item in items]
    assert len(data) <= batches.OVERHEAD + sum(batches.taking(item.body) for item in items)
    results = [{"custom_id": one["custom_id"]} for one in read["requests"]]
    batch = Fetched(id="b", status="completed", results=[{"custom_id": "other-1"}, 3, *results, *results])
    assert list(batches.results_of(INTENT, batch)) == [item.row for item in items]


def test_the_submission_bites() -> None:
    prop = test_a_submission_names_each_row_once_and_is_no_larger_than_was_counted
    caught(prop, ITEMS, where=batches, taking=len)
    caught(prop, ITEMS, where=batches, results_of=lambda _, batch: dict(enumerate(batch.results)))


def test_a_row_takes_80_bytes_beside_its_body() -> None:
    assert batches.taking(b'{"x":1}') == 87


SIZES = st.lists(st.integers(1, LARGEST // 3), max_size=40)


@given(SIZES)
def test_no_batch_is_too_large(sizes: list[int]) -> None:
    """The bug: one request or one byte too many, for which all of a batch is refused."""
    count, size = 0, 0
    for more in sizes:
        if batches.full(count, size, more):
            count, size = 0, 0
        count, size = count + 1, size + more
        assert count <= MOST
        assert size + batches.OVERHEAD <= LARGEST
    assert full(MOST, 0, 1)
    assert not full(MOST - 1, 0, 1)
    assert full(1, LARGEST - batches.OVERHEAD, 1)
    assert not full(1, LARGEST - batches.OVERHEAD - 1, 1)


def test_the_size_bites() -> None:
    caught(test_no_batch_is_too_large, SIZES, where=batches, LARGEST=2 * LARGEST)


@pytest.mark.parametrize(
    ("model", "slug"), [("m/a", "m/a:batch"), ("m/a:batch", "m/a:batch"), ("m/a:free", None), ("", None)]
)
def test_the_variant_of_a_model(model: str, slug: str | None) -> None:
    found = variant(model)
    if slug is not None:
        assert found == Success(slug)
        return
    told = found.failure()
    assert (told.field, told.value) == ("model", repr(model) if model else None)
    assert "in a batch" in str(told.bound) or "a batch has one model" in str(told.bound)


def test_what_cannot_be_in_a_batch_is_named() -> None:
    assert body_of(b'{"model":"m/a","stream":false,"n":1}') == Success(b'{"n":1}')
    told: Any = body_of(b'{"plugins":[{"id":"web"}]}').failure()
    assert (told.field, told.value, "--via batches" in told.message) == ("plugins", "[{'id': 'web'}]", True)
    told = body_of(b'{"provider":{"zdr":true}}').failure()
    assert (told.field, told.value, "30 days" in told.bound) == ("provider.zdr", "True", True)
    assert isinstance(body_of(b'{"provider":{"only":["x"]}}'), Success)


def test_a_request_is_packed_or_refused() -> None:
    settings, said = BuildSettings(url="u"), [ChatMessage.user("hi")]
    model, body = packable(ChatCompletionRequest(model="m/a", messages=said), settings).unwrap()
    assert (model, msgspec.json.decode(body)) == ("m/a:batch", {"messages": [{"role": "user", "content": "hi"}]})
    fields: dict[str, Any] = {
        "options": ChatCompletionRequest(model="m/a", messages=said, options=RequestOptions()),
        "messages": ChatCompletionRequest(model="m/a", messages=[]),
        "model": ChatCompletionRequest(model="m/a:free", messages=said),
        "plugins": ChatCompletionRequest(model="m/a", messages=said, plugins=[{"id": "web"}]),
    }
    for field, request in fields.items():
        told: Any = packable(request, settings).failure()
        assert (told.field, told.bound[:5]) == (field, "must ")


@pytest.mark.parametrize(
    ("error", "doubt"),
    [
        (Disconnected(message=""), True),
        (Timeout(message=""), True),
        (Timeout(message="", sent=False), False),
        (ProviderError(message="", status=502), True),
        (ProviderError(message="", status=408), True),
        (ParseError(message="", status=202), True),
        (HttpError(message="", status=302), False),
        (HttpError(message="", status=500), True),
        (HttpError(message=""), True),
        (ConnectError(message=""), False),
        (RateLimited(message="", status=429), False),
        (InsufficientCredits(message="", status=402), False),
        (AuthError(message="", status=401), False),
        (InvalidRequest(message="", status=400), False),
        (NotFound(message="", status=404), False),
        (BudgetExceeded(message=""), False),
        (DeadlineExceeded(message=""), False),
        (DeadlineExceeded(message="", cause=Disconnected(message="")), True),
        (DeadlineExceeded(message="", cause=RateLimited(message="")), False),
    ],
)
def test_which_failures_leave_a_submission_in_doubt(error: DataSourceError, doubt: bool) -> None:
    assert in_doubt(error) is doubt


def test_a_batch_that_may_be_ours_is_found_in_the_list() -> None:
    def batch(name: str, **fields: Any) -> Batch:
        told: dict[str, Any] = {"id": name, "status": "validating", "created_at": 1001} | fields
        return Batch(**told)

    listed = [
        batch("other model", model="m/b:batch", request_counts=BatchCounts(total=3)),
        batch("uncounted yet", model="m/a:batch", created_at=1050, request_counts=BatchCounts(total=0)),
        batch("the one", model="m/a:batch", endpoint=batches.ENDPOINT, request_counts=BatchCounts(total=3)),
        batch("old", model="m/a:batch", created_at=400),
        batch("too old", model="m/a:batch", created_at=399),
        batch("other size", request_counts=BatchCounts(total=4)),
        batch("other endpoint", endpoint="/v1/embeddings"),
        batch("ours already"),
        batch("a stranger"),
        batch("undated", created_at=None),
    ]
    intent = msgspec.structs.replace(INTENT, strangers=("a stranger",))
    assert candidates(intent, listed, {"ours already"}) == [
        "the one",
        "uncounted yet",
        "old",
        "other model",
        "undated",
    ]


def test_results_prove_whose_a_batch_is() -> None:
    def batch(results: list[Any] | None, completed: int | None) -> Fetched:
        counts = None if completed is None else {"completed": completed}
        return Fetched(id="b", status="expired", results=results, request_counts=counts)

    assert ours(INTENT, batch([{}, {"custom_id": "ab-12-7"}], 2)) is True
    assert ours(INTENT, batch([{"custom_id": "ab-123-7"}, None], 1)) is False
    assert ours(INTENT, batch(None, 0)) is False
    assert ours(INTENT, batch(None, None)) is False
    assert ours(INTENT, batch([], 2)) is None
    assert not_yet(INTENT, 1059.0)
    assert not not_yet(INTENT, 1060.0)


def test_a_batch_is_read_as_far_as_it_can_be() -> None:
    batch = Fetched(id="b", status="completed", request_counts={"completed": 2}, usage={"cost": 0.5})
    assert (batch.ended, batch.unready, batch.cost, batch.ran("failed")) == (True, True, 0.5, 0)
    for completed, results, unready in ((1, None, True), (0, None, False), (1, [], False)):
        counts = {"completed": completed}
        assert Fetched(id="b", status="expired", request_counts=counts, results=results).unready is unready
    odd = Fetched(id="b", status="dreaming", request_counts="many", usage=[1], results=[])
    assert (odd.ended, odd.unready, odd.cost, odd.ran("completed")) == (False, False, None, 0)


def test_one_result_that_cannot_be_read_hides_no_other() -> None:
    good, bad = {"custom_id": "ab-12-1", "error": "no"}, {"custom_id": "ab-12-2", "response": {"body": "words"}}
    batch = Fetched(id="b", status="completed", results=[good, bad])
    found = batches.results_of(INTENT, batch)
    told = answer_of(found[2], batch).failure()
    assert "cannot be read" in told.message
    assert msgspec.json.decode(told.raw)["result"] == bad
    assert answer_of(found[1], batch).failure().message == "no"
    assert [batches.id_of(one) for one in (good, {}, "ab-12-1", {"custom_id": 7})] == ["ab-12-1", "", "", ""]


def test_a_result_is_judged_as_a_calls_answer_is() -> None:
    batch = Fetched(id="b", status="completed")
    good = {"id": "gen-1", "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
    answer = answer_of(BatchResult(response=BatchAnswer(status_code=200, body=good)), batch)
    assert answer.unwrap().text == "yes"
    assert isinstance(answer_of(BatchResult(response=BatchAnswer(body=good)), batch), Success)
    refused = {"error": {"message": "no", "code": 400}}
    told = answer_of(BatchResult(response=BatchAnswer(status_code=400, body=refused)), batch).failure()
    assert isinstance(told, InvalidRequest)
    empty = answer_of(BatchResult(response=BatchAnswer(status_code=500)), batch).failure()
    assert (empty.status, empty.raw) == (500, "")
    assert answer_of(BatchResult(response=BatchAnswer(body={})), batch).failure().status == 200
    hollow = answer_of(BatchResult(response=BatchAnswer(status_code=200, body={"error": refused["error"]})), batch)
    assert isinstance(hollow, Failure)


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ({"code": "batch_expired", "message": "too late"}, "too late", "batch_expired"),
        ({"code": [1], "message": "odd"}, "odd", None),
        ("in words", "in words", None),
    ],
)
def test_an_error_instead_of_an_answer_is_told(error: Any, message: str, code: str | None) -> None:
    told = answer_of(BatchResult(error=error), Fetched(id="b", status="expired")).failure()
    assert (type(told), told.message, told.code) == (ProviderError, message, code)


def test_a_row_without_a_result_is_told_why() -> None:
    told = answer_of(None, Fetched(id="b", status="failed", error={"message": "line 3 is bad"})).failure()
    assert told.message == "batch b failed without a result for this row: line 3 is bad"
    assert answer_of(BatchResult(), Fetched(id="b", status="completed")).failure().message.endswith("for this row")


def test_what_a_batch_cost_is_shared_by_the_answers_that_do_not_tell() -> None:
    told = [
        Outcome(event="answer", cost=0.5),
        Outcome(event="fail", cost=None),
        *[Outcome(event="answer", cost=None)] * 2,
    ]
    assert [one.cost for one in costs_shared(told, 1.5)] == [0.5, None, 0.5, 0.5]
    assert [one.cost for one in costs_shared(told, 0.4)] == [0.5, None, 0.0, 0.0]
    assert costs_shared(told, None) == told
    assert costs_shared(told[:2], 3.0) == told[:2]


def test_batches_are_asked_about_ever_more_seldom_and_for_so_long() -> None:
    assert [next_ask(polling(60.0, None), asked, 0.0) for asked in (0, 1, 9)] == [10.0, 15.0, 60.0]
    assert next_ask(polling(0.5, 2.0), 0, 1.9) == pytest.approx(0.1)
    assert next_ask(polling(0.5, 2.0), 0, 2.1) is None
