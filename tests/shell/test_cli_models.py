"""The command `models`: which models are wanted, in which order, and how they are shown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shell.command_line import CommandLine

from openrouter_client.cli.models.choosing import ABILITIES, Ability, Order, Wanted, abilities_of, chosen, fits, row
from openrouter_client.simulator import Simulator
from openrouter_core.wire.models import Model


def model(slug: str, **facts: Any) -> Model:
    prices = {"prompt": facts.pop("prompt", None), "completion": facts.pop("completion", None)}
    return msgspec.convert({"id": slug, "pricing": prices, **facts}, Model)


FREE = model("meta/llama:free", name="Llama (free)", prompt="0", completion="0", context_length=8_000, created=3)
CHEAP = model(
    "openai/mini", prompt="0.00000015", completion="0.0000006", context_length=128_000, created=2,
    supported_parameters=["tools", "structured_outputs"],
    architecture={"input_modalities": ["text", "image"], "output_modalities": ["text"]},
)  # fmt: skip
DEAR = model(
    "x-ai/grok", prompt="0.000003", completion="0.000015", context_length=256_000, created=1,
    supported_parameters=["tools", "response_format", "reasoning"],
    architecture={"input_modalities": ["text", "file", "audio", "video"], "output_modalities": ["image", "audio"]},
)  # fmt: skip
ROUTER = model("openrouter/auto", prompt="-1", completion="-1")
UNKNOWN = Model(id="a/unknown")
ALL = [DEAR, ROUTER, FREE, UNKNOWN, CHEAP]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["meta/llama:free", "openai/mini", "x-ai/grok", "a/unknown", "openrouter/auto"]),
        (Wanted(words=("LLAMA", "free)")), ["meta/llama:free"]),
        (Wanted(words=("llama", "grok")), []),
        (Wanted(max_price=0.15), ["meta/llama:free", "openai/mini"]),
        (Wanted(max_price=0.149), ["meta/llama:free"]),
        (Wanted(max_price=0), ["meta/llama:free"]),
        (Wanted(max_output_price=15), ["meta/llama:free", "openai/mini", "x-ai/grok"]),
        (Wanted(min_context=128_000), ["openai/mini", "x-ai/grok"]),
        (Wanted(abilities=("tools",)), ["openai/mini", "x-ai/grok"]),
        (Wanted(abilities=("tools", "images")), ["openai/mini"]),
        (Wanted(abilities=("draws",)), ["x-ai/grok"]),
    ],
)
def test_a_model_is_wanted_if_it_has_everything(wanted: Wanted, names: list[str]) -> None:
    """Kills: "or" for "and", prices in another unit, and prices of -1 that count as cheap."""
    assert [one.id for one in chosen(ALL, wanted, "price")] == names


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", ["a/unknown", "meta/llama:free", "openai/mini", "openrouter/auto", "x-ai/grok"]),
        ("output-price", ["meta/llama:free", "openai/mini", "x-ai/grok", "a/unknown", "openrouter/auto"]),
        ("context", ["x-ai/grok", "openai/mini", "meta/llama:free", "a/unknown", "openrouter/auto"]),
        ("newest", ["meta/llama:free", "openai/mini", "x-ai/grok", "a/unknown", "openrouter/auto"]),
    ],
)
def test_what_is_unknown_comes_last(order: Order, names: list[str]) -> None:
    assert [one.id for one in chosen(ALL, Wanted(), order)] == names
    assert [one.id for one in chosen(ALL, Wanted(), order, 2)] == names[:2]


@given(st.lists(st.sampled_from(ALL), max_size=8), st.sampled_from(["name", "price", "context", "newest"]))
def test_order_loses_nothing_and_does_not_depend_on_where_one_began(models: list[Model], order: Any) -> None:
    found = chosen(models, Wanted(), order)
    assert sorted(one.id for one in found) == sorted(one.id for one in models)
    assert found == chosen(reversed(models), Wanted(), order)


def test_every_ability_is_found_somewhere() -> None:
    """Kills: an ability of the option that no model can have."""
    assert abilities_of(DEAR) == ("tools", "json", "reasoning", "audio", "files", "video", "draws", "speaks")
    assert abilities_of(CHEAP) == ("tools", "structured", "images")
    assert set(ABILITIES) == {*abilities_of(DEAR), *abilities_of(CHEAP)}
    nothing: list[Ability] = [ability for ability in ABILITIES if fits(UNKNOWN, Wanted(abilities=(ability,)))]
    assert nothing == []


def test_a_row_tells_what_matters() -> None:
    assert row(CHEAP) == ("openai/mini", "128k", "$0.15", "$0.60", "tools structured images")
    assert row(ROUTER)[1:4] == ("?", "varies", "varies")
    assert row(UNKNOWN)[1:] == ("?", "?", "?", "")


async def test_the_table_in_a_pipe_is_lines_with_tabs(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("models", "claude", "--sort", "price")
        asked = server.requests[-1].query
    assert done.code == 0
    heading, *rows = [line.split("\t") for line in done.out.splitlines()]
    assert heading == ["model", "context", "in $/M", "out $/M", "abilities"]
    assert [cells[0] for cells in rows] == ["anthropic/claude-haiku-4.5", "anthropic/claude-sonnet-4.5"]
    assert rows[0][1:4] == ["200k", "$1.00", "$5.00"]
    assert "2 of 14 models" in done.err
    assert asked == {"output_modalities": "all"}


async def test_for_machines_a_model_is_a_line_with_everything(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("models", "--max-price", "0", "--json", "--limit", "1")
    (told,) = done.values
    assert (done.code, done.err) == (0, "")
    assert msgspec.convert(told, Model, strict=False).pricing is not None
    assert told["pricing"]["prompt"] == 0


async def test_no_model_that_fits_is_no_failure(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("models", "no-such-model", "--json")
        assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--can", "fly"), "fly"),
        (("--sort", "colour"), "colour"),
        (("--max-price", "-1"), "--max-price"),
        (("--min-context", "many"), "many"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_bad_options_are_named(command: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    done = command.run("models", "--simulate", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


async def test_a_failure_of_the_list_is_told(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        server.script("429")
        done = await command.asked("models", "--json", "--retries", "0")
        assert (done.code, done.out, done.error["type"]) == (6, "", "RateLimited")


def test_prices_are_exact_for_machines(command: CommandLine) -> None:
    from openrouter_client.cli.output import Output

    Output("models", json=True).value({"price": Decimal("0.00000015")})
    told = json.loads(command.capsys.readouterr().out, parse_float=Decimal)
    assert told == {"price": Decimal("0.00000015")}
