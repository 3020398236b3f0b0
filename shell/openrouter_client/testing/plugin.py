"""The fixtures: pytest loads them by `pytest_plugins = ["openrouter_client.testing"]`.

All are plain functions. The local OpenRouter serves from a thread with an event loop of its own, so that no plugin for
async fixtures is needed, and tests that are not async can use it too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from openrouter_client.simulator import Simulator
from openrouter_client.testing.clock import VirtualClock
from openrouter_core.config import OpenRouterConfig

MARK = "openrouter(seed=..., faults=..., quota=..., latency=...): settings of the local OpenRouter of this test"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", MARK)


@contextmanager
def serving(simulator: Simulator) -> Generator[Simulator, None, None]:
    """Let a simulator serve from a thread of its own for as long as the block lasts."""
    began: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        over = asyncio.Event()
        async with simulator:
            began.set_result((asyncio.get_running_loop(), over))
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if began.done():
                raise
            began.set_exception(error)

    thread = threading.Thread(target=run, name="openrouter", daemon=True)
    thread.start()
    try:
        loop, over = began.result()
        try:
            yield simulator
        finally:
            loop.call_soon_threadsafe(over.set)
    finally:
        thread.join()


@pytest.fixture
def openrouter(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """Serve a local OpenRouter: `openrouter.script("503", "ok")` says what the next requests meet.

    `@pytest.mark.openrouter(seed=1, faults="502:0.1", quota="10/s")` sets it up, with the arguments of `Simulator`.
    """
    mark = request.node.get_closest_marker("openrouter")
    settings: dict[str, Any] = {} if mark is None else dict(mark.kwargs)
    with serving(Simulator(**settings)) as simulator:
        yield simulator


@pytest.fixture
def openrouter_config(openrouter: Simulator) -> OpenRouterConfig:
    """Give the settings of a client of the local OpenRouter; retries wait a millisecond."""
    return OpenRouterConfig(api_key=openrouter.api_key, base_url=openrouter.base_url, retry_delay_ms=1)


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """Give a clock that does not wait: `with virtual_clock:` in an async test, or `virtual_clock.run(...)`."""
    return VirtualClock()
