"""The calls of a soak: which, by the dice of the seed; and whether what came back is what was asked for."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from returns.result import Failure, Success

from openrouter_client import (
    BatchRun,
    BatchSettings,
    ChatCompletionRequest,
    ChatMessage,
    DataSourceError,
    OpenRouterClient,
    unwrap,
)
from openrouter_client.simulator.vectors import DIMENSIONS, _vector
from openrouter_core.journal import Ended, Left, Moment
from openrouter_core.wire.embeddings import EmbeddingsRequest

MODEL = "openai/gpt-4o-mini"
EMBEDDER = "openai/text-embedding-3-small"
DEADLINE = 6.0
ROWS = 12
TYPES = [msgspec.defstruct(f"Echo{n}", [("echo", Literal[f"echo-{n}"])]) for n in range(64)]
"""Types with one value each: an answer of another call does not fit."""


class Call(Struct, frozen=True):
    """A call to make: its kind, a word that its answer has to hold, and a roll in [0, 1) for what is left to chance."""

    kind: str
    word: str
    roll: float


class Wrong(AssertionError):
    """An answer that is not what was asked for."""


class Books:
    """Every call is written down when it begins and when it ends; `faults` tells what does not add up.

    Twice: by who asked, and by what the client's own moments say.
    """

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.known: Counter[tuple[int, int]] = Counter()
        self.over: Counter[tuple[int, int]] = Counter()
        self.told: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []

    def seen(self, client: int, moment: Moment) -> None:
        """Write down a moment of a call of a client."""
        key = (client, moment.call)
        self.known[key] = 1
        self.over[key] += isinstance(moment.event, Ended | Left)

    def faults(self) -> list[str]:
        """Tell which calls were lost, answered twice or wrongly."""
        lost = [word for word in self.begun if not self.ended[word]]
        twice = [word for word, times in self.ended.items() if times > self.begun[word]]
        endless = [key for key in self.known if self.over[key] != 1]
        found = list(self.wrong[:5])
        found += [f"{len(lost)} calls were lost: {lost[:3]}"] if lost else []
        found += [f"{len(twice)} calls ended twice: {twice[:3]}"] if twice else []
        found += [f"{len(endless)} calls of a client have no end, or two: {endless[:3]}"] if endless else []
        return found


def asking(word: str) -> ChatCompletionRequest:
    """Ask for an answer that holds a word."""
    return ChatCompletionRequest(model=MODEL, messages=(ChatMessage(role="user", content=f"About {word}."),))


def judged(result: object, holds: Callable[[Any], bool]) -> str:
    """Tell how a call ended; raises Wrong for what is no Result, or an answer to something else."""
    match result:
        case Success(answer):
            if not holds(answer):
                raise Wrong(f"it was answered with what nobody asked for: {str(answer)[:200]}")
            return "good"
        case Failure(error) if isinstance(error, DataSourceError):
            return type(error).__name__
        case _:
            raise Wrong(f"it ended in no Result but {result!r:.200}")


async def whole(client: OpenRouterClient, call: Call) -> str:
    """A call for an answer in one piece."""
    return judged(await client.chat_completion(asking(call.word), deadline_secs=DEADLINE), says(call.word))


async def gathered(client: OpenRouterClient, call: Call) -> str:
    """A call whose answer is streamed, and given whole."""
    got = await client.chat_completion(asking(call.word), deadline_secs=DEADLINE, streamed=True)
    return judged(got, says(call.word))


async def streamed(client: OpenRouterClient, call: Call) -> str:
    """A call whose answer is read chunk by chunk."""
    async with client.stream_chat_completion(asking(call.word), deadline_secs=DEADLINE) as stream:
        pieces = [chunk.text async for chunk in stream]
    return judged(stream.result, lambda answer: says(call.word)(answer) and answer.text == "".join(pieces))


async def dropped(client: OpenRouterClient, call: Call) -> str:
    """A stream that is left after its first chunk."""
    async with client.stream_chat_completion(asking(call.word), deadline_secs=DEADLINE) as stream:
        async for _ in stream:
            return "left"
    return judged(stream.result, says(call.word))


async def typed(client: OpenRouterClient, call: Call) -> str:
    """A call for a value of a type."""
    number = int(call.roll * len(TYPES))
    got = await client.chat_completion_as(TYPES[number], asking(call.word), deadline_secs=DEADLINE)
    return judged(got, lambda parsed: parsed.value.echo == f"echo-{number}")


async def tools(client: OpenRouterClient, call: Call) -> str:
    """A conversation with a tool."""

    async def look_up(thing: str) -> str:
        """Look a thing up."""
        return f"found {call.word}"

    got = await client.run_tools(asking(call.word), [look_up], deadline_secs=DEADLINE)
    return judged(got, lambda run: call.word in run.text)


async def embedded(client: OpenRouterClient, call: Call) -> str:
    """A call for vectors."""
    texts = [f"{call.word} {n}" for n in range(3)]
    got = await client.embeddings.create(EmbeddingsRequest(model=EMBEDDER, input=texts), deadline_secs=DEADLINE)
    expected = [_vector(text, EMBEDDER, DIMENSIONS, 0) for text in texts]
    return judged(got, lambda answer: [list(one.embedding) for one in answer.data] == expected)


async def cancelled(client: OpenRouterClient, call: Call) -> str:
    """A call that its caller gives up, somewhere on its way."""
    task = asyncio.ensure_future((whole, streamed)[int(call.roll * 1000) % 2](client, call))
    await asyncio.sleep(call.roll * 0.1)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "left"


async def hurried(client: OpenRouterClient, call: Call) -> str:
    """A call whose deadline is close."""
    got = await client.chat_completion(asking(call.word), deadline_secs=0.002 + call.roll * 0.1)
    return judged(got, says(call.word))


async def bulk(client: OpenRouterClient, call: Call) -> str:
    """A bulk run of a few rows: each has one line, with an answer to its own question or an error."""
    with tempfile.TemporaryDirectory() as made:
        source, output = Path(made, "rows.jsonl"), Path(made, "out.jsonl")
        words = [f"{call.word}-{n}" for n in range(ROWS)]
        source.write_text("".join(json.dumps({"id": word, "prompt": f"About {word}."}) + "\n" for word in words))
        config = msgspec.structs.replace(client.config, deadline_secs=DEADLINE)
        run = unwrap(BatchRun.new(source, output, BatchSettings(model=MODEL, max_in_flight=4), config=config))
        result = await run.run()
        lines = [json.loads(line) for line in output.read_text().splitlines()]
    if isinstance(result, Success) and sorted(line["custom_id"] for line in lines) != sorted(words):
        raise Wrong(f"a bulk run of {ROWS} rows wrote {len(lines)} lines: {[line['custom_id'] for line in lines]}")
    for line in lines:
        if not line.get("error") and f"{line['custom_id']}." not in json.dumps(line["response"]):
            raise Wrong(f"a row was answered with what nobody asked for: {line!r:.300}")
    whole_run = isinstance(result, Success) and not any(line.get("error") for line in lines)
    return "good" if whole_run else judged(result, lambda _: True) if isinstance(result, Failure) else "RowsFailed"


def says(word: str) -> Callable[[Any], bool]:
    """Tell whether an answer is about this word and no other."""
    return lambda answer: f"About {word}." in (answer.text or "")


KINDS: Mapping[str, tuple[Callable[[OpenRouterClient, Call], Awaitable[str]], int]] = {
    "whole": (whole, 20),
    "gathered": (gathered, 10),
    "streamed": (streamed, 20),
    "dropped": (dropped, 6),
    "typed": (typed, 10),
    "tools": (tools, 8),
    "embedded": (embedded, 8),
    "cancelled": (cancelled, 10),
    "hurried": (hurried, 6),
    "bulk": (bulk, 1),
}
"""Every kind of call, and its share of the traffic."""


def drawn(seed: int, phase: str, worker: int, number: int) -> Call:
    """Give the next call of a worker: the same for the same seed, on every machine."""
    dice = random.Random(f"{seed} {phase} {worker} {number}")
    kind = dice.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    return Call(kind, f"w{worker}n{number}x{dice.getrandbits(40):010x}", dice.random())


async def made(client: OpenRouterClient, call: Call, books: Books) -> str:
    """Make a call, and write down what came of it."""
    books.begun[call.word] += 1
    try:
        how = await KINDS[call.kind][0](client, call)
    except Exception as error:  # noqa: BLE001 - whatever it is: no call may raise
        books.wrong.append(f"{call.kind} {call.word}: {type(error).__name__}: {error}")
        how = "wrong"
    books.ended[call.word] += 1
    books.told["good" if how == "good" else "left" if how == "left" else "failed"] += 1
    if how not in ("good", "left"):
        books.errors[how] += 1
    return how
