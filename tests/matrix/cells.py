"""Which environments there are, and what goes into each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons to look for; those of pyproject.toml's classifiers must be among them."""

Versions = Literal["pinned", "lowest", "newest"]


GROUP_TEST_ALONE = (
    "tests/shell/test_otel.py::test_the_names_are_those_of_opentelemetrys_own_instrumentations",
    "tests/shell/test_otel.py::test_the_names_of_streams_and_failures_are_theirs_too",
)
"""The tests that want more than the group test-lowest has."""


class Cell(Struct, frozen=True):
    """An environment: a Python, the versions of what pyproject.toml allows, and the event loop."""

    python: str
    versions: Versions
    loop: Literal["asyncio", "uvloop"] = "asyncio"

    @property
    def group(self) -> str:
        """What is installed beside the wheel: where versions are the lowest, nothing that wants newer ones."""
        return "test-lowest" if self.versions == "lowest" else "test"

    @property
    def deselected(self) -> tuple[str, ...]:
        """The tests that cannot run in it."""
        return GROUP_TEST_ALONE if self.versions == "lowest" else ()

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return f"{self.versions}-{self.python}" + ("-uvloop" if self.loop == "uvloop" else "")


CELLS = (
    Cell("3.11", "lowest"),
    *(Cell(python, "newest") for python in PYTHONS),
    Cell("3.12", "pinned", "uvloop"),
    Cell("3.13", "newest", "uvloop"),
)
"""The lowest versions are tried with the lowest Python alone: later ones have no wheels of them."""


def lowest(requirements: Iterable[str]) -> list[str]:
    """Turn each `name>=version,...` into `name==version`: what we claim to work with."""
    pins: list[str] = []
    for one in requirements:
        found = re.fullmatch(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?>=([0-9][^,;\s]*).*", one.replace(" ", ""))
        if found is None:
            raise ValueError(f"{one!r} has no lower bound: say from which version on it works")
        pins.append(f"{found[1]}{found[2] or ''}=={found[3]}")
    return pins


def constraints(cell: Cell, declared: Sequence[str], pins: Sequence[str]) -> list[str]:
    """Give the constraints of an environment.

    Pinned: constraints.txt. Newest: none for what we declare and for what that brings along. Lowest: exactly the lower
    bounds of what we declare; what that brings along is as new as it gets.
    """
    match cell.versions:
        case "pinned":
            return list(pins)
        case "lowest":
            return lowest(declared)
        case "newest":
            return []


def declared(project: Mapping[str, object]) -> list[str]:
    """Give every requirement that users get, those of all extras included."""
    dependencies, extras = project["dependencies"], project["optional-dependencies"]
    if not isinstance(dependencies, list) or not isinstance(extras, dict):
        raise TypeError("pyproject.toml: dependencies and optional-dependencies were expected")
    return [*dependencies, *(one for extra in extras.values() for one in extra)]
