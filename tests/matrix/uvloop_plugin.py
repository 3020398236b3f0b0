"""Asked for with `-p tests.matrix.uvloop_plugin`: every async test runs on uvloop."""

from __future__ import annotations

from typing import Any

import pytest
import uvloop  # type: ignore[import-not-found, unused-ignore]


def pytest_configure(config: pytest.Config) -> None:
    """Say so at the top of the run, where a log that lacks it is noticed."""
    config.pluginmanager.register(_OnUvloop(), "on-uvloop")


class _OnUvloop:
    @pytest.fixture(scope="session")
    def event_loop_policy(self) -> Any:
        """pytest-asyncio makes its loops with this."""
        return uvloop.EventLoopPolicy()

    def pytest_report_header(self) -> str:
        return f"event loop: uvloop {uvloop.__version__}"
