"""Several real processes with one key, through Redis, against one local OpenRouter: what they reach together.

    python -m tests.benchmarks.sharing [--seconds 60] [--processes 4] [--rate 200]

Goals: at least 98 % of the quota together, at most 0.015 rejections per success, and with a known rate never more than
rate * t + burst in any span of time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque
from dataclasses import asdict, dataclass

from tests.redis_server import RedisServer

from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.simulator import Simulator

BURST = 20


@dataclass(frozen=True)
class Load:
    """What one process is told."""

    base_url: str
    api_key: str
    redis_url: str | None
    seconds: float
    requests_per_minute: float | None = None
    callers: int = 64


@dataclass(frozen=True)
class Figures:
    """What all processes reached: the part of the quota that was used, in the whole and after the first fifth.

    `burst` is the smallest for which no span of time held more than rate * t + burst requests.
    """

    successes: int
    rejections: int
    failures: int
    used: float
    later: float
    burst: float
    shares: tuple[int, ...]

    @property
    def rejected(self) -> float:
        return self.rejections / max(1, self.successes)

    def __str__(self) -> str:
        return (
            f"{self.successes} successes ({'/'.join(map(str, self.shares))}), {self.failures} failures;"
            f" {self.used:.1%} of the quota, {self.later:.1%} after the first fifth;"
            f" {self.rejected:.4f} rejections per success; burst {self.burst:.1f}"
        )


def tell(line: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def process(load: Load) -> None:
    """Be one of the processes: call as fast as one may, and tell how many calls succeeded."""
    config = OpenRouterConfig(
        api_key=load.api_key,
        base_url=load.base_url,
        redis_url=load.redis_url,
        requests_per_minute=load.requests_per_minute,
    )
    request = ChatCompletionRequest(messages=[ChatMessage.user("Hello")])
    counts = {True: 0, False: 0}
    loop = asyncio.get_running_loop()
    async with unwrap(OpenRouterClient.new(config)) as client:
        tell("ready")
        await loop.run_in_executor(None, sys.stdin.readline)

        async def caller() -> None:
            while True:
                answer = await client.chat_completion(request)
                counts[bool(answer.value_or(None))] += 1

        callers = [loop.create_task(caller()) for _ in range(load.callers)]
        await asyncio.sleep(load.seconds)
        for one in callers:
            one.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        tell(json.dumps({"successes": counts[True], "failures": counts[False]}))


async def measured(
    seconds: float,
    *,
    processes: int = 4,
    rate: int = 200,
    known: bool = False,
    redis_url: str | None,
    callers: int = 64,
) -> Figures:
    """Run the processes, and read at the server what they did."""
    async with Simulator(seed=1, quota=f"{rate}/s burst {BURST} nohint", latency=(0.05, 0.15)) as server:
        server.requests = deque()
        rpm = rate * 60.0 if known else None
        load = Load(server.base_url, server.api_key, redis_url, seconds, rpm, callers)
        children = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.benchmarks.sharing", "--load", json.dumps(asdict(load))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(processes)
        ]
        try:
            for child in children:
                assert child.stdout is not None
                await child.stdout.readline()
            told = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
        finally:
            for child in children:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
        counts = [json.loads(out) for out, _ in told]
        times = sorted((request.at, request.answer) for request in server.requests)
    return figures(times, counts, seconds, rate)


def figures(times: list[tuple[float, str]], counts: list[dict[str, int]], seconds: float, rate: int) -> Figures:
    """Read the figures off what arrived."""
    began = times[0][0]
    times = [(at, answer) for at, answer in times if at <= began + seconds]
    accepted = [at for at, answer in times if answer == "ok"]
    steady = began + seconds / 5
    debt, last, most = 0.0, began, 0.0
    for at, _ in times:
        debt = max(0.0, debt - rate * (at - last)) + 1.0
        most, last = max(most, debt), at
    return Figures(
        successes=len(accepted),
        rejections=len(times) - len(accepted),
        failures=sum(count["failures"] for count in counts),
        used=len(accepted) / (rate * seconds + BURST),
        later=sum(at > steady for at in accepted) / (rate * (began + seconds - steady)),
        burst=most,
        shares=tuple(count["successes"] for count in counts),
    )


async def main(seconds: float, processes: int, rate: int) -> None:
    """Print the figures: learned and known, shared, and not shared for comparison."""
    tell(f"{processes} processes, one key, {rate}/s burst {BURST}, {seconds:g} s each")
    with RedisServer() as redis:
        for name, known, url in (
            ("known rate, shared", True, redis.url),
            ("unknown quota, shared", False, redis.url),
            ("unknown quota, each for itself", False, None),
        ):
            redis.tell("FLUSHALL")
            tell(f"{name}: {await measured(seconds, processes=processes, rate=rate, known=known, redis_url=url)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--load")
    given = parser.parse_args()
    asyncio.run(
        process(Load(**json.loads(given.load))) if given.load else main(given.seconds, given.processes, given.rate)
    )
