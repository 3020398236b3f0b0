"""The unions of the wire stay open: the known becomes a struct, the unknown is kept, what fits nothing is refused."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from openrouter_core.wire import parts, routing, shape, tools

PartLike: Any = parts.PartLike
SortLike: Any = routing.ProviderSortLike
ProviderLike: Any = routing.ProviderLike
StopConditionLike: Any = tools.StopConditionLike


@pytest.mark.parametrize(
    ("kind", "given", "restored"),
    [
        (PartLike, {"type": "text", "text": "x"}, parts.TextPart(text="x")),
        (PartLike, {"type": "text", "text": "x", "new": 1}, {"type": "text", "text": "x", "new": 1}),
        (PartLike, {"type": "new", "text": 1}, {"type": "new", "text": 1}),
        (
            PartLike,
            {"type": "image_url", "image_url": {"url": "u"}},
            parts.ImagePart(image_url=parts.ImageUrl(url="u")),
        ),
        (
            PartLike,
            {"type": "image_url", "image_url": {"url": "u", "new": 1}},
            parts.ImagePart(image_url={"url": "u", "new": 1}),
        ),
        (SortLike, "price", "price"),
        (SortLike, {"by": "price"}, routing.ProviderSort(by="price")),
        (ProviderLike, {"only": ["xai"]}, routing.ProviderPreferences(only=["xai"])),
        (ProviderLike, {"only": None}, {"only": None}),
    ],
)
def test_known_variants_become_structs_and_nothing_is_ever_lost(kind: Any, given: Any, restored: Any) -> None:
    assert shape.restore(kind, given) == restored
    assert msgspec.to_builtins(shape.restore(kind, given)) == given
    assert shape.verify(kind, given) is given


@pytest.mark.parametrize(
    ("kind", "given", "complaint"),
    [
        (PartLike, "x", "Expected `object`, got `str`"),
        (SortLike, 1, "Expected `object | str`, got `int`"),
        (PartLike, {"text": "x"}, "Object missing required field `type`"),
        (PartLike, {"type": 1}, "Object missing required field `type`"),
        (PartLike, {"type": "text"}, "Object missing required field `text`"),
        (StopConditionLike, {"type": "max_cost", "max_cost_in_dollars": "x"}, "at `$.max_cost_in_dollars`"),
    ],
)
def test_what_fits_no_variant_is_refused(kind: Any, given: Any, complaint: str) -> None:
    for hook in (shape.verify, shape.restore):
        with pytest.raises(ValueError, match=complaint.replace("|", r"\|").replace("$", r"\$")):
            hook(kind, given)


def test_anything_passes_for_an_open_union_where_msgspec_asks() -> None:
    assert isinstance(object(), PartLike)


class Circle(shape.Shape, frozen=True, kw_only=True, tag_field="form", tag="circle"):
    radius: int


class Square(shape.Shape, frozen=True, kw_only=True, tag_field="form", tag="square"):
    side: int


class Figure(shape.Shape, frozen=True, kw_only=True):
    form: str
    corners: int | None = None


def test_a_union_knows_its_variants_by_their_tags_and_what_may_stand_for_all_others() -> None:
    form: Any = shape.open_union(Circle, Square, tag="form", other=Figure, plain=(str,))
    for given, restored in (
        ({"form": "circle", "radius": 1}, Circle(radius=1)),
        (MappingProxyType({"form": "square", "side": 2}), Square(side=2)),
        ({"form": "star", "corners": 5}, Figure(form="star", corners=5)),
        ("none", "none"),
    ):
        assert shape.verify(form, given) is given
        assert shape.restore(form, given) == restored
    with pytest.raises(ValueError, match="got `int`"):
        shape.restore(form, 7)
    assert (form.__name__, isinstance(7, form)) == ("OpenUnion", True)
    tagged: Any = shape.open_union(Circle, tag="form")
    assert shape.restore(tagged, {"form": "star"}) == {"form": "star"}
    untagged: Any = shape.open_union(other=Square)
    assert shape.restore(untagged, {"side": 2, "form": "square"}) == Square(side=2)
    with pytest.raises(ValueError, match="got `str`"):
        shape.restore(untagged, "none")
