"""Limits of time for blocks of code: what `asyncio.timeout_at` does, by the same rules, at a fraction of its price.

    with limits.until(at):      cancels the block once the loop's clock shows `at`, and raises TimeoutError
        ...

Every attempt has one, and every wait for a piece of a stream, and hardly any runs out. So they are plain `with` blocks
(no coroutines to enter and leave), and share one timer of the loop, set for the earliest. They stand in a heap; those
that were left are forgotten when they are the first, or more than half of it, or all.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from asyncio import CancelledError
from functools import cached_property
from types import TracebackType
from typing import Any, Self

FEW = 64
"""How many limits that were left may stand in the heap in any case."""


class Limits:
    """All limits in force on one event loop: a client's, or a stream's. They can be brought forward together.

    `due` is when the timer rings: uvloop's timers do not tell, once it is the present.
    """

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Limit]] = []
        self.numbers: itertools.count[int] = itertools.count()
        self.inside: int = 0
        self.timer: asyncio.TimerHandle | None = None
        self.due: float = math.inf

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop whose clock counts: the one that runs when it is first asked for."""
        return asyncio.get_running_loop()

    def until(self, at: float) -> Limit:
        """Limit a block to the time before the loop's clock shows `at`; -inf: it ends as soon as it waits."""
        return Limit(self, at)

    def forget(self) -> None:
        """Forget the limits that were left."""
        self.heap = [entry for entry in self.heap if entry[2].task is not None]
        heapq.heapify(self.heap)

    def wake(self, at: float) -> None:
        """Look again at an instant."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.due = self.loop.call_at(at, self.woken), at

    def woken(self) -> None:
        """Let all run out whose time has come, and wait for the next."""
        self.timer, now = None, self.loop.time()
        while self.heap and (self.heap[0][0] <= now or self.heap[0][2].task is None):
            heapq.heappop(self.heap)[2].expire()
        if self.heap and self.heap[0][0] < math.inf:
            self.wake(self.heap[0][0])

    def bring_forward(self) -> None:
        """Let all that are in force run out as soon as the loop comes around."""
        self.heap = [(-math.inf, number, limit) for _, number, limit in self.heap]
        if self.heap:
            self.wake(-math.inf)


class Limit:
    """One limit, to be used once. A cancellation that comes from elsewhere at the same time stays a cancellation.

    `task` is the one that is inside of the block, None before and after.
    """

    __slots__ = ("at", "cancelling", "expired", "limits", "task")

    def __init__(self, limits: Limits, at: float) -> None:
        self.limits: Limits = limits
        self.at: float = at
        self.expired: bool = False
        self.task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task(self.limits.loop)
        if task is None:
            raise RuntimeError("a limit of time needs a task to cancel")
        self.task = task
        self.cancelling: int = task.cancelling()
        limits, at = self.limits, self.at
        entry: tuple[float, int, Limit] = (at, next(limits.numbers), self)
        heapq.heappush(limits.heap, entry)
        limits.inside += 1
        if at < math.inf and (limits.timer is None or at < limits.due):
            limits.wake(at)
        return self

    def expire(self) -> None:
        """Cancel the block, unless it was left."""
        if self.task is not None:
            self.expired = True
            self.task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self.task = self.task, None
        limits = self.limits
        limits.inside -= 1
        if not limits.inside:
            limits.heap.clear()
        elif len(limits.heap) > 2 * limits.inside + FEW:
            limits.forget()
        if self.expired and task is not None and task.uncancel() <= self.cancelling and kind is CancelledError:
            raise TimeoutError from error
