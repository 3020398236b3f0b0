"""Random worlds keep every rule, and the rules bite: each planted bug is found within a few hundred of them."""

from __future__ import annotations

import math
from typing import Any, cast

import msgspec
import pytest
from returns.result import Success
from tests.core.mutants import last_first, last_out
from tests.worlds.__main__ import found, search, shown
from tests.worlds.invariants import flaws
from tests.worlds.world import made, played

from openrouter_core import call, classify, policy, schedule
from openrouter_core.admission import Admission
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.learned import Learned
from openrouter_core.limit.money import Money
from openrouter_core.limit.places import Places
from openrouter_core.limit.queue import Line
from openrouter_core.verdict import Accepted, Permanent, Transient

ENOUGH = 600
"""Within how many worlds a bug must be found."""


def test_every_rule_is_kept() -> None:
    """`make worlds` runs a hundred thousand of them."""
    assert search(10**6, 1000) is None


def test_a_world_is_made_by_its_seed_alone() -> None:
    assert msgspec.json.encode(made(7)) == msgspec.json.encode(made(7))
    assert made(7) != made(8)
    assert played(made(7)).moments == played(made(7)).moments


def test_a_world_can_be_shown() -> None:
    text = shown(3)
    assert '"seed": 3' in text
    assert "call 0  queue" in text
    assert text.endswith("Again: python -m tests.worlds --seed 3")


resolved, waited, reserve = policy.resolve, schedule.heeded, Money.reserve
over = cast("Any", Admission).over


def anything(value: Any, answer: Any, rules: Any) -> Any:
    """Planted: an answer in which there is an error is good."""
    return Accepted(value)


def stubborn(given: Any, outcome: Any, verdict: Any, *more: Any, **named: Any) -> Any:
    """Planted: what cannot be mended is tried again."""
    again = Transient(verdict.error) if isinstance(verdict, Permanent) else verdict
    return resolved(given, outcome, again, *more, **named)


def impatient(given: Any, hint: Any, roll: Any) -> Any:
    """Planted: a hint is cut by half."""
    return waited(given, hint, roll).map(lambda seconds: seconds / 2)


def leaking(self: Any, stamp: Any, seen: Any, now: Any) -> None:
    """Planted: who is cancelled keeps its place."""
    if seen.kind != "other":
        over(self, stamp, seen, now)


def staying(self: Any, ticket: Any) -> bool:
    """Planted: who is cancelled stays in line."""
    return False


def open_end(job: Any, began: Any) -> float:
    """Planted: a deadline is forgotten."""
    return math.inf


def wide_open(self: Any, *_: Any) -> float:
    """Planted: a limit that lets everybody go."""
    return 0.0


def generous(self: Any, state: Any, worst: Any) -> Any:
    """Planted: a budget that is never used up."""
    return Success((state, reserve(type(self)(maximum=1e9, assumed=self.assumed), state, worst).unwrap()[1]))


def sour(self: Any, rate: float) -> float:
    """Planted: a rate that is no number."""
    return math.nan


BUGS: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("only_whole_answers_are_good", classify, {"judged_completion": anything}),
    ("final_answers_are_final", call, {"resolve": stubborn}),
    ("hints_are_heeded", schedule, {"heeded": impatient}),
    ("each_call_ends_once", Admission, {"over": leaking}),
    ("Traceback", Admission, {"cancel": staying}),
    ("deadlines_are_kept", call, {"expiry": open_end}),
    ("a_known_rate_is_kept", Gcra, {"admit": wide_open}),
    ("places_are_kept", Places, {"admit": wide_open}),
    ("equals_go_in_order", Line, {"head": last_first, "pop": last_out}),
    ("the_state_is_sound", Learned, {"bounded": sour}),
    ("budgets_are_kept", Money, {"reserve": generous}),
)
"""What is found, and the bug that is planted for it."""


@pytest.mark.parametrize(("rule", "where", "planted"), BUGS)
def test_the_rules_bite(rule: str, where: Any, planted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bug in planted.items():
        monkeypatch.setattr(where, name, bug)
    assert any(flaw.startswith(rule) for seed in range(ENOUGH) for flaw in found(seed))


def test_what_happens_must_happen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = made(0)
    virtual = played(world)
    virtual.moments.pop()
    assert any("another time" in flaw for flaw in flaws(world, virtual))
