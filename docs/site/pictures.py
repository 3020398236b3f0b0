"""The pictures of the pages: drawn by the very commands that the pages show."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SESSION = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (openrouter-client .*--plot (\S+\.svg).*)$", re.MULTILINE)

# Without these, matplotlib gives the parts of a drawing random names, and writes down when it was made.
STEADY = {"MATPLOTLIBRC": str(Path(__file__).with_name("matplotlibrc")), "SOURCE_DATE_EPOCH": "0"}


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Find the commands of a page that draw: the name of each picture, and its command."""
    for session in SESSION.findall(text):
        for command, picture in COMMAND.findall(session):
            yield picture, command


@cache
def drawn(picture: str, command: str) -> bytes:
    """Draw a picture by its command, with the client of this very Python."""
    run = "from openrouter_client.cli import main; raise SystemExit(main())"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 -- what the pages say
            [sys.executable, "-c", run, *shlex.split(command)[1:]],
            cwd=folder,
            env={**os.environ, **STEADY},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stderr}")
        return Path(folder, picture).read_bytes()
