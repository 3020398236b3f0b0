"""The states of a call: what each of them tells by itself."""

from __future__ import annotations

import math
from typing import Any

import pytest

from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.endpoint import HttpRequest
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts, Immediate
from openrouter_core.states import Clocks, Job, Past, Send, charged, tries


@pytest.mark.parametrize(
    ("clocks", "silence"),
    [
        (Clocks(60.0), ("attempt", 60.0)),
        (Clocks(60.0, 40.0, 20.0), ("first_event", 40.0)),
        (Clocks(5.0, 40.0, 20.0), ("attempt", 5.0)),
        (Clocks(5.0, 5.0), ("attempt", 5.0)),
        (Clocks(math.inf, 40.0), ("first_event", 40.0)),
    ],
)
def test_the_clock_that_runs_out_first_when_nothing_comes(clocks: Clocks, silence: tuple[str, float]) -> None:
    assert clocks.silence == silence


@pytest.mark.parametrize(("schedule", "free", "of"), [(Attempts(3), 0, 4), (Attempts(3), 5, 9), (Immediate(), 1, None)])
def test_how_many_attempts_there_may_be_counts_those_that_cost_no_try(schedule: Any, free: int, of: int | None) -> None:
    job: Job[Any] = Job(CHAT_COMPLETIONS, HttpRequest("POST", "https://host"), Policy(schedule=schedule))
    assert tries(Send(job, Past(0.0, free=free), 1, 0.0, Clocks(1.0))) == of


@pytest.mark.parametrize(
    ("told", "worst", "charge"), [(0.0, 5.0, 0.0), (0.25, 5.0, 0.25), (None, 5.0, 5.0), (None, None, 0.0)]
)
def test_what_nobody_told_is_charged_at_its_worst(told: float | None, worst: float | None, charge: float) -> None:
    assert charged(Seen(kind="ok", cost=told), Ask(worst=worst)) == charge
