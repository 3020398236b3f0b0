"""What every test stands on: how hard hypothesis looks, and that no test leaves anything behind.

tests/core runs where there is no aiohttp, so nothing here may import it at the top.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import inspect
import os
import stat
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import aiohttp

# --- hypothesis -----------------------------------------------------------------------------------------------------
# dev: quick, while one works. ci: what a change must pass; no deadline, because a busy machine is not a bug, and a blob
# to replay what failed. nightly: the long search. HYPOTHESIS_PROFILE chooses; CI without a choice means ci.

_PATIENT = [HealthCheck.too_slow]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True, suppress_health_check=_PATIENT)
settings.register_profile("nightly", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


# --- nothing left behind --------------------------------------------------------------------------------------------

_FDS = Path("/dev/fd")
_GRACE_SECS = 2.0
"""How long closing connections may take after a test before they count as leaked; a clean test waits for nothing."""


def open_sockets() -> frozenset[int]:
    """The inodes of this process's open sockets; empty on a system that does not list them."""
    found: set[int] = set()
    for descriptor in _FDS.iterdir() if _FDS.is_dir() else ():
        try:
            status = os.fstat(int(descriptor.name))
        except OSError:  # the descriptor that the listing itself used
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.add(status.st_ino)
    return frozenset(found)


def pairs_of(loop: asyncio.AbstractEventLoop) -> frozenset[int]:
    """The sockets among which uvloop's own are: it opens a pair of UNIX sockets anew each time that it runs."""
    listed = Path("/proc/net/unix")
    if not type(loop).__module__.startswith("uvloop") or not listed.exists():
        return frozenset()
    return frozenset(int(line.split()[6]) for line in listed.read_text().splitlines()[1:])


def other_tasks() -> list[asyncio.Task[object]]:
    """The tasks of the running loop that are not done, this one apart."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


class Sessions:
    """The aiohttp sessions made since it was put in place."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[aiohttp.ClientSession] = weakref.WeakSet()

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Remember every session from now on, where aiohttp is installed."""
        if importlib.util.find_spec("aiohttp") is None:
            return
        import aiohttp

        original, made = aiohttp.ClientSession.__init__, self._made

        def remembering(session: aiohttp.ClientSession, *args: object, **kwargs: object) -> None:
            made.add(session)
            original(session, *args, **kwargs)  # type: ignore[arg-type] # passed on as they came

        monkeypatch.setattr(aiohttp.ClientSession, "__init__", remembering)

    def unclosed(self) -> list[aiohttp.ClientSession]:
        """The sessions that nobody closed."""
        return [session for session in self._made if not session.closed]


@pytest.fixture
async def _clean_loop() -> AsyncIterator[None]:
    """Fail an async test that leaves tasks or sockets to its loop."""
    tasks_before, sockets_before = set(other_tasks()), open_sockets()
    yield
    loop = asyncio.get_running_loop()
    give_up = loop.time() + _GRACE_SECS
    while True:
        tasks = [task for task in other_tasks() if task not in tasks_before]
        sockets = open_sockets() - sockets_before
        sockets -= pairs_of(loop) if sockets else frozenset()
        if not tasks and not sockets:
            return
        if loop.time() >= give_up:
            pytest.fail(f"left behind: {len(sockets)} open socket(s), tasks {tasks}")
        await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves asyncio tasks, open sockets or unclosed aiohttp sessions behind.

    Autouse, hence set up before a test's own fixtures and looked at after they are gone.
    """
    sessions = Sessions()
    sessions.watch(monkeypatch)
    function = getattr(request, "function", None)
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    if inspect.iscoroutinefunction(inner):
        request.getfixturevalue("_clean_loop")
        yield
    else:
        before = open_sockets()
        yield
        if open_sockets() - before:
            gc.collect()  # a loop that asyncio.run closed leaves its last transports to the collector
        assert not open_sockets() - before, "left open sockets behind"
    unclosed = sessions.unclosed()
    assert not unclosed, f"left unclosed aiohttp sessions behind: {unclosed}"
