"""What fuzzing has found stays found: the corpus through its targets, and each target over a planted bug."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz import __main__ as command
from tests.fuzz.cursor import headed, number, pieces
from tests.fuzz.targets import CORPUS, TARGETS

from openrouter_core import classify, docstring, reader, retry_after, schema, sse, strict, typed, verdict
from openrouter_core.schema import TypeSchema
from openrouter_core.verdict import Accepted


def inputs(name: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_holds(name: str) -> None:
    assert inputs(name)
    for data in [b"", *inputs(name)]:
        TARGETS[name][0](data)


def test_the_corpus_is_small_and_each_of_it_has_a_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == {*TARGETS}
    assert sum(len(data) for name in TARGETS for data in inputs(name)) < 500_000


def test_make_fuzz_runs_ten_million() -> None:
    assert command.total([*TARGETS]) == 10_000_000


Planted = tuple[str, object, str, object]
PLANTED: list[Planted] = [
    ("event_stream", sse, "_push", lambda _pieces, piece: (piece,)),
    ("event_stream", sse._Run, "hold", lambda _self, _tail: None),
    ("answer_stream", reader.BaseReader, "_released", lambda self: [self._held.pop()] if self._held else ()),
    ("answer_stream", sse, "_push", lambda _pieces, piece: (piece,)),
    ("answer", classify, "judged_completion", lambda value, _answer, _rules: Accepted(value)),
    ("answer", classify, "UNDECODABLE", ()),
    ("classifier", verdict, "transient", lambda status: status >= 404),
    ("classifier", classify, "UNDECODABLE", ()),
    ("header_lines", retry_after, "longest", lambda *waits: min((wait for wait in waits if wait), default=None)),
    ("header_lines", retry_after, "positive", lambda seconds: seconds),
    ("json_schema", strict, "_inlined", lambda node, _once: node),
    ("json_schema", strict, "is_strict", lambda _schema: True),
    ("wanted_type", typed, "candidates", lambda _text: iter(())),
    ("wanted_type", schema, "_finished", lambda name, raw: TypeSchema(name, raw, strict=True, wrapped=False)),
    ("documented", docstring, "described", lambda text: (text, {})),
]


@pytest.mark.parametrize(("name", "where", "what", "bug"), PLANTED, ids=[f"{one[0]}-{one[2]}" for one in PLANTED])
def test_the_targets_bite(name: str, where: object, what: str, bug: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, what, bug)

    def holds(data: bytes) -> bool:
        try:
            TARGETS[name][0](data)
        except Exception:  # noqa: BLE001 - whatever it is: that is what a fuzzer looks for
            return False
        return True

    assert not all(map(holds, inputs(name)))


def test_each_target_has_a_planted_bug() -> None:
    assert {name for name, *_ in PLANTED} == {*TARGETS}


def test_an_input_that_fails_can_be_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "crash"
    file.write_bytes(b"1\nretry-after: -1\n\n\xff")
    told = command.shown("header_lines", file)
    assert repr(file.read_bytes()) in told
    arguments = told.split("Again: python -m tests.fuzz ")[1].split()
    monkeypatch.setattr("sys.argv", ["fuzz", *arguments])
    assert command.main() == 0
    monkeypatch.setattr(retry_after, "positive", lambda seconds: seconds)
    with pytest.raises(AssertionError, match="a wait that is none"):
        command.main()


@pytest.mark.parametrize(
    ("data", "sizes", "cut"),
    [
        (b"abcde", b"\x02", [b"ab", b"cd", b"e"]),
        (b"abcde", b"\x01\x00\x03", [b"a", b"", b"bcd", b"e"]),
        (b"abcde", b"\x00", [b"abcde"]),
        (b"abcde", b"", [b"abcde"]),
        (b"", b"\x02", []),
    ],
)
def test_pieces(data: bytes, sizes: bytes, cut: list[bytes]) -> None:
    assert pieces(data, sizes) == cut


def test_messages_are_read_leniently() -> None:
    assert headed(b"sent 0\nA: b \nnothing\n\nbody\n\n") == (["sent", "0"], {"a": "b", "nothing": ""}, b"body\n\n")
    assert [number(["7", "1.5", "x", "nan"], place, 9) for place in range(5)] == [7, 1.5, 9, 9, 9]
