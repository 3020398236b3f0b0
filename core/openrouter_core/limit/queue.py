"""The waiting line: who goes next. Lower priority numbers first, first come first served among equals.

`Line` is explicitly mutable, and private to its owner: a table of who is still waiting, and beside it a queue of those
who came in the order in which they go, as nearly all do, a binary heap of those who did not (they have a lower priority
number, or are back from a retry), and another of those who cannot wait for ever. A persistent heap was the alternative;
it costs about ten times as much per call, and nothing would read its old versions, because a call's place in the line
is not a fact about the quota. It reads no clock and no dice: the same calls of its methods in the same order give the
same line.

Cancelling only strikes the entry from the table; it is passed over when it reaches a front, and queue and heaps are
made anew once more than half of them is struck. So `push`, `pop` and `overdue` cost O(log n), `cancel` and `head` O(1),
all amortised.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True, order=True, gc=False):
    """A call's place, which it keeps for life: a retry comes back to where the call first stood."""

    priority: int
    number: int


class Line(Generic[T]):
    """A priority queue of calls that wait, each with its place, and some until an instant only."""

    def __init__(self) -> None:
        self._queue: deque[Place] = deque()
        self._heap: list[Place] = []
        self._expiring: list[tuple[float, Place]] = []
        self._waiting: dict[Place, tuple[float, T]] = {}
        self._count: dict[int, int] = {}
        self._newest: dict[int, int] = {}

    def __len__(self) -> int:
        """Count the calls that wait."""
        return len(self._waiting)

    def push(self, place: Place, call: T, expires: float = inf) -> None:
        """Let a call wait at its place, until `expires` seconds on the owner's clock. No place is taken twice."""
        if place in self._waiting:
            raise ValueError(f"{place} is taken")
        self._waiting[place] = (expires, call)
        self._count[place.priority] = self._count.get(place.priority, 0) + 1
        if place.number > self._newest.get(place.priority, -1):
            self._newest[place.priority] = place.number
        if not self._queue or self._queue[-1] < place:
            self._queue.append(place)
        else:
            heappush(self._heap, place)
        if expires < inf:
            heappush(self._expiring, (expires, place))

    def cancel(self, place: Place) -> bool:
        """Give a place back; False when nobody waits there."""
        if place not in self._waiting:
            return False
        self._strike(place)
        if max(len(self._queue) + len(self._heap), len(self._expiring)) > 2 * len(self._waiting) + 16:
            self._queue = deque()
            self._heap = list(self._waiting)
            self._expiring = [(expires, place) for place, (expires, _) in self._waiting.items() if expires < inf]
            heapify(self._heap)
            heapify(self._expiring)
        return True

    def head(self) -> tuple[Place, T]:
        """Show who goes next, without letting go. The line must not be empty: its truth value says so."""
        while self._queue and self._queue[0] not in self._waiting:
            self._queue.popleft()
        while self._heap and self._heap[0] not in self._waiting:
            heappop(self._heap)
        first = self._queue[0] if not self._heap or (self._queue and self._queue[0] < self._heap[0]) else self._heap[0]
        return first, self._waiting[first][1]

    def pop(self) -> tuple[Place, T]:
        """Let the next one go. The line must not be empty."""
        first = self.head()
        if self._heap and self._heap[0] == first[0]:
            heappop(self._heap)
        else:
            self._queue.popleft()
        self._strike(first[0])
        return first

    def ahead(self, place: Place) -> int:
        """Count those who will go before a call that comes now, at least: one that comes back is not the last."""
        sooner = sum(count for priority, count in self._count.items() if priority < place.priority)
        last = place.number > self._newest.get(place.priority, place.number)
        return sooner + (self._count.get(place.priority, 0) if last else 0)

    def _strike(self, place: Place) -> None:
        """Strike a call from the table."""
        del self._waiting[place]
        self._count[place.priority] -= 1

    def soonest(self) -> float:
        """Tell when the first of those who cannot wait for ever must have gone; infinity when all can."""
        while self._expiring and self._waiting.get(self._expiring[0][1], (None,))[0] != self._expiring[0][0]:
            heappop(self._expiring)
        return self._expiring[0][0] if self._expiring else inf

    def overdue(self, instant: float) -> T | None:
        """Take somebody out of the line whose time is up at `instant`; None when there is nobody."""
        if self.soonest() > instant:
            return None
        _, place = heappop(self._expiring)
        _, call = self._waiting[place]
        self.cancel(place)
        return call
