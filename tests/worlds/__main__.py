"""Run many worlds, and show the first that breaks a rule.

python -m tests.worlds [--seeds 100000] [--first 0]      many worlds, on all cores
python -m tests.worlds --seed 4711                       one world, moment by moment
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback

import msgspec
from tests.cores import CORES
from tests.worlds.invariants import flaws
from tests.worlds.world import made, played

PART = 250
"""How many worlds a process takes at a time."""


def found(seed: int) -> list[str]:
    """Tell what is wrong in one world; an exception is."""
    try:
        world = made(seed)
        return flaws(world, played(world))
    except Exception:  # noqa: BLE001 - whatever it is, it is to be shown with its seed
        return [traceback.format_exc()]


def first_flawed(seeds: range) -> int | None:
    """Give the first seed of a part whose world breaks a rule."""
    return next((seed for seed in seeds if found(seed)), None)


def shown(seed: int) -> str:
    """Show a world and what happened in it."""
    world = made(seed)
    lines = [msgspec.json.format(msgspec.json.encode(world), indent=2).decode()]
    try:
        virtual = played(world)
        lines += [str(virtual.timeline()), f"standing: {virtual.admission.state}"]
    except Exception:  # noqa: BLE001 - as above
        lines.append(traceback.format_exc())
    return "\n\n".join([*lines, *found(seed), f"Again: python -m tests.worlds --seed {seed}"])


def search(first: int, count: int) -> int | None:
    """Run so many worlds on all cores; give a seed that breaks a rule, if any does."""
    parts = [range(begin, min(begin + PART, first + count)) for begin in range(first, first + count, PART)]
    with multiprocessing.Pool(len(CORES) or None) as pool:
        return next((seed for seed in pool.imap_unordered(first_flawed, parts) if seed is not None), None)


def main() -> int:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=100_000, help="how many worlds to run")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--seed", type=int, help="show one world instead")
    options = parser.parse_args()
    if options.seed is not None:
        sys.stdout.write(shown(options.seed) + "\n")
        return bool(found(options.seed))
    began = time.monotonic()
    flawed = search(options.first, options.seeds)
    if flawed is not None:
        sys.stdout.write(shown(flawed) + "\n")
        return 1
    sys.stdout.write(f"{options.seeds} worlds from seed {options.first} on keep every rule; ")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
