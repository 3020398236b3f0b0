"""The log: which records there are, what they hold, and what none of them may hold."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from tests.core.streamed import ended, said
from tests.shell import sse
from tests.shell.conftest import Overhearing
from tests.shell.loopback import KEY, Loopback, Script, answer, asking, client_of, completion, error, reset, silence

from openrouter_client import BatchRun, BatchSettings, Moment, OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.otel import Telemetry
from openrouter_client.records import RECORDS, write
from openrouter_client.simulator import Simulator
from openrouter_core.endpoints.inference import EMBEDDINGS
from openrouter_core.wire.embeddings import EmbeddingsRequest

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "whether-the-reservoir-is-empty"
SAID = "nobody-must-know-this-answer"
COMMON = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def documented() -> dict[str, tuple[str, set[str]]]:
    """The table of records in the documentation: level and fields of each."""
    page = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    table = page.partition("<!-- records: begin -->")[2].partition("<!-- records: end -->")[0]
    rows = re.findall(r"^\| `([a-z.]+)` \| ([A-Z]+) \| .*? \| (.*) \|$", table, re.MULTILINE)
    return {event: (level, set(re.findall(r"`(\w+)`", fields)) - {"log_content"}) for event, level, fields in rows}


def test_every_record_is_documented_with_its_level() -> None:
    assert {event: level for event, (level, _) in documented().items()} == {
        event: logging.getLevelName(level) for event, level in RECORDS.items()
    }


def test_no_field_hides_one_of_loggings_own() -> None:
    """Kills: a field called `name` or `args`, which logging refuses when somebody listens."""
    assert not {field for _, fields in documented().values() for field in fields} & COMMON


@pytest.fixture
def overheard() -> Iterator[Overhearing]:
    """All that is logged at DEBUG, by us, aiohttp and asyncio."""
    handler, kept = Overhearing(), {}
    for name in ("", "openrouter_client", "aiohttp", "asyncio", "concurrent"):
        kept[name] = logging.getLogger(name).level
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    for name, level in kept.items():
        logging.getLogger(name).setLevel(level)


class Answer(msgspec.Struct):
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]


def tool(question: str) -> str:
    """Look something up."""
    raise ValueError(question)


async def everything_that_can_happen(folder: Path) -> None:
    """Whole answers, streams, typed answers, tools, other endpoints, bulk runs, and everything that goes wrong."""
    good = answer(200, completion(SAID))
    call = {"id": "c", "type": "function", "function": {"name": "tool", "arguments": f'{{"question": "{PROMPT}"}}'}}
    calling = completion("", choices=[{"finish_reason": "tool_calls", "message": {"tool_calls": [call]}}])
    quoting = [answer(code, error(code, f"cannot answer {PROMPT}", raw=PROMPT)) for code in (400, 401, 402, 403, 404)]
    passing = [answer(code, error(code, PROMPT), {"Retry-After": "0.01"}) for code in (429, 503, 502)]
    odd: list[Script] = [
        reset,
        answer(200, error(502, PROMPT)),
        answer(200, PROMPT.encode()),
        answer(200, b"<html>" + SAID.encode()),
    ]
    cut = [sse.then_close(said(SAID), polite=False), sse.then_reset(said(SAID)), sse.then_wait(said(SAID))]
    settings: dict[str, Any] = {"timeout_secs": 2.0, "idle_timeout_secs": 0.1, "app_title": "test"}
    for script in (*quoting, *passing, *odd, *cut, sse.whole(said(SAID) + ended()), answer(200, calling)):
        for telemetry in (None, Telemetry(), broken_hook):
            async with Loopback(script, good) as server, client_of(server, observe=telemetry, **settings) as client:
                await client.chat_completion(asking(PROMPT))
                await client.stream_chat_completion(asking(PROMPT)).collect()
    async with Loopback(answer(200, calling), good) as server, client_of(server, **settings) as client:
        await client.run_tools(asking(PROMPT), [tool])
        await client.chat_completion_as(Answer, asking(PROMPT), repair=1)
        await client.call(EMBEDDINGS, EmbeddingsRequest(model="m", input=PROMPT))
        await client.request("POST", "/x", json={"prompt": PROMPT})
        await client.chat_completion(asking(PROMPT), max_cost_usd=1e-9)
        await client.chat_completion(asking(PROMPT, top_p=9.0))
    async with Loopback(silence) as server, client_of(server, **settings) as client:
        task = asyncio.create_task(client.chat_completion(asking(PROMPT)))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        await client.chat_completion(asking(PROMPT), deadline_secs=0.02)
    async with client_of(server, **settings) as client:  # nobody is there any more
        await client.chat_completion(asking(PROMPT))
    async with Simulator(seed=1, faults={"502": 0.1, "reset": 0.1}) as simulator:
        config = OpenRouterConfig(api_key=simulator.api_key, base_url=simulator.base_url, retry_delay_ms=1)
        async with unwrap(OpenRouterClient.new(config)) as client:
            await asyncio.gather(*(client.chat_completion(asking(PROMPT)) for _ in range(30)))
        (folder / "rows.jsonl").write_text(f'{{"prompt": "{PROMPT}"}}\n' * 20, encoding="utf-8")
        run = BatchRun.new(folder / "rows.jsonl", folder / "out.jsonl", BatchSettings(model="m/x"), config=config)
        await unwrap(run).run()


def broken_hook(moment: Moment) -> None:
    raise ValueError("no")


def test_nothing_that_is_logged_holds_the_key_a_prompt_or_an_answer(overheard: Overhearing, tmp_path: Path) -> None:
    """With asyncio's own debugging on, which logs slow steps with what they were about."""
    asyncio.run(everything_that_can_happen(tmp_path), debug=True)
    assert len(overheard.heard) > 100
    told = "\n".join(overheard.heard)
    assert {"asyncio", "openrouter_client", "aiohttp.server"} <= set(re.findall(r"'name': '([\w.]+)'", told))
    for secret in (KEY, "sk-or-", "Bearer", PROMPT, SAID, "reservoir"):
        assert secret not in told, next(line for line in overheard.heard if secret in line)


def test_a_secret_that_is_logged_is_found(overheard: Overhearing) -> None:
    """Kills: ears that hear nothing."""
    write("redis.back", "text with %s", PROMPT, members=7)
    logging.getLogger("aiohttp.client").debug("x", extra={"field": SAID})
    assert PROMPT in overheard.heard[0]
    assert SAID in overheard.heard[1]


async def test_the_records_have_the_fields_that_are_documented(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openrouter_client")
    good = answer(200, completion())
    async with (
        Loopback(answer(503), answer(402), good, good, silence) as server,
        client_of(server, observe=broken_hook) as client,
    ):
        await client.chat_completion(asking())
        await client.chat_completion(asking(), max_cost_usd=0.1)
        await client.chat_completion(asking())
        task = asyncio.create_task(client.chat_completion(asking()))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
    seen: dict[str, set[str]] = {}
    for record in caplog.records:
        if record.name == "openrouter_client":
            seen.setdefault(vars(record)["event"], set()).update(set(vars(record)) - COMMON - {"event"})
    expected = {event: fields - {"prompt", "answer"} for event, (_, fields) in documented().items()}
    assert seen == {event: expected[event] for event in seen}
    assert set(seen) >= {"call.ended", "call.left", "call.retried", "hook.failed", "model.replaced"}
