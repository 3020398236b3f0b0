"""The envelopes that answers of many endpoints share. Shapes only.

What an envelope is for is required, so that a body without it is no answer; the rest may be absent.
"""

from typing import Any, Generic, TypeVar

from msgspec import field

from openrouter_core.wire.shape import Shape

T = TypeVar("T")


class One(Shape, Generic[T], frozen=True, kw_only=True):
    """One thing, in `data`."""

    data: T


class Links(Shape, frozen=True, kw_only=True):
    """Addresses of neighbouring pages; `next` is None on the last one."""

    next: str | None = None


class Page(Shape, Generic[T], frozen=True, kw_only=True):
    """A list, or one page of it, in `data`.

    What tells whether there is more differs: `total_count` items in all, `has_more`, `links`; `last_id` or `cursor` is
    what the next request names. `meta` describes data sets: as of when, for which days. `shape` says who describes
    files so.
    """

    data: list[T]
    total_count: int | None = None
    has_more: bool | None = None
    first_id: str | None = None
    last_id: str | None = None
    cursor: str | None = None
    links: Links | None = None
    meta: dict[str, Any] | None = None
    object: str | None = None
    shape: str | None = field(default=None, name="_shape")


class Deleted(Shape, frozen=True, kw_only=True):
    """What was deleted. `deleted` may be absent; then the status said so."""

    deleted: bool | None = None
    id: str | None = None
    object: str | None = None
    type: str | None = None
    shape: str | None = field(default=None, name="_shape")
