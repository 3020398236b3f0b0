"""A real redis-server of one's own: on a free port of this machine, in memory only."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from types import TracebackType
from typing import Self

MISSING = "redis-server is not installed, and these tests need it. On Debian and Ubuntu: apt-get install redis-server"


class RedisServer:
    """`with RedisServer() as server` serves at `server.url`; it can be killed, started again, and frozen."""

    def __init__(self, *arguments: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError(MISSING)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([program, *options, *self.arguments], stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                self.tell("PING")
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("redis-server did not start")

    def tell(self, *words: str) -> bytes:
        """Give one command, and take the beginning of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as wire:
            wire.sendall((" ".join(words) + "\r\n").encode())
            return wire.recv(65536)

    def kill(self) -> None:
        """As `kill -9` does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Let it accept connections, and answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
