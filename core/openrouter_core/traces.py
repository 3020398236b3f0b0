"""Recorded moments as a server: what attempts met once, they meet again, after as long.

moments = read_trace(Path("trace.jsonl").read_bytes())
timeline = simulate([(0.0, chat_job(policy))], recorded(moments), rolls=rolls_of(moments))
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from openrouter_core.journal import Answered, Moment, Sent
from openrouter_core.outcome import Unreachable
from openrouter_core.simulate import Reply, Server

_DECODER = msgspec.json.Decoder(Moment)


def read_trace(text: bytes | str) -> list[Moment]:
    """Read moments, a line of JSON each; raises msgspec.DecodeError for what is none."""
    lines = (text.encode() if isinstance(text, str) else text).splitlines()
    return [_DECODER.decode(line) for line in lines if line.strip()]


def write_trace(moments: Iterable[Moment]) -> bytes:
    """Write moments, a line of JSON each. What the server said is in them, and so may be what it was asked."""
    return b"".join(msgspec.json.encode(moment) + b"\n" for moment in moments)


def recorded(moments: Iterable[Moment]) -> Server:
    """Make a server that answers the n-th call as the trace's n-th call was answered, attempt by attempt.

    Calls have the numbers that they had in the trace, or, where those began later, come in the same order. An attempt
    that the trace does not have is told so, as an `Unreachable`.
    """
    replies: dict[int, list[Reply]] = {}
    sent: dict[int, float] = {}
    for moment in moments:
        known = replies.setdefault(moment.call, [])
        match moment.event:
            case Sent():
                sent[moment.call] = moment.at
            case Answered(outcome=outcome):
                known.append(Reply(outcome, moment.at - sent.get(moment.call, moment.at)))
            case _:
                pass
    calls = [replies[number] for number in sorted(replies)]

    def server(call: int, attempt: int, _now: float) -> Reply:
        known = replies[call] if call in replies else calls[call] if call < len(calls) else []
        if attempt <= len(known):
            return known[attempt - 1]
        return Reply(Unreachable("other", f"the trace has no attempt {attempt} of call {call}"))

    return server


def rolls_of(moments: Iterable[Moment]) -> list[float]:
    """Give the dice that were thrown, in their order."""
    return [moment.event.roll for moment in moments if isinstance(moment.event, Answered)]
