"""What the official package `openrouter` says of itself: its operations, and values of its models.

The package is written by a generator, so that its source can be read for what each method sends and takes.
"""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openrouter
import pydantic
import typing_extensions
from hypothesis import strategies as st
from openrouter import components, operations

ROOT = Path(openrouter.__file__).parent
BESIDE = frozenset({"http_referer", "x_open_router_title", "x_open_router_categories"})
"""Parameters of every method that are headers of the application, not of the operation."""

DEPTH = 5
"""How deep values are nested before only what is required is filled in."""


@dataclass(frozen=True)
class Operation:
    """One method of the package: what it sends, and the names of what it takes for a good answer."""

    name: str
    method: str
    path: str
    request: str | None
    multipart: bool
    answers: tuple[tuple[str, str | None], ...]
    """Media types, each with the model of the answer, if it is JSON."""

    def fields(self) -> dict[str, tuple[str, Any, bool]]:
        """By alias: where a parameter goes ("path", "query", "header", "request"), its type, whether it is required."""
        if self.request is None:
            return {}
        model = getattr(operations, self.request)
        found: dict[str, tuple[str, Any, bool]] = {}
        hints = typing.get_type_hints(model, include_extras=True)
        for name, field in model.model_fields.items():
            if name in BESIDE:
                continue
            places = [meta for meta in field.metadata if type(meta).__name__ == "FieldMetadata"]
            assert places, (self.name, name, hints)
            place = next(where for where in ("path", "query", "header", "request") if getattr(places[0], where))
            found[field.alias or name] = (place, field.annotation, field.is_required())
        return found

    def answer(self) -> Any:
        """The model of a good answer in JSON; None where it is bytes, or nothing."""
        for media_type, model in self.answers:
            if media_type == "application/json" and model is not None:
                module, _, name = model.partition(".")
                return getattr({"components": components, "operations": operations}[module], name)
        return None


def the_operations() -> Iterator[Operation]:
    """Read all methods of the package that send something."""
    for path in sorted(ROOT.glob("*.py")):
        for owner in ast.parse(path.read_text(encoding="utf-8")).body:
            for method in owner.body if isinstance(owner, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef) and (found := read_method(path.stem, method)) is not None:
                    yield found


def read_method(module: str, method: ast.FunctionDef) -> Operation | None:
    sent: dict[str, str] = {}
    request, multipart, answers = None, False, list[tuple[str, str | None]]()
    for node in ast.walk(method):
        match node:
            case ast.Call(func=ast.Attribute(attr="_build_request"), keywords=keywords):
                sent = {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}  # type: ignore[misc] # mypy does not narrow in comprehensions
                multipart = any("multipart" in ast.unparse(k.value) for k in keywords)
            case ast.Call(func=ast.Attribute(value=ast.Name("operations"), attr=name)) if name.endswith("Request"):
                request = name
            case ast.If(test=ast.Call(func=ast.Attribute(attr="match_response"), args=[_, code, media, *_])):
                if isinstance(code, ast.Constant) and str(code.value).startswith("2"):
                    assert isinstance(media, ast.Constant)
                    calls = [c for step in node.body for c in ast.walk(step) if isinstance(c, ast.Call)]
                    models = [ast.unparse(c.args[0]) for c in calls if "unmarshal_json" in ast.unparse(c.func)]
                    answers.append((str(media.value), models[0] if models else None))
            case _:
                pass
    if "path" not in sent:
        return None
    plain_path = "/" + sent["path"].partition(" ")[2].lstrip("/") if sent["path"].startswith("#") else sent["path"]
    return Operation(f"{module}.{method.name}", sent["method"], plain_path, request, multipart, tuple(answers))


# --- values of its models -------------------------------------------------------------------------------------------

Alias = typing_extensions.TypeAliasType


def opened(kind: Any) -> Any:
    """Take the wrappers off a type: annotations, and aliases with their arguments."""
    while True:
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, Alias):
            kind = kind.__value__
        elif isinstance(typing.get_origin(kind), Alias):
            kind = typing.get_origin(kind).__value__[typing.get_args(kind)]
        else:
            return kind


STRANGERS = ("Unset", "Unrecognized", "Unknown")
"""How the names of types begin that stand for nothing, or for what the package does not know."""


def values(kind: Any, name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """JSON values that a type of the package accepts."""
    kind = opened(kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        members = [opened(member) for member in typing.get_args(kind)]
        members = [member for member in members if not getattr(member, "__name__", "").startswith(STRANGERS)]
        return st.one_of([values(member, name, depth) for member in members])
    if origin is typing.Literal:
        return st.sampled_from([arg for arg in typing.get_args(kind) if arg is not None])
    if origin is list:
        most = 2 if depth < DEPTH else 1
        return st.lists(values(typing.get_args(kind)[0], name, depth + 1), min_size=1, max_size=most)
    if origin is dict:
        return st.dictionaries(st.sampled_from("abc"), values(typing.get_args(kind)[1], name, depth + 1), max_size=2)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return objects(kind, depth)
    return SCALARS[kind](name) if kind in SCALARS else st.just({"any": [1, "thing", None]})


@cache
def objects(model: type[pydantic.BaseModel], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            required[field.alias or name] = later(field.annotation, name, depth)
        elif depth < DEPTH:
            optional[field.alias or name] = later(field.annotation, name, depth)
    return st.fixed_dictionaries(required, optional=optional)


def later(kind: Any, name: str, depth: int) -> st.SearchStrategy[Any]:
    """Values of a type that may contain itself."""
    return st.deferred(lambda: values(kind, name, depth + 1))


DECIMAL_TEXTS = st.sampled_from(["0", "-1", "0.000003", "12.50", "1e-7"])
PRICED = ("price", "pricing", "prompt", "completion", "image", "audio", "request", "input_", "internal_", "web_search")


def texts(name: str) -> st.SearchStrategy[str]:
    """Texts; what is a price or a size by its name looks like one."""
    if name.startswith(PRICED) or name.endswith(("_tokens", "_skus")):
        return DECIMAL_TEXTS
    return st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


SCALARS: dict[Any, typing.Callable[[str], st.SearchStrategy[Any]]] = {
    str: texts,
    int: lambda _: st.integers(1, 10),
    float: lambda _: st.sampled_from([0, 0.5, 1, 0.25]),
    bool: lambda _: st.booleans(),
    date: lambda _: st.just("2026-10-02"),
    datetime: lambda _: st.just(datetime(2026, 10, 2, 23, 28, 5, tzinfo=UTC).isoformat()),
    type(None): lambda _: st.none(),
}
