"""Tools out of functions: what the model is told of them, and what becomes of its arguments."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from returns.result import Failure, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.tool import Tool, content_of, error_content


class Place(Struct):
    city: str
    country: str = "CH"


def forecast(  # noqa: D417 - the others are described by their types
    place: Place,
    days: Annotated[int, Meta(ge=1, le=9), "How many days"] = 3,
    unit: Literal["C", "F"] = "C",
    note: str | None = None,
    *_: int,
    hourly: Annotated[bool, Meta(description="Hour by hour")],
    **__: int,
) -> str:
    """Tell the weather.

    Args:
        place: Where
        note: A note
        hourly: overruled

    """
    return f"{place} {days} {unit} {note} {hourly}"


def made(function: Any, **more: Any) -> Tool:
    return Tool.from_function(function, **more).unwrap()


def test_what_the_model_is_told() -> None:
    tool = made(forecast)
    assert (tool.name, tool.description, tool.strict) == ("forecast", "Tell the weather.", True)
    assert tool.arguments_type.__name__ == "Arguments"
    told = tool.parameters["properties"]
    assert list(told) == ["place", "days", "unit", "note", "hourly"]
    assert {name: schema.get("description") for name, schema in told.items()} == {
        "place": "Where",
        "days": "How many days (null: 3)",
        "unit": '(null: "C")',
        "note": "A note",
        "hourly": "Hour by hour",
    }
    definition = msgspec.to_builtins(tool.definition())
    assert definition["function"] == {
        "name": "forecast",
        "description": "Tell the weather.",
        "parameters": tool.parameters,
        "strict": True,
    }


def test_arguments_become_keywords() -> None:
    """What is left out or null takes the function's own default; null where null is a value is a value."""
    tool = made(forecast)
    given = tool.arguments('{"place": {"city": "Bern"}, "days": null, "note": null, "hourly": true}')
    assert given == Success({"place": Place("Bern"), "note": None, "hourly": True})
    more = tool.arguments('{"place": {"city": "Bern"}, "days": 4, "unit": "F", "hourly": true}').unwrap()
    assert (more["days"], more["unit"]) == (4, "F")
    assert tool.function(**given.unwrap()) == "Place(city='Bern', country='CH') 3 C None True"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"place": {"city": "Bern"}}', "$"),
        ('{"place": {"city": 1}, "hourly": true}', "$.place.city"),
        ('{"place": {"city": "Bern"}, "hourly": true, "days": 10}', "$.days"),
        ('{"place": {"city": "Bern"}, "hourly": true, "more": 1}', "$"),
        ('{"place"', None),
        ('So: {"place": {"city": "Bern"}, "hourly": true}', None),
    ],
)
def test_bad_arguments_are_a_value(text: str, path: str | None) -> None:
    error = made(forecast).arguments(text).failure()
    assert (error.path, error.text) == (path, text)


@given(st.text() | st.text(alphabet='{}[]",:1 \\place\ud800'))
def test_no_text_makes_it_raise(text: str) -> None:
    """Exists for a tool loop that dies of what a model wrote."""
    assert isinstance(made(forecast).arguments(text), Success | Failure)


def count(first: int = 1, step: Annotated[int | None, "By how much"] = 1) -> str:
    """Count."""
    return f"{first} {step}"


def test_null_is_a_value_where_the_type_has_it_whatever_else_is_noted() -> None:
    tool = made(count)
    assert tool.omitted == {"first"}
    assert tool.arguments('{"first": null, "step": null}') == Success({"step": None})


def test_no_arguments_at_all() -> None:
    tool = made(lambda: "now", name="now")  # a lambda needs a name, and can have no parameters: they have no hints
    assert tool.arguments("") == tool.arguments("{}") == Success({})
    assert tool.definition() == msgspec.structs.replace(tool.definition())
    assert tool.description == ""


async def later(seconds: float) -> None:
    """Wait."""


class Counter:
    """Counts."""

    def __call__(self, by: int) -> int:
        return by

    def method(self, by: int) -> int:
        """Count by."""
        return by


class Later:
    async def __call__(self, by: int) -> int:
        return by


@dataclasses.dataclass
class Order:
    """An order."""

    size: int


def loose(anything: Any, other: Any = 1) -> Any:
    """Take anything."""
    return anything, other


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate, as most decorators do."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapped


@logged
def decorated(x: int) -> int:
    """Double."""
    return 2 * x


@functools.lru_cache
def cached(x: int) -> int:
    """Triple."""
    return 3 * x


class Shop:
    @classmethod
    def opened(cls, day: str) -> bool:
        """Tell whether it is open."""
        return bool(cls and day)

    @staticmethod
    def price(item: str) -> int:
        """Tell the price."""
        return len(item)


@pytest.mark.parametrize(
    ("function", "name", "description", "parameters"),
    [
        (later, "later", "Wait.", ["seconds"]),
        (Counter().method, "method", "Count by.", ["by"]),
        (Counter(), "Counter", "Counts.", ["by"]),
        (Later(), "Later", "", ["by"]),
        (Order, "Order", "An order.", ["size"]),
        (decorated, "decorated", "Double.", ["x"]),
        (cached, "cached", "Triple.", ["x"]),
        (Shop.opened, "opened", "Tell whether it is open.", ["day"]),
        (Shop().opened, "opened", "Tell whether it is open.", ["day"]),
        (Shop.price, "price", "Tell the price.", ["item"]),
        (functools.partial(Shop.price), "price", "Tell the price.", ["item"]),
        (functools.partial(later, 0.0), "later", "Wait.", []),
        (functools.partial(Counter(), by=1), "Counter", "Counts.", []),
    ],
)
def test_everything_that_can_be_called(function: Any, name: str, description: str, parameters: list[str]) -> None:
    """Exists for tools that were all called "answer", and for what a partial holds being offered to the model."""
    tool = made(function)
    assert (tool.name, tool.description, tool.parameters["required"]) == (name, description, parameters)


def test_all_kinds_of_functions() -> None:
    assert made(Counter(), name="count").name == "count"
    partly = made(functools.partial(forecast, hourly=True), name="partly", description="Partly")
    assert partly.description == "Partly"
    assert partly.arguments('{"place": {"city": "Bern"}}') == Success({"place": Place("Bern")})
    assert "hourly" not in partly.parameters["properties"]
    anything = made(loose)
    assert not anything.strict
    loosely = anything.definition().function
    assert loosely is not None
    assert msgspec.to_builtins(loosely).get("strict") is None
    assert anything.arguments('{"anything": null, "other": null}') == Success({"anything": None, "other": None})


def missing(x: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821 - a name that is missing is what is tested
    """Name a type that is not there."""


def positional(x: int, /) -> None:
    """Take no names."""


def complex_one(z: complex) -> None:
    """Take what JSON has not."""


def nested(prices: list[dict[str, complex]]) -> None:
    """Take what JSON has not, inside of something."""


def unhinted(x: int, y=1) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - no hint is what is tested
    """Say nothing of y."""


def pieces() -> Any:
    """Give one after the other."""
    yield 1


async def later_pieces() -> Any:
    """Give one after the other."""
    yield 1


@pytest.mark.parametrize("name", ["a b", "n" * 65, "größe", "a\n"])
def test_names_that_providers_refuse_are_refused_here(name: str) -> None:
    assert "at most 64 letters" in Tool.from_function(later, name=name).failure().message


@pytest.mark.parametrize(
    ("function", "field", "bound"),
    [
        (missing, "missing", "must have a signature and type hints that can be read: name 'Nowhere' is not defined"),
        (max, "max", "must have a signature and type hints that can be read: no signature"),
        (3, "int", "must have a signature and type hints that can be read: 3 is not a callable object"),
        (positional, "positional.x", "must be accepted by name, not only by position"),
        (complex_one, "complex_one.z", "must have a JSON schema, and complex has none: msgspec cannot describe it"),
        (nested, "nested.prices[]{}", "must have a JSON schema, and complex has none: msgspec cannot describe it"),
        (unhinted, "unhinted.y", "must have a type hint, Any at least"),
        (lambda x: x, "_lambda_", "must have a name of its own: give one with Tool.from_function(..., name=...)"),
        (pieces, "pieces", "must return its result whole, not be a generator"),
        (later_pieces, "later_pieces", "must return its result whole, not be a generator"),
        (Counter.method, "method.self", "must have a type hint, Any at least"),
    ],
)
def test_what_cannot_be_a_tool(function: Any, field: str, bound: str) -> None:
    error = Tool.from_function(function).failure()
    assert isinstance(error, InvalidRequest)
    assert error.field == field
    assert (error.bound or "").startswith(bound)
    assert error.message == f"{field} {error.bound}"


class Model(pydantic.BaseModel):
    x: int


class Timed(pydantic.BaseModel):
    lasting: dt.timedelta


class Shown:
    def __str__(self) -> str:
        return "shown"


class Unspeakable:
    def __str__(self) -> str:
        raise ZeroDivisionError


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


def with_sentinel(x: int = 1, y: Any = Shown) -> None:
    """Take two defaults, of which one is no JSON."""


def test_a_default_that_cannot_be_told_is_not() -> None:
    """Exists for an address in a schema: equal requests would then differ from one process to the next."""
    told = made(with_sentinel).parameters["properties"]
    assert told["x"]["description"] == "(null: 1)"
    assert "description" not in told["y"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (Place("Bern"), '{"city":"Bern","country":"CH"}'),
        ([1, None], "[1,null]"),
        (Model(x=1), '{"x":1}'),
        (Timed(lasting=dt.timedelta(hours=1)), '{"lasting":"PT1H"}'),
        ({"a": Shown()}, '{"a":"shown"}'),
        (CIRCLE, "[[...]]"),
        ("half \ud800", "half ?"),
        (["half", "\ud800"], r"['half', '\ud800']"),
        (Unspeakable(), "a Unspeakable"),
    ],
)
def test_what_a_tool_returned_as_text(value: object, text: str) -> None:
    assert content_of(value) == text


def test_an_error_as_text() -> None:
    assert error_content('no "x"') == '{"error":"no \\"x\\""}'
    assert error_content("half \ud800") == '{"error":"half ?"}'
