from __future__ import annotations

from importlib.metadata import version

from openrouter_core.version import __version__


def test_the_distribution_has_the_version_that_is_written_down() -> None:
    assert version("aio-openrouter") == __version__
