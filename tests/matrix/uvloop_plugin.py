"""Asked for with `-p tests.matrix.uvloop_plugin`: every async test runs on uvloop, and has it in its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import uvloop  # type: ignore[import-not-found, unused-ignore] # only where it is installed


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], Any]]:
    """Tell pytest-asyncio how its loops are made."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_report_header() -> str:
    """Say so at the top of the run."""
    return f"event loop: uvloop {uvloop.__version__}"
