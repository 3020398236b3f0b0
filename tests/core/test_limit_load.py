"""What the limiters reach under load, in the simulator: the claims that the README makes, on seeds of their own."""

from __future__ import annotations

import pytest
from hypothesis import settings
from tests.core.loadsim import POLICIES, SCENARIOS, figures, play, random_scenario

OURS = POLICIES["limiters"]
UNTUNED = range(100, 130 if settings.get_current_profile_name() == "nightly" else 106)

# Each limiter's own tests cover it; following every line of a load test would only make it five times as long.
pytestmark = pytest.mark.no_cover


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("a1", {"429/ok": 0.025, "later": 0.013, "time:ideal": 1.05}),
        ("a3", {"429/ok": 0.02, "later": 0.0, "time:ideal": 1.05}),
        ("f200", {"429/ok": 0.02, "later": 0.01, "time:ideal": 1.05}),
        ("f200m", {"429/ok": 0.03, "halved: 429/ok": 0.02, "halved: settled": 10.0}),
        ("b50", {"halved: 429/ok": 0.03, "halved: settled": 10.0, "x4: settled": 100.0}),
        ("d1", {"outage: sent/arrival": 0.2, "outage: first after": 7.0, "outage: drained": 30.0}),
        ("d2", {"sends/call": 1.2}),
        ("e", {"sends/call": 1.07}),
        ("e2", {"time:ideal": 1.1}),
        ("n", {"p95": 6.5}),
    ],
)
def test_no_call_is_lost_and_the_figures_hold(key: str, bounds: dict[str, float]) -> None:
    row = figures(play(SCENARIOS[key], OURS, 11))
    assert row["lost %"] == 0.0
    for name, bound in bounds.items():
        assert row[name] <= bound, (name, row)


def test_the_specified_policy_loses_what_is_said_of_it() -> None:
    assert figures(play(SCENARIOS["a1"], POLICIES["1, 2, 4 s"], 11))["lost %"] > 30
    assert figures(play(SCENARIOS["a1"], POLICIES["openai-python"], 11))["lost %"] > 70


def test_the_number_of_callers_changes_nothing() -> None:
    few, many = (figures(play(SCENARIOS[key], OURS, 11)) for key in ("a1", "a1w"))
    assert few == pytest.approx(many, rel=0.1)


@pytest.mark.parametrize("seed", UNTUNED)
def test_nothing_is_lost_on_servers_that_nobody_tuned_for(seed: int) -> None:
    row = figures(play(random_scenario(seed), OURS, seed))
    assert row["lost %"] <= 0.5
    assert row["429/ok"] <= 0.2


def test_a_run_is_a_function_of_its_seed() -> None:
    assert figures(play(SCENARIOS["a2"], OURS, 5)) == figures(play(SCENARIOS["a2"], OURS, 5))
