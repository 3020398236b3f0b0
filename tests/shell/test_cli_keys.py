"""Where the command line finds keys: variables, then files, of which those that others may read are refused."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest
from tests.shell.command_line import CommandLine

from openrouter_client.cli.keyfiles import candidates, folder, key_in, read_key, unsafe
from openrouter_client.simulator import Simulator

SECRET = "sk-or-v1-a-very-secret-key"


def write(path: Path, content: str = SECRET + "\n", mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_variable_comes_before_the_file_that_one_names_and_that_before_the_usual_one() -> None:
    home = {"HOME": "/home/jo"}
    assert folder(home) == Path("/home/jo/.config/openrouter")
    assert folder({**home, "XDG_CONFIG_HOME": "/etc/jo"}) == Path("/etc/jo/openrouter")
    usual = [(file.setting, str(file.path), file.named) for file in candidates(home)]
    assert usual == [
        ("api_key", "/home/jo/.config/openrouter/key", False),
        ("management_key", "/home/jo/.config/openrouter/management-key", False),
    ]
    named = candidates({**home, "OPENROUTER_API_KEY_FILE": "/run/key", "OPENROUTER_MANAGEMENT_KEY": "sk-or-m"})
    assert [(file.setting, str(file.path), file.named) for file in named] == [("api_key", "/run/key", True)]
    assert candidates({"OPENROUTER_API_KEY": "sk-or-a", "OPENROUTER_MANAGEMENT_KEY": "sk-or-m"}) == []


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_alone_is_read(mode: int) -> None:
    assert unsafe(Path("key"), 0o100000 | mode) == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o602, 0o777])
def test_a_file_that_others_may_read_or_change_is_refused_with_the_remedy(mode: int) -> None:
    """Kills: a mask that forgets the group, or the right to write."""
    told = unsafe(Path("my/key"), 0o100000 | mode)
    assert f"mode {mode:03o}" in told
    assert "chmod 600 my/key" in told


def test_what_is_no_file_is_refused() -> None:
    assert "is no file" in unsafe(Path("key"), 0o040700)


@pytest.mark.parametrize("content", [b"", b"\n", b"one two", b"x" * 5000])
def test_a_file_holds_one_key(content: bytes) -> None:
    assert "must hold one key" in key_in(Path("k"), content).failure()
    assert "one two" not in key_in(Path("k"), content).failure()


def test_no_usual_file_is_no_failure_but_a_named_one_has_to_be_there(tmp_path: Path) -> None:
    usual, _ = candidates({"HOME": str(tmp_path)})
    assert read_key(usual).unwrap() is None
    named, _ = candidates({"HOME": str(tmp_path), "OPENROUTER_API_KEY_FILE": str(tmp_path / "gone")})
    assert "gone: No such file" in read_key(named).failure().message


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    named, _ = candidates({"HOME": str(tmp_path), "OPENROUTER_API_KEY_FILE": str(tmp_path / "pipe")})
    assert "is no file" in read_key(named).failure().message


async def test_the_key_file_is_used(command: CommandLine) -> None:
    async with Simulator() as server:
        command.monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
        write(command.home / ".config" / "openrouter" / "key", server.api_key)
        write(command.home / ".config" / "openrouter" / "management-key", server.management_key)
        assert (await command.asked("key")).code == 0
        assert (await command.asked("credits")).code == 0
        named = write(command.home / "elsewhere", "sk-or-v1-wrong")
        command.monkeypatch.setenv("OPENROUTER_API_KEY_FILE", str(named))
        assert (await command.asked("key", "--retries", "0")).code == 4
        command.monkeypatch.setenv("OPENROUTER_API_KEY", server.api_key)
        assert (await command.asked("key")).code == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_unsafe_key_file_ends_the_command_and_is_not_shown(command: CommandLine, options: list[str]) -> None:
    path = write(command.home / ".config" / "openrouter" / "key", mode=0o644)
    done = command.run("chat", "hello", *options)
    assert (done.code, done.out) == (4, "")
    assert f"chmod 600 {path}" in done.err
    assert SECRET not in done.err


def test_without_a_key_three_ways_are_told(command: CommandLine) -> None:
    done = command.run("chat", "hello")
    assert (done.code, done.out) == (4, "")
    assert all(words in done.err for words in ("OPENROUTER_API_KEY", "chmod 600", "--simulate"))
    assert str(command.home / ".config" / "openrouter" / "key") in done.err
    assert "OPENROUTER_MANAGEMENT_KEY" in command.run("credits").err


def test_a_key_is_never_an_option(command: CommandLine) -> None:
    """Kills: an option that would show the key to every user of the machine, in the list of processes."""
    for name in ("chat", "models", "embed", "key", "credits", "generation", "doctor", "predict"):
        assert not re.search(r"--\S*key", command.run(name, "--help").out)
    assert command.run("key", "--api-key", SECRET).code == 2


async def test_a_key_that_the_server_echoes_is_not_shown(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        command.monkeypatch.setenv("OPENROUTER_API_KEY", SECRET)
        for arguments in (["key"], ["chat", "hello", "--json"], ["doctor"], ["doctor", "--json"]):
            done = await asyncio.to_thread(command.run, *arguments)
            assert done.code in (1, 4)
            assert SECRET not in done.out + done.err
