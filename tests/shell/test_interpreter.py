"""The interpreter does what the simulator does: the same moments at the same instants, the same results."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from returns.result import Result
from tests.shell.loopback import completion, error
from tests.shell.virtual import Journal, Stuck, World, endless, run_virtually

import openrouter_client.interpreter as interpreter_module
from openrouter_client.interpreter import run
from openrouter_client.line import Line
from openrouter_client.observe import CallWatcher
from openrouter_client.records import LOGGER
from openrouter_core.errors import DataSourceError, DeadlineExceeded
from openrouter_core.journal import Answered, Left, Moment, Sent
from openrouter_core.limit.compose import All
from openrouter_core.limit.gate import Gate
from openrouter_core.limit.gcra import Gcra
from openrouter_core.limit.hold import Hold
from openrouter_core.limit.places import Places
from openrouter_core.limit.queue import Place
from openrouter_core.limit.retry_budget import Retries, RetryBudget
from openrouter_core.limit.standard import LimitSettings, standard
from openrouter_core.outcome import Interrupted, Responded, TimedOut, Unreachable
from openrouter_core.policy import Policy, with_deadline
from openrouter_core.schedule import Attempts, Both, Capped, Exponential, Heeding, Jittered, Schedule
from openrouter_core.simulate import Reply, chat_job, scripted, simulate
from openrouter_core.states import Job

Run = Callable[..., Coroutine[Any, Any, Result[Any, DataSourceError]]]

GOOD = Responded(200, msgspec.json.encode(completion()))
OUTCOMES = (
    GOOD,
    Responded(200, msgspec.json.encode(error(502))),
    Responded(503, b"", {"retry-after": "2"}),
    Responded(429, msgspec.json.encode(error(429)), {"retry-after": "0.5"}),
    Responded(429, b"", {"retry-after": "900"}),
    Responded(500, b"<html>"),
    Responded(400, msgspec.json.encode(error(400))),
    TimedOut("connect", 1.0, sent=False),
    Unreachable("refused", "no"),
    Interrupted("reset", 3),
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of calls are played here; what is logged of them is test_observe's business."""
    monkeypatch.setattr(LOGGER, "disabled", True)


class Scene(msgspec.Struct, frozen=True):
    """Calls that arrive at instants with policies, a script of replies for each call, dice, and places in line.

    `patience`: after how many seconds the callers of the first ones cancel them, if they do.
    """

    arrivals: tuple[tuple[float, Policy], ...]
    replies: tuple[tuple[Reply, ...], ...]
    rolls: tuple[float, ...]
    limiter: Any
    patience: tuple[float | None, ...] = ()

    @property
    def leaving(self) -> dict[int, float]:
        """When which calls are cancelled."""
        pairs = enumerate(zip(self.arrivals, self.patience, strict=False))
        return {number: at + after for number, ((at, _), after) in pairs if after is not None}

    def server(self, call: int, attempt: int, now: float) -> Reply:
        """The reply to an attempt of a call."""
        return scripted(self.replies[call % len(self.replies)])(call, attempt, now)


# All times are multiples of 1/8 s, so that sums of them are exact and things happen at the same instant often.
eighths = st.integers(0, 40).map(lambda n: n / 8)
some_eighths = st.integers(1, 80).map(lambda n: n / 8)
ours = st.one_of(
    st.builds(Exponential, st.sampled_from([0.0, 0.125, 1.0])),
    st.builds(Jittered, st.builds(Exponential, st.just(1.0)), st.sampled_from(["full", "equal"])),
    st.builds(Capped, st.builds(Exponential, st.just(0.5)), st.sampled_from([1.0, 3.0])),
)


def joined(schedule: Schedule, retries: int, cap: float, spread: float) -> Schedule:
    return Both(Both(schedule, Attempts(retries)), Heeding(cap, spread))


schedules = st.builds(joined, ours, st.integers(0, 4), st.sampled_from([1.0, 8.0]), st.sampled_from([0.0, 0.5]))
bare = st.builds(lambda schedule, timeout: Policy(schedule=schedule, timeout=timeout), schedules, some_eighths)
policies = st.one_of(
    bare,
    st.builds(with_deadline, bare, some_eighths),
    st.builds(lambda policy, deadline: msgspec.structs.replace(policy, deadline=deadline), bare, some_eighths),
)
replies = st.builds(Reply, st.sampled_from(OUTCOMES), st.one_of(eighths, st.just(math.inf), st.just(0.0)))
limiters = st.one_of(
    st.integers(1, 3).map(Places),
    st.integers(1, 2).map(lambda most: standard(LimitSettings(places=most))),
    st.sampled_from(
        [
            Gcra(rate=2.0),
            All((Places(2), Gcra(rate=1.0, burst=2.0))),
            All((Places(2), Hold(many=2, among=2))),
            All((Places(1), Retries(budget=RetryBudget(most=1.0)))),
            All((Places(2), Gate(many=1))),
        ]
    ),
)
scenes = st.builds(
    Scene,
    st.lists(st.tuples(eighths, policies), min_size=1, max_size=7).map(tuple),
    st.lists(st.lists(replies, min_size=1, max_size=5).map(tuple), min_size=1, max_size=3).map(tuple),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75]), min_size=1, max_size=5).map(tuple),
    limiters,
    # Between the eighths, so that who cancels and who ends at the same instant is no question.
    st.lists(st.none() | st.integers(0, 20).map(lambda n: n / 8 + 1 / 16), max_size=7).map(tuple),
)


class Told(msgspec.Struct, frozen=True):
    """What happened in a scene."""

    moments: Sequence[Moment]
    results: Sequence[Result[Any, DataSourceError]]
    in_flight: int


def placed(job: Job[Any], number: int) -> Job[Any]:
    """The job of a call that comes as the n-th."""
    return msgspec.structs.replace(job, place=Place(0, number))


def simulated(scene: Scene) -> Told:
    """Let the simulator play a scene."""
    arrivals = [(at, chat_job(policy)) for at, policy in scene.arrivals]
    timeline = simulate(
        arrivals, scene.server, rolls=endless(scene.rolls), limiter=scene.limiter, leaving=scene.leaving
    )
    return Told(timeline.moments, timeline.results, 0)


def interpreted(scene: Scene, run: Run = run) -> Told:
    """Let the real interpreter and the real line play a scene, on virtual time."""
    line, journal, rolls = Line(scene.limiter), Journal(), endless(scene.rolls)

    async def main(loop: Any) -> Told:
        async def call(number: int, world: World, policy: Policy) -> None:
            watcher = CallWatcher(number, journal, content=False)
            results[number] = await run(world, placed(chat_job(policy), number), watcher)

        results: dict[int, Result[Any, DataSourceError]] = {}
        tasks: dict[int, asyncio.Task[None]] = {}

        def begin(number: int, policy: Policy) -> None:
            world = World(number, loop, scene.server, rolls, line)
            tasks[number] = loop.create_task(call(number, world, policy))

        for number, (at, policy) in enumerate(scene.arrivals):
            loop.call_at(at, begin, number, policy)
        for number, at in scene.leaving.items():
            loop.call_at(at, lambda number: tasks[number].cancel(), number)
        while len(tasks) < len(scene.arrivals) or not all(task.done() for task in tasks.values()):
            await World(-1, loop, scene.server, rolls, line).sleep(1000.0)
            for task in tasks.values():
                if task.done() and not task.cancelled():
                    task.result()
            if loop.now > 1e7:
                raise Stuck
        return Told(tuple(journal.moments), [results[number] for number in sorted(results)], line.admission.in_flight)

    return run_virtually(main)


def same(scene: Scene, run: Run = run) -> bool:
    """Whether simulator and interpreter tell the same story of a scene."""
    expected = simulated(scene)
    try:
        got = interpreted(scene, run)
    except Stuck:
        return False
    return (
        list(got.moments) == list(expected.moments)
        and [str(result) for result in got.results] == [str(result) for result in expected.results]
        and got.in_flight == expected.in_flight
    )


@given(scenes)
def test_the_shell_does_what_the_simulator_does(scene: Scene) -> None:
    """Kills: an interpreter that decides, waits, throws dice or takes places differently from what was simulated."""
    expected, got = simulated(scene), interpreted(scene)
    assert list(got.moments) == list(expected.moments)
    assert list(map(str, got.results)) == list(map(str, expected.results))
    assert got.in_flight == 0, "a place was lost, or one too many was given back"


@given(scenes)
def test_no_more_attempts_are_under_way_than_there_are_places(scene: Scene) -> None:
    """Kills: a line that hands one place to two calls."""
    sent: set[int] = set()
    under_way, most = 0, scene.limiter.most if isinstance(scene.limiter, Places) else 99
    for moment in interpreted(scene).moments:
        under_way += isinstance(moment.event, Sent)
        under_way -= isinstance(moment.event, Answered) or (isinstance(moment.event, Left) and moment.call in sent)
        sent = (sent | {moment.call}) if isinstance(moment.event, Sent) else sent - {moment.call}
        assert 0 <= under_way <= most


def mutant(old: str, new: str) -> Run:
    """The interpreter with a planted bug."""
    source = inspect.getsource(interpreter_module)
    assert source.count(old) >= 1, old
    space: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(source.replace(old, new, 1), "mutant", "exec", dont_inherit=True), space)  # noqa: S102 - the mutant is our own source
    mutated: Run = space["run"]
    return mutated


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "                finally:\n                    world.leave(state.stamp, seen)",
            "                finally:\n                    pass",
            id="keeps its place",
        ),
        pytest.param(
            "world.leave(state.stamp, seen)",
            "[world.leave(state.stamp, seen) for _ in range(2)]",
            id="gives its place back twice",
        ),
        pytest.param("seen = after.past.seen", "seen = NOTHING", id="tells the limiters nothing"),
        pytest.param(
            "await world.sleep(max(0.0, state.until - world.now()))",
            "[await world.sleep(max(0.0, state.delay)) for _ in range(2)]",
            id="sleeps twice",
        ),
        pytest.param("await world.sleep(max(0.0, state.until - world.now()))", "pass", id="does not sleep"),
        pytest.param(
            "world.now(), world.roll(), world.company()", "world.now(), 0.0, world.company()", id="loads the dice"
        ),
        pytest.param(
            "world.now(), world.roll(), world.company()", "world.now(), world.roll(), 0", id="believes itself alone"
        ),
        pytest.param(
            "turn = await world.enter(state.ticket, state.expires)",
            "turn = Admitted(None)",
            id="does not stand in line",
        ),
        pytest.param("state.clocks.total)", "job.policy.timeout)", id="forgets the deadline of an attempt"),
    ],
)
def test_a_planted_bug_is_found(old: str, new: str) -> None:
    planted = mutant(old, new)
    looking = settings(max_examples=600, database=None, derandomize=True, phases=[Phase.generate], deadline=None)
    try:
        find(scenes, lambda scene: not same(scene, planted), settings=looking)
    except NoSuchExample:
        pytest.fail("the property does not see this bug")


async def test_a_turn_that_comes_as_the_time_is_up_is_given_back() -> None:
    """Kills: an interpreter that keeps the place of a call that ended before it sent."""

    class Hasty(World):
        """A world in which time passes between a turn and its taking."""

        def now(self) -> float:
            self.passed = getattr(self, "passed", -1.0) + 1.0
            return self.passed

    line = Line(Places(1))
    policy = with_deadline(Policy(schedule=Attempts(0)), 0.5)
    line.enter = taking(line)  # type: ignore[method-assign] # replaced on purpose
    world = Hasty(0, asyncio.get_running_loop(), scripted([]), endless([0.5]), line)  # type: ignore[arg-type] # all of a line that it needs
    result = await run(world, chat_job(policy), CallWatcher(0, None, content=False))
    assert isinstance(result.failure(), DeadlineExceeded)
    assert line.admission.in_flight == 0


def taking(line: Line) -> Any:
    """A line that lets anybody go, however late."""

    async def enter(ticket: Any, until: float) -> Any:
        line.admission.wait(ticket, None, math.inf, 0.0)  # type: ignore[arg-type] # nobody is told of this turn
        return line.admission.next(0.0)

    return enter


def test_the_specified_waits_take_their_time() -> None:
    policy = Policy(schedule=Both(Exponential(1.0), Attempts(3)))
    scene = Scene(((0.0, policy),), ((Reply(Responded(503, b"")),),), (0.5,), Places(1))
    told = interpreted(scene)
    assert [moment.at for moment in told.moments if isinstance(moment.event, Sent)] == [0.0, 1.0, 3.0, 7.0]


def test_the_deadline_counts_the_wait_in_line() -> None:
    patient = Policy(schedule=Attempts(0), timeout=10.0)
    hasty = with_deadline(patient, 4.0)
    scene = Scene(((0.0, patient), (0.0, hasty)), ((Reply(GOOD, 9.0),),), (0.5,), Places(1))
    first, second = interpreted(scene).results
    assert first.unwrap().text == "hello"
    assert isinstance(second.failure(), DeadlineExceeded)
    assert second.failure().attempts == ()


def test_the_timeout_does_not_count_the_wait_in_line() -> None:
    policy = Policy(schedule=Attempts(0), timeout=10.0)
    scene = Scene(tuple(itertools.repeat((0.0, policy), 5)), ((Reply(GOOD, 9.0),),), (0.5,), Places(1))
    told = interpreted(scene)
    assert all(result.unwrap().text == "hello" for result in told.results)
    assert told.moments[-1].at == 45.0
