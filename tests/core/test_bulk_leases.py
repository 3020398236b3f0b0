"""A row is with one worker at most, comes back when the worker has gone, and nobody has more than there is room for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk.leases import SILENCE, Leases, Member

ROOM = 3
WORKERS = st.sampled_from("abc")
ROWS = st.integers(1, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), ROWS),
        st.tuples(st.just("over"), ROWS),
        st.tuples(st.just("joined"), WORKERS, st.sampled_from("12"), st.frozensets(ROWS, max_size=4)),
        st.tuples(st.just("gone"), WORKERS),
    ),
    max_size=60,
)


@given(STEPS)
def test_a_row_waits_or_is_held_by_one_worker_or_is_given_back(steps: list[tuple[Any, ...]]) -> None:
    leases, offered = Leases(ROOM), set[int]()
    for at, (step, *what) in enumerate(steps):
        match step:
            case "offer" if what[0] not in offered:
                offered.add(what[0])
                leases.offer(what[0])
            case "over":
                offered.discard(what[0])
                leases.over(what[0])
            case "joined":
                had = set(leases.members[what[0]].rows) if what[0] in leases.members else set()
                same = what[0] in leases.members and leases.members[what[0]].life == what[1]
                lost = leases.joined(what[0], what[1], what[2], float(at))
                assert set(lost) == (had - what[2] if same else had)
                offered.difference_update(lost)
            case "gone":
                had = set(leases.members[what[0]].rows) if what[0] in leases.members else set()
                lost = leases.gone(what[0])
                assert set(lost) == had
                offered.difference_update(lost)
            case _:
                pass
        room = sum(ROOM - len(member.rows) for member in leases.members.values())
        waiting = list(leases.waiting)
        given_out = leases.assigned()
        assert [row for row, _ in given_out] == waiting[: min(room, len(waiting))]
        held = [row for member in leases.members.values() for row in member.rows]
        assert len(held) == len(set(held))
        assert all(len(member.rows) <= ROOM for member in leases.members.values())
        assert leases.holders == {row: name for name, member in leases.members.items() for row in member.rows}
        assert set(leases.waiting) | set(held) == offered
        assert not set(leases.waiting) & set(held)


def keeps_the_dead(self: Leases, worker: str) -> list[int]:
    """Forget a worker, but not that it has rows."""
    member = self.members.pop(worker, None)
    return [] if member is None else sorted(member.rows)


def believes_all(self: Leases, worker: str, life: str, claims: frozenset[int], now: float) -> list[int]:
    """Let a new life keep what the old one had."""
    before = self.members.get(worker)
    self.members[worker] = Member(life, now, set() if before is None else before.rows)
    return []


def takes_anybody(self: Leases) -> str | None:
    """Give rows to those who have no room."""
    return min(self.members, key=lambda name: len(self.members[name].rows), default=None)


def test_the_property_catches_what_it_is_for() -> None:
    prop = test_a_row_waits_or_is_held_by_one_worker_or_is_given_back
    caught(prop, STEPS, where=Leases, gone=keeps_the_dead)
    caught(prop, STEPS, where=Leases, joined=believes_all)
    caught(prop, STEPS, where=Leases, roomiest=takes_anybody)


def test_the_worker_with_fewest_rows_gets_the_next() -> None:
    leases = Leases(2)
    leases.joined("a", "1", (), 0.0)
    for row in (1, 2, 3):
        leases.offer(row)
    assert leases.assigned() == [(1, "a"), (2, "a")]
    leases.joined("b", "1", (), 0.0)
    assert leases.assigned() == [(3, "b")]
    assert leases.over(1) == "a"
    assert leases.over(1) is None
    leases.offer(4)
    leases.offer(5)
    assert leases.assigned() == [(4, "a"), (5, "b")]


def test_who_is_silent_for_too_long_is_named() -> None:
    leases = Leases(1)
    leases.joined("a", "1", (), 0.0)
    leases.joined("b", "1", (), 0.0)
    leases.heard("b", 10.0)
    leases.heard("b", 5.0)
    assert leases.silent(SILENCE) == []
    assert leases.silent(SILENCE + 1.0) == ["a"]
    assert leases.gone("a") == []
    assert leases.gone("a") == []
    assert leases.silent(SILENCE + 11.0) == ["b"]


def test_a_worker_that_comes_back_keeps_what_it_claims_unless_its_life_is_another() -> None:
    leases = Leases(3)
    leases.joined("a", "1", (), 0.0)
    for row in (1, 2, 3):
        leases.offer(row)
    leases.assigned()
    assert leases.joined("a", "1", {1, 2, 9}, 1.0) == [3]
    assert (leases.members["a"], leases.holders) == (Member("1", 1.0, {1, 2}), {1: "a", 2: "a"})
    assert leases.joined("a", "2", {1, 2}, 2.0) == [1, 2]
    assert (leases.members["a"], leases.holders) == (Member("2", 2.0, set()), {})


def test_a_row_that_a_worker_says_it_has_is_its_own() -> None:
    leases = Leases(1)
    leases.joined("a", "1", (), 0.0)
    leases.offer(7)
    for row in (7, 8):
        leases.adopt(row, "a")
    assert (leases.holders, leases.assigned()) == ({7: "a", 8: "a"}, [])
    with pytest.raises(KeyError):
        leases.heard("b", 1.0)
