"""Whether a JSON value fits a JSON schema, and where it does not: for answers after a schema that is in a file.

The keywords of JSON Schema 2020-12 that say something about a value, but for those about what other keywords left over
(`unevaluated...`, `dependentSchemas`, `$dynamicRef`) and references out of the schema: a schema with these is refused,
rather than held half. `format` is a remark, as the standard has it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, TypeGuard, cast

import msgspec
from msgspec import Struct
from returns.result import Failure, Result, Success

DEEPEST = 100
"""How deep schemas are followed into each other: beyond, a schema refers to itself without an end."""


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Tell an array."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell an object."""
    return isinstance(value, dict)


def is_number(value: Any) -> bool:
    """Tell a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": is_list,
    "object": is_object,
    "number": is_number,
    "integer": lambda value: is_number(value) and value == value // 1,
}


class Misfit(Struct, frozen=True):
    """Where a value does not fit, and why."""

    message: str
    path: str


class AnswerSchema(Struct, frozen=True):
    """A type of answers that only a JSON schema tells: any JSON value that fits it."""

    schema: Mapping[str, Any]
    name: str = "answer"

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> AnswerSchema:
        """Take a schema, named after its title as far as a name allows it."""
        title = re.sub(r"[^a-zA-Z0-9_-]", "", str(schema.get("title", "")))
        return cls(schema, title[:64] or "answer")

    def decode(self, text: str) -> Any:
        """Read a text that must be the JSON of such a value; raises what msgspec's decoders raise, in their words."""
        value: Any = msgspec.json.decode(text.encode("utf-8", "replace"))
        misfit = misfit_of(self.schema, value)
        if misfit is not None:
            raise msgspec.ValidationError(f"{misfit.message} - at `{misfit.path}`")
        return value


class At(Struct, frozen=True):
    """Where a check stands: in the value, in the schema, and how deep."""

    path: str
    node: Mapping[str, Any]
    root: Any
    depth: int


def misfit_of(schema: Any, value: Any) -> Misfit | None:
    """Find the first place where a value does not fit a schema; None where it fits."""
    return checked(schema, value, "$", schema, 0)


def checked(schema: Any, value: Any, path: str, root: Any, depth: int) -> Misfit | None:
    """Hold a value, or a part of it, against a schema, or a part of it."""
    if schema is False:
        return Misfit("nothing is allowed here", path)
    if depth > DEEPEST:
        return Misfit("the schema, or the value, is nested too deeply", path)
    if is_object(schema):
        node = cast("Mapping[str, Any]", schema)
        at = At(path, node, root, depth + 1)
        for name, told in node.items():
            rule = RULES.get(name)
            misfit = None if rule is None else rule(told, value, at)
            if misfit is not None:
                return misfit
    return None


def canonical(value: Any) -> bytes:
    """Write a value so that equal ones are written alike: 1 and 1.0 are equal, 1 and true are not."""
    return msgspec.json.encode(levelled(value), order="deterministic")


def levelled(value: Any) -> Any:
    """Write whole numbers as such."""
    if is_object(value):
        return {name: levelled(one) for name, one in value.items()}
    if is_list(value):
        return [levelled(one) for one in value]
    return int(value) if isinstance(value, float) and value == value // 1 and abs(value) < 2**53 else value


# --- rules: what a keyword says, the value, and where -----------------------------------------------------------------


def _of_type(told: Any, value: Any, at: At) -> Misfit | None:
    names: list[str] = [told] if isinstance(told, str) else told
    if any(TYPES[name](value) for name in names):
        return None
    kind = next(name for name, fits in TYPES.items() if fits(value))
    return Misfit(f"Expected `{' | '.join(names)}`, got `{kind}`", at.path)


def _one_of_values(told: Any, value: Any, at: At) -> Misfit | None:
    if canonical(value) in map(canonical, told):
        return None
    return Misfit(f"must be one of {msgspec.json.encode(told).decode()[:200]}", at.path)


def _bounded(fits: Callable[[Any, Any], Any], words: str, told: Any, value: Any, at: At) -> Misfit | None:
    return Misfit(f"must be {words} {told}", at.path) if is_number(value) and not fits(value, told) else None


def _counted(fits: Callable[..., Any], words: str, told: Any, value: Any, at: At, *, kind: type) -> Misfit | None:
    wrong = isinstance(value, kind) and not fits(len(cast("Sequence[Any]", value)), told)
    return Misfit(f"must have {words.format(told)}", at.path) if wrong else None


def _matching(told: Any, value: Any, at: At) -> Misfit | None:
    wrong = isinstance(value, str) and re.search(told, value) is None
    return Misfit(f"must match {told}", at.path) if wrong else None


def _unique(told: Any, value: Any, at: At) -> Misfit | None:
    wrong = told and is_list(value) and len({canonical(one) for one in value}) < len(value)
    return Misfit("must not have an item twice", at.path) if wrong else None


def _required(told: Any, value: Any, at: At) -> Misfit | None:
    missing = [name for name in told if name not in value] if is_object(value) else []
    return Misfit(f"Object missing required field `{missing[0]}`", at.path) if missing else None


def _required_with(told: Any, value: Any, at: At) -> Misfit | None:
    names = [name for name in told if name in value] if is_object(value) else []
    return first(_required(told[name], value, at) for name in names)


def _of_properties(told: Any, value: Any, at: At) -> Misfit | None:
    names = [name for name in told if name in value] if is_object(value) else []
    return first(checked(told[name], value[name], f"{at.path}.{name}", at.root, at.depth) for name in names)


def _of_patterns(told: Any, value: Any, at: At) -> Misfit | None:
    pairs = [(name, one) for name in value for one in told if re.search(one, name)] if is_object(value) else []
    return first(checked(told[one], value[name], f"{at.path}.{name}", at.root, at.depth) for name, one in pairs)


def _of_others(told: Any, value: Any, at: At) -> Misfit | None:
    if not is_object(value):
        return None
    known, patterns = at.node.get("properties", {}), at.node.get("patternProperties", {})
    others = [name for name in value if name not in known and not any(re.search(one, name) for one in patterns)]
    if told is False and others:
        return Misfit(f"Object contains unknown field `{others[0]}`", at.path)
    return first(checked(told, value[name], f"{at.path}.{name}", at.root, at.depth) for name in others)


def _of_names(told: Any, value: Any, at: At) -> Misfit | None:
    names: list[str] = list(value) if is_object(value) else []
    return first(checked(told, name, f"{at.path}.{name}", at.root, at.depth) for name in names)


def _of_first_items(told: Any, value: Any, at: At) -> Misfit | None:
    pairs = zip(told, value, strict=False) if is_list(value) else ()
    return first(checked(node, one, f"{at.path}[{n}]", at.root, at.depth) for n, (node, one) in enumerate(pairs))


def _of_items(told: Any, value: Any, at: At) -> Misfit | None:
    begin = len(at.node.get("prefixItems", ()))
    rest = list(enumerate(value))[begin:] if is_list(value) else []
    return first(checked(told, one, f"{at.path}[{n}]", at.root, at.depth) for n, one in rest)


def _fits(told: Any, value: Any, at: At) -> bool:
    return checked(told, value, at.path, at.root, at.depth) is None


def _containing(told: Any, value: Any, at: At) -> Misfit | None:
    if not is_list(value) or any(_fits(told, one, at) for one in value):
        return None
    return Misfit("must have an item that it does not have", at.path)


def _of_all(told: Any, value: Any, at: At) -> Misfit | None:
    return first(checked(node, value, at.path, at.root, at.depth) for node in told)


def _of_any(told: Any, value: Any, at: At) -> Misfit | None:
    misfits = [checked(node, value, at.path, at.root, at.depth) for node in told]
    wrong = [one for one in misfits if one is not None]
    return max(wrong, key=lambda one: len(one.path)) if len(wrong) == len(misfits) else None


def _of_one(told: Any, value: Any, at: At) -> Misfit | None:
    fitting = sum(_fits(node, value, at) for node in told)
    if fitting == 0:
        return _of_any(told, value, at)
    return Misfit("fits more than one of oneOf", at.path) if fitting > 1 else None


def _of_none(told: Any, value: Any, at: At) -> Misfit | None:
    return Misfit("must not be as it is (not)", at.path) if _fits(told, value, at) else None


def _conditional(told: Any, value: Any, at: At) -> Misfit | None:
    branch = "then" if _fits(told, value, at) else "else"
    return checked(at.node.get(branch), value, at.path, at.root, at.depth)


def _referred(told: Any, value: Any, at: At) -> Misfit | None:
    return checked(pointed(at.root, told).value_or(None), value, at.path, at.root, at.depth)


def first(found: Iterator[Misfit | None]) -> Misfit | None:
    """Give the first misfit, if there is one."""
    return next((one for one in found if one is not None), None)


def pointed(root: Any, ref: str) -> Result[Any, str]:
    """Find what a reference within the schema points at."""
    if not ref.startswith("#"):
        return Failure(f"$ref {ref!r} leads out of the schema")
    node: Any = root
    for step in ref.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not is_object(node) or name not in node:
            return Failure(f"$ref {ref!r} leads nowhere")
        node = node[name]
    return Success(node)


Rule = Callable[[Any, Any, At], Misfit | None]

RULES: Mapping[str, Rule] = {
    "$ref": _referred,
    "type": _of_type,
    "enum": _one_of_values,
    "const": lambda told, value, at: _one_of_values([told], value, at),
    "minimum": partial(_bounded, ge, "at least"),
    "maximum": partial(_bounded, le, "at most"),
    "exclusiveMinimum": partial(_bounded, gt, "more than"),
    "exclusiveMaximum": partial(_bounded, lt, "less than"),
    "multipleOf": partial(_bounded, lambda one, of: not Fraction(str(one)) % Fraction(str(of)), "a multiple of"),
    "minLength": partial(_counted, ge, "at least {} characters", kind=str),
    "maxLength": partial(_counted, le, "at most {} characters", kind=str),
    "pattern": _matching,
    "minItems": partial(_counted, ge, "at least {} items", kind=list),
    "maxItems": partial(_counted, le, "at most {} items", kind=list),
    "uniqueItems": _unique,
    "minProperties": partial(_counted, ge, "at least {} fields", kind=dict),
    "maxProperties": partial(_counted, le, "at most {} fields", kind=dict),
    "required": _required,
    "dependentRequired": _required_with,
    "properties": _of_properties,
    "patternProperties": _of_patterns,
    "additionalProperties": _of_others,
    "propertyNames": _of_names,
    "prefixItems": _of_first_items,
    "items": _of_items,
    "contains": _containing,
    "allOf": _of_all,
    "anyOf": _of_any,
    "oneOf": _of_one,
    "not": _of_none,
    "if": _conditional,
}
"""What each keyword says of a value."""
