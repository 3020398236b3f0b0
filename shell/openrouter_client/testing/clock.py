"""A clock that does not wait: an hour of retries takes milliseconds.

Whenever nothing on the event loop can go on but at some later instant, the loop's clock jumps there. That is right
where nobody waits for anything but the clock: with `ScriptedWorld`, not with sockets.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")

PATIENCE: Final = 1.0
"""How many real seconds to wait for another thread, or a socket, when no timer is set any more."""


class Stuck(AssertionError):
    """Everybody waits, and nothing will ever happen."""


class VirtualClock:
    """Runs a coroutine in virtual time: `VirtualClock().run(main())`; or what follows in a test's own loop.

        with virtual_clock:
            result = await client.chat_completion(request)
        assert virtual_clock.elapsed == 7.0

    `elapsed` is in seconds since it was begun, at a whole second of the loop's clock: so whole seconds, halves and
    quarters add up exactly. It works on asyncio's own event loops, one of which `run` brings along; a RuntimeError says
    so of others (uvloop's).
    """

    def __init__(self) -> None:
        self.elapsed: float = 0.0
        self._loop: Any = None
        self._began: float = 0.0
        self._select: Any = None

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on a new event loop."""

        async def timed() -> T:
            with self:
                return await main

        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(timed())

    def __enter__(self) -> Self:
        if self._loop is not None:
            raise RuntimeError("this clock is in use already")
        loop: Any = asyncio.get_running_loop()
        selector = getattr(loop, "_selector", None)
        if selector is None:
            raise RuntimeError(
                f"VirtualClock needs one of asyncio's own event loops, and this is {type(loop)}: use "
                "VirtualClock().run(...), which brings one along, in a test that is not async"
            )
        now: float = loop.time()
        self._loop, self._began, self.elapsed = loop, float(math.ceil(now)), 0.0
        self._select = selector.select
        loop.time, selector.select = self._time, self._advance
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._loop.time, self._loop._selector.select  # noqa: SLF001 - what was put over the class's own methods
        self._loop = None

    def _time(self) -> float:
        """Stand in for the loop's clock."""
        return self._began + self.elapsed

    def _advance(self, timeout: float | None = None) -> Any:
        """Stand in for waiting: take what is there, else jump."""
        ready = self._select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            self.elapsed += timeout
            return ready
        ready = self._select(PATIENCE)
        if not ready:
            raise Stuck("everybody waits, no timer is set, and nothing has come from outside")
        return ready
