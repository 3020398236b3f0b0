"""A stream, whole, cut anywhere, split anywhere, slow or lying: the same verdict, never a success with less."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core import test_fold
from tests.core.mutants import caught
from tests.core.streamed import COMMENT, DONE, ERROR, FAILING, USAGE, WHOLE, call, chunk, ended, event, piece, said

from openrouter_core import sse
from openrouter_core.completion import judged_stream
from openrouter_core.errors import Disconnected, ParseError, ProviderError, RateLimited, Timeout, TruncatedStream
from openrouter_core.fold import Fold
from openrouter_core.outcome import Cut, Finished, Lost, Malformed, Overlong, Stalled, Streamed
from openrouter_core.policy import Policy, Retry, decide
from openrouter_core.reader import SHOWN
from openrouter_core.schedule import Attempts, Both, Exponential, History
from openrouter_core.simulate import chat_job
from openrouter_core.states import Clocks
from openrouter_core.stream import Reader, chunk_of
from openrouter_core.verdict import Accepted, Permanent, Rules, Transient
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage

How = Literal["finish", "lose", "stall", "leave"]
CLOCKS = Clocks(60.0, 20.0, 5.0)
BIG = 2**30
RULES = Rules()


def read(
    pieces: Iterable[bytes], how: How = "finish", *, limit: int = BIG, handing_out: bool = False
) -> tuple[Streamed, list[ChatCompletionChunk]]:
    """Read a stream in these pieces, and end it so; give the outcome and the chunks that were handed out."""
    reader = Reader(CLOCKS, limit, handing_out=handing_out)
    reader.begin(0.0)
    given: list[ChatCompletionChunk] = []
    for data in pieces:
        if reader.end is not None:
            break
        given += reader.feed(data, 1.0)
    match how:
        case "finish":
            given += reader.finish()
        case "lose":
            reader.lose("reset by peer")
        case "stall":
            reader.stall("idle")
        case "leave":
            pass
    return reader.outcome(200, {}, 0.0), given


def verdict(pieces: Iterable[bytes], how: How = "finish") -> Accepted[Any] | Transient | Permanent:
    return judged_stream(read(pieces, how)[0], RULES)


def failure(pieces: Iterable[bytes], how: How = "finish") -> Any:
    """The error of a stream that must fail."""
    result = verdict(pieces, how)
    assert not isinstance(result, Accepted)
    return result.error


def whole_answer(data: bytes) -> ChatCompletionResponse:
    result = verdict([data])
    assert isinstance(result, Accepted)
    answer: ChatCompletionResponse = result.value
    return answer


def at_bytes(draw: Callable[[st.SearchStrategy[Any]], Any], data: bytes) -> list[bytes]:
    """Bytes in pieces, cut anywhere, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)])]


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """Good streams as bytes: of any answer, or the odd ones; with comments between, and any of the line ends."""
    if draw(st.booleans()):
        data = draw(st.sampled_from(sorted(WHOLE.values())))
    else:
        _, chunks = draw(test_fold.streams())
        noise = st.sampled_from([b"", b"", b"", COMMENT, b"id: 1\n", b"data:\n\n"])
        events = [draw(noise) + b"data: " + msgspec.json.encode(one) + b"\n\n" for one in chunks]
        data = b"".join([*events, DONE])
    return data.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"]))) if b"\r" not in data else data


# --- any truncation -------------------------------------------------------------------------------------------------


def never_less(data: bytes, cut: int, how: How, answer: ChatCompletionResponse) -> None:
    result = verdict([data[:cut]], how)
    if isinstance(result, Accepted):
        assert result.value == answer
    else:
        partial = result.error.partial
        told = "".join(choice.message.text for choice in (partial and partial.choices) or () if choice.message)
        assert len(told) <= sum(len(choice.message.text) for choice in answer.choices or () if choice.message)


HOWS = st.sampled_from(["finish", "finish", "lose", "stall", "leave"])


@given(wires(), st.lists(st.floats(0, 1), min_size=10, max_size=10), HOWS)
def test_a_truncated_stream_is_never_a_success_with_less(data: bytes, cuts: list[float], how: How) -> None:
    """Exists for streams that end politely in the middle: five of six other clients call them complete."""
    answer = whole_answer(data)
    for cut in cuts:
        never_less(data, round(cut * len(data)), how, answer)


@pytest.mark.parametrize("name", WHOLE)
def test_every_truncation_of_the_odd_ones(name: str) -> None:
    """Exists for the one byte at which the property above does not look."""
    data = WHOLE[name]
    answer = whole_answer(data)
    for cut in range(len(data)):
        never_less(data, cut, "finish" if cut % 2 else "lose", answer)
    for cut in range(max(0, len(data) - 300), len(data)):
        never_less(data, cut, "lose" if cut % 2 else "finish", answer)


def test_the_truncation_property_bites() -> None:
    lenient = property(lambda fold: bool(fold._choices))

    def eager(_: Reader, __: Any) -> Finished:
        return Finished()

    def early(reader: Reader, otherwise: Any) -> Any:
        return Finished() if reader.fold.result().usage else otherwise

    everywhere = st.just([cut / 400 for cut in range(401)])  # where chance does not always look
    arguments = st.sampled_from(sorted(WHOLE.values())), everywhere, HOWS
    for where, planted in ((Fold, {"finished": lenient}), (Reader, {"_ended": eager}), (Reader, {"_ended": early})):
        caught(test_a_truncated_stream_is_never_a_success_with_less, *arguments, where=where, **planted)


@pytest.mark.parametrize("how", ["finish", "lose", "stall", "leave"])
@pytest.mark.parametrize("lacking", range(1, len(DONE) + 1))
def test_what_lacks_only_the_end_mark_or_a_piece_of_it_is_whole(how: How, lacking: int) -> None:
    """Exists for answers that were paid for and thrown away."""
    data = WHOLE["plain"]
    assert verdict([data[:-lacking]], how) == Accepted(whole_answer(data))


@pytest.mark.parametrize("how", ["lose", "stall", "leave"])
def test_after_the_usage_a_broken_event_is_no_end(how: How) -> None:
    """Exists for a break in a chunk that nobody expected after the usage."""
    data = said("a") + ended().removesuffix(DONE) + b'data: {"choices":[{"delta"'
    assert not isinstance(verdict([data], how), Accepted)
    assert read([data])[0].end == Cut("the stream ended in the middle of an event")


# --- any chunking ---------------------------------------------------------------------------------------------------

BROKEN = st.sampled_from([*FAILING.values(), b"data: {nonsense\n\n", b"data: [1]\n\n", b"data: [DONE]\n\n", b"data: {"])


@st.composite
def any_bytes(draw: st.DrawFn) -> bytes:
    """Good streams, streams that fail after some content or none, cut ones, and anything."""
    good = draw(wires())
    data = draw(
        st.sampled_from([good, good[: len(good) // 2]])
        | BROKEN.map(lambda end: said("a", "b") + end)
        | BROKEN.map(lambda end: chunk(piece("")) + end + said("late"))
        | st.binary(max_size=60)
    )
    return data + draw(st.sampled_from([b"", b"", COMMENT, b"\n"]))


@given(any_bytes(), st.data(), st.sampled_from([BIG, 10, 300, 700]), st.booleans(), HOWS)
def test_any_chunking_gives_the_same(data: bytes, more: st.DataObject, limit: int, handing_out: bool, how: How) -> None:
    """Exists for what depends on packets: an error that shared one with the first content hid that content."""
    pieces = at_bytes(more.draw, data)
    outcome, chunks = read([data], how, limit=limit, handing_out=handing_out)
    again, chunks_again = read(pieces, how, limit=limit, handing_out=handing_out)
    assert msgspec.structs.replace(again, received=0) == msgspec.structs.replace(outcome, received=0)
    assert chunks_again == chunks


def test_the_chunking_property_bites() -> None:
    arguments = any_bytes(), st.data(), st.sampled_from([BIG, 10, 300, 700]), st.booleans(), HOWS

    def by_packet(reader: Reader) -> Sequence[ChatCompletionChunk]:
        reader.delivered = reader.fold.delivered and reader.fold.error is None
        released, reader._held = (reader._held, []) if reader.delivered else ([], reader._held)
        return released

    feed = Reader.feed

    def too_much(reader: Reader, data: bytes, now: float) -> Sequence[ChatCompletionChunk]:
        limit, reader.limit = reader.limit, BIG
        given = feed(reader, data, now)
        reader.limit = limit
        if reader.received > limit and reader.end is None:
            reader.end = Overlong(limit)
        return given

    caught(test_any_chunking_gives_the_same, *arguments, where=Reader, _released=by_packet)
    caught(test_any_chunking_gives_the_same, *arguments, where=Reader, feed=too_much)


@given(st.lists(st.binary(max_size=80), max_size=6), HOWS, st.booleans())
def test_any_bytes_give_an_outcome(pieces: list[bytes], how: How, handing_out: bool) -> None:
    """Exists for decoders that raise: bad UTF-8, JSON nested without end, numbers without end."""
    assert not isinstance(judged_stream(read(pieces, how, handing_out=handing_out)[0], RULES), Accepted)


# --- what is handed out ---------------------------------------------------------------------------------------------

POLICY = Policy(schedule=Both(Exponential(1.0), Attempts(3)), rules=Rules(retry_empty=True))


@given(any_bytes(), st.data(), HOWS)
def test_what_was_handed_out_is_never_asked_for_again(data: bytes, more: st.DataObject, how: How) -> None:
    """Exists for texts that come twice, and for a role that was handed out before the attempt failed."""
    outcome, chunks = read(at_bytes(more.draw, data), how, handing_out=True)
    retried = isinstance(decide(POLICY, chat_job(POLICY).endpoint, outcome, History(0, 0.0), 0.5), Retry)
    assert not (retried and chunks)
    folded = reduce(Fold.add, chunks, Fold()).result()
    assert not chunks or folded == outcome.answer


def test_the_property_of_handing_out_bites() -> None:
    outcome = Reader.outcome

    def forgetful(*arguments: Any) -> Streamed:
        return msgspec.structs.replace(outcome(*arguments), delivered=False)

    def hasty(reader: Reader) -> Sequence[ChatCompletionChunk]:
        released, reader._held = reader._held, []
        return released

    arguments = any_bytes(), st.data(), HOWS
    caught(test_what_was_handed_out_is_never_asked_for_again, *arguments, where=Reader, outcome=forgetful)
    caught(test_what_was_handed_out_is_never_asked_for_again, *arguments, where=Reader, _released=hasty)


def test_chunks_are_held_back_until_there_is_content() -> None:
    reader = Reader(CLOCKS, BIG, handing_out=True)
    assert reader.feed(COMMENT + chunk(debug={"a": 1}) + chunk(piece("")) + chunk(piece(None)), 0.0) == ()
    assert reader.outcome(200, {}, 0.0).delivered is False
    assert [one.text for one in reader.feed(said("a"), 0.0)] == ["", "", "", "a"]
    assert reader.outcome(200, {}, 0.0).delivered is True
    assert [one.text for one in reader.feed(said("b"), 0.0)] == ["b"]
    assert reader.feed(COMMENT, 0.0) == []


@pytest.mark.parametrize(
    "content",
    [
        {"content": "a"},
        {"reasoning": "a"},
        {"tool_calls": [{"index": 0, "id": "c"}]},
        {"refusal": "no"},
        {"images": [{}]},
        {"audio": {"data": "aa"}},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
    ],
)
def test_content_is_whatever_a_caller_could_use(content: dict[str, Any]) -> None:
    _, chunks = read([chunk(piece(**content))], handing_out=True)
    assert len(chunks) == 1


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_before_any_content_is_not_seen(name: str) -> None:
    outcome, chunks = read([chunk(piece("")) + FAILING[name]], handing_out=True)
    assert (chunks, outcome.delivered) == ([], False)


def test_a_failure_after_content_is_seen_in_its_chunk() -> None:
    _, chunks = read([said("a"), chunk(error=ERROR), said("never")], handing_out=True)
    assert [(one.text, one.error) for one in chunks] == [("a", None), ("", ERROR)]


def test_nothing_is_kept_for_nobody() -> None:
    """Exists for chunks that pile up where nobody takes them."""
    reader = Reader(CLOCKS, BIG, handing_out=False)
    for _ in range(100):
        assert reader.feed(said("a"), 0.0) == ()
    assert reader._held == []
    reader = Reader(CLOCKS, BIG, handing_out=True)
    assert sum(len(reader.feed(said("a"), 0.0)) for _ in range(100)) == 100
    assert reader._held == []


# --- the clocks -----------------------------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True):
    """Something that a server sends, so long after the last."""

    after: float
    data: bytes

    @property
    def moves(self) -> bool:
        """Whether this is data, and not only a sign of life."""
        return b"choices" in self.data


SENDS = st.sampled_from([COMMENT, b"data:\n\n", said("a")])
STEPS = st.lists(st.builds(Step, st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0]), SENDS), max_size=10)
LIMITS = st.builds(Clocks, *[st.sampled_from([1.0, 2.5, 5.0, 9.0, 12.0])] * 3)


def play(steps: Sequence[Step], clocks: Clocks) -> tuple[str, float] | None:
    """Run a reader on a virtual clock as an exchange does; tell which clock ran out, and when, if one did."""
    now, reader = 100.0, Reader(clocks, BIG, handing_out=False)
    reader.begin(now)
    for step in steps:
        clock, due = reader.due()
        now += step.after
        if now > due:
            reader.stall(clock)
            return clock, due - 100.0
        reader.feed(step.data, now)
    return None


def expected(steps: Sequence[Step], clocks: Clocks) -> tuple[str, float] | None:
    """The same, from the instants at which data came."""
    arrivals = list(itertools.accumulate(step.after for step in steps))
    data = [at for at, step in zip(arrivals, steps, strict=True) if step.moves]
    limits = [("first_event", 0.0, clocks.first), *[("idle", at, clocks.idle) for at in data]]
    for (name, since, limit), until in zip(limits, [*data, *arrivals[-1:]], strict=False):
        late = min((since + limit, name), (clocks.total, "attempt"), key=lambda one: one[0])
        if since + limit == clocks.total:
            late = (clocks.total, "attempt")
        if until > late[0]:
            return late[1], late[0]
    return None


@given(STEPS, LIMITS)
def test_only_data_moves_the_clocks(steps: list[Step], clocks: Clocks) -> None:
    """Exists for streams that hang on comments for ever."""
    assert play(steps, clocks) == expected(steps, clocks)


def test_the_property_of_clocks_bites() -> None:
    feed, due = Reader.feed, Reader.due

    def alive(reader: Reader, data: bytes, now: float) -> Sequence[ChatCompletionChunk]:
        given = feed(reader, data, now)
        reader._last = now
        return given

    def started(reader: Reader, data: bytes, now: float) -> Sequence[ChatCompletionChunk]:
        given = feed(reader, data, now)
        reader._started, reader._last = True, max(reader._last, reader.began)
        return given

    def endless(reader: Reader) -> tuple[str, float]:
        clock, at = due(reader)
        return (clock, at) if clock != "attempt" else ("idle", reader._last + reader.clocks.idle)

    for planted in ({"feed": alive}, {"feed": started}, {"due": endless}):
        caught(test_only_data_moves_the_clocks, STEPS, LIMITS, where=Reader, **planted)


def test_a_slow_consumer_is_not_the_server() -> None:
    """Exists for a gap between events that was the consumer's."""
    reader = Reader(CLOCKS, BIG, handing_out=True)
    reader.begin(100.0)
    assert reader.due() == ("first_event", 120.0)
    reader.feed(said("a"), 110.0)
    assert reader.due() == ("idle", 115.0)
    reader.resume(140.0)
    assert reader.due() == ("idle", 145.0)
    reader.feed(COMMENT, 144.0)
    assert reader.due() == ("idle", 145.0)
    reader.resume(158.0)
    assert reader.due() == ("attempt", 160.0)


@pytest.mark.parametrize(("clock", "after"), [("idle", 5.0), ("first_event", 20.0), ("attempt", 60.0)])
def test_a_stall_names_its_clock(clock: str, after: float) -> None:
    reader = Reader(CLOCKS, BIG, handing_out=False)
    reader.feed(said("a"), 0.0)
    reader.stall(clock)
    outcome = reader.outcome(200, {}, 0.0)
    assert outcome.end == Stalled(clock, after)
    result = judged_stream(outcome, RULES)
    assert isinstance(result, Transient)
    assert isinstance(result.error, Timeout)
    assert (result.error.clock, result.error.after, result.error.partial and result.error.partial.text) == (
        clock,
        after,
        "a",
    )


# --- examples -------------------------------------------------------------------------------------------------------


def test_an_answer() -> None:
    answer = whole_answer(WHOLE["plain"])
    assert (answer.text, answer.finish_reason, answer.cost) == ("It will rain.", "stop", 0.0002)
    assert (answer.id, answer.model, answer.provider, answer.object) == ("gen-7-abc", "m/x", "Prov", "chat.completion")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("usage with a null reason", "yes", "stop"),
        ("usage in the chunk of the reason", "yes", "length"),
        ("line separators of Unicode", "a\u2028b\u2029c\u0085d🌧e\u0301", "stop"),
        ("one event in several lines", "aä", "stop"),
        ("carriage returns", "ab", "stop"),
        ("only carriage returns", "ab", "stop"),
        ("events with names and ids", "a", "stop"),
        ("a new reason", "a", "tomorrow"),
        ("nothing said", "", "stop"),
    ],
)
def test_odd_answers(name: str, text: str, reason: str) -> None:
    answer = whole_answer(WHOLE[name])
    assert (answer.text, answer.finish_reason) == (text, reason)
    assert answer.cost == 0.0002


def test_tools_and_thoughts() -> None:
    tools = whole_answer(WHOLE["tools"])
    assert [(one.id, one.function and one.function.arguments) for one in tools.tool_calls] == [
        ("c1", '{"a":1}'),
        ("c2", "{}"),
    ]
    message = whole_answer(WHOLE["thoughts"]).message
    assert message is not None
    details = [{"type": "reasoning.text", "text": "hm, so", "index": 0, "format": "x", "signature": "c2ln"}]
    assert (message.reasoning, message.reasoning_details, message.text) == ("hm, so", details, "yes")


def test_a_line_of_megabytes() -> None:
    text = "ä" * 1_500_000
    data = said(text) + ended()
    pieces = [data[at : at + 2**16] for at in range(0, len(data), 2**16)]
    result = verdict(pieces)
    assert isinstance(result, Accepted)
    assert result.value.text == text


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("how", ["finish", "lose"])
def test_an_error_in_any_shape_fails_with_what_had_come(name: str, how: How) -> None:
    """Exists for mid-stream errors that other clients take for an answer."""
    if how == "lose" and "blank" in name:
        return
    error = failure([said("half an "), said("answer"), FAILING[name]], how)
    assert isinstance(error, ProviderError)
    assert error.partial is not None
    assert error.partial.text == "half an answer"
    assert "only by" in name or "the GPU fell over" in error.message
    assert (error.generation_id, error.provider_name) == ("gen-7-abc", "Prov")


@pytest.mark.parametrize("name", FAILING)
def test_an_error_that_is_all_there_is(name: str) -> None:
    error = failure([FAILING[name]])
    assert isinstance(error, ProviderError)


@pytest.mark.parametrize(
    ("code", "kind", "verdict_type"),
    [
        (429, RateLimited, Transient),
        (400, None, Permanent),
        (402, None, Permanent),
        ("server_error", ProviderError, Transient),
        ("invalid_prompt", None, Permanent),
        ("tomorrow", ProviderError, Transient),
        (None, ProviderError, Transient),
    ],
)
def test_an_error_counts_as_its_code(code: Any, kind: Any, verdict_type: Any) -> None:
    result = verdict([said("a") + chunk(error={"code": code, "message": "no"})])
    assert isinstance(result, verdict_type)
    assert kind is None or isinstance(result.error, kind)


def test_the_end_mark_without_a_reason_is_no_end() -> None:
    error = failure([said("a") + chunk(usage=USAGE) + DONE])
    assert isinstance(error, TruncatedStream)
    assert error.partial is not None
    assert error.partial.usage is not None


def test_one_choice_that_has_not_ended() -> None:
    data = chunk(piece("a"), piece("b", index=1)) + chunk(piece("", "stop")) + chunk(usage=USAGE) + DONE
    assert isinstance(failure([data]), TruncatedStream)


@pytest.mark.parametrize(
    "text", ["{nonsense", "[1]", '"a"', "null", "7", '{"choices":7}', '{"choices":[7]}', '{"a":' * 5000]
)
def test_an_event_that_is_no_chunk(text: str) -> None:
    outcome, _ = read([said("a") + f"data: {text}\n\n".encode() + ended()])
    assert isinstance(outcome.end, Malformed)
    assert outcome.end.event == text[:SHOWN]
    error = failure([said("a") + f"data: {text}\n\n".encode() + ended()])
    assert isinstance(error, ParseError)
    assert error.text == text[:SHOWN]
    assert error.partial is not None
    assert error.partial.text == "a"


def test_an_event_that_is_no_chunk_says_why() -> None:
    assert read([b"data: [1]\n\n"])[0].end == Malformed("[1]", "Expected `object`, got `array`")


def test_two_chunks_in_one_event() -> None:
    """Exists for servers that forget a blank line: the text must not vanish."""
    glued = said("b").rstrip(b"\n") + b"\n" + said("c")
    assert isinstance(failure([said("a") + glued + ended()]), ParseError)
    assert isinstance(failure([said("a") + said("b").rstrip(b"\n") + said("c") + ended()]), ParseError)


def test_bytes_that_are_no_text() -> None:
    error = failure([said("a") + b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n' + ended()])
    assert isinstance(error, ParseError)
    assert "\ufffd" in error.text


def test_nothing_counts_after_the_end() -> None:
    for end in (DONE, b"data: {nonsense\n\n", chunk(error=ERROR)):
        data, more = said("a") + chunk(piece("", "stop")) + end, said("b") + chunk(error=ERROR)
        outcome = read([data])[0]
        assert read([data + more])[0] == msgspec.structs.replace(outcome, received=len(data + more))


def test_a_stream_that_never_ends_is_not_read_for_ever() -> None:
    outcome, chunks = read([said("a"), *[COMMENT] * 50, said("b") + ended()], limit=500, handing_out=True)
    assert outcome.end == Overlong(500)
    assert [one.text for one in chunks] == ["a"]
    result = judged_stream(outcome, RULES)
    assert isinstance(result, Permanent)
    assert result.error.partial is not None
    outcome, _ = read([b"data: " + b"x" * 2000], limit=500)
    assert outcome.end == Overlong(500)
    assert read([WHOLE["plain"]], limit=len(WHOLE["plain"]))[0].end == Finished()


def test_an_event_that_the_decoder_refuses() -> None:
    reader = Reader(CLOCKS, BIG, handing_out=False)
    reader._decoder = sse.SseState(limit=10)
    reader.feed(said("a"), 0.0)
    assert reader.end == Overlong(10)


def test_a_lost_connection_says_so() -> None:
    outcome, _ = read([said("a")], "lose")
    assert outcome.end == Lost("reset by peer")
    error = failure([said("a")], "lose")
    assert isinstance(error, Disconnected)
    assert error.received == len(said("a"))


def test_what_ends_first_counts() -> None:
    reader = Reader(CLOCKS, BIG, handing_out=False)
    reader.feed(said("a"), 0.0)
    reader.stall("idle")
    reader.lose("later")
    reader.finish()
    assert reader.end == Stalled("idle", 5.0)


def test_a_stream_that_was_left() -> None:
    assert read([said("a")], "leave")[0].end == Cut("the stream was left before its end")
    assert read([said("a") + ended()], "leave")[0].end == Finished()


@pytest.mark.parametrize("data", [b"", COMMENT * 3, b"data:\n\n", b"\n\n", b"event: ping\n\n"])
def test_a_stream_of_nothing(data: bytes) -> None:
    for how in ("finish", "lose", "stall", "leave"):
        error = failure([data], how)
        assert error.partial is None
    assert isinstance(failure([data]), TruncatedStream)


@pytest.mark.parametrize("indent", [None, 2])
def test_json_that_is_called_a_stream(indent: int | None) -> None:
    """Exists for error bodies under the wrong name, whose message was lost."""
    body = json.dumps({"error": {"code": 429, "message": "slow down"}}, indent=indent).encode()
    for pieces in ([body], [body[:20], body[20:]], [bytes([byte]) for byte in body]):
        error = failure(pieces)
        assert isinstance(error, RateLimited)
        assert error.message == "slow down"
    page = failure([b"<html><title>502 Bad\nGateway</title>" + b"x" * 100_000] * 3)
    assert isinstance(page, TruncatedStream)
    assert "502 Bad Gateway" in page.message


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_secrets_are_struck_out_of_whole_events(size: int) -> None:
    """Exists for a key that two reads share."""
    reader = Reader(CLOCKS, BIG, handing_out=True, clean=lambda data: data.replace(b"sk-secret", b"***"))
    data = said("your key is sk-secret") + event({"error": "bad key sk-secret"})
    chunks = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size], 0.0)]
    assert [one.text for one in chunks] == ["your key is ***", ""]
    assert "sk-secret" not in repr(reader.outcome(200, {}, 0.0))
    for tail in (b"data: {sk-secret\n\n", b"data: sk-secret", b"<html> sk-secret", b'{"error":"sk-secret"}'):
        reader = Reader(CLOCKS, BIG, handing_out=True, clean=lambda data: data.replace(b"sk-secret", b"***"))
        for at in range(0, len(tail), size):
            reader.feed(tail[at : at + size], 0.0)
        reader.finish()
        assert "sk-secret" not in repr(reader.outcome(200, {}, 0.0))


# --- a whole answer as one chunk ------------------------------------------------------------------------------------


@given(test_fold.answers())
def test_a_whole_answer_as_a_chunk_folds_to_itself(answer: ChatCompletionResponse) -> None:
    """Exists for tool calls and reasoning that were lost where the server did not stream."""
    assert Fold().add(chunk_of(answer)).result() == answer


def test_what_few_answers_have_is_in_the_chunk_too() -> None:
    silent = ResponseMessage(
        role="critic",
        tool_calls=[ToolCall(id="a", type="custom", function=FunctionCall(name="f", arguments=""), index=0)],
    )
    answer = ChatCompletionResponse(
        object="chat.completion",
        choices=[Choice(index=1, error={"code": 7}, message=silent)],
        safeguard_results=[1],
        alignment={"a": 1},
        user_id="u",
    )
    chunk = chunk_of(answer)
    assert Fold().add(chunk).result() == answer
    assert chunk.object == "chat.completion.chunk"
    assert chunk.delta
    assert chunk.delta.content is None


@pytest.mark.parametrize(
    "answer",
    [
        ChatCompletionResponse(),
        ChatCompletionResponse(choices=[Choice(finish_reason="stop")]),
        ChatCompletionResponse(
            choices=[
                Choice(
                    message=ResponseMessage(tool_calls=[ToolCall(id="a"), ToolCall(function=FunctionCall(name="f"))])
                )
            ]
        ),
        ChatCompletionResponse(choices=[Choice(message=ResponseMessage(content=[{"type": "text", "text": "hi"}]))]),
    ],
)
def test_a_poor_answer_as_a_chunk(answer: ChatCompletionResponse) -> None:
    folded = Fold().add(chunk_of(answer)).result()
    assert folded.text == answer.text
    assert len(folded.tool_calls) == len(answer.tool_calls)


# --- a long stream --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handing_out", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_a_long_stream_is_not_looked_at_twice(handing_out: bool, empty: bool) -> None:
    """Exists for work that grows with the square: here it would be 10**8 steps."""
    count = 20_000
    reader = Reader(CLOCKS, BIG, handing_out=handing_out)
    data = chunk(piece("")) if empty else said("word ")
    given = 0
    for _ in range(count):
        given += len(reader.feed(data, 0.0))
    given += len(reader.feed(said("x") + ended(), 0.0))
    assert given == (handing_out and count + 3)
    assert len(reader.fold.result().text) == (1 if empty else count * 5 + 1)


def test_tools_are_content() -> None:
    _, chunks = read([call(0, "c1", "f", "{}")], handing_out=True)
    assert len(chunks) == 2


def test_a_snapshot_is_what_has_come_so_far() -> None:
    reader = Reader(Clocks(60.0), 10_000, handing_out=True)
    reader.begin(0.0)
    reader.feed(said("Ra"), 1.0)
    assert reader.snapshot().text == "Ra"
