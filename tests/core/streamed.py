"""Streams as bytes, in the manner of what OpenRouter sends, with everything odd that was seen in the wild."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"
COMMENT = b": OPENROUTER PROCESSING\n\n"
USAGE: dict[str, Any] = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "cost": 0.0002}


def event(body: Any) -> bytes:
    """One event, in the bytes that OpenRouter would send."""
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def chunk(*choices: dict[str, Any], **fields: Any) -> bytes:
    """One chunk; `fields` stand beside the choices."""
    head = {"id": "gen-7-abc", "object": "chat.completion.chunk", "created": 7, "model": "m/x", "provider": "Prov"}
    return event({**head, "choices": list(choices), **fields})


def piece(content: str | None = "", finish: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    """One choice of a chunk."""
    said = {"role": "assistant", "content": content, **delta}
    return {"index": index, "delta": said, "finish_reason": finish, "native_finish_reason": finish}


def said(*texts: str) -> bytes:
    """A chunk for each text."""
    return b"".join(chunk(piece(text)) for text in texts)


def ended(finish: str = "stop", *, repeated: bool = True) -> bytes:
    """The finish_reason, the usage, which may repeat it or have no choices, and the end mark."""
    return chunk(piece("", finish)) + chunk(*[piece("", finish)] * repeated, usage=USAGE) + DONE


def call(index: int, call_id: str, name: str, *arguments: str) -> bytes:
    """The deltas of a tool call."""
    head = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    tails = [{"index": index, "function": {"arguments": part}} for part in arguments]
    return b"".join(chunk(piece(None, tool_calls=[delta])) for delta in (head, *tails))


def thought(text: str, **more: Any) -> bytes:
    """A delta of reasoning."""
    return chunk(
        piece("", reasoning=text, reasoning_details=[{"type": "reasoning.text", "text": text, "index": 0, **more}])
    )


WHOLE: dict[str, bytes] = {
    "plain": said("It ", "will", " rain.") + ended(),
    "usage without choices": said("yes") + ended(repeated=False),
    "usage with a null reason": said("yes") + chunk(piece("", "stop")) + chunk(piece(""), usage=USAGE) + DONE,
    "usage in the chunk of the reason": said("yes") + chunk(piece("", "length"), usage=USAGE) + DONE,
    "usage at the beginning as well": chunk(piece(""), usage={"prompt_tokens": 9}) + said("a", "b") + ended(),
    "usage in every chunk": b"".join(chunk(piece(text), usage=USAGE) for text in "ab") + ended(),
    "no usage at all": said("yes") + chunk(piece("", "stop")) + DONE,
    "no end mark": said("yes") + ended().removesuffix(DONE),
    "no last blank line": said("yes") + ended().rstrip(b"\n"),
    "no end mark, no last blank line": said("yes") + ended().removesuffix(DONE).rstrip(b"\n"),
    "no usage, no last blank line": said("yes") + chunk(piece("", "stop")) + DONE.rstrip(b"\n"),
    "comments": COMMENT * 3 + said("a") + COMMENT + said("b") + b":\n\n" + ended(),
    "carriage returns": (said("a", "b") + COMMENT + ended()).replace(b"\n", b"\r\n"),
    "only carriage returns": (b"\xef\xbb\xbf" + said("a", "b") + ended()).replace(b"\n", b"\r"),
    "no space after the colon": (said("a") + ended()).replace(b"data: ", b"data:"),
    "white space after the mark": said("a") + ended().removesuffix(DONE) + b"data: [DONE]  \n\n",
    "events with names and ids": (said("a") + ended()).replace(b"data", b"event: message\nid: 5\nretry: 9\ndata"),
    "one event in several lines": said("a")
    + b'data: {"choices":[\ndata: {"delta":{"content":"\xc3\xa4"}}\ndata: ]}\n\n' + ended(),
    "events without data": b"data\n\n" + said("a") + b"data: \n\n" + ended(),
    "line separators of Unicode": said("a\u2028b\u2029c\u0085d", "🌧", "e\u0301") + ended(),
    "a choice at a time": chunk(piece("a", index=0), piece("b", index=1))
    + chunk(piece("", "stop", 0)) + chunk(piece("c", None, 1)) + chunk(piece("", "length", 1))
    + chunk(usage=USAGE) + DONE,
    "debug first": chunk(debug={"echo_upstream_body": {"a": 1}}) + said("a") + ended(),
    "tools": call(0, "c1", "f", '{"a"', ":1}") + call(1, "c2", "g", "{}", "\n") + ended("tool_calls"),
    "thoughts": thought("hm", format="x") + thought(", so") + thought("", signature="c2ln") + said("yes") + ended(),
    "nothing said": COMMENT + chunk(piece("")) + ended(),
    "a new reason": said("a") + ended("tomorrow"),
}  # fmt: skip
"""Streams that are good answers, each by what is odd about it."""

ERROR: dict[str, Any] = {
    "code": 502,
    "message": "the GPU fell over",
    "metadata": {"error_type": "provider_unavailable"},
}

FAILING: dict[str, bytes] = {
    "in the choice that ends": chunk(piece("", "error"), error=ERROR),
    "without choices": chunk(error=ERROR),
    "without choices, and the end mark": chunk(error=ERROR) + DONE,
    "in the choice": chunk({**piece("", "error"), "error": ERROR}) + DONE,
    "alone": event({"error": ERROR}),
    "alone, no last blank line": event({"error": ERROR}).rstrip(b"\n"),
    "with a code that is a word": chunk(error={**ERROR, "code": "server_error"}),
    "as text": chunk(error="the GPU fell over"),
    "in a chunk that is none": event({"choices": 7, "error": ERROR}),
    "as an event of that name": b"event: error\n" + event({"error": ERROR}),
    "after a reason, with usage": chunk(piece("", "length")) + chunk(piece(""), error=ERROR, usage=USAGE) + DONE,
    "only by the reason": chunk(piece("", "error")) + chunk(piece("", "error"), usage=USAGE) + DONE,
}
"""Ends of streams that fail, each by how it says so."""
