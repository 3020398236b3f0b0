"""The rule of evidence: so many events among so many sends."""

from __future__ import annotations

from openrouter_core.limit.seen import dense, noted


def test_events_are_dense_when_enough_fall_among_few_sends() -> None:
    recent: tuple[int, ...] = ()
    for number in (1, 30, 34, 38):
        recent = noted(recent, number, 3)
    assert recent == (30, 34, 38)
    assert dense(recent, 3, 9)
    assert not dense(recent, 3, 8)
    assert not dense(recent, 4, 100)
