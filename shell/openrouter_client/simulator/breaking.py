"""Streams of responses, messages and legacy completions that go wrong in the middle, each in its own words. Pure.

A chat's streams go wrong in `sabotage`, in more ways: they are what OpenRouter's docs describe.
"""

from typing import assert_never

import msgspec

from openrouter_client.simulator import replies
from openrouter_client.simulator.answers import Completion
from openrouter_client.simulator.faults import BrokenStream
from openrouter_client.simulator.loose import Json
from openrouter_client.simulator.skins import Skin
from openrouter_client.simulator.streams import DONE, event
from openrouter_client.simulator.wire import COMMENT, Repeat, Reply, Write


def broken(fault: BrokenStream, done: Completion, skin: Skin, seed: int, trouble: Json) -> Reply:
    """The stream of a skin, up to where it breaks; `trouble` is the error as OpenRouter tells it."""
    events = [one for one in skin.events(done, seed) if one != DONE]
    start = [] if fault.at_once else events[: max(1, len(events) // 2)]
    opening = (Write(COMMENT),)
    match fault.shape:
        case "error" | "bare":
            told = [*start, skin.failure(done, trouble)]
        case "alone":
            told = [*start, event({"error": trouble})]
        case "late":  # after all of the text, in place of the last event, which says that all is well
            told = [*events[:-1], skin.failure(done, trouble)]
        case "cut":
            told = start
        case "stall":
            reply = replies.stream_of(done, opening, start)
            return msgspec.structs.replace(reply, steps=(*reply.steps, Repeat(COMMENT, fault.seconds)))
        case "malformed":
            told = [*start, b'data: {"type": "lost\n\n', *events[len(start) :], DONE]
        case "unfinished":
            told = events
        case _:
            assert_never(fault.shape)
    return replies.stream_of(done, opening, [*told, DONE] if fault.done else told)
