"""A local Ray cluster of two CPUs, brought up once and taken down without a trace."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "sk-or-v1-a-key-that-must-not-be-found"


def below(parent: int) -> dict[int, str]:
    """List the processes that a process has started, and those that they have, with their command lines."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], check=True, capture_output=True, text=True)  # noqa: S607 - ps, wherever it is
    parts = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found, more = dict[int, str](), {parent}
    while more:
        more = {int(pid) for pid, ppid, *_ in parts if int(ppid) in more}
        found |= {int(pid): " ".join(args) for pid, _, *args in parts if int(pid) in more}
    return found


def actors(name: str) -> list[int]:
    """Give the processes of the actors of a class, ours alone."""
    return [pid for pid, args in below(os.getpid()).items() if args.startswith(f"ray::{name}")]


async def eventually(fulfilled: Callable[[], bool]) -> None:
    """Wait for something that Ray takes its time for."""
    async with asyncio.timeout(60.0):
        while not fulfilled():  # noqa: ASYNC110 - other processes ring no bell here
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> None:
    """Let tests leave connections open: Ray's last as long as its cluster. `cluster` looks for what is left of that."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """Bring a cluster up; give the folder of its logs. No process of it is left at the end."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "OPENROUTER_API_KEY": KEY}
    ray: Any = importlib.import_module("ray")
    folder = tempfile.mkdtemp(prefix="ray")
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
        object_store_memory=80 * 2**20,
    )
    began = set(below(os.getpid()))
    assert began
    try:
        yield Path(folder)
    finally:
        ray.shutdown()
        del os.environ["OPENROUTER_API_KEY"]
        for _ in range(100):
            if not began & set(below(1)):
                break
            time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
    assert not began & set(below(1)), "processes of the cluster are left"
