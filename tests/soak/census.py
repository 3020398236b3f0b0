"""What a process holds at an instant, and what of it may stay."""

from __future__ import annotations

import asyncio
import gc
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from openrouter_client import OpenRouterClient

MARGINS = {"tasks": 0, "sockets": 0, "files": 0, "threads": 8, "places": 0, "megabytes": 48}
"""By how much each may exceed what there was before. Threads: the loop's pool for look-ups of names grows to its size.
Megabytes: an allocator gives back to the system only what lies together; ten leaked calls a second of 2 KiB are found
within the hour, and a leaked answer or connection for each call within a minute."""

FDS = Path("/dev/fd")
STATM = Path("/proc/self/statm")


class Census(Struct, frozen=True, kw_only=True):
    """Tasks of the loop, sockets, other file descriptors, threads, places in the clients' lines, and memory in MiB."""

    tasks: int
    sockets: int
    files: int
    threads: int
    places: int
    megabytes: float


def taken(clients: Sequence[OpenRouterClient]) -> Census:
    """Count what there is now."""
    gc.collect()
    sockets = files = 0
    for entry in FDS.iterdir() if FDS.is_dir() else ():
        try:
            is_socket = stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode)
        except OSError:  # the descriptor of the listing itself
            continue
        sockets, files = sockets + is_socket, files + (not is_socket)
    stats = [client.stats() for client in clients]
    return Census(
        tasks=len(asyncio.all_tasks()),
        sockets=sockets,
        files=files,
        threads=threading.active_count(),
        places=sum(one.alive + one.waiting + one.in_flight for one in stats),
        megabytes=int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if STATM.exists() else 0.0,
    )


def leaked(before: Census, after: Census) -> list[str]:
    """Tell what there is more of than there may be."""
    return [
        f"{getattr(after, name) - was:.4g} {name} leaked: {was:.4g} before, {getattr(after, name):.4g} after"
        for name, was in msgspec.structs.asdict(before).items()
        if getattr(after, name) > was + MARGINS[name]
    ]
