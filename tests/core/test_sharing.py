"""Several processes share one key's quota through a store, whatever happens between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count, cycle, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core import sharing
from openrouter_core.admission import Admission, Admitted, Sharing, Stamp, Ticket
from openrouter_core.limit.money import Money
from openrouter_core.limit.pump import TurnedAway, Wait
from openrouter_core.limit.queue import Place
from openrouter_core.limit.seen import NOTHING, Ask, Seen
from openrouter_core.limit.standard import LimitSettings, standard
from openrouter_core.sharing import DOUBT, HORIZON, LEAD, MOST, PAUSE, STALE, Held, Leaving, Shared, Swap

RATE, BURST = 100.0, 5.0
KNOWN = LimitSettings(requests_per_minute=60 * RATE, request_burst=BURST)
LEARNING = LimitSettings()
EPOCH = 1_800_000_000.0


class Store:
    """What the script does in the store."""

    def __init__(self) -> None:
        self.now = EPOCH
        self.version, self.state = "0", b""
        self.members: set[int] = set()

    def swap(self, member: int, swap: Swap) -> Held:
        self.members.add(member)
        agreed = swap.expected == self.version
        if agreed:
            self.version = str(max(round(self.now * 1e6), int(self.version) + 1))
            self.state = swap.state
        return Held(agreed, self.version, b"" if agreed else self.state, self.now, len(self.members))

    def forget(self) -> None:
        self.version, self.state = "0", b""


class Process:
    """One process, whose clock shows something else, and what it let go when, on the store's clock."""

    def __init__(self, number: int, store: Store, limits: LimitSettings = KNOWN) -> None:
        self.number, self.store = number, store
        self.admission: Admission[int] = Admission(standard(limits), self.now)
        self.shared: Shared[int] = Shared(self.admission, limits)
        self.asked: tuple[Swap, float, float] | None = None
        self.answer: Held | None = None
        self.came: list[int] = []
        self.went: list[tuple[int, float]] = []
        self.stamps: list[Stamp] = []

    @property
    def now(self) -> float:
        return self.store.now - EPOCH + 1000.0 * (self.number + 1)

    def come(self, call: int) -> None:
        self.came.append(call)
        self.shared.wait(Ticket(Place(0, call)), call, math.inf, self.now)

    def take(self, ahead: float) -> None:
        for leaving in self.shared.taken():
            assert isinstance(leaving.turn, Admitted)
            self.went.append((leaving.turn.call, leaving.at + ahead))
            self.stamps.append(leaving.turn.stamp)

    def step(self) -> None:
        """Go one step on: begin a round, let the store have it, or hear of the answer."""
        ahead = self.shared.ahead or 0.0
        if self.asked is None:
            step = self.shared.begin(self.now)
            self.take(ahead)
            self.asked = (step, self.now, ahead) if isinstance(step, Swap) else None
        elif self.answer is None:
            self.answer = self.store.swap(self.number, self.asked[0])
        else:
            _, sent, ahead = self.asked
            self.shared.settle(self.answer, sent, self.now)
            self.asked = self.answer = None
            self.take(ahead)

    def lose(self) -> None:
        """Lose the store, in the middle of a round or not; but first everybody has heard of everybody."""
        self.asked = self.answer = None
        self.shared.lost(self.now)

    def find(self) -> None:
        """Find the store again."""
        step: Swap | None = Swap()
        while step is not None:
            step = self.shared.back(self.store.swap(self.number, step), self.now, self.now)


def calm(processes: list[Process]) -> None:
    """Let all rounds end, and everybody hear of the store."""
    for process in processes * 2:
        while process.asked is not None:
            process.step()
        process.shared.asked = -math.inf
        process.shared.standing[-1] = (Ticket(), 0.0)
        for _ in range(3):
            process.step()
        del process.shared.standing[-1]


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["come", "step", "step", "all", "all", "tick", "forget", "lose"]), st.integers(0, 3)),
    max_size=150,
)
TICKS = st.lists(st.sampled_from([0.0, 0.001, 0.004, 0.01, 0.04, 2.0]), min_size=1, max_size=5)


def act(action: str, processes: list[Process], one: Process, numbers: Iterator[int], late: Iterator[float]) -> None:
    """Let something happen."""
    store = one.store
    match action:
        case "come":
            for _ in range(3):
                one.come(next(numbers))
        case "all":
            for each in processes:
                each.step()
        case "tick":
            store.now += next(late)
        case "forget":
            calm(processes)
            store.forget()
        case "lose" if one.shared.mode == "lost":
            for each in processes:
                each.find()
                store.now += min(next(late), 0.2)
        case "lose":
            calm(processes)
            for each in processes:
                each.lose()
        case _:
            one.step()


@given(ACTIONS, TICKS)
def test_together_they_keep_to_the_rate_and_nobody_is_lost(actions: list[tuple[str, int]], ticks: list[float]) -> None:
    """Bug: two processes take the same slot; a call that was put back is lost, goes twice, or has lost its place; a
    store that was lost, or has forgotten, lets all bursts be spent once more.
    """
    store = Store()
    processes = [Process(number, store) for number in range(4)]
    numbers, late = count(), cycle(ticks)
    calm(processes)
    for action, which in actions:
        act(action, processes, processes[which], numbers, late)
    for _ in range(4000):
        if all(len(process.came) == len(process.went) for process in processes):
            break
        store.now += 0.002
        for process in processes:
            process.step()
    for process in processes:
        assert [call for call, _ in process.went] == sorted(process.came), "somebody was lost, or jumped the queue"
    assert within(processes)


def within(processes: list[Process], rate: float = RATE, burst: float = BURST) -> bool:
    """Tell whether no window of any length holds more than rate * t + burst.

    The bucket that holds so much, and is emptied by each, never runs dry.
    """
    level, last = burst, 0.0
    for at in sorted(at for process in processes for _, at in process.went):
        level, last = min(burst, level + rate * (at - last)) - 1.0, at
        if level < -0.05:
            return False
    return True


def run(processes: list[Process], seconds: float) -> None:
    """Let everybody work for a while."""
    for _ in range(round(seconds / 0.004)):
        processes[0].store.now += 0.004
        for process in processes:
            process.step()


LOOKS = st.lists(st.sampled_from([0.0, 0.1, 0.3]), min_size=4, max_size=4)
BURSTS = st.sampled_from([1, 4, 9, 40])


@settings(max_examples=20, deadline=None)
@given(st.booleans(), BURSTS, LOOKS)
def test_a_loss_of_the_store_overdraws_nothing(forgets: bool, burst: int, looks: list[float]) -> None:
    """Bug: whoever loses the others, or comes back, begins with a burst, or with a rate that is not only its own."""
    store = Store()
    known = LimitSettings(requests_per_minute=60 * RATE, request_burst=burst)
    processes = [Process(number, store, known) for number in range(4)]
    for process in processes:
        for call in range(200):
            process.come(4 * call + process.number)
    run(processes, 0.4)
    calm(processes)
    for process in processes:
        process.lose()
    run(processes, 0.6)
    apart = sum(len(process.went) for process in processes)
    if forgets:
        store.forget()
    for process, look in zip(processes, looks, strict=True):
        run(processes, look)
        process.find()
    run(processes, PAUSE + 0.5)
    assert within(processes, RATE, max(burst, len(processes))), "alone, each has a burst of one call at least"
    assert sum(len(process.went) for process in processes) >= apart + 0.4 * RATE
    assert apart >= 0.6 * RATE


def test_the_property_bites() -> None:
    prop = test_together_they_keep_to_the_rate_and_nobody_is_lost

    def careless(self: Store, member: int, swap: Swap) -> Held:
        """Planted: the store ignores the version."""
        return swap_of(self, member, msgspec.structs.replace(swap, expected=swap.expected and self.version))

    def deaf(self: Any, held: Held, sent: float, now: float) -> None:
        """Planted: a round that the store refused counts all the same."""
        settle_of(self, msgspec.structs.replace(held, swapped=self.round is not None and bool(self.round.going)), 0, 0)

    def forgetful(self: Any, *, keep: bool = False) -> bool:
        """Planted: the calls of a round that is undone do not stand in line again."""
        if self.round is not None and not keep:
            self.round = msgspec.structs.replace(self.round, going=())
        return bool(undone_of(self, keep=keep))

    def generous(limiter: Any, state: Any, at: float) -> Any:
        """Planted: whoever loses the others begins with a full burst."""
        return state

    swap_of, settle_of, undone_of = Store.swap, Shared.settle, Shared.undone
    caught(prop, ACTIONS, TICKS, where=Store, swap=careless)
    caught(prop, ACTIONS, TICKS, where=Shared, settle=deaf, hear=lambda *_: None)
    caught(prop, ACTIONS, TICKS, where=Shared, undone=forgetful)
    loss = test_a_loss_of_the_store_overdraws_nothing
    caught(loss, st.booleans(), BURSTS, LOOKS, where=sharing, emptied=generous)
    caught(loss, st.booleans(), BURSTS, LOOKS, where=Shared, lost=lambda *_: None)


def settled(process: Process) -> None:
    """Let a process do all that it can at this instant."""
    for _ in range(12):
        process.step()


def test_many_slots_are_booked_in_one_round_and_success_costs_none() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(requests_per_minute=60_000, adaptive=False))
    for call in range(80):
        one.come(call)
    settled(one)
    assert one.shared.swaps == 1
    assert len(one.went) == pytest.approx(1 + HORIZON * 1000, abs=1)
    assert all(math.isclose(later - earlier, 0.001, abs_tol=1e-6) for (_, earlier), (_, later) in pairwise(one.went))
    version, step = store.version, one.shared.begin(one.now)
    assert isinstance(step, Wait)
    assert 0.0 < step.seconds < HORIZON
    for stamp in one.stamps:
        one.shared.over(stamp, Seen(kind="ok"), one.now)
    assert isinstance(one.shared.begin(one.now), Wait)
    assert not one.shared.ended
    assert one.admission.in_flight == 0
    assert store.version == version


def test_a_round_has_an_end() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(adaptive=False, requests_per_minute=6e6, request_burst=1e3))
    for call in range(150):
        one.come(call)
    settled(one)
    assert (len(one.went), one.shared.swaps) == (150, 3)
    one.lose()
    store.now += 1.0  # until there is a burst again
    for call in range(150, 300):
        one.come(call)
    assert one.shared.begin(one.now) == Wait(0.0)
    settled(one)
    assert len(one.went) == 300


def sending(store: Store) -> tuple[Process, Process]:
    """Give two processes that learn, each of which has sent a call, one after the other."""
    first, second = Process(1, store, LEARNING), Process(2, store, LEARNING)
    for process in (first, second):
        process.come(process.number)
        settled(process)
    return first, second


def test_what_one_learns_all_know() -> None:
    """Bug: a refusal that was learned from in a round that is undone is forgotten, or counted twice."""
    store = Store()
    one, two = sending(store)
    for process in (one, two):
        process.admission.alive = 5
        process.shared.over(process.stamps.pop(), Seen(kind="rate", resets_in=7.0), process.now)
    one.step()
    two.step()
    settled(one)
    settled(two)
    assert two.shared.conflicts == 1
    _, gate, learned, _ = two.shared.quota[-1].known[""]
    assert gate.until == pytest.approx(store.now + 7.0, abs=0.1)
    assert (learned.sent, learned.refused) == (2, 2)
    assert not two.shared.ended
    one.come(10)
    settled(one)
    assert len(one.went) == 1
    step = one.shared.begin(one.now)
    assert step == Wait(STALE)


def test_others_are_company() -> None:
    """Bug: processes with one call each never learn that they are too many."""
    store = Store()
    two, one = sending(store)
    one.shared.over(one.stamps.pop(), Seen(kind="rate"), one.now)
    settled(one)
    assert one.shared.quota[-1].known[""][2].refused == 1
    assert two.shared.sharing == Sharing(mode="shared", members=1, part=1.0, swaps=1, conflicts=0)
    assert one.shared.sharing.members == 2


def test_who_is_cancelled_does_not_come_back() -> None:
    store = Store()
    one, two = Process(1, store), Process(2, store)
    settled(one)
    settled(two)
    one.come(1)
    one.come(2)
    two.come(3)
    one.step()
    settled(two)
    one.shared.cancel(1)
    one.shared.cancel(1)
    settled(one)
    assert [call for call, _ in one.went] == [2]
    assert one.admission.in_flight == 1


def test_deadlines_are_kept_and_nobody_is_told_early() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(places=1))
    one.come(0)
    settled(one)
    one.shared.wait(Ticket(Place(0, 1)), 1, one.now + 0.02, one.now)
    step = one.shared.begin(one.now)
    assert isinstance(step, Wait)
    assert step.seconds == pytest.approx(0.02)
    assert not one.shared.taken()
    store.now += 0.0201
    one.shared.begin(one.now)
    (leaving,) = one.shared.taken()
    assert leaving == Leaving(one.now, TurnedAway(1, math.inf))
    assert not one.shared.standing
    one.shared.wait(Ticket(Place(0, 2)), 2, one.now + 0.5, one.now)
    step = one.shared.begin(one.now)
    assert isinstance(step, Wait)
    assert step.seconds == pytest.approx(0.5 - LEAD)
    one.shared.over(one.stamps.pop(), NOTHING, one.now)
    settled(one)
    assert one.went[-1][0] == 2


def test_money_that_was_set_aside_comes_back_with_the_round() -> None:
    store = Store()
    one, two = Process(1, store), Process(2, store)
    one.admission.money = Money(maximum=1.0)
    settled(one)
    settled(two)
    one.shared.wait(Ticket(Place(0, 1), Ask(worst=0.7)), 1, math.inf, one.now)
    two.come(2)
    one.step()
    settled(two)
    settled(one)
    assert one.admission.purse.reserved == 700_000_000
    assert one.admission.in_flight == 1


def test_without_ever_meeting_the_store_the_part_is_what_was_assumed() -> None:
    store = Store()
    one = Process(1, store)
    one.shared.members = 4
    one.come(1)
    one.step()
    one.lose()
    assert one.shared.sharing.part == 0.25
    one.come(2)
    began = one.now
    while len(one.went) < 2:
        store.now += 0.001
        one.step()
    assert one.now - began >= 2 / (RATE / 4) - HORIZON
    one.find()
    assert one.shared.sharing.mode == "shared"
    assert one.shared.quota[0].tat >= store.now + PAUSE
    two = Process(2, store)
    two.lose()
    two.find()
    assert two.shared.quota == one.shared.quota


def test_a_clock_that_was_set_back_makes_a_new_beginning() -> None:
    store = Store()
    one = Process(1, store)
    one.come(1)
    settled(one)
    store.forget()
    clock, store.now = one.now, store.now - 3600.0
    one.come(2)
    one.asked = (one.shared.begin(clock + 2.0), clock + 2.0, 0.0)  # type: ignore[assignment] # a Swap: it asks the store
    one.shared.settle(store.swap(1, Swap()), clock + 2.0, clock + 2.0)
    assert one.shared.quota[0].tat <= store.now
    assert one.shared.ahead == pytest.approx(store.now - clock - 2.0)


def test_nonsense_in_the_store_is_overwritten() -> None:
    store = Store()
    one = Process(1, store)
    store.version, store.state = "5", b"nonsense"
    one.come(1)
    settled(one)
    assert [call for call, _ in one.went] == [1]
    assert int(store.version) > 5


def test_the_end_of_a_round_that_never_was() -> None:
    one = Process(1, Store())
    assert not one.shared.undone()


def test_a_call_that_those_before_it_make_too_late_is_told_at_once() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(requests_per_minute=60, adaptive=False))
    one.come(0)
    settled(one)
    one.come(1)
    one.shared.wait(Ticket(Place(0, 2)), 2, one.now + 1.5, one.now)
    (leaving,) = one.shared.taken()
    assert isinstance(leaving.turn, TurnedAway)
    assert leaving.at == one.now
    assert leaving.turn.needed == pytest.approx(2.0, abs=0.1)
    assert 2 not in one.shared.standing


def test_before_it_meets_the_store_a_process_is_alone() -> None:
    one = Process(1, Store())
    assert one.shared.sharing == Sharing(mode="new", members=1, part=1.0, swaps=0, conflicts=0)


def test_one_round_lets_so_many_go_and_no_more() -> None:
    one = Process(1, Store(), LimitSettings(adaptive=False, requests_per_minute=6e6, request_burst=1e3))
    for call in range(MOST + 9):
        one.come(call)
    for _ in range(6):
        one.step()
    assert len(one.went) == MOST


@pytest.mark.parametrize(
    ("told", "ats", "wait"),
    [
        ([Admitted(1), Wait(0.04), Admitted(2), Wait(9.0)], [0.0, 0.04], STALE),
        ([Wait(0.03)], [], 0.03 - LEAD),
        ([Admitted(1), Wait(HORIZON), Admitted(2), None], [0.0, HORIZON], math.inf),
        ([Wait(0.01), Wait(LEAD), Admitted(1), None], [0.01 + LEAD], math.inf),
    ],
)
def test_slots_are_booked_to_the_horizon_once_the_first_is_near(
    monkeypatch: pytest.MonkeyPatch, told: list[Any], ats: list[float], wait: float
) -> None:
    one = Process(1, Store())
    settled(one)
    turns = iter(told)
    monkeypatch.setattr(one.admission, "next", lambda _at: next(turns))
    going, then = one.shared.plan(one.now)
    assert [leaving.at - one.now for leaving in going] == pytest.approx(ats, abs=1e-9)
    assert then == pytest.approx(wait, abs=1e-9)


def test_what_is_known_for_long_is_asked_for_again() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(places=1))
    for call in range(2):
        one.come(call)
    settled(one)
    one.shared.asked = one.now - STALE
    assert isinstance(one.shared.begin(one.now), Wait)
    store.now += 0.001
    assert one.shared.begin(one.now) == Swap()


def test_without_the_store_there_is_nothing_to_ask_again() -> None:
    store = Store()
    one = Process(1, store, LimitSettings(requests_per_minute=6, adaptive=False))
    settled(one)
    one.lose()
    one.come(1)
    store.now += 2 * STALE
    step = one.shared.begin(one.now)
    assert isinstance(step, Wait)
    assert step.seconds > STALE


def test_conflicts_are_counted() -> None:
    store = Store()
    one, two = Process(1, store), Process(2, store)
    settled(one)
    settled(two)
    for call in range(3):
        one.come(call)
        two.come(call)
        one.step()
        settled(two)
        settled(one)
        store.now += 0.1
    assert one.shared.conflicts == 3


def begun(store: Store, limits: LimitSettings = KNOWN) -> tuple[Process, Swap]:
    """A process that has decided that call 1 goes, and what it asks the store."""
    one = Process(1, store, limits)
    settled(one)
    one.come(1)
    step = one.shared.begin(one.now)
    assert isinstance(step, Swap)
    return one, step


def test_a_round_that_the_store_never_answered_is_decided_anew() -> None:
    """Bug: a call goes though nobody agreed to it, or never."""
    store = Store()
    one, _ = begun(store)
    one.lose()
    assert not one.shared.taken()
    store.now += 1.0
    settled(one)
    assert [call for call, _ in one.went] == [1]


def test_who_is_cancelled_while_the_store_agrees_comes_out_all_the_same() -> None:
    store = Store()
    one, step = begun(store)
    one.shared.cancel(1)
    one.shared.settle(store.swap(1, step), one.now, one.now)
    assert [leaving.turn.call for leaving in one.shared.taken()] == [1]


def test_who_is_turned_away_during_a_round_is_told() -> None:
    store = Store()
    one, step = begun(store, LimitSettings(requests_per_minute=60, adaptive=False))
    one.shared.wait(Ticket(Place(0, 2)), 2, one.now + 0.5, one.now)
    one.shared.settle(store.swap(1, step), one.now, one.now)
    assert [leaving.turn.call for leaving in one.shared.taken()] == [2, 1]
    one.shared.wait(Ticket(Place(0, 3)), 3, one.now + 0.5, one.now)
    assert [leaving.turn.call for leaving in one.shared.taken()] == [3]


def told(now: float, members: int = 1, version: str = "1") -> Held:
    """What the store answers that shows this time."""
    return Held(False, version, b"", now, members)


def test_the_clock_of_the_store_is_known_as_well_as_it_was_ever_told() -> None:
    one = Process(1, Store())
    one.shared.hear(told(EPOCH), 10.0, 14.0)
    assert one.shared.ahead == EPOCH - 12.0
    one.shared.hear(told(EPOCH + 10.0), 16.0, 26.0)
    assert one.shared.ahead == EPOCH - 12.0, "between 16 and 6 seconds behind: that is no news"
    one.shared.hear(told(EPOCH + 20.0), 31.0, 31.0)
    assert one.shared.ahead == EPOCH - 11.0


@pytest.mark.parametrize(("back", "mode"), [(0.5, "shared"), (1.0, "shared"), (1.5, "new"), (3600.0, "new")])
def test_a_clock_that_is_a_second_off_is_still_believed(back: float, mode: str) -> None:
    one = Process(1, Store())
    settled(one)
    one.shared.ahead = EPOCH
    one.shared.hear(told(EPOCH + 9.0 - back), 9.0, 9.0)
    assert one.shared.sharing.mode == mode


def test_a_store_that_has_forgotten_is_told_with_every_burst_spent() -> None:
    store = Store()
    one = Process(1, store)
    one.come(0)
    settled(one)
    store.now += 9.0
    store.forget()
    one.come(1)
    step = one.shared.begin(one.now)
    assert isinstance(step, Swap)
    one.shared.settle(store.swap(1, step), one.now, one.now)
    assert one.shared.quota[0].tat == pytest.approx(store.now + HORIZON + BURST / RATE, abs=1e-5)


@pytest.mark.parametrize("met", [True, False])
def test_whoever_loses_the_store_has_no_burst_at_first(met: bool) -> None:
    store = Store()
    one = Process(1, store)
    if met:
        settled(one)
    store.now += 9.0
    one.lose()
    there = store.now if met else one.now
    assert one.shared.quota[0].tat == pytest.approx(there + HORIZON + BURST / RATE, abs=1e-5)


def test_what_was_learned_outlives_the_store() -> None:
    store = Store()
    one = Process(1, store, LEARNING)
    one.come(1)
    settled(one)
    one.admission.alive = 5
    one.shared.over(one.stamps.pop(), Seen(kind="rate", resets_in=7.0), one.now)
    settled(one)
    one.lose()
    assert one.shared.quota[-1].known[""][1].until == pytest.approx(store.now + 7.0, abs=0.1)
    store.forget()
    one.find()
    assert one.shared.quota[-1].known[""][1].until == pytest.approx(store.now + 7.0, abs=0.1)


@pytest.mark.parametrize(
    ("version", "others"), [("0", False), ("4000000", False), ("5000000", False), ("5000001", True), ("9000000", True)]
)
def test_what_was_written_after_the_loss_shows_that_others_are_back(version: str, others: bool) -> None:
    one = Process(1, Store())
    settled(one)
    one.lose()
    one.shared.lost_at = 5.0
    step = one.shared.back(told(one.store.now, version=version), one.now, one.now)
    assert (step is None) == others
    assert (one.shared.sharing.mode == "shared") == others


def test_what_was_written_right_after_the_loss_is_doubted() -> None:
    one = Process(1, Store())
    settled(one)
    one.lose()
    assert one.shared.lost_at == pytest.approx(one.store.now + DOUBT, abs=1e-5)


def test_whoever_comes_back_first_believes_the_store_more_than_itself() -> None:
    """Bug: what others wrote just before the loss is overwritten."""
    store = Store()
    one, two = sending(store)
    two.shared.over(two.stamps.pop(), Seen(kind="rate", resets_in=7.0), two.now)
    settled(two)
    one.lose()
    one.find()
    assert one.shared.quota[-1].known[""][1].until == pytest.approx(store.now + 7.0, abs=0.1)


def test_a_lone_process_has_no_company() -> None:
    """Bug: a refusal of a lone call counts as if there had been others."""
    one = Process(1, Store(), LEARNING)
    one.come(1)
    settled(one)
    one.shared.over(one.stamps.pop(), Seen(kind="rate"), one.now)
    settled(one)
    assert one.shared.quota[-1].known[""][2].refused == 0


def test_what_was_known_on_a_clock_that_was_set_back_is_not_kept_through_a_loss() -> None:
    """Bug: nobody goes for an hour."""
    store = Store()
    one, step = begun(store)
    held = msgspec.structs.replace(store.swap(1, step), now=store.now - 3600.0)
    one.shared.settle(held, one.now, one.now)
    one.lose()
    assert one.shared.quota[0].tat == pytest.approx(held.now + HORIZON + BURST / RATE, abs=1e-5)
