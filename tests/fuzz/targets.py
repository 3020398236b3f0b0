"""What is fuzzed: small functions over bytes, each of which demands more than that nothing raises.

An input is written so that people can read it and a fuzzer can change it: a stream begins with a line that says how it
is read, an answer looks as it does in HTTP, headers are lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from returns.result import Success
from tests.fuzz.cursor import Cursor, headed, number, pieces
from tests.fuzz.types import drawn_root, drawn_type

from openrouter_core import classify, docstring, headers, retry_after, schema, sse, strict, typed
from openrouter_core.api import CHAT_COMPLETIONS
from openrouter_core.completion import judged_stream
from openrouter_core.endpoint import Endpoint
from openrouter_core.envelope import UNDECODABLE
from openrouter_core.errors import RAW_LIMIT, DataSourceError
from openrouter_core.outcome import Interrupted, Outcome, Responded, Streamed, TimedOut, Unreachable, summary
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient
from openrouter_core.wire.response import ChatCompletionResponse

CLOCKS = Clocks(60.0, 20.0, 5.0)
LARGEST = 2**26
"""The limit on a stream, in bytes, of which nothing is told."""


# --- event streams --------------------------------------------------------------------------------------------------


def told(data: bytes) -> tuple[list[str], bytes, bytes]:
    """Read how a stream is to be read: the words of its first line, the sizes of its pieces, and the stream."""
    line, _, stream = data.partition(b"\n")
    words = line.decode("latin-1").split(" ")
    return words, words[0].encode("latin-1"), stream


def limit_of(words: list[str], place: int) -> int:
    """Read a limit in bytes."""
    limit = number(words, place, LARGEST)
    return int(limit) if 0 <= limit < LARGEST else LARGEST


def events(chunks: Iterable[bytes], limit: int) -> tuple[list[sse.SseItem], sse.Ending, sse.SseState]:
    """Decode a stream in these pieces."""
    state, items = sse.SseState(limit=limit), list[sse.SseItem]()
    for chunk in chunks:
        state, new = sse.feed(state, chunk)
        items += new
        assert sum(map(len, (*state.line, *state.data))) <= limit + 2, "it holds more than one event"
    return items, sse.finish(state), state


def event_stream(data: bytes) -> None:
    """The decoder of event streams: what it gives does not depend on how the bytes are split."""
    words, sizes, stream = told(data)
    limit = limit_of(words, 1)
    whole, ending, state = events([stream], limit)
    items, also, after = events(pieces(stream, sizes), limit)
    assert items == whole, "other events when split"
    assert also == ending, "another ending when split"
    assert (after.comments, after.last_id, after.retry_ms) == (state.comments, state.last_id, state.retry_ms)
    for item in whole[:-1]:
        assert isinstance(item, sse.ServerSentEvent), "something comes after the end"
    for item in whole:
        assert isinstance(item, sse.EventTooLarge) or not (set(b"\r") & set(item.data)), "a line end in an event"


def read(chunks: Iterable[bytes], limit: int, how: str) -> tuple[Streamed, list[Any]]:
    """Read a streamed answer in these pieces, to one of its ends."""
    reader = Reader(CLOCKS, limit, handing_out=True)
    reader.begin(0.0)
    given: list[Any] = []
    for chunk in chunks:
        if reader.end is not None:
            break
        given += reader.feed(chunk, 1.0)
        assert reader.delivered or not given, "chunks were handed out before there was content"
    if how == "lose":
        reader.lose("reset by peer")
    elif how == "stall":
        reader.stall("idle")
    elif how != "leave":
        given += reader.finish()
    return reader.outcome(200, {}, 0.0), given


def answer_stream(data: bytes) -> None:
    """The reader of streamed answers: any split comes to the same answer, end and chunks, and to a verdict."""
    words, sizes, stream = told(data)
    how, limit = words[1] if len(words) > 1 else "", limit_of(words, 2)
    outcome, given = read([stream], limit, how)
    split, also = read(pieces(stream, sizes), limit, how)
    assert (type(split.end), split.answer) == (type(outcome.end), outcome.answer), "another answer when split"
    assert split.delivered == outcome.delivered
    assert also == given, "other chunks when split"
    assert bool(given) <= outcome.delivered
    verdict = judged_stream(outcome, Rules())
    if isinstance(verdict, Accepted):
        good(outcome.answer)
    else:
        one_line(verdict.error)


# --- answers --------------------------------------------------------------------------------------------------------


class Anything(msgspec.Struct):
    """An answer that is no chat completion."""

    value: int = 0


ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    CHAT_COMPLETIONS,
    Endpoint("GET", "/x", dict, Anything),
    Endpoint("GET", "/y", dict, Any),
    Endpoint("GET", "/z", dict, bytes),
    Endpoint("DELETE", "/z", dict, type(None)),
    Endpoint("POST", "/z", dict, Anything, reports=True),
)


def good(answer: ChatCompletionResponse) -> None:
    """Demand of an accepted answer that there is one, without an error anywhere, and that all of it can be read."""
    assert answer.choices, "accepted without choices"
    assert answer.error is None, "accepted with an error"
    assert all(choice.error is None and choice.finish_reason != "error" for choice in answer.choices)
    assert isinstance(answer.text, str)
    assert isinstance(answer.tool_calls, list)
    assert answer.cost is None or isinstance(answer.cost, float)
    if answer.message is not None:
        answer.message.to_message()


def one_line(error: DataSourceError) -> None:
    """Demand of an error that it is told in one line, and keeps no more of a body than it may."""
    assert str(error).splitlines() == [str(error)], "an error of several lines"
    assert len(error.raw) <= RAW_LIMIT
    hint = getattr(error, "retry_after", None)
    assert hint is None or 0.0 <= hint < math.inf


def answer(data: bytes) -> None:
    """The decoder of answers: a body under HTTP 200, whole and cut."""
    flags, body = data[:1], data[1:]
    rules = Rules(retry_empty=bool(flags and flags[0] & 1), retry_sent=bool(flags and flags[0] & 2))
    verdict = classify.classify(CHAT_COMPLETIONS, Responded(200, body), rules)
    assert verdict == classify.classify(CHAT_COMPLETIONS, Responded(200, b"\n \n" + body), rules) or not isinstance(
        verdict, Accepted
    ), "padding changes an answer"
    if not isinstance(verdict, Accepted):
        one_line(verdict.error)
        return
    value = verdict.value
    good(value)
    written = msgspec.json.encode(value)
    assert msgspec.json.decode(written, type=ChatCompletionResponse) == value, "it is not read as it was written"
    cut = classify.classify(CHAT_COMPLETIONS, Responded(200, written[: len(written) * 3 // 4]), rules)
    assert not isinstance(cut, Accepted), "a part of an answer is accepted"


def whole(words: list[str], place: int, otherwise: int = 0) -> int:
    """Read a whole number among words."""
    value = number(words, place, otherwise)
    return int(value) if math.isfinite(value) else otherwise


def outcome_of(words: list[str], named: dict[str, str], body: bytes) -> Outcome:
    """Make the outcome that is told by `kind endpoint rules status at`, headers and body."""
    status, at = whole(words, 3, 200), float(min(max(number(words, 4), -1e18), 1e18))
    match words[0]:
        case "lost":
            return Interrupted(body.decode("latin-1"), 0, status or None, named, at)
        case "late":
            return TimedOut(body.decode("latin-1"), at, sent=bool(status % 2))
        case "away":
            return Unreachable(named.get("kind", "other"), body.decode("latin-1"), "h", status)
        case kind:
            return Responded(status, body, named, at, overflow=kind == "long")


def classifier(data: bytes) -> None:
    """The classifier: any status, headers and body have a verdict, and it is one that the rules allow."""
    words, named, body = headed(data)
    outcome, rules = outcome_of(words, named, body), whole(words, 2)
    endpoint = ENDPOINTS[whole(words, 1) % len(ENDPOINTS)]
    verdict = classify.classify(endpoint, outcome, Rules(bool(rules & 1), bool(rules & 2)))
    assert summary(outcome)
    status = getattr(outcome, "status", None)
    if isinstance(verdict, Accepted):
        assert isinstance(outcome, Responded), "accepted without an answer"
        assert 200 <= outcome.status < 300, "accepted with a status that is none"
        assert not outcome.overflow, "accepted without its end"
        if isinstance(verdict.value, ChatCompletionResponse):
            good(verdict.value)
        return
    one_line(verdict.error)
    if isinstance(verdict, Transient):
        assert verdict.hint is None or 0.0 <= verdict.hint < math.inf
    plain = classify.plain(outcome.body) if isinstance(outcome, Responded) else {}
    error = plain.get("error") if isinstance(plain, dict) else None
    if status is not None and 400 <= status < 500 and status not in (402, 408, 429) and not error:
        assert isinstance(verdict, Permanent), "a request that is wrong is sent again"


# --- headers --------------------------------------------------------------------------------------------------------


def header_lines(data: bytes) -> None:
    """The readers of headers: finite waits, the longest of which wins; and what may be sent is one line of ASCII."""
    words, named, body = headed(data)
    at = float(number(words, 0, math.nan)) if len(words[0]) < 300 else math.inf
    hint = retry_after.hint_of(named, at)
    assert hint is None or 0.0 <= hint < math.inf, "a wait that is none"
    for name, value in named.items():
        alone = retry_after.hint_of({name: value, "date": named.get("date", "")}, at)
        assert alone is None or (hint is not None and hint >= alone), "a shorter hint wins"
        date = retry_after.http_date(value)
        assert date is None or math.isfinite(date)
        if headers.problem_with("options.headers", name, value) is None:
            assert not set(f"{name}{value}") & set("\r\n\0"), "a header that is two"
            assert name.lower() not in headers.RESERVED
    limit = retry_after.documented(named)
    assert limit is None or 0.0 <= limit < math.inf
    now = retry_after.server_time(named, at)
    assert now == at or abs(now - at) <= retry_after.TRUSTED_SKEW or math.isnan(at), "a clock that nobody believes"
    try:
        value = msgspec.json.decode(body)
    except UNDECODABLE:
        value = body.decode("latin-1")
    for wait in (
        retry_after.retry_after(value, at),
        retry_after.until_reset(value, at),
        retry_after.until_midnight(at),
    ):
        assert wait is None or 0.0 <= wait < math.inf
    merged = headers.merge(headers.JSON_BODY, {"headers": named, "session_id": body.decode("latin-1")})
    if isinstance(merged, Success):
        names = [name.lower() for name, _ in merged.unwrap()]
        assert len(names) == len(set(names)), "a header twice"
        assert all(text.isascii() and text.isprintable() for _, text in merged.unwrap())


# --- schemas --------------------------------------------------------------------------------------------------------


def closed(node: Any, defs: frozenset[str]) -> None:
    """Demand of a strict schema that each of its objects is closed, and that each reference leads somewhere."""
    if isinstance(node, list):
        for one in node:
            closed(one, defs)
    elif isinstance(node, dict):
        assert "prefixItems" not in node
        assert "oneOf" not in node
        if "$ref" in node:
            assert set(node) == {"$ref"}, "something beside a reference"
            assert node["$ref"].removeprefix("#/$defs/") in defs, "a reference to nothing"
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == [*node["properties"]]
        for key in ("properties", "$defs"):
            closed([*node.get(key, {}).values()], defs)
        closed([node.get(key) for key in ("items", "anyOf")], defs)


def referred(node: Any) -> set[str]:
    """Give all that a schema refers to."""
    if isinstance(node, list):
        return {ref for one in node for ref in referred(one)}
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].removeprefix("#/$defs/")} if isinstance(node.get("$ref"), str) else set[str]()
    return own | {ref for one in node.values() for ref in referred(one)}


def json_schema(data: bytes) -> None:
    """The common subset of JSON schemas: what is called strict is, and what leads somewhere still does."""
    raw = drawn_root(Cursor(data))
    before = msgspec.json.encode(raw)
    done = strict.portable(raw)
    assert msgspec.json.encode(raw) == before, "it changes what it was given"
    known = frozenset(done.get("$defs", {}))
    assert known <= raw["$defs"].keys(), "a definition that nobody made"
    if referred(raw) <= raw["$defs"].keys():
        assert referred(done) <= known, "a reference to nothing"
        if strict.is_strict(done):
            closed(done, known)


def wanted_type(data: bytes) -> None:
    """Types -> schemas, and any text -> a value of the type, or what is wrong: what is exactly the JSON is found."""
    cursor = Cursor(data)
    wanted = drawn_type(cursor)
    described = schema.describe(wanted)
    text = cursor.rest().decode("utf-8", "replace")
    found = typed.decode_as(wanted, text)
    if not isinstance(described, Success):
        assert isinstance(described.failure(), schema.SchemaError)
        assert not isinstance(found, Success), "a value of what cannot be described"
        return
    known = described.unwrap()
    assert known.schema["type"] == "object"
    assert len(known.name) <= 64
    if known.strict:
        closed(known.schema, frozenset(known.schema.get("$defs", {})))
    if isinstance(found, Success):
        again = typed.decode_as(wanted, text, known)
        assert isinstance(again, Success), "known or not, it is the same"
    else:
        assert str(found.failure())
        assert typed.repair_message(found.failure())
        if not schema.is_pydantic(wanted):
            assert not isinstance(typed.decode_exactly(wanted, text), Success), "the very JSON is not found"


def documented(data: bytes) -> None:
    """The reader of docstrings: nothing is made up."""
    text = data.decode("utf-8", "replace")
    told, parameters = docstring.described(text)
    assert told == told.strip()
    words = set("".join(text.expandtabs().split()))
    assert set("".join(told.split())) <= words, "words that nobody wrote"
    for name, meaning in parameters.items():
        assert name in text
        assert meaning == " ".join(meaning.split())
        assert set("".join(meaning.split())) <= words


Target = Callable[[bytes], None]

TARGETS: dict[str, tuple[Target, int]] = {
    "event_stream": (event_stream, 3_000_000),
    "answer_stream": (answer_stream, 1_000_000),
    "answer": (answer, 2_000_000),
    "classifier": (classifier, 1_500_000),
    "header_lines": (header_lines, 1_500_000),
    "json_schema": (json_schema, 250_000),
    "wanted_type": (wanted_type, 250_000),
    "documented": (documented, 500_000),
}
"""The targets, and how often `make fuzz` runs each: ten million times in all."""

CORPUS = Path(__file__).parent / "corpus"
"""The inputs that are kept: a folder for each target."""
