"""Lists that come in pages: what is on a page, and what to ask for the next one. Pure."""

from __future__ import annotations

from typing import Any, TypeVar, assert_never, cast

import msgspec

from openrouter_core.endpoint import ByCursor, ByOffset, Endpoint
from openrouter_core.wire.answers import Page

OFFSET = "offset"
P = TypeVar("P")
T = TypeVar("T")


def next_page(endpoint: Endpoint[P, Any], params: P, answer: Page[Any]) -> P | None:
    """Give the parameters of the page after `answer`, which `params` asked for; None after the last one.

    A page that brings nothing new ends the list, whatever it says of others: a mark that does not move would never end.
    """
    pages = endpoint.pages
    if pages is None or not answer.data or answer.has_more is False:
        return None
    match pages:
        case ByOffset():
            here = getattr(params, OFFSET) or 0
            beyond = here + len(answer.data)
            if answer.total_count is not None and beyond >= answer.total_count:
                return None
            return moved(params, OFFSET, beyond)
        case ByCursor(param, mark):
            here, beyond = getattr(params, param), getattr(answer, mark)
            return None if not beyond or beyond == here else moved(params, param, beyond)
        case _:
            assert_never(pages)


def moved(params: P, name: str, value: Any) -> P:
    """Give the parameters with another place to begin at."""
    return cast("P", msgspec.structs.replace(cast("msgspec.Struct", params), **{name: value}))


def items_of(answer: Page[T]) -> list[T]:
    """Give what is on a page."""
    return answer.data
