"""The guards in tests/conftest.py bite: each case here is a test that must fail."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest_plugins = ["pytester"]

# Each with the words that its failure must contain.
LEAKS = {
    "a task": (
        "left behind: 0 open socket",
        """
        import asyncio

        async def test_leaks():
            asyncio.get_running_loop().leaked = asyncio.create_task(asyncio.sleep(3600))
    """,
    ),
    "a socket": (
        "left open sockets behind",
        """
        import socket

        kept = []

        def test_leaks():
            kept.extend(socket.socketpair())
    """,
    ),
    "a socket of a loop": (
        "left behind: 1 open socket",
        """
        import asyncio

        kept = []

        async def test_leaks():
            kept.append(await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0))
    """,
    ),
    "a session": (
        "left unclosed aiohttp sessions behind",
        """
        import aiohttp

        kept = []

        async def test_leaks():
            kept.append(aiohttp.ClientSession())
    """,
    ),
    "a warning": (
        "UserWarning: something is off",
        """
        import warnings

        def test_warns():
            warnings.warn("something is off", stacklevel=1)
    """,
    ),
}

CLEAN = """
    import asyncio
    from hypothesis import given, strategies as st

    async def test_waits():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        server.close()
        await server.wait_closed()

    @given(st.integers())
    async def test_property(number):
        await asyncio.sleep(0)

    @given(st.integers())
    def test_plain_property(number):
        asyncio.run(asyncio.sleep(0))
"""


@pytest.fixture
def guarded(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty project with the conftest.py and the pytest settings of this one."""
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest.replace("_GRACE_SECS = 2.0", "_GRACE_SECS = 0.05"))
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace('testpaths = ["tests"]', "")
    pytester.makepyprojecttoml(settings)
    return pytester


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_fails_its_test(guarded: pytest.Pytester, leak: str) -> None:
    reason, module = LEAKS[leak]
    guarded.makepyfile(module)
    result = guarded.runpytest_subprocess("-p", "no:cacheprovider")
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) >= 1
    assert reason in result.stdout.str()


def test_a_clean_test_passes(guarded: pytest.Pytester) -> None:
    guarded.makepyfile(CLEAN)
    guarded.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)
