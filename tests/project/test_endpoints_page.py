"""docs/endpoints.md says what the code says, and nearly every endpoint has a method."""

from __future__ import annotations

from tests.project.endpoints_page import OF_THE_CLIENT, PAGE, methods, page

from openrouter_core.endpoints.table import TABLE


def test_the_table_of_endpoints_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.project.endpoints_page"


def test_all_endpoints_but_two_that_are_gone_have_a_method() -> None:
    assert set(TABLE) - set(methods()) - set(OF_THE_CLIENT) == {"BUY_CREDITS_COINBASE", "GET_AUTH_KEY"}
