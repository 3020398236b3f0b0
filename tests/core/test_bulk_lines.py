"""A line says which row it is, and either what was answered or why not."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from pydantic import BaseModel
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core.bulk import lines
from openrouter_core.bulk.lines import Wanted, doubtful, outcome_of, with_earlier
from openrouter_core.errors import BudgetExceeded, ProviderError, RateLimited
from openrouter_core.schema import describe
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage


class Point(Struct):
    x: int


class Model(BaseModel):
    x: bytes


def answer(text: str = "yes", **fields: Any) -> ChatCompletionResponse:
    choice = Choice(message=ResponseMessage(role="assistant", content=text), finish_reason="stop")
    return ChatCompletionResponse(id="gen-1", choices=[choice], **fields)


TEXTS = st.text(max_size=20)
IDS = st.one_of(st.none(), TEXTS)


@given(st.integers(1, 10**9), IDS, TEXTS, st.booleans())
def test_a_line_is_one_line_and_says_which_row_it_is(row: int, custom_id: str | None, text: str, good: bool) -> None:
    """The bug: line breaks of an answer that break the file, and rows that cannot be told apart."""
    result: Any = Success(answer(text)) if good else Failure(ProviderError(message=text))
    outcome = lines.outcome_of(row, custom_id, result, None, 1.5)
    assert b"\n" not in outcome.line
    read = msgspec.json.decode(outcome.line)
    assert (read["row"], read["custom_id"]) == (row, custom_id)
    assert (read["response"] is None) == (not good)
    assert (read["error"] is None) == good
    assert outcome.seconds == 1.5
    if good:
        assert (read["response"]["status_code"], read["response"]["request_id"]) == (200, "gen-1")
        assert read["response"]["body"]["choices"][0]["message"]["content"] == text


def test_the_property_bites() -> None:
    prop = test_a_line_is_one_line_and_says_which_row_it_is
    pretty = lambda line: msgspec.json.format(msgspec.json.encode(line))  # noqa: E731 - planted in the place of a function
    caught(prop, st.integers(1, 10**9), IDS, TEXTS, st.booleans(), where=lines, encoded=pretty)


def test_what_an_answer_took_is_beside_its_line() -> None:
    call = CallRecord(attempts=(Attempt(number=1, started=0, ended=1, outcome="200"),) * 2, generation_id="gen-h")
    usage = Usage(prompt_tokens=3, completion_tokens=4, cost=0.5)
    outcome = outcome_of(1, None, Success(answer(usage=usage, call=call)), None, 1.5)
    assert (outcome.event, outcome.cost, outcome.prompt_tokens, outcome.completion_tokens) == ("answer", 0.5, 3, 4)
    assert (outcome.attempts, outcome.generation_id, outcome.seconds, outcome.kind) == (2, "gen-h", 1.5, None)
    assert b"@call" not in outcome.line
    assert b"value" not in outcome.line
    bare = outcome_of(1, None, Success(answer()), None, 0.0)
    assert (bare.cost, bare.attempts, bare.generation_id) == (None, 0, "gen-1")
    silent = outcome_of(1, None, Success(answer(usage=Usage(cost=0.5))), None, 0.0)
    assert (bare.prompt_tokens, bare.completion_tokens) == (silent.prompt_tokens, silent.completion_tokens) == (0, 0)


def test_typed_answers_are_read() -> None:
    wanted = Wanted(Point, describe(Point).unwrap())
    outcome = outcome_of(1, "a", Success(answer('{"x": 3}')), wanted, 0.0)
    assert msgspec.json.decode(outcome.line)["value"] == {"x": 3}
    modelled = outcome_of(1, "a", Success(answer('{"x": "z"}')), Wanted(Model), 0.0)
    assert msgspec.json.decode(modelled.line)["value"] == {"x": "z"}
    loose = outcome_of(1, "a", Success(answer('{"x": 3}')), Wanted(dict[str, Any]), 0.0)
    assert msgspec.json.decode(loose.line)["value"] == {"x": 3}


def test_a_text_that_does_not_fit_is_a_failure_with_its_cost() -> None:
    named = msgspec.structs.replace(describe(Point).unwrap(), name="point of mine")
    usage = Usage(cost=0.25, prompt_tokens=3, completion_tokens=2)
    outcome = outcome_of(7, "a", Success(answer("no idea", usage=usage)), Wanted(Point, named), 1.5)
    assert (outcome.event, outcome.kind, outcome.cost, outcome.seconds) == ("fail", "ParseError", 0.25, 1.5)
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.generation_id) == (3, 2, "gen-1")
    read = msgspec.json.decode(outcome.line)
    assert (read["row"], read["custom_id"]) == (7, "a")
    assert "point of mine" in read["error"]["message"]
    assert b"no idea" in outcome.line


def test_what_earlier_answers_took_is_added() -> None:
    usage = Usage(cost=0.25, prompt_tokens=3, completion_tokens=2)
    call = CallRecord(attempts=(Attempt(number=1, started=0, ended=1, outcome="200"),))
    outcome = outcome_of(1, "a", Success(answer(usage=usage, call=call)), None, 0.0)
    total = with_earlier(outcome, [answer(usage=usage, call=call), answer(usage=usage)])
    assert (total.cost, total.prompt_tokens, total.completion_tokens, total.attempts) == (0.75, 9, 6, 2)
    assert with_earlier(outcome, [answer()]).cost is None


def test_a_failure_is_written_down_with_its_type() -> None:
    tried = (Attempt(number=1, started=0, ended=1, outcome="429"),)
    error = RateLimited(message="slow down", attempts=tried, generation_id="gen-9", status=429)
    outcome = outcome_of(4, "a", Failure(error), None, 0.0)
    assert (outcome.event, outcome.kind, outcome.cost, outcome.attempts) == ("fail", "RateLimited", 0.0, 1)
    told = msgspec.json.decode(outcome.line)["error"]
    assert (told["type"], told["message"], told["generation_id"]) == ("RateLimited", "slow down", "gen-9")


def test_a_row_that_stops_the_run_has_no_line() -> None:
    outcome = outcome_of(4, "a", Failure(BudgetExceeded(message="")), None, 0.0)
    assert (outcome.event, outcome.stop, outcome.line, outcome.cost) == ("give_back", "budget", b"", 0.0)


def test_a_doubt_can_be_put_down_as_a_failure() -> None:
    outcome = doubtful(4, "a", "gen-9")
    assert (outcome.event, outcome.cost, outcome.generation_id) == ("report", None, "gen-9")
    read = msgspec.json.decode(outcome.line)
    assert (read["row"], read["custom_id"], read["error"]["generation_id"]) == (4, "a", "gen-9")
    assert outcome.kind == read["error"]["type"] == "Disconnected"
    assert "may have been answered, and paid" in read["error"]["message"]


def test_a_value_of_a_strange_type_is_written_as_text() -> None:
    assert lines.plain(1j) == "1j"
