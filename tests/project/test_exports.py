"""What `openrouter_client` exports: one list, told three times (types, `__all__`, homes), imported when asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import openrouter_client

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "shell" / "openrouter_client" / "__init__.py"


def told_to_types() -> dict[str, str]:
    """What the block for type checkers imports, each name with its module."""
    blocks = [node for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body if isinstance(node, ast.If)]
    imports = [node for node in blocks[0].body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_types_and_values_have_the_same_homes() -> None:
    """Kills: a name that only type checkers see, one that only the interpreter finds, one from another module."""
    homes = openrouter_client._HOME
    assert told_to_types() == homes
    assert sorted(homes) == sorted(openrouter_client.__all__)
    assert set(homes) <= set(dir(openrouter_client))


@pytest.mark.parametrize("name", openrouter_client.__all__)
def test_a_name_is_what_its_module_has(name: str) -> None:
    module = importlib.import_module(openrouter_client._HOME[name])
    assert getattr(openrouter_client, name) is getattr(module, name)


def test_an_unknown_name_is_refused_as_usual() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Clinet'"):
        getattr(openrouter_client, "Clinet")  # noqa: B009 -- type checkers would stop the direct way


def test_the_package_alone_imports_no_network_code() -> None:
    """Kills: an eager import of the client, which would slow every start of the command line."""
    program = (
        "import sys, openrouter_client; openrouter_client.OpenRouterConfig; "
        "print(sorted({'aiohttp', 'asyncio'} & set(sys.modules))); "
        "openrouter_client.OpenRouterClient; print('aiohttp' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.split("\n")[:2] == ["[]", "True"]


def test_the_client_alone_imports_nothing_that_only_some_calls_need() -> None:
    """Kills: an eager import of what streams, hedged calls, budgets, other endpoints or types need: it costs time."""
    shell = ("api", "bulk", "cli", "exchange", "hedging", "otel", "shared", "spread", "streaming", "testing")
    core = ("assemble", "bulk", "endpoints", "genai", "hedge", "prices", "reader", "schema", "stream", "tool", "typed")
    seldom = [*(f"openrouter_client.{name}" for name in shell), *(f"openrouter_core.{name}" for name in core)]
    program = (
        "import sys, openrouter_client; openrouter_client.OpenRouterClient; "
        f"print([name for name in {seldom!r} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
