"""Small drawings of numbers over time: rows of characters for the terminal, and PNG or SVG files through matplotlib.

Rows are plain text, the same in a terminal and in a pipe. matplotlib comes with the extra `plot` and is imported only
when a file is drawn.
"""

import importlib
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:-=+*#@"
SUFFIXES = (".png", ".svg")
MISSING = '--plot needs matplotlib. Install it with: pip install "aio-openrouter[plot]"'


class Curve(Struct, frozen=True):
    """Values under a name, at evenly spaced instants."""

    name: str
    values: tuple[float, ...]


class Panel(Struct, frozen=True):
    """Curves in one frame: what they measure, and seconds between two values."""

    title: str
    every: float
    curves: tuple[Curve, ...]


class Span(Struct, frozen=True):
    """Something that begins and ends between two instants each, in seconds; `label` says what it is."""

    label: str
    begins: tuple[float, float]
    ends: tuple[float, float]


def blocks_of(out: object) -> str:
    """Choose the characters that an output can show."""
    encoding = str(getattr(out, "encoding", None) or "ascii")
    try:
        BLOCKS.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return PLAIN
    return BLOCKS


def sparkline(values: Sequence[float], top: float, blocks: str = BLOCKS) -> str:
    """Draw values from 0 to `top` as a row of characters; what is not nothing is seen."""
    steps = len(blocks) - 1
    heights = (max(1, math.ceil(min(1.0, value / top) * steps)) if top > 0.0 < value else 0 for value in values)
    return "".join(blocks[height] for height in heights)


def bar(span: Span, total: float, width: int, blocks: str = BLOCKS) -> str:
    """Draw a span on a line of `width` characters for `total` seconds: light where it only may be."""
    full, light = blocks[-1], blocks[len(blocks) // 2]
    scale = width / total if total > 0.0 else 0.0

    def drawn(column: int) -> str:
        left, right = column / scale if scale else 0.0, (column + 1) / scale if scale else 0.0
        if span.begins[0] >= right or (span.ends[1] <= left and span.begins[0] < left):
            return " "
        return full if span.begins[1] < right and span.ends[0] >= left else light

    return "".join(drawn(column) for column in range(width)).rstrip()


def flaw(file: Path | None) -> str | None:
    """Say what is wrong with a file to draw into, if anything; before any work is done for it."""
    if file is None:
        return None
    if file.suffix.lower() not in SUFFIXES:
        return f"--plot {file}: the name must end in {' or '.join(SUFFIXES)}"
    return None if importlib.util.find_spec("matplotlib") else MISSING


def figure(rows: int) -> tuple[Any, Sequence[Any]]:
    """Make an empty drawing with so many frames, one below the other."""
    made: Any = importlib.import_module("matplotlib.figure").Figure(figsize=(9, 2.4 * rows + 0.6), layout="constrained")
    return made, [frame[0] for frame in made.subplots(rows, 1, sharex=True, squeeze=False)]


def draw_panels(file: Path, title: str, panels: Sequence[Panel]) -> None:
    """Draw panels below each other, on one axis of time."""
    drawing, frames = figure(len(panels))
    drawing.suptitle(title)
    for frame, panel in zip(frames, panels, strict=True):
        for curve in panel.curves:
            frame.plot([panel.every * step for step in range(len(curve.values))], curve.values, label=curve.name)
        frame.set_ylabel(panel.title)
        frame.set_ylim(bottom=0)
    frames[0].legend(loc="upper right", fontsize="small")
    frames[-1].set_xlabel("seconds")
    drawing.savefig(file)


def draw_spans(file: Path, title: str, spans: Sequence[Span]) -> None:
    """Draw spans as bars, the first one on top."""
    drawing, frames = figure(1)
    drawing.suptitle(title)
    for row, span in enumerate(spans):
        frames[0].barh(row, span.ends[1] - span.begins[0], left=span.begins[0], color="tab:blue", alpha=0.35)
        frames[0].barh(row, max(0.0, span.ends[0] - span.begins[1]), left=span.begins[1], color="tab:blue")
    frames[0].set_yticks(range(len(spans)), [span.label for span in spans])
    frames[0].invert_yaxis()
    frames[0].set_xlabel("seconds")
    drawing.savefig(file)
