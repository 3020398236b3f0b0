"""docs/security.md is true: each of its lines names tests, and they are there; and what no other test looks at."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
SOURCES = sorted(path for folder in ("core", "shell") for path in (ROOT / folder).rglob("*.py"))

RUNNING = frozenset({"eval", "exec", "compile", "__import__"})
LOADING = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "runpy", "code"})


def threats() -> dict[str, list[str]]:
    """The lines of the page: each threat with the tests that it names."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return {row[0].strip(): re.findall(r"`(tests/[^`]+)`", row[-1]) for row in rows[1:]}


def named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("threat", "named"), threats().items(), ids=lambda value: value or "")
def test_every_threat_is_held_by_tests_that_exist(threat: str, named: list[str]) -> None:
    assert named, "a line without a test is a promise and no more"
    for one in named:
        path, _, test = one.partition("::")
        assert (ROOT / path).is_file(), one
        found = named_in(ROOT / path)
        assert test in found if test else found, one


def test_the_page_has_the_threats_that_it_must_have() -> None:
    page = PAGE.read_text(encoding="utf-8").lower()
    assert len(threats()) > 25
    for word in ("redirect", "header injection", "log injection", "compressed", "nested", "ledger", "netrc", "pickle"):
        assert word in page


def flaws_in(source: str) -> list[str]:
    """The places where text or bytes that were read could be run."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in RUNNING:
                found.append(f"{node.lineno}: {name}()")
            case ast.Import(names=names):
                found += [f"{node.lineno}: {one.name}" for one in names if one.name.split(".")[0] in LOADING]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in LOADING:
                found.append(f"{node.lineno}: {module}")
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                found.append(f"{node.lineno}: shell=True")
            case _:
                pass
    return found


def test_nothing_in_the_package_runs_what_it_reads() -> None:
    """Bug: a pickle from a ledger or a store, or an answer, that becomes code."""
    assert len(SOURCES) > 100
    found = {str(path.relative_to(ROOT)): flaws_in(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert not {path: flaws for path, flaws in found.items() if flaws}


@pytest.mark.parametrize(
    "planted", ["import pickle", "from marshal import loads", "eval(x)", "subprocess.run(x, shell=True)"]
)
def test_what_runs_what_it_reads_is_found(planted: str) -> None:
    assert flaws_in(planted)
