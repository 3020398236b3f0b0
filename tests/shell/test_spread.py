"""Runs that are spread over workers: the same rows, ledger and promises, whoever dies."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from returns.result import Failure
from tests.shell.bulk import config_of, lines, made, paid, prompts, ran, states
from tests.shell.loopback import Loopback, Talk, answer, completion, until
from tests.shell.spread import Cluster, spec_of

from openrouter_client import (
    BatchSettings,
    DatasetChat,
    DatasetSpec,
    OpenRouterClient,
    OpenRouterConfig,
    OpenRouterError,
    RayBatchRun,
    unwrap,
)
from openrouter_client.bulk.locking import Lock
from openrouter_client.bulk.opening import Opened
from openrouter_client.simulator import Simulator
from openrouter_client.spread.coordinator import Coordinator
from openrouter_client.spread.spec import KEY_ENV, freed, keyed, keyless
from openrouter_core.bulk.figures import BUDGET, COMPLETE, INTERRUPTED, KEY, PARTIAL
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import DONE, FAILED, IN_DOUBT, IN_FLIGHT

ROWS = 120


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, "sk-or-v1-test")


class Paying:
    """A server that counts what it is asked, and takes its time."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.paid = Counter[str]()
        self.under_way = 0
        self.most = 0

    def has(self, many: int) -> bool:
        return sum(self.paid.values()) >= many

    async def __call__(self, talk: Talk) -> None:
        self.paid[json.loads(talk.seen.body)["messages"][-1]["content"]] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        await talk.say(answer(200, completion()))


def rows_of(folder: Path) -> list[int]:
    return sorted(line["row"] for line in lines(folder / "out.jsonl"))


async def test_every_row_is_asked_once_by_one_of_the_workers(tmp_path: Path) -> None:
    pay = Paying(0.01)
    async with Loopback(pay) as server, Cluster(spec_of(server, prompts(tmp_path, ROWS), max_in_flight=10)) as cluster:
        summary = await cluster.ended()
        assert not any(worker.jobs for worker in cluster.alive.values())
    assert (summary.exit_code, summary.answered_now, summary.counts.done) == (COMPLETE, ROWS, ROWS)
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    assert set(pay.paid.values()) == {1}
    assert 2 <= pay.most <= 10


async def test_the_faults_of_a_server_are_retried_and_those_that_stay_are_rows(tmp_path: Path) -> None:
    source = prompts(tmp_path, 1000)
    async with Simulator(seed=4, faults="503:0.1,429:0.05,reset:0.05,400:0.02", api_key="sk-or-v1-test") as server:
        spec = spec_of(server, source, max_in_flight=50, retry_sent=True)
        async with Cluster(spec) as cluster:
            summary = await cluster.ended()
    assert summary.exit_code == PARTIAL
    assert rows_of(tmp_path) == list(range(1, 1001))
    failed = [line for line in lines(tmp_path / "out.jsonl") if line["error"]]
    assert 0 < len(failed) == summary.counts.failed + summary.counts.refused < 100


async def test_what_is_lost_on_the_way_is_told_again(tmp_path: Path) -> None:
    pay = Paying(0.01)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, 40), max_in_flight=10)
        async with Cluster(spec, losing=0.05) as cluster:
            summary = await cluster.ended()
    assert summary.exit_code == COMPLETE
    assert rows_of(tmp_path) == list(range(1, 41))
    assert set(pay.paid.values()) == {1}


@pytest.mark.parametrize("settings", [{"in_doubt": "retry"}, {"in_doubt": "skip"}, {"in_doubt": "report"}])
async def test_a_killed_worker_leaves_its_rows_in_doubt(tmp_path: Path, settings: dict[str, str]) -> None:
    pay = Paying(0.1)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, ROWS), max_in_flight=20, **settings)
        async with Cluster(spec) as cluster:
            await until(lambda: sum(pay.paid.values()) >= 50)
            had = len(cluster.alive["worker-1"].jobs)
            await cluster.kill("worker-1")
            cluster.hire("worker-1")
            summary = await cluster.ended()
    twice = sum(pay.paid.values()) - len(pay.paid)
    if settings["in_doubt"] == "retry":
        assert (summary.exit_code, len(pay.paid)) == (COMPLETE, ROWS)
        assert 0 < twice <= had <= 20
        assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    else:
        state = FAILED if settings["in_doubt"] == "report" else IN_DOUBT
        doubt = states(tmp_path)[state]
        assert (twice, 0 < doubt <= had <= 20) == (0, True)
        assert states(tmp_path) == {DONE: ROWS - doubt, state: doubt}
        assert (summary.counts.failed, summary.counts.in_doubt) == (doubt, 0)[:: 1 if state == FAILED else -1]
        assert (summary.exit_code, summary.counts.in_flight) == (PARTIAL, 0)


async def test_the_others_take_over_from_a_worker_that_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrouter_core.bulk.leases.SILENCE", 1.0)
    monkeypatch.setattr("openrouter_client.spread.desk.PATIENCE", 0.2)
    pay = Paying(0.1)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, ROWS), max_in_flight=20)
        async with Cluster(spec) as cluster:
            await until(lambda: sum(pay.paid.values()) >= 50)
            await cluster.kill("worker-2")
            summary = await cluster.ended()
    assert summary.exit_code == COMPLETE
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    assert sum(pay.paid.values()) - ROWS <= 20


async def test_a_killed_coordinator_goes_on_and_what_workers_have_is_not_paid_twice(tmp_path: Path) -> None:
    pay = Paying(0.3)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, ROWS), max_in_flight=20)
        async with Cluster(spec) as cluster:
            for heads in (1, 2):
                await until(partial(pay.has, 30 * heads))
                await cluster.behead()
                assert states(tmp_path)[IN_FLIGHT] > 0
                cluster.lead(resumed=True)
            summary = await cluster.ended()
    assert summary.exit_code == COMPLETE
    assert summary.counts.in_doubt == summary.counts.in_flight == summary.counts.todo == 0
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    assert set(pay.paid.values()) == {1}


async def test_coordinator_and_worker_killed_together(tmp_path: Path) -> None:
    pay = Paying(0.2)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, ROWS), max_in_flight=20)
        async with Cluster(spec) as cluster:
            await until(lambda: sum(pay.paid.values()) >= 50)
            had = len(cluster.alive["worker-1"].jobs)
            await cluster.behead()
            await cluster.kill("worker-1")
            cluster.lead(resumed=True)
            cluster.hire("worker-1")
            summary = await cluster.ended()
    assert summary.exit_code == COMPLETE
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))
    assert sum(pay.paid.values()) - ROWS <= had


async def test_a_row_that_is_adopted_and_lost_at_once_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills: a row in flight that nobody has, and that is passed over because it is in flight."""
    pay = Paying(0.5)
    async with Loopback(pay) as server:
        spec = spec_of(server, prompts(tmp_path, 20), max_in_flight=10)
        async with Cluster(spec) as cluster:
            await until(partial(pay.has, 10))
            await cluster.behead()
            original = Coordinator.adopted

            def adopted(coordinator: Coordinator, begun: Opened) -> Opened:
                ready = original(coordinator, begun)
                coordinator.desk.lose(coordinator.desk.leases.gone("worker-1"))
                return ready

            monkeypatch.setattr(Coordinator, "adopted", adopted)
            cluster.lead(resumed=True)
            summary = await cluster.ended()
    assert (summary.exit_code, summary.counts.in_flight) == (COMPLETE, 0)
    assert rows_of(tmp_path) == list(range(1, 21))
    assert 20 < sum(pay.paid.values()) <= 30


async def test_rows_that_are_lost_after_the_stop_are_left_for_the_next_run(tmp_path: Path) -> None:
    pay = Paying(0.5)
    async with Loopback(pay) as server, Cluster(spec_of(server, prompts(tmp_path, 40), max_in_flight=10)) as cluster:
        await until(partial(pay.has, 10))
        assert cluster.coordinator is not None
        cluster.coordinator.stop()
        await cluster.kill("worker-1")
        cluster.hire("worker-1")
        summary = await cluster.ended()
    assert (summary.exit_code, summary.counts.in_flight) == (INTERRUPTED, 0)
    assert summary.counts.done + summary.counts.todo == 40
    assert set(pay.paid.values()) == {1}


async def test_a_run_goes_on_alone_where_a_spread_one_was_stopped(tmp_path: Path) -> None:
    source = prompts(tmp_path, ROWS)
    async with Simulator(seed=1, latency=(0.01, 0.05), api_key="sk-or-v1-test") as server:
        async with Cluster(spec_of(server, source, max_in_flight=10)) as cluster:
            await until(lambda: len(server.requests) >= 40)
            assert cluster.coordinator is not None
            cluster.coordinator.stop()
            first = await cluster.ended()
        assert (first.exit_code, first.counts.in_doubt) == (INTERRUPTED, 0)
        rest = await ran(server, source)
        assert (rest.exit_code, rest.counts.done) == (COMPLETE, ROWS)
        assert set(paid(server).values()) == {1}
    assert rows_of(tmp_path) == list(range(1, ROWS + 1))


async def test_an_answer_that_does_not_fit_is_asked_for_again_by_the_worker(tmp_path: Path) -> None:
    asked = 0

    async def talk(talk: Talk) -> None:
        nonlocal asked
        asked += 1
        await talk.say(answer(200, completion("[1]" if len(json.loads(talk.seen.body)["messages"]) > 1 else "one")))

    settings = {"wanted": list[int], "repair": 1}
    async with Loopback(talk) as server, Cluster(spec_of(server, prompts(tmp_path, 4), **settings)) as cluster:
        summary = await cluster.ended()
    assert (summary.exit_code, asked) == (COMPLETE, 8)
    assert [line["value"] for line in lines(tmp_path / "out.jsonl")] == [[1]] * 4


async def test_code_that_raises_fails_its_row_and_not_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: object) -> Outcome:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("openrouter_client.spread.worker.outcome_of", raising)
    pay = Paying(0.0)
    async with Loopback(pay) as server, Cluster(spec_of(server, prompts(tmp_path, 5))) as cluster:
        summary = await cluster.ended()
    assert (summary.counts.refused, summary.counts.cost_unknown, set(pay.paid.values())) == (5, 5, {1})
    assert lines(tmp_path / "out.jsonl")[0]["error"]["message"].endswith(": RuntimeError: no such thing")


async def test_all_workers_together_keep_to_one_budget(tmp_path: Path) -> None:
    source = prompts(tmp_path, ROWS)
    async with Simulator(seed=1, api_key="sk-or-v1-test") as server:
        spec = spec_of(server, source, max_in_flight=10, max_cost_usd=0.001, max_tokens=20, model="openai/gpt-4o-mini")
        async with Cluster(spec) as cluster:
            summary = await cluster.ended()
    assert summary.exit_code == BUDGET
    assert 0 < summary.counts.done < ROWS
    assert summary.counts.cost_usd <= 0.001


async def test_a_worker_without_a_key_stops_the_run_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Loopback(Paying()) as server:
        cluster = Cluster(spec_of(server, prompts(tmp_path, 5)))
        cluster.lead()
        monkeypatch.delenv(KEY_ENV)
        cluster.hire("worker-1")
        summary = await cluster.ended()
    assert (summary.exit_code, summary.stop) == (KEY, "key")
    assert f"worker-1: AuthError: {KEY_ENV} is not set on this machine" in summary.told


async def test_a_wrong_key_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, "sk-or-v1-wrong")
    async with Simulator(seed=1, api_key="sk-or-v1-test") as server:
        async with Cluster(spec_of(server, prompts(tmp_path, 30), max_in_flight=5)) as cluster:
            summary = await cluster.ended()
        assert len(server.requests) <= 5
    assert (summary.exit_code, summary.counts.done) == (KEY, 0)
    assert "sk-or-v1-wrong" not in str(summary)


async def test_a_ledger_is_waited_for_that_a_dead_process_still_has(tmp_path: Path) -> None:
    ledger, lock = tmp_path / "out.jsonl.ledger", Lock(tmp_path / "out.jsonl.ledger")
    await freed(ledger)
    assert lock.take() is None
    waiting = asyncio.create_task(freed(ledger))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    lock.release()
    await waiting
    assert lock.take() is None
    lock.release()


# --- settings, and what does not travel -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"workers": 0}, "workers = 0: must be at least 1"),
        ({"settings": BatchSettings(max_in_flight=0)}, "max_in_flight = 0: must be at least 1"),
        ({"config": OpenRouterConfig(api_key="sk-or-v1-other")}, "api_key is not the one in OPENROUTER_API_KEY"),
        (
            {"config": OpenRouterConfig(proxy="http://me:secret@host:1")},
            r"proxy = 'http://\*\*\*@host:1': must have no",
        ),
        ({"config": OpenRouterConfig(base_url="ftp://x")}, "base_url = 'ftp://x'"),
        ({"settings": BatchSettings(via="batches")}, "via = 'batches': must be calls"),
        ({"key_env": "NOT_SET"}, "NOT_SET is not set on this machine"),
        ({"source": "nowhere.jsonl"}, "nowhere.jsonl"),
        ({}, r"call ray\.init\(\)"),
    ],
)
def test_wrong_settings_are_told_before_anything_begins(tmp_path: Path, wrong: dict[str, Any], told: str) -> None:
    given: dict[str, Any] = {"source": prompts(tmp_path, 1), "output": tmp_path / "out.jsonl"} | wrong
    result = RayBatchRun.new(**given)
    assert isinstance(result, Failure)
    assert re.search(told, str(result.failure()))
    assert "secret" not in str(result.failure())
    assert "sk-or-v1-other" not in str(result.failure())


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = RayBatchRun.new(prompts(tmp_path, 1), tmp_path / "out.jsonl")
    assert isinstance(result, Failure)
    assert 'pip install "aio-openrouter[ray]"' in str(result.failure())


async def test_what_has_limits_or_connections_refuses_to_be_pickled(tmp_path: Path) -> None:
    async with Loopback(Paying()) as server:
        run = made(server, prompts(tmp_path, 1))
        client = unwrap(OpenRouterClient.new(config_of(server)))
        cell = client._calls.line.admission
        for one in (client, run, run.calls, run.calls.line, run.calls.transport, cell):
            with pytest.raises(TypeError, match=f"^{type(one).__name__} cannot be pickled or copied"):
                pickle.dumps(one)
        await run.close()
        await client.close()


def test_what_travels_has_no_key(tmp_path: Path) -> None:
    async def told() -> None:
        async with Loopback(Paying()) as server:
            spec = spec_of(server, prompts(tmp_path, 1))
            config = unwrap(keyless(spec.config, KEY_ENV))
            for one in (pickle.dumps(config), pickle.dumps(spec), repr(config).encode(), repr(spec).encode()):
                assert b"sk-or-v1-test" not in one
            again = pickle.loads(pickle.dumps(spec))  # noqa: S301 - our own
            assert unwrap(keyed(again.config, KEY_ENV)) == spec.config

    asyncio.run(told())


# --- datasets ---------------------------------------------------------------------------------------------------------


async def test_a_batch_gets_an_answer_or_an_error_for_each_row() -> None:
    async with Simulator(seed=2, faults="400:0.1", api_key="sk-or-v1-test") as server:
        settings = BatchSettings(template="Is {n} prime?", max_in_flight=7)
        chat = DatasetChat(DatasetSpec(settings=settings, config=OpenRouterConfig(base_url=server.base_url)))
        told = await chat({"n": np.arange(60), "kept": np.array(["x"] * 60)})
        nothing = await chat({"n": np.array([])})
        flawed = await chat({"m": [1, None]})
        await chat.calls.transport.close()
    assert list(told["n"]) == list(range(60))
    assert list(told["kept"]) == ["x"] * 60
    assert all(bool(text) != bool(error) for text, error in zip(told["answer"], told["error"], strict=True))
    assert 0 < sum(map(bool, told["error"])) < 30
    assert all(cost >= 0 for cost in told["cost_usd"])
    assert nothing["answer"] == []
    assert flawed["error"][0].startswith("InvalidRequest: row 1: n is missing")
    assert set(paid(server)) == {f"Is {n} prime?" for n in range(60)}


async def test_a_batch_of_typed_answers() -> None:
    async def talk(talk: Talk) -> None:
        value = "[1, 2]" if b"good" in talk.seen.body else "no list"
        await talk.say(answer(200, completion(value)))

    async with Loopback(talk) as server:
        spec = DatasetSpec(settings=BatchSettings(wanted=list[int]), config=OpenRouterConfig(base_url=server.base_url))
        chat = DatasetChat(spec)
        told = await chat({"prompt": ["good", "bad"]})
        await chat.calls.transport.close()
    assert told["answer"] == ["[1,2]", ""]
    assert [error[:10] for error in told["error"]] == ["", "ParseError"]


def test_a_dataset_without_a_key_is_told() -> None:
    with pytest.raises(OpenRouterError, match="NOT_SET is not set on this machine"):
        DatasetChat(DatasetSpec(key_env="NOT_SET", config=OpenRouterConfig()))
