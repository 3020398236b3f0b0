"""Writes docs/endpoints.md: `python -m tests.project.endpoints_page`. A test holds the page to what the code says."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path
from typing import Any

from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints.table import MODULES, TABLE

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "endpoints.md"
GROUPS = ROOT / "shell" / "openrouter_client" / "api"

HEAD = """# All endpoints

Made from the code by `python -m tests.project.endpoints_page`; do not edit.

Every endpoint is a value in `openrouter_core.endpoints`, and `client.call(ENDPOINT, params)` calls it. Most have a
method too. *Key*: which of the client's keys is sent. *Twice*: whether a request whose fate is not known is sent again
(`repeat=True` permits it for all).

| endpoint | request | method | key | twice | what it does |
|---|---|---|---|---|---|
"""

OF_THE_CLIENT = {"CHAT_COMPLETIONS": ["client.chat_completion", "client.stream_chat_completion"]}


def methods() -> dict[str, list[str]]:
    """The methods of the groups that use each endpoint."""
    found: dict[str, list[str]] = {}
    for path in sorted(GROUPS.glob("*.py")):
        for owner in ast.parse(path.read_text(encoding="utf-8")).body:
            for method in owner.body if isinstance(owner, ast.ClassDef) else ():
                if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name.startswith("_"):
                    continue
                names = [node.id for node in ast.walk(method) if isinstance(node, ast.Name) and node.id in TABLE]
                for name in names:
                    found.setdefault(name, []).append(f"client.{path.stem}.{method.name}")
    return found


def said() -> dict[str, str]:
    """What each endpoint does: the first line of the text under it."""
    found: dict[str, str] = {}
    for module in MODULES:
        body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
        for made, text in pairwise(body):
            match made, text:
                case ast.Assign(targets=[ast.Name(name)]), ast.Expr(value=ast.Constant(str(words))):
                    found[name] = words.partition("\n")[0]
                case _:
                    pass
    return found


def row(name: str, endpoint: Endpoint[Any, Any], by: list[str], words: str) -> str:
    place = f"{endpoint.method} {'' if not endpoint.base else f'(/api/{endpoint.base}) '}{endpoint.path}"
    shown = ", ".join(f"`{method}`" for method in by)
    return f"| `{name}` | `{place}` | {shown} | {endpoint.key} | {'yes' if endpoint.repeatable else 'no'} | {words} |\n"


def page() -> str:
    by, words = {**methods(), **OF_THE_CLIENT}, said()
    return HEAD + "".join(row(name, one, by.get(name, []), words[name]) for name, one in TABLE.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
