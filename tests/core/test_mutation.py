"""What `make mutate` stands on, without mutmut: planting a mutant, and the list of those that are equivalent."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.mutation import __main__ as command
from tests.mutation.mutants import CORE, Mutant, changed, modules, plant

from openrouter_core import prices, retry_after
from openrouter_core.limit import queue
from openrouter_core.retry_after import positive


def planted(module: str, was: str, becomes: str) -> tuple[Mutant, Mutant]:
    """A mutant made by hand, and the module as it is."""
    source = (CORE / f"{module}.py").read_text("utf-8")
    assert source.count(was) == 1
    mutant = Mutant(module, "f", was, becomes, source.replace(was, becomes))
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
    from tests.mutation.mutants import functions

    names = dict(functions(dict(vars(queue)), queue.__name__))
    assert {"Line.__init__", "Line.__len__"} <= names.keys()
    assert "worst_case" in dict(functions(dict(vars(prices)), prices.__name__))


def test_a_mutant_is_told_by_the_lines_that_differ() -> None:
    assert changed("def f():\n    a = 1\n    b\n", "def f():\n    a = 2\n    b\n") == ("a = 1", "a = 2")
    assert str(Mutant("m", "f", "a = 1", "", "")) == "m, f:\n  - a = 1"


def test_each_module_of_the_core_can_be_named() -> None:
    assert {"retry_after", "limit/gcra", "wire/response"} <= {*modules()}
    assert command.own_tests("limit/gcra") == [Path(__file__).parent / "test_limit_gcra.py"]
    others = {file.name for file in command.other_tests("retry_after")}
    assert {"test_verdict.py", "test_envelope.py"} <= others
    assert "test_retry_after.py" not in others


def test_each_equivalent_mutant_is_of_the_source_and_has_a_reason() -> None:
    listed = command.listed()
    assert listed
    for (module, function, was, becomes), reason in listed.items():
        lines = {line.strip() for line in (CORE / f"{module}.py").read_text("utf-8").splitlines()}
        assert {*was.splitlines()} <= lines, f"{module}, {function} has no such line any more: {was}"
        assert was != becomes
        assert reason.strip().endswith(".")


def test_figures_are_told_in_a_line() -> None:
    told = str(command.Figures("m", own=17, others=2, equivalent=3, survived=1))
    assert told == "m: 23 mutants, 17 killed by its own tests, 2 by others, 3 equivalent, 1 survived: 95.0 % killed"
