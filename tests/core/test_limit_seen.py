"""The rule of evidence: so many events among so many sends."""

from __future__ import annotations

import pytest

from openrouter_core.limit.seen import NOTHING, Kind, Seen, dense, heard, noted


def test_events_are_dense_when_enough_fall_among_few_sends() -> None:
    recent: tuple[int, ...] = ()
    for number in (1, 30, 34, 38):
        recent = noted(recent, number, 3)
    assert recent == (30, 34, 38)
    assert dense(recent, 3, 9)
    assert not dense(recent, 3, 8)
    assert not dense(recent, 4, 100)


@pytest.mark.parametrize(("kind", "company", "told"), [("ok", 0, True), ("rate", 2, True), ("rate", 1, False)])
def test_answers_are_always_heard_and_trouble_in_company(kind: Kind, company: int, told: bool) -> None:
    seen = Seen(kind=kind, company=company)
    assert heard(seen, 2) is (seen if told else NOTHING)
