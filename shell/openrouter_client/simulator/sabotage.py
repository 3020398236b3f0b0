"""What a fault makes of a healthy answer: a reply for each kind of fault. Pure.

Faults of streams met by a request without `stream` become the nearest fault of a plain answer, so that one list of
chances serves both.
"""

import gzip
from typing import assert_never

import msgspec
from msgspec import Struct

from openrouter_client.simulator import breaking, envelopes, replies
from openrouter_client.simulator.answers import Completion, body, head, usage
from openrouter_client.simulator.faults import (
    BatchEnds,
    BrokenStream,
    Cut,
    Drip,
    False200,
    Fault,
    Healthy,
    Huge,
    Lost,
    NotAStream,
    Redirect,
    Refusal,
    Silent,
    Slow,
    Unreadable,
)
from openrouter_client.simulator.loose import Json
from openrouter_client.simulator.skins import CHAT, Skin
from openrouter_client.simulator.streams import DONE, chunk, ended, event, said
from openrouter_client.simulator.trouble import FAULTS
from openrouter_client.simulator.wire import COMMENT, PADDING, Drop, Pause, Repeat, Reply, Step, Write, json_reply

_MIB = 1 << 20
_BLOCK = 1 << 16
_MOMENT = 0.05
_CLOUDFLARE = (
    "<!DOCTYPE html>\n<html><head><title>openrouter.ai | {status}: Bad gateway</title></head>\n"
    "<body><h1>Bad gateway</h1><p>Error code {status}</p><p>Cloudflare</p></body></html>\n"
)
_PAGE = "<!DOCTYPE html>\n<html><head><title>One moment</title></head><body><p>Please wait.</p></body></html>\n"


class Scene(Struct, frozen=True, kw_only=True):
    """What a fault finds: the healthy reply, the completion behind it (other endpoints have none), and the time.

    `skin` is how it was asked for; `stream` says that a stream was.
    """

    reply: Reply
    done: Completion | None
    skin: Skin
    stream: bool
    seed: int
    wall: float

    @property
    def model(self) -> str:
        """The slug of the model, for the texts of errors."""
        return self.done.model.id if self.done else "none/none"

    @property
    def provider(self) -> str:
        """The display name of the provider, for the texts of errors."""
        return self.done.model.house.provider if self.done else "Stand-in"


def spoil(fault: Fault, scene: Scene) -> Reply:
    """The reply that this fault makes of the scene's."""
    match fault:
        case Healthy() | BatchEnds():
            return scene.reply
        case Slow(seconds=seconds):
            return _with_steps(scene.reply, (Pause(seconds),))
        case Refusal():
            return _marked(envelopes.refuse(fault, scene.model, scene.provider, scene.wall), scene)
        case Unreadable():
            return _unreadable(fault, scene)
        case Huge():
            return _huge(fault, scene)
        case False200():
            return _false200(fault, scene)
        case Drip(seconds=seconds, times=times):
            drops = Repeat(b"\n" if scene.stream else b" ", seconds, times)
            return _with_steps(scene.reply, (drops,))
        case Silent():
            return Reply(kind="", status=None, steps=(Repeat(b"", 60.0),))
        case Lost(reset=reset):
            return Reply(kind="", status=None, steps=(Drop(reset),))
        case Cut():
            return _cut(fault, scene.reply)
        case Redirect(status=status, location=location):
            return Reply(kind="", status=status, headers=(("Location", location),))
        case BrokenStream() | NotAStream() if not scene.stream:
            return spoil(FAULTS[fault.plainly], scene)
        case BrokenStream(plainly=plainly):
            return spoil(FAULTS[plainly], scene) if scene.done is None else _broken(fault, scene, scene.done)
        case NotAStream():
            return _unreadable(Unreadable(body="html"), scene) if fault.body == "html" else _error_only(502, scene)
        case _:
            assert_never(fault)


def error(code: int | str, scene: Scene) -> Json:
    """The error object that a 200 or a chunk carries."""
    kinds = {
        429: "rate_limit_exceeded",
        "429": "rate_limit_exceeded",
        400: "token_limit_exceeded",
        502: "provider_unavailable",
    }
    metadata: Json = {"provider_name": scene.provider, "raw": "upstream error, as scripted"}
    if code in kinds:
        metadata["error_type"] = kinds[code]
    return {"message": "Provider returned error", "code": code, "metadata": metadata}


def _with_steps(reply: Reply, steps: tuple[Step, ...]) -> Reply:
    framing = "chunked" if any(isinstance(step, Repeat) for step in steps) else reply.framing
    return msgspec.structs.replace(reply, steps=steps + reply.steps, framing=framing)


def _marked(reply: Reply, scene: Scene) -> Reply:
    headers = reply.headers + (replies.marked(scene.done) if scene.done else ())
    return msgspec.structs.replace(reply, headers=headers)


def _data(reply: Reply) -> bytes:
    return b"".join(step.data for step in reply.steps if isinstance(step, Write))


def _unreadable(fault: Unreadable, scene: Scene) -> Reply:
    data = _data(scene.reply)
    kind, content = {
        "html": ("text/html; charset=utf-8", _PAGE.encode()),
        "cloudflare": ("text/html; charset=UTF-8", _CLOUDFLARE.replace("{status}", str(fault.status)).encode()),
        "empty": ("application/json", b""),
        "text": ("text/plain; charset=utf-8", b"upstream connect error or disconnect/reset before headers"),
        "badjson": ("application/json", data[: _middle(data)]),
        "wrong-shape": ("application/json", b'["this", "is", "not", "a", "completion"]'),
    }[fault.body]
    reply = Reply(kind="", status=fault.status, headers=(("Content-Type", kind),), steps=(Write(content),))
    return reply if fault.body == "cloudflare" else _marked(reply, scene)


def _middle(data: bytes) -> int:
    """A place in the middle of what the bytes say, past any whitespace they begin with."""
    start = len(data) - len(data.lstrip())
    return start + (len(data) - start) // 2


def _cut(fault: Cut, reply: Reply) -> Reply:
    data = _data(reply)
    # A reset overtakes what was sent just before it; the client has to see the beginning of the body first.
    end: tuple[Step, ...] = (Pause(_MOMENT), Drop(reset=True)) if fault.reset else (Drop(),)
    steps = (Write(data[: _middle(data)]), *end)
    length = len(data) if fault.framing == "length" else None
    return msgspec.structs.replace(reply, framing=fault.framing, length=length, steps=steps)


def _huge(fault: Huge, scene: Scene) -> Reply:
    if scene.done is None:
        return scene.reply
    mark = "@filler@"
    done = msgspec.structs.replace(scene.done, content=mark, tool_calls=())
    data = event(chunk(done, {"content": mark})) if scene.stream else msgspec.json.encode(body(done))
    start, _, end = data.partition(mark.encode())
    blocks = max(1, round(fault.mebibytes * _MIB / _BLOCK))
    headers = scene.reply.headers
    if not fault.compressed:
        steps = (Write(start), Repeat(b"a" * _BLOCK, 0.0, blocks), Write(end))
        return Reply(kind="", headers=headers, framing="chunked", steps=steps)
    small = gzip.compress(start + b"a" * (_BLOCK * blocks) + end, compresslevel=6, mtime=0)
    return Reply(kind="", headers=(*headers, ("Content-Encoding", "gzip")), steps=(Write(small),))


def _error_only(code: int | str, scene: Scene) -> Reply:
    padding = (Write(PADDING * 2),)
    return _marked(
        json_reply("", 200, {"error": error(code, scene), "user_id": "user_simulator"}, steps=padding), scene
    )


def _false200(fault: False200, scene: Scene) -> Reply:
    done = scene.done
    if done is None or (fault.shape == "error-only" and not scene.stream):
        return _error_only(fault.code, scene)
    if fault.shape == "no-content":
        empty = msgspec.structs.replace(
            done, content="", reasoning="", tool_calls=(), ending=0, completion_tokens=0, reasoning_tokens=0
        )
        return replies.streamed(empty, scene.seed, 0.0) if scene.stream else replies.whole(empty, 0.0)
    made = _hollow(fault, scene, done)
    if scene.stream:
        return replies.stream_of(done, (Write(COMMENT),), [event(made), DONE])
    return json_reply("", 200, made, replies.marked(done), (Write(PADDING * 2),))


def _hollow(fault: False200, scene: Scene, done: Completion) -> Json:
    trouble = error(fault.code, scene)
    start = head(done, "chat.completion.chunk" if scene.stream else "chat.completion")
    match fault.shape:
        case "no-choices":
            return {**start, "choices": [], "usage": usage(done)}
        case "choice-error":
            partial = {"role": "assistant", "content": done.content[: len(done.content) // 2]}
            choice = {"index": 0, "finish_reason": "error", "native_finish_reason": "error", "error": trouble}
            return {**start, "choices": [{**choice, "delta" if scene.stream else "message": partial}]}
        case "null-choices":
            return {**start, "choices": None, "error": trouble}
        case _:
            return {"error": trouble, "user_id": "user_simulator"}


def _broken(fault: BrokenStream, scene: Scene, done: Completion) -> Reply:
    if scene.skin is not CHAT:
        return breaking.broken(fault, done, scene.skin, scene.seed, error(fault.code, scene))
    pieces = said(done, scene.seed)
    kept = [] if fault.at_once else pieces[: max(1, len(pieces) // 2)]
    start = list(map(event, kept))
    trouble = error(fault.code, scene)
    opening = (Write(COMMENT),)
    match fault.shape:
        case "error":
            events = [*start, event({**chunk(done, {}, "error", "error"), "error": trouble})]
        case "bare":
            events = [*start, event({**head(done, "chat.completion.chunk"), "choices": [], "error": trouble})]
        case "alone":
            events = [*start, event({"error": trouble})]
        case "late":
            last = {**chunk(done, {}), "error": trouble, "usage": usage(done)}
            events = [*map(event, pieces), event(chunk(done, {}, "length", "length")), event(last)]
        case "cut":
            events = start
        case "stall":
            reply = replies.stream_of(done, opening, start)
            return msgspec.structs.replace(reply, steps=(*reply.steps, Repeat(COMMENT, fault.seconds)))
        case "malformed":
            rest = [*pieces[len(kept) :], *ended(done)]
            broken = event(chunk(done, {"content": "lost"}))
            events = [*start, broken[: len(broken) // 2] + b"\n\n", *map(event, rest), DONE]
        case "unfinished":
            events = list(map(event, [*pieces, *ended(done)]))
        case _:
            assert_never(fault.shape)
    return replies.stream_of(done, opening, [*events, DONE] if fault.done else events)
