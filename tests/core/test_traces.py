"""traces: what was recorded happens again."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from openrouter_core.journal import Answered, Moment
from openrouter_core.outcome import Responded, TimedOut, Unreachable
from openrouter_core.policy import Policy
from openrouter_core.schedule import Attempts, Both, Exponential, Jittered
from openrouter_core.simulate import Reply, chat_job, scripted, simulate
from openrouter_core.traces import read_trace, recorded, rolls_of, write_trace

POLICY = Policy(schedule=Both(Jittered(Exponential(1.0)), Attempts(3)), timeout=9.0)
BUSY = Reply(Responded(503, b'{"error": {"code": 503, "message": "busy"}}'), after=0.25)
GOOD = Reply(Responded(200, b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'), after=1.5)
ARRIVALS = [(0.0, chat_job(POLICY)), (0.5, chat_job(POLICY))]


def test_a_trace_is_played_again_as_it_was() -> None:
    """Bug: a trace without how long answers took, or in which calls' replies are mixed up."""
    silent = Reply(Responded(200, b""), after=99.0)
    told = simulate(ARRIVALS, scripted([BUSY, silent, GOOD]), rolls=itertools.cycle([0.1, 0.9, 0.4]))
    moments = read_trace(write_trace(told.moments))
    assert moments == list(told.moments)
    assert read_trace(write_trace(told.moments).decode()) == moments
    again = simulate(ARRIVALS, recorded(moments), rolls=rolls_of(moments))
    assert again.moments == told.moments
    assert again.results == told.results


def test_what_the_trace_does_not_have_is_said() -> None:
    told = simulate(ARRIVALS[:1], scripted([GOOD]), rolls=itertools.repeat(0.5))
    server = recorded(told.moments)
    assert server(0, 1, 0.0).outcome == GOOD.outcome
    for call, attempt in ((0, 2), (1, 1)):
        lost = server(call, attempt, 0.0).outcome
        assert isinstance(lost, Unreachable)
        assert lost == Unreachable("other", f"the trace has no attempt {attempt} of call {call}")
    assert isinstance(recorded([])(0, 1, 0.0).outcome, Unreachable)


def test_calls_keep_their_numbers_or_else_their_order() -> None:
    """Bug: a trace of a hedged call, whose copies are numbered from 1, or of a client that was older, does not fit."""
    told = simulate(ARRIVALS, scripted([BUSY, GOOD]), rolls=itertools.repeat(0.5))
    one, two = ([m for m in told.moments if m.call == call] for call in (0, 1))
    late = [msgspec.structs.replace(m, call=m.call + 7) for m in (*one, *two)]
    assert recorded(late)(0, 1, 0.0) == recorded(late)(7, 1, 0.0) == BUSY
    assert recorded(late)(8, 2, 0.0) == recorded(late)(1, 2, 0.0) == GOOD


def test_a_trace_may_begin_in_the_middle() -> None:
    told = simulate(ARRIVALS[:1], scripted([Reply(Responded(200, b""), 99.0)]), rolls=itertools.repeat(0.5))
    answered = [moment for moment in told.moments if type(moment.event).__name__ == "Answered"]
    reply = recorded(answered)(0, 1, 0.0)
    assert reply == Reply(TimedOut("attempt", 9.0), 0.0)


def test_a_line_ends_where_json_ends() -> None:
    """Exists for text with Unicode's line separators, which JSON has within its strings."""
    told = Moment(0, 1.0, Answered(Unreachable("other", "a\u2028b"), 0.5))
    assert read_trace(write_trace([told]).decode()) == [told]


def test_what_is_no_trace_is_refused() -> None:
    assert read_trace("\n\n") == []
    with pytest.raises(msgspec.DecodeError):
        read_trace(b'{"call": 1}')
