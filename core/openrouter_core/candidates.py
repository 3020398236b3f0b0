"""Where in a model's answer the JSON may be: alone, in a code fence, or somewhere in prose.

One pass over the text, in linear time whatever the text is. Nothing is decoded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_MAX_DEPTH: Final = 6
"""Levels of nesting that are offered, so that all candidates together are at most six times as long as the text."""

_OPENERS: Final = "[{"
_OPENING: Final = re.compile(r"[\[{]")
_INSIDE: Final = re.compile(r'["\[\]{}]')
_PLAUSIBLE: Final = re.compile(r"""\{[ \t\r\n]*["}]|\[[ \t\r\n]*["\[\]{\-0-9tfn]""")
"""How an object or an array in JSON can begin: most brackets of prose and of code do not."""
_STRING: Final = re.compile(r'(?:[^"\\\x00-\x1f]|\\.)*')
_CLOSES: Final = {"]": "[", "}": "{"}


class _Span:
    """A balanced piece of the text, with the balanced pieces directly inside."""

    __slots__ = ("end", "inner", "start")

    def __init__(self, start: int, end: int, inner: list[_Span]) -> None:
        self.start = start
        self.end = end
        self.inner = inner


def candidates(text: str) -> Iterator[str]:
    """The texts that may be the JSON value, likeliest first.

    First the whole answer and the whole without its code fence, then the outermost balanced objects and arrays in
    their order, then those directly inside of them, and so on, `_MAX_DEPTH` levels deep.
    """
    whole = text.strip()
    if not whole:
        return
    yield whole
    if whole.startswith("```") and whole.endswith("```"):
        yield whole.removesuffix("```").partition("\n")[2].strip()
    level = _balanced(whole)
    for _ in range(_MAX_DEPTH):
        yield from (whole[span.start : span.end] for span in level if span.end - span.start < len(whole))
        level = [inner for span in level for inner in span.inner]


def _balanced(text: str) -> list[_Span]:
    """The outermost balanced spans. Brackets in JSON strings do not count; quotes outside of brackets are prose.

    What cannot be JSON (a bracket in a wrong place, a string that does not end before the line does) forgets the open
    brackets, not the spans that are complete. `hopeless` is where the last string without an end gave up: no string
    that begins before it can end either, so no part of the text is searched twice.
    """
    spans: list[_Span] = []
    opened: list[int] = []
    position = hopeless = 0
    while found := (_INSIDE if opened else _OPENING).search(text, position):
        position = found.end()
        mark = found.group()
        if mark in _OPENERS:
            if _PLAUSIBLE.match(text, found.start()):
                opened.append(found.start())
            else:
                opened.clear()
        elif mark == '"':
            ending = _STRING.match(text, position) if position > hopeless else None
            if ending is not None and text[ending.end() : ending.end() + 1] == '"':
                position = ending.end() + 1
            else:
                hopeless = ending.end() if ending is not None else hopeless
                opened.clear()
        elif text[opened[-1]] == _CLOSES[mark]:
            _close(spans, opened.pop(), position)
        else:
            opened.clear()
    return spans


def _close(spans: list[_Span], start: int, end: int) -> None:
    """Add a span that has just closed, taking in those that lie inside of it."""
    first = len(spans)
    while first and spans[first - 1].start > start:
        first -= 1
    inner = spans[first:]
    del spans[first:]
    spans.append(_Span(start, end, inner))
