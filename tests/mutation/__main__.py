"""Change the core in small ways, one at a time, and demand that a test fails for each.

python -m tests.mutation                          every module of the core: an hour or two
python -m tests.mutation retry_after limit/gcra   some of them
python -m tests.mutation retry_after --list       what would be changed
python -m tests.mutation --record --resume        what RESULTS.md does not know yet, and write it there

A mutant meets the tests that reach what it changes: those of its module's name, then others. Who survives must stand in
equivalent.toml with the reason why nothing can tell it from the original, or this fails.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.mutation.mutants import CORE, modules, mutants
from tests.mutation.results import TESTS, Figures, fresh, mark, own_tests, read, write
from tests.mutation.running import LEFT_OUT, PATIENCE, Tests, with_tests

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EQUIVALENT = HERE / "equivalent.toml"
FEW = 8
"""For so many modules it pays to look for their tests; for more, all are run."""


def naming(module: str) -> re.Pattern[str]:
    """Match the import of a module."""
    package, _, name = f"openrouter_core/{module}".rpartition("/")
    dotted = package.replace("/", r"\.")
    return re.compile(rf"from {dotted}\.{name} import|from {dotted} import [^\n]*\b{name}\b|import {dotted}\.{name}\b")


def other_tests(module: str) -> set[Path]:
    """Find the tests that name a module in what they import, and those of the modules that do."""
    named = naming(module)
    users = [user for user in modules() if named.search((CORE / f"{user}.py").read_text("utf-8"))]
    found = {own_tests(user) for user in users}
    return found | {file for file in TESTS.glob("test_*.py") if named.search(file.read_text("utf-8"))}


def tests_of(names: Sequence[str]) -> list[Path]:
    """Find the tests to run for mutants of these modules: all where there are many."""
    files = {*TESTS.glob("test_*.py")}
    if len(names) <= FEW:
        files = {file for name in names for file in {own_tests(name)} | other_tests(name)}
    return sorted(file for file in files if file.exists() and file.stem not in LEFT_OUT)


def listed() -> dict[tuple[str, str, str, str], str]:
    """Read the mutants that are known to be equivalent, with their reasons."""
    known = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(one["module"], one["function"], one["was"], one["becomes"]): one["reason"] for one in known}


def judged(module: str, tests: Tests) -> tuple[Figures, list[str]]:
    """Run the tests over each mutant of a module; give the figures, and what equivalent.toml says that is not so."""
    figures, known, wrong = Figures(module, mark=mark(module)), listed(), []
    made = mutants(module)
    for test in tests.all:
        test.killed = 0
    for mutant in made:
        killer = tests.killer(mutant)
        if killer is None and mutant.name in known:
            figures.equivalent += 1
        elif killer is None:
            figures.survived += 1
            sys.stdout.write(f"survived: {mutant}\n")
            sys.stdout.flush()
        elif killer.file == own_tests(module).stem:
            figures.own += 1
        else:
            figures.others += 1
        if killer is not None and mutant.name in known:
            wrong.append(f"listed as equivalent, but killed by {killer.item.nodeid}: {mutant}")
    names = {mutant.name for mutant in made}
    gone = [name for name in known if name[0] == module and name not in names]
    return figures, wrong + [f"listed as equivalent, and no mutant any more: {name}" for name in gone]


def all_judged(names: Sequence[str], tests: Tests, *, record: bool) -> int:
    """Judge modules, one after the other, and tell of each; give how many things are wrong."""
    bad = 0
    for name in names:
        began = time.monotonic()
        figures, wrong = judged(name, tests)
        bad += figures.survived + len(wrong)
        told = [*wrong, f"{figures}; {time.monotonic() - began:.0f} s"]
        sys.stdout.write("".join(f"{line}\n" for line in told))
        sys.stdout.flush()
        if record:
            write([figures])
    return bad


def main() -> int:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help='of the core: "retry_after", "limit/gcra"; all unless told')
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    parser.add_argument("--record", action="store_true", help="write the figures into RESULTS.md, module by module")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds of tests for a mutant (%(default)g)")
    parser.add_argument("--resume", action="store_true", help="leave out modules of which RESULTS.md says all is well")
    options = parser.parse_args()
    names = [name.replace(".", "/") for name in options.modules] or modules()
    unknown = [name for name in names if name not in modules()]
    if unknown:
        parser.error(f"no module of the core is called {', '.join(unknown)}")
    if options.resume:
        names = [name for name in names if not (fresh(name) and read()[name].total == len(mutants(name)))]
    if options.list:
        sys.stdout.write("".join(f"{mutant}\n" for name in names for mutant in mutants(name)))
        return 0
    os.chdir(ROOT)
    bad: list[int] = []
    work = partial(all_judged, names, record=options.record)
    changed = [name for name in names if mutants(name)]  # tables need no tests
    with_tests(tests_of(changed), lambda tests: bad.append(work(tests)), options.patience)
    if not bad:
        sys.exit("the tests could not be run")
    sys.stdout.write(f"{sum(bad)} mutants survived, or are listed wrongly, in {len(names)} modules\n")
    return int(bad != [0])


if __name__ == "__main__":
    sys.exit(main())
