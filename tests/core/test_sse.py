"""The event stream decoder: any chunking gives the same events, and no bytes make it raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openrouter_core import sse
from openrouter_core.sse import DONE, Ending, EventTooLarge, ServerSentEvent, SseItem, SseState, feed, finish

Decoder = Callable[[Iterable[bytes]], tuple[list[SseItem], Ending, int]]


def run(chunks: Iterable[bytes], limit: int = sse.DEFAULT_LIMIT_BYTES) -> tuple[list[SseItem], Ending, int]:
    """Everything the decoder says of these chunks: items, ending, comments."""
    state = SseState(limit=limit)
    items: list[SseItem] = []
    for chunk in chunks:
        state, new = feed(state, chunk)
        items.extend(new)
    return items, finish(state), state.comments


def reference(text: bytes) -> tuple[list[SseItem], Ending, int]:
    """The WHATWG algorithm, word for word, over the whole input at once."""
    events: list[SseItem] = []
    data = b""
    name = ""
    last_id = ""
    comments = 0
    lines = re.split(rb"\r\n|\r|\n", text.removeprefix(b"\xef\xbb\xbf"))
    unfinished = lines.pop()

    def field(line: bytes) -> None:
        nonlocal data, name, last_id, comments
        if line.startswith(b":"):
            comments += 1
            return
        key, value = line.split(b":", 1) if b":" in line else (line, b"")
        value = value[1:] if value[:1] == b" " else value
        if key == b"data":
            data += value + b"\n"
        elif key == b"event":
            name = value.decode("utf-8", "replace")
        elif key == b"id" and b"\0" not in value:
            last_id = value.decode("utf-8", "replace")

    for line in lines:
        if line:
            field(line)
            continue
        if data:
            events.append(ServerSentEvent(data[:-1], name or "message", last_id))
        data, name = b"", ""
    counted = comments
    clean = not (unfinished or data or name)
    if unfinished:
        field(unfinished)
    left = ServerSentEvent(data[:-1], name or "message", last_id) if data else None
    return events, Ending(clean, left), counted


LINES = st.sampled_from(
    [
        b"data: {}",
        b"data:x",
        b"data",
        b"data:  two spaces",
        "data: é€😀\u2028\u2029\u0085".encode(),
        b"data: " + b"long " * 20,
        b"data: a\0b",
        b": OPENROUTER PROCESSING",
        b":",
        b": ",
        b"event: response.failed",
        b"event:",
        b"id: 7",
        b"id: bad\0id",
        b"id",
        b"retry: 3000",
        b"retry: soon",
        b"retry: " + b"9" * 5000,
        b"unknown: field",
        b" data: not a field",
        b"\xff\xfe\x80",
        b"event: \xff",
        b"\xef\xbb\xbfdata: bom in the middle",
        b"",
        b"",
        b"",
    ]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r", b""])
STREAMS = st.one_of(
    st.builds(
        lambda bom, lines: bom + b"".join(line + end for line, end in lines),
        st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef", b"\xef\xbb"]),
        st.lists(st.tuples(LINES, ENDS), max_size=12),
    ),
    st.binary(max_size=60),
    st.lists(st.sampled_from([b"\r", b"\n", b":", b"data", b"a", b" ", b"\xef", b"\xbb\xbf"])).map(b"".join),
)


@st.composite
def chunkings(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream, and the same bytes cut anywhere: inside a character, inside CRLF, into single bytes."""
    text = draw(STREAMS)
    if draw(st.booleans()):
        return text, [text[i : i + 1] for i in range(len(text))]
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(chunkings())
@example((b"data: a\r\n\r\ndata: b\r\n\r\n", [b"data: a\r", b"\n", b"\r", b"\ndata: b\r", b"\n\r\n"]))
@example((b"data: a\r\n\n\n", [b"data: a\r", b"\n", b"\n", b"\n"]))
@example((b"data: long line\ndata: b\ndata: c\n\n", [b"data: long line\n", b"data: b\n", b"data: c\n\n"]))
def test_any_chunking_gives_the_events_of_the_whole(case: tuple[bytes, list[bytes]]) -> None:
    """Exists for decoders that lose a character, a line end or an event where the network happened to cut."""
    text, chunks = case
    assert run(chunks) == reference(text)


@given(chunkings(), st.integers(0, 40))
@example((b"event: xy\ndata: {}\n\n", [b"event: ", b"xy\ndata: {}\n\n"]), 8)
def test_the_limit_does_not_depend_on_the_chunks(case: tuple[bytes, list[bytes]], limit: int) -> None:
    """Exists for a limit that only looks at what is pending when a chunk ends, so that a large chunk gets past it."""
    text, chunks = case
    items, ending, comments = run(chunks, limit)
    assert run([text], limit) == (items, ending, comments)
    large = [item for item in items if isinstance(item, EventTooLarge)]
    assert large in ([], [EventTooLarge(limit)])
    whole, _, _ = reference(text)
    kept = items[: len(items) - len(large)]
    assert kept == whole[: len(kept)]
    assert large or items == whole
    assert not (large and (ending.clean or ending.event))


def swallows_unicode_ends(chunks: Iterable[bytes]) -> tuple[list[SseItem], Ending, int]:
    """Planted: U+2028 ends a line, as str.splitlines has it."""
    return run(chunk.replace("\u2028".encode(), b"\n") for chunk in chunks)


def forgets_crlf(chunks: Iterable[bytes]) -> tuple[list[SseItem], Ending, int]:
    """Planted: CR and LF are two line ends when a chunk ends between them."""
    state = SseState()
    items: list[SseItem] = []
    for chunk in chunks:
        state, new = feed(msgspec.structs.replace(state, after_cr=False), chunk)
        items.extend(new)
    return items, finish(state), state.comments


def drops_every_bom(chunks: Iterable[bytes]) -> tuple[list[SseItem], Ending, int]:
    """Planted: an order mark is dropped from every chunk."""
    return run(chunk.removeprefix(b"\xef\xbb\xbf") for chunk in chunks)


def decodes_chunks(chunks: Iterable[bytes]) -> tuple[list[SseItem], Ending, int]:
    """Planted: text is decoded per chunk, so that a split character is lost."""
    return run(chunk.decode("utf-8", "replace").encode() for chunk in chunks)


def dispatches_at_the_end(chunks: Iterable[bytes]) -> tuple[list[SseItem], Ending, int]:
    """Planted: an event without its blank line is handed out like any other."""
    items, ending, comments = run(chunks)
    return ([*items, ending.event] if ending.event else items), ending, comments


@pytest.mark.parametrize(
    "planted", [swallows_unicode_ends, forgets_crlf, drops_every_bom, decodes_chunks, dispatches_at_the_end]
)
def test_the_property_bites(planted: Decoder) -> None:
    """The planted decoders differ from the reference on some chunking of a few short streams."""
    streams = [
        "data: a\u2028b\n\n".encode(),
        b"data: a\r\n\r\n",
        b"data: a\r\ndata: b\r\n\r\n",
        "data: €\n\n".encode(),
        b"data: cut",
        b"data: \xef\xbb\xbfx\n\n",
    ]
    assert any(planted([text[i : i + 1] for i in range(len(text))]) != reference(text) for text in streams) or any(
        planted([text[:i], text[i:]]) != reference(text) for text in streams for i in range(len(text))
    )


def test_what_openrouter_sends() -> None:
    """Comments are counted and are no events; the data comes as bytes."""
    items, ending, comments = run([b': OPENROUTER PROCESSING\n\ndata: {"id":"gen-1"}\n\n: \n\ndata: [DONE]\n\n'])
    assert items == [ServerSentEvent(b'{"id":"gen-1"}'), ServerSentEvent(DONE)]
    assert ending == Ending(clean=True)
    assert comments == 2


def test_named_events_and_several_data_lines() -> None:
    """An event takes its name from its own block; data lines are joined by LF; a bare data line is empty data."""
    items, _, _ = run([b"event: a\ndata: 1\ndata:2\n\ndata: 3\n\nevent: lost\n\ndata\n\ndata: x\ndata\n\n"])
    assert items == [
        ServerSentEvent(b"1\n2", "a"),
        ServerSentEvent(b"3"),
        ServerSentEvent(b""),
        ServerSentEvent(b"x\n"),
    ]


def test_ids_last_and_retry_is_milliseconds() -> None:
    """An id stays until the next one; a retry that is no number is left alone."""
    state, items = feed(SseState(), b"id: 1\ndata: a\n\ndata: b\n\nretry: 250\nretry: x\nid\ndata: c\n\n")
    assert [item.id for item in items if isinstance(item, ServerSentEvent)] == ["1", "1", ""]
    assert state.retry_ms == 250


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (b"", Ending(clean=True)),
        (b"data: a\n\n", Ending(clean=True)),
        (b": comment\n", Ending(clean=True)),
        (b"data: a\n", Ending(clean=False, event=ServerSentEvent(b"a"))),
        (b"data: [DONE]", Ending(clean=False, event=ServerSentEvent(DONE))),
        (b"event: x\ndata: a\ndat", Ending(clean=False, event=ServerSentEvent(b"a", "x"))),
        (b"event: x\n", Ending(clean=False)),
        (b": comm", Ending(clean=False)),
        (b"\xef\xbb", Ending(clean=False)),
    ],
)
def test_how_a_stream_ends(text: bytes, ending: Ending) -> None:
    """What was left over tells a cut stream from a complete one."""
    assert run([text])[1] == ending


def test_an_event_over_the_limit_ends_the_stream() -> None:
    """The events before it are kept, whatever follows is ignored, and the state lets go of the bytes."""
    state, items = feed(SseState(limit=10), b"data: a\n\ndata: 0123456789\n\ndata: b\n\n")
    assert items == (ServerSentEvent(b"a"), EventTooLarge(10))
    assert feed(state, b"data: c\n\n") == (state, ())
    assert finish(state) == Ending(clean=False)
    state, items = feed(SseState(limit=10), b"data: a\ndata: 345678")
    assert items == (EventTooLarge(10),)
    assert (state.line, state.data) == ((), ())


def test_a_line_of_megabytes_in_small_pieces() -> None:
    """Each byte is copied a logarithmic number of times: a quadratic decoder would need minutes for this one."""
    line = b"data: " + b"y" * 4_000_000
    items, _, _ = run([*(line[i : i + 400] for i in range(0, len(line), 400)), b"\n\n"])
    assert items == [ServerSentEvent(line[6:])]


def test_an_event_of_very_many_lines_in_small_pieces() -> None:
    """The lines of one event are kept like the pieces of one line."""
    text = b"data: ab\n" * 30_000
    state = SseState()
    for i in range(0, len(text), 50):
        state, _ = feed(state, text[i : i + 50])
        assert len(state.data) < 30
    assert finish(state).event == ServerSentEvent(b"\n".join([b"ab"] * 30_000))


@given(st.lists(st.integers(1, 40)))
def test_pieces_stay_few_and_whole(sizes: list[int]) -> None:
    """Exists for a pile that grows by one piece per chunk, or that loses one while merging."""
    pieces: tuple[bytes, ...] = ()
    for i, size in enumerate(sizes):
        pieces = sse._push(pieces, bytes([i % 256]) * size)
        assert all(len(a) > 2 * len(b) for a, b in pairwise(pieces))
    assert b"".join(pieces) == b"".join(bytes([i % 256]) * size for i, size in enumerate(sizes))


def test_a_piece_is_copied_only_for_one_of_half_its_length() -> None:
    """Bug: a long line that is copied for each small piece that follows it."""
    assert sse._push((b"12345",), b"ab") == (b"12345", b"ab")
    assert sse._push((b"12345",), b"abc") == (b"12345abc",)


def test_the_same_in_pieces_of_any_size() -> None:
    """An order mark, each kind of line end, an id, several data lines, a comment and a name, cut everywhere."""
    text = b"\xef\xbb\xbfid: 7\r\ndata: a\r\ndata: b\r\n\r\n: c\rdata: d\n\nevent: e\ndata: f\n\n"
    told = [ServerSentEvent(b"a\nb", "message", "7"), ServerSentEvent(b"d", "message", "7")]
    for size in range(1, len(text) + 1):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert run(pieces) == ([*told, ServerSentEvent(b"f", "e", "7")], Ending(clean=True), 1)


@pytest.mark.parametrize(("digits", "kept"), [(1, 9), (18, 10**18 - 1), (19, None)])
def test_a_retry_is_kept_unless_it_is_endless(digits: int, kept: int | None) -> None:
    state, _ = feed(SseState(), b"retry: " + b"9" * digits + b"\n")
    state, _ = feed(state, b"data: x\n\n")
    assert state.retry_ms == kept


def test_an_id_that_is_no_unicode_is_no_obstacle() -> None:
    assert feed(SseState(), b"id: \xff\n")[0].last_id == "\ufffd"


@pytest.mark.parametrize(
    ("pieces", "fits"),
    [
        ([b"data: 789012\n\n"], True),
        ([b"data: 7890123\n\n"], False),
        ([b"data: 789012", b"\n\n"], True),
        ([b"data: 7890123"], False),
        ([b"data: 123\ndata: 45\n\n"], True),
        ([b"data: 123\ndata: 456\n\n"], False),
        ([b"data: 123\n", b"data: 456"], False),
        ([b"data: 123\ndata: 45\ndata:\n\n"], True),
        ([b"data: 123\ndata: 45\ndata:6\n\n"], False),
    ],
)
def test_the_limit_is_for_an_event_and_the_line_under_way(pieces: list[bytes], fits: bool) -> None:
    """Twelve bytes: the data so far, with their line ends, and the line."""
    state = SseState(limit=12)
    for piece in pieces:
        state, items = feed(state, piece)
        assert state.overflowed is (EventTooLarge(12) in items)
    assert state.overflowed is not fits


def test_what_is_left_in_pieces_is_one_line() -> None:
    assert run([b"data: abcdef", b"g"])[1] == Ending(clean=False, event=ServerSentEvent(b"abcdefg"))
    assert feed(SseState(), b"\xef")[0].overflowed is False
