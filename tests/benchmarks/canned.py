"""What the benchmarks ask and what is answered: bytes that are made once, and what a right answer must say."""

from __future__ import annotations

import json

PROMPT = "Will the wheat harvest be larger next year than this year? Weigh the evidence step by step. " * 6
"""A prompt of about 570 bytes."""

TEXT = "The acreage is larger, the soil is wetter than last year, and prices favour planting. " * 8
"""An answer of about 690 characters."""

PIECE = " twelve chars"
"""The text of one streamed chunk."""

MODEL = "x-ai/grok-4"

ANSWER = json.dumps(
    {
        "id": "gen-1790000000-AbCdEfGhIjKlMnOp",
        "provider": "xAI",
        "model": MODEL,
        "object": "chat.completion",
        "created": 1790000000,
        "system_fingerprint": "fp_156d35dcaa",
        "choices": [
            {
                "logprobs": None,
                "finish_reason": "stop",
                "native_finish_reason": "stop",
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None, "reasoning": None},
            }
        ],
        "usage": {
            "prompt_tokens": 140,
            "completion_tokens": 120,
            "total_tokens": 260,
            "cost": 0.00125,
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "cost_details": {"upstream_inference_cost": None},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
).encode()

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Thu, 01 Oct 2026 10:00:00 GMT\r\n"
    b"Content-Type: %s\r\n"
    b"%s\r\n"
    b"Connection: keep-alive\r\n"
    b"CF-RAY: 8f0a1b2c3d4e5f60-AMS\r\n"
    b"Access-Control-Allow-Origin: *\r\n"
    b"X-Generation-Id: gen-1790000000-AbCdEfGhIjKlMnOp\r\n"
    b"Server: cloudflare\r\n"
    b"\r\n"
)
"""A head as it comes through a content delivery network: its type, and how its length is told, are to be filled in."""

WHOLE = HEAD % (b"application/json", b"Content-Length: %d" % len(ANSWER)) + ANSWER
"""The bytes of an answer in one piece."""


def event(**fields: object) -> bytes:
    """Write one chunk of a stream as an event in an HTTP chunk of its own."""
    common = {
        "id": "gen-1790000000-AbCdEfGhIjKlMnOp",
        "provider": "xAI",
        "model": MODEL,
        "object": "chat.completion.chunk",
        "created": 1790000000,
    }
    return framed(b"data: " + json.dumps(common | fields, separators=(",", ":")).encode() + b"\n\n")


def framed(data: bytes) -> bytes:
    """Write an HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


STREAM_HEAD = HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked")

CHUNK = event(
    choices=[{"index": 0, "delta": {"role": "assistant", "content": PIECE}, "finish_reason": None, "logprobs": None}]
)
"""A chunk of about 250 bytes that carries a piece of text."""

STREAM_END = (
    event(
        choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}],
        usage={"prompt_tokens": 140, "completion_tokens": 120, "total_tokens": 260, "cost": 0.00125},
    )
    + framed(b"data: [DONE]\n\n")
    + b"0\r\n\r\n"
)
"""The end of a stream: a finish_reason, the usage, the end mark."""
