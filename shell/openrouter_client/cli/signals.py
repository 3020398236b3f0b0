"""Signals on an event loop, for all commands: Ctrl-C and requests to end are heard between two steps of the loop.

Without this, asyncio cancels a task from a signal handler, in the middle of a step: a connection that is just being
made then dies with an InvalidStateError on the screen.
"""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

CTRL_C = (signal.SIGINT,)
ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heard(signals: tuple[signal.Signals, ...], handler: Callable[[], object]) -> Generator[None]:
    """Let a handler hear signals for as long as the block lasts, where that can be done."""
    loop = asyncio.get_running_loop()
    # Windows has no handlers on the loop, and a thread that is not the main one may not have any.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for one in signals:
            loop.add_signal_handler(one, handler)
    try:
        yield
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for one in signals:
                loop.remove_signal_handler(one)
