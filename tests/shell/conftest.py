"""What the tests of the shell share."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import aioresponses.core
import pytest
from tests.shell.command_line import CommandLine
from tests.shell.loopback import KEY


class _MockedResponse(aiohttp.ClientResponse):
    """pnuckowski/aioresponses#289: from aiohttp 3.14 on a response wants the writer of its request, and gets none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        wanted = inspect.signature(aiohttp.ClientResponse.__init__).parameters
        lacking = {"stream_writer": SimpleNamespace(output_size=0)} if "stream_writer" in wanted else {}
        super().__init__(*args, **{**lacking, **kwargs})


@pytest.fixture(autouse=True)
def _mended_aioresponses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make aioresponses 0.7.9 work with aiohttp >= 3.14, until its own repair is released."""
    monkeypatch.setattr(aioresponses.core, "ClientResponse", _MockedResponse)


class Overhearing(logging.Handler):
    """Hears everything that anybody logs, and keeps it as text: message, fields, traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{self.format(record)} {vars(record)!r}")


@pytest.fixture(autouse=True)
def _no_key_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test whose logs hold the key, at any level, of any logger; but for a bug that a test has planted."""
    root, overhearing = logging.getLogger(), Overhearing()
    level = root.level
    root.addHandler(overhearing)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(overhearing)
    told = [] if "planted" in request.node.name else [line for line in overhearing.heard if KEY in line]
    assert not told, f"the key was logged: {told[0].replace(KEY, '<the key>')}"


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[CommandLine]:
    """The command line, in an environment without keys and settings."""
    line = CommandLine(monkeypatch, capsys, tmp_path)
    yield line
    line.close()
