"""What goes over the wire, as data: a reply is a head and a list of steps. Pure; `server` carries it out."""

import msgspec
from msgspec import Struct

PADDING = b"\n         \n"
"""The keep-alive whitespace that OpenRouter sends before a body that is not a stream."""

COMMENT = b": OPENROUTER PROCESSING\n\n"
"""The comment that OpenRouter sends into a stream while the model has nothing to say."""


class Write(Struct, frozen=True):
    """Send these bytes."""

    data: bytes


class Pause(Struct, frozen=True):
    """Send nothing for so many seconds."""

    seconds: float


class Repeat(Struct, frozen=True):
    """Send these bytes every so many seconds, `times` times; without `times` for ever."""

    data: bytes
    every: float
    times: int | None = None


class Drop(Struct, frozen=True):
    """End the connection here, whatever the head promised: with a FIN, or with a RST."""

    reset: bool = False


Step = Write | Pause | Repeat | Drop


class Reply(Struct, frozen=True, kw_only=True):
    """An answer. No status means: the steps happen on the bare connection, with no HTTP before them.

    framing: "length" (Content-Length, by default that of all the written bytes), "chunked", or "close" (the end of
    the connection is the end of the body).
    kind names the answer in `Simulator.counts`.
    """

    kind: str
    status: int | None = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: str = "length"
    length: int | None = None
    steps: tuple[Step, ...] = ()


def written(steps: tuple[Step, ...]) -> int:
    """How many bytes the steps send, those that repeat for ever left out."""
    total = 0
    for step in steps:
        match step:
            case Write(data=data):
                total += len(data)
            case Repeat(data=data, times=times) if times is not None:
                total += len(data) * times
            case _:
                pass
    return total


def json_reply(
    kind: str, status: int, body: object, headers: tuple[tuple[str, str], ...] = (), steps: tuple[Step, ...] = ()
) -> Reply:
    """A JSON answer with a length; `steps` come before its body."""
    return Reply(
        kind=kind,
        status=status,
        headers=(("Content-Type", "application/json"), *headers),
        steps=(*steps, Write(msgspec.json.encode(body))),
    )
