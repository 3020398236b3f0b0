"""The command `chat`: what it sends, what it shows, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import signal
import sys
from pathlib import Path

import pytest
from tests.shell.command_line import RUN, CommandLine, bodies
from tests.shell.loopback import Loopback

from openrouter_client.cli.chat.asking import Given, cost_line, image_part, message_of, told_of
from openrouter_client.cli.problems import as_schema
from openrouter_client.simulator import Simulator
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SCHEMA = {"title": "Sky", "type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}


# ------------------------------------------------------------------------------------------------- as values


def test_a_question_is_words_then_the_pipe_then_files_by_name() -> None:
    given = Given(words="Sum up", piped="a\nb\n", texts=(("notes/one.txt", " first "), ("two.txt", "second")))
    assert message_of(given).content == "Sum up\n\na\nb\n\n--- one.txt ---\nfirst\n\n--- two.txt ---\nsecond"
    assert Given(words=" ", piped="\n").empty
    assert not given.empty


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_an_image_is_known_by_its_first_bytes(content: bytes, kind: str) -> None:
    url = image_part(content).unwrap().image_url
    assert getattr(url, "url", "") == f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize("content", [b"", b"RIFF\0\0\0\0WAVE", b"<svg/>"])
def test_what_is_no_image_is_refused(content: bytes) -> None:
    assert "no PNG" in image_part(content).failure()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is no JSON"),
        (b"[1]", "must be a JSON object"),
        (b"\xff", "no JSON"),
        (b'{"type": "int"}', "type must be"),
    ],
)
def test_a_schema_is_one_that_answers_can_be_held_against(content: bytes, said: str) -> None:
    assert said in as_schema(content).failure()


def test_what_nobody_told_is_unknown_and_not_nothing() -> None:
    bare = told_of(ChatCompletionResponse(), 1.0)
    assert cost_line(bare) == "?: ? tokens in, ? out, $?, 1.0 s"
    choice = Choice(message=ResponseMessage(content="hi"), finish_reason="length")
    usage = Usage(prompt_tokens=1200, completion_tokens=3, cost=0.0)
    cut = told_of(ChatCompletionResponse(model="x/y", choices=[choice], usage=usage), 1.0)
    assert cost_line(cut) == "x/y: 1,200 tokens in, 3 out, $0.00, 1.0 s, cut at its limit of tokens"


# ------------------------------------------------------------------------------------------------ one question


async def test_the_answer_goes_to_the_output_and_its_cost_beside_it(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("chat", "Is", "it", "raining?", "-m", "openai/gpt-5.2", "--system", "Be brief.")
        assert done.code == 0
        assert done.out.startswith("This is the local simulator")
        assert done.out.endswith("\n")
        assert "openai/gpt-5.2: " in done.err
        assert " tokens in, " in done.err
        assert "$0.0" in done.err
        (body,) = bodies(server)
        assert body["stream"] is True
        assert body["model"] == "openai/gpt-5.2"
        assert [(one["role"], one["content"]) for one in body["messages"]] == [
            ("system", "Be brief."),
            ("user", "Is it raining?"),
        ]
        assert server.api_key not in done.out + done.err


async def test_files_images_and_the_pipe_go_along(command: CommandLine) -> None:
    notes, picture, paper = (command.home / name for name in ("notes.txt", "a.dat", "paper.pdf"))
    notes.write_text("﻿It rains.\n", "utf-8")
    picture.write_bytes(PNG)
    paper.write_bytes(b"%PDF-1.7 ...")
    command.pipe(b"from the pipe")
    async with Simulator() as server:
        command.heed(server)
        files = ("--file", str(notes), "--file", str(paper), "--image", str(picture))
        assert (
            await command.asked("chat", "What is it?", *files, "--max-tokens", "50", "--temperature", "0")
        ).code == 0
        (body,) = bodies(server)
    text, document, image = body["messages"][0]["content"]
    assert text["text"] == "What is it?\n\nfrom the pipe\n\n--- notes.txt ---\nIt rains."
    assert document["file"]["filename"] == "paper.pdf"
    assert document["file"]["file_data"].startswith("data:application/pdf;base64,")
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert (body["max_completion_tokens"], body["temperature"]) == (50, 0)


async def test_for_machines_it_is_one_json_object(command: CommandLine) -> None:
    schema = command.home / "sky.json"
    schema.write_text(json.dumps(SCHEMA))
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("chat", "Sky?", "--schema", str(schema), "--json")
        (told,) = done.values
        (body,) = bodies(server)
    assert done.code == 0
    assert json.loads(told["text"]) == told["value"]
    assert set(told["value"]) == {"colour"}
    assert told["id"].startswith("gen-")
    assert told["cost_usd"] > 0.0
    assert told["prompt_tokens"] > 0
    assert body["response_format"]["json_schema"]["name"] == "Sky"
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_an_answer_that_is_not_the_json_it_was_to_be_is_a_failure(command: CommandLine) -> None:
    schema = command.home / "sky.json"
    schema.write_text(json.dumps(SCHEMA))
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("chat", "Sky?", "--schema", str(schema), "--json", "--max-tokens", "2")
    assert (done.code, done.out) == (3, "")
    assert done.error["type"] == "ParseError"
    assert "raise max_completion_tokens" in done.error["message"]
    assert done.error["text"]


async def test_an_answer_that_does_not_fit_is_asked_for_again_or_shown_with_what_is_wrong(command: CommandLine) -> None:
    schema = command.home / "point.json"
    schema.write_text('{"type": "object", "properties": {"x": {"type": "integer", "maximum": 9}}, "required": ["x"]}')
    wrong, right = streamed('{"x": 10}'), streamed('{"x": 3}')
    asked = ("chat", "Where?", "--schema", str(schema))
    async with Loopback(wrong, right, wrong, wrong) as server:
        command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
        command.monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
        done = await command.asked(*asked, "--repair", "1")
        assert (done.code, done.out) == (0, '{"x": 3}\n')
        again = json.loads(server.requests[1].body)["messages"]
        assert "at most 9" in again[-1]["content"]
        done = await command.asked(*asked)
        assert (done.code, done.out) == (3, "")
        assert '{"x": 10}' in done.err
        assert "at $.x: must be at most 9" in done.err
        machine = await command.asked(*asked, "--json")
        assert (machine.error["text"], machine.error["path"]) == ('{"x": 10}', "$.x")


def streamed(text: str) -> bytes:
    """A streamed answer with this text."""
    delta = {"role": "assistant", "content": text}
    chunk = {"id": "gen-1", "model": "m/a", "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        ("401", 4, "AuthError"),
        ("402", 5, "InsufficientCredits"),
        ("403", 10, "Forbidden"),
        ("404", 9, "NotFound"),
        ("400", 2, "InvalidRequest"),
        ("429", 6, "RateLimited"),
        ("500", 3, "ProviderError"),
        ("reset", 7, "Disconnected"),
        ("silent", 8, "DeadlineExceeded"),
        ("cutstream", 3, "TruncatedStream"),
        ("midstream", 3, "ProviderError"),
        ("html", 3, "ParseError"),
    ],
)
async def test_a_failure_has_the_exit_code_of_its_class(command: CommandLine, fault: str, code: int, kind: str) -> None:
    async with Simulator() as server:
        command.heed(server)
        server.script(fault)
        done = await command.asked("chat", "hello", "--json", "--retries", "0", "--deadline", "0.5")
    assert (done.code, done.out, done.error["type"]) == (code, "", kind)


async def test_a_retry_is_told_and_the_answer_comes_all_the_same(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        server.script("502", "ok")
        done = await command.asked("chat", "hello", "--retry-delay-ms", "1")
    assert done.code == 0
    assert "retry 1/3 in 0.0 s: 502 ProviderError" in done.err


async def test_what_came_of_a_stream_that_breaks_is_shown_on_a_line_of_its_own(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        server.script("cutstream")
        done = await command.asked("chat", "hello")
    assert done.code == 3
    assert done.out.strip()
    assert done.out.endswith("\n")
    assert "chat: TruncatedStream" in done.err


async def test_a_budget_is_kept(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked(
            "chat", "hello", "-m", "x-ai/grok-4.7", "--max-cost", "0.000001", "--max-tokens", "9"
        )
        assert (done.code, bodies(server)) == (5, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--file", "gone.txt", "x"), "--file gone.txt: No such file"),
        (
            ("--file", "bytes", "x"),
            "--file bytes: not UTF-8 at byte 0; save it as UTF-8, or give an image with --image",
        ),
        (("--image", "bytes", "x"), "--image bytes: is no PNG"),
        (("--schema", "bytes", "x"), "--schema bytes: is no JSON"),
        (("--temperature", "3", "x"), "--temperature"),
        (("--max-tokens", "0", "x"), "--max-tokens"),
        (("--faults", "500:1", "x"), "--faults 500:1: is for the local stand-in"),
        (("--simulate", "--base-url", "http://localhost", "x"), "--base-url http://localhost: and --simulate"),
        (("--simulate", "--faults", "fuor:1", "x"), "unknown fault 'fuor'"),
        (("--base-url", "http://example.com", "x"), "base_url"),
        ((), "the question '': ask something"),
    ],
)
def test_bad_input_is_named_with_a_remedy(command: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    command.monkeypatch.chdir(command.home)
    command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
    (command.home / "bytes").write_bytes(b"\xff\xfe")
    done = command.run("chat", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_input_that_is_no_text_is_refused(command: CommandLine) -> None:
    command.pipe(b"\xff")
    done = command.run("chat", "--simulate")
    assert done.code == 2
    assert "the input <stdin>: not UTF-8 at byte 0" in done.err


def test_the_stand_in_says_that_it_is_one(command: CommandLine) -> None:
    done = command.run("chat", "hello", "--simulate", "--seed", "4")
    assert done.code == 0
    assert "LOCAL STAND-IN" in done.err
    assert "LOCAL STAND-IN" not in done.out
    assert command.run("chat", "hello", "--simulate", "--seed", "4").out == done.out


# ------------------------------------------------------------------------------------------- a conversation


class Terminal:
    """A process whose input and output are a terminal; its remarks come through a pipe."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self.master = master
        self.shown = ""

    @classmethod
    async def start(cls, server: Simulator, home: Path, *arguments: str) -> Terminal:
        master, slave = pty.openpty()
        environment = {
            **os.environ,
            "OPENROUTER_API_KEY": server.api_key,
            "OPENROUTER_BASE_URL": server.base_url,
            "HOME": str(home),
            "TERM": "dumb",
        }
        process = await asyncio.create_subprocess_exec(
            *RUN, *arguments, stdin=slave, stdout=slave, stderr=asyncio.subprocess.PIPE, env=environment
        )
        os.close(slave)
        os.set_blocking(master, False)
        return cls(process, master)

    async def until(self, words: str) -> None:
        """Wait for words on the screen."""
        async with asyncio.timeout(20):
            while words not in self.shown:
                try:
                    self.shown += os.read(self.master, 4096).decode("utf-8", "replace")
                except BlockingIOError:
                    await asyncio.sleep(0.02)
        self.shown = self.shown.partition(words)[2]

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def ended(self) -> tuple[int | None, str]:
        """Wait for its end: the exit code and the remarks."""
        async with asyncio.timeout(20):
            _, remarks = await self.process.communicate()
        os.close(self.master)
        return self.process.returncode, remarks.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_a_conversation_remembers_what_was_said(tmp_path: Path) -> None:
    async with Simulator() as server:
        terminal = await Terminal.start(server, tmp_path, "chat", "--model", "openai/gpt-4o-mini", "--system", "Hm.")
        await terminal.until("> ")
        terminal.type("first question\n")
        await terminal.until("This is the local simulator")
        await terminal.until("> ")
        terminal.type("\n")
        await terminal.until("> ")
        terminal.type("second question\n")
        await terminal.until("This is the local simulator")
        await terminal.until("> ")
        terminal.type("\x04")
        code, remarks = await terminal.ended()
        one, two = bodies(server)
    assert code == 0
    assert remarks.count("tokens in") == 2
    assert [message["role"] for message in one["messages"]] == ["system", "user"]
    assert [message["role"] for message in two["messages"]] == ["system", "user", "assistant", "user"]
    assert two["messages"][1]["content"] == "first question"
    assert two["messages"][3]["content"] == "second question"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_a_question_without_an_answer_is_forgotten_and_the_talk_goes_on(tmp_path: Path) -> None:
    async with Simulator() as server:
        server.script("402")
        terminal = await Terminal.start(server, tmp_path, "chat")
        await terminal.until("> ")
        terminal.type("too dear\n")
        await terminal.until("> ")
        terminal.type("cheaper\n")
        await terminal.until("This is the local simulator")
        await terminal.until("> ")
        terminal.type("\x04")
        code, remarks = await terminal.ended()
        assert code == 0
        assert "InsufficientCredits" in remarks
        assert [message["content"] for message in bodies(server)[-1]["messages"]] == ["cheaper"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_ctrl_c_at_the_prompt_and_in_an_answer_leaves_and_says_what_was_spent(tmp_path: Path) -> None:
    async with Simulator() as server:
        terminal = await Terminal.start(server, tmp_path, "chat")
        await terminal.until("> ")
        terminal.type("hello\n")
        await terminal.until("This is the local simulator")
        await terminal.until("> ")
        terminal.process.send_signal(signal.SIGINT)
        code, remarks = await terminal.ended()
        assert code == 130
        assert "chat: interrupted. Spent $0.000" in remarks
        assert "in 1 request." in remarks
        assert "Traceback" not in remarks

        server.script("stall")
        process = await Terminal.start(server, tmp_path, "chat", "hello")
        await process.until("This is")
        process.process.send_signal(signal.SIGINT)
        code, remarks = await process.ended()
        assert code == 130
        assert "1 of them was cut off, and may be billed too." in remarks
        assert "`openrouter-client generation gen-" in remarks
        assert "Traceback" not in remarks
