"""A documented window is used in full and never beyond, once it is known."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.limit.window import Window

LIMITS = st.integers(1, 12)
THINKS = st.lists(st.one_of(st.just(0.0), st.floats(0, 4)), max_size=60)


@given(LIMITS, st.sampled_from([1.0, 10.0, 60.0]), THINKS)
def test_no_configured_window_holds_more_than_its_limit(limit: int, length: float, thinks: list[float]) -> None:
    """The bug: a limit that is off by one, or a window that rolls to the first send instead of the grid."""
    window = Window(limit=float(limit), length=length)
    state, now, used = window.init(0.0), 0.0, dict[int, int]()
    for think in thinks:
        now += think
        while (wait := window.admit(state, Ask(), 0, now)) > 0:
            now = max(now + wait, math.nextafter(now, math.inf))
        state, stamp = window.on_send(state, Ask(), now)
        assert stamp == state.end > now
        number = round(state.end / length)
        used[number] = used.get(number, 0) + 1
        assert abs(state.end - number * length) < 1e-6
        assert number * length - length <= now + 1e-6
    assert all(count <= limit for count in used.values())


def test_the_limit_bites() -> None:
    def generous(self: Any, state: Any, ask: Any, in_flight: Any, now: Any) -> Any:
        return 0.0 if self.rolled(state, now).used <= state.limit else max(0.0, state.end - now)

    def drifting(self: Any, state: Any, now: Any) -> Any:
        return state if now < state.end else msgspec.structs.replace(state, end=now + state.length, used=0.0)

    of = (LIMITS, st.sampled_from([1.0, 10.0, 60.0]), THINKS)
    caught(test_no_configured_window_holds_more_than_its_limit, *of, where=Window, admit=generous)
    caught(test_no_configured_window_holds_more_than_its_limit, *of, where=Window, rolled=drifting)


def refusals(  # noqa: PLR0917
    window: Window, limit: int, length: float, phase: float, ahead: float, sends: int, *, named: bool
) -> list[float]:
    """Drive a server of fixed windows greedily; answers take 60 ms. Give the instants of the refusals."""
    state, now, refused = window.init(0.0), 0.0, list[float]()
    used = dict[int, int]()
    pending: list[tuple[float, float, Seen]] = []
    for _ in range(sends):
        while True:
            due = [p for p in pending if p[0] <= now]
            for at, stamp, seen in due:
                state = window.on_outcome(state, stamp, seen, 0, at)
            pending = [p for p in pending if p[0] > now]
            wait = window.admit(state, Ask(), 0, now)
            if wait <= 0:
                break
            now = max(math.nextafter(now, math.inf), min([now + wait, *(p[0] for p in pending)]))
        state, stamp = window.on_send(state, Ask(), now)
        number = math.floor((now + phase) / length)
        used[number] = used.get(number, 0) + 1
        if used[number] > limit:
            refused.append(now)
            left = (number + 1) * length - phase - (now + 0.06) - ahead
            seen = Seen(kind="rate", limit=float(limit), resets_in=left, window=length if named else None)
            pending.append((now + 0.06, stamp, seen))
        now += 0.02
    return refused


@given(st.integers(5, 40), st.sampled_from([5.0, 10.0, 60.0]), st.floats(0, 4.9))
def test_a_named_window_refuses_in_one_episode_only(limit: int, length: float, phase: float) -> None:
    """The bug: a learned window that drifts off the server's grid is refused again and again.

    A refusal that is still on its way when its window ends names a moment that has passed, and costs one more episode.
    """
    refused = refusals(Window(), limit, length, phase, 0.0, 6 * limit + 20, named=True)
    overtaken = any(length - (at + phase) % length <= 0.06 for at in refused)
    episodes = [at for before, at in zip([-9.0, *refused], refused, strict=False) if at - before > 0.2]
    assert len(episodes) <= 1 + overtaken


def test_the_episode_bites() -> None:
    def unguarded(self: Any, state: Any, stamp: Any, seen: Any, in_flight: Any, now: Any) -> Any:  # noqa: PLR0917
        learned = Window.rolled(self, state, now)
        if seen.resets_in is None or stamp < state.end:
            return learned
        return msgspec.structs.replace(
            learned, limit=seen.limit, length=seen.window, end=now + 0.9 * seen.resets_in, used=seen.limit
        )

    of = (st.integers(5, 40), st.sampled_from([5.0, 10.0, 60.0]), st.floats(0, 4.9))
    caught(test_a_named_window_refuses_in_one_episode_only, *of, where=Window, on_outcome=unguarded)


def test_a_length_that_is_not_named_costs_one_more_episode() -> None:
    refused = refusals(Window(), 20, 10.0, 2.0, 0.0, 160, named=False)
    episodes = [b for a, b in zip([-9.0, *refused], refused, strict=False) if b - a > 1]
    assert len(episodes) == 2


def test_a_clock_that_is_ahead_is_found_out_by_single_calls() -> None:
    refused = refusals(Window(), 20, 10.0, 2.0, 1.5, 160, named=True)
    later = [at for at in refused if at > refused[0] + 1]
    assert 0 < len(later) <= 4
    assert max(later) < 12


def test_a_clock_that_is_behind_costs_nothing() -> None:
    refused = refusals(Window(), 20, 10.0, 2.0, -1.5, 160, named=True)
    assert refused[-1] - refused[0] < 0.2


def test_other_outcomes_and_stragglers_teach_nothing() -> None:
    window = Window()
    state = window.init(0.0)
    assert window.on_outcome(state, state.end, Seen(kind="rate", hint=3.0), 0, 1.0) == state
    assert window.on_outcome(state, state.end, Seen(kind="rate", limit=3.0), 0, 1.0) == state
    assert window.on_outcome(state, state.end, Seen(kind="ok", limit=3.0, resets_in=1.0), 0, 1.0) == state
    named = Seen(kind="rate", limit=3.0, resets_in=5.0, window=10.0)
    learned = window.on_outcome(state, state.end, named, 0, 1.0)
    assert window.on_outcome(learned, 0.0, named, 0, 2.0) == learned
    assert window.admit(learned, Ask(), 0, 2.0) == learned.end - 2.0


def test_every_window_opens_with_one_call() -> None:
    """Kills: a hundred refusals for an end that was told a little too early."""
    window = Window(limit=5.0, length=60.0)
    state, _ = window.on_send(window.init(0.0), Ask(), 1.0)
    assert window.admit(state, Ask(), 0, 1.0) == 0.25
    state, _ = window.on_send(state, Ask(), 1.25)
    assert window.admit(state, Ask(), 0, 1.25) == 0.0
    state, _ = window.on_send(state, Ask(), 61.0)
    assert window.admit(state, Ask(), 0, 61.1) == pytest.approx(0.15)
    short = Window(limit=5.0, length=1.0)
    state, _ = short.on_send(short.init(0.0), Ask(), 0.5)
    assert short.admit(state, Ask(), 0, 0.5) == pytest.approx(0.1)


def test_a_share_of_a_window_is_at_least_one_call() -> None:
    assert Window(limit=2.0, length=60.0, share=0.25).init(0.0).limit == 1.0
