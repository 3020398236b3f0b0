"""What all commands have in common: pipes, colours, interruptions, and completion."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.shell.command_line import RUN, CommandLine

from openrouter_client import cli
from openrouter_client.cli.output import Output, cell, printable
from openrouter_client.simulator import Simulator
from openrouter_core.errors import RateLimited, ToolLoopFailed


def test_a_terminal_is_not_steered_by_an_answer() -> None:
    """Kills: an answer that clears the screen, or renames the window."""
    assert printable("a\x1b[2J\x1b]0;title\x07b\x9b1m\r\n\tc") == "a[2J]0;titleb1m\n\tc"
    assert printable("grüß\xa0👩\u200d💻") == "grüß\xa0👩\u200d💻"
    assert cell("a\tb\nc") == "a b c"


def test_the_cause_of_a_failed_loop_decides_its_code(command: CommandLine) -> None:
    error = ToolLoopFailed(message="m", cause=RateLimited(message="slow down"))
    assert Output("x").failed(error) == 6
    assert "x: ToolLoopFailed: m" in command.capsys.readouterr().err


@pytest.mark.parametrize("name", ["--help", "models", "schedule", "simulate-load", "key"])
def test_a_reader_that_has_gone_ends_any_command_quietly(name: str, tmp_path: Path) -> None:
    """Kills: the traceback of a BrokenPipeError, at the end or while the output is flushed at exit."""
    told = {"models": ["--simulate", "--json"], "key": ["--simulate"], "simulate-load": ["--scenarios"]}
    program = (*RUN, name, *told.get(name, []))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        program,
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 130
    assert "Error" not in done.stderr.decode()


def in_terminal(*arguments: str, **variables: str) -> str:
    """What a command shows on a terminal."""
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "150", **variables}
    with subprocess.Popen([*RUN, *arguments], stdout=slave, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                some = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            shown += some
        process.wait(timeout=30)
    os.close(master)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("arguments", [["doctor", "--simulate"], ["--help"]])
def test_no_color_is_honoured_on_a_terminal(arguments: list[str]) -> None:
    assert "\x1b[3" in in_terminal(*arguments) or "\x1b[1;3" in in_terminal(*arguments)
    plain = in_terminal(*arguments, NO_COLOR="1")
    assert not [code for code in ("\x1b[3", "\x1b[1;3", "\x1b[9") if code in plain]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_a_table_has_a_frame_and_in_a_pipe_it_has_none(command: CommandLine) -> None:
    assert "│" in in_terminal("models", "grok", "--simulate", NO_COLOR="1")
    done = command.run("models", "grok", "--simulate")
    assert "│" not in done.out
    assert "\x1b" not in done.out + done.err


async def test_ctrl_c_in_a_command_that_waits_says_what_was_spent(tmp_path: Path) -> None:
    async with Simulator(latency=(30.0, 30.0)) as server:
        environment = {**os.environ, "OPENROUTER_API_KEY": server.api_key, "OPENROUTER_BASE_URL": server.base_url}
        process = await asyncio.create_subprocess_exec(
            *RUN, "chat", "hello", "--json", stdin=asyncio.subprocess.DEVNULL, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(20):
            while not server.in_flight:  # noqa: ASYNC110 -- the server tells nobody
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert "chat: interrupted. Spent $0.00 in 1 request. 1 of them was cut off, and may be billed too." in err.decode()
    assert "Traceback" not in err.decode()


def test_ctrl_c_while_the_pipe_is_waited_for_leaves_quietly() -> None:
    with subprocess.Popen(
        [*RUN, "chat"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        # More than a pipe holds: this returns when the command reads, and not before.
        process.stdin.write(b"x" * (1 << 20))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.decode() == "openrouter-client: interrupted\n"


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])]
)
def test_completion_knows_commands_and_options(command: CommandLine, shell: str, check: list[str]) -> None:
    done = command.run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert [name for name in cli.COMMANDS if name not in done.out] == []
    assert "max-price" in done.out
    if shutil.which(check[0]) is not None:
        script = command.home / "script"
        script.write_text(done.out)
        checked = subprocess.run([*check, str(script)], capture_output=True, check=False, timeout=30)
        assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_an_option(command: CommandLine) -> None:
    script = command.home / "script"
    script.write_text(command.run("completion", "bash").out)
    program = (
        f"source {script}; COMP_WORDS=(openrouter-client models --max-p); COMP_CWORD=2; "
        "_openrouter_client; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, timeout=30)  # noqa: S607 - bash, wherever it is
    assert "--max-price" in done.stdout.split(), done


def test_an_unknown_shell_is_named(command: CommandLine) -> None:
    assert command.run("completion", "tcsh").code == 2


def test_an_output_keeps_what_it_cannot_show_from_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    Output("x").write("grüß\n")
    assert out.buffer.getvalue() == b"gr??\n"
    Output("x", json=True).value({"a": "ü"})
    assert out.buffer.getvalue().endswith('{"a":"ü"}\n'.encode())
