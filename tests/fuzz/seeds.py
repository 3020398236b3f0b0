"""What fuzzing starts from, made of the facts that the tests know. `python -m tests.fuzz.seeds` writes it."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.core.outcomes import AT, AT_DATE, GOOD, PADDING
from tests.core.streamed import FAILING, WHOLE, said
from tests.core.test_classify import ROWS
from tests.core.test_docstring import GOOGLE, NUMPY, SPHINX
from tests.fuzz.targets import CORPUS

from openrouter_core.outcome import Interrupted, Responded, TimedOut, Unreachable

DATA = Path(__file__).parents[1] / "core" / "data"
HEADERS = (
    f"{AT}\nretry-after: 7\nx-ratelimit-reset: {int((AT + 50) * 1000)}\ndate: {AT_DATE}\n\n30",
    f'{AT}\nretry-after: {AT_DATE}\ndate: Sun, 17 Mar 2030 17:59:00 GMT\n\n"Sunday, 17-Mar-30 18:00:25 GMT"',
    f'{AT}\nretry-after-ms: 1500.5\nx-ratelimit-limit: 20\n\n"Sun Mar 17 18:00:25 2030"',
    "nan\nretry-after: nan\nx-ratelimit-reset: inf\ndate: Fri, 31 Dec 9999 23:59:59 -2359\n\n1e400",
    "-1e300\ndate: Mon, 01 Jan 0001 00:00:00 +2359\nretry-after: -1\ncookie: a\nx-a!: b c\n\nnull",
)
ANSWERS = (
    "5", '{"value": 5}', '"yes"', "[1, 2]", '{"amount": 1.5, "type": "Buy"}', '{"type": "Wait", "until": "2030-03-17"}',
    '{"label": "a", "children": [{"label": "b", "children": []}]}', '```json\n{"f0": 1, "f1": "a"}\n```', "null", "0.5",
    'Sure! Here it is: {"f0": [true, null], "f1": {"a": 1e-7}} and {"no": [', '{"name": "x", "odds": 0.5}', '"P1DT2H"',
    '{"a": "\\ud800", "b": "\\"}]"}', "[[[[[[[[1]]]]]]]]", '"2030-03-17T18:00:00Z"', '"QUJD"', "1e999", "",
)  # fmt: skip


def classified() -> Iterator[bytes]:
    """The table of verdicts, each row as an outcome in text."""
    for _, outcome, *_ in ROWS:
        match outcome:
            case Responded(status, body, headers, at, overflow):
                yield message(f"{'long' if overflow else 'sent'} 0 2 {status} {at}", headers, body)
            case Interrupted(detail, _, status, headers, at):
                yield message(f"lost 0 2 {status or 0} {at}", headers, detail.encode())
            case TimedOut(clock, after, sent):
                yield message(f"late 0 2 {int(sent)} {after}", {}, clock.encode())
            case Unreachable(kind, detail):
                yield message("away 0 2 0 0", {"kind": kind}, detail.encode())
            case _:
                pass
    for place in range(1, 6):
        yield message(f"sent {place} 3 200 0", {"content-type": "application/json"}, b'{"value": 3, "error": "no"}')
        yield message(f"sent {place} 0 200 0", {}, b'{"value": 3, "status": "failed", "error_type": "timeout"}')


def message(first: str, headers: Any, body: bytes) -> bytes:
    """Write a message as HTTP writes it."""
    return "\n".join([first, *(f"{name}: {value}" for name, value in headers.items())]).encode() + b"\n\n" + body


def seeds() -> dict[str, list[bytes]]:
    """Give the seeds of each target."""
    dice = random.Random(7)
    streams = [*WHOLE.values(), *(said("a") + end for end in FAILING.values()), b'{"error":{"code":429,"message":"m"}}']
    bodies = [file.read_bytes() for file in sorted(DATA.glob("answer_*.json"))]
    bodies += [json.dumps(GOOD).encode(), PADDING + json.dumps(GOOD).encode()]
    bodies += [outcome.body for _, outcome, *_ in ROWS if isinstance(outcome, Responded) and outcome.status == 200]
    return {
        "event_stream": [b"\x01\x02\x07\n" + stream for stream in streams]
        + [
            b"\x01 20\ndata: 12345678901234567890\n\n",
            b"\x03\n\xef\xbb\xbfid: 5\rretry: 9\r\n: hm\r\rdata\ndata:x\n\n",
        ],
        "answer_stream": [
            b"\x05\x30 " + (b"lose", b"stall", b"leave", b"finish")[place % 4] + b"\n" + stream
            for place, stream in enumerate([*streams, *streams[::-1]])
        ],
        "answer": [b"\x02" + body for body in bodies],
        "classifier": [*classified()],
        "header_lines": [text.encode() for text in HEADERS],
        "json_schema": [bytes(dice.randrange(256) for _ in range(dice.randrange(4, 60))) for _ in range(40)],
        "wanted_type": [bytes([kind]) + text.encode() for kind, text in enumerate(ANSWERS * 3)],
        "documented": [text.encode() for text in (GOOGLE, NUMPY, SPHINX, "One line.", "Note: no\n\nArgs:\n  a: b\n c")],
    }


def main() -> None:
    """Write the seeds into the corpus."""
    for name, inputs in seeds().items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main()
