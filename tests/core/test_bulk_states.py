"""Whatever kills a run and however often: each row ends once, and only those in flight can be paid twice."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk import states
from openrouter_core.bulk.states import (
    DONE,
    ENDED,
    FAILED,
    IN_DOUBT,
    IN_FLIGHT,
    REFUSED,
    TODO,
    Meaning,
    RowState,
    after,
    before,
    meaning,
)
from openrouter_core.errors import (
    AuthError,
    BudgetExceeded,
    ConnectError,
    DataSourceError,
    DeadlineExceeded,
    Disconnected,
    Forbidden,
    HttpError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ParseError,
    ProviderError,
    RateLimited,
    Timeout,
)

ROWS = 8
AT_ONCE = 3


class Ledger:
    """Rows as a ledger holds them, and beside it the truth: how often each was paid, and how often it was in doubt."""

    def __init__(self) -> None:
        self.states: list[RowState] = [TODO] * ROWS
        self.paid, self.doubted, self.lines = [0] * ROWS, [0] * ROWS, [0] * ROWS
        self.answered = [0] * ROWS
        self.flying: set[int] = set()

    def move(self, row: int, event: Any) -> None:
        assert self.states[row] in before(event)
        self.states[row] = after(event, self.states[row])
        self.lines[row] += self.states[row] in ENDED
        self.answered[row] += event == "answer"

    def opened(self, doubt: str) -> None:
        self.flying.clear()
        for row, state in enumerate(self.states):
            if state in before("find"):
                self.move(row, "find")
                self.doubted[row] += 1
        for row, state in enumerate(self.states):
            if state is IN_DOUBT and doubt != "skip":
                self.move(row, "retry" if doubt == "retry" else "report")

    def run(self, dice: random.Random, steps: int) -> None:
        """Begin and end calls, until the steps are used up (the run is killed) or nothing is left."""
        for _ in range(steps):
            todo = [row for row, state in enumerate(self.states) if state is TODO]
            if todo and len(self.flying) < AT_ONCE and (not self.flying or dice.random() < 0.5):
                self.move(todo[0], "intend")
                self.flying.add(todo[0])
                self.paid[todo[0]] += 1
            elif self.flying:
                row = dice.choice(sorted(self.flying))
                self.flying.discard(row)
                self.move(row, dice.choice(["answer", "answer", "refuse"]))


@given(st.integers(0, 2**32), st.lists(st.integers(0, 20), max_size=4), st.sampled_from(["retry", "skip", "report"]))
def test_no_row_is_lost_and_none_is_paid_twice_but_those_in_doubt(seed: int, kills: list[int], doubt: str) -> None:
    """The bugs: a killed call that is asked again without a word, a row that ends twice, a doubt that is forgotten."""
    ledger, dice = Ledger(), random.Random(seed)
    for steps in [*kills, 1000]:
        ledger.opened(doubt)
        ledger.run(dice, steps)
    for row, state in enumerate(ledger.states):
        assert ledger.lines[row] == (state in ENDED) <= 1
        assert ledger.answered[row] == (state is DONE)
        assert state in ENDED or (state is IN_DOUBT and doubt == "skip")
        assert 1 <= ledger.paid[row] <= 1 + (ledger.doubted[row] if doubt == "retry" else 0)
    assert sum(ledger.doubted) <= AT_ONCE * len(kills)


def test_the_property_bites() -> None:
    prop = test_no_row_is_lost_and_none_is_paid_twice_but_those_in_doubt
    strategies = (st.integers(0, 2**32), st.lists(st.integers(0, 20), max_size=4), st.sampled_from(["skip", "report"]))
    forgetful = {**states.MOVES, "find": {IN_FLIGHT: TODO}}
    caught(prop, *strategies, where=states, MOVES=forgetful)
    blind = {**states.MOVES, "find": {}}
    caught(prop, *strategies, where=states, MOVES=blind)
    lost = {**states.MOVES, "retry": {**states.MOVES["retry"], IN_DOUBT: DONE}}
    caught(prop, *strategies[:2], st.just("retry"), where=states, MOVES=lost)


def test_what_has_ended_stays_so_unless_it_is_taken_up_again() -> None:
    for event in states.MOVES:
        assert DONE not in before(event)
    assert after("retry", FAILED) is after("retry", REFUSED) is TODO
    with pytest.raises(KeyError):
        after("answer", DONE)


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (BudgetExceeded(message=""), Meaning("give_back", "budget")),
        (InsufficientCredits(message="", status=402), Meaning("give_back", "credits")),
        (AuthError(message="", status=401), Meaning("give_back", "key")),
        (ConnectError(message="", kind="closed"), Meaning("give_back", "interrupted")),
        (ConnectError(message="", kind="refused"), Meaning("fail")),
        (InvalidRequest(message="", status=400), Meaning("refuse")),
        (NotFound(message="", status=404), Meaning("refuse")),
        (Forbidden(message="", status=403), Meaning("refuse")),
        (HttpError(message="", status=418), Meaning("refuse")),
        (HttpError(message="", status=300), Meaning("refuse")),
        (HttpError(message="", status=409), Meaning("fail")),
        (HttpError(message="", status=425), Meaning("fail")),
        (HttpError(message="", status=500), Meaning("fail")),
        (HttpError(message=""), Meaning("fail")),
        (ProviderError(message="", status=408), Meaning("fail")),
        (ProviderError(message="", status=503), Meaning("fail")),
        (RateLimited(message="", status=429), Meaning("fail")),
        (Timeout(message=""), Meaning("fail")),
        (Disconnected(message=""), Meaning("fail")),
        (DeadlineExceeded(message=""), Meaning("fail")),
        (ParseError(message=""), Meaning("fail")),
    ],
)
def test_what_a_failure_means(error: DataSourceError, means: Meaning) -> None:
    assert meaning(error) == means
