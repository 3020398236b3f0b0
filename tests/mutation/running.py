"""The tests of the core in one process: collected once, run once to see what each reaches, then in a fork per mutant.

A mutant meets the tests that ran the changed statement, and no others: none of those can tell it from the original.
"""

from __future__ import annotations

import ast
import functools
import gc
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.mutation.mutants import CORE, Mutant, plant
from tests.mutation.results import own_tests

LEFT_OUT = ("test_worlds", "test_fuzz", "test_mutation")
"""Tests that run everything at once, too long for each of thousands of mutants; and the tests of this."""

SLOWEST = 6.0
"""How many times as long as usual a test of a mutant may take, in processor time, and at least `LEAST` seconds."""
LEAST = 3.0
PATIENCE = 8.0
"""How many seconds the tests of a mutant may usually take: the quickest are run, as many as fit; a quarter as long for
those of other modules."""
EXAMPLES = 50
"""How many examples a property is tried with, at most."""
MEMORY = 2**32
"""How many bytes of memory a mutant may take."""


class Test(msgspec.Struct, eq=False):
    """A test: how it is run, how long it takes, and how many mutants of the module at hand it has killed."""

    item: Any
    seconds: float = 0.0
    killed: int = 0

    @property
    def file(self) -> str:
        """The name of its file, without the ending."""
        return str(self.item.path.stem)


class Tests:
    """A plugin for pytest that collects the tests, and hands itself to `work` instead of showing their results."""

    def __init__(self, work: Callable[[Tests], None], patience: float) -> None:
        self._work = work
        self._patience = patience
        self._failed: Callable[[str], None] = lambda _: None
        self._reached: dict[str, dict[int, list[Test]]] = {}
        self.all: list[Test] = []

    def pytest_configure(self, config: Any) -> None:
        """Let hypothesis make nothing by chance and no failure small, before any test is imported."""
        from hypothesis import HealthCheck, Phase, settings

        config.addinivalue_line("markers", "no_cover: for pytest-cov, which is not here; such tests take long")
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
        """Leave out the tests that take long."""
        items[:] = [item for item in items if item.get_closest_marker("no_cover") is None]

    def pytest_runtestloop(self, session: Any) -> bool:
        """Do the work once the tests are collected."""
        self.all = [Test(item) for item in session.items]
        fewer(self.all)
        self._record()
        gc.collect()
        gc.freeze()  # or each fork would copy what its collector touches
        self._work(self)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Notice what fails."""
        if report.failed:
            self._failed(f"{report.nodeid}\n{report.longreprtext}")

    def _record(self) -> None:
        """Run all tests without any mutant, and see how long each takes and which lines it reaches."""
        import coverage

        seen = coverage.Coverage(data_file=None, config_file=False, include=[f"{CORE}/*"], messages=False)
        seen.set_option("run:disable_warnings", ["module-not-measured", "already-imported", "no-data-collected"])
        self._failed = unfit
        seen.start()
        for number, test in enumerate(self.all):
            seen.switch_context(str(number))
            forget()
            began = time.process_time()
            run(test)
            test.seconds = time.process_time() - began
        seen.stop()
        data = seen.get_data()
        for file in data.measured_files():
            lines = data.contexts_by_lineno(file)
            self._reached[str(Path(file).relative_to(CORE).with_suffix(""))] = {
                line: [self.all[int(number)] for number in numbers if number] for line, numbers in lines.items()
            }

    def reaching(self, mutant: Mutant) -> list[Test]:
        """The tests that can tell a mutant, the likeliest and quickest first: those of its module, then others."""
        lines = self._reached.get(mutant.module, {})
        found = {test for line in statement(mutant) for test in lines.get(line, ())}
        home = own_tests(mutant.module).stem
        first: list[Test] = []
        left = {True: self._patience, False: self._patience / 4}
        for test in sorted(found, key=lambda test: (test.file != home, -test.killed, test.seconds)):
            if test.seconds <= left[test.file == home]:
                left[test.file == home] -= test.seconds
                first.append(test)
        return first

    def killer(self, mutant: Mutant) -> Test | None:
        """Run tests in a fork, with a mutant in place; give the one that fails or does not end, if any does."""
        tests = self.reaching(mutant)
        if not tests:
            return None
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            self._child(mutant, tests, tell)
        os.close(tell)
        with os.fdopen(told, "rb") as pipe:
            begun = len(pipe.read())
        if os.waitpid(child, 0)[1] == 0:
            return None
        killer = tests[max(0, begun - 1)]
        killer.killed += 1
        return killer

    def _child(self, mutant: Mutant, tests: Iterable[Test], tell: int) -> None:
        """Run the tests in this process, writing one byte for each that begins; exit, with 0 if all of them pass."""
        code = 1
        try:
            os.setsid()
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            self._failed = lambda _: os._exit(1)
            plant(mutant)
            forget()
            for test in tests:
                os.write(tell, b".")
                limit = max(LEAST, SLOWEST * test.seconds)
                signal.setitimer(signal.ITIMER_PROF, limit)  # its signal ends the process
                signal.alarm(math.ceil(20 * limit))  # for what waits without working
                run(test)
            code = 0
        finally:
            os._exit(code)


def run(test: Test) -> None:
    """Run a test, with its fixtures set up before and taken down after it."""
    test.item.config.hook.pytest_runtest_protocol(item=test.item, nextitem=None)


def unfit(told: str) -> None:
    """End it all, for a test fails without any mutant."""
    sys.stderr.write(f"a test fails without any mutant: {told}\n")
    sys.stderr.flush()
    os._exit(2)


def fewer(tests: Iterable[Test]) -> None:
    """Try each property with `EXAMPLES` at most, whatever it asks for."""
    from hypothesis import settings

    for test in tests:
        function: Any = getattr(test.item, "obj", None)
        chosen = getattr(function, "_hypothesis_internal_use_settings", None)
        if chosen is not None and chosen.max_examples > EXAMPLES:
            function._hypothesis_internal_use_settings = settings(chosen, max_examples=EXAMPLES)


def forget() -> None:
    """Empty the caches of the core: what is remembered is not computed by a mutant."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("openrouter_core"):
            for value in [*vars(module).values()]:
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()


def statement(mutant: Mutant) -> range:
    """The lines of the innermost statement that a mutant changes."""
    around = [range(one.lineno, (one.end_lineno or one.lineno) + 1) for one in statements(mutant.module)]
    return min((lines for lines in around if mutant.line in lines), key=len, default=range(0))


@functools.cache
def statements(module: str) -> list[ast.stmt]:
    """The statements of a module as it is."""
    tree = ast.parse((CORE / f"{module}.py").read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def with_tests(files: Sequence[Path], work: Callable[[Tests], None], patience: float) -> None:
    """Collect tests in this process, and do the work with them."""
    import pytest

    if not files:  # pytest would look for some
        work(Tests(work, patience))
        return
    # What tests whether the tests bite says nothing about a mutant.
    words = [
        "-o",
        "addopts=--import-mode=importlib",
        "-s",
        "-k",
        "not bite",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    without = [word for name in ("cacheprovider", "xdist", "pytest_cov", "terminal") for word in ("-p", f"no:{name}")]
    pytest.main([*words, *without, *map(str, files)], plugins=[Tests(work, patience)])
