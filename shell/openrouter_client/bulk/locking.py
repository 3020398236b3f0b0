"""One process at a time: a lock on a file beside the ledger, which the system lets go of however the process ends."""

from __future__ import annotations

import os
import sys
import time
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


PAUSES = (0.05, 0.1, 0.2)
"""How long to wait for a lock, in seconds: somebody may only be looking whether it is taken."""


def named(file: IO[str]) -> str:
    """Read who has a lock."""
    file.seek(0)
    return file.read(100).strip() or "another process"


class Lock:
    """The lock of a ledger. Not for network file systems, whose locks cannot be relied on."""

    def __init__(self, ledger: Path) -> None:
        self.path: Path = ledger.with_name(ledger.name + ".lock")
        self.file: IO[str] | None = None

    def take(self) -> str | None:
        """Take the lock, and give None; where another process has it, give what is known of that. Raises OSError."""
        file = self.path.open("a+", encoding="utf-8")
        for pause in PAUSES:
            if taken(file):
                break
            time.sleep(pause)
        else:
            with file:
                return named(file)
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        self.file = file
        return None

    def holder(self) -> str | None:
        """Tell which process has the lock, as far as it is known; None where none has."""
        try:
            with self.path.open("r+", encoding="utf-8") as file:
                return None if taken(file) else named(file)
        except OSError:
            return None

    def release(self) -> None:
        """Let go of it. The file stays: who removes it may remove another's lock."""
        if self.file is not None:
            self.file.close()
            self.file = None
