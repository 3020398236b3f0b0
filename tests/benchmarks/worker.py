"""One measurement, in a process of its own: what to measure comes as arguments, numbers go out as JSON.

    python -m tests.benchmarks.worker calls <client> <origin> <at once> <count>
    python -m tests.benchmarks.worker streams <client> <origin> <at once> <count> <chunks> <burst or paced>

These two say "ready" when they are warm, and measure once for each line that they read, so that two clients can take
turns. The others measure once.

    python -m tests.benchmarks.worker memory <client> <origin> <at once> <count>
    python -m tests.benchmarks.worker waiting <count> <origin>
    python -m tests.benchmarks.worker core <count>
    python -m tests.benchmarks.worker admission <waiting> <count>

CPU is user and system time of this process around the work, imports and warming up excluded.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import resource
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.clients import CLIENTS, KEY

Numbers = dict[str, float]
Measure = Callable[[], Awaitable[Numbers]]

PATIENCE_SECS = 300.0
"""No measurement takes longer."""

WARM_SECS = 4.0
"""Work before the measurement: connections are open by then, and a client that looks for a quota has found none."""


def cpu() -> float:
    """Tell how many seconds of CPU this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    """Tell the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024.0)


def resident() -> float:
    """Tell how much memory this process has now, in bytes; the most that it has had, where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * float(resource.getpagesize()) if statm.exists() else peak()


async def repeated(work: Callable[[], Awaitable[Any]], at_once: int, count: int, most: int = 10**9) -> list[float]:
    """Do the work `count` times, `at_once` at a time; give the seconds that each took, of the last `most`."""
    left = iter(range(count))
    took: deque[float] = deque(maxlen=most)

    async def worker() -> None:
        for _ in left:
            began = time.perf_counter()
            await work()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return list(took)


async def warmed(work: Callable[[], Awaitable[Any]], at_once: int) -> None:
    """Do the work for a while."""
    until = time.perf_counter() + WARM_SECS
    while time.perf_counter() < until:
        await repeated(work, at_once, 4 * at_once)


@asynccontextmanager
async def calls(client: str, origin: str, at_once: str, count: str) -> AsyncIterator[Measure]:
    """Measure calls that are answered whole."""
    async with CLIENTS[client](f"{origin}/api/v1", int(at_once)) as asking:
        await warmed(asking.call, int(at_once))

        async def measure() -> Numbers:
            began = cpu()
            took = sorted(await repeated(asking.call, int(at_once), int(count)))
            used = cpu() - began
            return {"cpu": used / len(took), "p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}

        yield measure


@asynccontextmanager
async def streams(client: str, origin: str, *given: str) -> AsyncIterator[Measure]:
    """Measure streams, per chunk."""
    at_once, count, chunks, kind = given
    async with CLIENTS[client](f"{origin}/{kind}/{chunks}", int(at_once)) as asking:
        await warmed(asking.stream, int(at_once))

        async def measure() -> Numbers:
            began = cpu()
            done = await repeated(asking.stream, int(at_once), int(count))
            return {"cpu": (cpu() - began) / (len(done) * int(chunks))}

        yield measure


async def memory(client: str, origin: str, at_once: str, count: str) -> Numbers:
    """Measure how much memory grows after the first tenth of many calls, in bytes."""
    async with CLIENTS[client](f"{origin}/api/v1", int(at_once)) as asking:
        await warmed(asking.call, int(at_once))
        await repeated(asking.call, int(at_once), int(count) // 10, 0)
        before = resident()
        await repeated(asking.call, int(at_once), int(count) * 9 // 10, 0)
        return {"grown": resident() - before, "peak": peak()}


async def waiting(count: str, origin: str) -> Numbers:
    """Measure the memory of calls that wait in line, in bytes for each."""
    from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, OpenRouterConfig, unwrap

    config = OpenRouterConfig(api_key=KEY, base_url=f"{origin}/never", max_connections=1)
    async with unwrap(OpenRouterClient.new(config)) as client:
        request = ChatCompletionRequest(messages=[ChatMessage.user("Wheat?")])
        tasks = [asyncio.ensure_future(client.chat_completion(request)) for _ in range(100)]
        await asyncio.sleep(0.05)
        gc.collect()
        before = resident()
        tasks += [asyncio.ensure_future(client.chat_completion(request)) for _ in range(int(count))]
        await asyncio.sleep(0.5)
        used = resident() - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"bytes": used / int(count)}


async def core(count: str) -> Numbers:
    """Measure building a request and judging its answer, alone."""
    from tests.benchmarks.canned import ANSWER, MODEL, PROMPT

    from openrouter_core.api import CHAT_COMPLETIONS
    from openrouter_core.build import BuildSettings, build_chat
    from openrouter_core.classify import classify
    from openrouter_core.outcome import Responded
    from openrouter_core.verdict import Accepted, Rules
    from openrouter_core.wire.message import ChatMessage
    from openrouter_core.wire.request import ChatCompletionRequest

    build, rules = BuildSettings(url="https://openrouter.ai/api/v1/chat/completions"), Rules()
    headers = {"content-type": "application/json", "x-generation-id": "gen-1", "date": "Thu, 01 Oct 2026 10:00:00 GMT"}
    outcome = Responded(200, ANSWER, headers, 1790000000.0)

    def once() -> None:
        request = ChatCompletionRequest(model=MODEL, messages=[ChatMessage.user(PROMPT)], temperature=0.2)
        build_chat(request, build).unwrap()
        if not isinstance(classify(CHAT_COMPLETIONS, outcome, rules), Accepted):
            raise TypeError("the answer is good")

    for _ in range(200):
        once()
    began = cpu()
    for _ in range(int(count)):
        once()
    return {"cpu": (cpu() - began) / int(count)}


async def admission(waiting: str, count: str) -> Numbers:
    """Measure letting calls go, one by one, while very many wait: the limiters are asked, told, and told the end."""
    from openrouter_core.admission import Admission, Admitted, Ticket
    from openrouter_core.limit.queue import Place
    from openrouter_core.limit.seen import Ask, Seen
    from openrouter_core.limit.standard import LimitSettings, standard

    now = 0.0
    cell: Admission[None] = Admission(standard(LimitSettings()), now)
    ask, answered = Ask(("x-ai/grok-4",)), Seen(kind="ok", scope="x-ai/grok-4")
    for number in range(int(waiting)):
        cell.wait(Ticket(Place(0, number), ask), None, math.inf, now)
    gc.collect()
    began = cpu()
    for _ in range(int(count)):
        now += 0.01
        gone = cell.next(now)
        if not isinstance(gone, Admitted):
            raise TypeError(f"nobody may go: {gone}")
        cell.over(gone.stamp, answered, now)
    return {"cpu": (cpu() - began) / int(count)}


IN_TURNS: dict[str, Callable[..., AbstractAsyncContextManager[Measure]]] = {"calls": calls, "streams": streams}
ONCE: dict[str, Callable[..., Awaitable[Numbers]]] = {
    "memory": memory,
    "waiting": waiting,
    "core": core,
    "admission": admission,
}


async def in_turns(what: str, arguments: list[str]) -> None:
    """Get warm, say so, and measure once for each line of the standard input, until it ends."""
    async with IN_TURNS[what](*arguments) as measure:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            gc.collect()
            tell(await asyncio.wait_for(measure(), PATIENCE_SECS))


async def once(what: str, arguments: list[str]) -> None:
    """Measure once."""
    tell(await asyncio.wait_for(ONCE[what](*arguments), PATIENCE_SECS))


def tell(numbers: Numbers) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(numbers) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure what the arguments say; BENCH_CORE names the core to run on."""
    if os.environ.get("BENCH_CORE") and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(os.environ["BENCH_CORE"])})
    what, *arguments = sys.argv[1:]
    asyncio.run((in_turns if what in IN_TURNS else once)(what, arguments))


if __name__ == "__main__":
    main()
