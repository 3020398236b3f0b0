"""A function's docstring -> what it does, and what each parameter means: Google's, NumPy's and Sphinx's forms."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise
from typing import Final

_PARAMETERS: Final = frozenset({"args", "arguments", "parameters", "params", "keyword args", "other parameters"})
_SECTION: Final = re.compile(r"(?P<title>[A-Z][a-z]+( [A-Za-z]+)?):?\s*$")
_SPHINX: Final = re.compile(r":param\s+(?:[^:]*\s)?\*{0,2}(?P<name>\w+):\s*(?P<text>.*)$")
_GOOGLE: Final = re.compile(r"\s+\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?:(?:\s+(?P<text>.*))?$")
_NUMPY: Final = re.compile(r"\*{0,2}(?P<name>\w+)\s*(?::(?P<text>)\s.*)?$")
_OTHER: Final = "other"
_UNDERLINED: Final = "underlined"
_SECTIONS: Final = {
    (True, True): "numpy",
    (True, False): "google",
    (False, True): _UNDERLINED,
    (False, False): _OTHER,
}
"""What a section is called that lists parameters or does not, and whose title is underlined or is not."""


def described(docstring: str | None) -> tuple[str, dict[str, str]]:
    """The description of a function, and those of its parameters by name. What is not recognised is description."""
    told: list[str] = []
    parameters: dict[str, list[str]] = {}
    section, current = "", ""
    lines = inspect.cleandoc(docstring or "").splitlines() or [""]
    for line, below in pairwise([*lines, ""]):
        title = _title(line, below)
        if title:
            section, current = title, ""
        elif sphinx := _SPHINX.match(line):
            section, current = _OTHER, sphinx["name"]
            parameters[current] = [sphinx["text"]]
        elif line.startswith(":"):
            section, current = _OTHER, ""
        elif head := _head(section, line):
            current = head["name"]
            parameters[current] = [head["text"] or ""]
        elif current and (line.startswith(" ") or not line):
            parameters[current].append(line.strip())
        elif not section or (line and not line.startswith(" ") and section not in ("numpy", _UNDERLINED)):
            section, current = "", ""
            told.append(line)
    return "\n".join(told).strip(), {name: " ".join(" ".join(text).split()) for name, text in parameters.items()}


def _title(line: str, below: str) -> str:
    """The section that a line opens; "" is no title."""
    found = _SECTION.match(line)
    underlined = below.startswith("---")
    if found is None or not (underlined or line.rstrip().endswith(":")):
        return ""
    return _SECTIONS[found["title"].lower() in _PARAMETERS, underlined]


def _head(section: str, line: str) -> re.Match[str] | None:
    """The line that names a parameter, in a section that lists them."""
    names = {"google": _GOOGLE, "numpy": _NUMPY}.get(section)
    return names.match(line) if names else None
