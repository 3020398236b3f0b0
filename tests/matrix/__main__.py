"""Run the tests in each environment of the matrix, and show which passed.

python -m tests.matrix WHEEL [--only newest-3.12 ...] [--quick] [--folder build/matrix]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from msgspec import Struct
from tests.matrix.cells import CELLS, Cell, constraints, declared

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECS = 1800
CORE = ("tests/core",)
SHELL = (
    "tests/shell/test_client.py",
    "tests/shell/test_transport.py",
    "tests/shell/test_direct.py",
    "tests/shell/test_pool.py",
    "tests/shell/test_streaming.py",
    "tests/shell/test_exchange.py",
    "tests/shell/test_hostile.py",
    "tests/shell/test_line.py",
    "tests/shell/test_timing.py",
    "tests/shell/test_calling.py",
    "tests/shell/test_tools.py",
    "tests/shell/test_typed.py",
    "tests/shell/test_observe.py",
    "tests/shell/test_otel.py",
    "tests/shell/test_testing.py",
    "tests/shell/test_bulk_ledger.py",
    "tests/shell/test_bulk_running.py",
    "tests/shell/test_bulk_sources.py",
    "tests/shell/test_cli_chat.py",
    "tests/shell/test_cli_models.py",
    "tests/shell/test_shared.py",
)
"""What meets aiohttp, msgspec, the extras and the loop; the rest of tests/shell is about our own code alone."""

QUICK = (
    "tests/core/test_typed.py",
    "tests/core/test_schema.py",
    "tests/core/test_build.py",
    "tests/core/test_validate.py",
    "tests/core/test_wire_response.py",
    "tests/core/test_call.py",
    "tests/core/test_sse.py",
    *SHELL[:5],
    *SHELL[10:11],
    *SHELL[12:13],
    *SHELL[15:17],
)


class Ran(Struct, frozen=True):
    """What came of an environment: in one word, in pytest's own last line, and after how many seconds."""

    cell: Cell
    how: str
    told: str
    seconds: float


def interpreter(python: str) -> str | None:
    """Find a Python of a version: on the PATH, among pyenv's, or what `uv` has; None if there is none."""
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")]
    homes.append(Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python")))
    found = [str(one) for home in homes for one in sorted(home.glob(f"*{python}.*/bin/python{python}"), reverse=True)]
    for candidate in (*filter(None, [shutil.which(f"python{python}")]), *found):
        try:
            done = subprocess.run(
                [candidate, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except OSError:
            continue
        if done.stdout.strip() == python:
            return candidate
    return None


def run(log: Path, *command: str) -> int:
    """Run a command into a log; its exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    with log.open("ab") as file:
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=file, stderr=file, timeout=PATIENCE_SECS, check=False
            )
        except subprocess.TimeoutExpired:
            return -1
    return done.returncode


def tried(cell: Cell, wheel: str, folder: Path, *, quick: bool, workers: str) -> Ran:
    """Make an environment and run the tests in it."""
    began = time.monotonic()

    def told(how: str, why: str) -> Ran:
        return Ran(cell, how, why, time.monotonic() - began)

    python = interpreter(cell.python)
    if python is None:
        return told("SKIPPED", f"no Python {cell.python} is installed here")
    home, log = folder / cell.name, folder / f"{cell.name}.log"
    log.unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    listed = folder / f"{cell.name}.txt"
    listed.write_text("\n".join(constraints(cell, declared(project), pins)) + "\n", encoding="utf-8")
    project["optional-dependencies"].pop("ray", None)  # hundreds of megabytes, and tests of its own: `make test-ray`
    extras = ",".join(project["optional-dependencies"])
    loop = ["uvloop"] if cell.loop == "uvloop" else []
    ours = str(home / "bin" / "python")
    steps = (
        (python, "-m", "venv", "--clear", str(home)),
        (ours, "-m", "pip", "install", "-q", "--upgrade", "pip>=25.1"),
        (ours, "-m", "pip", "install", "-q", "-c", str(listed), "--group", cell.group, f"{wheel}[{extras}]", *loop),
    )
    for step in steps:
        if run(log, *step):
            return told("NOT MADE", f"see {log}")
    plugin = ["-p", "tests.matrix.uvloop_plugin"] if loop else []
    tests = QUICK if quick else (*CORE, *SHELL)
    without = [f"--deselect={test}" for test in cell.deselected]
    code = run(log, ours, "-m", "pytest", *tests, "-n", workers, "-q", *plugin, *without)
    last = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()][-1]
    return told("passed" if code == 0 else "FAILED", re.sub(r"\x1b\[[0-9;]*m|=", "", last).strip())


def table(rows: list[Ran]) -> str:
    """Show what came of the environments."""
    lines = [f"{'environment':22}{'':10}{'secs':>6}  what pytest says"]
    lines += [f"{row.cell.name:22}{row.how:10}{row.seconds:6.0f}  {row.told}" for row in rows]
    return "\n".join(lines)


def main() -> int:
    """Read the command line, try the environments, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("wheel", help="the wheel to test")
    parser.add_argument("--only", action="append", choices=[cell.name for cell in CELLS], help="this environment alone")
    parser.add_argument("--quick", action="store_true", help="the tests that meet our dependencies most, minutes each")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "matrix", help="where environments are made")
    parser.add_argument("--workers", default="2", help="how many processes run the tests")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows: list[Ran] = []
    for cell in CELLS:
        if options.only and cell.name not in options.only:
            continue
        sys.stdout.write(f"{cell.name} ...\n")
        sys.stdout.flush()
        row = tried(
            cell, str(Path(options.wheel).resolve()), options.folder, quick=options.quick, workers=options.workers
        )
        rows.append(row)
        sys.stdout.write(f"{cell.name}: {row.how}: {row.told}\n")
        sys.stdout.flush()
    sys.stdout.write(table(rows) + "\n")
    skipped = [row.cell.name for row in rows if row.how == "SKIPPED"]
    sys.stdout.write(f"NOT TESTED, for want of a Python: {', '.join(skipped)}\n" if skipped else "")
    return int(not rows or any(row.how not in ("passed", "SKIPPED") for row in rows) or len(skipped) == len(rows))


if __name__ == "__main__":
    sys.exit(main())
