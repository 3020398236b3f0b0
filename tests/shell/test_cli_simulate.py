"""The command line, as a process and in this one."""

import asyncio
import importlib.util
import json
import signal
import socket
import sys
from importlib.machinery import ModuleSpec

import aiohttp
import pytest

from openrouter_client import cli
from openrouter_client.simulator import API_KEY

_RUN = "import sys; from openrouter_client.cli import main; sys.exit(main())"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("COLUMNS", "200")
    return cli.main(arguments)


async def python(code: str, *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_it_serves_until_it_is_interrupted_and_sums_up() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _RUN,
        *("simulate", "--port", "0", "--seed", "5", "--faults", "500:1", "--quota", "1/day"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    greeting = ""
    while "export OPENROUTER_BASE_URL=" not in greeting:
        greeting += (await process.stdout.readline()).decode() or pytest.fail("it ended before it listened")
    assert "stand-in" in greeting
    assert f"OPENROUTER_API_KEY={API_KEY}" in greeting
    url = greeting.partition("export OPENROUTER_BASE_URL=")[2].split()[0]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {API_KEY}"}) as session:
        for expected in (500, 429):
            async with session.post(f"{url}/chat/completions", json={"prompt": "hello"}) as answer:
                assert answer.status == expected
                assert "error" in json.loads(await answer.read())
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    summary = " ".join(out.decode().split())
    assert "Served" in summary
    assert "429 quota │ 1" in summary
    assert "500 │ 1" in summary


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--faults", "rest:0.1"), "did you mean 'reset'"),
        (("--quota", "many"), "expected a rate"),
        (("--latency", "soon"), "'soon'"),
        (("--latency", "3:1"), "smaller one first"),
        (("--port", "soon"), "soon"),
        (("--prot", "80"), "--port"),
    ],
)
def test_options_that_make_no_sense_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(monkeypatch, "simulate", *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


def test_a_port_that_is_taken_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(monkeypatch, "simulate", "--port", port) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    original = importlib.util.find_spec

    def find_spec(name: str) -> ModuleSpec | None:
        return None if name == missing else original(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert run(monkeypatch, "simulate") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert missing in said
    assert 'pip install "aio-openrouter[cli]"' in said


def test_help_names_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--help") == 0
    said = capsys.readouterr().out
    assert all(name in said and summary[:40] in said for name, (_, summary) in cli.COMMANDS.items())
    assert run(monkeypatch, "simulate", "--help") == 0
    said = capsys.readouterr().out
    assert all(f"--{name}" in said for name in ("host", "port", "seed", "faults", "quota", "latency", "key"))


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_a_commands_help_tells_its_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    codes = " ".join(cli.COMMANDS[command][1].partition("Exit codes: ")[2].split())
    assert codes.startswith("0 ")
    assert f"Exit codes: {codes}" in said


async def test_help_imports_no_command_and_the_package_no_extra() -> None:
    watching = f"{_RUN.partition(';')[0]}; import openrouter_client.cli as cli; "
    code, out, _ = await python(watching + "print([name for name in ('cyclopts', 'rich') if name in sys.modules])")
    assert (code, out.strip()) == (0, "[]")
    listing = "cli.main(); print([name for name in sys.modules if name.startswith('openrouter_client.cli.')])"
    code, out, err = await python(watching + listing, "--help")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "[]"


async def test_help_imports_no_network_code() -> None:
    """The command line itself needs none. The package around it has its own imports, so it is left out here."""
    alone = (
        "import sys, types, pathlib, importlib.util\n"
        "found = importlib.util.find_spec('openrouter_client')\n"
        "sys.modules['openrouter_client'] = package = types.ModuleType('openrouter_client')\n"
        "package.__path__ = list(found.submodule_search_locations)\n"
        "from openrouter_client import cli\n"
        "assert cli.main() == 0\n"
        "print([name for name in ('aiohttp', 'openrouter_client.client') if name in sys.modules])\n"
    )
    code, out, err = await python(alone, "--help")
    assert (code, err) == (0, "")
    assert "predict" in out
    assert out.splitlines()[-1] == "[]"
