"""What must hold in every world. Each check reads what happened, and yields what is wrong with it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, cast

import msgspec
from returns.result import Failure, Success
from tests.worlds.world import GOOD, Virtual, World, job_of, played

from openrouter_core.journal import Answered, Ended, Left, Moment, Queued, Sent, Slept, replay
from openrouter_core.outcome import Finished, Responded, Streamed
from openrouter_core.policy import RATE_RETRIES
from openrouter_core.states import Done

Histories = dict[int, list[Moment]]
Flaws = Iterator[str]

SLACK = 1e-6
"""What seconds may be off by rounding."""

FINAL = (400, 401, 403, 404, 413)
"""Statuses after which nothing is sent again."""

AGAIN = 8
"""Every so many worlds happen twice, to see that they are the same, and have all of their calls replayed."""


def histories(virtual: Virtual) -> Histories:
    """Sort what happened by call."""
    told: Histories = defaultdict(list)
    for moment in virtual.moments:
        told[moment.call].append(moment)
    return told


def each_call_ends_once(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """A call ends exactly once, or is left; and nothing is left of it."""
    if virtual.agenda:
        yield f"it goes on after {len(virtual.moments)} moments"
        return
    for number in range(len(world.calls)):
        events = [moment.event for moment in told.get(number, ())]
        ends = [type(event).__name__ for event in events if isinstance(event, Ended | Left)]
        once = len(ends) == 1 or (not events and number in virtual.left)
        if not once or (number in virtual.results) != (ends == ["Ended"]):
            yield f"call {number} ended like this: {ends}"
    cell = virtual.admission
    rest = (cell.in_flight, cell.alive, cell.lines.waiting, cell.purse.reserved)
    if any(rest):
        yield f"at the end there are (in flight, alive, waiting, reserved) {rest}"


def time_goes_forward(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """No moment is before the one before it."""
    times = [moment.at for moment in virtual.moments]
    if times != sorted(times):
        yield "time went back"


def places_are_kept(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """No more attempts are under way than there are connections."""
    under_way: set[int] = set()
    for moment in virtual.moments:
        if isinstance(moment.event, Sent):
            under_way.add(moment.call)
        else:
            under_way.discard(moment.call)
        if len(under_way) > world.config.max_connections:
            yield f"{len(under_way)} attempts are under way at {moment.at}"
            return


def retries_are_bounded(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """A call is sent at most max_retries + 1 times, refusals in company and an outage's probes apart."""
    rate = RATE_RETRIES if world.config.max_rate_retries is None else world.config.max_rate_retries
    for call, moments in told.items():
        sends = [moment.event for moment in moments if isinstance(moment.event, Sent)]
        if [event.number for event in sends] != list(range(1, len(sends) + 1)):
            yield f"call {call} counts its attempts {[event.number for event in sends]}"
        counted = [event for event in sends if not event.probe]
        if len(counted) > world.config.max_retries + 1 + rate:
            yield f"call {call} was sent {len(counted)} times"


def hints_are_heeded(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """No wait is shorter than what the server asked for, and none ends early."""
    for call, moments in told.items():
        for before, after in pairwise(moments):
            if isinstance(before.event, Slept):
                hint = getattr(before.event.error, "retry_after", None) or 0.0
                if before.event.delay < hint - SLACK:
                    yield f"call {call} waits for {before.event.delay} s, and was asked for {hint} s"
                if not isinstance(after.event, Left) and after.at < before.at + before.event.delay - SLACK:
                    yield f"call {call} goes on at {after.at}, before its wait is over"


def deadlines_are_kept(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """Nothing is sent after the deadline, no attempt may outlast it, and the call has ended by then."""
    late = sum(end - begin for begin, end in world.standing)
    for call, moments in told.items():
        spec = world.calls[call]
        given = [one for one in (spec.deadline, world.config.deadline_secs) if one is not None]
        deadline = moments[0].at + min(given, default=math.inf)
        for moment in moments:
            if isinstance(moment.event, Sent):
                if moment.at >= deadline:
                    yield f"call {call} was sent at {moment.at}, after its deadline at {deadline}"
                if spec.mode != "handed_out" and moment.at + (moment.event.timeout or math.inf) > deadline + SLACK:
                    yield f"call {call} may outlast its deadline at {deadline} by an attempt at {moment.at}"
            elif isinstance(moment.event, Ended) and spec.mode != "handed_out" and moment.at > deadline + late + SLACK:
                yield f"call {call} ended at {moment.at}, after its deadline at {deadline}"


def final_answers_are_final(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """What cannot be mended is not sent again, nor is a stream of which something was handed out."""
    for call, moments in told.items():
        for before, after in pairwise(moments):
            if isinstance(before.event, Answered) and not isinstance(after.event, Ended | Left):
                outcome = before.event.outcome
                if isinstance(outcome, Responded) and outcome.status in FINAL:
                    yield f"call {call} goes on after {outcome.status}"
                if isinstance(outcome, Streamed) and outcome.delivered:
                    yield f"call {call} goes on after a part of its answer"


def only_whole_answers_are_good(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """A result is a success exactly if the last outcome was a whole answer."""
    for call, result in virtual.results.items():
        outcomes = [moment.event.outcome for moment in told[call] if isinstance(moment.event, Answered)]
        match outcomes[-1:]:
            case [Responded(status=200, body=body)]:
                whole = body == GOOD
            case [Streamed(end=Finished(), answer=answer)]:
                whole = bool(answer.choices)
            case _:
                whole = False
        if isinstance(result, Success) and not whole:
            yield f"call {call} is a success after {outcomes[-1:]}"
        if isinstance(result, Failure) and len(result.failure().attempts) != len(outcomes):
            yield f"call {call} failed and tells of {len(result.failure().attempts)} attempts, not of {len(outcomes)}"


def a_known_rate_is_kept(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """In no span are more requests sent than the known rate and one allow."""
    if world.config.requests_per_minute is None:
        return
    rate = world.config.requests_per_minute / 60.0
    sends = [moment.at for moment in virtual.moments if isinstance(moment.event, Sent)]
    for first, begin in enumerate(sends):
        for count, end in enumerate(sends[first:], 1):
            if count > rate * (end - begin) + 1.0 + SLACK:
                yield f"{count} requests between {begin} and {end}"
                return


def budgets_are_kept(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """No more is spent than the client may."""
    most, spent = world.config.max_cost_usd, virtual.admission.stats(virtual.now).spent_usd
    if most is not None and spent > most + 1e-9:
        yield f"{spent} USD were spent of {most}"


def the_state_is_sound(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """No number in the limiters' state is infinite or NaN, no count is negative, and it can be looked at."""
    numbers = list(leaves(msgspec.to_builtins(virtual.admission.state)))
    if not all(math.isfinite(number) for number in numbers):
        yield f"the state holds {[number for number in numbers if not math.isfinite(number)]}"
    shown = msgspec.to_builtins(virtual.admission.stats(virtual.now))
    if any(number < 0.0 or math.isnan(number) for number in leaves(shown)):
        yield f"it looks like this from outside: {shown}"


def leaves(value: Any) -> Iterator[float]:
    """Give all numbers in a value."""
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    if isinstance(value, list | tuple):
        for inner in cast("list[Any]", value):
            yield from leaves(inner)
    elif isinstance(value, float | int):
        yield value


def equals_go_in_order(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """Of calls for the same model with the same priority that have not been sent, the older is sent first."""
    waiting: dict[int, float] = {}
    fresh = set(told)
    for moment in virtual.moments:
        call, event = moment.call, moment.event
        if isinstance(event, Queued) and call in fresh:
            waiting[call] = math.inf if event.expires is None else event.expires
        elif call in waiting:
            del waiting[call]
            fresh.discard(call)
            passed = [older for older in waiting if older < call and alike(world, older, call)]
            if isinstance(event, Sent) and any(waiting[older] > moment.at for older in passed):
                yield f"call {call} was sent before {passed}"
                return


def alike(world: World, one: int, other: int) -> bool:
    """Tell calls that wait for the same things."""
    return [getattr(world.calls[one], name) for name in ("model", "priority")] == [
        getattr(world.calls[other], name) for name in ("model", "priority")
    ]


def it_can_be_replayed(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """The moments of a call alone give its result again."""
    for call, result in list(virtual.results.items())[:: AGAIN if world.seed % AGAIN else 1]:
        again = replay(job_of(world, world.calls[call]), told[call])
        if not isinstance(again, Done) or again.result != result:
            yield f"call {call} ends otherwise when it is replayed: {again}"


def it_happens_again(world: World, virtual: Virtual, told: Histories) -> Flaws:
    """The same seed makes the same happen."""
    if world.seed % AGAIN == 0 and played(world).moments != virtual.moments:
        yield "another time, something else happens"


INVARIANTS: tuple[Callable[[World, Virtual, Histories], Flaws], ...] = (
    each_call_ends_once,
    time_goes_forward,
    places_are_kept,
    retries_are_bounded,
    hints_are_heeded,
    deadlines_are_kept,
    final_answers_are_final,
    only_whole_answers_are_good,
    a_known_rate_is_kept,
    budgets_are_kept,
    the_state_is_sound,
    equals_go_in_order,
    it_can_be_replayed,
    it_happens_again,
)


def flaws(world: World, virtual: Virtual) -> list[str]:
    """Tell all that is wrong with what happened in a world."""
    told = histories(virtual)
    return [f"{check.__name__}: {flaw}" for check in INVARIANTS for flaw in check(world, virtual, told)]
