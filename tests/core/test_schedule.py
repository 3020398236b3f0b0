"""The algebra of schedules: total, bounded, monotone, associative, and data."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success
from tests.core.mutants import caught
from tests.core.outcomes import ANY_FLOAT

from openrouter_core import schedule as s
from openrouter_core.schedule import (
    LONGEST,
    Attempts,
    Both,
    Capped,
    Exhausted,
    Exponential,
    Heeding,
    History,
    Immediate,
    Jittered,
    Schedule,
    Within,
    next_delay,
)

ANY_SCHEDULE: Any = Schedule


def schedules(number: st.SearchStrategy[float]) -> st.SearchStrategy[Schedule]:
    """Schedules over these numbers, nested a few times."""
    leaves: st.SearchStrategy[Schedule] = st.one_of(
        st.builds(Exponential, number, number),
        st.builds(Attempts, st.integers(-1, 5) | st.just(10**9)),
        st.builds(Heeding, number, number),
        st.just(Immediate()),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Both, inner, inner),
            st.builds(Capped, inner, number),
            st.builds(Jittered, inner, st.sampled_from(["full", "equal", "slight"])),
            st.builds(Within, inner, number),
        ),
        max_leaves=5,
    )


SENSIBLE = st.floats(0.0, 1e6) | st.sampled_from([0.0, 0.5, 1.0, 2.0, 60.0])
WILD = schedules(ANY_FLOAT)
TAME = schedules(SENSIBLE)
ATTEMPT = st.integers(0, 12) | st.sampled_from([1023, 1024, 1090, 10**9, 10**400])
HISTORIES = st.builds(History, ATTEMPT, st.floats(0.0, 100.0), st.none() | SENSIBLE)
WILD_HISTORIES = st.builds(History, ATTEMPT | st.integers(), ANY_FLOAT, st.none() | ANY_FLOAT)
ROLLS = st.floats(0.0, 1.0, exclude_max=True)


@given(WILD, WILD_HISTORIES, ANY_FLOAT)
def test_a_delay_is_finite_and_not_negative_whatever_comes(schedule: Schedule, history: History, roll: float) -> None:
    """Bug: 2.0**1024 overflows, inf * 0.0 is not a number, and a sleep of nan or -1 s follows."""
    delay = next_delay(schedule, history, roll).value_or(0.0)
    assert 0.0 <= delay <= LONGEST


@given(st.floats(1e-320, 1e9), st.floats(1.0, 1e9), ATTEMPT, st.floats(0.0, 1e9))
def test_exponential_waits_grow_up_to_the_cap_and_no_further(
    base: float, factor: float, attempt: int, cap: float
) -> None:
    """Bug: the cap is forgotten, or at the overflow the wait falls back to nothing."""
    waits = [
        next_delay(Capped(Exponential(base, factor), cap), History(n), 0.5).unwrap() for n in (attempt, attempt + 1)
    ]
    assert waits == sorted(waits)
    assert waits[1] <= cap


@given(TAME, TAME, TAME, HISTORIES, ROLLS)
def test_both_is_associative_with_immediate_as_its_identity(
    one: Schedule, two: Schedule, three: Schedule, history: History, roll: float
) -> None:
    """Bug: grouping a policy's parts otherwise changes its waits, or the reason why it gives up."""

    def seen(schedule: Schedule) -> Result[float, Exhausted]:
        return next_delay(schedule, history, roll)

    assert seen(Both(one, Both(two, three))) == seen(Both(Both(one, two), three))
    assert seen(Both(Immediate(), one)) == seen(one) == seen(Both(one, Immediate()))
    assert s.retries(Both(one, Both(two, three))) == s.retries(Both(Both(one, two), three))
    assert s.retries(Both(Immediate(), one)) == s.retries(one)


@given(TAME)
def test_a_schedule_goes_through_json_and_prints_itself(schedule: Schedule) -> None:
    """Bug: a union without tags comes back as another schedule."""
    assert msgspec.json.decode(msgspec.json.encode(schedule), type=ANY_SCHEDULE) == schedule
    assert str(schedule).splitlines() == [str(schedule)]
    assert "Struct" not in str(schedule)


HINTS = st.floats(1e-9, 1e9)


@given(ANY_FLOAT, HINTS, ANY_FLOAT, ANY_FLOAT)
def test_a_heeded_hint_is_never_shortened(longest: float, hint: float, spread: float, roll: float) -> None:
    """Bug: jitter, a negative spread or the cap lets a call come back before the server wants it."""
    delay = next_delay(Heeding(longest, spread), History(0, 0.0, hint), roll).value_or(math.inf)
    assert delay >= hint


@given(TAME, HISTORIES, ROLLS)
def test_jitter_only_shortens_and_each_kind_by_its_share_at_most(
    inner: Schedule, history: History, roll: float
) -> None:
    """Bug: jitter that lengthens breaks the cap; jitter that reaches zero under "equal" is a stampede."""
    delay = next_delay(inner, history, roll).value_or(0.0)
    full = next_delay(Jittered(inner, "full"), history, roll).value_or(0.0)
    equal = next_delay(Jittered(inner, "equal"), history, roll).value_or(0.0)
    slight = next_delay(Jittered(inner, "slight"), history, roll).value_or(0.0)
    assert 0.0 <= full <= equal <= slight <= delay
    assert equal >= delay / 2 * (1 - 1e-12)
    assert slight >= delay * 0.75 * (1 - 1e-12)


@given(TAME, st.floats(0.0, 50.0), HISTORIES, ROLLS)
def test_within_starts_no_wait_that_ends_too_late(
    inner: Schedule, seconds: float, history: History, roll: float
) -> None:
    """Bug: the check looks at the time now and not at the time after the wait."""
    delay = next_delay(Within(inner, seconds), history, roll)
    assert isinstance(delay, Failure) or history.elapsed + delay.unwrap() < seconds


def naive_power(base: float, factor: float, attempt: int) -> float:
    """Planted: no ceiling."""
    return base * factor**attempt


def late(delay: float, history: History, seconds: float) -> Result[float, Exhausted]:
    """Planted: looks at the time before the wait."""
    return Success(delay) if history.elapsed < seconds else Failure(Exhausted("deadline"))


def spread_around(schedule: Heeding, hint: float | None, roll: float) -> Result[float, Exhausted]:
    """Planted: spreads the hint to both sides."""
    return Success(0.0 if hint is None else s.clamped(hint * (0.9 + schedule.spread * roll)))


def right_first(schedule: Schedule, history: History, roll: float) -> Result[float, Exhausted]:
    """Planted: where both parts are over, the reason of the one with the longer name is told."""
    if not isinstance(schedule, Both):
        return original(schedule, history, roll)
    one, other = right_first(schedule.one, history, roll), right_first(schedule.other, history, roll)
    both = [part for part in (one, other) if isinstance(part, Failure)]
    if both:
        return max(both, key=lambda part: len(str(schedule.one)) + len(str(part)))
    return Success(one.unwrap() + other.unwrap() / 2)


original = next_delay


def test_the_properties_bite() -> None:
    total = test_a_delay_is_finite_and_not_negative_whatever_comes
    caught(total, WILD, WILD_HISTORIES, ANY_FLOAT, where=s, power=naive_power, raises=Exception)
    caught(total, WILD, WILD_HISTORIES, ANY_FLOAT, where=s, clamped=lambda seconds: seconds)
    grow = test_exponential_waits_grow_up_to_the_cap_and_no_further
    numbers = (st.floats(1e-320, 1e9), st.floats(1.0, 1e9), ATTEMPT, st.floats(0.0, 1e9))
    caught(grow, *numbers, where=s, clamped=lambda seconds: seconds if seconds < LONGEST else 0.0)
    caught(grow, *numbers, where=s, power=naive_power, raises=OverflowError)
    heeded = test_a_heeded_hint_is_never_shortened
    caught(heeded, ANY_FLOAT, HINTS, ANY_FLOAT, ANY_FLOAT, where=s, heeded=spread_around)
    within = test_within_starts_no_wait_that_ends_too_late
    caught(within, TAME, st.floats(0.0, 50.0), HISTORIES, ROLLS, where=s, in_time=late)


def test_the_law_of_both_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "next_delay", right_first)
    law = test_both_is_associative_with_immediate_as_its_identity
    caught(law, TAME, TAME, TAME, HISTORIES, ROLLS, where=s)


def waits(schedule: Schedule, roll: float = 0.0, **history: Any) -> list[float | str]:
    """The first waits of a schedule, until it is over."""
    told: list[float | str] = []
    for attempt in range(8):
        match next_delay(schedule, History(attempt, **history), roll):
            case Success(delay):
                told.append(delay)
            case Failure(exhausted):
                return [*told, exhausted.limit]
            case _:
                pytest.fail("neither a delay nor its end")
    return told


def test_the_specified_schedule_is_exactly_1_2_4() -> None:
    assert waits(Both(Exponential(1.0), Attempts(3))) == [1.0, 2.0, 4.0, "attempts"]


@pytest.mark.parametrize(
    ("schedule", "roll", "hint", "told"),
    [
        (Immediate(), 0.5, None, [0.0] * 8),
        (Attempts(0), 0.5, None, ["attempts"]),
        (Capped(Exponential(1.0), 5.0), 0.5, None, [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0]),
        (Both(Jittered(Exponential(8.0), "full"), Attempts(2)), 0.25, None, [2.0, 4.0, "attempts"]),
        (Both(Capped(Jittered(Exponential(8.0), "full"), 3.0), Attempts(2)), 0.25, None, [2.0, 3.0, "attempts"]),
        (Both(Jittered(Exponential(8.0), "equal"), Attempts(2)), 0.5, None, [6.0, 12.0, "attempts"]),
        (Both(Heeding(60.0), Attempts(1)), 0.5, 30.0, [30.0, "attempts"]),
        (Both(Heeding(60.0, 0.1), Attempts(1)), 0.5, 30.0, [31.5, "attempts"]),
        (Both(Heeding(60.0, 0.1), Attempts(1)), 0.99, 60.0, [60.0, "attempts"]),
        (Heeding(60.0), 0.5, 60.5, ["hint"]),
        (Heeding(-1.0), 0.5, 0.0, [0.0] * 8),
        (Both(Heeding(60.0), Attempts(1)), 0.5, None, [0.0, "attempts"]),
        (Both(Heeding(60.0), Attempts(1)), 0.5, math.nan, [0.0, "attempts"]),
        (Within(Exponential(1.0), 4.0), 0.5, None, [1.0, 2.0, "deadline"]),
        (Within(Exponential(1.0), 4.5), 0.5, None, [1.0, 2.0, 4.0, "deadline"]),
    ],
)
def test_what_each_schedule_waits(schedule: Schedule, roll: float, hint: float | None, told: list[float | str]) -> None:
    assert waits(schedule, roll, hint=hint) == told


def test_exhaustion_tells_what_would_have_been_needed() -> None:
    assert next_delay(Heeding(9.0), History(0, 0.0, 10.0), 0.0) == Failure(Exhausted("hint", 10.0))
    assert next_delay(Within(Exponential(8.0), 10.0), History(0, 5.0), 0.0) == Failure(Exhausted("deadline", 8.0, 10.0))
    assert next_delay(Attempts(0), History(0), 0.0) == Failure(Exhausted("attempts"))


@pytest.mark.parametrize(
    ("schedule", "limit"),
    [
        (Attempts(3), 3),
        (Attempts(-1), 0),
        (Both(Attempts(3), Capped(Jittered(Within(Attempts(2), 9.0)), 1.0)), 2),
        (Both(Exponential(1.0), Attempts(3)), 3),
        (Exponential(1.0), None),
        (Both(Heeding(1.0), Immediate()), None),
    ],
)
def test_how_many_retries_a_schedule_allows(schedule: Schedule, limit: int | None) -> None:
    assert s.retries(schedule) == limit


def test_a_schedule_prints_itself() -> None:
    schedule = Within(
        Both(Jittered(Capped(Exponential(1.0), 60.0)), Both(Attempts(3), Both(Heeding(60.0), Immediate()))), 120.0
    )
    assert str(schedule) == (
        "1 s * 2**n up to 60 s with full jitter, 3 retries, heeding hints up to 60 s, at once, within 120 s"
    )


def test_powers_beyond_all_floats_are_the_ceiling() -> None:
    assert s.power(1.0, 2.0, 10**9) == LONGEST
    assert s.power(1e-320, 2.0, 1090) == LONGEST
    assert s.power(1.0, 1.0, 10**400) == 1.0
    assert s.power(1.0, 0.5, 10**9) == 0.0
    assert s.power(0.0, 2.0, 10**9) == s.power(1.0, 0.0, 0) == s.power(1.0, -2.0, 2) == 0.0
    assert s.power(math.inf, 1.0, 0) == LONGEST
    assert s.power(1.0, math.inf, 0) == 1.0
    assert s.power(math.nan, 2.0, 1) == s.power(1.0, math.nan, 1) == s.power(-1.0, 2.0, 1) == 0.0
