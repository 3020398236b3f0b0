"""The waiting line: who goes next. Lower priority numbers first, first come first served among equals.

`Line` is explicitly mutable, and private to its owner: a binary heap beside a table of who is still waiting. A
persistent heap was the alternative; it costs about ten times as much per call, and nothing would read its old versions,
because a call's place in the line is not a fact about the quota. It reads no clock and no dice: the same calls of
`push`, `cancel` and `pop` in the same order give the same line.

Cancelling only strikes the entry from the table; it is passed over when it reaches the front, and the heap is rebuilt
once more than half of it is struck. So `push` and `pop` cost O(log n), `cancel` and `head` O(1), all amortised.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Place(NamedTuple):
    """A call's place, which it keeps for life: a retry comes back to where the call first stood."""

    priority: int
    number: int


class Line(Generic[T]):
    """A priority queue of calls that wait, each with its place."""

    def __init__(self) -> None:
        self._heap: list[Place] = []
        self._waiting: dict[Place, T] = {}

    def __len__(self) -> int:
        """Count the calls that wait."""
        return len(self._waiting)

    def push(self, place: Place, call: T) -> None:
        """Let a call wait at its place. A place that is already taken is not taken twice."""
        if place in self._waiting:
            raise ValueError(f"{place} is taken")
        self._waiting[place] = call
        heappush(self._heap, place)

    def cancel(self, place: Place) -> bool:
        """Give a place back; False when nobody waits there."""
        if place not in self._waiting:
            return False
        del self._waiting[place]
        if len(self._heap) > 2 * len(self._waiting) + 16:
            self._heap = list(self._waiting)
            heapify(self._heap)
        return True

    def head(self) -> tuple[Place, T]:
        """Show who goes next, without letting go. The line must not be empty: its truth value says so."""
        while self._heap[0] not in self._waiting:
            heappop(self._heap)
        return self._heap[0], self._waiting[self._heap[0]]

    def pop(self) -> tuple[Place, T]:
        """Let the next one go. The line must not be empty."""
        first = self.head()
        heappop(self._heap)
        del self._waiting[first[0]]
        return first
