"""Soak the client in traffic and trouble, and show that it comes out as it went in.

python -m tests.soak                     an hour
python -m tests.soak --minutes 5         the form for continuous integration
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.run import failure, soak, table


def main() -> int:
    """Read the command line, soak, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long, at least once through all phases")
    parser.add_argument("--each", type=float, default=8.0, help="how long a phase makes trouble, in seconds")
    parser.add_argument("--seed", type=int, help="which traffic; any, if left out")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    for noisy in ("openrouter_client", "asyncio"):  # failures are what this is made of
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reports = asyncio.run(soak(seed, options.minutes * 60, Path(folder), each=options.each))
    sys.stdout.write(table(reports) + "\n")
    if told := failure(seed, reports):
        sys.stdout.write(told + "\n")
        return 1
    calls = sum(one.calls for one in reports)
    sys.stdout.write(f"seed {seed}: {len(reports)} phases, {calls} calls, each ended once, nothing leaked; ")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
