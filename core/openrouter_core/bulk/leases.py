"""Who has which row: the leases of a spread run.

    offer -> waiting -> assigned -> held by a worker -> ended | withdrawn | lost

A row is with one worker at most. A worker that begins a new life, that claims less than it had, or that is silent for
too long, loses its rows: they are given back, and may have been paid if an attempt of theirs was sent. A worker takes
as many rows as it has room for, and the one that has fewest gets the next: one that is slow holds its rows for longer,
and so gets fewer.

`Leases` is mutable, and private to its owner; it reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

SILENCE = 60.0
"""A worker that was not heard for so many seconds has lost its rows."""


class Member(msgspec.Struct):
    """A worker that has presented itself: which life it is, its rows, and when it was heard last."""

    life: str
    heard: float
    rows: set[int]


class Leases:
    """The cell. Each worker has at most `room` rows."""

    def __init__(self, room: int) -> None:
        self.room: int = room
        self.members: dict[str, Member] = {}
        self.holders: dict[int, str] = {}
        self.waiting: dict[int, None] = {}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def offer(self, row: int) -> None:
        """Let a row wait for a worker."""
        self.waiting.setdefault(row)

    def adopt(self, row: int, worker: str) -> None:
        """Note that a worker has a row, as it says itself."""
        self.waiting.pop(row, None)
        self.members[worker].rows.add(row)
        self.holders[row] = worker

    def over(self, row: int) -> str | None:
        """End a row's lease, or its waiting; tell who had it."""
        self.waiting.pop(row, None)
        worker = self.holders.pop(row, None)
        if worker is not None:
            self.members[worker].rows.discard(row)
        return worker

    def assigned(self) -> Sequence[tuple[int, str]]:
        """Give the rows that wait to the workers that have room, those that came first first."""
        given: list[tuple[int, str]] = []
        while self.waiting and (worker := self.roomiest()) is not None:
            row = next(iter(self.waiting))
            self.adopt(row, worker)
            given.append((row, worker))
        return given

    def roomiest(self) -> str | None:
        """Name the worker that has fewest rows; None where nobody has room."""
        best = min(self.members, key=lambda name: len(self.members[name].rows), default=None)
        return best if best is not None and len(self.members[best].rows) < self.room else None

    # --- workers ------------------------------------------------------------------------------------------------------

    def joined(self, worker: str, life: str, claims: Iterable[int], now: float) -> Sequence[int]:
        """Let a worker in, or in again; give the rows that it has lost. It keeps those that it had and claims."""
        before = self.members.get(worker)
        kept = set(claims) if before is not None and before.life == life else set[int]()
        lost = [] if before is None else sorted(before.rows - kept)
        for row in lost:
            self.over(row)
        self.members[worker] = Member(life, now, set() if before is None else before.rows)
        return lost

    def heard(self, worker: str, now: float) -> None:
        """Note that a worker is there."""
        self.members[worker].heard = max(now, self.members[worker].heard)

    def silent(self, now: float) -> Sequence[str]:
        """Name the workers that have not been heard for too long."""
        return [name for name, member in self.members.items() if now - member.heard > SILENCE]

    def gone(self, worker: str) -> Sequence[int]:
        """Let a worker go; give the rows that it has lost."""
        member = self.members.get(worker)
        lost = [] if member is None else sorted(member.rows)
        for row in lost:
            self.over(row)
        self.members.pop(worker, None)
        return lost
