"""A model's answer as text -> a value of the type that was asked for.

The answer to a request with a JSON schema should be JSON and nothing else. Models put it in code fences, or talk
before and after it; the first value in the text that fits the type is taken. Whether to ask again, and how often, is
decided elsewhere; ``repair_message`` only words the question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, overload

import msgspec
from msgspec import Struct
from returns.result import Failure, Result, Success

from openrouter_core.candidates import candidates
from openrouter_core.conform import AnswerSchema
from openrouter_core.schema import WRAPPER, TypeSchema, describe, is_pydantic, name_of
from openrouter_core.wire.response import ChatCompletionResponse

T = TypeVar("T")

_AT: Final = " - at `"
_KEY_AT: Final = " - at `key` in `"


class Parsed(Struct, Generic[T], frozen=True):
    """A typed answer: its value, and the response that it was read from.

    `earlier` are the answers before it that did not fit, when it was asked for again. They were billed too.
    """

    value: T
    response: ChatCompletionResponse
    earlier: tuple[ChatCompletionResponse, ...] = ()

    @property
    def cost(self) -> float | None:
        """What all answers cost in USD; None when it is unknown of one of them, which never means free."""
        costs = [answer.cost for answer in (*self.earlier, self.response)]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None


class Mismatch(Struct, frozen=True):
    """The text holds no value of the type.

    ``path`` says where the likeliest candidate is wrong ("$.probability"); None: nothing in the text is JSON at all.
    ``text`` is the whole answer.
    """

    type: str
    message: str
    path: str | None
    text: str

    def __str__(self) -> str:
        """Say in one line what is wrong."""
        where = f" at {self.path}" if self.path else ""
        return f"the answer is not a valid {self.type}{where}: {self.message}"


class _Wrong(Struct, frozen=True):
    """Why one candidate, of so many characters, is not the value. ``path`` None: it is no JSON."""

    message: str
    path: str | None
    size: int = 0


def _telling(wrong: _Wrong) -> tuple[bool, int, int]:
    """Which complaint to report: about JSON rather than prose, about much text rather than little, the most precise."""
    return wrong.path is not None, wrong.size, len(wrong.path or "")


Decode = Callable[[str], Any]


@overload
def decode_as(wanted: type[T], text: str, known: TypeSchema | None = None) -> Result[T, Mismatch]: ...
@overload
def decode_as(wanted: Any, text: str, known: TypeSchema | None = None) -> Result[Any, Mismatch]: ...
def decode_as(wanted: Any, text: str, known: TypeSchema | None = None) -> Result[Any, Mismatch]:
    """Find the first JSON value in the text that is a ``wanted``, the types that ``schema_for`` describes.

    A type that is no object was asked for as ``{"value": ...}`` and is taken with or without that wrapper.
    ``known`` is what ``describe`` said of the type, which saves asking it again. Never raises, whatever the text; a
    type that cannot be decoded at all is a Mismatch too.
    """
    if known is None:
        described = describe(wanted)
        if not isinstance(described, Success):
            return Failure(Mismatch(type=name_of(wanted), message=str(described.failure()), path=None, text=text))
        known = described.unwrap()
    wrong = _Wrong(message="the answer is empty", path=None)
    for decode in _decoders(wanted, wrapped=known.wrapped):
        for candidate in candidates(text):
            outcome = _tried(decode, candidate)
            if not isinstance(outcome, _Wrong):
                return Success(outcome.value)
            wrong = max(wrong, outcome, key=_telling)
    return Failure(Mismatch(type=known.name, message=wrong.message, path=wrong.path, text=text))


def decode_exactly(wanted: type[T], text: str) -> Result[T, Mismatch]:
    """Decode a text that must be the JSON of a ``wanted`` and nothing else: a tool's arguments."""
    decoder = msgspec.json.Decoder(wanted)
    outcome = _tried(lambda candidate: decoder.decode(_encoded(candidate)), text)
    if isinstance(outcome, _Wrong):
        return Failure(Mismatch(type=name_of(wanted), message=outcome.message, path=outcome.path, text=text))
    return Success(outcome.value)


def repair_message(error: Mismatch) -> str:
    """What to tell the model so that it answers again, correctly. The answer itself precedes it in the conversation."""
    where = f"At {error.path}: " if error.path else ""
    return (
        f"Your last answer does not fit the required JSON schema. {where}{error.message}. "
        "Answer again with the complete, corrected JSON only: no explanation, no code fence."
    )


class _Found(Struct, frozen=True):
    """A candidate that is the value; wrapped, because the value itself may be anything."""

    value: Any


def _tried(decode: Decode, candidate: str) -> _Found | _Wrong:
    """Decode one candidate. The type's own code runs here (validators, ``__post_init__``), and may raise anything."""
    try:
        return _Found(decode(candidate))
    except msgspec.ValidationError as error:
        message, path = _split(str(error))
    except msgspec.DecodeError as error:
        message, path = str(error), None
    except Exception as error:  # noqa: BLE001 - see above; RecursionError of a hostile answer is among them
        message, path = _by_shape(error)
    return _Wrong(message=message, path=path, size=len(candidate))


def _decoders(wanted: Any, *, wrapped: bool) -> tuple[Decode, ...]:
    """The ways to read a candidate, the way that the schema asked for first."""
    if isinstance(wanted, AnswerSchema):
        return (wanted.decode,)
    if is_pydantic(wanted):
        bare: Decode = wanted.model_validate_json
        raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
        return (lambda text: bare(str(raw.decode(_encoded(text))[WRAPPER], "utf-8")), bare) if wrapped else (bare,)
    decoder = msgspec.json.Decoder(wanted)
    if not wrapped:
        return (lambda text: decoder.decode(_encoded(text)),)
    wrapper = msgspec.json.Decoder(msgspec.defstruct(WRAPPER, [(WRAPPER, wanted)]))
    return (lambda text: getattr(wrapper.decode(_encoded(text)), WRAPPER), lambda text: decoder.decode(_encoded(text)))


def _encoded(text: str) -> bytes:
    """The text as UTF-8; half a surrogate pair, which has no UTF-8, becomes a question mark."""
    return text.encode("utf-8", "replace")


def _split(message: str) -> tuple[str, str]:
    """Split msgspec's message into what is wrong and where: "Expected `int`, got `str` - at `$.a`"."""
    for mark, note in ((_KEY_AT, " as a key"), (_AT, "")):
        told, found, path = message.rpartition(mark)
        if found:
            return told + note, path.removesuffix("`")
    return message, "$"


def _by_shape(error: Exception) -> tuple[str, str | None]:
    """Read the first of pydantic's errors, told by its shape; of any other exception, its text."""
    errors: Any = getattr(error, "errors", None)
    try:
        first = errors()[0]
        place, message, malformed = first["loc"], str(first["msg"]), first["type"] == "json_invalid"
    except (TypeError, LookupError):
        return f"{type(error).__name__}: {error}", "$"
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return message, None if malformed else f"${path}"
