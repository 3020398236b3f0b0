"""The commands `key`, `credits`, `generation` and `embed`."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from tests.shell.command_line import CommandLine, bodies

from openrouter_client.cli import embed
from openrouter_client.cli.account import credit_facts, generation_facts, key_facts
from openrouter_client.simulator import Simulator
from openrouter_core.wire.account import Credits
from openrouter_core.wire.generation import Generation
from openrouter_core.wire.keys import CurrentKey


def test_a_key_is_told_in_words() -> None:
    told = {"label": "sk-or...1", "usage": 1.5, "usage_daily": 0.25, "limit": 10, "limit_remaining": 8.5}
    told |= {"limit_reset": "daily", "is_free_tier": False, "free_model_daily_requests": {"used": 3, "limit": 50}}
    facts = dict(key_facts(msgspec.convert(told, CurrentKey)))
    assert facts == {
        "label": "sk-or...1",
        "used": "$1.50",
        "used today": "$0.25",
        "limit": "$10.00 (daily reset)",
        "left": "$8.50",
        "expires": "never",
        "management key": "no",
        "free requests today": "3 of 50",
    }
    bare = dict(key_facts(CurrentKey(is_provisioning_key=True)))
    assert (bare["limit"], bare["left"], bare["used"], bare["management key"]) == ("none", "no limit", "$?", "yes")
    assert "free requests today" not in bare


def test_credits_are_told_with_what_is_left() -> None:
    facts = credit_facts(Credits(total_credits=Decimal(20), total_usage=Decimal("20.5")))
    assert facts == [("bought", "$20.00"), ("used", "$20.50"), ("left", "-$0.50")]


def test_a_generation_is_told_by_what_was_billed() -> None:
    """Kills: OpenRouter's common measure of tokens in place of the provider's, and milliseconds told as seconds."""
    found = Generation(id="g", tokens_prompt=1, native_tokens_prompt=7, tokens_completion=4, generation_time=1500.0)
    facts = dict(generation_facts(found))
    assert (facts["tokens in"], facts["tokens out"], facts["took"], facts["cost"]) == (7, 4, "1.5 s", "$?")
    assert dict(generation_facts(Generation(id="g", latency=250.0)))["took"] == "0.2 s"
    assert dict(generation_facts(Generation(id="g")))["took"] == "?"


async def test_key_and_credits_are_lines_or_json(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("key")
        assert (done.code, done.err) == (0, "")
        assert dict(line.split("\t") for line in done.out.splitlines())["limit"] == "none"
        (told,) = (await command.asked("key", "--json")).values
        assert told["usage"] == 0
        done = await command.asked("credits")
        assert done.out == "bought\t$100.00\nused\t$0.00\nleft\t$100.00\n"
        (told,) = (await command.asked("credits", "--json")).values
        assert told == {"total_credits": 100, "total_usage": 0, "left": 100}
        sent = [request.headers["Authorization"] for request in server.requests]
        assert sent == [f"Bearer {server.api_key}"] * 2 + [f"Bearer {server.management_key}"] * 2


async def test_credits_take_the_management_key_and_say_so(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        command.monkeypatch.delenv("OPENROUTER_MANAGEMENT_KEY")
        done = await command.asked("credits", "--json")
        assert (done.code, done.out, len(server.requests)) == (4, "", 0)
        assert done.error["key"] == "management"
        assert "OPENROUTER_MANAGEMENT_KEY" in done.error["message"]


async def test_a_generation_is_waited_for_until_it_is_written_down(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        (told,) = (await command.asked("chat", "hello", "--json")).values
        done = await command.asked("generation", told["id"], "--json")
        (found,) = done.values
        assert done.code == 0
        assert [request.answer for request in server.requests][-2:] == ["404", "ok"]
        assert (found["id"], found["total_cost"]) == (told["id"], told["cost_usd"])
        shown = await command.asked("generation", told["id"])
        assert f"id\t{told['id']}" in shown.out.splitlines()


async def test_a_generation_that_is_not_there_is_exit_code_9_or_the_time_runs_out(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("generation", "gen-none", "--deadline", "0.2", "--json")
        assert done.code in (8, 9)
        assert done.error["type"] in ("NotFound", "DeadlineExceeded")


# ------------------------------------------------------------------------------------------------------ embed


async def test_each_text_is_a_line_with_its_vector(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("embed", "rain", " ", "sun", "--dimensions", "3", "--model", "x/embed")
        (body,) = bodies(server)
    assert done.code == 0
    assert [(told["index"], told["text"], len(told["embedding"])) for told in done.values] == [
        (0, "rain", 3),
        (1, "sun", 3),
    ]
    assert body == {"model": "x/embed", "input": ["rain", "sun"], "dimensions": 3}
    assert "2 vectors, 2 tokens, $0.00000004" in done.err


async def test_many_texts_go_in_several_requests_and_keep_their_order(command: CommandLine) -> None:
    """Kills: an index that begins anew with each request."""
    command.monkeypatch.setattr(embed, "TOGETHER", 2)
    command.pipe(b"one\n\n two \nthree\r\nfour\nfive")
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("embed", "--dimensions", "2")
        assert [body["input"] for body in bodies(server)] == [["one", "two"], ["three", "four"], ["five"]]
    assert [(told["index"], told["text"]) for told in done.values] == list(
        enumerate(["one", "two", "three", "four", "five"])
    )


async def test_for_machines_all_vectors_are_one_object_with_their_cost(command: CommandLine) -> None:
    path = command.home / "texts.txt"
    path.write_text("two\nthree\n")
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("embed", "one", "--file", str(path), "--json", "--dimensions", "2")
    (told,) = done.values
    assert [len(vector) for vector in told["embeddings"]] == [2, 2, 2]
    assert told["prompt_tokens"] > 0
    assert told["cost_usd"] > 0.0


async def test_what_came_before_a_failure_is_kept(command: CommandLine) -> None:
    command.monkeypatch.setattr(embed, "TOGETHER", 1)
    async with Simulator() as server:
        command.heed(server)
        server.script("ok", "402")
        done = await command.asked("embed", "one", "two", "--dimensions", "2")
    assert done.code == 5
    assert [json.loads(line)["text"] for line in done.out.splitlines()] == ["one"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a text, a --file, or lines"),
        (("--file", "gone"), "--file gone: No such file"),
        (("--dimensions", "0", "x"), "--dim"),
    ],
)
def test_without_texts_nothing_is_asked(command: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    command.monkeypatch.chdir(command.home)
    done = command.run("embed", "--simulate", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
