"""Chance that can be repeated: dice whose rolls depend on a key and on nothing else. Pure.

The rolls come from a hash and not from `random`, so that a seed means the same on every version of Python.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_SEPARATOR = b"\x1f"
_STEPS = 2**53


def digest(*key: object) -> bytes:
    """The fingerprint of a key (16 bytes): equal keys give equal fingerprints, in every process."""
    parts = (part if isinstance(part, bytes) else str(part).encode() for part in key)
    return hashlib.blake2b(_SEPARATOR.join(parts), digest_size=16).digest()


class Dice:
    """A row of rolls that the key fixes: the same key gives the same row."""

    __slots__ = ("_key", "_rolled")

    def __init__(self, *key: object) -> None:
        self._key = digest(*key)
        self._rolled = 0

    def roll(self) -> float:
        """The next roll, uniform in [0, 1)."""
        self._rolled += 1
        return (int.from_bytes(digest(self._key, self._rolled)[:8], "big") >> 11) / _STEPS

    def whole(self, low: int, high: int) -> int:
        """A whole number, uniform from low to high, both included."""
        return low + int(self.roll() * (high - low + 1))

    def between(self, low: float, high: float) -> float:
        """A number, uniform in [low, high)."""
        return low + (high - low) * self.roll()

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely as the others."""
        return items[self.whole(0, len(items) - 1)]

    def letters(self, count: int) -> str:
        """A random-looking word of the 62 letters and figures that ids are made of."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self.pick(alphabet) for _ in range(count))

    def pieces(self, text: str, longest: int) -> list[str]:
        """The text, cut at random places into pieces of 1 to `longest` characters."""
        pieces: list[str] = []
        while text:
            cut = self.whole(1, longest)
            pieces.append(text[:cut])
            text = text[cut:]
        return pieces
