"""How a JSON schema is read: references, parts put together, and whether it accepts a single value. Pure."""

import re
from collections.abc import Mapping

from openrouter_client.simulator.loose import Json, mapping, number, sequence, text

_ROUND = 32


class UnsatisfiableError(ValueError):
    """The schema accepts nothing that could be found."""


def flat(schema: object, root: Mapping[str, object]) -> Mapping[str, object]:
    """The schema with its `$ref` and `allOf` put in place, one level deep."""
    found = mapping(schema)
    for _ in range(_ROUND):
        if "$ref" in found:
            rest = {key: value for key, value in found.items() if key != "$ref"}
            found = merged(_resolved(text(found["$ref"]), root), rest)
        elif "allOf" in found:
            rest = {key: value for key, value in found.items() if key != "allOf"}
            for part in sequence(found["allOf"]):
                rest = merged(rest, flat(part, root))
            found = rest
        else:
            return found
    raise UnsatisfiableError("the schema's references go in circles")


def fits(schema: object, value: object, root: Mapping[str, object]) -> bool:
    """Whether the schema accepts this string, number, boolean or null. A partial check: enough for single values."""
    found = flat(schema, root)
    branches = sequence(found.get("anyOf")) or sequence(found.get("oneOf"))
    if branches and not any(fits(branch, value, root) for branch in branches):
        return False
    if "const" in found and found["const"] != value:
        return False
    if "enum" in found and value not in sequence(found["enum"]):
        return False
    if not has_kind(found, value):
        return False
    size = number(value)
    if size is not None:
        return in_bounds(found, size)
    if isinstance(value, str):
        low, high = number(found.get("minLength")), number(found.get("maxLength"))
        fit = (low is None or len(value) >= low) and (high is None or len(value) <= high)
        return fit and re.search(text(found.get("pattern")), value) is not None
    return True


def merged(one: Mapping[str, object], two: Mapping[str, object]) -> Json:
    """Both schemas in one: properties and required together, elsewhere the second wins."""
    both: Json = {**one, **two}
    for key in ("properties", "$defs"):
        if key in one and key in two:
            both[key] = {**mapping(one[key]), **mapping(two[key])}
    if "required" in one and "required" in two:
        both["required"] = list(dict.fromkeys([*sequence(one["required"]), *sequence(two["required"])]))
    return both


def in_bounds(schema: Mapping[str, object], value: float) -> bool:
    """Whether a number keeps to the schema's four bounds."""
    low, high = number(schema.get("minimum")), number(schema.get("maximum"))
    above, below = number(schema.get("exclusiveMinimum")), number(schema.get("exclusiveMaximum"))
    return (
        (low is None or value >= low)
        and (high is None or value <= high)
        and (above is None or value > above)
        and (below is None or value < below)
    )


def kinds(schema: Mapping[str, object]) -> list[str]:
    """The types that the schema names; none if it names none."""
    kind = schema.get("type")
    return [kind] if isinstance(kind, str) else [text(one) for one in sequence(kind)]


def has_kind(schema: Mapping[str, object], value: object) -> bool:
    """Whether the value is of a type that the schema allows."""
    allowed = kinds(schema)
    return not allowed or any(_is_of(kind, value) for kind in allowed)


def _is_of(kind: str, value: object) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return number(value) is not None
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _resolved(ref: str, root: Mapping[str, object]) -> Mapping[str, object]:
    found: object = root
    for part in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
        found = mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
    if not mapping(found) and found != {}:
        raise UnsatisfiableError(f"the schema has no {ref!r}")
    return mapping(found)
