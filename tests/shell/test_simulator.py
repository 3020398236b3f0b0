"""The local OpenRouter, seen from outside: a plain aiohttp session, or a bare socket, and no client of ours."""

import asyncio
import contextlib
import enum
import gzip
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal

import aiohttp
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from openrouter_client.simulator import (
    FAULTS,
    Quota,
    Simulator,
    ask,
    market,
    parse_fault,
    parse_faults,
    parse_quota,
    replies,
    sample,
    trouble,
)
from openrouter_client.simulator.answers import complete
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.faults import BrokenStream, Refusal
from openrouter_client.simulator.quota import Granted, Level, Refused, take
from openrouter_client.simulator.refusals import REFUSALS
from openrouter_client.simulator.schemas import UnsatisfiableError
from openrouter_client.simulator.trouble import choose
from openrouter_client.simulator.wire import Pause

Json = dict[str, Any]

HELLO: Json = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
ENDLESS = {"silent", "drip", "stall", "stall-first"}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(seed=7) as simulator:
        yield simulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Trouble on purpose must not look like trouble with the server: a demo would show its tracebacks."""
    yield
    assert not [record for record in caplog.get_records("call") if record.name.startswith(("aiohttp", "asyncio"))]


class Answer(Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        lines = [line.removeprefix("data: ") for line in self.body.decode().split("\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    @property
    def error(self) -> Json:
        found = self.json["error"]
        assert isinstance(found, dict)
        return found


async def post(
    http: aiohttp.ClientSession, sim: Simulator, body: object = HELLO, headers: dict[str, str] | None = None
) -> Answer:
    sent = {"Authorization": f"Bearer {sim.api_key}", "Content-Type": "application/json", **(headers or {})}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with http.post(
        f"{sim.base_url}/chat/completions", data=data, headers=sent, allow_redirects=False
    ) as response:
        return Answer(response.status, dict(response.headers), await response.read())


async def get(http: aiohttp.ClientSession, sim: Simulator, path: str) -> Answer:
    async with http.get(f"{sim.base_url}{path}", headers={"Authorization": f"Bearer {sim.api_key}"}) as response:
        return Answer(response.status, dict(response.headers), await response.read())


async def scripted(http: aiohttp.ClientSession, sim: Simulator, name: str, **more: object) -> Answer:
    sim.script(name)
    return await post(http, sim, {**HELLO, **more})


async def bare(sim: Simulator, body: Json = HELLO) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = sim.base_url.removeprefix("http://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data = json.dumps(body).encode()
    head = (
        f"POST /api/v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {sim.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    writer.write(head.encode() + data)
    return reader, writer


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 -- what is waited for happens in another task, which knows of no event
            await asyncio.sleep(0.005)


# --- quotas: pure, under a virtual clock ------------------------------------------------------------------------------

_GAPS = st.lists(st.integers(0, 3_000_000_000) | st.sampled_from([0, 0, 0, 1, 99_999_999, 100_000_000, 333_333_333]))


Take = Callable[[Quota, Level, float], tuple[Level, Granted | Refused]]


def agrees_with_exact_fractions(take: Take, quota: Quota, gaps: Sequence[int]) -> bool:
    level, tokens, now = Level(), Fraction(quota.burst or quota.limit), 0
    for gap in gaps:
        now += gap
        gained = Fraction(gap * quota.limit, round(quota.per * 1_000_000_000))
        tokens = min(Fraction(quota.burst or quota.limit), tokens + gained)
        level, verdict = take(quota, level, now / 1e9)
        if isinstance(verdict, Granted) is not (tokens >= 1):
            return False
        tokens -= 1 if tokens >= 1 else 0
    return True


@given(st.integers(1, 50), st.sampled_from([0.1, 1.0, 60.0]), st.integers(1, 20) | st.none(), _GAPS)
@example(3, 1.0, 1, [333_333_333] * 30)
def test_a_bucket_grants_exactly_what_exact_fractions_grant(
    limit: int, per: float, burst: int | None, gaps: Sequence[int]
) -> None:
    """The bug: float arithmetic that grants a token too many, or too few, after many tenths of a second."""
    assert agrees_with_exact_fractions(take, Quota(limit=limit, per=per, burst=burst), gaps)


def test_that_property_catches_a_bucket_of_floats() -> None:
    tokens, then = 1.0, 0.0

    def floating(quota: Quota, level: Level, now: float) -> tuple[Level, Granted | Refused]:
        nonlocal tokens, then
        tokens, then = min(1.0, tokens + (now - then) * quota.limit / quota.per), now
        if tokens < 1:
            return level, Refused(1.0)
        tokens -= 1
        return level, Granted(0)

    assert not agrees_with_exact_fractions(floating, Quota(limit=10, per=1.0, burst=1), [100_000_000] * 10)


@given(st.integers(1, 10), st.sampled_from([0.5, 1.0, 60.0]), _GAPS)
def test_a_window_grants_its_limit_between_two_marks_of_the_clock(limit: int, per: float, gaps: Sequence[int]) -> None:
    """The bug: windows that begin with the first request instead of with the clock."""
    quota, level, now, granted = Quota(limit=limit, per=per, window=True), Level(), 0, dict[int, int]()
    for gap in gaps:
        now += gap
        window = now // round(per * 1e9)
        level, verdict = take(quota, level, now / 1e9)
        assert isinstance(verdict, Granted) is (granted.get(window, 0) < limit)
        granted[window] = granted.get(window, 0) + isinstance(verdict, Granted)


@given(st.integers(1, 50), st.booleans(), st.integers(0, 2_000_000_000))
def test_a_refusal_names_the_wait_after_which_it_is_granted_and_not_before(limit: int, window: bool, at: int) -> None:
    """The bug: a hint that is too short, so that whoever heeds it is refused again; or far too long."""
    quota, level, now = Quota(limit=limit, per=1.0, window=window), Level(), at / 1e9
    for _ in range(limit):
        level, _verdict = take(quota, level, now)
    level, refused = take(quota, level, now)
    assert isinstance(refused, Refused)
    assert isinstance(take(quota, level, now + refused.wait + 2e-9)[1], Granted)
    assert isinstance(take(quota, level, now + refused.wait - 1e-6)[1], Refused)


@pytest.mark.parametrize(
    ("spec", "quota"),
    [
        ("10/s", Quota(limit=10, per=1.0)),
        (" 20 / min window ", Quota(limit=20, per=60.0, window=True)),
        ("10/s burst 3 reset", Quota(limit=10, per=1.0, burst=3, retry_after=False, reset=True)),
        ("10/100ms hint reset", Quota(limit=10, per=0.1, reset=True)),
        ("5/2s nohint", Quota(limit=5, per=2.0, retry_after=False)),
        ("1000/day", Quota(limit=1000, per=86400.0)),
        ("7/hours", Quota(limit=7, per=3600.0)),
    ],
)
def test_quotas_are_read(spec: str, quota: Quota) -> None:
    assert parse_quota(spec) == quota


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("", "expected a rate"),
        ("many", "expected a rate"),
        ("0/s", "at least 1"),
        ("10/fortnight", "'fortnight'"),
        ("10/0s", "'0'"),
        ("10/s burst", "'burst' wants"),
        ("10/s burst 0", "'0'"),
        ("10/s often", "'often'"),
        ("10/s nohint reset", "excludes"),
        ("10/s window burst 3", "no burst"),
    ],
)
def test_what_is_no_quota_is_refused_by_name(spec: str, named: str) -> None:
    with pytest.raises(ValueError, match="quota") as caught:
        parse_quota(spec)
    assert named in str(caught.value)


# --- the language of faults -------------------------------------------------------------------------------------------


def test_faults_are_read_with_their_chances_and_numbers() -> None:
    chances = parse_faults("500:0.05, slow@0.2:0.1,429-retry-after@7:0.25 ,418:0,")
    assert [chance.probability for chance in chances] == [0.05, 0.1, 0.25, 0]
    assert chances[0].fault == FAULTS["500"]
    assert chances[2].fault == msgspec.structs.replace(REFUSALS["429-retry-after"], seconds=7)
    assert chances[3].fault == Refusal(status=418, message="I'm a Teapot")
    assert parse_faults({"reset": 0.5}) == parse_faults("reset:0.5")


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("rest:0.1", "did you mean 'reset'"),
        ("rest:0.1", "midstream"),
        ("700:0.1", "'700'"),
        ("500", "name:probability"),
        (":0.5", "name:probability"),
        ("500:often", "'often'"),
        ("500:1.5", "'1.5'"),
        ("500:nan", "'nan'"),
        ("500:0.6,reset:0.6", "1.2"),
        ("slow@soon:0.1", "'soon'"),
        ("reset@1:0.1", "takes no number"),
    ],
)
def test_what_is_no_fault_is_refused_by_name(spec: str, named: str) -> None:
    with pytest.raises(ValueError, match="fault") as caught:
        parse_faults(spec)
    assert named in str(caught.value)


@given(st.floats(0, 1, exclude_max=True))
def test_a_roll_meets_the_fault_whose_share_it_falls_into(roll: float) -> None:
    """The bug: shares that overlap, so that the second kind of fault is rarer than asked for."""
    met = choose(parse_faults("500:0.25,reset:0.25"), roll)
    assert (met.name if met else None) == ("500" if roll < 0.25 else "reset" if roll < 0.5 else None)


def test_every_fault_has_one_name_and_every_plain_counterpart_exists() -> None:
    for name, one in FAULTS.items():
        assert parse_fault(name) == one
        assert FAULTS[trouble.name_of(one)] == one
        assert not isinstance(one, BrokenStream) or one.plainly in FAULTS
    assert trouble.name_of(Refusal(status=418, message="")) == "refusal"


# --- JSON for a schema ------------------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(Struct, tag="leaf"):
    size: Annotated[int, Meta(ge=3, lt=9, multiple_of=2)]


class Tree(Struct, tag="tree"):
    left: "Tree | Leaf"
    right: "Tree | Leaf | None"
    twigs: list["Tree"]


class Everything(Struct):
    share: Annotated[float, Meta(gt=0, lt=0.001)]
    chance: Annotated[float, Meta(ge=0, le=1)]
    side: Literal["yes", "no", "hold"]
    colour: Colour
    maybe: int | None
    either: int | str | bool
    name: Annotated[str, Meta(min_length=12, max_length=14)]
    pairs: list[tuple[int, str]]
    some: Annotated[list[float], Meta(min_length=4, max_length=5)]
    names: dict[str, Leaf]
    tree: Tree
    blob: bytes
    later: str = "default"


@given(st.integers(0, 10_000), st.sampled_from([Everything, Tree, Leaf, list[Leaf], dict[str, Colour], int | None]))
def test_made_up_json_is_what_its_schema_says(seed: int, kind: Any) -> None:
    """The bug: a bound that is exclusive taken for inclusive, or a recursive schema that never ends."""
    made = sample.sample(msgspec.json.schema(kind), Dice(seed))
    msgspec.json.decode(msgspec.json.encode(made), type=kind)


@given(st.integers(0, 10_000))
def test_schemas_as_pydantic_and_hand_write_them_are_met_too(seed: int) -> None:
    """The bug: `allOf`, `anyOf` beside `properties`, type lists and open objects taken for anything goes."""
    schema = {
        "type": ["object"],
        "allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"$ref": "#/$defs/more"}],
        "required": ["c"],
        "additionalProperties": {"type": "boolean"},
        "minProperties": 4,
        "$defs": {"more": {"properties": {"b/c": {"type": ["string", "null"]}}, "required": ["b/c"]}},
    }
    made = sample.sample(schema, Dice(seed))
    assert isinstance(made, dict)
    assert isinstance(made["a"], int)
    assert isinstance(made["b/c"], str | None)
    assert isinstance(made["c"], bool)
    assert len(made) >= 4
    price = {"type": "number", "multipleOf": 0.01, "minimum": 0.5, "maximum": 0.53}
    assert any(math.isclose(sample.sample(price, Dice(seed)), cents / 100) for cents in (50, 51, 52, 53))  # type: ignore[arg-type] # a number, by its schema
    unique = {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "maxItems": 3, "uniqueItems": True}
    assert sorted(sample.sample(unique, Dice(seed))) == [1, 2, 3]  # type: ignore[call-overload] # a list, by its schema


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "#"},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "number", "exclusiveMinimum": 1, "maximum": 1},
        {"enum": []},
        {"type": "blob"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
    ],
)
def test_a_schema_that_accepts_nothing_is_said_to(schema: Json) -> None:
    with pytest.raises(UnsatisfiableError):
        sample.sample(schema, Dice(1))


@pytest.mark.parametrize(
    ("prompt", "price"),
    [
        ("Current YES price: $0.43, NO price: $0.58", 0.43),
        ('{"yes_price": 0.07}', 0.07),
        ("Yes: 43%", 0.43),
        ("YES price: 7¢", 0.07),
        ("YES price .5", 0.5),
        ("a market without a price, 24 h volume 1000", None),
    ],
)
def test_the_yes_price_is_found_in_the_prompt(prompt: str, price: float | None) -> None:
    assert market.yes_price(prompt) == (None if price is None else pytest.approx(price))


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_a_healthy_answer_has_openrouters_shape(sim: Simulator, http: aiohttp.ClientSession) -> None:
    answer = await post(http, sim)
    assert (answer.status, answer.headers["X-OpenRouter-Simulator"]) == (200, "true")
    assert answer.body.startswith(b"\n  ")
    body = answer.json
    assert body["id"] == answer.headers["X-Generation-Id"]
    assert body["id"].split("-")[:2] == ["gen", str(body["created"])]
    assert len(body["id"].rpartition("-")[2]) == 20
    assert body["provider"] == "OpenAI"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert "simulator" in body["choices"][0]["message"]["content"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["cost"] == pytest.approx(usage["prompt_tokens"] * 0.15e-6 + usage["completion_tokens"] * 0.6e-6)
    assert sim.cost == usage["cost"]
    [request] = sim.requests
    assert (request.method, request.path, request.answer) == ("POST", "/api/v1/chat/completions", "ok")
    assert request.headers["authorization"] == f"Bearer {sim.api_key}"
    assert request.json() == HELLO
    assert sim.counts == {"ok": 1}


async def test_the_same_seed_gives_the_same_bytes_in_whatever_order(http: aiohttp.ClientSession) -> None:
    bodies = [{**HELLO, "seed": number, "stream": number % 2 == 0} for number in range(30)]

    async def run(seed: int, order: Sequence[Json]) -> dict[int, list[tuple[int, bytes]]]:
        async with Simulator(seed=seed, faults="500:0.2,429-retry-after:0.2,error200:0.2,midstream:0.1") as sim:
            answers = await asyncio.gather(*(post(http, sim, body) for body in order))
            again = [await post(http, sim, body) for body in order]
        met: dict[int, list[tuple[int, bytes]]] = {}
        for body, answer in zip([*order, *order], [*answers, *again], strict=True):
            met.setdefault(body["seed"], []).append((answer.status, answer.body))
        return met

    first = await run(1, bodies)
    assert first == await run(1, bodies[::-1])
    assert first != await run(2, bodies)
    statuses = {status for pair in first.values() for status, _ in pair}
    assert statuses == {200, 429, 500}
    # A request that failed may succeed when it is repeated.
    assert any(one != 200 and other == 200 for (one, _), (other, _) in (tuple(pair) for pair in first.values()))


async def test_a_stream_says_what_the_body_says(sim: Simulator, http: aiohttp.ClientSession) -> None:
    for model in ("x-ai/grok-4.7", "anthropic/claude-haiku-4.5"):
        asked = {**HELLO, "model": model, "reasoning": {"effort": "low"}}
        whole, stream = (await post(http, sim, asked)).json, await post(http, sim, {**asked, "stream": True})
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.body.startswith(b": OPENROUTER PROCESSING\n\n")
        *chunks, done = stream.events
        assert done == "[DONE]"
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        message = whole["choices"][0]["message"]
        assert all(delta["role"] == "assistant" for delta in deltas)
        assert "".join(delta["content"] for delta in deltas) == message["content"]
        assert "".join(delta.get("reasoning", "") for delta in deltas) == message["reasoning"]
        details = [detail for delta in deltas for detail in delta.get("reasoning_details", ())]
        for detail in message["reasoning_details"]:
            pieces = [piece for piece in details if piece["type"] == detail["type"]]
            for name in ("summary", "text", "data", "signature"):
                assert "".join(piece.get(name, "") for piece in pieces) == detail.get(name, "")
        last, usage = chunks[-2:]
        assert [chunk["choices"][0]["finish_reason"] for chunk in (last, usage)] == ["stop", "stop"]
        assert "usage" not in last
        assert usage["usage"] == whole["usage"]
        # The first streamed and the first plain request of a kind are the same generation to the dice.
        assert all(chunk["id"].split("-")[1] == whole["id"].split("-")[1] for chunk in chunks)


_WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 3}},
            "required": ["city", "days"],
        },
    },
}


async def test_tools_are_called_first_and_answered_afterwards(sim: Simulator, http: aiohttp.ClientSession) -> None:
    other = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
    asked = {**HELLO, "tools": [_WEATHER, other], "messages": [{"role": "user", "content": "Ask weather and clock."}]}
    choice = (await post(http, sim, asked)).json["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    weather, clock = choice["message"]["tool_calls"]
    assert [weather["function"]["name"], clock["function"]["name"]] == ["weather", "clock"]
    assert 1 <= json.loads(weather["function"]["arguments"])["days"] <= 3
    result = {"role": "tool", "tool_call_id": weather["id"], "content": "sunny at noon"}
    follow_up = {**asked, "messages": [*asked["messages"], choice["message"], result]}
    answer = (await post(http, sim, follow_up)).json["choices"][0]
    assert answer["finish_reason"] == "stop"
    assert "sunny at noon" in answer["message"]["content"]
    one = {**asked, "parallel_tool_calls": False}
    assert len((await post(http, sim, one)).json["choices"][0]["message"]["tool_calls"]) == 1
    none = {**asked, "tool_choice": "none"}
    assert (await post(http, sim, none)).json["choices"][0]["finish_reason"] == "stop"
    named = {**asked, "tool_choice": {"type": "function", "function": {"name": "clock"}}, "stream": True}
    calls = [
        call
        for chunk in (await post(http, sim, named)).events[:-1]
        for call in chunk["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert calls[0]["function"] == {"name": "clock", "arguments": ""}
    assert "".join(call["function"]["arguments"] for call in calls) == "{}"
    assert all("id" not in call for call in calls[1:])


async def test_structured_answers_fit_their_schema(sim: Simulator, http: aiohttp.ClientSession) -> None:
    class Prediction(Struct, forbid_unknown_fields=True):
        prediction: Literal["YES", "NO", "HOLD"]
        confidence: Annotated[float, Meta(ge=0, le=1)]
        reasoning: str
        target_price: float | None = None

    form = {"type": "json_schema", "json_schema": {"name": "p", "schema": msgspec.json.schema(Prediction)}}
    for price in (0.05, 0.5, 0.93):
        messages = [{"role": "user", "content": f"A market. YES price: {price}"}]
        answer = (await post(http, sim, {**HELLO, "messages": messages, "response_format": form})).json
        made = msgspec.json.decode(answer["choices"][0]["message"]["content"], type=Prediction)
        assert made.target_price == pytest.approx(price, abs=0.28)
        assert "not a forecast" in made.reasoning
    asked = {"role": "user", "content": "As JSON: prediction, confidence, reasoning, target_price. YES price: 0.4"}
    answer = (await post(http, sim, {**HELLO, "messages": [asked]})).json
    assert set(json.loads(answer["choices"][0]["message"]["content"])) == set(market.FIELDS)
    loose = (await post(http, sim, {**HELLO, "response_format": {"type": "json_object"}})).json
    assert json.loads(loose["choices"][0]["message"]["content"])["stand_in"] is True


async def test_limits_and_variants_are_kept(sim: Simulator, http: aiohttp.ClientSession) -> None:
    short = (await post(http, sim, {**HELLO, "max_tokens": 2})).json["choices"][0]
    assert (short["finish_reason"], short["message"]["content"]) == ("length", "This is ")
    stopped = (await post(http, sim, {**HELLO, "stop": ["simulator"]})).json["choices"][0]
    assert stopped["message"]["content"] == "This is the local "
    free = (await post(http, sim, {**HELLO, "model": "openai/gpt-4o-mini:free"})).json
    assert free["usage"]["cost"] == 0
    assert isinstance(free["usage"]["cost"], int)
    alias = (await post(http, sim, {"messages": HELLO["messages"], "model": "~x-ai/grok-latest"})).json
    assert alias["model"] == "x-ai/grok-4.7"
    assert alias["choices"][0]["message"]["reasoning_details"][0]["format"] == "xai-responses-v1"
    hidden = (await post(http, sim, {"messages": HELLO["messages"], "reasoning": {"exclude": True}})).json
    assert hidden["choices"][0]["message"]["reasoning"] is None
    assert hidden["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    prompt = (await post(http, sim, {"prompt": "Once upon a time", "model": "deepseek/deepseek-chat"})).json
    assert "Once upon a time" in prompt["choices"][0]["message"]["content"]
    bodies = [(await post(http, sim, {**HELLO, "seed": number})).json for number in range(40)]
    assert {body.get("system_fingerprint") for body in bodies} == {None, "local-simulator"}
    assert len({body["id"] for body in bodies}) == 40


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"messages": None}, 400, 'Input required: specify "prompt" or "messages"'),
        ({"messages": []}, 400, "Input must have at least 1 token."),
        ({"messages": [{"role": "king", "content": "x"}]}, 400, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, 400, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, 400, "messages[0].content[0].type"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "tool_call_id"),
        ({"model": "x-ai/grok-3-latest"}, 400, "x-ai/grok-3-latest is not a valid model ID"),
        ({"model": "gpt"}, 400, "gpt is not a valid model ID"),
        ({"models": ["nonexistent/model"]}, 400, "nonexistent/model is not a valid model ID"),
        ({"model": "x-ai/grok-4.7", "reasoning": {"effort": "none"}}, 400, "Reasoning is mandatory"),
        ({"temperature": 2.5}, 400, "temperature: Number must be less than or equal to 2"),
        ({"temperature": True}, 400, "temperature: Expected number"),
        ({"max_tokens": 0}, 400, "max_tokens: Number must be greater than or equal to 1"),
        ({"stream": "yes"}, 400, "stream"),
        ({"tools": [{"type": "function"}]}, 400, "tools[0].function.name"),
        ({"response_format": {"type": "json_schema"}}, 400, "json_schema.name"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": []}}}},
            400,
            "Invalid schema",
        ),
    ],
)
async def test_mistakes_are_refused_in_openrouters_words(
    sim: Simulator, http: aiohttp.ClientSession, change: Json, status: int, words: str
) -> None:
    answer = await post(http, sim, {**HELLO, **change})
    assert (answer.status, answer.error["code"]) == (status, status)
    assert words in answer.error["message"]
    assert sim.counts == {"400 invalid": 1}


async def test_keys_types_and_paths_are_checked(sim: Simulator, http: aiohttp.ClientSession) -> None:
    assert (await post(http, sim, headers={"Authorization": ""})).error["message"] == "Missing Authentication header"
    assert (await post(http, sim, headers={"Authorization": "Bearer x"})).error["message"] == "User not found."
    assert (await post(http, sim, headers={"Content-Type": "text/plain"})).status == 400
    assert (await post(http, sim, b"{")).error["message"] == "Invalid JSON in request body"
    assert (await get(http, sim, "/nowhere")).json == {"error": {"message": "Not Found", "code": 404}}
    assert (await get(http, sim, "/chat/completions")).status == 405


async def test_the_other_pages_are_there(sim: Simulator, http: aiohttp.ClientSession) -> None:
    done = (await post(http, sim)).json
    models = (await get(http, sim, "/models")).json["data"]
    assert len(models) == 14
    assert all(isinstance(model["pricing"]["prompt"], str) for model in models)
    assert (await get(http, sim, "/key")).json["data"]["usage"] == done["usage"]["cost"]
    assert (await get(http, sim, "/credits")).json["data"]["total_usage"] == done["usage"]["cost"]
    looks = [await get(http, sim, f"/generation?id={done['id']}") for _ in range(2)]
    assert [look.status for look in looks] == [404, 200]
    assert looks[1].json["data"]["total_cost"] == done["usage"]["cost"]


async def test_a_finished_request_is_free_the_second_time_if_it_asks_for_the_cache(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    caching = {"X-OpenRouter-Cache": "true"}
    sim.script("cut")
    with pytest.raises(aiohttp.ClientPayloadError):
        await post(http, sim, headers=caching)
    hit = await post(http, sim, headers=caching)
    assert hit.headers["X-OpenRouter-Cache-Status"] == "HIT"
    assert hit.json["usage"]["cost"] == 0
    assert (await post(http, sim, {**HELLO, "seed": 1}, caching)).headers["X-OpenRouter-Cache-Status"] == "MISS"
    assert "X-OpenRouter-Cache-Status" not in (await post(http, sim)).headers


async def test_a_quota_answers_429_with_the_hints_it_was_told_to(http: aiohttp.ClientSession) -> None:
    async with Simulator(quota="2/min hint reset") as sim:
        answers = [await post(http, sim) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        refused = answers[2]
        assert 0 < int(refused.headers["Retry-After"]) <= 30
        assert 0 < int(refused.headers["X-RateLimit-Reset"]) / 1000 - time.time() < 31
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert sim.counts == {"ok": 2, "429 quota": 1}
    async with Simulator(quota="1/min nohint") as sim:
        assert [(await post(http, sim)).status for _ in range(2)] == [200, 429]
        assert not {"Retry-After", "X-RateLimit-Reset"} & (await post(http, sim)).headers.keys()


# --- faults, at the socket --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FAULTS if name[:3].isdigit()])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_status_answers_with_that_status_before_any_stream(
    sim: Simulator, http: aiohttp.ClientSession, name: str, stream: bool
) -> None:
    answer = await scripted(http, sim, name, stream=stream)
    assert answer.status == int(name[:3])
    assert sim.counts == {name: 1}
    if answer.headers["Content-Type"] == "application/json" and answer.body:
        assert "error" in answer.json


async def test_the_envelopes_differ_as_openrouters_do(sim: Simulator, http: aiohttp.ClientSession) -> None:
    assert (await scripted(http, sim, "400-wrapped")).error["code"] == 502
    assert (await scripted(http, sim, "400-string-code")).error["code"] == "invalid_prompt"
    assert (await scripted(http, sim, "400-zod")).json["success"] is False
    availability = (await scripted(http, sim, "429-no-code")).error
    assert "code" not in availability
    assert availability["availability"] == {
        "code": "capacity_exhausted",
        "retryable": True,
        "requested_models": ["openai/gpt-4o-mini"],
        "docs_url": "https://openrouter.ai/docs/errors#capacity_exhausted",
        "retry_after": 1,
    }
    metadata = (await scripted(http, sim, "429")).error["metadata"]
    assert (metadata["provider_name"], metadata["raw"][:18]) == ("OpenAI", "openai/gpt-4o-mini")
    assert isinstance((await scripted(http, sim, "529")).error["metadata"]["raw"], dict)
    assert isinstance(json.loads((await scripted(http, sim, "502")).error["metadata"]["raw"]), dict)
    assert "Cloudflare" in (await scripted(http, sim, "502-html")).body.decode()
    assert (await scripted(http, sim, "520")).body == b""
    assert (await scripted(http, sim, "418")).json["error"] == {"message": "I'm a Teapot", "code": 418}


async def test_hints_are_where_the_name_says(sim: Simulator, http: aiohttp.ClientSession) -> None:
    assert "Retry-After" not in (await scripted(http, sim, "429")).headers
    assert (await scripted(http, sim, "429-retry-after@2.5")).headers["Retry-After"] == "3"
    assert (await scripted(http, sim, "402-in-flight")).headers["Retry-After"] == "1"
    assert (await scripted(http, sim, "503@9")).headers["Retry-After"] == "9"
    assert (await scripted(http, sim, "429-retry-date@60")).headers["Retry-After"].endswith("GMT")
    reset = (await scripted(http, sim, "429-reset@60")).headers["X-RateLimit-Reset"]
    assert 55 < int(reset) / 1000 - time.time() < 62
    mirrored = (await scripted(http, sim, "429-mirrored")).error["metadata"]["headers"]
    assert mirrored["X-RateLimit-Remaining"] == "0"
    assert (await scripted(http, sim, "429-body@4")).error["metadata"]["retry_after_seconds"] == 4
    daily = await scripted(http, sim, "429-daily")
    assert int(daily.headers["X-RateLimit-Reset"]) % 86_400_000 == 0
    assert "free-models-per-day" in daily.error["message"]


async def test_a_200_that_is_none(sim: Simulator, http: aiohttp.ClientSession) -> None:
    async def got(name: str) -> Answer:
        answer = await scripted(http, sim, name)
        assert answer.status == 200
        return answer

    assert (await got("error200")).error["code"] == 502
    assert "choices" not in (await got("error200")).json
    assert (await got("error200-string")).error["code"] == "429"
    nothing = (await got("null-choices")).json
    assert (nothing["choices"], nothing["error"]["code"]) == (None, 502)
    choice = (await got("choice-error")).json["choices"][0]
    assert (choice["finish_reason"], choice["error"]["code"]) == ("error", 502)
    assert choice["message"]["content"]
    assert (await got("no-choices")).json["choices"] == []
    empty = (await got("no-content")).json
    assert (empty["choices"][0]["message"]["content"], empty["usage"]["completion_tokens"]) == ("", 0)
    assert (await got("html")).headers["Content-Type"].startswith("text/html")
    assert (await got("empty")).body == b""
    assert (await got("text")).headers["Content-Type"].startswith("text/plain")
    assert isinstance((await got("wrong-shape")).json, list)
    with pytest.raises(json.JSONDecodeError):
        _ = (await got("badjson")).json


async def test_the_same_trouble_in_a_stream(sim: Simulator, http: aiohttp.ClientSession) -> None:
    async def got(name: str) -> list[Any]:
        return (await scripted(http, sim, name, stream=True)).events

    whole = "".join(chunk["choices"][0]["delta"]["content"] for chunk in (await got("ok"))[:-1])
    for name in ("midstream", "midstream-429", "midstream-string", "midstream-bare", "midstream-alone"):
        *chunks, last = await got(name)
        said = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
        assert 0 < len(said) < len(whole)
        assert whole.startswith(said)
        assert last["error"]["message"]
    assert (await got("midstream"))[-1]["choices"][0]["finish_reason"] == "error"
    assert (await got("midstream-bare"))[-1]["choices"] == []
    assert list((await got("midstream-alone"))[-1]) == ["error"]
    assert (await got("midstream-string"))[-1]["error"]["code"] == "server_error"
    assert (await got("midstream-done"))[-1] == "[DONE]"
    length, late, done = (await got("midstream-late"))[-3:]
    assert [length["choices"][0]["finish_reason"], late["choices"][0]["finish_reason"]] == ["length", None]
    assert {"error", "usage"} <= late.keys()
    assert done == "[DONE]"
    assert len(await got("midstream-first")) == 1
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in await got("cutstream"))
    assert (await got("no-done"))[-1]["usage"]
    with pytest.raises(json.JSONDecodeError):
        await got("malformed")
    assert (await scripted(http, sim, "stream-json", stream=True)).error["code"] == 502
    assert b"<html>" in (await scripted(http, sim, "stream-html", stream=True)).body
    assert (await got("error200"))[0]["error"]["code"] == 502
    assert (await got("no-choices"))[0]["choices"] == []
    assert (await got("null-choices"))[0]["choices"] is None
    assert (await got("choice-error"))[0]["choices"][0]["error"]
    assert (await got("no-content"))[-2]["usage"]["completion_tokens"] == 0


@pytest.mark.parametrize("name", ["midstream", "cutstream", "malformed", "midstream-first", "stream-html"])
async def test_a_plain_request_meets_the_nearest_plain_fault(
    sim: Simulator, http: aiohttp.ClientSession, name: str
) -> None:
    answer = await scripted(http, sim, name)
    try:
        body = answer.json
    except json.JSONDecodeError:
        return
    assert "error" in body or "error" in body["choices"][0]


async def test_a_reset_is_a_reset_and_a_close_is_a_close(sim: Simulator) -> None:
    sim.script("reset", "close")
    reader, writer = await bare(sim)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    await close(writer)
    reader, writer = await bare(sim)
    assert await reader.read() == b""
    await close(writer)
    assert sim.counts == {"reset": 1, "close": 1}


async def test_a_body_is_cut_in_each_framing(sim: Simulator) -> None:
    async def got(name: str) -> tuple[bytes, bytes]:
        sim.script(name)
        reader, writer = await bare(sim)
        try:
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            await close(writer)
        return head.lower(), body

    head, body = await got("cut")
    assert len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
    assert body.strip().startswith(b'{"id"')
    head, body = await got("cut-chunked")
    assert b"transfer-encoding: chunked" in head
    assert not body.endswith(b"0\r\n\r\n")
    head, body = await got("cut-close")
    assert b"content-length" not in head
    assert b"chunked" not in head
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    sim.script("reset-body")
    reader, writer = await bare(sim)
    assert (await reader.readuntil(b'{"id"')).startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    await close(writer)


async def test_a_redirect_points_elsewhere(sim: Simulator, http: aiohttp.ClientSession) -> None:
    answer = await scripted(http, sim, "redirect")
    assert (answer.status, sim.base_url in answer.headers["Location"]) == (302, False)


async def test_large_bodies_are_large_and_a_bomb_is_small_on_the_wire(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    huge = (await scripted(http, sim, "huge@2")).json
    assert len(huge["choices"][0]["message"]["content"]) == 2 << 20
    [event] = (await scripted(http, sim, "huge@2", stream=True)).events
    assert len(event["choices"][0]["delta"]["content"]) == 2 << 20
    async with aiohttp.ClientSession(auto_decompress=False) as raw:
        bomb = await scripted(raw, sim, "gzip-bomb@2")
    assert len(bomb.body) < 10_000
    assert len(gzip.decompress(bomb.body)) > 2 << 20


async def test_a_slow_answer_and_a_drip_come_in_the_end(sim: Simulator, http: aiohttp.ClientSession) -> None:
    quick = await post(http, sim, {**HELLO, "seed": 1})
    slow = await scripted(http, sim, "slow@0.05", seed=1)
    assert slow.json["choices"] == quick.json["choices"]
    dripped = await scripted(http, sim, "drip-finish@0.001", seed=1)
    assert dripped.body.startswith(b"     \n")
    assert dripped.json["choices"] == quick.json["choices"]


@pytest.mark.parametrize("name", sorted(ENDLESS))
@pytest.mark.parametrize("stream", [False, True])
async def test_closing_ends_whatever_hangs_at_once(name: str, stream: bool) -> None:
    async with Simulator() as sim:
        sim.script(f"{name}@0.01" if name != "silent" else name)
        reader, writer = await bare(sim, {**HELLO, "stream": stream})
        await until(lambda: sim.in_flight == 1)
        if name != "silent":
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
        assert sim.open_connections == 1
    async with asyncio.timeout(1):
        try:
            while await reader.read(1 << 16):
                pass
        except ConnectionResetError:
            pass
    await close(writer)
    assert (sim.open_connections, sim.in_flight) == (0, 0)


async def test_a_client_that_leaves_is_noticed(sim: Simulator) -> None:
    sim.script("stall@0.01")
    reader, writer = await bare(sim, {**HELLO, "stream": True})
    await reader.readuntil(b"\n\n")
    await close(writer)
    await until(lambda: sim.open_connections == 0)
    assert sim.counts == {"stall": 1, "aborted": 1}


async def test_faults_come_about_as_often_as_asked_for(http: aiohttp.ClientSession) -> None:
    async with Simulator(seed=3, faults={"500": 0.3, "error200": 0.2}) as sim:
        for number in range(200):
            await post(http, sim, {**HELLO, "seed": number})
        assert 40 <= sim.counts["500"] <= 80
        assert 22 <= sim.counts["error200"] <= 58
        assert sim.counts.total() == 200


async def test_scripted_faults_come_in_order_and_before_everything_else(http: aiohttp.ClientSession) -> None:
    async with Simulator(quota="1/day", faults="500:1") as sim:
        sim.script("429-retry-after@2", Refusal(status=418, message="no"), "ok")
        statuses = [(await post(http, sim, headers={"Authorization": ""})).status for _ in range(3)]
        assert statuses == [429, 418, 200]
        assert [(await post(http, sim)).status for _ in range(2)] == [500, 429]
        assert [request.answer for request in sim.requests] == ["429-retry-after", "refusal", "ok", "500", "429 quota"]


@given(st.integers(0, 10_000), st.floats(0.01, 10))
def test_the_pauses_of_an_answer_add_up_to_its_latency(number: int, latency: float) -> None:
    """The bug: a latency counted once for each chunk, or lost where there is only one."""
    asked = ask.read(json.dumps({**HELLO, "seed": number}).encode())
    assert isinstance(asked, ask.Ask)
    done = complete(asked, number, 0)
    for reply in (replies.whole(done, latency), replies.streamed(done, number, latency)):
        assert sum(step.seconds for step in reply.steps if isinstance(step, Pause)) == pytest.approx(latency)


async def test_an_answer_with_latency_is_the_same_answer(http: aiohttp.ClientSession) -> None:
    async with Simulator(seed=7) as quick, Simulator(seed=7, latency=(0.01, 0.02)) as slow:
        assert (await post(http, quick)).json == (await post(http, slow)).json
        streamed = {**HELLO, "stream": True}
        assert (await post(http, quick, streamed)).events == (await post(http, slow, streamed)).events


async def test_nonsense_is_refused_before_anything_listens() -> None:
    for wrong in ({"faults": "x:1"}, {"quota": "x"}, {"latency": (2.0, 1.0)}, {"latency": (-1.0, 1.0)}):
        with pytest.raises(ValueError):
            Simulator(**wrong)
    idle = Simulator()
    with pytest.raises(RuntimeError):
        _ = idle.base_url
    with pytest.raises(ValueError):
        idle.script("rest")
    async with idle as running:
        with pytest.raises(RuntimeError):
            await running.__aenter__()
        port = int(running.base_url.split(":")[2].partition("/")[0])
        with pytest.raises(OSError, match="address"):
            async with Simulator(port=port):
                pass


async def test_http_1_0_gets_an_answer_that_ends_with_its_connection(sim: Simulator) -> None:
    host, port = sim.base_url.removeprefix("http://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data = json.dumps(HELLO).encode()
    writer.write(
        f"POST /api/v1/chat/completions HTTP/1.0\r\nAuthorization: Bearer {sim.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    await close(writer)
    assert b"chunked" not in head.lower()
    assert json.loads(body)["choices"]
