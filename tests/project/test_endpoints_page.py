"""docs/endpoints.md says what the code says, and nearly every endpoint has a method."""

from __future__ import annotations

from tests.project import group_pages
from tests.project.endpoints_page import GROUPS, OF_THE_CLIENT, PAGE, methods, page

from openrouter_core.endpoints.table import TABLE


def test_the_table_of_endpoints_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.project.endpoints_page"


def test_all_endpoints_but_two_that_are_gone_have_a_method() -> None:
    assert set(TABLE) - set(methods()) - set(OF_THE_CLIENT) == {"BUY_CREDITS_COINBASE", "GET_AUTH_KEY"}


def test_every_group_has_a_page_and_the_index_has_them_all() -> None:
    """Kills: a group that no page shows, and a page that nobody finds."""
    index = (PAGE.parent / "api.md").read_text(encoding="utf-8")
    pages = sorted((PAGE.parent / "api").glob("*.md"))
    assert [page.name for page in pages if f"(api/{page.name})" not in index] == []
    groups = {path.stem for path in GROUPS.glob("*.py")} - {"__init__", "base"}
    shown = "".join(page.read_text(encoding="utf-8").partition("```")[0] for page in pages)
    assert [
        group for group in sorted(groups) if f"`client.{group}`" not in shown or f"`client.{group}`" not in index
    ] == []


def test_the_pages_of_the_groups_are_up_to_date() -> None:
    """Kills: a group without a page, and a page that tells of a method that is gone."""
    written = {path.stem: path.read_text(encoding="utf-8") for path in group_pages.FOLDER.glob("*.md")}
    assert written == {name: group_pages.page(name) for name in group_pages.names()}, (
        "run: python -m tests.project.group_pages"
    )
