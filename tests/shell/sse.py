"""Scripts for the loopback server that answer with an event stream, in packets as a test wants them."""

from __future__ import annotations

import asyncio

from tests.core.streamed import COMMENT
from tests.shell.loopback import Script, Talk

FIELDS = ("Content-Type: text/event-stream", "Transfer-Encoding: chunked", "X-Generation-Id: gen-h")
HEAD = "\r\n".join(("HTTP/1.1 200 OK", *FIELDS, "", "")).encode()
LAST = b"0\r\n\r\n"


def framed(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(*pieces: bytes) -> bytes:
    """A stream in one packet."""
    return HEAD + b"".join(map(framed, pieces)) + LAST


async def apart() -> None:
    """Pause, and let a loop that is late turn often enough for the client to have taken what was said before."""
    await asyncio.sleep(0.005)
    for _ in range(25):
        await asyncio.sleep(0)


def packets(*pieces: bytes, last: bytes = LAST) -> Script:
    """A stream with each piece in a packet of its own, and its end too."""

    async def script(talk: Talk) -> None:
        await talk.say(HEAD)
        for piece in pieces:
            await apart()
            await talk.say(framed(piece))
        await apart()
        await talk.say(last)

    return script


def then_wait(*pieces: bytes) -> Script:
    """The beginning of a stream, and nothing more until the client goes."""

    async def script(talk: Talk) -> None:
        await talk.say(HEAD + b"".join(map(framed, pieces)))
        await talk.gone()

    return script


def then_comments(*pieces: bytes) -> Script:
    """The beginning of a stream, and then comments for ever."""

    async def script(talk: Talk) -> None:
        await talk.say(HEAD + b"".join(map(framed, pieces)))
        leaving = asyncio.ensure_future(talk.gone())
        try:
            while not leaving.done():
                await talk.say(framed(COMMENT))
                await asyncio.wait([leaving], timeout=0.02)
        except ConnectionError:
            await leaving  # it counts who has gone, and may not know yet
        finally:
            leaving.cancel()

    return script


def then_close(*pieces: bytes, polite: bool) -> Script:
    """The beginning of a stream, and the end of the body, or only of the connection."""

    async def script(talk: Talk) -> None:
        await talk.say(HEAD + b"".join(map(framed, pieces)) + LAST * polite)
        talk.hang_up()

    return script


def then_reset(*pieces: bytes) -> Script:
    """The beginning of a stream, and a reset once it has been read."""

    async def script(talk: Talk) -> None:
        await talk.say(HEAD + b"".join(map(framed, pieces)))
        await asyncio.sleep(0.03)
        talk.reset()

    return script
