"""Change the core in small ways, one at a time, and demand that a test fails for each.

python -m tests.mutation                          every module of the core: hours
python -m tests.mutation retry_after limit/gcra   some of them
python -m tests.mutation retry_after --list       what would be changed

A module's mutants meet the tests of its own name first; who survives meets every other test that names the module. Who
survives all must stand in equivalent.toml with the reason why nothing can tell it from the original, or this fails.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.mutation.mutants import CORE, Mutant, modules, mutants, plant

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTS = ROOT / "tests" / "core"
SLOW = (TESTS / "test_worlds.py", TESTS / "test_fuzz.py", TESTS / "test_load.py", TESTS / "test_load_scenarios.py")
"""Tests that run everything at once, too long for each of thousands of mutants."""
EQUIVALENT = HERE / "equivalent.toml"

SLOWEST = 6.0
"""How many times as long as usual the tests of a mutant may take, in processor time, and at least `LEAST` seconds."""
LEAST = 6.0
MEMORY = 2**32
"""How many bytes of memory a mutant may take."""


class Figures(msgspec.Struct):
    """What became of the mutants of a module."""

    module: str
    own: int = 0
    others: int = 0
    equivalent: int = 0
    survived: int = 0

    def __str__(self) -> str:
        """Say it in one line."""
        killed, real = self.own + self.others, self.own + self.others + self.survived
        rate = 100.0 * killed / real if real else 100.0
        told = f"{killed + self.equivalent + self.survived} mutants, {self.own} killed by its own tests"
        return (
            f"{self.module}: {told}, {self.others} by others, {self.equivalent} equivalent, {self.survived} survived: "
            f"{rate:.1f} % killed"
        )


def own_tests(module: str) -> list[Path]:
    """Find the tests of a module: test_limit_gate.py for limit/gate."""
    file = TESTS / f"test_{module.replace('/', '_')}.py"
    return [file] if file.exists() else []


def naming(module: str) -> re.Pattern[str]:
    """Match the import of a module."""
    package, _, name = f"openrouter_core/{module}".rpartition("/")
    dotted = package.replace("/", r"\.")
    return re.compile(rf"from {dotted}\.{name} import|from {dotted} import [^\n]*\b{name}\b|import {dotted}\.{name}\b")


def other_tests(module: str) -> list[Path]:
    """Find the tests that name a module in what they import, and those of the modules that do."""
    named, own = naming(module), own_tests(module)
    users = [user for user in modules() if named.search((CORE / f"{user}.py").read_text("utf-8"))]
    found = {file for user in users for file in own_tests(user)}
    found |= {file for file in TESTS.glob("test_*.py") if named.search(file.read_text("utf-8"))}
    return sorted(found - {*own, *SLOW})


def tested(files: Sequence[Path], *more: str) -> int:
    """Run these tests in this process, silently, up to the first that fails; give pytest's exit code."""
    import pytest

    # What tests whether the tests bite says nothing about a mutant.
    without = [word for name in ("cacheprovider", "xdist", "pytest_cov") for word in ("-p", f"no:{name}")]
    quiet = [
        "-x",
        "-q",
        "--no-header",
        "--tb=no",
        "-k",
        "not bite",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
        *without,
    ]
    return int(pytest.main([*quiet, *more, *map(str, files)], plugins=[Certain()]))


class Certain:
    """A plugin for pytest: hypothesis makes nothing by chance and no failure small, and what is quick comes first."""

    def pytest_configure(self) -> None:
        """Choose so before any test is imported."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Run what is quick first: most mutants fail there."""
        items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))


def passes(files: Sequence[Path], mutant: Mutant, seconds: float) -> bool:
    """Run tests in a fork, with a mutant in place, for so many seconds of processor time; tell whether they pass."""
    child = os.fork()
    if child == 0:
        os.setsid()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(20 * limit)  # for what waits without working
        code = 1
        try:
            plant(mutant)
            code = tested(files)
        finally:
            os._exit(0 if code == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def warmed(files: Sequence[Path], *more: str) -> float:
    """Run tests in this process, so that no fork has to import and build what they need; tell how long that took."""
    began = time.process_time()
    sys.stdout.flush()
    keep, silent = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    code = tested(files, *more)
    sys.stdout.flush()
    os.dup2(keep, 1)
    os.close(keep)
    os.close(silent)
    if code != 0:
        sys.exit(f"the tests fail without any mutant: {' '.join(file.name for file in files)}")
    gc.collect()
    gc.freeze()
    return time.process_time() - began


def listed() -> dict[tuple[str, str, str, str], str]:
    """Read the mutants that are known to be equivalent, with their reasons."""
    known = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(one["module"], one["function"], one["was"], one["becomes"]): one["reason"] for one in known}


def judged(module: str) -> Figures:
    """Run the tests over each mutant of a module, and say who survived."""
    own, others = own_tests(module), other_tests(module)
    figures, known = Figures(module), listed()
    allowed = max(LEAST, SLOWEST * warmed(own)) if own else LEAST
    longer: float | None = None
    for mutant in mutants(module):
        if own and not passes(own, mutant, allowed):
            figures.own += 1
            continue
        if others and longer is None:
            longer = max(LEAST, SLOWEST * warmed(others))
        if mutant.name in known:
            figures.equivalent += 1
        elif longer is not None and not passes(others, mutant, longer):
            figures.others += 1
        else:
            figures.survived += 1
            sys.stdout.write(f"survived: {mutant}\n")
            sys.stdout.flush()
    return figures


def stale(names: Sequence[str]) -> list[str]:
    """Find what is listed as equivalent and is no mutant any more."""
    made = {mutant.name for module in names for mutant in mutants(module)}
    return [f"{name[0]}, {name[1]}: {name[2]!r}" for name in listed() if name[0] in names and name not in made]


def main() -> int:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help='of the core: "retry_after", "limit/gcra"; all unless told')
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    options = parser.parse_args()
    names = [name.replace(".", "/") for name in options.modules] or modules()
    unknown = [name for name in names if name not in modules()]
    if unknown:
        parser.error(f"no module of the core is called {', '.join(unknown)}")
    if options.list:
        sys.stdout.write("".join(f"{mutant}\n" for name in names for mutant in mutants(name)))
        return 0
    os.chdir(ROOT)
    told: list[Figures] = []
    for name in names:
        began = time.monotonic()
        told.append(judged(name))
        sys.stdout.write(f"{told[-1]}; {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    old = stale(names)
    sys.stdout.write("".join(f"listed as equivalent, and no mutant any more: {one}\n" for one in old))
    survived = sum(one.survived for one in told)
    sys.stdout.write(f"{survived} mutants survived in {len(told)} modules\n")
    return int(bool(survived or old))


if __name__ == "__main__":
    sys.exit(main())
