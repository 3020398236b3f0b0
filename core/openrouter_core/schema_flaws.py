"""What is wrong with a JSON schema, where values cannot be held against it: told before anything is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from returns.result import Failure, Success

from openrouter_core.conform import TYPES, Misfit, is_list, is_number, is_object, pointed


def _names(value: Any) -> bool:
    return is_list(value) and all(isinstance(one, str) for one in value)


def _compiles(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _types(value: Any) -> bool:
    return value in TYPES if isinstance(value, str) else _names(value) and bool(value) and all(map(TYPES.get, value))


def _node(value: Any) -> bool:
    return isinstance(value, (dict, bool))


def _nodes(value: Any) -> bool:
    return is_list(value) and bool(value) and all(map(_node, value))


def _named(value: Any) -> bool:
    return is_object(value) and all(map(_node, value.values()))


COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
ONE = ("not", "items", "additionalProperties", "contains", "propertyNames", "if", "then", "else")
SOME = ("anyOf", "oneOf", "allOf", "prefixItems")
NAMED = ("properties", "patternProperties", "$defs", "definitions")
UNHELD = ("unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "$dynamicRef", "minContains", "maxContains")

FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "type": (_types, f"must be one or several of {', '.join(TYPES)}"),
    "enum": (lambda value: is_list(value) and bool(value), "must be a list of values"),
    "required": (_names, "must be a list of names"),
    "dependentRequired": (
        lambda value: is_object(value) and all(map(_names, value.values())),
        "must have a list of names for each name",
    ),
    "pattern": (_compiles, "must be a regular expression"),
    "uniqueItems": (lambda value: isinstance(value, bool), "must be true or false"),
    "multipleOf": (lambda value: is_number(value) and value > 0, "must be a number above 0"),
    "$ref": (lambda value: isinstance(value, str), "must be a text"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (is_number, "must be a number")),
    **dict.fromkeys(COUNTS, (_counts, "must be a count")),
    **dict.fromkeys(ONE, (_node, "must be a schema")),
    **dict.fromkeys(SOME, (_nodes, "must be a list of schemas")),
    **dict.fromkeys(NAMED, (_named, "must have a schema for each name")),
    **dict.fromkeys(UNHELD, (lambda _: False, "cannot be held here: leave it out")),
}
"""What keywords must look like."""


def flaw_in(schema: Any) -> Misfit | None:
    """Find what is wrong with a schema, where values cannot be held against it; None where they can."""
    if not is_object(schema):
        return Misfit('must be a JSON object, such as {"type": "object", "properties": {...}}', "$")
    left: list[tuple[Any, str]] = [(schema, "$")]
    while left:
        node, path = left.pop()
        if not is_object(node):
            continue
        told = node
        wrong = [name for name in told if name in FORMS and not FORMS[name][0](told[name])]
        if wrong:
            return Misfit(f"{wrong[0]} {FORMS[wrong[0]][1]}", path)
        patterns = [one for one in told.get("patternProperties", {}) if not _compiles(one)]
        if patterns:
            return Misfit(f"patternProperties: {patterns[0]!r} is no regular expression", path)
        target = pointed(schema, told["$ref"]) if "$ref" in told else Success(None)
        if isinstance(target, Failure):
            return Misfit(target.failure(), path)
        left += parts_of(told, path)
    return None


def parts_of(node: Mapping[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    """Give the schemas in a schema, each with its path."""
    for name in (*ONE, *SOME, *NAMED):
        if name in ONE and name in node:
            yield node[name], f"{path}.{name}"
        elif name in SOME:
            yield from ((one, f"{path}.{name}[{n}]") for n, one in enumerate(node.get(name, ())))
        elif name in NAMED:
            yield from ((one, f"{path}.{name}.{key}") for key, one in node.get(name, {}).items())
