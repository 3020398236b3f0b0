"""The matrix of environments has what pyproject.toml promises, and its lower bounds are bounds."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.matrix.__main__ import QUICK, ROOT, SHELL, Ran, interpreter, table, tried
from tests.matrix.cells import CELLS, PYTHONS, Cell, constraints, declared, lowest

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_promised_python_is_in_the_matrix() -> None:
    promised = {
        one.rpartition(" ")[2]
        for one in PROJECT["classifiers"]
        if one.startswith("Programming Language :: Python :: 3.")
    }
    assert promised <= {cell.python for cell in CELLS if cell.versions == "newest"}
    assert promised <= set(PYTHONS)
    assert {"lowest", "newest", "pinned"} == {cell.versions for cell in CELLS}
    assert any(cell.loop == "uvloop" for cell in CELLS)
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_the_tests_that_it_runs_are_there() -> None:
    assert all((ROOT / test).is_file() for test in (*SHELL, *QUICK))


def test_lower_bounds_become_pins() -> None:
    wanted = ["aiohttp>=3.12,<4", "redis>=5.0.1", "rich[all] >= 13.6"]
    assert lowest(wanted) == ["aiohttp==3.12", "redis==5.0.1", "rich[all]==13.6"]
    assert len(lowest(declared(PROJECT))) == len(declared(PROJECT)) >= 8
    with pytest.raises(ValueError, match="no lower bound"):
        lowest(["aiohttp"])


def test_constraints_of_each_kind() -> None:
    assert constraints(Cell("3.11", "pinned"), ["a>=1"], ["a==2"]) == ["a==2"]
    assert constraints(Cell("3.11", "lowest"), ["a>=1"], ["a==2"]) == ["a==1"]
    assert constraints(Cell("3.11", "newest"), ["a>=1"], ["a==2"]) == []


def test_a_python_that_is_not_there_is_skipped_and_said(tmp_path: Path) -> None:
    row = tried(Cell("3.99", "newest"), "no.whl", tmp_path, quick=True, workers="0")
    assert (row.how, row.told) == ("SKIPPED", "no Python 3.99 is installed here")
    assert "newest-3.99" in table([row, Ran(Cell("3.11", "lowest"), "passed", "1 passed", 2.0)])


def test_this_python_is_found() -> None:
    assert interpreter(f"{sys.version_info.major}.{sys.version_info.minor}")
