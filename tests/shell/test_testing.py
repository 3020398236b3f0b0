"""`openrouter_client.testing`: what it promises to people who test code that uses the client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.shell.loopback import Loopback, answer, asking, client_of, completion, until
from tests.shell.telemetry import Memory

from openrouter_client import (
    DeadlineExceeded,
    Disconnected,
    Failure,
    Hedge,
    OpenRouterError,
    ProviderError,
    RateLimited,
    Timeout,
    TruncatedStream,
    unwrap,
)
from openrouter_client.simulator import Simulator
from openrouter_client.testing import (
    Recorder,
    Reply,
    ScriptedWorld,
    Stuck,
    VirtualClock,
    disconnects,
    fails,
    gives,
    is_silent,
    read_trace,
    refuses,
    says,
    streams,
)
from openrouter_client.testing.plugin import serving
from openrouter_core.admission import limits_of
from openrouter_core.endpoints.inference import EMBEDDINGS
from openrouter_core.journal import Slept
from openrouter_core.limit.standard import standard
from openrouter_core.policy import policy_of
from openrouter_core.simulate import chat_job, scripted, simulate
from openrouter_core.wire.embeddings import EmbeddingsRequest

pytest_plugins = ["pytester"]

EPOCH_SECS = 5.0
"""More real time than any hour below may take; it takes milliseconds."""


# --- the virtual clock ------------------------------------------------------------------------------------------------


def test_an_hour_of_retries_takes_no_time() -> None:
    clock, world = VirtualClock(), ScriptedWorld(fails(503))

    async def main() -> Any:
        settings: dict[str, Any] = {"max_retries": 100, "retry_delay_ms": 60_000, "max_retry_delay_ms": 60_000}
        async with world.client(**settings, deadline_secs=3600) as client:
            return await client.chat_completion(asking())

    began = time.monotonic()
    failed = clock.run(main()).failure()
    assert time.monotonic() - began < EPOCH_SECS
    assert isinstance(failed, DeadlineExceeded)
    assert 3000 < clock.elapsed <= 3600
    assert len(world.sends) == len(failed.attempts) >= 50


def test_the_client_does_in_virtual_time_what_is_simulated() -> None:
    """Kills: a world that takes time of its own, or a clock that jumps too far."""
    replies = [fails(429, retry_after=5, after=0.1), disconnects(after=0.5), fails(502), says(after=1.5)]
    clock, world, recorder = VirtualClock(), ScriptedWorld(*replies, rolls=[0.25]), Recorder()

    async def main() -> Any:
        async with world.client(observe=recorder) as client:
            return client.config, await client.chat_completion(asking())

    config, result = clock.run(main())
    job = chat_job(policy_of(config))
    expected = simulate([(0.0, job)], scripted(replies), rolls=[0.25] * 9, limiter=standard(limits_of(config)))
    assert unwrap(result).text == "yes"
    assert world.sends == pytest.approx(expected.sends)
    assert [moment.event for moment in recorder.moments if isinstance(moment.event, Slept)] == [
        moment.event for moment in expected.moments if isinstance(moment.event, Slept)
    ]


def test_the_clock_works_in_a_loop_that_runs_already(virtual: VirtualClock) -> None:
    async def main() -> None:
        began = asyncio.get_running_loop().time()
        with virtual:
            await asyncio.sleep(3600)
            assert virtual.elapsed == pytest.approx(3600)
            assert asyncio.get_running_loop().time() - began >= 3600
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(lambda: 7) == 7
            with pytest.raises(RuntimeError, match="in use"):
                virtual.__enter__()
        assert asyncio.get_running_loop().time() - began < EPOCH_SECS
        with virtual:  # and once more
            await asyncio.sleep(60)
        assert virtual.elapsed == pytest.approx(60)

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())


@pytest.fixture
def virtual() -> VirtualClock:
    return VirtualClock()


def test_a_deadlock_is_told() -> None:
    """Kills: a test that hangs for ever because nobody moves the clock."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck, match="no timer is set"):
        VirtualClock().run(main())


def test_a_foreign_loop_is_refused_and_run_is_the_remedy(virtual: VirtualClock) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", object)
        with pytest.raises(RuntimeError, match=r"asyncio's own .*VirtualClock\(\)\.run"):
            virtual.__enter__()
    assert virtual.run(asyncio.sleep(3600, "slept")) == "slept"
    assert virtual.elapsed == pytest.approx(3600)


# --- the scripted world -----------------------------------------------------------------------------------------------


def test_everything_can_be_scripted(virtual: VirtualClock) -> None:
    async def main() -> None:
        for reply, kind in (
            (fails(429, retry_after=1), RateLimited),
            (fails(502, provider_name="P"), ProviderError),
            (disconnects(), Disconnected),
            (is_silent(), Timeout),
            (streams("It", " will", whole=False), TruncatedStream),
        ):
            async with ScriptedWorld(reply).client(max_retries=0) as client:
                assert isinstance((await client.chat_completion(asking(), streamed=True)).failure(), kind)
        for step in ("dns", "refused", "tls", "reset"):
            async with ScriptedWorld(refuses(step)).client(max_retries=0) as client:
                assert step in repr((await client.chat_completion(asking())).failure())
        world = ScriptedWorld(gives({"data": [{"embedding": [1.0]}]}))
        async with world.client() as client:
            vectors = unwrap(await client.call(EMBEDDINGS, EmbeddingsRequest(model="m", input="hi")))
            assert vectors.data[0].embedding == [1.0]
        assert world.requests[0].url.endswith("/embeddings")

    virtual.run(main())


def test_a_stream_is_handed_out_as_the_real_one_would_be(virtual: VirtualClock) -> None:
    async def main() -> None:
        world = ScriptedWorld(fails(503), streams("It", " will", after=2.0))
        async with world.client() as client:
            async with client.stream_chat_completion(asking()) as stream:
                texts = [text async for text in stream.texts()]
            assert texts == ["It", " will"]
            assert unwrap(stream.result).text == "It will"
            async with client.stream_chat_completion(asking()) as stream:
                await anext(stream)
            assert isinstance(stream.result, Failure)
            assert client.stats().in_flight == 0

    virtual.run(main())
    assert virtual.elapsed == pytest.approx(2 * (1.0 + 2.0))  # each call meets the script from its beginning


def test_a_server_may_be_a_function_of_what_is_asked(virtual: VirtualClock) -> None:
    def server(call: int, attempt: int, now: float) -> Reply:
        return fails(503) if attempt <= call else says(f"{call}: {b'seven' in world.requests[-1].body}")

    world = ScriptedWorld(server=server)

    async def main() -> list[str]:
        async with world.client() as client:
            asked = [client.chat_completion(asking(text)) for text in ("six", "seven", "eight")]
            return [unwrap(answer).text for answer in await asyncio.gather(*asked)]

    assert virtual.run(main()) == ["0: False", "1: True", "2: False"]
    assert len(world.requests) == 1 + 2 + 3


def test_hedges_limits_and_telemetry_run_in_it_too(virtual: VirtualClock) -> None:
    memory, world = Memory(), ScriptedWorld(server=lambda call, _attempt, _now: says(after=30.0 if call == 1 else 0.1))

    async def main() -> None:
        async with world.client(hedge=Hedge(after_secs=2.0), observe=memory.telemetry()) as client:
            answered = unwrap(await client.chat_completion(asking()))
            assert answered.call is not None
            assert answered.call.hedged is not None
            assert answered.call.hedged.winner == "second"
        async with ScriptedWorld(says()).client(requests_per_minute=1) as client:
            await asyncio.gather(*(client.chat_completion(asking()) for _ in range(61)))

    virtual.run(main())
    assert virtual.elapsed == pytest.approx(2.1 + 3600, abs=1.0)
    assert len(memory.calls) == 2
    assert memory.counting.open == 0


async def test_cancelling_and_closing_are_the_clients_own() -> None:
    world = ScriptedWorld(is_silent())
    client = world.client(timeout_secs=3600)
    tasks = [asyncio.create_task(client.chat_completion(asking())) for _ in range(2)]
    await until(lambda: len(world.requests) == 2)
    tasks[0].cancel()
    await client.close()
    cancelled, closed = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert isinstance(closed, Failure)
    assert isinstance(await client.chat_completion(asking()), Failure)
    assert client.stats().alive == 0


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (ScriptedWorld, ValueError),
        (lambda: ScriptedWorld(says(), server=scripted([says()])), ValueError),
        (lambda: ScriptedWorld(says(), rolls=[]), ValueError),
        (lambda: ScriptedWorld(says(), rolls=[1.0]), ValueError),
        (lambda: ScriptedWorld(says()).client(max_retrys=1), TypeError),
        (lambda: ScriptedWorld(says()).client(max_retries=-1), OpenRouterError),
    ],
)
def test_mistakes_are_told(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


# --- traces -----------------------------------------------------------------------------------------------------------


async def test_what_was_recorded_over_sockets_happens_again_without(tmp_path: Path, virtual: VirtualClock) -> None:
    recorder, again = Recorder(), Recorder()
    async with (
        Loopback(answer(503), answer(200, completion("one")), answer(200, completion("two"))) as server,
        client_of(server, observe=recorder) as client,
    ):
        for _ in range(2):
            unwrap(await client.chat_completion(asking()))
        config = client.config
    recorder.write(tmp_path / "trace.jsonl")
    assert config.api_key not in (tmp_path / "trace.jsonl").read_text(encoding="utf-8")
    world = ScriptedWorld.replaying(read_trace(tmp_path / "trace.jsonl"))

    async def replayed() -> Any:
        async with world.client(config, observe=again) as client:
            texts = [unwrap(await client.chat_completion(asking())).text for _ in range(2)]
            return texts, (await client.chat_completion(asking())).failure()

    texts, lost = await asyncio.to_thread(virtual.run, replayed())  # whatever loop it was that had the sockets
    assert texts == ["one", "two"]
    assert "the trace has no attempt" in str(lost)
    kinds = [(moment.call, type(moment.event)) for moment in recorder.moments]
    assert [(moment.call, type(moment.event)) for moment in again.moments][: len(kinds)] == kinds


async def test_streams_are_replayed_too(virtual: VirtualClock) -> None:
    recorder = Recorder()
    async with ScriptedWorld(streams("It", " will")).client(observe=recorder) as client:
        unwrap(await client.stream_chat_completion(asking()).collect())
        unwrap(await client.chat_completion(asking(), streamed=True))
    async with ScriptedWorld.replaying(recorder.moments).client() as client:
        async with client.stream_chat_completion(asking()) as stream:
            assert "".join([text async for text in stream.texts()]) == "It will"
        assert unwrap(stream.result).text == "It will"
        assert unwrap(await client.chat_completion(asking(), streamed=True)).text == "It will"


# --- the plugin -------------------------------------------------------------------------------------------------------

USED = """
import asyncio
import pytest
from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, unwrap
from openrouter_client.testing import ScriptedWorld, fails, says

REQUEST = ChatCompletionRequest(messages=[ChatMessage.user("hi")])


async def ask(config):
    async with unwrap(OpenRouterClient.new(config)) as client:
        return unwrap(await client.chat_completion(REQUEST))


def test_sync(openrouter, openrouter_config):
    openrouter.script("503", "ok")
    answer = asyncio.run(ask(openrouter_config))
    assert len(answer.call.attempts) == 2
    assert [request.answer for request in openrouter.requests][0] == "503"


@MARK
async def test_async(openrouter, openrouter_config):
    openrouter.script("reset")
    assert (await ask(openrouter_config)).text


@MARK
@pytest.mark.openrouter(seed=3, faults={"401": 1.0})
async def test_marked(openrouter, openrouter_config):
    with pytest.raises(Exception, match="401"):
        await ask(openrouter_config)


@MARK
async def test_virtual(virtual_clock):
    world = ScriptedWorld(fails(503), says("yes"))
    with virtual_clock:
        async with world.client(retry_delay_ms=3_600_000, max_retry_delay_ms=3_600_000) as client:
            assert unwrap(await client.chat_completion(REQUEST)).text == "yes"
    assert virtual_clock.elapsed == pytest.approx(3600)


def test_virtual_without_a_loop(virtual_clock):
    assert virtual_clock.run(asyncio.sleep(3600, "slept")) == "slept"
"""

SCOPE = ["-o", "asyncio_default_fixture_loop_scope=function"]  # pytest-asyncio warns where it is not said

WAYS = {
    "asyncio auto": ("pass", ["-p", "no:anyio", "-o", "asyncio_mode=auto", *SCOPE]),
    "asyncio strict": ("pytest.mark.asyncio", ["-p", "no:anyio", "-o", "asyncio_mode=strict", *SCOPE]),
    "anyio": ("pytest.mark.anyio", ["-p", "no:asyncio"]),
}


@pytest.mark.parametrize(
    ("way", "loaded"), [("asyncio auto", "by -p"), ("asyncio strict", "by conftest"), ("anyio", "by conftest")]
)
def test_the_plugin_works_with_every_way_to_run_async_tests(pytester: pytest.Pytester, way: str, loaded: str) -> None:
    mark, options = WAYS[way]
    marked = "def MARK(function):\n    return function\n" if mark == "pass" else f"MARK = {mark}\n"
    module = USED.replace("import pytest\n", f"import pytest\n\n{marked}\n", 1)
    conftest = 'import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"\n'
    if loaded == "by conftest":
        conftest += '\npytest_plugins = ["openrouter_client.testing"]\n'
    else:
        options = [*options, "-p", "openrouter_client.testing"]
    pytester.makeconftest(conftest)
    pytester.makepyfile(module)
    strict = ["--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    pytester.runpytest_subprocess(*options, *strict).assert_outcomes(passed=5)


def test_the_plugin_is_loaded_on_request_only(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(openrouter): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'openrouter' not found*"])


def test_nobody_imports_pytest_who_does_not_test() -> None:
    program = (
        "import sys, openrouter_client.client, openrouter_client.simulator; "
        "assert 'openrouter_client.testing' not in sys.modules; "
        "import openrouter_client.testing as testing; "
        "testing.ScriptedWorld(testing.says()); assert not {'pytest', '_pytest'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_a_server_that_cannot_listen_leaves_no_thread() -> None:
    with serving(Simulator()) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), serving(Simulator(port=port)):
            pass
