"""Fuzz the targets, one after another, and show the first input that breaks a demand.

python -m tests.fuzz                                  ten million executions over all targets
python -m tests.fuzz --only answer --runs 100000      one of them
python -m tests.fuzz --seconds 600                    no longer than that, over all targets
python -m tests.fuzz --keep                           put what found new ways through the core into the corpus
python -m tests.fuzz --only answer --replay FILE      one input, as often as one likes (needs no atheris)
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOUND = ROOT / "build" / "fuzz"
"""Where new inputs are gathered, and those that break something."""

LONGEST = 1024
KEPT = 600
"""How long an input may be, in bytes, and one that is kept."""

SECONDS_EACH = 20
"""How long one input may take: longer is a crash."""


def child(name: str, arguments: list[str]) -> None:
    """Be the process that fuzzes: the core is instrumented when it is imported, and libFuzzer ends the process."""
    import atheris  # type: ignore[import-untyped] # it has no types

    with atheris.instrument_imports(include=["openrouter_core", "email"]):
        from tests.fuzz.targets import TARGETS
    # When it merges corpora, libFuzzer starts itself anew, by the name of its program alone.
    program = FOUND / f"{name}.sh"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tests.fuzz --child {name} -- "$@"\n')
    program.chmod(0o755)
    atheris.Setup([str(program), *arguments], TARGETS[name][0])
    atheris.Fuzz()


def shown(name: str, file: Path) -> str:
    """Show an input that breaks a demand, and how to see that again."""
    told = f"{name} fails for {file.stat().st_size} bytes, in {file}:\n\n  {file.read_bytes()!r}\n\n"
    return f"{told}Again: python -m tests.fuzz --only {name} --replay {file}\n"


def fuzz(name: str, runs: int, seconds: float) -> tuple[int, bool]:
    """Run one target; tell how many executions there were, and whether all of them held."""
    corpus, crashes = FOUND / name, FOUND / "crashes" / name
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    limits = [f"-runs={runs}", f"-max_len={LONGEST}", f"-timeout={SECONDS_EACH}", f"-max_total_time={int(seconds)}"]
    files = [f"-artifact_prefix={crashes}/", f"-dict={HERE / 'words.dict'}", str(corpus), str(HERE / "corpus" / name)]
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--", *limits, "-print_final_stats=1", *files]
    began = time.time()
    log = FOUND / f"{name}.log"
    with log.open("wb") as out:
        ended = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False)
    told = log.read_text("utf-8", "replace")
    done = int((re.findall(r"number_of_executed_units: (\d+)", told) or re.findall(r"#(\d+)\s", told) or ["0"])[-1])
    sys.stdout.write(f"{name}: {done} executions, {time.time() - began:.0f} s\n")
    if ended.returncode == 0:
        return done, True
    new = [file for file in crashes.iterdir() if file.stat().st_mtime >= began - 1]
    sys.stdout.write(told[-6000:] + "\n" + "\n".join(shown(name, file) for file in new) + "\n")
    return done, False


def keep(name: str) -> None:
    """Put the shortest inputs that go new ways into the corpus that is kept."""
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--", "-merge=1", f"-max_len={KEPT}"]
    folders = [str(HERE / "corpus" / name), str(FOUND / name)]
    subprocess.run([*command, *folders], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def main() -> int:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the targets to run, separated by commas")
    parser.add_argument("--runs", type=int, help="executions over all targets together; as written there unless told")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long, over all targets together; 0: no limit")
    parser.add_argument("--keep", action="store_true", help="put what found something new into the corpus")
    parser.add_argument("--replay", type=Path, help="run a target on this file alone")
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[4:])
    from tests.fuzz.targets import TARGETS

    options = parser.parse_args()
    names = options.only.split(",") if options.only else [*TARGETS]
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        parser.error(f"no target is called {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if options.replay is not None:
        for name in names:
            TARGETS[name][0](options.replay.read_bytes())
        sys.stdout.write("it holds\n")
        return 0
    share = (options.runs or total(names)) / total(names)
    done = 0
    for name in names:
        weight = TARGETS[name][1]
        more, held = fuzz(name, int(weight * share), options.seconds * weight / total(names))
        done += more
        if not held:
            return 1
        if options.keep:
            keep(name)
    sys.stdout.write(f"{done} executions over {len(names)} targets, and every demand holds\n")
    return 0


def total(names: list[str]) -> int:
    """Count the executions of these targets, as written in their table."""
    from tests.fuzz.targets import TARGETS

    return sum(TARGETS[name][1] for name in names)


if __name__ == "__main__":
    sys.exit(main())
