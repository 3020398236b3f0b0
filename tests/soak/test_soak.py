"""The soak in its smallest form, and the proof that it bites: what is planted here must be found."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.soak import run, traffic
from tests.soak.census import Census, leaked
from tests.soak.phases import PHASES, Phase
from tests.soak.proxy import Weather
from tests.soak.run import failure, soak, table
from tests.soak.traffic import Books, Call, drawn

from openrouter_client import OpenRouterClient
from openrouter_client.line import Line

SHORT = (Phase(name="resets", weather=Weather(reset_head=0.1, reset_body=0.1)),)


async def test_all_phases_leave_everything_as_it_was(tmp_path: Path) -> None:
    reports = await soak(1, 0.0, tmp_path, each=0.8)
    assert not failure(1, reports)
    assert [one.phase for one in reports] == [phase.name for phase in PHASES]
    assert all(one.met and one.told["good"] for one in reports), table(reports)


@pytest.fixture
def kept() -> Iterator[list[Any]]:
    """What a planted leak keeps; taken back at the end."""
    held: list[Any] = []
    yield held
    for one in held:
        if hasattr(one, "close"):
            one.close()


async def found(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Soak with impatience, and tell what was found."""
    monkeypatch.setattr(run, "SETTLING", 0.5)
    monkeypatch.setattr(run, "RECOVERING", 2.0)
    monkeypatch.setattr(run, "LOST", 2.0)
    return failure(7, await soak(7, 0.0, folder, SHORT, each=0.8))


Planting = Callable[[list[Any]], object]


def task(kept: list[Any]) -> None:
    kept.append(asyncio.ensure_future(asyncio.sleep(3600)))


LEAKS: dict[str, Planting] = {
    "sockets": lambda kept: kept.append(socket.socket()),
    "tasks": task,
    "files": lambda kept: kept.append(Path("/dev/null").open()),  # noqa: SIM115 - a leak, on purpose
    "megabytes": lambda kept: kept.append(bytearray(b"x" * 2**22)),
}


@pytest.mark.parametrize("what", LEAKS)
async def test_what_a_call_keeps_is_found(
    what: str, kept: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = OpenRouterClient.chat_completion

    async def leaking(client: OpenRouterClient, *args: Any, **kwargs: Any) -> Any:
        LEAKS[what](kept)
        return await whole(client, *args, **kwargs)

    monkeypatch.setattr(OpenRouterClient, "chat_completion", leaking)
    told = await found(monkeypatch, tmp_path)
    for left in kept:
        if isinstance(left, asyncio.Task):
            left.cancel()
    await asyncio.sleep(0)
    assert f" {what} leaked: " in told
    assert "seed 7, phase 0, 'resets'" in told
    assert "--seed 7" in told


async def test_a_place_that_is_not_given_back_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave, turns = Line.leave, itertools.count(1)

    def forgetful(line: Line, stamp: Any, seen: Any) -> None:
        if next(turns) % 20:
            leave(line, stamp, seen)

    monkeypatch.setattr(Line, "leave", forgetful)
    assert " places leaked: " in await found(monkeypatch, tmp_path)


def wrong(how: str, whole: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Plant a bug into what answers calls."""
    before: list[Any] = []

    async def other(client: OpenRouterClient, *args: Any, **kwargs: Any) -> Any:
        if how == "raised":
            raise RuntimeError("planted")
        answer = await whole(client, *args, **kwargs)
        before.append(answer)
        return None if how == "none" else before[-2] if len(before) > 1 else answer

    return other


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raised", "RuntimeError: planted"),
        ("none", "it ended in no Result"),
        ("swapped", "it was answered with what nobody asked for"),
    ],
)
async def test_a_call_that_ends_wrongly_is_found(
    how: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenRouterClient, "chat_completion", wrong(how, OpenRouterClient.chat_completion))
    assert words in await found(monkeypatch, tmp_path)


async def test_a_call_that_never_ends_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = traffic.streamed

    async def hanging(client: OpenRouterClient, call: Call) -> str:
        if "probe" not in call.word and len(stuck) < 2:
            stuck.append(call.word)
            await asyncio.sleep(3600)
        return await stream(client, call)

    stuck = ["warm"] * 2
    monkeypatch.setitem(traffic.KINDS, "streamed", (hanging, 20))
    warm = run.warm

    async def then_stuck(*args: Any) -> Census:
        census = await warm(*args)
        stuck.clear()
        return census

    monkeypatch.setattr(run, "warm", then_stuck)
    told = await found(monkeypatch, tmp_path)
    assert "2 calls did not end within 2 s" in told
    assert "2 calls were lost" in told


def test_books_that_do_not_add_up_are_told() -> None:
    books = Books()
    books.begun.update(["once", "lost", "twice"])
    books.ended.update(["once", "twice", "twice"])
    books.known[0, 1] = books.known[0, 2] = 1
    books.over[0, 1] = 2
    assert [flaw[:25] for flaw in books.faults()] == [
        "1 calls were lost: ['lost",
        "1 calls ended twice: ['tw",
        "2 calls of a client have ",
    ]


def test_margins_are_kept_to() -> None:
    before = Census(tasks=1, sockets=4, files=5, threads=2, places=0, megabytes=100.0)
    assert not leaked(before, Census(tasks=1, sockets=4, files=5, threads=10, places=0, megabytes=148.0))
    after = Census(tasks=2, sockets=5, files=6, threads=11, places=1, megabytes=149.0)
    assert len(leaked(before, after)) == 6


def test_the_seed_settles_the_traffic() -> None:
    many = [drawn(5, "resets", worker, number) for worker in range(4) for number in range(200)]
    assert many == [drawn(5, "resets", worker, number) for worker in range(4) for number in range(200)]
    assert {call.kind for call in many} == set(traffic.KINDS)
    assert len({call.word for call in many}) == len(many)
    assert many[0] != drawn(6, "resets", 0, 0)
