"""The repository's files as the site's pages: what stands outside of docs/, and where links then lead."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"openrouter_core": ROOT / "core", "openrouter_client": ROOT / "shell"}

BROUGHT = {"README.md": "index.md", "ARCHITECTURE.md": "architecture.md", "CHANGELOG.md": "changelog.md"}
"""The pages that stand at the top of the repository, and are what they are there."""

NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*)`(?!`)")
LINK = re.compile(r"(?<!!)(\[[^\]]*\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
ANY_LINK = re.compile(r"(\[[^\]]*\]\([^)]*\))")
FENCE = re.compile(r"^(```.*?^```[^\S\n]*$)", re.MULTILINE | re.DOTALL)


def sources() -> dict[str, str]:
    """Read the modules of both packages, by name."""
    return {
        name_of(path, root): path.read_text(encoding="utf-8")
        for package, root in PACKAGES.items()
        for path in sorted((root / package).rglob("*.py"))
    }


def name_of(path: Path, root: Path) -> str:
    """Give a file's name as a module."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def brought() -> Iterator[tuple[str, str]]:
    """Read the pages that stand outside of docs/, each with its place in the site."""
    for source, target in BROUGHT.items():
        yield target, (ROOT / source).read_text(encoding="utf-8")


def source_of(page: str) -> str:
    """Where in the repository a page of the site stands."""
    return next((source for source, target in BROUGHT.items() if target == page), f"docs/{page}")


def page_of(source: str) -> str:
    """Where in the site a file of the repository is; what is not there stays as it is, and fails the build."""
    return BROUGHT.get(source, source.removeprefix("docs/"))


def relinked(text: str, page: str) -> str:
    """Let the links of a page, which are good in the repository, lead to the same in the site; code stays as it is."""
    here = posixpath.dirname(source_of(page))
    there = posixpath.dirname(page)

    def moved(link: re.Match[str]) -> str:
        target = page_of(posixpath.normpath(posixpath.join(here, link[2])))
        return f"{link[1]}{posixpath.relpath(target, there or '.')}{link[3]}"

    return "".join(part if part.startswith("```") else LINK.sub(moved, part) for part in FENCE.split(text))


def named(text: str, homes: Mapping[str, str]) -> str:
    """Link each name that is exported to the reference, where a page first says it, but not in code and headings."""
    seen: set[str] = set()

    def linked(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen or name not in homes:
            return found[0]
        seen.add(name)
        return f"[`{name}`][{homes[name]}.{name}]"

    def line_by_line(text: str) -> str:
        return "".join(line if line[:1] == "#" else outside_links(line) for line in text.splitlines(keepends=True))

    def outside_links(line: str) -> str:
        return "".join(part if part[:1] == "[" else NAME.sub(linked, part) for part in ANY_LINK.split(line))

    return "".join(part if part.startswith("```") else line_by_line(part) for part in FENCE.split(text))
