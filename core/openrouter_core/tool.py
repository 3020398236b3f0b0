"""Python functions -> tools that a model can call, and the model's arguments -> keyword arguments.

Nothing is called here: a ``Tool`` holds its function for whoever runs it. What a model gets wrong is a value.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from returns.result import Failure, Result

from openrouter_core.docstring import described
from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.schema import SchemaError, describe, name_of
from openrouter_core.strict import Schema
from openrouter_core.typed import Mismatch, decode_exactly
from openrouter_core.wire.tools import FunctionTool

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What providers take for the name of a function (platform.openai.com/docs/api-reference/chat/create)."""

_NAMELESS: Final = name_of(lambda: None)

_UNION: Final[Any] = Union
"""As a value: `|` refuses some hints, and `Union` with a hint that is known at run time only is no type to checkers."""


class Tool(Struct, frozen=True, kw_only=True):
    """A function that a model may call: what the model is told of it, and how its arguments are read.

    ``function`` may be sync or async; it is called with keyword arguments only. ``arguments_type`` is the Struct that
    the arguments are decoded into, ``omitted`` the parameters for which null means the default.
    """

    name: str
    description: str
    parameters: Schema
    strict: bool
    function: Callable[..., Any]
    arguments_type: type[Struct]
    omitted: frozenset[str] = frozenset()

    @classmethod
    def from_function(
        cls, function: Callable[..., Any], *, name: str | None = None, description: str | None = None
    ) -> Result[Tool, InvalidRequest]:
        """Describe a function by its signature, type hints, docstring and ``Annotated`` metadata.

        Strict modes want every parameter given, so one with a default may be null, which means the default. The
        description of a parameter is that of its ``Meta``, or a text in its ``Annotated``, or from the docstring.
        ``*args`` and ``**kwargs`` are left out, and so is what a ``functools.partial`` gives by name. Fails for a
        parameter without a type hint, or of a type without a JSON schema, and for one that is positional-only.
        """
        called = name or _name(function)
        told, meanings = described(inspect.getdoc(_inner(function)))
        try:
            hints = get_type_hints(_annotated(function), include_extras=True)
            parameters = [*_parameters(function)]
            flaw = _flaw(function, called, parameters, hints)
            fields = [*_fields(parameters, hints, meanings)]
            arguments_type = msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)
        except Exception as error:  # noqa: BLE001 - NameError of a hint, ValueError of a builtin's signature, and others
            return Failure(refuse(called, f"must have a signature and type hints that can be read: {shown(error)}"))
        if flaw is not None:
            return Failure(flaw)
        accepted = describe(arguments_type).alt(lambda problem: _indescribable(called, problem))
        return accepted.map(
            lambda known: cls(
                name=called,
                description=told if description is None else description,
                parameters=known.schema,
                strict=known.strict,
                function=function,
                arguments_type=arguments_type,
                omitted=frozenset(one.name for one in parameters if not _takes_null(hints[one.name])),
            )
        )

    def definition(self) -> FunctionTool:
        """The tool as it stands in a request."""
        return FunctionTool.of(
            self.name, self.parameters, description=self.description or None, strict=True if self.strict else None
        )

    def arguments(self, text: str) -> Result[dict[str, Any], Mismatch]:
        """Keyword arguments out of the JSON that the model wrote; no text at all is no arguments."""
        return decode_exactly(self.arguments_type, text.strip() or "{}").map(self._given)

    def _given(self, arguments: Struct) -> dict[str, Any]:
        """The arguments that were given; a default is left to the function."""
        named = {name: getattr(arguments, name) for name in arguments.__struct_fields__}
        return {
            name: value
            for name, value in named.items()
            if value is not UNSET and not (value is None and name in self.omitted)
        }


def content_of(value: Any) -> str:
    """What a tool returned, as the text of a tool message: text as it is, anything else as JSON. Never raises."""
    if isinstance(value, str):
        return _sendable(value)
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except Exception:  # noqa: BLE001 - a value that cannot be JSON, or whose own code fails, is shown as text
        return _sendable(shown(value))


def error_content(message: str) -> str:
    """A failure, as the text of a tool message."""
    return msgspec.json.encode({"error": _sendable(message)}).decode()


def shown(value: object) -> str:
    """A value or an exception of somebody else's as text; it may not even have that."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - see above
        return f"a {type(value).__name__}"


def _sendable(text: str) -> str:
    """The text as it can be sent; half a surrogate pair, which has no UTF-8, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    """A value that msgspec does not know: a pydantic model as its fields, anything else as text."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)


def _inner(function: Callable[..., Any]) -> Any:
    """What a ``functools.partial`` calls; anything else is that itself."""
    return function.func if isinstance(function, functools.partial) else function


def _name(function: Callable[..., Any]) -> str:
    """The name of a function or class; of other objects that can be called, that of their class."""
    inner = _inner(function)
    return name_of(inner if hasattr(inner, "__name__") else type(inner))


def _annotated(function: Callable[..., Any]) -> Any:
    """Where the type hints are: on a function or method itself, on a class's ``__init__``, else on ``__call__``."""
    inner = _inner(function)
    if inspect.isclass(inner):
        return inner.__init__
    return inner if inspect.isroutine(inner) else type(inner).__call__


def _parameters(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """The parameters that a model can give; what a ``functools.partial`` holds is not its business."""
    parameters = inspect.signature(function).parameters
    held = function.keywords if isinstance(function, functools.partial) else {}
    for one in parameters.values():
        if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) and one.name not in held:
            yield one


def _flaw(
    function: Callable[..., Any], name: str, parameters: list[inspect.Parameter], hints: Mapping[str, Any]
) -> InvalidRequest | None:
    """What a model could not make sense of, though it can be described."""
    if name == _NAMELESS:
        return refuse(name, "must have a name of its own: give one with Tool.from_function(..., name=...)")
    if not _NAME.fullmatch(name):
        return refuse(name, "must have a name of at most 64 letters, digits, _ and -")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return refuse(name, "must return its result whole, not be a generator")
    for one in parameters:
        if one.kind is one.POSITIONAL_ONLY:
            return refuse(f"{name}.{one.name}", "must be accepted by name, not only by position")
        if one.name not in hints:
            return refuse(f"{name}.{one.name}", "must have a type hint, Any at least")
    return None


def _indescribable(name: str, problem: SchemaError) -> InvalidRequest:
    """The error of a parameter whose type has no schema."""
    bound = f"must have a JSON schema, and {problem.type} has none: {problem.message}"
    return refuse(name + problem.path.removeprefix("$"), bound)


def _fields(
    parameters: list[inspect.Parameter], hints: Mapping[str, Any], meanings: Mapping[str, str]
) -> Iterator[tuple[str, Any, Any]]:
    """The members of the arguments' Struct: name, type, default."""
    for one in parameters:
        hint = hints.get(one.name)
        meaning = _meaning(hint) or meanings.get(one.name, "")
        if one.default is one.empty:
            yield one.name, _noted(hint, meaning), msgspec.NODEFAULT
        else:
            yield one.name, _noted(_UNION[hint, None, UnsetType], f"{meaning} {_told(one.default)}".strip()), UNSET


def _told(default: Any) -> str:
    """A default in words, if it can be told: an object's address would be another one in each process."""
    try:
        return "" if default is None else f"(null: {msgspec.json.encode(default).decode()})"
    except Exception:  # noqa: BLE001 - whatever the default's type makes of it
        return ""


def _noted(hint: Any, meaning: str) -> Any:
    """The type, with a description if there is one."""
    return Annotated[hint, Meta(description=meaning)] if meaning else hint


def _meaning(hint: Any) -> str | None:
    """The description in a hint's own metadata."""
    metadata = getattr(hint, "__metadata__", ())
    own = [one.description for one in metadata if isinstance(one, Meta) and one.description]
    return next(iter([*own, *(one for one in metadata if isinstance(one, str))]), None)


def _takes_null(hint: Any) -> bool:
    """Whether None is a value of the type, and so may not be taken for "not given"."""
    if get_origin(hint) is Annotated:
        return _takes_null(get_args(hint)[0])
    return hint in (Any, None, type(None)) or type(None) in get_args(hint)
