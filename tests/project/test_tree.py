"""Rules about the files of the repository that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "openrouter_core"
SHELL = ROOT / "shell" / "openrouter_client"

MAX_LINES = 300

# Joined here, so that this file does not contain what it looks for. A registry's address in the repository would bind
# every user to one index; an absolute path or one outside the repository works on one machine only.
UNWANTED = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "deb.debian" + ".org",
    "/work" + "/",
    "/tmp" + "/",  # noqa: S108 - a word to look for, not a file
    ".." + "/shared",
    "shared" + "/design",
    "shared" + "/wire",
    "shared" + "/api",
)

# What the core may import: values, msgspec and returns. Short on purpose; a new name needs a reason.
CORE_MAY_IMPORT = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "codecs",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "email.utils",  # the HTTP date of Retry-After
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "inspect",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "msgspec",
        "openrouter_core",
        "operator",
        "re",
        "reprlib",
        "returns",
        "string",
        "struct",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
    }
)
# Functions of the language that touch the world.
CORE_MAY_NOT_CALL = frozenset({"breakpoint", "eval", "exec", "input", "open", "print"})


def repository_files() -> list[Path]:
    """The files that are, or would be, committed."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git, wherever it is
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = [name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in (ROOT / name for name in names) if path.is_file()]


def modules_below(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def syntax_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))))


def test_no_file_names_a_registry_or_a_place_outside_the_repository() -> None:
    files = repository_files()
    assert len(files) > 10
    found = [
        f"{shown(path)}: {unwanted}"
        for path in files
        for unwanted in UNWANTED
        if unwanted in path.read_text(encoding="utf-8", errors="replace").lower()
    ]
    assert not found


def test_constraints_hold_exact_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines]
    assert all(len(pin) == 2 and all(part.strip() == part != "" for part in pin) for pin in pins)
    assert not any(set(line) & set(" @/:;<>~*") for line in lines)
    assert len({name.lower().replace("_", "-") for name, _ in pins}) == len(lines)


@pytest.mark.parametrize("path", [*modules_below(CORE), *modules_below(SHELL)], ids=shown)
def test_a_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_LINES, "a module has one purpose: split it"
    assert ast.get_docstring(ast.parse(source)), "a module opens by saying what it is for"


def own_tests(module: Path) -> list[Path]:
    """Where the tests of a core module may be: test_limit_gate.py or test_limit.py for limit/gate.py.

    The shapes in wire/ are what requests and answers are made of, and are tested as such.
    """
    *folders, name = module.relative_to(CORE).with_suffix("").parts
    if folders == ["wire"]:
        return [ROOT / "tests" / "core" / f"test_wire_{whole}.py" for whole in ("request", "response")]
    stems = [f"test_{'_'.join(folders[:depth])}" for depth in range(1, len(folders) + 1)]
    return [ROOT / "tests" / "core" / f"{stem}.py" for stem in (f"test_{'_'.join([*folders, name])}", *stems)]


@pytest.mark.parametrize("path", [path for path in modules_below(CORE) if path.stem != "__init__"], ids=shown)
def test_a_core_module_has_a_test_file_of_its_own(path: Path) -> None:
    assert any(candidate.is_file() for candidate in own_tests(path)), f"expected one of {own_tests(path)}"


def imported_names(path: Path) -> set[str]:
    """The modules that a module imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in syntax_of(path):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                # `from urllib import parse` is an import of urllib.parse.
                packages = {"urllib", "email", "importlib", "concurrent"}
                names |= {f"{module}.{alias.name}" for alias in aliases} if module in packages else {module}
            case _:
                pass
    return names


def is_allowed(name: str) -> bool:
    return any(name == allowed or name.startswith(f"{allowed}.") for allowed in CORE_MAY_IMPORT)


def called_names(path: Path) -> set[str]:
    return {node.func.id for node in syntax_of(path) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("path", modules_below(CORE), ids=shown)
def test_the_core_imports_and_calls_only_what_makes_values(path: Path) -> None:
    assert not {name for name in imported_names(path) if not is_allowed(name)}
    assert not called_names(path) & CORE_MAY_NOT_CALL


def test_every_module_is_in_the_wheel() -> None:
    """A module forgotten in the wheel is noticed here by name, before its import fails elsewhere."""
    from importlib.metadata import files

    installed = {entry.as_posix() for entry in files("aio-openrouter") or []}
    if not any(name.endswith("openrouter_core/version.py") for name in installed):
        assert sys.prefix.endswith(".venv"), "neither a wheel nor the editable install of .venv"
        return
    expected = {path.relative_to(root.parent).as_posix() for root in (CORE, SHELL) for path in modules_below(root)}
    expected |= {"openrouter_core/py.typed", "openrouter_client/py.typed"}
    assert expected <= installed
    tops = {name.split("/")[0] for name in installed if not name.startswith((".", "__pycache__"))}
    assert {top for top in tops if "dist-info" not in top} == {"openrouter_core", "openrouter_client"}


def test_importing_the_core_imports_no_network_code() -> None:
    program = "import sys, openrouter_core; print(sorted({'aiohttp', 'asyncio', 'socket', 'ssl'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
