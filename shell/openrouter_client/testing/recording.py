"""Traces: what calls met, written down to be met again."""

from __future__ import annotations

import os
from pathlib import Path

from openrouter_core.journal import Moment
from openrouter_core.traces import read_trace as parsed
from openrouter_core.traces import write_trace


class Recorder:
    """A hook that keeps every moment: `observe=recorder`, and later `recorder.write(path)`.

    The answers are in it as they came, and no key.
    """

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def __call__(self, moment: Moment) -> None:
        """Keep a moment."""
        self.moments.append(moment)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the trace, a line of JSON for each moment."""
        Path(path).write_bytes(write_trace(self.moments))


def read_trace(path: str | os.PathLike[str]) -> list[Moment]:
    """Read a trace; raises OSError where there is none, and msgspec.DecodeError for what is none."""
    return parsed(Path(path).read_bytes())
