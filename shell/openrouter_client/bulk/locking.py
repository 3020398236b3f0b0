"""One process at a time: a lock on a file beside the ledger, which the system lets go of however the process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def taken(file: IO[str]) -> bool:
        """Lock a file; False when another process has."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def taken(file: IO[str]) -> bool:
        """Lock a file; False when another process has."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Lock:
    """The lock of a ledger. Not for network file systems, whose locks cannot be relied on."""

    def __init__(self, ledger: Path) -> None:
        self.path: Path = ledger.with_name(ledger.name + ".lock")
        self.file: IO[str] | None = None

    def take(self) -> str | None:
        """Take the lock, and give None; where another process has it, give what is known of that. Raises OSError."""
        file = self.path.open("a+", encoding="utf-8")
        if not taken(file):
            file.seek(0)
            holder = file.read(100).strip() or "another process"
            file.close()
            return holder
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        self.file = file
        return None

    def release(self) -> None:
        """Let go of it. The file stays: who removes it may remove another's lock."""
        if self.file is not None:
            self.file.close()
            self.file = None
