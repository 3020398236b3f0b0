"""Questions for typed answers: asked again as often as allowed, and no answer that was paid for is forgotten."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from tests.core.mutants import caught

from openrouter_core import question
from openrouter_core.errors import ParseError
from openrouter_core.question import Question, ask, read
from openrouter_core.schema import describe
from openrouter_core.typed import Mismatch, Parsed
from openrouter_core.wire.attempt import Attempt, CallRecord
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ChatMessage, FunctionCall, ToolCall
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage


class Guess(msgspec.Struct):
    """A guess."""

    chance: float


LONG: Any = type("L" * 99, (), {})
REQUEST = ChatCompletionRequest(messages=[ChatMessage.user("How likely?")])
GOOD = '{"chance": 0.5}'


def answer(text: str | None, cost: float | None = 0.5, attempts: int = 1, **of_choice: Any) -> ChatCompletionResponse:
    tried = tuple(Attempt(number=n + 1, started=n, ended=n + 0.5, outcome="HTTP 200") for n in range(attempts))
    message = of_choice.pop("message", ResponseMessage(role="assistant", content=text))
    return ChatCompletionResponse(
        id="gen-1",
        provider="p",
        choices=[Choice(message=message, **of_choice)],
        usage=Usage(cost=cost),
        call=CallRecord(attempts=tried),
    )


def asked(repairs: int = 0) -> Question[Guess]:
    return ask(Guess, REQUEST, repairs).unwrap()


def conversation(question: Question[Any]) -> list[Any]:
    return list(question.request.messages or ())


wrong_texts = st.sampled_from(["", "no", '{"chance": "high"}', "{}", "```json\n[]\n```"])
costs = st.none() | st.sampled_from([0.0, 0.25, 1.5])
wrong_answers = st.lists(st.builds(answer, wrong_texts, costs, st.integers(1, 3)), max_size=4)


def played(repairs: int, told: list[ChatCompletionResponse]) -> tuple[Any, list[Question[Guess]], int]:
    """Ask until there is an end, or no answer left: the last reading, the questions asked, the answers used."""
    questions = [asked(repairs)]
    for used, one in enumerate(told, start=1):
        got = read(questions[-1], one)
        if isinstance(got, Failure) or not isinstance(got.unwrap(), Question):
            return got, questions, used
        questions.append(got.unwrap())  # type: ignore[arg-type] # narrowed through a call
    return None, questions, len(told)


@given(st.integers(0, 3), wrong_answers)
def test_it_is_asked_again_as_often_as_allowed_and_every_answer_is_accounted_for(
    repairs: int, wrong: list[ChatCompletionResponse]
) -> None:
    """Exists for one repair too many or too few, and for money that a wrong first answer cost and nobody counts."""
    end, questions, used = played(repairs, [*wrong, answer(GOOD)])
    assert used == len(questions) == min(len(wrong), repairs) + 1
    if len(wrong) > repairs:
        error = end.failure()
        attempts = [one for each in wrong[:used] for one in (each.call.attempts if each.call else ())]
        assert [one.number for one in error.attempts] == list(range(1, len(attempts) + 1))
        assert [one.started for one in error.attempts] == [one.started for one in attempts]
        assert error.partial == wrong[used - 1]
    else:
        parsed = end.unwrap()
        assert parsed.value == Guess(0.5)
        assert [*parsed.earlier, parsed.response] == [*wrong, answer(GOOD)]
        known = [one.usage.cost for one in wrong if one.usage and one.usage.cost is not None]
        assert parsed.cost == (sum(known) + 0.5 if len(known) == len(wrong) else None)


def test_the_property_above_catches_planted_bugs() -> None:
    def forgetful(asked: Question[Any], told: ChatCompletionResponse, mismatch: Mismatch) -> Question[Any]:
        return msgspec.structs.replace(original(asked, told, mismatch), earlier=())

    def tireless(asked: Question[Any], told: ChatCompletionResponse, mismatch: Mismatch) -> Question[Any]:
        return msgspec.structs.replace(original(asked, told, mismatch), repairs=asked.repairs)

    original = question.asked_again
    for mutant in (forgetful, tireless):
        caught(
            test_it_is_asked_again_as_often_as_allowed_and_every_answer_is_accounted_for,
            st.integers(0, 3),
            wrong_answers,
            where=question,
            asked_again=mutant,
        )


@given(st.lists(wrong_texts, min_size=1, max_size=3))
def test_the_conversation_goes_on_with_each_wrong_answer_and_what_was_wrong(texts: list[str]) -> None:
    """Exists for repairs that start over: the model would not see its mistake, or only the last one."""
    _, questions, _ = played(9, [answer(text) for text in texts])
    messages = conversation(questions[-1])
    assert [message.role for message in messages] == ["user", *["assistant", "user"] * len(texts)]
    assert [message.content for message in messages[1::2]] == texts
    assert all("required JSON schema" in str(message.content) for message in messages[2::2])
    assert {len(conversation(one)) for one in questions} == {2 * n + 1 for n in range(len(texts) + 1)}
    assert len({msgspec.json.encode(one.request.response_format) for one in questions}) == 1


def test_the_schema_of_the_type_is_sent() -> None:
    sent = json.loads(msgspec.json.encode(asked().request))["response_format"]["json_schema"]
    assert (sent["name"], sent["strict"]) == ("Guess", True)
    assert sent["schema"]["required"] == ["chance"]
    assert REQUEST.response_format is None
    open_ = ask(dict[str, int], REQUEST).unwrap()
    assert open_.repairs == 0
    assert json.loads(msgspec.json.encode(open_.request))["response_format"]["json_schema"]["strict"] is False


def test_the_type_is_described_once() -> None:
    known = asked().known
    assert known == describe(Guess).unwrap()
    renamed = msgspec.structs.replace(asked(), known=msgspec.structs.replace(known, name="Hunch"))
    assert "not a valid Hunch" in read(renamed, answer("no")).failure().message


def test_a_prompt_becomes_the_first_message() -> None:
    first = ask(Guess, ChatCompletionRequest(prompt="How likely?"), 1).unwrap()
    again = read(first, answer("no")).unwrap()
    assert isinstance(again, Question)
    assert again.request.prompt is None
    assert [message.content for message in conversation(again)[:2]] == ["How likely?", "no"]


@pytest.mark.parametrize(
    ("wanted", "request_", "repairs", "field", "value"),
    [
        (complex, REQUEST, 0, "wanted", "<class 'complex'>"),
        (list[LONG], REQUEST, 0, "wanted", repr(list[LONG])[:80]),
        (Guess, {"messages": []}, 0, "request", "{'messages': []}"),
        (Guess, msgspec.structs.replace(REQUEST, response_format=ResponseFormat.text()), 0, "response_format", None),
        *((Guess, REQUEST, repairs, "repair", repr(repairs)) for repairs in (-1, 1.5, float("inf"), None, "2")),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    wanted: Any, request_: Any, repairs: Any, field: str, value: str | None
) -> None:
    error = ask(wanted, request_, repairs).failure()
    assert (error.field, error.value) == (field, value)
    assert error.bound
    assert error.bound != "None"
    assert error.bound in error.message


def test_an_answer_that_fits_ends_it() -> None:
    assert read(asked(3), answer(GOOD)) == Success(Parsed(Guess(0.5), answer(GOOD)))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (answer("no"), "not a valid Guess"),
        (answer('{"chance":', finish_reason="length"), "raise max_completion_tokens"),
        (answer(None, message=ResponseMessage(refusal="not my business")), "the model refused: not my business"),
        (ChatCompletionResponse(), "the answer is empty"),
    ],
)
def test_a_wrong_answer_is_an_error_that_says_why_and_carries_the_answer(
    told: ChatCompletionResponse, words: str
) -> None:
    error = read(asked(), told).failure()
    assert isinstance(error, ParseError)
    assert words in error.message
    assert "answers" not in error.message
    assert (error.partial, error.text) == (told, told.text)
    assert (error.generation_id, error.provider_name) == (told.id, told.provider)


def test_all_that_is_known_of_a_wrong_answer_is_told() -> None:
    told = answer(None, message=ResponseMessage(content="no", refusal="n" * 999), finish_reason="length")
    error = played(1, [answer("no"), told])[0].failure()
    whole = error.message.split(" (")
    assert "not a valid Guess" in whole[0]
    assert [words.split(" ")[1:3] for words in whole[1:]] == [["last", "of"], ["answer", "was"], ["model", "refused:"]]
    assert whole[-1] == f"the model refused: {'n' * 200})"


def test_an_error_after_repairs_says_that_several_answers_may_have_been_billed() -> None:
    end, _, _ = played(1, [answer("no"), answer('{"chance": "high"}')])
    error = end.failure()
    assert "the last of 2 answers" in error.message
    assert error.path == "$.chance"


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (None, ""),
        (ResponseMessage(role="assistant", content=None, refusal="no"), ""),
        (ResponseMessage(role="assistant", tool_calls=[ToolCall(id="1", function=FunctionCall(name="f"))]), None),
        (ResponseMessage(content="no", reasoning_details=[{"type": "reasoning.text", "text": "hm"}]), "no"),
    ],
)
def test_a_wrong_answer_goes_back_in_a_form_that_is_accepted(message: ResponseMessage | None, content: Any) -> None:
    """An assistant's message needs content or tool calls; what else it had goes back unchanged."""
    again = read(asked(1), ChatCompletionResponse(choices=[Choice(message=message)])).unwrap()
    assert isinstance(again, Question)
    _, back, *rest = conversation(again)
    assert (back.role, back.content) == ("assistant", content)
    calls = (message.tool_calls or []) if message is not None else []
    assert [one.tool_call_id for one in rest] == [*(call.id for call in calls), None]
    assert all(one.content for one in rest)
    if message is not None:
        assert back.reasoning_details == message.reasoning_details
        assert back.tool_calls == message.tool_calls
