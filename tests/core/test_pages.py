"""pages: walking through a list gives every item once, in order, and always ends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints import access, catalogue, inference
from openrouter_core.pages import items_of, next_page
from openrouter_core.wire.answers import Page
from openrouter_core.wire.batches import ListBatches
from openrouter_core.wire.files import ListFiles
from openrouter_core.wire.keys import ListKeys
from openrouter_core.wire.models import ListModels
from openrouter_core.wire.params import Paged, Parameters


def walked(endpoint: Endpoint[Any, Any], params: Any, serve: Any) -> list[int]:
    """Ask for page after page, as the shell would."""
    found: list[int] = []
    for _ in range(200):
        answer = serve(params)
        found += items_of(answer)
        params = next_page(endpoint, params, answer)
        if params is None:
            return found
    raise AssertionError("it never ends")


@given(st.integers(0, 30), st.integers(1, 7), st.booleans(), st.integers(0, 5))
def test_pages_by_offset_give_every_item_once(total: int, size: int, counted: bool, start: int) -> None:
    def serve(params: Paged) -> Page[int]:
        first = params.offset or 0
        here = list(range(total))[first : first + size]
        return Page(data=here, total_count=total if counted else None)

    assert walked(catalogue.LIST_TOOLS, Paged(offset=start), serve) == list(range(total))[start:]


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_pages_by_cursor_give_every_item_once(total: int, size: int, says_more: bool) -> None:
    def serve(params: ListBatches) -> Page[int]:
        first = 0 if params.after is None else int(params.after) + 1
        here = list(range(total))[first : first + size]
        more = first + size < total if says_more else None
        return Page(data=here, has_more=more, last_id=str(here[-1]) if here else None)

    assert walked(inference.LIST_BATCHES, ListBatches(), serve) == list(range(total))


def test_a_mark_that_does_not_move_ends_the_list() -> None:
    """Exists because a server's bug must not become an endless loop here."""
    stuck = Page(data=[1], has_more=True, cursor="a")
    first = next_page(inference.LIST_FILES, ListFiles(), stuck)
    assert first == ListFiles(cursor="a")
    assert next_page(inference.LIST_FILES, first, stuck) is None
    assert next_page(inference.LIST_FILES, first, Page(data=[1], has_more=True)) is None


def test_the_other_parameters_stay() -> None:
    page = Page(data=[1, 2])
    assert next_page(access.LIST_KEYS, ListKeys(include_disabled=True), page) == ListKeys(
        include_disabled=True, offset=2
    )
    assert next_page(catalogue.LIST_MODELS, ListModels(q="x"), Page(data=[1], total_count=1)) is None


def test_a_list_that_has_no_pages_is_whole() -> None:
    assert next_page(catalogue.LIST_PROVIDERS, Parameters(), Page(data=[1])) is None


def test_a_page_without_its_list_is_no_answer() -> None:
    assert msgspec.json.decode(b'{"data": [1], "new": 2}', type=Page[int]) == Page(data=[1])
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"{}", type=Page[int])
