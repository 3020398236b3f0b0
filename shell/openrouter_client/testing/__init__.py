"""For tests of code that uses this client: a local OpenRouter, scripts without sockets, traces, a virtual clock.

    pytest_plugins = ["openrouter_client.testing"]      # in conftest.py; or: pytest -p openrouter_client.testing

gives the fixtures `openrouter`, `openrouter_config` and `virtual_clock`. They are plain fixtures, for tests of any
kind: sync, pytest-asyncio in both modes, anyio. The rest can be imported from here, and needs no pytest.
"""

from openrouter_client.simulator import Simulator
from openrouter_client.testing.clock import Stuck, VirtualClock
from openrouter_client.testing.recording import Recorder, read_trace
from openrouter_client.testing.replies import disconnects, fails, gives, is_silent, refuses, says, streams
from openrouter_client.testing.world import ScriptedWorld
from openrouter_core.simulate import Reply

pytest_plugins: list[str] = ["openrouter_client.testing.plugin"]
"""Where pytest finds the fixtures; nobody else imports it."""

__all__ = [
    "Recorder",
    "Reply",
    "ScriptedWorld",
    "Simulator",
    "Stuck",
    "VirtualClock",
    "disconnects",
    "fails",
    "gives",
    "is_silent",
    "read_trace",
    "refuses",
    "says",
    "streams",
]
