"""What a call says about itself: log lines with their fields, and moments for the hook."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from tests.core.streamed import ended, said
from tests.shell import sse
from tests.shell.loopback import (
    KEY,
    OK,
    Loopback,
    Talk,
    answer,
    asking,
    client_of,
    completion,
    error,
    silence,
    until,
)

from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, OpenRouterConfig, Success, unwrap
from openrouter_client.records import CONTENT_LIMIT
from openrouter_client.world import Watcher
from openrouter_core.admission import Stats
from openrouter_core.journal import Answered, Ended, Left, Moment, Queued, Sent, Slept, replay
from openrouter_core.policy import policy_of
from openrouter_core.simulate import chat_job
from openrouter_core.states import Done, Job

LIMITED = answer(429, error(429), {"Retry-After": "0.02", "X-Generation-Id": "gen-lost"})


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Our log, from DEBUG on."""
    caplog.set_level(logging.DEBUG, "openrouter_client")
    return caplog


def ours(log: pytest.LogCaptureFixture, level: int) -> list[logging.LogRecord]:
    return [record for record in log.records if record.name == "openrouter_client" and record.levelno == level]


async def test_a_call_is_one_line_at_debug(log: pytest.LogCaptureFixture) -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        unwrap(await client.chat_completion(asking(model="x-ai/grok-4")))
    (line,) = ours(log, logging.DEBUG)
    fields = vars(line)
    assert fields["result"] == "ok"
    assert fields["endpoint"] == "POST /chat/completions"
    assert (fields["attempts"], fields["model"], fields["generation_id"]) == (1, "x-ai/grok-4", "gen-1")
    assert fields["cost_usd"] == 0.001
    assert fields["elapsed_secs"] > 0
    assert "result=ok" in line.getMessage()
    assert not ours(log, logging.WARNING)


async def test_each_retry_is_a_line_at_warning(log: pytest.LogCaptureFixture) -> None:
    async with Loopback(LIMITED, answer(502), OK) as server, client_of(server, max_retries=3) as client:
        unwrap(await client.chat_completion(asking(model="x-ai/grok-4")))
    first, second = ours(log, logging.WARNING)
    assert vars(first)["attempt"] == 1
    assert vars(first)["max_attempts"] == 4
    assert 0.02 <= vars(first)["delay_secs"] <= 0.022
    assert vars(first)["reason"] == "RateLimited, HTTP 429"
    assert vars(first)["status"] == 429
    assert vars(first)["generation_id"] == "gen-lost"
    assert first.getMessage().startswith("attempt 1 of 4 failed, retrying in 0.02")
    assert second.getMessage() == "attempt 2 of 4 failed, retrying in 0.002 s: ProviderError, HTTP 502"


async def test_a_call_that_fails_is_one_line_too(log: pytest.LogCaptureFixture) -> None:
    async with Loopback(answer(402, error(402))) as server, client_of(server) as client:
        (await client.chat_completion(asking(model="x-ai/grok-4"))).failure()
    (line,) = ours(log, logging.DEBUG)
    assert vars(line)["result"] == "InsufficientCredits"
    assert vars(line)["status"] == 402


@pytest.mark.parametrize("said", [answer(200, completion("the ANSWER")), answer(400, error(400, "your PROMPT is bad"))])
@pytest.mark.parametrize("content", [False, True])
async def test_prompts_and_answers_are_logged_where_the_caller_wants_it(
    log: pytest.LogCaptureFixture, said: bytes, *, content: bool
) -> None:
    async with (
        Loopback(answer(503, error(503, "PROMPT")), said) as server,
        client_of(server, log_content=content) as client,
    ):
        await client.chat_completion(asking("a PROMPT", model="x-ai/grok-4"))
    everything = "".join(record.getMessage() + repr(vars(record)) for record in log.records)
    assert ("PROMPT" in everything) is content
    assert ("ANSWER" in everything) is (content and b"ANSWER" in said)
    assert KEY not in everything


async def test_what_is_shown_of_a_prompt_is_bounded(log: pytest.LogCaptureFixture) -> None:
    async with Loopback(OK) as server, client_of(server, log_content=True) as client:
        unwrap(await client.chat_completion(asking("x" * 100_000, model="x-ai/grok-4")))
    (line,) = ours(log, logging.DEBUG)
    assert len(line.getMessage()) < 3 * CONTENT_LIMIT


async def test_a_server_cannot_write_lines_into_the_log(log: pytest.LogCaptureFixture) -> None:
    """Kills: an id with line breaks that forges a line of ours."""
    forged = answer(200, completion(id="gen-1\nWARNING openrouter_client: all is lost", model="x\r\ny"))
    async with Loopback(forged) as server, client_of(server) as client:
        unwrap(await client.chat_completion(asking()))
    for record in log.records:
        assert "\n" not in record.getMessage()
        assert "\r" not in record.getMessage()


async def test_a_retired_model_is_mentioned_once(log: pytest.LogCaptureFixture) -> None:
    async with Loopback(OK) as server, client_of(server) as client:
        for _ in range(3):
            unwrap(await client.chat_completion(asking()))
        assert {json.loads(seen.body)["model"] for seen in server.requests} == {"~x-ai/grok-latest"}
    (line,) = ours(log, logging.WARNING)
    assert vars(line)["model"] == "x-ai/grok-3-latest"
    assert vars(line)["successor"] == "~x-ai/grok-latest"


async def test_nothing_is_printed_where_nobody_listens(capfd: pytest.CaptureFixture[str]) -> None:
    async with Loopback(answer(502), OK) as server, client_of(server) as client:
        unwrap(await client.chat_completion(asking()))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


# --- the hook ---------------------------------------------------------------------------------------------------------


async def test_the_hook_sees_every_moment_in_order() -> None:
    moments: list[Moment] = []
    async with Loopback(LIMITED, OK) as server, client_of(server, observe=moments.append) as client:
        unwrap(await client.chat_completion(asking()))
        unwrap(await client.chat_completion(asking()))
    assert [(moment.call, type(moment.event)) for moment in moments] == [
        *((0, kind) for kind in (Queued, Sent, Answered, Slept, Queued, Sent, Answered, Ended)),
        *((1, kind) for kind in (Queued, Sent, Answered, Ended)),
    ]
    instants = [moment.at for moment in moments]
    assert instants == sorted(instants)
    assert msgspec.json.decode(msgspec.json.encode(moments), type=list[Moment]) == moments


async def test_the_moments_are_enough_to_play_a_call_again() -> None:
    """Kills: an interpreter that decides by something that it does not tell."""
    moments: list[Moment] = []
    async with Loopback(LIMITED, answer(502), OK) as server, client_of(server, observe=moments.append) as client:
        answered = unwrap(await client.chat_completion(asking()))
        again = replay(chat_job(policy_of(client.config)), moments)
    assert isinstance(again, Done)
    assert again.result == Success(answered)


@pytest.mark.parametrize("failure", [ValueError("no"), AssertionError(), RecursionError(), asyncio.CancelledError()])
async def test_a_hook_that_fails_does_not_hurt(failure: BaseException, log: pytest.LogCaptureFixture) -> None:
    def hook(moment: Moment) -> None:
        raise failure

    async with Loopback(answer(502), OK) as server, client_of(server, observe=hook, max_connections=1) as client:
        assert unwrap(await client.chat_completion(asking())).text == "hello"
        assert client._calls.line.admission.in_flight == 0
    assert len(ours(log, logging.ERROR)) == 8


async def test_a_hook_may_cancel_its_call() -> None:
    def hook(moment: Moment) -> None:
        task = asyncio.current_task()
        if isinstance(moment.event, Sent) and task is not None:
            task.cancel()

    async with Loopback(silence) as server, client_of(server, observe=hook, max_connections=1) as client:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(client.chat_completion(asking()))
        assert client._calls.line.admission.in_flight == 0


async def left_after(client: OpenRouterClient, asked: asyncio.Event) -> None:
    task = asyncio.create_task(client.chat_completion(asking()))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_is_cancelled_is_told_as_left(log: pytest.LogCaptureFixture) -> None:
    """Kills: a call that begins and is never heard of again."""
    moments: list[Moment] = []
    asked = asyncio.Event()

    async def silent(talk: Talk) -> None:
        asked.set()
        await talk.gone()

    async with Loopback(silent) as server, client_of(server, observe=moments.append) as client:
        await left_after(client, asked)
    assert [type(moment.event) for moment in moments] == [Queued, Sent, Left]
    last = moments[-1].event
    assert isinstance(last, Left)
    assert last.attempts == 1
    (line,) = ours(log, logging.DEBUG)
    assert (vars(line)["result"], vars(line)["attempts"]) == ("left", 1)


async def test_a_stream_that_is_left_has_one_end() -> None:
    """Kills: a stream that is told as ended and as left, or as neither."""
    for scripts, read, last in (([sse.then_wait(said("It"))], 1, Ended), ([sse.then_wait()], 0, Left)):
        moments: list[Moment] = []
        async with Loopback(*scripts) as server, client_of(server, observe=moments.append) as client:
            stream = client.stream_chat_completion(asking())
            task = asyncio.create_task(anext(stream))
            await until(partial(getattr, server, "requests"))
            if read:
                await task
            else:
                task.cancel()
                await asyncio.wait([task])
            await stream.close()
        assert [type(moment.event) for moment in moments if isinstance(moment.event, (Ended, Left))] == [last]


class Failing:
    """An observer that fails, at the beginning of calls or ever after."""

    def __init__(self, *, at_once: bool) -> None:
        self.at_once = at_once

    def attached(self, config: OpenRouterConfig, stats: Callable[[], Stats]) -> None:
        assert stats is not None

    def begun(self, number: int, job: Job[Any]) -> tuple[Job[Any], Watcher]:
        if self.at_once:
            raise ValueError("no")
        return job, self

    def heard(self, at: float) -> None:
        raise ValueError("no")

    def state(self, at: float, state: Any) -> None:
        raise ValueError("no")

    def outcome(self, at: float, outcome: Any, roll: float, company: int) -> None:
        raise ValueError("no")

    def left(self, at: float) -> None:
        raise ValueError("no")


@pytest.mark.parametrize("at_once", [True, False])
async def test_an_observer_that_fails_does_not_hurt(log: pytest.LogCaptureFixture, *, at_once: bool) -> None:
    observer = Failing(at_once=at_once)
    async with (
        Loopback(sse.whole(said("It", " will") + ended())) as server,
        client_of(server, observe=observer) as client,
    ):
        assert unwrap(await client.chat_completion(asking(), streamed=True)).text == "It will"
    assert len(ours(log, logging.ERROR)) == (1 if at_once else 4 + 4)  # moments, and chunks


def test_a_keyboard_interrupt_in_a_hook_is_the_users() -> None:
    def hook(moment: Moment) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        async with client_of("http://127.0.0.1:1", observe=hook) as client:
            await client.chat_completion(asking())

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


async def test_concurrent_calls_are_told_apart() -> None:
    moments: list[Moment] = []
    async with Loopback(OK) as server, client_of(server, observe=moments.append) as client:
        await asyncio.gather(*(client.chat_completion(asking()) for _ in range(20)))
    for call in range(20):
        told: list[Any] = [type(moment.event) for moment in moments if moment.call == call]
        assert told == [Queued, Sent, Answered, Ended]


async def test_a_request_that_is_refused_is_not_a_call() -> None:
    moments: list[Moment] = []
    async with client_of("http://127.0.0.1:1", observe=moments.append) as client:
        (await client.chat_completion(ChatCompletionRequest(messages=[]))).failure()
        (await client.chat_completion(ChatCompletionRequest(messages=[ChatMessage.user("hi")], top_p=7.0))).failure()
    assert not moments
