"""Which pages the reference has: one for each public module, in rooms. Pure, but for the sources that it is given."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise

ROOMS = {
    "The client": (
        "openrouter_client.client openrouter_client.calling openrouter_client.groups openrouter_client.streaming "
        "openrouter_client.paging openrouter_client.raising openrouter_client.observe openrouter_client.environment "
        "openrouter_client.uploads openrouter_client.otel openrouter_client.otel.telemetry"
    ),
    "Groups of endpoints": "openrouter_client.api openrouter_client.api.*",
    "Bulk runs": (
        "openrouter_client.bulk.settings openrouter_client.bulk.running openrouter_client.spread.running "
        "openrouter_client.spread.dataset"
    ),
    "For tests": (
        "openrouter_client.testing openrouter_client.testing.* openrouter_client.simulator "
        "openrouter_client.simulator.server openrouter_client.simulator.trouble openrouter_client.simulator.faults "
        "openrouter_client.simulator.quota"
    ),
    "Settings, errors, facts": (
        "openrouter_core.config openrouter_core.errors openrouter_core.outcome openrouter_core.endpoint "
        "openrouter_core.raw openrouter_core.unshared openrouter_core.version"
    ),
    "Shapes": "openrouter_core.wire openrouter_core.wire.*",
    "Endpoints": "openrouter_core.api openrouter_core.endpoints openrouter_core.endpoints.*",
    "From requests to bytes": (
        "openrouter_core.plain openrouter_core.validate openrouter_core.headers openrouter_core.refuse "
        "openrouter_core.build openrouter_core.assemble openrouter_core.multipart openrouter_core.pages "
        "openrouter_core.polling openrouter_core.pkce"
    ),
    "Verdicts": (
        "openrouter_core.classify openrouter_core.verdict openrouter_core.completion openrouter_core.envelope "
        "openrouter_core.retry_after"
    ),
    "Policies and calls": (
        "openrouter_core.schedule openrouter_core.policy openrouter_core.states openrouter_core.call "
        "openrouter_core.journal openrouter_core.fallback openrouter_core.hedge openrouter_core.prices"
    ),
    "Streams": (
        "openrouter_core.sse openrouter_core.reader openrouter_core.stream openrouter_core.streams "
        "openrouter_core.events openrouter_core.received openrouter_core.deltas openrouter_core.fold "
        "openrouter_core.*_fold"
    ),
    "Types and tools": (
        "openrouter_core.schema openrouter_core.schema_flaws openrouter_core.strict openrouter_core.candidates "
        "openrouter_core.conform openrouter_core.typed openrouter_core.question openrouter_core.docstring "
        "openrouter_core.tool openrouter_core.tool_loop"
    ),
    "Limits": (
        "openrouter_core.admission openrouter_core.evidence openrouter_core.limit openrouter_core.limit.* "
        "openrouter_core.sharing"
    ),
    "Simulation": (
        "openrouter_core.simulate openrouter_core.traces openrouter_core.load openrouter_core.load_figures "
        "openrouter_core.load_scenarios"
    ),
    "Bulk runs, decided": "openrouter_core.bulk openrouter_core.bulk.*",
    "What telemetry tells": "openrouter_core.genai openrouter_core.genai.*",
}
"""The rooms with their modules, those that users meet first; `*` is any one name. Other modules of the shell are
not for users."""

FOREIGN = "returns.result"
FOREIGN_PAGE = """# returns.result

What calls return. It comes from the package `returns`, and `openrouter_client` hands it on.

## Result { #returns.result.Result }

`Result[T, E]` is either a `Success[T]` or a `Failure[E]`. Take it apart with `match`, with `unwrap` (of
`openrouter_client`, which raises an `OpenRouterError`), or by its methods:

| method | of a `Success(value)` | of a `Failure(error)` |
|---|---|---|
| `map(f)` | `Success(f(value))` | itself |
| `bind(f)` | `f(value)`, which is a `Result` | itself |
| `alt(f)` | itself | `Failure(f(error))` |
| `lash(f)` | itself | `f(error)`, which is a `Result` |
| `value_or(default)` | `value` | `default` |
| `unwrap()` | `value` | raises `UnwrapFailedError`, which does not say what happened |
| `failure()` | raises `UnwrapFailedError` | `error` |

## Success { #returns.result.Success }

A result that is there: `case Success(answer)`.

## Failure { #returns.result.Failure }

A result that is not there, and why: `case Failure(error)`.
"""
FOREIGN_WORDS = {
    "Result": "What every call returns: a `Success` or a `Failure`.",
    "Success": "A result that is there.",
    "Failure": "A result that is not there, and why.",
}

INDEX = """# Reference

Made from the docstrings. `openrouter_client` exports these names, and imports each when it is first asked for; the
modules that define them have pages of their own. Other modules are for users where a page of
[the whole API](../api.md) or a how-to imports from them; the rest is shown for those who want to know how it works.

"""


def rooms(modules: Iterable[str]) -> dict[str, list[str]]:
    """Give each room its modules, in the room's own order."""
    known = sorted(modules)
    return {
        room: [one for pattern in patterns.split() for one in known if fits(one, pattern)]
        for room, patterns in ROOMS.items()
    }


def fits(module: str, pattern: str) -> bool:
    """Tell whether a module is meant; a `*` does not reach into packages."""
    return module.count(".") == pattern.count(".") and fnmatchcase(module, pattern)


def path(module: str) -> str:
    """Name the page of a module."""
    return f"reference/{module.replace('.', '/')}.md"


def page(module: str, *, package: bool) -> str:
    """Write the page of a module. Of a package only its own words: what it hands on is at home elsewhere."""
    return f"# {module}\n\n::: {module}\n" + ("    options:\n      members: false\n" if package else "")


def first_line(text: str) -> str:
    """Take the first line of a docstring, or as many as its first sentence has, to be put into a table."""
    return " ".join(text.strip().partition("\n\n")[0].split()).replace("|", "\\|")


def words(source: str) -> dict[str, str]:
    """What a module says of each name that it defines: the first paragraph."""
    body = ast.parse(source).body
    found: dict[str, str] = {}
    for made, after in pairwise([*body, ast.Pass()]):
        match made, after:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name), _:
                found[name] = first_line(ast.get_docstring(made) or "")
            case (
                ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(value=ast.Constant(str(text))),
            ):
                found[name] = first_line(text)
            case _:
                pass
    return found


def index(homes: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Write the page of all names that `openrouter_client` exports, by rooms."""
    listed = rooms(sources)
    listed[next(iter(listed))].append(FOREIGN)
    tables = (
        f"## {room}\n\n| name | module | |\n|---|---|---|\n{rows}"
        for room, modules in listed.items()
        if (rows := "".join(rows_of(one, homes[one].split(), sources) for one in modules if one in homes))
    )
    return INDEX + "\n".join(tables)


def rows_of(module: str, names: list[str], sources: Mapping[str, str]) -> str:
    """Write the rows of the names that a module defines."""
    said = FOREIGN_WORDS if module == FOREIGN else words(sources[module])
    home = f"[{module}]({path(module).removeprefix('reference/')})"
    return "".join(f"| [`{name}`][{module}.{name}] | {home} | {said[name]} |\n" for name in sorted(names))


def pages(homes: Mapping[str, str], sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Write all pages of the reference: where each is, and its text."""
    yield "reference/index.md", index(homes, sources)
    yield path(FOREIGN), FOREIGN_PAGE
    packages = {module.rpartition(".")[0] for module in sources}
    for modules in rooms(sources).values():
        for module in modules:
            yield path(module), page(module, package=module in packages)


def navigation(sources: Mapping[str, str]) -> list[str | dict[str, list[dict[str, str]]]]:
    """Give the reference's part of the navigation: all names, and the modules by rooms."""
    listed = rooms(sources)
    first, *_ = listed
    entries = {room: [{short(one): path(one)} for one in modules] for room, modules in listed.items()}
    entries[first].append({FOREIGN: path(FOREIGN)})
    return ["reference/index.md", *({room: modules} for room, modules in entries.items())]


def short(module: str) -> str:
    """Give a module's name without that of the package, which all of a room share."""
    return module.partition(".")[2]
