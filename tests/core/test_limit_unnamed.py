"""An unnamed window: found where there is one and nowhere else, then used up and hardly overrun."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.waiting import Pending, let_go

from openrouter_core.limit.quota import Quota
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.limit.unnamed import LENGTHS, Placed, Unnamed, UnnamedState

ASK = Ask()
OK, RATE = Seen(kind="ok", company=9), Seen(kind="rate", company=9)
KINDS = st.sampled_from(["ok", "ok", "rate", "rate", "rate", "server", "timeout", "other"])
TIMES = st.sampled_from([0.0, 0.01, 3.0, 70.0, 1e6]) | st.floats(0, 30)
EVENTS = st.lists(st.tuples(TIMES, KINDS, st.just(0.05) | st.floats(0, 90)), max_size=120)


def settled(limit: int, length: float, phase: float, delay: float) -> tuple[float, float]:
    """Send greedily to a server of fixed windows. Give the refusals and the use per window, from the ninth on."""
    quota = Quota()
    state, now, left, at = quota.init(0.0), 0.0, limit, 0.0
    begin, end = 8 * length - phase, 13 * length - phase
    refused = accepted = 0
    pending: Pending = []
    while True:
        state, now = let_go(quota, state, ASK, now, pending)
        if now >= end:
            return refused / 5, accepted / 5 / limit
        state, stamp = quota.on_send(state, ASK, now)
        left, at = left if (now + phase) // length == (at + phase) // length else limit, now
        accepted += now >= begin and left > 0
        refused += now >= begin and left == 0
        pending.append((now + delay, stamp, OK if left else RATE))
        left = max(0, left - 1)


LIMITS = st.integers(20, 120)
SECONDS = st.sampled_from([10.0, 30.0, 60.0])
PHASES = st.floats(0.0, 0.99)


@given(LIMITS, SECONDS, PHASES)
def test_a_window_that_nobody_named_is_used_up_and_refuses_few(limit: int, length: float, phase: float) -> None:
    """The bug: a window that is taken for a bucket costs a drought each; one of a wrong length stays half empty."""
    refused, used = settled(limit, length, phase * length, 0.05)
    assert used >= 0.95
    assert refused <= 4.0


def test_the_windows_bite() -> None:
    edge = Unnamed.edge

    def never(self: Any, state: Any, high: Any, first: Any) -> Any:
        return msgspec.structs.replace(edge(self, state, high, first), length=None)

    def longest(self: Any, state: Any, low: Any, high: Any) -> float:
        return max(LENGTHS)

    prop = test_a_window_that_nobody_named_is_used_up_and_refuses_few
    caught(prop, LIMITS, SECONDS, PHASES, where=Unnamed, edge=never)
    caught(prop, LIMITS, SECONDS, PHASES, where=Unnamed, told=longest)


@given(EVENTS)
def test_the_state_is_sound_and_a_waiting_call_always_goes(events: list[Any]) -> None:
    """The bugs: a window that opens to nobody, a wait that is never over, and inf or nan after a long idle time."""
    unnamed = Unnamed()
    state, now = UnnamedState(-1.0, 0.0, 0.0, length=10.0, limit=2, untested=150), 0.0
    pending: list[tuple[float, Placed, Seen]] = []
    for think, kind, latency in events:
        now += think
        for at, stamp, seen in sorted((p for p in pending if p[0] <= now), key=lambda p: p[0]):
            after = unnamed.on_outcome(state, stamp, seen, 0, at)
            assert seen.kind in {"ok", "rate"} or after is state
            state = after
        pending = [p for p in pending if p[0] > now]
        for _ in range(3):
            wait = unnamed.admit(state, ASK, 9, now)
            assert 0 <= wait < math.inf
            now += wait
        assert unnamed.admit(state, ASK, 9, now) <= 1e-6 * max(1.0, now)
        state, booked = unnamed.on_send(state, ASK, now)
        pending.append((now + latency, booked, Seen(kind=kind)))
        numbers = [state.low or 0.0, state.high, state.last, state.shuts or 0.0, state.shut]
        assert all(math.isfinite(number) for number in numbers)
        assert state.low is None or state.low <= state.high
        assert min(state.first, state.refused, state.untested, state.sent - state.first) >= 0
        assert state.length is None or (state.limit >= 1 and state.low is not None)


def test_the_soundness_bites() -> None:
    def receding(self: Any, state: UnnamedState, length: float, now: float) -> UnnamedState:
        return msgspec.structs.replace(state, high=now)

    def endless(self: Unnamed, state: UnnamedState, high: float, first: int) -> UnnamedState:
        return UnnamedState(None, high, state.last, length=10.0, limit=0)

    prop = test_the_state_is_sound_and_a_waiting_call_always_goes
    caught(prop, EVENTS, where=Unnamed, rolled=receding)
    caught(prop, EVENTS, where=Unnamed, edge=endless)


@given(st.sampled_from([0.7, 3.0, 10.0, 50.0, 200.0]), st.integers(1, 60), st.integers(0, 2))
def test_a_bucket_is_no_window(rate: float, burst: int, slow: int) -> None:
    """The bug: an empty bucket that is taken for a window is left alone for as long as the window would last."""
    quota, delay = Quota(), 0.05 * slow
    state, now, tokens, at = quota.init(0.0), 0.0, float(burst), 0.0
    pending: Pending = []
    for _ in range(800):
        state, now = let_go(quota, state, ASK, now, pending)
        state, stamp = quota.on_send(state, ASK, now)
        tokens, at = min(float(burst), tokens + (now - at) * rate), now
        pending.append((now + delay, stamp, OK if tokens >= 1 else RATE))
        tokens -= tokens >= 1
        assert state[3].length is None


def test_a_bucket_taken_for_a_window_bites() -> None:
    edge = Unnamed.edge

    def gullible(self: Unnamed, state: UnnamedState, high: float, first: int) -> UnnamedState:
        return msgspec.structs.replace(edge(self, state, high, first), length=1.0, low=high, limit=1)

    strategies = st.sampled_from([0.7, 10.0]), st.integers(1, 60), st.integers(0, 2)
    caught(test_a_bucket_is_no_window, *strategies, where=Unnamed, edge=gullible)


def known(**changes: Any) -> UnnamedState:
    """A window of 10 s for 100 sends that opened between 99 and 100 s; 40 of them are used."""
    return msgspec.structs.replace(UnnamedState(99.0, 100.0, 104.0, 10.0, 100, sent=440, first=400), **changes)


def shut(**changes: Any) -> UnnamedState:
    """The same, which has refused sends 441 to 443, at 104 to 105 s."""
    closed = {"sent": 443, "refused": 3, "recent": (441, 442, 443), "shuts": 104.0, "shut": 105.0, "last": 105.0}
    return known(**{**closed, **changes})


def test_while_no_length_is_known_nobody_waits() -> None:
    assert Unnamed().admit(Unnamed().init(5.0), ASK, 9, 5.0) == 0.0


def test_a_window_is_used_up_at_three_times_the_pace_and_then_left_alone() -> None:
    unnamed = Unnamed()
    assert unnamed.admit(known(), ASK, 9, 104.0) == pytest.approx(10 / 300)
    assert unnamed.admit(known(sent=500), ASK, 9, 104.0) == pytest.approx(6.05)
    assert unnamed.admit(known(sent=500), ASK, 9, 109.5) == pytest.approx(0.55)
    assert unnamed.admit(known(sent=500), ASK, 9, 110.06) == 0.0


@pytest.mark.parametrize(("now", "opened"), [(110.04, 100.0), (110.06, 110.0), (125.0, 120.0), (1e6, 999_990.0)])
def test_the_next_window_opens_on_the_grid_of_the_first(now: float, opened: float) -> None:
    state, stamp = Unnamed().on_send(known(), ASK, now)
    assert (state.low, state.high, state.last, state.sent) == (opened - 1, opened, now, 441)
    assert (state.first, state.untested) == ((400, 0) if opened == 100.0 else (440, 40))
    assert stamp == Placed(441, now)


@pytest.mark.parametrize(("sent", "untested"), [(499, 119), (500, 120), (501, 0)])
def test_a_window_that_opens_has_refused_nothing_and_knows_what_was_sent_since_the_last_test(
    sent: int, untested: int
) -> None:
    opened, _ = Unnamed().on_send(known(sent=sent, refused=5, untested=20), ASK, 111.0)
    assert (opened.refused, opened.untested, opened.first) == (0, untested, sent)


def test_after_150_sends_one_more_than_the_limit_is_a_test() -> None:
    unnamed, full = Unnamed(), known(sent=500, untested=150)
    assert unnamed.admit(known(sent=500, untested=149), ASK, 9, 105.0) > 5.0
    assert unnamed.admit(full, ASK, 9, 105.0) == 0.0
    assert unnamed.admit(full, ASK, 9, 109.0) == pytest.approx(1.05), "the next window may be open"
    assert unnamed.on_send(known(sent=499), ASK, 105.0)[1].test == 0
    assert unnamed.on_outcome(full, Placed(500, 105.0, test=100), OK, 9, 105.1) is full
    state, stamp = unnamed.on_send(full, ASK, 105.0)
    assert stamp.test == 101
    assert unnamed.admit(state, ASK, 9, 106.0) > 4.0, "one test a window"
    assert unnamed.on_send(state, ASK, 111.0)[0].untested == 0
    assert unnamed.on_outcome(state, stamp, RATE, 9, 105.1) is state
    grown = unnamed.on_outcome(state, stamp, OK, 9, 109.0)
    assert grown.limit == 200
    assert unnamed.on_outcome(grown, stamp, OK, 9, 109.0) is grown
    later = known(sent=520, first=501)
    assert unnamed.on_outcome(later, stamp, OK, 9, 112.0).limit == 200, "an answer that comes late tells as much"


@pytest.mark.parametrize("numbers", [(438, 439, 440), (429, 433, 437, 440)])
def test_refusals_in_a_row_or_close_together_shut_a_window(numbers: tuple[int, ...]) -> None:
    unnamed, state = Unnamed(), known()
    for number in numbers[:-1]:
        state = unnamed.on_outcome(state, Placed(number, 103.0), RATE, 9, 104.0)
        assert state.shuts is None
    state = unnamed.on_outcome(state, Placed(numbers[-1], 103.5), RATE, 9, 104.0)
    assert (state.shuts, state.shut, state.refused) == (103.5, 103.5, len(numbers))
    state = unnamed.on_outcome(state, Placed(441, 104.5), RATE, 9, 104.6)
    assert (state.shuts, state.shut) == (103.5, 104.5)


@pytest.mark.parametrize(("hint", "until"), [(None, 0.0), (1.0, 0.0), (1.5, 105.5), (9.0, 113.0)])
def test_a_hint_of_more_than_a_second_names_the_end_of_a_window(hint: float | None, until: float) -> None:
    told = Unnamed().on_outcome(known(), Placed(440, 104.0), Seen(kind="rate", hint=hint, company=9), 9, 104.1)
    assert told.until == until
    again = Unnamed().on_outcome(told, Placed(441, 104.1), Seen(kind="rate", hint=1.2, company=9), 9, 104.2)
    assert again.until == max(until, 105.3)
    assert Unnamed().on_send(again, ASK, 104.3)[0].until == again.until


@pytest.mark.parametrize(("until", "low"), [(0.0, None), (105.0, None), (105.1, 104.2), (150.0, 104.2)])
def test_the_end_that_hints_have_named_is_evidence_without_a_refusal_at_it(until: float, low: float | None) -> None:
    state = shut(length=None, low=None, shut=104.2, until=until)
    assert Unnamed().on_outcome(state, Placed(444, 110.7), OK, 9, 110.9).low == low
    late = Unnamed().on_outcome(shut(length=None, low=None, shut=104.2, until=150.0), Placed(444, 104.4), OK, 9, 104.5)
    assert late.low is None, "an answer comes before it: they have lied"


def test_what_is_old_or_documented_or_neither_is_no_evidence() -> None:
    unnamed, state = Unnamed(), known()
    assert unnamed.on_outcome(state, Placed(400, 99.0), RATE, 9, 104.0) is state
    assert unnamed.on_outcome(state, Placed(440, 103.0), Seen(kind="rate", limit=9.0), 9, 104.0) is state
    assert unnamed.on_outcome(state, Placed(440, 103.0), Seen(kind="server"), 9, 104.0) is state
    assert unnamed.on_outcome(state, Placed(440, 103.0), OK, 9, 104.0) is state
    assert unnamed.on_outcome(shut(), Placed(440, 104.0), OK, 9, 105.0) == shut()


def test_a_shut_window_is_probed_after_a_tenth_and_then_after_twice_the_time() -> None:
    unnamed = Unnamed()
    assert unnamed.admit(shut(last=104.0), ASK, 9, 104.0) == 1.0
    assert unnamed.admit(shut(last=107.0), ASK, 9, 107.0) == 3.0
    probing, _ = unnamed.on_send(shut(), ASK, 130.0)
    assert (probing.first, probing.shuts) == (400, 104.0), "it is the answer that opens it"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0.05),
        ({"last": 105.05}, 1.0),
        ({"last": 105.06}, 1.0 - 0.01),
        ({"last": 106.06}, 2.0 - 0.01),
        ({"last": 108.06}, 0.0),
        ({"last": 108.06, "shut": 105.06}, 2.0 - 0.01),
        ({"last": 161.0, "shut": 160.0}, 0.0),
        ({"low": None}, 0.0),
        ({"shuts": None}, 0.0),
    ],
    ids=[
        "5 s",
        "6 s at last",
        "6 s",
        "8 s",
        "no evidence of 10 s",
        "10 s",
        "none is as long",
        "after no edge",
        "not shut",
    ],
)
def test_before_a_length_is_known_a_shut_window_is_probed_where_a_usual_one_would_open(
    changes: dict[str, Any], expected: float
) -> None:
    state = shut(**{"length": None, **changes})
    assert Unnamed().admit(state, ASK, 9, state.last) == pytest.approx(expected)
    quota = Quota().init(state.last)
    assert Quota().admit((*quota[:3], state), ASK, 0, state.last) == pytest.approx(expected)


def test_a_drought_is_evidence_of_a_length_that_it_just_reaches() -> None:
    state = shut(length=None, shut=104.5, last=104.6)
    assert Unnamed(guard=0.0).admit(state, ASK, 9, 104.6) == pytest.approx(0.4)
    early = UnnamedState(-1.0, 0.0, 0.3, sent=9, recent=(7, 8, 9), refused=3, shuts=0.1, shut=0.2)
    assert Unnamed().admit(early, ASK, 9, 0.3) == 0.0


def test_an_answer_among_the_refusals_says_that_they_were_chance() -> None:
    unnamed = Unnamed()
    among = shut(recent=(441, 442, 444), sent=444)
    assert unnamed.on_outcome(among, Placed(443, 104.5), OK, 9, 106.0) == msgspec.structs.replace(among, shuts=None)
    unknown = msgspec.structs.replace(among, length=None)
    assert unnamed.on_outcome(unknown, Placed(443, 104.5), OK, 9, 106.0).low is None


EDGES: dict[str, tuple[dict[str, Any], float, tuple[float | None, float, float | None, int]]] = {
    "in time: narrower, and what was accepted is the limit": ({"shut": 108.0}, 109.5, (109.0, 109.5, 10.0, 40)),
    "a little early: it is believed": ({"shut": 108.0}, 108.5, (108.0, 108.5, 10.0, 40)),
    "a little late: it is believed": ({"shut": 110.5}, 110.9, (110.5, 110.9, 10.0, 40)),
    "in time, and nothing accepted: the limit is one": (
        {"shut": 108.0, "first": 440, "limit": 4},
        109.5,
        (109.0, 109.5, 10.0, 1),
    ),
    "in time by a hair: the new one": ({"shut": 108.0}, 109.0, (108.0, 109.0, 10.0, 40)),
    "at its opening: the limit stays": ({"shuts": 100.1, "shut": 100.2}, 100.7, (100.2, 100.7, 10.0, 100)),
    "in time, with a quarter of a window's worth: believed": (
        {"shut": 108.0, "limit": 160},
        109.5,
        (109.0, 109.5, 10.0, 40),
    ),
    "in time, and refused nearly from its beginning: unknown": (
        {"shut": 108.0, "limit": 161},
        109.5,
        (108.0, 109.5, None, 40),
    ),
    "too late, and no window's worth: unknown": ({"shut": 112.0, "limit": 161}, 114.0, (112.0, 114.0, None, 40)),
    "in the middle, and a window's worth: read anew": (
        {"shut": 104.2},
        105.5,
        (104.2, 105.0, 5.0, 40),
    ),
    "in the middle, and no window's worth: unknown": (
        {"shut": 104.2, "limit": 161},
        105.5,
        (104.2, 105.5, None, 40),
    ),
}


@pytest.mark.parametrize(("changes", "high", "expected"), EDGES.values(), ids=EDGES)
def test_where_an_edge_of_a_known_window_lies(changes: dict[str, Any], high: float, expected: Any) -> None:
    state = Unnamed().on_outcome(shut(**changes), Placed(444, high), OK, 9, high)
    assert (state.low, state.high, state.length, state.limit) == expected
    assert (state.first, state.shuts, state.refused, state.recent) == (443, None, 0, ())


FIRST: dict[str, tuple[dict[str, Any], float, tuple[float | None, float, float | None]]] = {
    "no evidence": ({"shut": 104.5}, 109.5, (None, 109.5, None)),
    "no evidence, but in time and as many as before": ({"shut": 104.5, "limit": 40}, 109.5, (109.0, 109.5, 10.0)),
    "the same, and a quarter fewer": ({"shut": 104.5, "limit": 53}, 109.5, (109.0, 109.5, 10.0)),
    "the same, and more than a quarter fewer": ({"shut": 104.5, "limit": 54}, 109.5, (None, 109.5, None)),
    "the same, and a quarter more": ({"shut": 104.5, "limit": 32}, 109.5, (109.0, 109.5, 10.0)),
    "the same, and more than a quarter more": ({"shut": 104.5, "limit": 31}, 109.5, (None, 109.5, None)),
    "no evidence, as many as before, and no usual length": (
        {"low": 99.9, "shuts": 106.3, "shut": 106.4, "limit": 40},
        107.5,
        (None, 107.5, None),
    ),
    "no evidence, as many as before, and none before it": (
        {"low": None, "shut": 104.5, "limit": 40},
        109.5,
        (None, 109.5, None),
    ),
    "just evidence": ({"low": None}, 110.0, (105.0, 110.0, None)),
    "the first with evidence": ({"low": None, "shut": 108.0}, 109.5, (108.0, 109.5, None)),
    "the second tells the length": ({"shut": 108.0}, 111.0, (109.0, 110.0, 10.0)),
    "just not too late": ({"shut": 110.0}, 112.0, (110.0, 112.0, 10.0)),
    "just not too early": ({"shut": 108.5}, 109.0, (108.5, 109.0, 10.0)),
    "the most usual of several": ({"shut": 108.0}, 114.5, (109.0, 110.0, 10.0)),
    "no usual length": ({"low": 99.9, "shut": 106.4}, 107.5, (106.4, 107.5, None)),
}


@pytest.mark.parametrize(("changes", "high", "expected"), FIRST.values(), ids=FIRST)
def test_two_edges_tell_a_length(changes: dict[str, Any], high: float, expected: Any) -> None:
    state = Unnamed().on_outcome(shut(**{"length": None, **changes}), Placed(444, high), OK, 9, high)
    assert (state.low, state.high, state.length) == expected
    assert state.limit == 40
