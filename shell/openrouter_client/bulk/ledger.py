"""The ledger's one thread: it alone writes, and puts all that has come meanwhile into one commit.

Whoever asks for a write waits until it is durable. When a write fails (a full disk, a file that is no longer there),
everybody who waits is told, and everybody who comes later: nobody waits for ever, and nothing is half written.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from openrouter_client.bulk.output import Output
from openrouter_client.bulk.tables import Mismatch, Tables
from openrouter_core.unshared import Unshared

T = TypeVar("T")

TOGETHER = 4096
"""How many writes go into one commit at most."""

Write = Callable[[Tables], Any]
Waiter = tuple[Write, "asyncio.Future[Any] | None"]


class Broken(Exception):
    """The ledger or the output cannot be written any more."""


class Ledger(Unshared):
    """Writes to a ledger, and its lines to the output, on a thread of its own. Made and used on one event loop."""

    def __init__(self, tables: Tables, output: Output) -> None:
        self.tables: Tables = tables
        self.output: Output = output
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.queue: SimpleQueue[Waiter | None] = SimpleQueue()
        self.broken: Broken | None = None
        self.prepared: bool = False
        self.thread: threading.Thread = threading.Thread(target=self._serve, name="ledger", daemon=True)
        self.thread.start()

    async def write(self, write: Callable[[Tables], T]) -> T:
        """Have something written, and wait until it is durable; raises `Broken` when it cannot be."""
        if self.broken is not None:
            raise self.broken
        waiter: asyncio.Future[T] = self.loop.create_future()
        self.queue.put((write, waiter))
        return await waiter

    def post(self, write: Write) -> None:
        """Have something written with the next commit, without waiting for it."""
        self.queue.put((write, None))

    async def prepare(self) -> None:
        """Bring the output up to the ledger; from then on it follows it. Raises `Broken`."""

        def prepared(tables: Tables) -> None:
            other = tables.meta("ordered") != self.output.ordered
            self.output.prepare(tables, stale=other or bool(tables.meta("stale")))
            tables.set_meta(stale=False, ordered=self.output.ordered)
            self.prepared = True

        await self.write(prepared)

    async def close(self) -> Broken | None:
        """Write what is still to be written, and end the thread; tell whether all went well."""
        self.queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self.thread.join)
        return self.broken

    def _serve(self) -> None:
        """Be the thread: take all that has come, write it, commit, tell those who wait."""
        try:
            while (batch := self._batch()) is not None:
                self._commit(batch)
        finally:
            self._ended()

    def _batch(self) -> list[Waiter] | None:
        """Wait for something to write, and take what else is there; None at the end."""
        first = self.queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < TOGETHER:
            try:
                more = self.queue.get_nowait()
            except Empty:
                break
            if more is None:
                self.queue.put(None)
                break
            batch.append(more)
        return batch

    def _commit(self, batch: list[Waiter]) -> None:
        """Write a batch in one transaction, or nothing of it."""
        done: list[tuple[asyncio.Future[Any], Any]] = []
        if self.broken is None:
            try:
                self.tables.db.execute("BEGIN IMMEDIATE")
                for write, waiter in batch:
                    value = write(self.tables)
                    if waiter is not None:
                        done.append((waiter, value))
                self.tables.db.execute("COMMIT")
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
                self.broken = Broken(told(error))
                self._roll_back()
        if self.broken is not None:
            self._tell([(waiter, self.broken) for _, waiter in batch if waiter is not None])
            return
        self._tell(done)
        if self.prepared:
            try:
                self.output.catch_up(self.tables)
            except Exception as error:  # noqa: BLE001 - the same
                self.broken = Broken(told(error))

    def _roll_back(self) -> None:
        try:
            self.tables.db.execute("ROLLBACK")
        except sqlite3.Error:  # it has rolled back by itself
            return

    def _tell(self, done: list[tuple[asyncio.Future[Any], Any]]) -> None:
        """Tell those who wait, in one step of their loop; a loop that has ended waits for nothing."""
        if done and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(settled, done)

    def _ended(self) -> None:
        try:
            self.output.close()
        except OSError as error:
            self.broken = self.broken or Broken(told(error))
        self.tables.close()


def settled(done: list[tuple[asyncio.Future[Any], Any]]) -> None:
    """Give those who wait what they wait for."""
    for waiter, value in done:
        if waiter.done():
            continue
        if isinstance(value, Broken):
            waiter.set_exception(value)
        else:
            waiter.set_result(value)


def told(error: Exception) -> str:
    """Say what went wrong with a write, and what can be done."""
    full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or "No space left" in str(error)
    if full:
        return f"the disk is full ({error}): make room, and run it again; nothing that was written down is lost"
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output any more"
    if isinstance(error, Mismatch):
        return f"the ledger was changed by somebody else: {error}"
    return f"{type(error).__name__}: {error}"
