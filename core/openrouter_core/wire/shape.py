"""What every shape has in common, and the one mechanism by which OpenRouter's unions stay open.

OpenRouter adds variants without notice, so wherever a value may take several forms (content parts by `type`, plugins by
`id`, ...) or is a group of settings, callers may give the typed struct OR any mapping. So one name needs two views:

    if TYPE_CHECKING:
        PartLike: TypeAlias = TextPart | ImagePart | Mapping[str, Any]      # what callers and type checkers see
    else:
        PartLike = open_union(TextPart, ImagePart, tag="type")              # what msgspec sees

At run time the name is a marker class. msgspec does not know it and hands each such value to a `dec_hook`: `verify`
checks the value against the struct its tag names and keeps it as it is; `restore` turns it into that struct, unless
this would lose keys that the struct does not know. The marker answers True to every `isinstance`, because msgspec asks
whether the hook's result is one. `misfit` uses `verify`, `parse_request` uses `restore`; nothing else needs to know.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, repr_omit_defaults=True, gc=False):
    """A JSON object: immutable, keyword-only; a field that is None is not sent.

    Shapes never point back at what holds them, so the collector of cycles need not look at them (`gc=False`): an answer
    is several of them, a stream has three for each chunk.

    Subclasses repeat `frozen` and `kw_only`, which type checkers do not see inherited.
    """


class _Anything(type):
    """Makes every value an instance, so that msgspec accepts whatever a hook returned."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class OpenUnion(metaclass=_Anything):
    """A marker that stands, in annotations, for some known structs or any other mapping. Made by `open_union`.

    `tag` is the key that names the variant; `known` maps its values to structs; `other` is the struct for all other
    values (or for every mapping, where there is no tag); `plain` are scalars that are allowed in place of an object.
    """

    tag: ClassVar[str | None] = None
    known: ClassVar[Mapping[str, type[msgspec.Struct]]] = {}
    other: ClassVar[type[msgspec.Struct] | None] = None
    plain: ClassVar[tuple[type, ...]] = ()


def open_union(
    *known: type[msgspec.Struct],
    tag: str | None = None,
    other: type[msgspec.Struct] | None = None,
    plain: tuple[type, ...] = (),
) -> type[OpenUnion]:
    """Make the marker for a union of the given structs and any mapping; see the top of this module."""
    table = {str(struct.__struct_config__.tag): struct for struct in known}
    views = {"tag": tag, "known": table, "other": other, "plain": plain}
    return cast("type[OpenUnion]", _Anything(OpenUnion.__name__, (OpenUnion,), views))


def verify(kind: type[OpenUnion], value: Any) -> Any:
    """Check a value against its variant and return it as it is. A `dec_hook` of `msgspec.convert`.

    Raises ValueError for a value that fits no variant; msgspec adds the path to where it stands.
    """
    _converted(kind, value, verify)
    return value


def restore(kind: type[OpenUnion], value: Any) -> Any:
    """Turn a value into its variant's struct, or keep the mapping where the struct would lose some of it.

    A `dec_hook` of `msgspec.convert`. Raises ValueError for a value that fits no variant.
    """
    struct = _converted(kind, value, restore)
    return value if struct is None or msgspec.to_builtins(struct) != value else struct


def _converted(kind: type[OpenUnion], value: Any, hook: Any) -> msgspec.Struct | None:
    """Give the struct that a value amounts to; None for plain scalars and for variants that are not known."""
    if isinstance(value, kind.plain):
        return None
    if not isinstance(value, dict) and not isinstance(value, Mapping):  # a dict nearly always; asking an ABC is dear
        expected = " | ".join(["object", *(plain.__name__ for plain in kind.plain)])
        raise ValueError(f"Expected `{expected}`, got `{type(value).__name__}`")  # noqa: TRY004 msgspec wraps it
    struct = kind.other
    if kind.tag is not None:
        name = cast("Mapping[str, Any]", value).get(kind.tag)
        if not isinstance(name, str):
            raise ValueError(f"Object missing required field `{kind.tag}`")
        struct = kind.known.get(name, kind.other)
    if struct is None:
        return None
    try:
        return msgspec.convert(value, struct, dec_hook=hook)
    except msgspec.ValidationError as error:
        # A ValidationError would pass through msgspec untouched and lose the outer path; a ValueError gets it appended.
        raise ValueError(str(error)) from None
