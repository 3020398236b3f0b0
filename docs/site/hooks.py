"""What MkDocs does at each step of a build beyond its own: pages from elsewhere, pictures, links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docs.site import pictures, reference, repository
from mkdocs.exceptions import PluginError  # type: ignore[import-not-found] # only where the site is built
from mkdocs.structure.files import File  # type: ignore[import-not-found] # the same
from msgspec import Struct

import openrouter_client

HOMES, HOME = openrouter_client._HOMES, openrouter_client._HOME  # noqa: SLF001 -- ours
GROUPS = repository.ROOT / "docs" / "api" / "groups"


def on_config(config: Any) -> Any:
    """Put into the navigation what is listed nowhere else: the groups of endpoints, and the reference."""
    names = [name for entry in config.nav for name in entry]
    config.nav[names.index("The whole API")]["The whole API"].append(
        {"By groups": [f"api/groups/{page.name}" for page in sorted(GROUPS.glob("*.md"))]}
    )
    config.nav.insert(names.index("Design"), {"Reference": reference.navigation(repository.sources())})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside of docs/, the reference, and the pictures."""
    for page in list(files.documentation_pages()):
        for name, words in pictures.commands(page.content_string):
            place = Path(page.src_uri).with_name(name).as_posix()
            files.append(File.generated(config, place, content=pictures.drawn(name, words)))
    made = [*repository.brought(), *reference.pages(HOMES, repository.sources())]
    for place, text in made:
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Let links lead to where things are in the site, and names to the reference."""
    if Path(page.file.src_uri).parts[0] == "reference":
        return markdown
    return repository.named(repository.relinked(markdown, page.file.src_uri), HOME)


def on_post_build(config: Any) -> None:
    """Fail for a struct that is shown without its fields: `structs` then no longer knows what griffe or msgspec do."""
    for name, home in HOME.items():
        exported = getattr(openrouter_client, name)
        if isinstance(exported, type) and issubclass(exported, Struct) and not signed(config, home, name):
            raise PluginError(f"the reference shows {name} without its fields")


def signed(config: Any, home: str, name: str) -> bool:
    """Tell whether the reference shows a signature under the heading of a class."""
    html = Path(config.site_dir, reference.path(home)).with_suffix(".html").read_text(encoding="utf-8")
    below = html.partition(f'id="{home}.{name}"')[2].partition('class="doc doc-contents')[0]
    return "doc-signature" in below
