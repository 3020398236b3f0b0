"""Typed answers: the value comes back out of whatever surrounds it, and no text makes the decoder raise."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from returns.result import Failure, Success
from tests.core.types_and_values import Buy, Wait, typed_values

from openrouter_core.conform import AnswerSchema
from openrouter_core.schema import describe
from openrouter_core.typed import Mismatch, Parsed, decode_as, decode_exactly, repair_message
from openrouter_core.wire.response import ChatCompletionResponse

AROUND = st.sampled_from(
    [
        ("", ""),
        ("\n ", " \n"),
        ("```json\n", "\n```"),
        ("Here you are [citation needed]:\n```json\n", "\n```\nAnything else?"),
        ('The "answer" is {drum roll} ', " - as asked."),
        ('{stray 5" brace ', ""),
    ]
)


@given(typed_values(), AROUND, st.booleans())
def test_the_value_comes_back(case: tuple[Any, Any], around: tuple[str, str], unwrapped: bool) -> None:
    """Exists for answers that are right and are refused: fenced, in prose, without the wrapper."""
    kind, value = case
    before, after = around
    wrap = describe(kind).unwrap().wrapped
    inner = msgspec.json.encode(value).decode()
    scalar = inner[0] not in "[{"
    text = inner if not wrap or (unwrapped and not scalar and before in ("", "\n ")) else f'{{"value": {inner}}}'
    assert decode_as(kind, before + text + after).unwrap() == value
    assert decode_as(kind, before + text + after, describe(kind).unwrap()).unwrap() == value


class Prediction(Struct):
    probability: Annotated[float, Meta(ge=0, le=1)]
    reasons: list[str] = []


class Model(pydantic.BaseModel):
    probability: float = pydantic.Field(ge=0, le=1)
    pair: tuple[int, str] = (1, "a")


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Raising(Struct):
    number: int

    def __post_init__(self) -> None:
        if self.number:
            raise ZeroDivisionError("by design")


KINDS = st.sampled_from([Prediction, Model, Numbers, Raising, list[int], Buy | Wait, int, dict[str, int], Any])


@given(KINDS, st.text() | st.text(alphabet='{}[]",:1 \\"vale\n\ud800'))
def test_random_text_never_raises(kind: Any, text: str) -> None:
    """Exists for a decoder that raises out of the library because a model said something odd."""
    result = decode_as(kind, text)
    assert result.map(lambda _: True).value_or(False) or (result.failure().text == text and str(result.failure()))


@pytest.mark.parametrize(
    ("kind", "text", "path", "message"),
    [
        (Prediction, '{"probability": 2}', "$.probability", "Expected `float` <= 1.0"),
        (Prediction, 'See [1]: {"probability": 1, "reasons": [1]}', "$.reasons[0]", "Expected `str`, got `int`"),
        (Prediction, '{"probability":', None, "Input data was truncated"),
        (Prediction, "", None, "the answer is empty"),
        (Prediction, "[]", "$", "Expected `object`, got `array`"),
        (dict[int, int], '{"x": 1}', "$", "Expected `int`, got `str` as a key"),
        (list[int], '{"value": [1, "x"]}', "$.value[1]", "Expected `int`, got `str`"),
        (Raising, '{"number": 1}', "$", "ZeroDivisionError: by design"),
        (Model, '{"probability": 2, "pair": [1, "a"]}', "$.probability", "Input should be less than or equal to 1"),
        (Model, '{"probability": 1, "pair": [1, 2]}', "$.pair[1]", "Input should be a valid string"),
        (Numbers, '{"value": ["x"]}', None, "Input should be a valid integer"),
    ],
)
def test_a_wrong_answer_says_where(kind: Any, text: str, path: str | None, message: str) -> None:
    error = decode_as(kind, text).failure()
    assert error.text == text
    assert message in str(error)
    if kind is not Numbers:
        assert error.path == path
        assert (path or "") in repair_message(error)
    assert error.message in repair_message(error)


@pytest.mark.parametrize(
    ("path", "text", "repair"),
    [
        (None, "the answer is not a valid P: odd", "required JSON schema. odd. Answer"),
        ("$.a", "the answer is not a valid P at $.a: odd", "required JSON schema. At $.a: odd. Answer"),
    ],
)
def test_a_mismatch_in_words(path: str | None, text: str, repair: str) -> None:
    error = Mismatch(type="P", message="odd", path=path, text="")
    assert str(error) == text
    assert repair in repair_message(error)


class Quoting(Struct):
    number: int

    def __post_init__(self) -> None:
        raise ValueError("told - at `noon`")


def test_the_place_is_the_last_that_is_told() -> None:
    error = decode_as(list[Quoting], '[{"number": 1}]').failure()
    assert (error.message, error.path) == ("told - at `noon`", "$[0]")


def test_what_must_be_the_value_and_nothing_else() -> None:
    text = '{"probability": 2}'
    wrong = Mismatch(type="Prediction", message="Expected `float` <= 1.0", path="$.probability", text=text)
    assert decode_exactly(Prediction, text) == Failure(wrong)
    assert decode_exactly(Prediction, "So: " + text).failure().path is None
    assert decode_exactly(Prediction, '{"probability": 1}') == Success(Prediction(1.0))


class Linked(pydantic.BaseModel):
    name: str
    value: Linked | None = None


def test_a_field_with_the_name_of_the_wrapper_is_none() -> None:
    text = '{"name": "outer", "value": {"name": "inner"}}'
    assert decode_as(Linked, text) == Success(Linked(name="outer", value=Linked(name="inner")))


def test_pydantic_values() -> None:
    assert decode_as(Model, 'So: {"probability": 0.5}').unwrap() == Model(probability=0.5)
    assert decode_as(Numbers, '{"value": [1, 2]}').unwrap() == Numbers([1, 2])
    assert decode_as(Numbers, "[1, 2]").unwrap() == Numbers([1, 2])
    assert decode_as(Model, "no").failure().path is None


def test_a_type_that_cannot_be_decoded_is_a_mismatch() -> None:
    error = decode_as(complex, "1").failure()
    assert error == Mismatch(
        type="complex", message="complex at $ has no JSON schema: msgspec cannot describe it", path=None, text="1"
    )


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert decode_as(list[str], '["\ud800"]').unwrap() == ["?"]


def test_parsed_holds_the_value_and_where_it_came_from() -> None:
    parsed = Parsed(value=Buy(1.0), response=ChatCompletionResponse(id="gen-1"))
    assert (parsed.value.amount, parsed.response.id) == (1.0, "gen-1")


def test_an_answer_is_held_against_a_schema() -> None:
    wanted = AnswerSchema({"type": "object", "properties": {"x": {"type": "integer", "maximum": 9}}}, "Point")
    assert decode_as(wanted, 'Not {"x": 10}, but {"x": 3}.').unwrap() == {"x": 3}
    error = decode_as(wanted, '{"x": 10}').failure()
    assert (error.type, error.path, error.message) == ("Point", "$.x", "must be at most 9")
