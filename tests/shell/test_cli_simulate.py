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
from openrouter_client.simulator import API_KEY, MANAGEMENT_KEY

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
    assert f"OPENROUTER_MANAGEMENT_KEY={MANAGEMENT_KEY}" in (await process.stdout.readline()).decode()
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
    assert "served times" in summary
    assert "429 quota 1" in summary
    assert " 500 1 " in summary


async def test_for_machines_it_tells_its_address_and_what_it_served_as_json() -> None:
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            _RUN,
            "simulate",
            "--port",
            "0",
            "--json",
            "--key",
            "sk-or-a",
            "--management-key",
            "sk-or-m",
        ),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    assert (told["api_key"], told["management_key"]) == ("sk-or-a", "sk-or-m")
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer sk-or-m"}) as session,
        session.get(f"{told['base_url']}/credits") as answer,
    ):
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    out, _ = await process.communicate()
    assert (process.returncode, json.loads(out)) == (0, {"served": {"ok": 1}, "cost_usd": 0.0})


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
        assert run(monkeypatch, "simulate", "--port", port) == 7
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
    assert all(name in said and command.about.splitlines()[0][:40] in said for name, command in cli.COMMANDS.items())
    assert run(monkeypatch, "simulate", "--help") == 0
    said = capsys.readouterr().out
    assert all(f"--{name}" in said for name in ("host", "port", "seed", "faults", "quota", "latency", "key"))


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_a_commands_help_has_examples_and_tells_its_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    told = cli.COMMANDS[command]
    assert f"Exit codes: {told.codes[0]} " in said
    assert " ".join(told.epilogue.split()) in said
    assert told.examples
    assert all(example.split()[0] == command or command in example for example in told.examples)


async def test_help_imports_no_command_and_the_package_no_extra() -> None:
    watching = f"{_RUN.partition(';')[0]}; import openrouter_client.cli as cli; "
    code, out, _ = await python(watching + "print([name for name in ('cyclopts', 'rich') if name in sys.modules])")
    assert (code, out.strip()) == (0, "[]")
    listing = "cli.main(); print([name for name in sys.modules if name.startswith('openrouter_client.cli.')])"
    code, out, err = await python(watching + listing, "--help")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "['openrouter_client.cli.exits', 'openrouter_client.cli.pipes']"


@pytest.mark.parametrize("command", list(cli.COMMANDS))
async def test_help_imports_no_network_code(command: str) -> None:
    """Kills: an import of aiohttp at the top of a command's module, which would triple the time that help takes."""
    program = (
        "import sys; from openrouter_client import cli; "
        f"code = cli.main([{command!r}, '--help']); print(code, 'aiohttp' in sys.modules)"
    )
    code, out, err = await python(program)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "0 False"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["schedule"], ["simulate-load", "--scenarios"], ["completion", "bash"], ["chat", "-x"]],
)
async def test_what_does_not_call_imports_no_network_code(arguments: list[str]) -> None:
    program = f"import sys; from openrouter_client import cli; cli.main({arguments!r}); print('aiohttp' in sys.modules)"
    code, out, _ = await python(program)
    assert (code, out.splitlines()[-1]) == (0, "False")
