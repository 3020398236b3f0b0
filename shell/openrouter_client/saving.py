"""Answers that become files: whole, or not there at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, cast

from returns.result import Failure, Result

from openrouter_client.calls import Calls
from openrouter_client.exchange import ByteExchange
from openrouter_client.interpreter import run
from openrouter_client.world import Exchange, RealWorld
from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.outcome import Outcome
from openrouter_core.reader import Heard
from openrouter_core.received import Received
from openrouter_core.states import Clocks, Job


class ReceivingWorld(RealWorld):
    """A world in which streams are bytes, at most `limit` of them; with a `file` they go there."""

    def __init__(self, calls: Calls, limit: int, file: BinaryIO | None = None) -> None:
        super().__init__(calls.transport, calls.line)
        self.limit = limit
        self.file = file

    def stream(
        self,
        endpoint: Endpoint[Any, Any],
        request: HttpRequest,
        clocks: Clocks,
        *,
        handing_out: bool,
        heard: Heard | None,
    ) -> Exchange:
        """Prepare one attempt."""
        del endpoint, heard  # bytes are no events
        exchange = ByteExchange(self.transport, request, clocks, self.limit, handing_out=handing_out)
        return exchange if self.file is None else FileExchange(exchange, self.file)


class FileExchange:
    """One attempt whose bytes go into a file, from its beginning: what an attempt before it had written is dropped."""

    def __init__(self, exchange: ByteExchange, file: BinaryIO) -> None:
        self.exchange = exchange
        self.file = file

    async def batches(self) -> AsyncGenerator[Sequence[bytes], None]:
        """Give the pieces, once they are written."""
        await asyncio.to_thread(self.begin)
        async with aclosing(self.exchange.batches()) as batches:
            async for pieces in batches:
                await asyncio.to_thread(self.file.writelines, pieces)
                yield pieces

    def begin(self) -> None:
        """Empty the file."""
        self.file.seek(0)
        self.file.truncate()

    async def collect(self) -> Outcome:
        """Take all bytes, and tell the outcome."""
        async with aclosing(self.batches()) as batches:
            async for _ in batches:
                pass
        return self.outcome()

    def outcome(self) -> Outcome:
        """Tell how the attempt ended."""
        return self.exchange.outcome()

    def snapshot(self) -> Received:
        """Tell what has come so far."""
        return cast("Received", self.exchange.snapshot())


async def save(calls: Calls, job: Job[Any], to: Path, limit: int) -> Result[Received, DataSourceError]:
    """Run a call whose answer becomes a file: written beside it, and put in its place when it is whole.

    A path that cannot be written is an `InvalidRequest`, and nothing is sent.
    """
    part = to.with_name(f".{to.name}.{os.urandom(4).hex()}.part")
    try:
        file = await asyncio.to_thread(part.open, "xb")
    except (OSError, ValueError) as error:
        return unwritable(to, error)
    try:
        world = ReceivingWorld(calls, limit, cast("BinaryIO", file))
        result = cast("Result[Received, DataSourceError]", await run(world, *calls.watched(job)))
        await asyncio.to_thread(file.close)
        if not isinstance(result, Failure):
            await asyncio.to_thread(os.replace, part, to)
    except OSError as error:
        return unwritable(to, error)
    else:
        return result
    finally:
        file.close()
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def unwritable(path: Path, error: Exception) -> Failure[DataSourceError]:
    """Make the error of a file that cannot be written."""
    bound = f"must be a file that can be written: {error}"
    return Failure(InvalidRequest(message=f"to = {str(path)!r}: {bound}", field="to", value=str(path), bound=bound))
