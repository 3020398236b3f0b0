"""What became of the mutants, module by module, in a table that the repository keeps: RESULTS.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from tests.mutation.mutants import CORE, modules

TESTS = Path(__file__).parents[1] / "core"
RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Mutants of the core

Written by `make mutate MUTATE=--record`. A row holds for the source and the tests of a module as its mark says, and
`MUTATE="--record --resume"` runs again what has changed since, or what survived. A time-out counts as killed. Tables,
sentences of three words and more, names of codecs, and what is said to the type checker alone are not changed.

| module | mutants | killed | by its own tests | equivalent | survived | mark |
|---|---:|---:|---:|---:|---:|---|
"""


class Figures(msgspec.Struct):
    """What became of the mutants of a module; `mark` tells of which source and tests."""

    module: str
    own: int = 0
    others: int = 0
    equivalent: int = 0
    survived: int = 0
    mark: str = ""

    @property
    def killed(self) -> int:
        """How many a test failed for, or did not end."""
        return self.own + self.others

    @property
    def rate(self) -> float:
        """How many of those that are not equivalent were killed, in percent."""
        real = self.killed + self.survived
        return 100.0 * self.killed / real if real else 100.0

    @property
    def total(self) -> int:
        """How many there were."""
        return self.killed + self.equivalent + self.survived

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.module}: {self.total} mutants, {self.own} killed by its own tests, {self.others} by others, "
            f"{self.equivalent} equivalent, {self.survived} survived: {self.rate:.1f} % killed"
        )

    def row(self) -> str:
        """Say it as a row of the table."""
        cells = [self.module, self.total, self.killed, self.own, self.equivalent, self.survived, self.mark]
        return f"| {' | '.join(map(str, cells))} |\n"


def own_tests(module: str) -> Path:
    """The file of the tests of a module, if it has one: test_limit_gate.py for limit/gate."""
    return TESTS / f"test_{module.replace('/', '_')}.py"


def mark(module: str) -> str:
    """Tell the source of a module and of its own tests from what they were before."""
    files = [file for file in (CORE / f"{module}.py", own_tests(module)) if file.exists()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def read() -> dict[str, Figures]:
    """Read the table."""
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    return {
        row[0]: Figures(row[0], int(row[3]), int(row[2]) - int(row[3]), int(row[4]), int(row[5]), row[6])
        for row in rows
        if row[0] in modules()
    }


def write(found: Iterable[Figures]) -> None:
    """Put rows in place of what the table said of their modules, and sum it up."""
    rows = read() | {one.module: one for one in found}
    table = [one for _, one in sorted(rows.items())]
    counts = (sum(column) for column in zip(*((f.own, f.others, f.equivalent, f.survived) for f in table), strict=True))
    everything = Figures("all", *counts)
    left = len({*modules()} - rows.keys())
    summed = f"{everything.rate:.2f} % of those that are not equivalent are killed; {left} modules are to be run yet.\n"
    RESULTS.write_text(f"{HEAD}{''.join(one.row() for one in [*table, everything])}\n{summed}", "utf-8")


def fresh(module: str) -> bool:
    """Whether the table says of a module as it is that none of its mutants survived."""
    known = read().get(module)
    return known is not None and known.mark == mark(module) and known.survived == 0
