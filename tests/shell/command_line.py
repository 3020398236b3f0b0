"""Runs the command line for the tests: in this process, against a stand-in that runs beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pytest

from openrouter_client import cli
from openrouter_client.cli import session
from openrouter_client.simulator import Simulator

RUN = (sys.executable, "-c", "import sys; from openrouter_client.cli import main; sys.exit(main())")
"""The command as a process of its own."""


class Ended(NamedTuple):
    """How a command ended, what it printed, and what it remarked."""

    code: int
    out: str
    err: str

    @property
    def values(self) -> list[Any]:
        """What it printed, as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The failure that it told machines."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return found


class CommandLine:
    """An environment without keys and settings, and the command in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.home = home
        self.opened: TextIO | None = None
        for name in list(os.environ):
            if name.startswith(("OPENROUTER_", "XDG_")) or name.lower().endswith("_proxy"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(session, "STAND_IN_LATENCY", (0.0, 0.0))

    def heed(self, server: Simulator) -> None:
        """Let a stand-in be what the variables name."""
        self.monkeypatch.setenv("OPENROUTER_API_KEY", server.api_key)
        self.monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", server.management_key)
        self.monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)

    def pipe(self, content: bytes) -> None:
        """Let this come through the pipe."""
        path = self.home / "piped"
        path.write_bytes(content)
        self.opened = path.open(encoding="utf-8")
        self.monkeypatch.setattr(sys, "stdin", self.opened)

    def close(self) -> None:
        """Close what was piped."""
        if self.opened is not None:
            self.opened.close()

    def run(self, *arguments: str) -> Ended:
        """Run a command; `--retry-delay-ms` is not needed where nothing is retried."""
        self.capsys.readouterr()
        code = cli.main(arguments)
        return Ended(code, *self.capsys.readouterr())

    async def asked(self, *arguments: str) -> Ended:
        """Run a command beside the stand-in of this loop."""
        return await asyncio.to_thread(self.run, *arguments)


def bodies(server: Simulator) -> Sequence[Any]:
    """The bodies of the requests that came, as JSON."""
    return [request.json() for request in server.requests if request.body]
