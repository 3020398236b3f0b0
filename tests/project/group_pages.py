"""Writes docs/api/groups/*.md: `python -m tests.project.group_pages`. A test holds the pages to what the code says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from tests.project.endpoints_page import GROUPS, ROOT
from tests.project.group_examples import EXAMPLES

from openrouter_core.endpoints.table import TABLE

FOLDER = ROOT / "docs" / "api" / "groups"

PAGE = """# client.{name}

Made from the code by `python -m tests.project.group_pages`; do not edit. Part of [the whole API](../../api.md).

{about}

| method | request | what it does |
|---|---|---|
{methods}
```python
import asyncio

{imports}


async def main() -> None:
    async with unwrap(OpenRouterClient.from_env()) as client:
{body}


asyncio.run(main())
```
"""

OURS = "from openrouter_client import OpenRouterClient, unwrap"


def names() -> list[str]:
    """The groups."""
    return sorted(path.stem for path in GROUPS.glob("*.py") if path.stem not in {"__init__", "base"})


def methods(group: ast.ClassDef, name: str) -> Iterator[str]:
    """A row for each method."""
    for method in group.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name.startswith("_"):
            continue
        named = [node.id for node in ast.walk(method) if isinstance(node, ast.Name) and node.id in TABLE]
        asked = ", ".join(f"`{TABLE[one].method} {TABLE[one].path}`" for one in dict.fromkeys(named))
        taken = ", ".join(one.arg for one in [*method.args.args[1:], *method.args.kwonlyargs])
        words = (ast.get_docstring(method) or "").partition("\n")[0]
        yield f"| `client.{name}.{method.name}({taken})` | {asked} | {words} |\n"


def imported(more: str) -> str:
    """The imports of an example; what comes from one module is imported in one line."""
    lines = more.splitlines()
    ours = [line for line in lines if line.startswith("from openrouter_client import ")]
    shared = sorted({*(name for line in [*ours, OURS] for name in line.partition(" import ")[2].split(", "))})
    told = f"from openrouter_client import {', '.join(shared)}"
    return "\n".join([told, *(line for line in lines if line not in ours)])


def page(name: str) -> str:
    """The page of one group."""
    body = ast.parse((GROUPS / f"{name}.py").read_text(encoding="utf-8")).body
    group = next(one for one in body if isinstance(one, ast.ClassDef) and ast.unparse(one.bases[-1]) == "Group")
    first, _, rest = EXAMPLES[name].strip().partition("\n\n")
    more, example = (first, rest) if first.startswith("from ") else ("", first)
    return PAGE.format(
        name=name,
        about=ast.get_docstring(group),
        methods="".join(methods(group, name)),
        imports=imported(more),
        body=indent(example, " " * 8),
    )


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names():
        Path(FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
