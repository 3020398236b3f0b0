"""What policies reach against described servers: the claims that the README makes, on seeds of their own."""

from __future__ import annotations

import math
import statistics

import msgspec
import pytest
from hypothesis import settings
from msgspec.structs import replace
from tests.core.holdout import dice, measured, random_scenario

from openrouter_core.admission import limits_of
from openrouter_core.config import OpenRouterConfig
from openrouter_core.limit.seen import Ask
from openrouter_core.load import Bucket, Load, ServerSpec, Windows
from openrouter_core.load_figures import Figures
from openrouter_core.load_scenarios import (
    CONTENDERS,
    KNOWING,
    MODEL,
    OURS,
    SCENARIOS,
    Contender,
    Scenario,
    called,
    chosen,
    configured,
    fast,
    knowing,
    play,
    steady,
)
from openrouter_core.policy import policy_of
from openrouter_core.simulate import chat_job

UNTUNED = range(100, 130 if settings.get_current_profile_name() == "nightly" else 106)

# Each limiter's own tests cover it; following every line of a load test would only make it five times as long.
load_test = pytest.mark.no_cover

FEW = Load(calls=60, together=20)
QUOTA = Bucket(((0.0, 5.0),), 2.0)


@pytest.mark.parametrize("name", CONTENDERS)
def test_a_policy_is_data_and_ends_every_call(name: str) -> None:
    contender = CONTENDERS[name]
    assert contender.name == name
    assert msgspec.json.decode(msgspec.json.encode(contender), type=Contender) == contender
    timeline = play(Scenario("a few", ServerSpec(quota=QUOTA), FEW), contender, dice(1))
    assert len(timeline.results) == FEW.calls


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_data(name: str) -> None:
    scenario = SCENARIOS[name]
    assert msgspec.json.decode(msgspec.json.encode(scenario), type=Scenario) == scenario


def test_who_is_told_the_rate_sends_at_that_rate() -> None:
    assert knowing(ServerSpec(quota=QUOTA)).limits.requests_per_minute == 300.0
    assert knowing(ServerSpec(quota=Windows(20, 60.0))).limits.requests_per_minute == 20.0
    assert knowing(ServerSpec(quota=Bucket(((0.0, 1.0), (9.0, 2.0))))).limits.requests_per_minute == 60.0
    assert knowing(ServerSpec()) == replace(OURS, name="known-rate")
    assert knowing(ServerSpec(quota=QUOTA)).name == "known-rate"
    for quota in (QUOTA, Windows(20, 60.0)):
        row = measured(Scenario("a few", ServerSpec(quota=quota), FEW), knowing(ServerSpec(quota=quota)), 1)
        assert (row.lost, row.refused) == (0, 0.0)


def test_a_known_rate_is_never_exceeded_in_any_window() -> None:
    server = ServerSpec(quota=QUOTA, failing=0.2, spurious=0.1)
    sends = play(Scenario("a few", server, FEW), knowing(server), dice(1)).sends
    for first, start in enumerate(sends):
        assert all(number <= 5.0 * (end - start) + 1 + 1e-6 for number, end in enumerate(sends[first:], 1))


def test_policies_are_found_by_name() -> None:
    server = ServerSpec(quota=QUOTA)
    assert chosen("ours", server) == OURS
    assert chosen(KNOWING, server) == knowing(server)
    assert chosen("none of them", server) is None


def test_a_contender_behaves_as_its_config_says() -> None:
    config = OpenRouterConfig(max_rate_retries=1, requests_per_minute=30.0)
    assert configured("slow", config) == Contender("slow", policy_of(config), limits_of(config))


def test_servers_are_described_in_short() -> None:
    assert steady(4.0, 2.0) == Bucket(((0.0, 4.0),), 2.0)
    assert fast(QUOTA) == ServerSpec(quota=QUOTA, tells="nothing", latency=0.035, spread=0.1, refusal=0.035)
    assert fast(None, "exact") == ServerSpec(tells="exact", latency=0.035, spread=0.1, refusal=0.035)


def test_all_calls_are_for_one_model_and_may_take_as_long_as_the_load_says() -> None:
    job = called(OURS.policy, 7.0)
    assert job == replace(chat_job(replace(OURS.policy, timeout=7.0)), ask=Ask((MODEL,)))


@pytest.mark.parametrize(
    ("load", "sends", "end"),
    [
        (Load(calls=4, together=2, every=0.25), (0.0, 0.25, 1.0, 1.25), 2.25),
        (Load(calls=3), (0.0, 0.0, 0.0), 1.0),
        (Load(calls=1, timeout=0.5), (0.0,), 0.5),
    ],
)
def test_calls_come_as_the_load_says(load: Load, sends: tuple[float, ...], end: float) -> None:
    scenario = Scenario("a second each", ServerSpec(latency=1.0, spread=0.0), load)
    timeline = play(scenario, CONTENDERS["no-retries"], dice(1))
    assert timeline.sends == pytest.approx(sends)
    assert timeline.moments[-1].at == pytest.approx(end)


def figures_of(key: str, name: str = "ours", seed: int = 11) -> Figures:
    return measured(SCENARIOS[key], CONTENDERS[name], seed)


@load_test
@pytest.mark.parametrize(
    ("key", "refused", "later", "to_ideal"),
    [
        ("200", 0.02, 0.01, 1.05),
        ("200-hinted", 0.02, 0.01, 1.05),
        ("10", 0.02, 0.01, 1.05),
        ("10-strict", 0.02, 0.01, 1.05),
        ("free", 0.02, 0.0, 1.05),
        ("minutes", 0.02, 0.01, 1.05),
        ("200-halves", 0.025, 0.01, 1.05),
    ],
)
def test_no_call_is_lost_and_the_figures_hold(key: str, refused: float, later: float, to_ideal: float) -> None:
    row = figures_of(key)
    assert row.lost == 0
    assert row.refused <= refused
    assert row.later <= later
    assert row.to_ideal is not None
    assert row.to_ideal <= to_ideal


@load_test
def test_chance_refusals_cost_a_tenth_at_most() -> None:
    """On average: now and then three fall in a row, and look like a quota."""
    rows = [figures_of("spurious", seed=seed) for seed in (11, 12, 13, 14)]
    assert sum(row.lost for row in rows) == 0
    assert max(row.refused for row in rows) <= 0.04
    assert statistics.mean(row.to_ideal or math.inf for row in rows) <= 1.1


@load_test
def test_a_quota_that_moves_is_found_again() -> None:
    rows = [figures_of("moving", seed=seed) for seed in (1, 2, 3, 4)]
    assert sum(row.lost for row in rows) == 0
    halved, quadrupled = zip(*(row.phases for row in rows), strict=True)
    assert max(phase.settled or 0.0 for phase in halved) <= 10.0
    assert statistics.mean(phase.refused for phase in halved) <= 0.02
    assert max(phase.settled or math.inf for phase in quadrupled) <= 100.0


@load_test
def test_an_outage_is_waited_out() -> None:
    row = figures_of("outage")
    assert row.lost == 0
    assert row.outage is not None
    assert row.outage.sends <= 0.2
    assert (row.outage.first or 0.0) <= 7.0
    assert (row.outage.drained or 0.0) <= 30.0


@load_test
def test_failures_are_not_amplified() -> None:
    failing, queue, cold = figures_of("failing"), figures_of("queue"), figures_of("cold")
    assert (failing.lost, queue.lost, cold.lost) == (0, 0, 0)
    assert failing.sends <= 1.07
    assert queue.sends <= 1.2
    assert cold.p95 is not None
    assert cold.p95 <= 6.5


@load_test
def test_other_policies_lose_what_is_said_of_them() -> None:
    calls = SCENARIOS["10"].load.calls
    assert figures_of("10", "1-2-4").lost > 0.3 * calls
    assert figures_of("10", "openai-python").lost > 0.7 * calls


@load_test
def test_the_number_of_callers_changes_nothing() -> None:
    few, many = figures_of("10"), figures_of("10-300")
    assert few.seconds == pytest.approx(many.seconds, rel=0.1)
    assert few.refused == pytest.approx(many.refused, rel=0.1)


@load_test
@pytest.mark.parametrize("seed", UNTUNED)
def test_nothing_is_lost_on_servers_that_nobody_tuned_for(seed: int) -> None:
    scenario = random_scenario(seed)
    row = measured(scenario, OURS, seed)
    assert row.lost <= 0.005 * scenario.load.calls
    assert row.refused <= 0.2


@load_test
def test_a_run_is_a_function_of_its_seed() -> None:
    assert figures_of("10-hinted", seed=5) == figures_of("10-hinted", seed=5)
