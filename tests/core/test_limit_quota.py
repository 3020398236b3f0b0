"""A quota: a window, a gate, and a learned rate or an unnamed window, written out as one."""

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
from openrouter_core.limit.unnamed import UnnamedState
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


@given(STEPS, st.booleans())
def test_it_is_the_composition_of_its_parts(steps: list[Any], windowed: bool) -> None:
    """The bug: a part that is not asked although it objects, or hears what it should not."""
    quota = Quota()
    paces = (quota.unnamed,) if windowed else (quota.learned, quota.unnamed)
    parts, now = All((quota.window, quota.gate, *paces)), 0.0

    def of(each: Any) -> Any:
        """Leave out the learned rate where it rests."""
        return (*each[:2], each[3]) if windowed else each

    window, gate, learned, unnamed = quota.init(0.0)
    if windowed:
        unnamed = UnnamedState(-1.0, 0.0, 0.0, length=10.0, limit=3)
    state: Any = (window, gate, learned, unnamed)
    for seen, pause, others in steps:
        if (state[3].length is not None) != windowed:
            return
        now, rest = now + pause, state[2]
        its: Any = of(state)
        assert quota.admit(state, Ask(), others, now) == parts.admit(its, Ask(), others, now)
        state, stamp = quota.on_send(state, Ask(), now)
        its, marks = parts.on_send(its, Ask(), now)
        assert of(state) == its
        assert of(stamp) == marks
        assert not windowed or state[2] is rest
        after = quota.on_outcome(state, stamp, seen, others, now)
        told = seen if seen.kind == "ok" or seen.company else Seen(kind="other")
        heard = parts.on_outcome(its, marks, told, others, now)
        its = (parts.on_outcome(its, marks, seen, others, now)[0], *heard[1:])
        assert of(after) == its
        assert not windowed or after[2] is rest
        assert (after is state) == (after == state)
        state = after


def test_it_bites() -> None:
    prop = test_it_is_the_composition_of_its_parts
    on_send = Quota.on_send

    def open_gate(self: Any, state: Any, ask: Any, in_flight: int, now: float) -> float:
        """Planted: the gate is not asked."""
        window, _, learned, _ = state
        waits: list[float] = [
            one.admit(its, ask, in_flight, now) for one, its in ((self.window, window), (self.learned, learned))
        ]
        return max(waits)

    def restless(self: Any, state: Any, ask: Any, now: float) -> Any:
        """Planted: the learned rate grows while a window is known."""
        (window, gate, _, unnamed), stamp = on_send(self, state, ask, now)
        return (window, gate, self.learned.on_send(state[2], ask, now)[0], unnamed), stamp

    caught(prop, STEPS, st.booleans(), where=Quota, admit=open_gate)
    caught(prop, STEPS, st.booleans(), where=Quota, on_send=restless)


def test_the_learned_rate_is_asked_only_while_no_unnamed_window_is_known() -> None:
    quota = Quota()
    state, _ = quota.on_send(quota.init(0.0), Ask(), 0.0)
    assert quota.admit(state, Ask(), 9, 0.0) > 0.0
    known = (*state[:3], UnnamedState(-1.0, 0.0, -9.0, length=10.0, limit=100))
    assert quota.admit(known, Ask(), 9, 0.0) == 0.0


def test_a_lone_calls_refusal_teaches_only_what_it_documents() -> None:
    quota = Quota(window=Window(), gate=Gate(), learned=Learned())
    state, stamp = quota.on_send(quota.init(0.0), Ask(), 0.0)
    alone = quota.on_outcome(state, stamp, Seen(kind="rate", hint=9.0), 0, 0.0)
    assert alone is state
    told = quota.on_outcome(state, stamp, Seen(kind="rate", limit=5.0, resets_in=9.0, window=60.0), 0, 0.0)
    assert quota.admit(told, Ask(), 0, 0.0) > 9.0
