"""The command that shows what a policy will do, and the drawings that it shares with `simulate-load`."""

import io
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_client import cli
from openrouter_client.cli import drawing
from openrouter_client.cli.drawing import Span, bar, sparkline


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Run the command; give its code, what it printed and what it complained of."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    code = cli.main(("schedule", *arguments))
    return code, *capsys.readouterr()


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """What it says for machines."""
    code, out, err = run(capsys, monkeypatch, "--json", *arguments)
    assert (code, err, out.count("\n")) == (0, "", 1)
    return json.loads(out)


def test_the_default_waits_one_two_and_four_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, monkeypatch)
    assert (code, err) == (0, "")
    assert "1 s * 2**n" in out
    assert "\x1b" not in out
    rows = [line.split("│")[1:-1] for line in out.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["1", "0 s", "HTTP 503", "1 s"],
        ["2", "1.5 s", "HTTP 503", "2 s"],
        ["3", "4 s", "HTTP 503", "4 s"],
        ["4", "8.5 s", "HTTP 503", ""],
    ]
    assert "After 9 s: failed: ProviderError" in out
    bars = [line.partition("|")[2] for line in out.splitlines() if "|" in line]
    assert len(bars) == 4
    assert all(row.strip() for row in bars)
    assert [len(row) - len(row.lstrip()) for row in bars] == [0, 10, 26, 56]


def test_hints_and_outcomes_are_assumed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, monkeypatch, "--outcomes", "429@5, 503,disconnected,200", "--took", "1")
    assert [one["outcome"] for one in found["attempts"]] == ["HTTP 429", "HTTP 503", "disconnected", "HTTP 200"]
    assert found["attempts"][0]["wait"] == [5.0, pytest.approx(5.5)]
    assert found["attempts"][1]["wait"] == [2.0, 2.0]
    assert found["ends"] == [15.0, pytest.approx(15.5)]
    assert found["result"] == "done"


def test_chance_is_shown_from_and_to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, monkeypatch, "--jitter", "full", "--deadline", "6", "--retries", "5", "--took", "0")
    assert len(found["attempts"]) == 6
    assert found["attempts"][1]["sent"] == [0.0, pytest.approx(1.0)]
    assert "ProviderError" in found["result"]
    assert "DeadlineExceeded" in found["result"]


def test_a_timeout_takes_its_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, monkeypatch, "--timeout", "7", "--retries", "0", "--outcomes", "timeout")
    assert found["ends"] == [7.0, 7.0]
    assert found["attempts"] == [
        {"number": 1, "sent": [0.0, 0.0], "ended": [7.0, 7.0], "outcome": "attempt timeout after 7 s", "wait": None}
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--outcomes", "42"), "'42'"),
        (("--outcomes", "soon"), "429@5"),
        (("--outcomes", "429@soon"), "'soon'"),
        (("--retries", "-1"), "max_retries"),
        (("--timeout", "0"), "timeout_secs"),
        (("--jitter", "much"), "much"),
        (("--plot", "waits.pdf"), ".svg"),
    ],
)
def test_options_that_make_no_sense_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 2
    assert said in out + err


def test_without_matplotlib_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "matplotlib" else find_spec(name, *rest)
    )
    code, out, err = run(capsys, monkeypatch, "--plot", "waits.png")
    assert (code, out) == (2, "")
    assert 'pip install "aio-openrouter[plot]"' in err


class Frame:
    """A frame of a drawing that remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **_: self.asked.append((name, given))


class Drawing:
    """Stands in for matplotlib's Figure."""

    made: "list[Drawing]" = []  # noqa: RUF012 - shared by all on purpose

    def __init__(self, **_: Any) -> None:
        self.frames: list[list[Frame]] = []
        self.saved: object = None
        self.made.append(self)

    def suptitle(self, title: str) -> None:
        self.title = title

    def subplots(self, rows: int, *_: int, **__: bool) -> list[list[Frame]]:
        self.frames = [[Frame()] for _ in range(rows)]
        return self.frames

    def savefig(self, file: object) -> None:
        self.saved = file


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """The drawings that are made, where there need be no matplotlib."""
    module: Any = ModuleType("matplotlib.figure")
    module.Figure = Drawing
    monkeypatch.setitem(sys.modules, "matplotlib.figure", module)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: module)
    Drawing.made.clear()
    return Drawing.made


def test_attempts_are_drawn_into_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], drawings: list[Drawing]
) -> None:
    code, _, err = run(capsys, monkeypatch, "--retries", "1", "--plot", "waits.svg")
    assert (code, err) == (0, "")
    assert [drawing.saved for drawing in drawings] == [Path("waits.svg")]
    assert [given[0] for name, given in drawings[0].frames[0][0].asked if name == "barh"] == [0, 0, 1, 1]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_matplotlib_draws_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"waits.{suffix}"
    assert run(capsys, monkeypatch, "--plot", str(file))[0] == 0
    assert file.read_bytes().startswith({"png": b"\x89PNG", "svg": b"<?xml"}[suffix])


@given(st.lists(st.floats(-1.0, 9.0), max_size=50), st.floats(0.0, 9.0))
def test_a_row_has_a_character_for_each_value(values: list[float], top: float) -> None:
    """Bug: a peak outside of the blocks, or something that looks like nothing."""
    for blocks in (drawing.BLOCKS, drawing.PLAIN):
        row = sparkline(values, top, blocks)
        assert len(row) == len(values)
        assert all((shown == " ") == (value <= 0.0 or top == 0.0) for shown, value in zip(row, values, strict=True))


@given(st.floats(0.0, 9.0), st.floats(0.0, 9.0), st.floats(0.0, 9.0), st.floats(0.1, 9.0))
def test_a_bar_is_seen_where_it_is(begin: float, later: float, took: float, total: float) -> None:
    row = bar(Span("", (begin, begin + later), (begin + took, begin + later + took)), total, 20)
    assert len(row) <= 20
    if begin < total:
        assert row.strip()
        assert (len(row) - len(row.lstrip()) - 1) * total / 20 <= begin + 1e-6


def test_an_output_that_knows_no_blocks_gets_others() -> None:
    plain, rich = (io.TextIOWrapper(io.BytesIO(), encoding=name) for name in ("ascii", "utf-8"))
    assert drawing.blocks_of(plain) == drawing.blocks_of(object()) == drawing.PLAIN
    assert drawing.blocks_of(rich) == drawing.BLOCKS
