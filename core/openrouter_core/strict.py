"""Any JSON schema -> the subset that every provider's strict mode accepts.

The subsets differ, so the result is their intersection: OpenAI wants every property required and
``additionalProperties: false``, knows neither ``prefixItems`` nor ``oneOf``, and allows nothing beside a ``$ref``
(platform.openai.com/docs/guides/structured-outputs); Anthropic answers 400 to bounds on numbers, lengths and patterns
(docs.claude.com/en/docs/build-with-claude/structured-outputs); xAI knows fewer formats and no circular references
(docs.x.ai, developers/model-capabilities/text/structured-outputs).

What is taken away is not lost: a bound becomes a sentence in the description, where the model reads it, and the
decoder checks it when the answer is there. Three things cannot be expressed and stay as they are, so that
``is_strict`` is false for them: dictionaries with free keys, values of any type, and keywords that nobody knows.
Circular references stay too: OpenAI takes them, xAI and Anthropic do not, and there is no other way to say them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

Schema = dict[str, Any]

_FORMATS: Final = frozenset({"date", "time", "date-time", "uuid", "email", "ipv4"})
_DROPPED: Final = frozenset(
    {"title", "default", "discriminator", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment"}
)
_NOTES: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matches the regular expression {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} entries",
    "maxProperties": "at most {} entries",
    "contentEncoding": "encoded as {}",
    "format": "in the format {}",
    "examples": "for example {}",
    "uniqueItems": "no item twice",
}
_MADE: Final = frozenset({"type", "items", "description", "required", "properties", "additionalProperties"})
"""What is not copied: it is made anew from the whole node."""
_STRICT_KEYS: Final = frozenset(
    [
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "description",
        "enum",
        "format",
        "items",
        "properties",
        "required",
        "type",
    ]
)
_REF: Final = "#/$defs/"


def portable(raw: Mapping[str, Any]) -> Schema:
    """The schema in the common subset. Its root is an object, written out, with ``$defs`` for what is used twice."""
    defs = {name: _portable(node) for name, node in raw.get("$defs", {}).items()}
    root = _portable({key: value for key, value in raw.items() if key != "$defs"})
    edges = {name: _refs(node) for name, node in defs.items()}
    reached = _reachable(_refs(root), edges)
    uses = Counter([*_refs(root), *(ref for name in reached for ref in edges[name])])
    once = {name: defs[name] for name in reached if uses[name] == 1 and name not in _reachable(edges[name], edges)}
    shared = {name: _inlined(node, once) for name, node in defs.items() if name in reached and name not in once}
    return {**_inlined(root, once), "$defs": shared} if shared else {**_inlined(root, once)}


def is_strict(schema: Any) -> bool:
    """Decide whether ``strict: true`` may be sent with a schema, as it is."""
    if not isinstance(schema, Mapping):
        return False
    given = cast("Mapping[str, Any]", schema)
    if not given.keys() <= _STRICT_KEYS or not given.keys() & {"type", "anyOf", "$ref"}:
        return False
    if given.get("type") == "object" and given.get("additionalProperties") is not False:
        return False
    if set(given.get("properties", ())) != set(given.get("required", ())):
        return False
    children = [*given.get("properties", {}).values(), *given.get("$defs", {}).values(), *given.get("anyOf", [])]
    return all(map(is_strict, [*children, given["items"]] if "items" in given else children))


def _portable(node: Any) -> Schema:
    """One node and what is below it. Anything that is no mapping (``true``) allows any value."""
    given = _merged(_object(node))
    out: Schema = {"type": given["type"]} if "type" in given else {}
    for key, value in given.items():
        match key:
            case "anyOf" | "oneOf":
                out["anyOf"] = [_portable(one) for one in value]
            case "enum":
                out |= _enumerated(value)
            case "const":
                out |= _enumerated([value])
            case "prefixItems":
                out["items"] = _either([_portable(one) for one in value])
            case "items" if "prefixItems" not in given:
                out["items"] = _portable(value)
            case "format" if value in _FORMATS:
                out["format"] = value
            case _ if key not in _NOTES and key not in _DROPPED and key not in _MADE:
                out[key] = value
            case _:
                pass
    return _described(_closed(given, out), given.get("description", ""), _notes(given))


def _merged(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A node whose ``allOf`` has one member is that member."""
    members = _array(node.get("allOf"))
    if len(members) != 1:
        return node
    return {**_object(members[0]), **{key: value for key, value in node.items() if key != "allOf"}}


def _object(node: Any) -> Schema:
    """A JSON object, or an empty one for anything else."""
    return {**cast("Schema", node)} if isinstance(node, dict) else {}


def _array(node: Any) -> list[Any]:
    """A JSON array, or an empty one for anything else."""
    return [*cast("Sequence[Any]", node)] if isinstance(node, list) else []


def _closed(node: Mapping[str, Any], out: Schema) -> Schema:
    """Objects: every property required and no other allowed, unless the keys are free. Arrays: items of any type."""
    if "properties" in node:
        properties = {name: _portable(value) for name, value in node["properties"].items()}
        free = _free(node.get("additionalProperties"))
        return {**out, "properties": properties, "required": [*properties], "additionalProperties": free}
    match out.get("type"):
        case "object":
            return {**out, "additionalProperties": _free(node.get("additionalProperties", True))}
        case "array":
            return {"items": {}, **out}
        case _:
            return out


def _free(extra: Any) -> Any:
    """What values properties without a name may have: a schema, or whether there may be such properties at all."""
    return _portable(extra) if isinstance(extra, Mapping) else bool(extra)


def _described(out: Schema, description: str, notes: list[str]) -> Schema:
    """Put the notes behind the description. Nothing may stand beside a ``$ref``, so it gets a frame."""
    told = f"({'; '.join(notes)})" if notes and description else "; ".join(notes)
    text = " ".join(part for part in (description.strip(), told) if part)
    if not text:
        return {"$ref": out["$ref"]} if "$ref" in out else out
    return {"description": text, "anyOf": [{"$ref": out["$ref"]}]} if "$ref" in out else {**out, "description": text}


def _notes(node: Mapping[str, Any]) -> list[str]:
    """What the strict modes would refuse, in words."""
    if "prefixItems" in node:
        kinds = [_kind(one) for one in node["prefixItems"]]
        return [f"exactly {len(kinds)} items, in this order: {', '.join(kinds)}"]
    return [
        note.format(_shown(node[key]))
        for key, note in _NOTES.items()
        if node.get(key) is not None and node[key] is not False and not (key == "format" and node[key] in _FORMATS)
    ]


def _shown(value: Any) -> str:
    """A bound as text: lists without brackets, strings without quotes."""
    if isinstance(value, list):
        return ", ".join(json.dumps(one, default=str, ensure_ascii=False) for one in _array(value))
    return str(value)


def _kind(node: Any) -> str:
    """A member of a tuple in a word or two."""
    known = _portable(node)
    if "$ref" in known:
        return str(known["$ref"]).removeprefix(_REF)
    if "anyOf" in known:
        return " or ".join(_kind(one) for one in known["anyOf"])
    if "enum" in known:
        return " or ".join(json.dumps(value) for value in known["enum"])
    return str(known.get("type", "anything"))


def _enumerated(values: Iterable[Any]) -> Schema:
    """An enumeration, with its type: one branch per JSON type, since providers want both to agree."""
    branches: dict[str, list[Any]] = {}
    for value in values:
        branches.setdefault(_type_of(value), []).append(value)
    return _either([{"type": kind} if kind == "null" else {"type": kind, "enum": of} for kind, of in branches.items()])


def _type_of(value: Any) -> str:
    """The JSON type of an enumerated value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _either(schemas: list[Schema]) -> Schema:
    """One of these schemas, each named once."""
    distinct = [schema for i, schema in enumerate(schemas) if schema not in schemas[:i]]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct} if distinct else {}


def _refs(node: Any) -> list[str]:
    """The definitions that a node refers to, once for each time it does."""
    known = _object(node)
    if isinstance(ref := known.get("$ref"), str):
        return [ref.removeprefix(_REF)]
    return [ref for value in (*known.values(), *_array(node)) for ref in _refs(value)]


def _reachable(names: Iterable[str], edges: Mapping[str, list[str]]) -> set[str]:
    """The definitions that these names lead to, themselves among them."""
    reached: set[str] = set()
    ahead = [*names]
    while ahead:
        name = ahead.pop()
        if name in edges and name not in reached:
            reached.add(name)
            ahead += edges[name]
    return reached


def _inlined(node: Any, once: Mapping[str, Schema]) -> Any:
    """The node with these definitions in place of references; a frame that only held a reference goes."""
    if isinstance(node, list):
        return [_inlined(value, once) for value in _array(node)]
    if not isinstance(node, dict):
        return node
    known = _object(node)
    frame = _array(known.get("anyOf"))
    held = _object(frame[0]) if len(frame) == 1 else known
    if isinstance(ref := held.get("$ref"), str) and (name := ref.removeprefix(_REF)) in once:
        found = _inlined(once[name], once)
        return _described(found, known["description"], []) if "description" in known else found
    return {key: _inlined(value, once) for key, value in known.items()}
