"""Tool calls and reasoning details out of pieces, also out of badly made ones."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openrouter_core.deltas import ReasoningDetails, ToolCalls, joined_base64
from openrouter_core.wire.chunk import ToolCallDelta


def calls(*pieces: dict[str, Any]) -> list[tuple[str | None, str | None, str | None]]:
    """(id, name, arguments) of the calls that these deltas make."""
    folded = ToolCalls()
    for piece in pieces:
        folded.add(msgspec.convert(piece, ToolCallDelta))
    done = folded.result()
    assert [call.index for call in done] == list(range(len(done)))
    assert len({call.id for call in done}) == len(done)
    assert {call.type for call in done} <= {"function"}
    return [(call.id, call.function.name, call.function.arguments) for call in done if call.function]


def piece(
    index: int | None = None,
    arguments: str | None = None,
    *,
    call: str | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    return {"index": index, "id": call, "function": {"name": name, "arguments": arguments}}


A, B = '{"a": 1}', '{"b": "}{"}'


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param(
            [piece(0, "", call="x", name="f"), piece(0, A[:3]), piece(0, A[3:]), piece(1, B, call="y", name="g")],
            [("x", "f", A), ("y", "g", B)],
            id="a good stream",
        ),
        pytest.param(
            [piece(0, A, name="f"), piece(0, A, name="f"), piece(0, B, name="f")],
            [("call_0", "f", A), ("call_1", "f", A), ("call_2", "f", B)],
            id="no ids, all indexes 0",
        ),
        pytest.param(
            [piece(1, "", call="x", name="f"), piece(1, A)],
            [("x", "f", A)],
            id="the first index is 1",
        ),
        pytest.param(
            [
                piece(0, "", call="x", name="f"),
                piece(0, A, call="", name=""),
                piece(0, "", call="y", name="g"),
                piece(1, B),
            ],
            [("x", "f", A), ("y", "g", B)],
            id="the head collides at 0, the tail is at 1",
        ),
        pytest.param(
            [piece(0, "", call="x", name="f"), piece(0, A), piece(0, " \n"), piece(0, "\t")],
            [("x", "f", A)],
            id="white space after a finished call",
        ),
        pytest.param(
            [piece(0, '{"a": "', call="x", name="f"), piece(0, "  "), piece(0, '"}')],
            [("x", "f", '{"a": "  "}')],
            id="white space inside of an unfinished call",
        ),
        pytest.param(
            [piece(None, A, call="x", name="f"), piece(None, '{"b', call="y", name="g"), piece(None, '": "}{"}')],
            [("x", "f", A), ("y", "g", B)],
            id="no indexes",
        ),
        pytest.param(
            [piece(0, A, call="x", name="f"), piece(1, B, call="x", name="g")],
            [("x", "f", A), ("call_1", "g", B)],
            id="the same id twice, at two indexes",
        ),
        pytest.param(
            [piece(0, A, call="x", name="f"), piece(0, B, call="x", name="g")],
            [("x", "f", A), ("call_1", "g", B)],
            id="the same id twice, at one index",
        ),
        pytest.param(
            [
                piece(0, '{"b', call="x", name="g"),
                piece(0, '": "}', call="x", name="g"),
                piece(0, '{"}', call="x", name="g"),
            ],
            [("x", "g", B)],
            id="id and name with every piece",
        ),
        pytest.param(
            [piece(0, "", name="f"), piece(0, A, call="x")],
            [("x", "f", A)],
            id="the id comes late",
        ),
        pytest.param(
            [piece(0, A, name="f"), piece(0, B, call="x")],
            [("call_0", "f", A), ("x", "", B)],
            id="an id after a finished call without one is the next call's",
        ),
        pytest.param(
            [piece(0, "", name="f"), piece(0, "", name="g"), piece(0, B)],
            [("call_0", "f", ""), ("call_1", "g", B)],
            id="a call without arguments, then another name",
        ),
        pytest.param(
            [piece(0, '{"a":', name="f"), piece(0, " 1}", name="other")],
            [("call_0", "f", A)],
            id="another name in the middle of the arguments",
        ),
        pytest.param(
            [piece(0, A, call="call_1", name="f"), piece(1, B, name="g"), piece(2, B, name="h")],
            [("call_1", "f", A), ("call_2", "g", B), ("call_3", "h", B)],
            id="an invented id that was already taken",
        ),
        pytest.param([piece(0, A), {"index": 0}], [("call_0", "", A)], id="no head at all"),
        pytest.param(
            [piece(0, "", call="x"), piece(0, A, call="y", name="f")],
            [("x", "", ""), ("y", "f", A)],
            id="a new id in a slot that has one",
        ),
        pytest.param(
            [
                piece(0, "", call="x", name="f"),
                piece(0, "", call="y", name="g"),
                piece(None, A, call="x"),
                piece(5, B, call="y"),
            ],
            [("x", "f", A), ("y", "g", B)],
            id="tails that are known by their id",
        ),
        pytest.param(
            [piece(0, '"\\"{', name="f"), piece(0, '\\"}"', name="f")],
            [("call_0", "f", '"\\"{\\"}"')],
            id="escaped quotes and braces in a string",
        ),
        pytest.param(
            [piece(0, '{"a": {}', name="f"), piece(0, ', "b": []', name="f"), piece(0, "}", name="f")],
            [("call_0", "f", '{"a": {}, "b": []}')],
            id="what is nested ends before the whole does",
        ),
        pytest.param(
            [piece(0, "{X", name="f"), piece(0, "}", name="f"), piece(0, A, name="f")],
            [("call_0", "f", "{X}"), ("call_1", "f", A)],
            id="braces that hold no JSON",
        ),
        pytest.param(
            [piece(None, "", name="f"), piece(None, '{"a":', call="x"), piece(None, " 1}", name="f")],
            [("x", "f", A)],
            id="no indexes, and the id comes late",
        ),
        pytest.param(
            [piece(0, '{"a":', call="x", name="f"), piece(1, B, call="x", name="g")],
            [("x", "f", '{"a":'), ("call_1", "g", B)],
            id="the same id at another index, before the first call is complete",
        ),
    ],
)
def test_calls_are_told_apart(pieces: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    assert calls(*pieces) == expected


def test_type_stays() -> None:
    folded = ToolCalls()
    assert not folded
    folded.add(ToolCallDelta(index=0, type="custom"))
    folded.add(ToolCallDelta(index=0))
    assert folded
    assert folded.result()[0].type == "custom"


@given(
    st.lists(
        st.builds(
            piece,
            st.sampled_from([None, 0, 1]),
            st.sampled_from([None, "", " ", "{", "}", "{}", '"', '{"a":1}', "\\"]),
            call=st.sampled_from([None, "", "x", "y", "call_0"]),
            name=st.sampled_from([None, "", "f", "g"]),
        ),
        max_size=12,
    )
)
def test_any_deltas_make_some_calls(pieces: list[dict[str, Any]]) -> None:
    """Exists for deltas that make the merge raise, lose arguments, or give two calls one id."""
    made = calls(*pieces)
    told = "".join(each["function"]["arguments"] or "" for each in pieces)
    kept = "".join(arguments or "" for _, _, arguments in made)
    assert sorted(told.replace(" ", "")) == sorted(kept.replace(" ", ""))
    assert all(call_id for call_id, _, _ in made)
    assert bool(made) == bool(pieces)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=5)), min_size=1, max_size=5), st.booleans())
def test_numbered_worst_case(arguments: list[dict[str, str]], spaced: bool) -> None:
    """Exists for calls that run into each other when every delta says index 0 and none has an id."""
    texts = [json.dumps(each) for each in arguments]
    pieces = [each for text in texts for each in ([piece(0, text, name="f")] + [piece(0, " ")] * spaced)]
    assert [text for _, _, text in calls(*pieces)] == texts


def details(*pieces: dict[str, Any]) -> list[dict[str, Any]]:
    folded = ReasoningDetails()
    for each in pieces:
        folded.add(each)
    assert bool(folded) == bool(pieces)
    return folded.result()


TEXT, SUMMARY, DATA = "reasoning.text", "reasoning.summary", "reasoning.encrypted"


def test_text_grows_and_a_lone_signature_stays() -> None:
    assert details(
        {"type": TEXT, "text": "", "signature": "", "index": 0, "format": None},
        {"type": TEXT, "text": "a", "index": 0, "format": "anthropic-claude-v1"},
        {"type": TEXT, "text": "b", "index": 0},
        {"type": TEXT, "signature": "s", "index": 0},
        {"type": TEXT, "text": None, "signature": None, "index": 0},
    ) == [{"type": TEXT, "text": "ab", "signature": "s", "index": 0, "format": "anthropic-claude-v1"}]


def test_what_is_empty_replaces_nothing_and_what_is_not_replaces_all() -> None:
    assert details(
        {"index": 0, "signature": "old", "format": ""},
        {"index": 0, "signature": "new"},
        {"index": 0, "signature": ""},
        {"index": 0, "signature": None},
    ) == [{"index": 0, "signature": "new", "format": ""}]


def test_entries_of_one_type_are_told_apart_by_their_index() -> None:
    pieces = [{"type": TEXT, "text": text, "index": index} for text, index in (("a", 0), ("b", 1), ("c", 0))]
    assert [(entry["index"], entry["text"]) for entry in details(*pieces)] == [(0, "ac"), (1, "b")]


@pytest.mark.parametrize("ids", [("rs_1", None), (None, "rs_1"), ("rs_1", ""), ("rs_1", "rs_1")])
def test_a_piece_without_an_id_goes_to_the_entry_of_its_index(ids: tuple[str | None, str | None]) -> None:
    pieces = [{"type": DATA, "data": data, "id": known, "index": 0} for data, known in zip("xy", ids, strict=True)]
    assert details(*pieces) == [{"type": DATA, "data": "xy", "id": "rs_1", "index": 0}]


def test_a_summary_and_an_encrypted_block_share_an_index() -> None:
    assert details(
        {"type": SUMMARY, "summary": "a", "index": 0},
        {"type": DATA, "data": "x", "id": "rs_1", "index": 0},
        {"type": SUMMARY, "summary": "b", "index": 0},
    ) == [{"type": SUMMARY, "summary": "ab", "index": 0}, {"type": DATA, "data": "x", "id": "rs_1", "index": 0}]


def test_different_ids_are_different_entries() -> None:
    pieces = [{"type": DATA, "data": "x", "id": name, "index": 0} for name in ("one", "two")]
    assert details(*pieces) == pieces


def test_without_an_index_only_open_text_goes_on() -> None:
    assert details(
        {"type": TEXT, "text": "a"},
        {"type": TEXT, "text": "b", "signature": "s"},
        {"type": TEXT, "text": "c"},
        {"type": DATA, "data": "x"},
        {"type": DATA, "data": "y"},
        {"type": TEXT, "text": "d"},
    ) == [
        {"type": TEXT, "text": "ab", "signature": "s"},
        {"type": TEXT, "text": "c"},
        {"type": DATA, "data": "x"},
        {"type": DATA, "data": "y"},
        {"type": TEXT, "text": "d"},
    ]


def test_odd_values_are_kept() -> None:
    assert details({"type": [1], "index": {}, "text": {"a": 1}}, {"type": [1], "index": {}, "text": "b"}) == [
        {"type": [1], "index": {}, "text": "b"}
    ]


@given(st.lists(st.binary(max_size=5), max_size=5))
@example([b"a", base64.b64decode("XXXX")])
def test_base64_in_pieces(parts: list[bytes]) -> None:
    """Exists for audio that is cut off at the first padding."""
    encoded = [base64.b64encode(part).decode() for part in parts]
    assert base64.b64decode(joined_base64(encoded)) == b"".join(parts)


def test_base64_that_is_none_stays_as_it_came() -> None:
    assert joined_base64(["a=", "b!"]) == "a=b!"
    assert joined_base64(["=é"]) == "=é"
    assert joined_base64(["YQ==", "Y!Q=="]) == "YQ==Y!Q=="
    assert joined_base64(["YW", "Jj"]) == "YWJj"
    assert joined_base64(["YWJj", "YR=="]) == "YWJjYR==", "what ends with padding once is whole, however it was made"
