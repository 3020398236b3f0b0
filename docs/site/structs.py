"""What mkdocstrings should know of msgspec: a Struct's fields are the parameters of its signature."""

from __future__ import annotations

from typing import Any

import griffe  # type: ignore[import-not-found] # only where the site is built

STRUCT = ("msgspec.Struct", "msgspec._core.Struct")
KEYWORD, EITHER = griffe.ParameterKind.keyword_only, griffe.ParameterKind.positional_or_keyword


class Structs(griffe.Extension):  # type: ignore[misc] # the same
    """Gives every Struct the `__init__` that msgspec makes for it."""

    def on_package(self, *, pkg: Any, **_: Any) -> None:
        """Look through a package, once it is loaded."""
        visit(pkg)


def visit(owner: Any) -> None:
    """Look through a module or a class."""
    for member in list(owner.members.values()):
        if member.is_alias or not (member.is_module or member.is_class):
            continue
        visit(member)
        if member.is_class and is_struct(member) and "__init__" not in member.members:
            member.set_member("__init__", init(member))


def is_struct(one: Any) -> bool:
    """Tell whether a class is a Struct, by its bases and theirs."""
    named = [getattr(base, "canonical_path", str(base)) for base in one.bases]
    return any(name.partition("[")[0] in STRUCT for name in named) or any(is_struct(base) for base in one.mro()[:1])


def init(struct: Any) -> Any:
    """Make the signature: the fields of the bases first, those that are given by keyword last."""
    fields: dict[str, Any] = {}
    for one in (*reversed(struct.mro()), struct):
        for field in fields_of(one):
            fields[field.name] = field
    ordered = sorted(fields.values(), key=lambda field: field.kind is KEYWORD)
    own = griffe.Parameter("self", kind=EITHER)
    return griffe.Function("__init__", parent=struct, parameters=griffe.Parameters(own, *ordered), returns="None")


def fields_of(struct: Any) -> list[Any]:
    """Give the fields that a Struct adds to its bases'."""
    kind = KEYWORD if str(struct.keywords.get("kw_only")) == "True" else EITHER
    return [
        griffe.Parameter(name, annotation=one.annotation, kind=kind, default=default(one.value))
        for name, one in struct.members.items()
        if one.is_attribute and one.annotation is not None and "instance-attribute" in one.labels
    ]


def default(value: Any) -> Any:
    """Give a field's default: what `msgspec.field` is told, or what stands there."""
    if getattr(value, "canonical_path", None) != "msgspec.field":
        return value
    told = {argument.name: argument.value for argument in value.arguments}
    return told.get("default", told.get("default_factory"))
