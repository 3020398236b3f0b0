"""The site of docs/, as far as it can be told without building it: `make docs` fails for the rest."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, get_args

import pytest
from docs.site import pictures, reference, repository
from docs.site.repository import ROOT, named, relinked

import openrouter_client
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.classify import classify
from openrouter_core.endpoint import Endpoint
from openrouter_core.errors import AnyError
from openrouter_core.outcome import Cut, Interrupted, Outcome, Responded, Streamed, TimedOut, Unreachable
from openrouter_core.verdict import Permanent, Rules, Transient
from openrouter_core.wire.response import ChatCompletionResponse

SOURCES = repository.sources()
HOMES = openrouter_client._HOMES
PAGES = dict(reference.pages(HOMES, SOURCES))
WRITTEN = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}


# --- the reference ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", openrouter_client.__all__)
def test_every_public_name_is_in_the_reference_with_words_and_a_page(name: str) -> None:
    """Kills: a name that is exported and nowhere explained, or whose home has no page."""
    home = openrouter_client._HOME[name]
    row = re.search(
        rf"^\| \[`{name}`\]\[{re.escape(home)}\.{name}\] \| [^|]+ \| (.+) \|$",
        PAGES["reference/index.md"],
        re.MULTILINE,
    )
    assert row is not None
    assert len(row[1].split()) >= 3
    assert reference.path(home) in PAGES


def test_the_core_is_in_the_reference_as_a_whole_and_once() -> None:
    """Kills: a new module of the core that nobody puts into a room, a room for one that is gone."""
    placed = Counter(module for modules in reference.rooms(SOURCES).values() for module in modules)
    assert not [module for module, times in placed.items() if times > 1]
    assert not {one for one in SOURCES if one.startswith("openrouter_core.")} - set(placed)
    patterns = [pattern for room in reference.ROOMS.values() for pattern in room.split()]
    assert [one for one in patterns if not any(reference.fits(module, one) for module in SOURCES)] == []


def test_every_page_of_the_reference_is_in_the_navigation() -> None:
    listed = reference.navigation(SOURCES)
    entries = [path for part in listed for path in ([part] if isinstance(part, str) else flat(part))]
    assert sorted(entries) == sorted(PAGES)


def flat(section: dict[str, list[dict[str, str]]]) -> list[str]:
    return [path for entries in section.values() for entry in entries for path in entry.values()]


def test_what_a_module_says_of_its_names_is_read() -> None:
    """Kills: a text that belongs to another name, and one that breaks its table."""
    source = '''"""Module."""
A = 1
"""Of a|b,
in two lines.

And more."""
B: int = 2
class C:
    """Of C."""
def d(): ...
'''
    assert reference.words(source) == {"A": r"Of a\|b, in two lines.", "C": "Of C.", "d": ""}


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "written", "wanted"),
    [
        ("index.md", "[x](docs/bulk.md#lines)", "[x](bulk.md#lines)"),
        ("index.md", "[x](ARCHITECTURE.md)", "[x](architecture.md)"),
        ("howto/errors.md", "[x](../../README.md#speed)", "[x](../index.md#speed)"),
        ("howto/errors.md", "[x](../bulk.md)", "[x](../bulk.md)"),
        ("api/groups/keys.md", "[x](../../api.md)", "[x](../../api.md)"),
        ("bulk.md", "[x](#lines), [y](https://example.org/a.md)", "[x](#lines), [y](https://example.org/a.md)"),
        ("design.md", "![x](quota.svg)", "![x](quota.svg)"),
        ("bulk.md", "```\n[x](../README.md)\n```\n[x](../README.md)", "```\n[x](../README.md)\n```\n[x](index.md)"),
    ],
)
def test_links_of_the_repository_lead_to_pages_of_the_site(page: str, written: str, wanted: str) -> None:
    assert relinked(written, page) == wanted


@pytest.mark.parametrize("path", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", *WRITTEN])
def test_links_lead_to_files_of_the_repository(path: str) -> None:
    """Kills: a link that is good on the site alone."""
    text = "".join(part for part in repository.FENCE.split((ROOT / path).read_text("utf-8")) if part[:3] != "```")
    targets = [(ROOT / path).parent / found[2] for found in repository.LINK.finditer(text) if found[2]]
    assert [str(one) for one in targets if not one.exists()] == []


def test_a_name_is_linked_where_a_page_first_says_it() -> None:
    """Kills: links in headings, in code, in links, of names that are none of ours, and all over a page."""
    text = "# `Hedge`\n`Hedge` and `Hedge`, `hedge`, ``Hedge``, [a `Stats`](x.md)\n```\n`Policy`\n```\n`Policy`\n"
    wanted = (
        "# `Hedge`\n[`Hedge`][m.Hedge] and `Hedge`, `hedge`, ``Hedge``, [a `Stats`](x.md)\n"
        "```\n`Policy`\n```\n[`Policy`][m.Policy]\n"
    )
    assert named(text, {"Hedge": "m", "Policy": "m", "Stats": "m"}) == wanted


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_every_picture_has_its_command_on_its_page() -> None:
    shown = {path: re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text) for path, text in WRITTEN.items()}
    assert {path: [name for name, _ in pictures.commands(text)] for path, text in WRITTEN.items()} == shown
    assert len(shown["docs/design.md"]) >= 5


def test_a_picture_is_drawn_the_same_each_time() -> None:
    """Kills: a drawing with a date or with random names in it, which would differ in each build."""
    command = "openrouter-client schedule --outcomes 503,200 --plot waits.svg"
    first = pictures.drawn("waits.svg", command)
    pictures.drawn.cache_clear()
    assert first.startswith(b"<?xml")
    assert pictures.drawn("waits.svg", command) == first


def test_a_command_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match="exit code 2"):
        pictures.drawn("waits.svg", "openrouter-client schedule --retries none --plot waits.svg")


# --- the table of errors ----------------------------------------------------------------------------------------------


def errors() -> dict[str, str]:
    """The rows of the table: each error, and whether the client tries again."""
    table = WRITTEN["docs/howto/errors.md"].partition("<!-- errors: begin -->")[2].partition("<!-- errors: end -->")[0]
    rows = [line.strip("|").split(" | ") for line in table.strip().splitlines()[2:]]
    return {row[0].strip(" `"): row[2].strip() for row in rows}


MET: dict[str, Outcome] = {
    "ConnectError": Unreachable("refused", "nobody listens"),
    "AuthError": Responded(401, b""),
    "InvalidRequest": Responded(400, b""),
    "InsufficientCredits": Responded(402, b""),
    "Forbidden": Responded(403, b""),
    "NotFound": Responded(404, b""),
    "RateLimited": Responded(429, b""),
    "Timeout": TimedOut("attempt", 1.0),
    "Disconnected": Interrupted("reset"),
    "HttpError": Responded(302, b""),
    "ProviderError": Responded(502, b""),
    "ParseError": Responded(200, b"<html>"),
    "EmptyCompletion": Responded(200, b'{"choices": []}'),
    "TruncatedStream": Streamed(200, Cut("too early"), ChatCompletionResponse()),
}
NEVER = {"DeadlineExceeded", "BudgetExceeded", "ToolLoopFailed", "LedgerFailed"}
"""Those that no outcome of an attempt is."""


def test_the_table_of_errors_has_all_of_them() -> None:
    names = {error.__name__ for error in get_args(AnyError)}
    assert set(errors()) == names
    assert names - set(MET) == NEVER
    assert {errors()[name] for name in NEVER} == {"no"}


@pytest.mark.parametrize(("name", "outcome"), MET.items())
def test_the_table_of_errors_tells_what_is_tried_again(name: str, outcome: Outcome) -> None:
    endpoint: Endpoint[Any, Any] = CHAT_COMPLETIONS
    verdict = classify(endpoint, outcome, Rules())
    assert isinstance(verdict, Transient | Permanent)
    assert type(verdict.error).__name__ == name
    assert errors()[name] == ("yes" if isinstance(verdict, Transient) else "no")
