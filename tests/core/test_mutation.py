"""What `make mutate` stands on, without mutmut: planting a mutant, and the list of those that are equivalent."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.mutation import __main__ as command
from tests.mutation import results, running
from tests.mutation.mutants import CORE, Mutant, bare, changed, functions, modules, plant

from openrouter_core import prices, refuse, retry_after
from openrouter_core.limit import queue
from openrouter_core.retry_after import positive
from openrouter_core.wire.options import RequestOptions


def planted(module: str, was: str, becomes: str) -> tuple[Mutant, Mutant]:
    """A mutant made by hand, and the module as it is."""
    source = (CORE / f"{module}.py").read_text("utf-8")
    assert source.count(was) == 1
    mutant = Mutant(module, "f", was, becomes, source.replace(was, becomes), 1)
    return mutant, msgspec.structs.replace(mutant, source=source)


def test_a_mutant_is_planted_wherever_its_function_was_imported() -> None:
    mutant, original = planted("retry_after", "0.0 <= seconds < math.inf", "1.0 <= seconds < math.inf")
    try:
        plant(mutant)
        assert positive(0.5) is None
        assert retry_after.retry_after("0.5", 0.0) is None
    finally:
        plant(original)
    assert positive(0.5) == 0.5


def test_a_mutant_that_cannot_be_imported_says_so() -> None:
    mutant, _ = planted("retry_after", "DAY = 86_400.0", "DAY = None / 2")
    with pytest.raises(TypeError):
        plant(mutant)
    assert retry_after.DAY == 86_400.0


def test_methods_and_properties_are_functions_too() -> None:
    names = dict(functions(dict(vars(queue)), queue.__name__))
    assert {"Line.__init__", "Line.__len__"} <= names.keys()
    assert "worst_case" in dict(functions(dict(vars(prices)), prices.__name__))


def test_what_is_decorated_is_changed_too_unless_its_name_means_two_functions() -> None:
    """By itself, mutmut changes no decorated functions but static methods and those of classes."""
    source = "class A:\n    @property\n    def a(self): ...\n\n@lru_cache(256)\ndef b(): ...\n"
    assert bare(source) == source.replace("@property", "@staticmethod").replace("@lru_cache(256)", "@staticmethod")
    two = source.replace("\n\n", "\n    @a.setter\n    def a(self, to): ...\n\n")
    assert "@property" in bare(two)


def test_a_mutant_is_told_by_the_lines_that_differ() -> None:
    assert changed("def f():\n    a = 1\n    b\n", "def f():\n    a = 2\n    b\n") == ("a = 1", "a = 2", 2)
    assert changed("a\na\nb", "a\nb") == ("a", "", 2)
    assert str(Mutant("m", "f", "a = 1", "", "", 7)) == "m:7, f:\n  - a = 1"


def test_a_mutant_meets_the_tests_of_the_innermost_statement_that_it_changes() -> None:
    lines = (CORE / "retry_after.py").read_text("utf-8").splitlines()
    first = next(at for at, line in enumerate(lines, start=1) if line.lstrip().startswith("if "))
    mutant = Mutant("retry_after", "f", "", "", "", first)
    around = running.statement(mutant)
    assert around[0] == first
    assert 1 < len(around) < 10
    assert running.statement(msgspec.structs.replace(mutant, line=first + 1)) == range(first + 1, first + 2)


def test_what_is_remembered_is_forgotten_before_a_mutant_is_tried() -> None:
    refuse.ranges_of(RequestOptions)
    assert refuse.ranges_of.cache_info().currsize
    running.forget()
    assert not refuse.ranges_of.cache_info().currsize


def test_each_module_of_the_core_can_be_named() -> None:
    assert {"retry_after", "limit/gcra", "wire/response"} <= {*modules()}
    assert results.own_tests("limit/gcra") == Path(__file__).parent / "test_limit_gcra.py"
    assert {"test_verdict.py", "test_envelope.py"} <= {file.name for file in command.other_tests("retry_after")}
    files = {file.name for file in command.tests_of(["retry_after"])}
    assert {"test_retry_after.py", "test_verdict.py"} <= files
    assert not {"test_limit_pump.py", "test_mutation.py"} & files
    assert "test_limit_pump.py" in {file.name for file in command.tests_of(modules())}


def test_each_equivalent_mutant_is_of_the_source_and_has_a_reason() -> None:
    listed = command.listed()
    assert listed
    for (module, function, was, becomes), reason in listed.items():
        lines = {line.strip() for line in (CORE / f"{module}.py").read_text("utf-8").splitlines()}
        assert {*was.splitlines()} <= lines, f"{module}, {function} has no such line any more: {was}"
        assert was != becomes
        assert reason.strip().endswith(".")


def test_figures_are_told_in_a_line() -> None:
    told = str(results.Figures("m", own=17, others=2, equivalent=3, survived=1))
    assert told == "m: 23 mutants, 17 killed by its own tests, 2 by others, 3 equivalent, 1 survived: 95.0 % killed"


def test_the_record_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    done = results.Figures("retry_after", 17, 2, 3, mark=results.mark("retry_after"))
    results.write([done, results.Figures("prices", 1, 1, 0, 1, results.mark("prices"))])
    results.write([results.Figures("limit/gcra", 5, mark="other")])
    assert results.read()["retry_after"] == done
    assert "| all | 30 | 26 | 23 | 3 | 1 |" in results.RESULTS.read_text("utf-8")
    assert "96.30 %" in results.RESULTS.read_text("utf-8")
    # Fresh is what all were killed of, as it is now.
    names = ("retry_after", "prices", "limit/gcra", "call")
    assert [results.fresh(name) for name in names] == [True, False, False, False]
