"""Plausible answers of all endpoints that the stand-in does not play: what their types say, with made-up values.

This is the one place where the simulator knows the client: the table of endpoints, imported when it is first needed.
Jobs are done at once, lists have one item, files and sounds are a few bytes.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from openrouter_client.simulator.envelopes import plain
from openrouter_client.simulator.wire import Reply, Write, json_reply

_BYTES = b"local-simulator: these bytes stand for a file"
_KNOWN: Mapping[str, Any] = {
    "status": "completed", "deleted": True, "has_more": False, "total_count": 1, "model": "x-ai/grok-4.7",
    "created_at": "2026-11-01T12:00:00Z", "date": "2026-11-01", "type": "local-simulator",
    "links": None, "last_id": None, "cursor": None, "error": None, "message": None,
}  # fmt: skip
"""Values that mean something, by the names of their fields."""


class Served(msgspec.Struct, frozen=True):
    """An endpoint that was found: the key that it wants, what its path names, and what it answers."""

    key: str
    names: Mapping[str, str]
    answer: Any


def find(method: str, path: str) -> Served | None:
    """The endpoint that a request asks for, if the API has it."""
    for wanted, pattern, key, answer in _routes():
        match = pattern.fullmatch(path) if wanted == method else None
        if match is not None:
            return Served(key, match.groupdict(), answer)
    return None


def methods(path: str) -> tuple[str, ...]:
    """The methods that a path takes."""
    return tuple(sorted({method for method, pattern, _, _ in _routes() if pattern.fullmatch(path)}))


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str], str, Any], ...]:
    from openrouter_core.endpoints.table import TABLE  # noqa: PLC0415 - every shape of the API comes with it

    routes = [(one.method, f"/api/{one.base or 'v1'}{one.path}", one.key, one.answer) for one in TABLE.values()]
    routes.sort(key=lambda route: route[1].count("{"))
    return tuple((method, _pattern(path), key, answer) for method, path, key, answer in routes)


def _pattern(path: str) -> re.Pattern[str]:
    named = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(named)


def answered(served: Served) -> Reply:
    """A good answer of an endpoint."""
    if served.answer is bytes:
        return Reply(kind="ok", headers=(("Content-Type", "application/octet-stream"),), steps=(Write(_BYTES),))
    if served.answer is type(None):
        return Reply(kind="ok", status=204, steps=())
    names = dict(served.names)
    identity = next((names[name] for name in ("id", "jobId", "file_id", "hash", "slug") if name in names), "sim-1")
    return json_reply("ok", 200, _value(inspect.type_info(served.answer), "", {**names, "id": identity}))


def _value(kind: inspect.Type, name: str, told: Mapping[str, str], depth: int = 0) -> Any:
    """A value of a type, by the name of its field."""
    match kind:
        case inspect.StructType(fields=fields):
            wanted = [one for one in fields if one.required or (depth < 3 and one.encode_name in {*told, *_KNOWN})]
            return {one.encode_name: _value(one.type, one.encode_name, told, depth + 1) for one in wanted}
        case inspect.UnionType(types=types):
            if name in _KNOWN and _KNOWN[name] is None:
                return None
            return _value(_likeliest(types, name), name, told, depth)
        case inspect.ListType(item_type=item):
            return [_value(item, name, told, depth + 1)] if depth < 4 else []
        case inspect.DictType():
            return {}
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.StrType():
            return told.get(name) or (_KNOWN[name] if isinstance(_KNOWN.get(name), str) else "local-simulator")
        case inspect.BoolType():
            return bool(_KNOWN.get(name, False))
        case inspect.IntType():
            return 1
        case inspect.FloatType() | inspect.DecimalType():
            return 0.5
        case _:
            return None


def _likeliest(types: tuple[inspect.Type, ...], name: str) -> inspect.Type:
    """The member of a union that a made-up value shall have: text where the name promises some, else the first."""
    some = [one for one in types if not isinstance(one, inspect.NoneType)]
    texts = [one for one in some if isinstance(one, inspect.StrType)]
    return texts[0] if texts and isinstance(_KNOWN.get(name), str) else some[0]


def not_allowed(path: str) -> Reply | None:
    """The refusal of a method that a path does not take; None for a path that there is not."""
    allowed = methods(path)
    return plain(405, "Method Not Allowed", headers=(("Allow", ", ".join(allowed)),)) if allowed else None
