"""The mutants of a module: mutmut says what is changed, and a changed function takes the place of the original.

mutmut's own runner copies the project and tests one copy with a switch in each function. Here the tests are imported
once, and a fork for each mutant replaces the code of the one function that it changes: no mutant waits for imports.
"""

from __future__ import annotations

import importlib
import re
import types
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

CORE = Path(__file__).parents[2] / "core" / "openrouter_core"

WRAPPED = re.compile(r"^( *)@(?:property|cached_property|cache|lru_cache\(\d+\))\n(?= *def (\w+))", re.MULTILINE)

CAST = re.compile(r'(?<=\bcast)\(("[^"]*"|None), ')


class Mutant(msgspec.Struct, frozen=True):
    """One change to one function of a module; `was` and `becomes` are the lines that differ, from `line` on."""

    module: str
    function: str
    was: str
    becomes: str
    source: str
    line: int

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What tells mutants apart, wherever in its file the function stands."""
        return self.module, self.function, self.was, self.becomes

    def __str__(self) -> str:
        """Show it as a difference."""
        lines = [f"  - {line}" for line in self.was.splitlines()] + [
            f"  + {line}" for line in self.becomes.splitlines()
        ]
        return "\n".join([f"{self.module}:{self.line}, {self.function}:", *lines])


def modules() -> list[str]:
    """Name the modules of the core: "retry_after", "limit/gcra"."""
    files = sorted(CORE.rglob("*.py"))
    return [str(file.relative_to(CORE).with_suffix("")) for file in files if file.name != "__init__.py"]


def mutants(module: str) -> list[Mutant]:
    """Make all mutants of a module, each once."""
    from mutmut.mutation.file_mutation import create_mutations  # type: ignore[import-not-found,unused-ignore] # installed for mutation alone

    original = bare((CORE / f"{module}.py").read_text("utf-8"))
    tree, mutations, *_ = create_mutations(f"{module}.py", original)
    # A statement of the module is changed and written again, and not the module: that takes long.
    homes = {part: home for home in tree.body for part in (home, *getattr(getattr(home, "body", None), "body", ()))}
    written = {home: tree.code_for_node(home) for home in tree.body}
    first = original.find(next(iter(written.values()), ""))
    starts = dict(zip(written, accumulate(map(len, written.values()), initial=first), strict=False))
    made: dict[Any, Mutant] = {}
    for mutation in mutations:
        function = mutation.contained_by_top_level_function
        if function is None or not hasattr(function, "name"):
            continue  # tables and settings: a test of a table would be the table again
        if spared(mutation.original_node):
            continue
        home = homes[function]
        code = tree.code_for_node(home.deep_replace(mutation.original_node, mutation.mutated_node))
        was, becomes, line = changed(written[home], code)
        before, after = original[: starts[home]], original[starts[home] + len(written[home]) :]
        if "assert_never(" in was or CAST.sub("(", was) == CAST.sub("(", becomes):
            continue  # said to the type checker, and never run
        line += before.count("\n")
        mutant = Mutant(module, function.name.value, was, becomes, f"{before}{code}{after}", line)
        made.setdefault(mutant.name, mutant)
    return [*made.values()]


def bare(source: str) -> str:
    """Show mutmut what it would pass over for its decorator; but a property that can be set is two functions."""
    return WRAPPED.sub(lambda at: at[0] if f"@{at[2]}.setter" in source else f"{at[1]}@staticmethod\n", source)


def spared(node: Any) -> bool:
    """Tell a sentence for people, whose test would be the sentence again, and the name of a codec, however written."""
    return type(node).__name__ == "SimpleString" and (len(node.value.split()) >= 3 or node.value == '"utf-8"')


def changed(before: str, after: str) -> tuple[str, str, int]:
    """Give the lines from the first to the last that differs, before and after, and the number of the first."""
    old, new = before.splitlines(), after.splitlines()
    shorter = min(len(old), len(new))
    same = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    rest = next((at for at in range(shorter - same) if old[-1 - at] != new[-1 - at]), shorter - same)
    took, put = ("\n".join(line.strip() for line in lines[same : len(lines) - rest]) for lines in (old, new))
    return took, put, same + 1


def imported(module: str) -> types.ModuleType:
    """Import a module of the core by its short name."""
    return importlib.import_module("openrouter_core." + module.replace("/", "."))


def functions(names: dict[str, Any], module: str, prefix: str = "") -> Iterator[tuple[str, types.FunctionType]]:
    """Find the functions of a module and of its classes, behind whatever wraps them."""
    for name, value in names.items():
        if isinstance(value, type) and value.__module__ == module and f"{prefix}{name}" == value.__qualname__:
            yield from functions(dict(vars(value)), module, f"{prefix}{name}.")
        function = value
        for wrapped in ("fget", "__func__", "func", "__wrapped__"):
            function = (
                getattr(function, wrapped, function) if not isinstance(function, types.FunctionType) else function
            )
        if isinstance(function, types.FunctionType) and function.__module__ == module:
            yield f"{prefix}{name}", function


def plant(mutant: Mutant) -> None:
    """Put the changed functions in place of the original ones, here and now; raises what the changed module raises."""
    module = imported(mutant.module)
    names: dict[str, Any] = {
        "__name__": module.__name__,
        "__file__": module.__file__,
        "__package__": module.__package__,
    }
    exec(compile(mutant.source, str(module.__file__), "exec", dont_inherit=True), names)  # noqa: S102 - that is the point
    new = dict(functions(names, module.__name__))
    for name, function in functions(dict(vars(module)), module.__name__):
        function.__code__ = new[name].__code__
        function.__kwdefaults__ = new[name].__kwdefaults__
        function.__defaults__ = new[name].__defaults__
