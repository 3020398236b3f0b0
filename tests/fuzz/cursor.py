"""Bytes -> decisions, so that a fuzzer that changes bytes changes types, headers and splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

MANY = 40
"""Into how many pieces a stream is cut at most: each costs as much as a short stream."""


class Cursor:
    """Reads a decision from each byte; behind the end, every byte is 0."""

    __slots__ = ("data", "place")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def byte(self) -> int:
        """Take the next byte."""
        self.place += 1
        return self.data[self.place - 1] if self.place <= len(self.data) else 0

    def below(self, limit: int) -> int:
        """Take a number from 0 to `limit` - 1."""
        return self.byte() % limit

    def one_of(self, choices: Sequence[T]) -> T:
        """Take one of these."""
        return choices[self.below(len(choices))]

    def rest(self) -> bytes:
        """Take all that is left."""
        left, self.place = self.data[self.place :], len(self.data)
        return left


def pieces(data: bytes, sizes: bytes) -> list[bytes]:
    """Cut bytes into pieces of these sizes, over and over, `MANY` at most; the last one is all that is left.

    Without sizes, or with zeros alone, they stay whole.
    """
    if not any(sizes):
        return [data]
    cut: list[bytes] = []
    place = turn = 0
    while place < len(data) and turn < MANY - 1:
        size = sizes[turn % len(sizes)]
        cut.append(data[place : place + size])
        place, turn = place + size, turn + 1
    return [*cut, data[place:]] if place < len(data) else cut


def headed(data: bytes) -> tuple[list[str], dict[str, str], bytes]:
    """Read a message as HTTP writes it, leniently: the words of its first line, its headers, its body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    named = [line.partition(":") for line in lines]
    return first.split(" "), {name.strip().lower(): value.strip() for name, _, value in named}, body


def number(words: Sequence[str], place: int, otherwise: Any = 0) -> Any:
    """Read a whole number or a float among words."""
    word = words[place] if place < len(words) else ""
    for read in (int, float):
        try:
            value = read(word)
        except ValueError:
            continue
        return otherwise if value != value else value  # noqa: PLR0124 - nan
    return otherwise
