"""How a refused request is put into words: the field's path, its value (bounded), what it must satisfy.

Turns msgspec's messages into sentences for people. Pure; total for any value, whatever its `repr` does.
"""

import re
import reprlib
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import msgspec
from msgspec import inspect

from openrouter_core.errors import InvalidRequest
from openrouter_core.wire.options import RequestOptions
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.shape import verify

VALUE_LIMIT = 80
"""How much of a refused value an error shows, in characters: never a whole prompt."""

FIELD_LIMIT = 200
"""How much of a field's path an error shows, in characters: the keys in it are the caller's."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = VALUE_LIMIT
_REPR.maxlevel = 3

_TYPES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "float": ("a number", float),
    "int": ("an integer", int),
    "str": ("a string", str),
    "bool": ("True or False", bool),
    "array": ("a list", (list, tuple)),
    "object": ("a mapping", dict),
    "null": ("None", type(None)),
}
"""msgspec's word for a type, ours, and the Python type it means."""

_PHRASES = (
    ("Expected ", "must be "),
    (", got ", ", not "),
    ("<= ", "at most "),
    (">= ", "at least "),
    ("Invalid value", "cannot be"),
)
"""msgspec's phrases and ours."""

_HINTS = {"messages": 'such as [ChatMessage.user("...")]'}

_STEP = r"\.([^.\[]+)|\[(\d+|\.\.\.)\]"


def refuse(field: str, bound: str, value: Any = ...) -> InvalidRequest:
    """Make the error of a field that breaks a bound; without a value, none is shown (it is absent, or a secret)."""
    field = field[:FIELD_LIMIT]
    if value is ...:
        return InvalidRequest(message=f"{field} {bound}", field=field, bound=bound)
    shown = bounded_repr(value)
    return InvalidRequest(message=f"{field} = {shown}: {bound}", field=field, value=shown, bound=bound)


def bounded_repr(value: Any) -> str:
    """Give a value's repr, cut to `VALUE_LIMIT` characters; the name of its type where its repr fails."""
    try:
        shown = _REPR.repr(value)
    except Exception:  # noqa: BLE001 a caller's object runs its own code here, and a huge int refuses to be printed
        return f"<{type(value).__name__}>"
    return shown if len(shown) <= VALUE_LIMIT else f"{shown[: VALUE_LIMIT - 3]}..."


def explain(error: msgspec.ValidationError, body: Any, ranges: Mapping[str, str] | None = None) -> InvalidRequest:
    """Turn msgspec's complaint about a body into an error that names the field, its value and the bound.

    `ranges` are those of the request's own type, as `ranges_of` tells them; those of a chat request if left out.
    """
    text, *places = str(error).split(" - at ")
    # Each hook that the error passed through appended its own place, the innermost first: "`$.b` - at `$.a[0]`".
    path = "".join(place.partition("$")[2].removesuffix("`") for place in reversed(places))
    missing = re.fullmatch(r"Object missing required field `(.+)`", text)
    if missing:
        return refuse(_name(f"{path}.{missing[1]}"), "is required")
    if places and places[0].startswith("`key`"):
        return refuse(_name(path), "must have strings as keys")
    place, value = _look_up(path, body, text)
    field = _name(place)
    bound = _bound_of(field, text, _chat_ranges() if ranges is None else ranges)
    return refuse(field, f"{bound}, {_HINTS[field]}" if field in _HINTS else bound, value)


def misfit(values: Any, kind: type[msgspec.Struct], ranges: Mapping[str, str] | None = None) -> InvalidRequest | None:
    """Hold plain values against the types and bounds of a struct; explain the first that does not fit, if one does."""
    try:
        msgspec.convert(values, kind, dec_hook=verify)
    except msgspec.ValidationError as error:
        return explain(error, values, ranges)
    return None


def _name(path: str) -> str:
    return path.removeprefix(".").replace("@", "") or "request"


def _look_up(path: str, body: Any, text: str) -> tuple[str, Any]:
    """Follow a path as far as it goes: where it leads and what is there (... where it leads nowhere)."""
    place, value = "", body
    for step in re.finditer(_STEP, path):
        name, index = step.groups()
        try:
            if index == "...":  # msgspec does not say which value of a mapping it was: take the first of that type
                name = _first_of_type(value, text.rpartition("got `")[2].removesuffix("`"))
            value = value[int(index) if name is None else name]
        except (LookupError, TypeError, ValueError, AttributeError):
            return path, ...
        place += f"[{index}]" if name is None else f".{name}"
    return place, value


def _first_of_type(values: dict[str, Any], word: str) -> str | None:
    wanted = _TYPES[word][1] if word in _TYPES else object
    return next((key for key, value in values.items() if isinstance(value, wanted)), None)


def _bound_of(field: str, text: str, ranges: Mapping[str, str]) -> str:
    """Say what a field must satisfy: its whole range where the schema has one, else what msgspec expected."""
    if "got" not in text and field in ranges:
        return ranges[field]
    words = re.sub(r"`([^`]*)`", lambda quoted: " or ".join(_word(word) for word in quoted[1].split(" | ")), text)
    for theirs, ours in _PHRASES:
        words = words.replace(theirs, ours)
    return words


def _word(word: str) -> str:
    return _TYPES[word][0] if word in _TYPES else word


@cache
def ranges_of(struct: type[msgspec.Struct], prefix: str = "") -> Mapping[str, str]:
    """Read a struct's numeric bounds from its annotations, as sentences by field name."""
    found: dict[str, str] = {}
    for field in cast("inspect.StructType", inspect.type_info(struct)).fields:
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for kind in kinds:
            if isinstance(kind, inspect.IntType | inspect.FloatType) and kind.ge is not None:
                limit = f"at least {kind.ge:g}" if kind.le is None else f"between {kind.ge:g} and {kind.le}"
                found[prefix + field.encode_name] = f"must be {limit}"
    return found


@cache
def _chat_ranges() -> Mapping[str, str]:
    return {**ranges_of(ChatCompletionRequest), **ranges_of(RequestOptions, "options.")}
