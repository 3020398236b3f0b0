"""A run by OpenRouter's own batches over loopback: the same file, the same ledger, the same output."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from returns.result import Failure
from tests.shell.bulk import config_of, lines, made, prompts, ran, states
from tests.shell.loopback import Loopback, answer, error, until

from openrouter_client import BatchRun, BatchSettings, Fallback, InvalidRequest, unwrap
from openrouter_client.bulk.estimating import estimate
from openrouter_client.simulator import Simulator
from openrouter_core.bulk import batches
from openrouter_core.bulk.figures import BUDGET, COMPLETE, INTERRUPTED, NOTHING, PARTIAL, TIME
from openrouter_core.bulk.states import IN_DOUBT, TODO

MODEL = "openai/gpt-4o-mini"
VIA: dict[str, Any] = {"via": "batches", "poll_secs": 0.02, "model": MODEL}


def submitted(server: Simulator) -> Counter[str]:
    """Count how often each prompt was in a batch that was accepted."""
    asked = Counter[str]()
    for request in server.requests:
        if request.method == "POST" and request.answer not in ("500", "400 invalid", "402", "401", "413 invalid"):
            body: Any = request.json()
            asked.update(one["body"]["messages"][-1]["content"] for one in body["requests"])
    return asked


def sizes(server: Simulator) -> list[int]:
    """Give the numbers of requests in the batches that were submitted."""
    found: list[Any] = [request.json() for request in server.requests if request.body]
    return [len(one["requests"]) for one in found]


def posts(server: Simulator) -> int:
    return sum(request.method == "POST" for request in server.requests)


async def test_rows_go_in_batches_and_come_back_as_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST", 20)
    source = prompts(tmp_path, 50)
    source.write_text(source.read_text() + '{"x": 1}\n{"prompt": "hi", "id": "last"}\n')
    async with Simulator(seed=1, batch_secs=0.2) as server:
        summary = await ran(server, source, **VIA)
        assert (summary.exit_code, summary.counts.done, summary.counts.refused) == (PARTIAL, 51, 1)
        assert summary.counts.in_flight == summary.counts.todo == 0
        assert sizes(server) == [20, 20, 11]
        again = await ran(server, source, **VIA)
        assert (again.answered_now, posts(server)) == (0, 3)
        assert set(submitted(server).values()) == {1}
        assert summary.counts.cost_usd == pytest.approx(server.cost)
    written = {line["row"]: line for line in lines(tmp_path / "out.jsonl")}
    assert sorted(written) == list(range(1, 53))
    assert (written[52]["custom_id"], written[52]["response"]["status_code"]) == ("last", 200)
    assert written[51]["error"]["field"] == "prompt"
    body: Any = server.requests[0].json()
    assert (list(body)[-1], body["model"], "model" in body["requests"][0]["body"]) == (
        "requests",
        MODEL + ":batch",
        False,
    )


async def test_rows_of_several_models_go_in_batches_of_their_own(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    models = [MODEL, "x-ai/grok-4.7", MODEL, "x-ai/grok-4.7:batch", "x-ai/grok-4.7:free"]
    rows = [{"body": {"model": one, "messages": [{"role": "user", "content": str(n)}]}} for n, one in enumerate(models)]
    rows.append({"body": {"models": models[:2], "messages": [{"role": "user", "content": "x"}]}})
    source.write_text("\n".join(map(json.dumps, rows)))
    async with Simulator(seed=1) as server:
        summary = await ran(server, source, via="batches", poll_secs=0.02)
        assert (summary.counts.done, summary.counts.refused, posts(server)) == (4, 2, 2)
    told = {line["row"]: line["error"] for line in lines(tmp_path / "out.jsonl") if line["error"]}
    assert (told[5]["field"], told[6]["field"]) == ("model", "models")
    assert told[5]["message"].startswith("line 5: ")


@pytest.mark.parametrize("fault", ["reset", "close", "cut", "badjson"])
async def test_a_submission_in_doubt_is_looked_up_and_never_repeated(tmp_path: Path, fault: str) -> None:
    """It was accepted, and nobody was told: the bug that pays a whole batch twice."""
    async with Simulator(seed=1, batch_secs=0.1) as server:
        server.script(fault)
        summary = await ran(server, prompts(tmp_path, 10), **VIA)
        assert (summary.exit_code, posts(server)) == (COMPLETE, 1)
        assert set(submitted(server).values()) == {1}


async def test_a_submission_in_doubt_that_was_not_accepted_is_made_again(tmp_path: Path) -> None:
    async with Simulator(seed=1) as server:
        server.script("500")
        summary = await ran(server, prompts(tmp_path, 10), **VIA)
        assert (summary.exit_code, posts(server)) == (COMPLETE, 2)
        assert set(submitted(server).values()) == {1}


async def test_a_batch_of_somebody_else_is_not_taken_for_ours(tmp_path: Path) -> None:
    """It has as many requests, and is as old; its results are a stranger's."""
    theirs = {"custom_id": "a-1", "body": {"messages": [{"role": "user", "content": "theirs"}]}}
    async with Simulator(seed=1, batch_secs=0.1) as server:
        from openrouter_client import OpenRouterClient
        from openrouter_core.wire.batches import BatchRequest

        async with unwrap(OpenRouterClient.new(config_of(server))) as client:
            asked = BatchRequest(endpoint="/v1/chat/completions", model=f"{MODEL}:batch", requests=[theirs])
            unwrap(await client.batches.create(asked))
        server.script("500")
        summary = await ran(server, prompts(tmp_path, 1), **VIA)
        assert (summary.exit_code, posts(server)) == (COMPLETE, 3)
    (line,) = lines(tmp_path / "out.jsonl")
    assert "theirs" not in json.dumps(line)


@pytest.mark.parametrize(("fault", "done"), [("batch-expired@0.3", 3), ("batch-cancelled@0.3", 3), ("batch-failed", 0)])
async def test_what_a_batch_leaves_undone_is_a_failed_row(tmp_path: Path, fault: str, done: int) -> None:
    source = prompts(tmp_path, 10)
    async with Simulator(seed=1) as server:
        server.script(fault)
        summary = await ran(server, source, **VIA)
        assert (summary.counts.done, summary.counts.failed) == (done, 10 - done)
        assert summary.exit_code == (PARTIAL if done else NOTHING)
        told = [line["error"]["message"] for line in lines(tmp_path / "out.jsonl") if line["error"]]
        assert all(fault.partition("@")[0].removeprefix("batch-") in one or "not run" in one for one in told)
        rest = await ran(server, source, retry_failed=True, **VIA)
        assert (rest.exit_code, rest.answered_now) == (COMPLETE, 10 - done)
        assert sizes(server) == [10, 10 - done]
    assert sorted(line["row"] for line in lines(tmp_path / "out.jsonl")) == list(range(1, 11))


async def test_requests_that_fail_in_a_batch_are_judged_as_calls_are(tmp_path: Path) -> None:
    source = prompts(tmp_path, 40)
    async with Simulator(seed=1, faults="503:0.2,400:0.2") as server:
        server.script("ok")
        summary = await ran(server, source, **VIA)
        assert summary.counts.failed > 0
        assert summary.counts.refused > 0
        assert summary.counts.done + summary.counts.failed + summary.counts.refused == 40
    kinds = Counter(line["error"]["type"] for line in lines(tmp_path / "out.jsonl") if line["error"])
    assert kinds == {"ProviderError": summary.counts.failed, "InvalidRequest": summary.counts.refused}


async def test_a_submission_that_is_refused_fails_its_rows_and_says_why(tmp_path: Path) -> None:
    async with Simulator(seed=1) as server:
        summary = await ran(server, prompts(tmp_path, 3), **{**VIA, "model": "nonexistent/model"})
        assert (summary.counts.failed, summary.exit_code, posts(server)) == (3, NOTHING, 1)
    assert "is not available through the Batch API" in lines(tmp_path / "out.jsonl")[0]["error"]["message"]


@pytest.mark.parametrize(("status", "stop", "code"), [(402, "credits", BUDGET), (401, "key", 4)])
async def test_what_all_batches_would_meet_stops_the_run(tmp_path: Path, status: int, stop: str, code: int) -> None:
    async with Loopback(answer(status, error(status))) as server:
        summary = await ran(server, prompts(tmp_path, 5), **VIA)
        assert (summary.stop, summary.exit_code, summary.counts.todo, len(server.requests)) == (stop, code, 5, 1)
    assert states(tmp_path) == {TODO: 5}


async def test_a_server_that_is_away_is_tried_again_and_rows_stay_to_do(tmp_path: Path) -> None:
    async with Simulator(seed=1) as server:
        url = config_of(server)
    run = unwrap(BatchRun.new(prompts(tmp_path, 5), tmp_path / "out.jsonl", BatchSettings(**VIA), config=url))
    summary = unwrap(await run.run())
    assert (summary.exit_code, summary.counts.todo) == (NOTHING, 5)
    assert "ConnectError" in summary.told


async def test_the_time_to_wait_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    source = prompts(tmp_path, 5)
    async with Simulator(seed=1, batch_secs=0.6) as server:
        summary = await ran(server, source, wait_secs=0.1, **VIA)
        assert (summary.stop, summary.exit_code, summary.counts.in_flight) == ("deadline", TIME, 5)
        assert "go on at OpenRouter" in summary.told
        calls = await ran(server, source, model=MODEL)
        assert (calls.counts.in_flight, calls.answered_now, posts(server)) == (5, 0, 1)
        rest = await ran(server, source, **VIA)
        assert (rest.exit_code, rest.answered_now, posts(server)) == (COMPLETE, 5, 1)


async def test_a_stop_leaves_the_batches_and_an_abort_even_a_submission(tmp_path: Path) -> None:
    source = prompts(tmp_path, 5)
    async with Simulator(seed=1, batch_secs=0.5) as server:
        run = made(server, source, **VIA)
        task = asyncio.create_task(run.run())
        await until(lambda: any(one.id for one in run.batches))
        run.stop()
        summary = unwrap(await task)
        assert (summary.exit_code, summary.counts.in_flight) == (INTERRUPTED, 5)
        rest = await ran(server, source, **VIA)
        assert (rest.exit_code, posts(server)) == (COMPLETE, 1)

    other = tmp_path / "other"
    other.mkdir()
    async with Simulator(seed=1) as server:
        server.script("silent")
        run = made(server, prompts(other, 5), **VIA)
        task = asyncio.create_task(run.run())
        await until(lambda: len(server.requests) == 1)
        run.stop()
        run.abort()
        assert unwrap(await task).counts.in_flight == 5
        rest = await ran(server, other / "prompts.jsonl", **VIA)
        assert (rest.exit_code, posts(server)) == (COMPLETE, 2)


async def test_a_budget_holds_for_batches_and_what_they_did_not_cost_is_spent_on_others(tmp_path: Path) -> None:
    source = prompts(tmp_path, 60)
    settings: dict[str, Any] = {**VIA, "max_tokens": 40}
    async with Simulator(seed=1) as server:
        first = await ran(server, source, max_cost_usd=0.0005, **settings)
        assert (first.exit_code, first.stop) == (BUDGET, "budget")
        assert "BudgetExceeded" in first.told
        assert 0 < first.counts.done < 60
        assert (first.counts.in_flight, first.counts.done + first.counts.todo) == (0, 60)
        assert len(sizes(server)) > 1
        assert server.cost == pytest.approx(first.counts.cost_usd)
        assert first.counts.cost_usd <= 0.0005
        rest = await ran(server, source, max_cost_usd=1.0, **settings)
        assert (rest.exit_code, rest.counts.done) == (COMPLETE, 60)
        assert rest.counts.cost_usd == pytest.approx(server.cost)
    assert set(submitted(server).values()) == {1}


async def test_a_lower_limit_takes_the_results_of_all_rows_down(tmp_path: Path) -> None:
    source = prompts(tmp_path, 9)
    async with Simulator(seed=1, batch_secs=0.5) as server:
        await ran(server, source, wait_secs=0.05, **VIA)
        few = await ran(server, source, limit=3, **VIA)
        assert (few.exit_code, few.counts.done, few.counts.rows) == (COMPLETE, 3, 3)
        rest = await ran(server, source, **VIA)
        assert (rest.exit_code, rest.counts.done, posts(server)) == (COMPLETE, 9, 1)
    assert sorted(line["row"] for line in lines(tmp_path / "out.jsonl")) == list(range(1, 10))


async def test_a_batch_that_is_not_found_is_left_alone_until_it_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another key's: to ask its rows again on one's own would pay them twice."""
    monkeypatch.setattr(batches, "FRESH_SECS", 0.0)
    source = prompts(tmp_path, 3)
    async with Simulator(seed=1, batch_secs=60.0) as server:
        await ran(server, source, wait_secs=0.05, **VIA)
    async with Simulator(seed=2) as server:
        summary = await ran(server, source, **VIA)
        assert (summary.counts.in_flight, summary.in_batches, posts(server)) == (3, 3, 0)
        assert "another key" in summary.told
        given_up = await ran(server, source, in_doubt="report", **VIA)
        assert (given_up.counts.in_doubt, given_up.counts.in_flight) == (3, 0)
        assert states(tmp_path) == {IN_DOUBT: 3}
        rest = await ran(server, source, **VIA)
        assert (rest.exit_code, posts(server)) == (COMPLETE, 1)


async def test_an_estimate_knows_the_price_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST", 4)
    source = prompts(tmp_path, 9)
    source.write_text(
        source.read_text() + '{"body": {"models": ["a/b"], "messages": [{"role": "user", "content": "x"}]}}'
    )
    async with Simulator(seed=1) as server:
        full = unwrap(await estimate(made(server, source, model=MODEL, max_tokens=10)))
        half = unwrap(await estimate(made(server, source, max_tokens=10, **VIA)))
        assert (half.batches, half.invalid, half.full_price) == (3, 1, 0)
        assert half.most_usd < 0.6 * full.most_usd
        dear = unwrap(await estimate(made(server, source, max_tokens=10, **{**VIA, "model": "acme/unheard"})))
        assert (dear.full_price, dear.unpriced, posts(server)) == (9, 9, 0)


async def test_settings_that_batches_cannot_heed_are_told(tmp_path: Path) -> None:
    async with Simulator(seed=1) as server:
        other = [Fallback("other/model")]
        made_of = BatchRun.new(
            prompts(tmp_path, 1),
            tmp_path / "o",
            BatchSettings(via="batches"),
            fallbacks=other,
            config=config_of(server),
        )
        assert isinstance(made_of, Failure)
        told = made_of.failure()
        assert isinstance(told, InvalidRequest)
        assert told.field == "fallbacks"
