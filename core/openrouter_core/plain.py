"""Whatever callers give -> values that JSON can hold, or the first one that it cannot. Pure; never raises.

Subclasses of text and numbers, mappings and collections of any kind become plain values; iterators do not, for a second
build of the same request would find them empty.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeGuard

import msgspec

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse

AS_THEY_ARE = (bytes, bytearray, memoryview)
"""Left alone, so that they fail as text. Else msgspec would send base64 where the caller meant to send a text."""

ENCODER = msgspec.json.Encoder()


def top(path: str) -> str:
    """Name a field from a path into a request; names that begin with @ are not the wire's."""
    return path.removeprefix(".").replace("@", "")


def encoded(
    body: dict[str, Any], naming: Callable[[str], str] = top, encoder: msgspec.json.Encoder = ENCODER
) -> bytes | InvalidRequest:
    """Write a checked body as JSON, but for what JSON cannot hold: NaN, infinity, lone surrogates, endless ints."""
    try:
        data = encoder.encode(body)
    except Exception:  # noqa: BLE001 msgspec raises several kinds, and what matters is which value it was
        return unencodable(body, naming)
    # msgspec writes NaN and infinity as null. So only a body with a null in it, a rare one, must be searched for them;
    # decimals, where they are numbers, it writes by name.
    if b"null" in data or (encoder is not ENCODER and (b"NaN" in data or b"Infinity" in data)):
        for path, leaf in leaves(body):
            if isinstance(leaf, float | Decimal) and not math.isfinite(leaf):
                return refuse(naming(path), "must be a finite number", leaf)
    return data


def plain(value: Any) -> Any:
    """Turn what msgspec does not know into what it does. An `enc_hook`; raises TypeError where there is no way."""
    if isinstance(value, str):  # subclasses, here and in the next two: msgspec takes only the types themselves
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if is_mapping(value):
        return dict(value)
    if is_collection(value):
        return list(value)
    # Iterators too: a second build of the same request would find them empty.
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def unencodable(root: Any, naming: Callable[[str], str] = top) -> InvalidRequest:
    """Find the value that cannot be written as JSON: the very leaf if it is one, else the field that it is in."""
    try:
        for path, value in (*leaves(root), *(children("", root) or ())):
            if (bound := flaw(value)) is not None:
                return refuse(naming(path), bound, value)
    except Exception:  # noqa: BLE001 a caller's object that cannot even be looked at
        return refuse("request", "holds an object that cannot be read")
    return refuse("request", "cannot be written as JSON", root)


def flaw(value: Any) -> str | None:
    """Say why a value cannot be written as JSON; None if it can."""
    try:
        ENCODER.encode(msgspec.to_builtins(value, enc_hook=plain))
    except UnicodeEncodeError:
        return "must be text without lone surrogates"
    except RecursionError:
        return "must not be nested so deeply, or contain itself"
    except Exception as error:  # noqa: BLE001 see `encoded`
        return f"cannot be written as JSON: {error}"[:200]
    return None


def leaves(root: Any) -> Iterator[tuple[str, Any]]:
    """Walk all scalars with their paths, in order; a container that was seen before is not entered again."""
    stack, seen = [("", root)], set[int]()
    while stack:
        path, value = stack.pop()
        inside = children(path, value)
        if inside is None:
            yield path, value
        elif id(value) not in seen:
            seen.add(id(value))
            stack.extend(reversed(inside))


def children(path: str, value: Any) -> list[tuple[str, Any]] | None:
    """List what a container holds, keys that are not plain text included; None for what is no container."""
    if isinstance(value, str | bytes | bytearray | memoryview):
        return None
    if isinstance(value, msgspec.Struct):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        return [(f"{path}.{name}", getattr(value, field)) for field, name in names]
    if is_mapping(value):
        keys = [(f"{path}.{key!r}", key) for key in value if isinstance(key, str) and not key.isascii()]
        return keys + [(f"{path}.{key}", child) for key, child in value.items()]
    if is_collection(value):
        return [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    return None


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell a mapping of any kind."""
    return isinstance(value, Mapping)


def is_collection(value: object) -> TypeGuard[Collection[Any]]:
    """Tell a collection of any kind; text is one too."""
    return isinstance(value, Collection)
