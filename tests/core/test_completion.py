"""Completions, whole or streamed: what is wrong inside a 200, and how streams end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.core.mutants import caught
from tests.core.outcomes import AT, STREAMED, said, streamed

from openrouter_core import completion as c
from openrouter_core import errors as e
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Stalled, Streamed, StreamEnd
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

ANSWER = said({})
DEFAULT = Rules()


def judged(value: ChatCompletionResponse, rules: Rules = DEFAULT) -> Accepted[Any] | Transient | Permanent:
    return c.judged_completion(value, ANSWER, rules)


def failure_of(verdict: Accepted[Any] | Transient | Permanent) -> e.DataSourceError:
    assert not isinstance(verdict, Accepted)
    return verdict.error


def answer(message: ResponseMessage | None, tokens: int | None = None) -> ChatCompletionResponse:
    usage = None if tokens is None else Usage(completion_tokens=tokens)
    return ChatCompletionResponse(id="gen-1", provider="Acme", choices=[Choice(message=message)], usage=usage)


@pytest.mark.parametrize(
    ("value", "is_empty"),
    [
        (answer(None), True),
        (answer(ResponseMessage(content=None), 0), True),
        (answer(ResponseMessage(content="")), True),
        (answer(ResponseMessage(content=[], tool_calls=[])), True),
        (answer(ResponseMessage(content=""), 3), False),
        (answer(ResponseMessage(content="x"), 0), False),
        (answer(ResponseMessage(reasoning="x"), 0), False),
        (answer(ResponseMessage(reasoning_details=[{"type": "reasoning.encrypted"}]), 0), False),
        (answer(ResponseMessage(images=[{"type": "image_url"}]), 0), False),
        (answer(ResponseMessage(audio={"id": "a"}), 0), False),
        (answer(ResponseMessage(refusal="I will not"), 0), False),
        (answer(ResponseMessage(tool_calls=[{"id": "call"}]), 0), False),  # type: ignore[list-item] # only that there is one counts
    ],
)
def test_an_answer_with_nothing_in_it_is_retried_on_request_only(value: ChatCompletionResponse, is_empty: bool) -> None:
    assert judged(value) == Accepted(value)
    result = judged(value, Rules(retry_empty=True))
    assert isinstance(result, Transient if is_empty else Accepted)
    if isinstance(result, Transient):
        assert isinstance(result.error, e.EmptyCompletion)
        assert (result.error.provider_name, result.error.generation_id) == ("Acme", "gen-1")
        assert result.error.message == "no content was generated"


def test_one_choice_with_content_is_enough() -> None:
    full, void = Choice(message=ResponseMessage(content="x")), Choice()
    assert isinstance(judged(ChatCompletionResponse(choices=[void, full]), Rules(retry_empty=True)), Accepted)


def test_an_error_at_the_top_comes_before_one_in_a_choice() -> None:
    value = ChatCompletionResponse(
        choices=[Choice(error={"code": 502, "message": "late"})], error={"code": 403, "message": "early"}, provider="P"
    )
    result = judged(value)
    assert isinstance(result, Permanent)
    assert isinstance(result.error, e.Forbidden)
    assert (result.error.message, result.error.provider_name) == ("early", "P")


def test_a_choice_that_ended_in_error_without_one_is_a_providers_failure() -> None:
    result = judged(ChatCompletionResponse(choices=[Choice(finish_reason="error")]))
    assert isinstance(result, Transient)
    assert isinstance(result.error, e.ProviderError)
    assert result.error.code == c.ONLY_STATUS
    assert "while it was generating" in result.error.message


@pytest.mark.parametrize("error", [{}, "", False, []])
def test_an_error_without_content_is_an_error(error: Any) -> None:
    result = judged(ChatCompletionResponse(choices=[Choice(message=ResponseMessage(content="x"))], error=error))
    assert isinstance(result, Transient)
    assert result.error.message == "an error without content"


# --- streams --------------------------------------------------------------------------------------------------------


@given(STREAMED)
def test_a_stream_is_good_only_if_it_finished_with_choices_and_without_error(stream: Streamed) -> None:
    """Bug: a stream that ends early, or carries an error, passes for an answer; or what had come is lost."""
    result = c.judged_stream(stream, DEFAULT)
    value = stream.answer
    broken = value.error is not None or any(
        choice.error is not None or choice.finish_reason == "error" for choice in value.choices or ()
    )
    assert isinstance(result, Accepted) == (isinstance(stream.end, Finished) and not broken and bool(value.choices))
    if not isinstance(result, Accepted):
        assert result.error.partial == (value if value.choices else None)


def test_the_property_bites() -> None:
    prop = test_a_stream_is_good_only_if_it_finished_with_choices_and_without_error
    caught(prop, STREAMED, where=c, ended=lambda stream, _rules: Accepted(stream.answer))
    caught(prop, STREAMED, where=c, failed_completion=lambda _value, _answer: None)
    caught(prop, STREAMED, where=c, with_partial=lambda error, _stream: error)


@pytest.mark.parametrize(
    ("end", "meaning", "error"),
    [
        (Cut("early"), Transient, e.TruncatedStream),
        (Malformed("{", "bad"), Transient, e.ParseError),
        (Overlong(9), Permanent, e.ParseError),
        (Lost("reset"), Transient, e.Disconnected),
        (Stalled("idle", 30.0), Transient, e.Timeout),
        (Stalled("first_event", 60.0), Transient, e.Timeout),
    ],
)
def test_how_a_stream_ends_badly(
    end: StreamEnd, meaning: type[Transient | Permanent], error: type[e.DataSourceError]
) -> None:
    stream = streamed(end, text="so far")
    result = c.judged_stream(stream, DEFAULT)
    assert isinstance(result, meaning)
    assert type(result.error) is error
    assert result.error.partial == stream.answer
    assert result.error.generation_id == "gen-1-h"
    assert failure_of(c.judged_stream(streamed(end), DEFAULT)).partial is None


@pytest.mark.parametrize("end", [Lost("reset"), Stalled("idle", 30.0)])
def test_retry_sent_false_gives_up_a_stream_that_may_have_been_billed(end: StreamEnd) -> None:
    assert isinstance(c.judged_stream(streamed(end), Rules(retry_sent=False)), Permanent)


def test_a_stream_that_finished_is_judged_as_a_whole_answer() -> None:
    stream = streamed(Finished(), text="yes")
    assert c.judged_stream(stream, DEFAULT) == Accepted(stream.answer)
    nothing = c.judged_stream(streamed(Finished()), DEFAULT)
    assert isinstance(nothing, Transient)
    assert isinstance(nothing.error, e.EmptyCompletion)


def test_an_error_in_the_middle_is_judged_by_its_code() -> None:
    limited = streamed(Finished(), text="half", error={"code": 429, "message": "slow", "retry_after": 4})
    result = c.judged_stream(limited, DEFAULT)
    assert isinstance(result, Transient)
    assert isinstance(result.error, e.RateLimited)
    assert (result.hint, result.error.resets_at) == (4.0, AT + 4.0)
    refused = c.judged_stream(streamed(Finished(), error={"code": "invalid_prompt", "message": "no"}), DEFAULT)
    assert isinstance(refused, Permanent)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (Cut("early"), e.TruncatedStream(message="early")),
        (Malformed("{", "bad"), e.ParseError(message="an event of the stream is no chunk: bad", text="{")),
        (Overlong(9), e.ParseError(message="the stream is longer than 9 bytes")),
        (Lost("reset"), e.Disconnected(message="the stream broke off: reset", received=7)),
        (
            Stalled("idle", 30.0),
            e.Timeout(message="idle timeout: nothing new in the stream after 30 s", clock="idle", after=30.0),
        ),
        (
            Stalled("attempt", 60.0),
            e.Timeout(message="attempt timeout: the stream had not ended after 60 s", clock="attempt", after=60.0),
        ),
    ],
)
def test_what_an_error_says_of_a_streams_end(end: StreamEnd, error: e.DataSourceError) -> None:
    told = msgspec.structs.replace(error, status=200, generation_id="gen-1-h")
    assert failure_of(c.judged_stream(streamed(end), DEFAULT)) == told


def test_a_value_of_another_kind_is_accepted_as_it_is() -> None:
    stream = msgspec.structs.replace(streamed(Finished()), value=b"sound")
    assert c.judged_stream(stream, DEFAULT) == Accepted(b"sound")


def test_where_an_error_came_from_is_taken_from_what_had_arrived() -> None:
    bare = msgspec.structs.replace(streamed(Cut("early"), text="x"), headers={})
    bare = msgspec.structs.replace(bare, answer=msgspec.structs.replace(bare.answer, provider="Acme"))
    error = failure_of(c.judged_stream(bare, DEFAULT))
    assert (error.generation_id, error.provider_name) == (bare.answer.id, "Acme")
    failed = ChatCompletionResponse(id="gen-9", error={"code": 502, "message": "down"})
    assert failure_of(judged(failed)).generation_id == "gen-9"
    void = judged(ChatCompletionResponse(id="gen-9", choices=[]))
    assert isinstance(void, Transient)
    assert (void.error.message, void.error.generation_id) == ("an answer without choices", "gen-9")
