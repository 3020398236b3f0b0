"""Python types -> the JSON schema that goes into ``response_format`` or a tool's parameters.

``describe`` takes whatever msgspec can decode (Structs, dataclasses, TypedDict, NamedTuple, unions, Literal, enums,
collections, dates, recursive types) and pydantic models, which are recognised by their methods and never imported.
The schema is in the subset that strict modes accept (see ``strict``). Nothing is sent or decoded here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from msgspec import Struct
from msgspec import inspect as kinds
from returns.result import Failure, Result, Success

from openrouter_core.conform import AnswerSchema
from openrouter_core.schema_flaws import flaw_in
from openrouter_core.strict import Schema, is_strict, portable

WRAPPER: Final = "value"
"""The property that holds an answer that is no object: providers want an object at the root."""

_NAME_LIMIT: Final = 64


class SchemaError(Struct, frozen=True):
    """The type cannot be described: ``type`` is the part that cannot, ``path`` where it stands ("$.prices[]")."""

    path: str
    type: str
    message: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.type} at {self.path} has no JSON schema: {self.message}"


class TypeSchema(Struct, frozen=True):
    """A type as providers want it: ``name`` and ``schema``, and whether ``strict: true`` can be asked for.

    ``wrapped`` says that the schema is ``{"value": <the type>}``, because the type alone would not be an object.
    """

    name: str
    schema: Schema
    strict: bool
    wrapped: bool


def schema_for(wanted: Any) -> Result[Schema, SchemaError]:
    """The JSON schema of a type, or what in it cannot be described."""
    return describe(wanted).map(lambda described: described.schema)


def describe(wanted: Any) -> Result[TypeSchema, SchemaError]:
    """The JSON schema of a type with its name, and whether it is strict and wrapped; an `AnswerSchema` has one."""
    if isinstance(wanted, AnswerSchema):
        flaw = flaw_in(wanted.schema)
        if flaw is not None:
            return Failure(SchemaError(path=flaw.path, type=wanted.name, message=flaw.message))
        schema = dict(wanted.schema)
        return Success(TypeSchema(name=wanted.name, schema=schema, strict=is_strict(schema), wrapped=False))
    return _raw(wanted).map(lambda raw: _finished(name_of(wanted), raw))


def is_pydantic(wanted: Any) -> bool:
    """Whether this is a pydantic model, told by its methods."""
    return isinstance(wanted, type) and hasattr(wanted, "model_json_schema") and hasattr(wanted, "model_validate_json")


def _finished(name: str, raw: Schema) -> TypeSchema:
    """Write out the root, which must be an object, and bring everything into the common subset."""
    defs = raw.get("$defs", {})
    bare = {key: value for key, value in raw.items() if key != "$defs"}
    named = {f"#/$defs/{known}": node for known, node in defs.items()}.get(str(raw.get("$ref")), {})
    root = {**named, **{key: value for key, value in bare.items() if key != "$ref"}}
    wrapped = root.get("type") != "object"
    if wrapped:
        root = {"type": "object", "properties": {WRAPPER: bare}}
    schema = portable({**root, "$defs": defs})
    return TypeSchema(name=name, schema=schema, strict=is_strict(schema), wrapped=wrapped)


def _raw(wanted: Any) -> Result[Schema, SchemaError]:
    """The schema as the type itself has it, not yet strict."""
    if is_pydantic(wanted):
        try:
            return Success(wanted.model_json_schema())
        except Exception as error:  # noqa: BLE001 - whatever pydantic or the model's own hooks raise
            return Failure(SchemaError(path="$", type=name_of(wanted), message=str(error)))
    try:
        kind = kinds.type_info(wanted)
    except Exception as error:  # noqa: BLE001 - TypeError, NameError of a forward reference, a bad default factory
        return Failure(SchemaError(path="$", type=name_of(wanted), message=str(error)))
    sketch = _Sketch()
    root = sketch.node(kind, "$")
    return Failure(sketch.problems[0]) if sketch.problems else Success({**root, "$defs": sketch.defs})


def name_of(wanted: Any) -> str:
    """A name as ``json_schema.name`` allows it: letters, digits, _ and -, at most 64 of them."""
    own = str(getattr(wanted, "__name__", None) or "answer")
    arguments = [name_of(argument) for argument in get_args(wanted) if isinstance(argument, type)]
    return re.sub(r"[^a-zA-Z0-9_-]", "_", "_".join([own, *arguments]))[:_NAME_LIMIT]


def _doc(cls: Any) -> Schema:
    """The docstring of a class, unless it is one that Python makes up: a dataclass's signature, a NamedTuple's."""
    text = cls.__dict__.get("__doc__")
    made_up = not text or text.startswith(f"{cls.__name__}(")
    return {} if made_up else {"description": inspect.cleandoc(str(text))}


def _bounds(**named: Any) -> Schema:
    """The keywords that have a value."""
    return {name: value for name, value in named.items() if value is not None}


class _Sketch:
    """The definitions and problems found on a walk through a type; it lives as long as one call of ``describe``."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}
        self.names: dict[Any, str] = {}
        self.problems: list[SchemaError] = []

    def node(self, kind: kinds.Type, path: str) -> Schema:
        """Describe one kind of value; scalars are a table, the rest is one line each."""
        match kind:
            case kinds.Metadata():
                extra = cast("Schema", kind.extra_json_schema or {})
                inner = {} if extra and isinstance(kind.type, kinds.CustomType) else self.node(kind.type, path)
                return {**inner, **extra}
            case kinds.EnumType(cls=cls):
                return {"enum": [member.value for member in cls], **_doc(cls)}
            case kinds.LiteralType(values=values):
                return {"enum": [*values]}
            case kinds.UnionType(types=types):
                return {"anyOf": [self.node(one, path) for one in types]}
            case kinds.CollectionType():
                many = _bounds(minItems=kind.min_length, maxItems=kind.max_length)
                unique = {"uniqueItems": True} if isinstance(kind, kinds.SetType | kinds.FrozenSetType) else {}
                return {"type": "array", "items": self.node(kind.item_type, f"{path}[]"), **many, **unique}
            case kinds.TupleType(item_types=types):
                return _tuple([self.node(one, f"{path}[{i}]") for i, one in enumerate(types)])
            case kinds.DictType():
                self.node(kind.key_type, f"{path} (key)")
                many = _bounds(minProperties=kind.min_length, maxProperties=kind.max_length)
                return {"type": "object", "additionalProperties": self.node(kind.value_type, f"{path}{{}}"), **many}
            case kinds.StructType() | kinds.DataclassType() | kinds.TypedDictType() | kinds.NamedTupleType():
                return self.defined(kind, path)
            case _:
                return self.scalar(kind, path)

    def defined(
        self,
        kind: kinds.StructType | kinds.DataclassType | kinds.TypedDictType | kinds.NamedTupleType,
        path: str,
    ) -> Schema:
        """Describe a class once, under its name, and refer to it: so a type may contain itself."""
        if kind.cls not in self.names:
            name = name_of(kind.cls)
            while name in self.defs:
                name += "_"
            self.names[kind.cls] = name
            self.defs[name] = {}
            fields = {field.encode_name: self.node(field.type, f"{path}.{field.encode_name}") for field in kind.fields}
            self.defs[name] = {**_object_or_tuple(kind, fields), **_doc(kind.cls)}
        return {"$ref": f"#/$defs/{self.names[kind.cls]}"}

    def scalar(self, kind: kinds.Type, path: str) -> Schema:
        """Describe a value without parts, as msgspec writes it; what it cannot write is a problem."""
        match kind:
            case kinds.AnyType() | kinds.RawType():
                return {}
            case kinds.NoneType():
                return {"type": "null"}
            case kinds.BoolType():
                return {"type": "boolean"}
            case kinds.IntType() | kinds.FloatType():
                return {"type": "integer" if isinstance(kind, kinds.IntType) else "number"} | _bounds(
                    minimum=kind.ge,
                    exclusiveMinimum=kind.gt,
                    maximum=kind.le,
                    exclusiveMaximum=kind.lt,
                    multipleOf=kind.multiple_of,
                )
            case kinds.StrType():
                bounds = _bounds(minLength=kind.min_length, maxLength=kind.max_length, pattern=kind.pattern)
                return {"type": "string", **bounds}
            case kinds.BytesType() | kinds.ByteArrayType() | kinds.MemoryViewType():
                return {"type": "string", "contentEncoding": "base64"}
            case kinds.DateTimeType(tz=tz):
                return {"type": "string", "format": "ISO 8601 without an offset" if tz is False else "date-time"}
            case kinds.TimeType(tz=tz):
                return {"type": "string", "format": "time" if tz else "HH:MM:SS without an offset"}
            case kinds.DateType():
                return {"type": "string", "format": "date"}
            case kinds.TimeDeltaType():
                return {"type": "string", "format": "ISO 8601 duration"}
            case kinds.UUIDType():
                return {"type": "string", "format": "uuid"}
            case kinds.DecimalType():
                return {"type": "string", "format": "decimal number"}
            case _:
                name = name_of(getattr(kind, "cls", type(kind)))
                self.problems.append(SchemaError(path=path, type=name, message="msgspec cannot describe it"))
                return {}


def _object_or_tuple(
    kind: kinds.StructType | kinds.DataclassType | kinds.TypedDictType | kinds.NamedTupleType,
    fields: Mapping[str, Schema],
) -> Schema:
    """The members of a class: as an object, or in order where msgspec writes an array; the tag, if any, comes first."""
    tagged = isinstance(kind, kinds.StructType) and kind.tag_field is not None
    tag = {str(kind.tag_field): {"enum": [kind.tag]}} if isinstance(kind, kinds.StructType) and tagged else {}
    if isinstance(kind, kinds.NamedTupleType) or (isinstance(kind, kinds.StructType) and kind.array_like):
        return _tuple([*tag.values(), *fields.values()])
    return {"type": "object", "properties": {**tag, **fields}}


def _tuple(items: Sequence[Schema]) -> Schema:
    """An array with a schema for each of its places."""
    return {"type": "array", "prefixItems": [*items]}
