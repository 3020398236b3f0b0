"""JSON that a JSON schema accepts: the simulator's answer to `response_format` and to the parameters of tools. Pure.

Knows what structured outputs use: type (also a list), enum, const, properties, required, additionalProperties, items,
prefixItems, bounds of numbers, lengths, formats, anyOf, oneOf, allOf, $ref and $defs. Patterns are met by luck only.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, mapping, number, sequence, text
from openrouter_client.simulator.schemas import UnsatisfiableError, fits, flat, has_kind, in_bounds, kinds, merged

_DEEP = 4
_TOO_DEEP = 32
_WORDS = ("amber", "brisk", "cedar", "delta", "ember", "fjord", "grove", "haven", "islet", "jade", "knoll", "lumen")
_FORMATS = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT90S",
    "email": "someone@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/",
    "uuid": "6f1d6a52-3b43-4b55-9c9e-2d6b0c1f7a10",
    "decimal": "12.50",
}
_TRIES = ("amber", "Amber", "A", "a", "7", "42", "2026", "AB", "ABC", "AB-12", "amber-7", "#aabbcc", "+1234567890")


def sample(schema: Mapping[str, object], dice: Dice) -> object:
    """A value that the schema accepts; the dice choose which. Raises UnsatisfiableError where none is found."""
    return _Sampler(schema, dice).value(schema, 0)


class _Sampler:
    """Walks down a schema; the deeper it is, the plainer its choices, so that recursive schemas come to an end."""

    def __init__(self, root: Mapping[str, object], dice: Dice) -> None:
        self._root = root
        self._dice = dice

    def value(self, schema: object, depth: int) -> object:
        if schema is False or depth > _TOO_DEEP:
            raise UnsatisfiableError("the schema accepts nothing" if schema is False else "the schema is endless")
        found = flat(schema, self._root)
        if "const" in found:
            return found["const"]
        if "enum" in found:
            return self._one_of([one for one in sequence(found["enum"]) if has_kind(found, one)])
        branches = sequence(found.get("anyOf")) or sequence(found.get("oneOf"))
        if branches:
            rest = {key: value for key, value in found.items() if key not in {"anyOf", "oneOf"}}
            return self.value(merged(rest, flat(self._branch(branches, depth), self._root)), depth + 1)
        make: Mapping[str, Callable[[Mapping[str, object], int], object]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _schema, _depth: self._dice.roll() < 0.5,
            "null": lambda _schema, _depth: None,
        }
        kind = self._kind(found, depth)
        if kind not in make:
            raise UnsatisfiableError(f"unknown type {kind!r}")
        return make[kind](found, depth)

    def _one_of(self, possible: Sequence[object]) -> object:
        if not possible:
            raise UnsatisfiableError("the schema leaves nothing to choose from")
        return self._dice.pick(possible)

    def _branch(self, branches: Sequence[object], depth: int) -> object:
        if depth < _DEEP:
            return self._one_of([branch for branch in branches if branch is not False])
        return min(branches, key=lambda branch: _weight(branch, self._root, depth))

    def _kind(self, schema: Mapping[str, object], depth: int) -> str:
        named = kinds(schema)
        if named:
            return min(named, key=_plainness) if depth >= _DEEP else self._dice.pick(named)
        if "properties" in schema or "additionalProperties" in schema:
            return "object"
        if "items" in schema or "prefixItems" in schema:
            return "array"
        return "number" if {"minimum", "maximum", "multipleOf"} & schema.keys() else "string"

    def _object(self, schema: Mapping[str, object], depth: int) -> object:
        properties = mapping(schema.get("properties"))
        required = [text(name) for name in sequence(schema.get("required"))]
        more = schema.get("additionalProperties", True)
        made: Json = {}
        for name in [*properties, *(name for name in required if name not in properties)]:
            if name in required or (depth < _DEEP and self._dice.roll() < 0.7):
                made[name] = self.value(properties.get(name, mapping(more)), depth + 1)
        wanted = int(number(schema.get("minProperties")) or 0)
        if mapping(more) and not properties and depth < _DEEP:
            wanted = max(wanted, min(2, int(number(schema.get("maxProperties")) or 2)))
        for count in range(_TOO_DEEP):
            if len(made) >= wanted or more is False:
                break
            made[self._name(schema, count)] = self.value(more, depth + 1)
        return made

    def _name(self, schema: Mapping[str, object], count: int) -> str:
        names = mapping(schema.get("propertyNames"))
        return text(self.value({"type": "string", **names}, 0)) if names else f"{self._dice.pick(_WORDS)}_{count + 1}"

    def _array(self, schema: Mapping[str, object], depth: int) -> object:
        heads, rest = sequence(schema.get("prefixItems")), schema.get("items", not schema.get("prefixItems"))
        low, high = int(number(schema.get("minItems")) or 0), number(schema.get("maxItems"))
        most = max(low, 1 if depth < _DEEP else 0) + (self._dice.whole(0, 2) if depth < _DEEP else 0)
        count = max(low, len(heads) if rest is False else most)
        count = count if high is None else min(count, int(high))
        made: list[object] = [self.value(head, depth + 1) for head in heads[:count]]
        for _ in range(_TOO_DEEP * max(count, 1)):
            if len(made) >= count or rest is False:
                break
            item = self.value(rest, depth + 1)
            if not schema.get("uniqueItems") or item not in made:
                made.append(item)
        return made

    def _string(self, schema: Mapping[str, object], depth: int) -> object:
        del depth
        made = _FORMATS.get(text(schema.get("format")))
        if schema.get("contentEncoding") == "base64":
            made = "c3RhbmQtaW4="
        if made is None and schema.get("pattern"):
            made = next((one for one in _TRIES if fits(schema, one, self._root)), None)
        if made is None:
            made = " ".join(self._dice.pick(_WORDS) for _ in range(self._dice.whole(1, 3)))
            low, high = number(schema.get("minLength")), number(schema.get("maxLength"))
            while low is not None and len(made) < low:
                made = f"{made} {self._dice.pick(_WORDS)}"
            made = made if high is None else made[: int(high)]
        return made

    def _integer(self, schema: Mapping[str, object], depth: int) -> object:
        return int(self._multiple(schema, max(1.0, number(schema.get("multipleOf")) or 1.0), depth))

    def _multiple(self, schema: Mapping[str, object], step: float, depth: int) -> float:
        del depth
        low, high = _range(schema, 100 * step)
        first, last = math.ceil(low / step), math.floor(high / step)
        first += 1 if not in_bounds(schema, first * step) else 0
        last -= 1 if not in_bounds(schema, last * step) else 0
        if first > last:
            raise UnsatisfiableError(f"no multiple of {step:g} from {low:g} to {high:g}")
        return self._dice.whole(first, last) * step

    def _number(self, schema: Mapping[str, object], depth: int) -> object:
        step = number(schema.get("multipleOf"))
        if step:
            return self._multiple(schema, step, depth)
        low, high = _range(schema, 100)
        exact = self._dice.between(low, high)
        for made in (round(exact, 2), round(exact, 6), exact, (low + high) / 2):
            if in_bounds(schema, made):
                return made
        raise UnsatisfiableError(f"no number from {low:g} to {high:g}")


def _range(schema: Mapping[str, object], width: float) -> tuple[float, float]:
    lows = [low for low in (number(schema.get("minimum")), number(schema.get("exclusiveMinimum"))) if low is not None]
    highs = [
        high for high in (number(schema.get("maximum")), number(schema.get("exclusiveMaximum"))) if high is not None
    ]
    if not lows and not highs:
        return 0, width
    low = max(lows) if lows else min(highs) - width
    return low, min(highs) if highs else low + width


def _plainness(kind: str) -> int:
    plain = ("null", "boolean", "integer", "number", "string", "array")
    return plain.index(kind) if kind in plain else len(plain)


def _weight(schema: object, root: Mapping[str, object], depth: int) -> int:
    """How far a schema still reaches down, roughly: what is lighter ends sooner."""
    found = flat(schema, root)
    if schema is False or depth > _TOO_DEEP:
        return _TOO_DEEP
    if "const" in found or "enum" in found:
        return 0
    branches = sequence(found.get("anyOf")) or sequence(found.get("oneOf"))
    if branches:
        return min(_weight(branch, root, depth + 8) for branch in branches)
    lightest = min(map(_plainness, kinds(found)), default=len(_TRIES))
    return lightest + len(sequence(found.get("required")))
