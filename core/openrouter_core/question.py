"""A call for a typed answer, as a state machine: ask, read the answer, and ask again if it does not fit.

    ask -> Question --read--> Parsed           the answer fits
              ^       |
              |       +-----> Question         it does not: ask again, with what was wrong
              +-------+
                      +-----> ParseError       it does not, and all repairs are used up

The schema of the wanted type travels as `response_format`; see `schema` for what types can be described, `typed` for
how an answer is read.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest, ParseError
from openrouter_core.refuse import refuse
from openrouter_core.schema import TypeSchema, describe
from openrouter_core.typed import Mismatch, Parsed, decode_as, repair_message
from openrouter_core.validate import is_request
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import LENGTH, ChatCompletionResponse

T = TypeVar("T")


class Question(msgspec.Struct, Generic[T], frozen=True):
    """What is to be asked next, for a `wanted`; `repairs` is how often it may be asked again if the answer is wrong.

    `earlier` are the answers so far, none of which fitted; `known` is what describes the type.
    """

    wanted: type[T]
    request: ChatCompletionRequest
    repairs: int = 0
    earlier: tuple[ChatCompletionResponse, ...] = ()
    known: TypeSchema | None = None


def ask(wanted: type[T], request: ChatCompletionRequest, repairs: int = 0) -> Result[Question[T], InvalidRequest]:
    """Make a request ask for a type; fails for a type that no JSON schema describes, and for a second format."""
    if not is_request(request):
        return Failure(refuse("request", "must be a ChatCompletionRequest", request))
    if request.response_format is not None:
        bound = "must be left out: the wanted type says it"
        return Failure(InvalidRequest(message=f"response_format {bound}", field="response_format", bound=bound))
    if not is_count(repairs):
        bound = "must be a number of times to ask again, 0 or more"
        return Failure(
            InvalidRequest(message=f"repair = {repairs!r}: {bound}", field="repair", value=repr(repairs), bound=bound)
        )
    described = describe(wanted)
    if isinstance(described, Failure):
        told = str(described.failure())
        return Failure(InvalidRequest(message=told, field="wanted", value=repr(wanted)[:80], bound=told))
    known = described.unwrap()
    asked = ResponseFormat.json_schema(known.schema, name=known.name, strict=known.strict)
    return Success(Question(wanted, msgspec.structs.replace(request, response_format=asked), repairs, known=known))


def is_count(value: object) -> bool:
    """Tell a number of times: callers without type checkers pass anything, and nothing may raise."""
    return isinstance(value, int) and value >= 0


def read(question: Question[T], answer: ChatCompletionResponse) -> Result[Parsed[T] | Question[T], ParseError]:
    """Read an answer: the value, or the question to ask next, or why there is neither."""
    parsed = decode_as(question.wanted, answer.text, question.known)
    if not isinstance(parsed, Failure):
        return Success(Parsed(parsed.unwrap(), answer, question.earlier))
    if question.repairs > 0:
        return Success(asked_again(question, answer, parsed.failure()))
    return Failure(mismatched((*question.earlier, answer), parsed.failure()))


def asked_again(question: Question[T], answer: ChatCompletionResponse, mismatch: Mismatch) -> Question[T]:
    """Ask again: the conversation goes on with the wrong answer and with what was wrong about it.

    Calls of tools are answered too, or providers would refuse the conversation.
    """
    wrong = answer.message.to_message() if answer.message is not None else ChatMessage.assistant()
    if not wrong.content and not wrong.tool_calls:
        wrong = msgspec.structs.replace(wrong, content="")
    unrun = [ChatMessage.tool("This tool was not run.", tool_call_id=call.id) for call in answer.tool_calls if call.id]
    said = [*question.request.conversation, wrong, *unrun, ChatMessage.user(repair_message(mismatch))]
    return msgspec.structs.replace(
        question,
        request=msgspec.structs.replace(question.request, messages=said, prompt=None),
        repairs=question.repairs - 1,
        earlier=(*question.earlier, answer),
    )


def mismatched(answers: tuple[ChatCompletionResponse, ...], mismatch: Mismatch) -> ParseError:
    """Make the error of answers that do not fit, of which the last counts: where it is wrong, and its text.

    The attempts are those of all answers.
    """
    answer, why = answers[-1], str(mismatch)
    attempts = [attempt for one in answers if one.call is not None for attempt in one.call.attempts]
    if len(answers) > 1:
        why += f" (the last of {len(answers)} answers, each of which may have been billed)"
    if answer.finish_reason == LENGTH:
        why += " (the answer was cut off: raise max_completion_tokens)"
    if answer.message is not None and answer.message.refusal:
        why += f" (the model refused: {answer.message.refusal[:200]})"
    return ParseError(
        message=why,
        path=mismatch.path,
        text=mismatch.text,
        partial=answer,
        attempts=tuple(msgspec.structs.replace(one, number=place) for place, one in enumerate(attempts, start=1)),
        generation_id=answer.id,
        provider_name=answer.provider,
    )
