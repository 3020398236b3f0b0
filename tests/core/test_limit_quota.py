"""A quota: a window, a gate and a learned rate, written out as one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.compose import All
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.learned import Learned
from openrouter_core.limit.quota import Quota
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.limit.window import Window

SEEN = st.builds(
    Seen,
    kind=st.sampled_from(["ok", "rate", "rate", "server", "other"]),
    hint=st.none() | st.sampled_from([0.5, 3.0]),
    limit=st.none() | st.just(3.0),
    resets_in=st.none() | st.sampled_from([-0.5, 2.0, 9.0]),
    window=st.none() | st.just(10.0),
    company=st.integers(0, 2),
)
STEPS = st.lists(st.tuples(SEEN, st.sampled_from([0.0, 0.01, 0.5, 4.0]), st.integers(0, 5)), max_size=40)


@given(STEPS)
def test_it_is_the_composition_of_its_parts(steps: list[Any]) -> None:
    """The bug: a part that is not asked although it objects, or hears what it should not."""
    quota = Quota()
    parts = All((quota.window, quota.gate, quota.learned))
    state, its, now = quota.init(0.0), parts.init(0.0), 0.0
    for seen, pause, others in steps:
        now += pause
        assert quota.admit(state, Ask(), others, now) == parts.admit(its, Ask(), others, now)
        state, stamp = quota.on_send(state, Ask(), now)
        its, marks = parts.on_send(its, Ask(), now)
        assert (state, stamp) == (its, marks)
        after = quota.on_outcome(state, stamp, seen, others, now)
        told = seen if seen.kind == "ok" or seen.company else Seen(kind="other")
        heard = parts.on_outcome(its, marks, told, others, now)
        its = (parts.on_outcome(its, marks, seen, others, now)[0], *heard[1:])
        assert after == its
        assert (after is state) == (after == state)
        state = after


def test_it_bites() -> None:
    prop = test_it_is_the_composition_of_its_parts

    def open_gate(self: Any, state: Any, ask: Any, in_flight: int, now: float) -> float:
        """Planted: the gate is not asked."""
        window, _, learned = state
        waits: list[float] = [
            one.admit(its, ask, in_flight, now) for one, its in ((self.window, window), (self.learned, learned))
        ]
        return max(waits)

    caught(prop, STEPS, where=Quota, admit=open_gate)


def test_a_lone_calls_refusal_teaches_only_what_it_documents() -> None:
    quota = Quota(window=Window(), gate=Gate(), learned=Learned())
    state, stamp = quota.on_send(quota.init(0.0), Ask(), 0.0)
    alone = quota.on_outcome(state, stamp, Seen(kind="rate", hint=9.0), 0, 0.0)
    assert alone is state
    told = quota.on_outcome(state, stamp, Seen(kind="rate", limit=5.0, resets_in=9.0, window=60.0), 0, 0.0)
    assert quota.admit(told, Ask(), 0, 0.0) > 9.0
