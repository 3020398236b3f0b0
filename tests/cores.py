"""The cores that tests and benchmarks may use."""

from __future__ import annotations

import os

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
"""The cores of this process, by number; none where that cannot be told."""
