"""A completion as it goes over the wire when nothing goes wrong. Pure.

An answer that is not streamed begins with keep-alive whitespace, a stream with comments; latency is spread over them.
"""

import msgspec

from openrouter_client.simulator.answers import Completion
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.skins import CHAT, Skin
from openrouter_client.simulator.wire import COMMENT, PADDING, Pause, Reply, Step, Write

JSON = ("Content-Type", "application/json")
SSE = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"))


def marked(done: Completion) -> tuple[tuple[str, str], ...]:
    """The header that names the generation; it equals the body's id."""
    return (("X-Generation-Id", done.id),)


def whole(done: Completion, latency: float, skin: Skin = CHAT) -> Reply:
    """The answer in one body, `latency` seconds after its head."""
    return Reply(
        kind="ok",
        headers=(JSON, *marked(done)),
        framing="chunked",
        steps=(*waited(PADDING, done, latency), Write(msgspec.json.encode(skin.body(done)))),
    )


def streamed(done: Completion, seed: int, latency: float, skin: Skin = CHAT) -> Reply:
    """The answer as a stream: half the latency before the first event, half between the events."""
    return stream_of(done, waited(COMMENT, done, latency / 2), skin.events(done, seed), latency / 2)


def stream_of(done: Completion, opening: tuple[Step, ...], events: list[bytes], latency: float = 0.0) -> Reply:
    """A stream of these events after these steps."""
    steps: list[Step] = list(opening)
    for data in events:
        if latency > 0:
            steps.append(Pause(latency / len(events)))
        steps.append(Write(data))
    return Reply(kind="ok", headers=(*SSE, *marked(done)), framing="chunked", steps=tuple(steps))


def waited(sign: bytes, done: Completion, latency: float) -> tuple[Step, ...]:
    """Signs of life, one to four, with the latency spread over them."""
    times = Dice("signs", done.id).whole(1, 4)
    return (Write(sign), Pause(latency / times)) * times if latency > 0 else (Write(sign * times),)
