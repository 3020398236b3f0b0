"""The tool loop: it always ends, answers every call once, and loses nothing of what the model said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from openrouter_core.tool import Tool
from openrouter_core.tool_loop import (
    Ask,
    Execute,
    Finished,
    LoopLimits,
    ToolOutcome,
    ToolRun,
    added,
    answered,
    begin,
    bounded,
    executed,
)
from openrouter_core.wire.message import ChatMessage, FunctionCall, ToolCall
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import (
    ChatCompletionResponse,
    Choice,
    PromptTokensDetails,
    ResponseMessage,
    Usage,
)


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


TOOL = Tool.from_function(double).unwrap()
REQUEST = ChatCompletionRequest(messages=[ChatMessage.user("Go")])
DETAILS: list[dict[str, Any]] = [
    {"type": "reasoning.encrypted", "data": "x", "index": 0},
    {"type": "reasoning.text", "text": "t"},
]


def call(number: Any = 1, name: str | None = "double", call_id: str | None = "c1") -> ToolCall:
    return ToolCall(id=call_id, function=FunctionCall(name=name, arguments=f'{{"number": {number}}}'))


def response(*calls: ToolCall, cost: float | None = 0.25, text: str = "") -> ChatCompletionResponse:
    message = ResponseMessage(
        role="assistant", content=text or None, tool_calls=[*calls] or None, reasoning_details=DETAILS
    )
    return ChatCompletionResponse(choices=[Choice(index=0, message=message)], usage=Usage(total_tokens=10, cost=cost))


def start(limits: LoopLimits | None = None, request: ChatCompletionRequest = REQUEST) -> Ask:
    state = begin(request, [TOOL], limits or LoopLimits(), 0.0)
    assert isinstance(state, Ask)
    return state


def play(state: Ask | Execute | Finished, answers: list[ChatCompletionResponse]) -> tuple[ToolRun, int]:
    """Run a loop to its end; what the tools give is told by their ids. Also, how many answers it took."""
    asked = 0
    while not isinstance(state, Finished):
        if isinstance(state, Ask):
            state = answered(state, answers[asked % len(answers)], float(asked))
            asked += 1
        else:
            state = executed(state, [ToolOutcome(id=use.id, content=f"done {use.id}") for use in state.calls], asked)
    return state.run, asked


CALLS = st.builds(
    call,
    st.sampled_from([1, '"x"', ""]),
    st.sampled_from(["double", "unknown", "", None]),
    st.sampled_from(["c1", "c2", "call_0_0", "call_0_1", "call_1_0", "", None]),
) | st.just(ToolCall(id="bare"))
ANSWERS = st.builds(
    lambda calls, cost: response(*calls, cost=cost), st.lists(CALLS, max_size=3), st.sampled_from([None, 0.0, 0.25])
) | st.sampled_from([ChatCompletionResponse(), ChatCompletionResponse(choices=[])])
LIMITS = st.builds(
    LoopLimits,
    max_turns=st.integers(-1, 6),
    max_cost=st.none() | st.sampled_from([0.0, 0.5]),
    deadline=st.none() | st.sampled_from([-1.0, 0.0, 3.0]),
)


@given(st.lists(ANSWERS, min_size=1, max_size=4), LIMITS)
def test_it_always_ends_and_answers_every_call_once(answers: list[ChatCompletionResponse], limits: LoopLimits) -> None:
    """Exists for a loop that a model can keep going for ever, and for calls that are dropped or answered twice."""
    run, asked = play(begin(REQUEST, [TOOL], limits, 0.0), answers)
    assert run.turns == asked <= max(1, limits.max_turns)
    assert (run.reason == "answer") == (asked > 0 and not answers[(asked - 1) % len(answers)].tool_calls)
    waiting: list[str | None] = []
    for message in run.messages:
        assert isinstance(message, ChatMessage)
        if message.role == "tool":
            waiting.remove(message.tool_call_id)
        else:
            assert not waiting
            waiting = [one.id for one in message.tool_calls or () if isinstance(one, ToolCall)]
            assert all(waiting)
            assert len(set(waiting)) == len(waiting)
    assert not waiting or run.reason != "answer"


def test_a_conversation() -> None:
    run, _ = play(start(), [response(call(2)), response(text="Four.")])
    assert (run.reason, run.text, run.turns, run.cost) == ("answer", "Four.", 2, 0.5)
    assert run.usage == Usage(total_tokens=20, cost=0.5)
    assert run.messages == (
        ChatMessage.user("Go"),
        ChatMessage(role="assistant", tool_calls=[call(2)], reasoning_details=DETAILS),
        ChatMessage.tool("done c1", tool_call_id="c1"),
        ChatMessage(role="assistant", content="Four.", reasoning_details=DETAILS),
    )
    assert run.outcomes == (ToolOutcome(id="c1", content="done c1"),)


def test_ids_that_are_made_up_are_those_of_no_other_call() -> None:
    """Exists for a second call under an id that was given: its result would be told as the first one's."""
    state = answered(start(), response(call(1, call_id=None), call(2, call_id="call_0_0"), call(3, call_id="")), 0.0)
    assert isinstance(state, Execute)
    assert [use.id for use in state.calls] == ["call_0_1", "call_0_0", "call_0_2"]


def test_calls_to_run_come_with_their_arguments() -> None:
    state = answered(start(), response(call(2), call(3, call_id="c2")), 0.0)
    assert isinstance(state, Execute)
    assert [(use.id, use.tool, use.arguments) for use in state.calls] == [
        ("c1", TOOL, {"number": 2}),
        ("c2", TOOL, {"number": 3}),
    ]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (call('"x"'), "the arguments are wrong at $.number: Expected `int`, got `str`"),
        (call(""), "the arguments are wrong: "),
        (call(name="halve"), "there is no tool 'halve'; the tools are: double"),
        (ToolCall(id="c1"), "there is no tool None"),
    ],
)
def test_what_is_wrong_with_a_call_is_told_to_the_model(bad: ToolCall, told: str) -> None:
    """It is asked again at once where nothing is left to run; else the others run first, and the order is kept."""
    again = answered(start(), response(bad), 0.0)
    assert isinstance(again, Ask)
    assert again.request.messages
    last = again.request.messages[-1]
    assert isinstance(last, ChatMessage)
    assert told in str(last.content)
    mixed = answered(start(), response(bad, call(3, call_id="c2")), 0.0)
    assert isinstance(mixed, Execute)
    after = executed(mixed, [ToolOutcome(id="c2", content="6")], 0.0)
    assert isinstance(after, Ask)
    assert [outcome.failed for outcome in after.progress.outcomes] == [True, False]


def test_the_model_is_told_what_tools_there_are() -> None:
    other = Tool.from_function(double, name="count").unwrap()
    for tools, names in (([], "none"), ([TOOL, other], "count, double")):
        state = begin(REQUEST, tools, LoopLimits(), 0.0)
        assert isinstance(state, Ask)
        again = answered(state, response(call(name="halve")), 0.0)
        assert isinstance(again, Ask)
        told = f'{{"error":"there is no tool \'halve\'; the tools are: {names}"}}'
        assert again.progress.outcomes == (ToolOutcome("c1", told, failed=True),)


def test_a_call_without_arguments_has_none() -> None:
    tool = Tool.from_function(lambda: "now", name="now").unwrap()
    state = begin(REQUEST, [tool], LoopLimits(), 0.0)
    assert isinstance(state, Ask)
    execute = answered(state, response(ToolCall(id="c1", function=FunctionCall(name="now"))), 0.0)
    assert isinstance(execute, Execute)
    assert execute.calls[0].arguments == {}


def test_a_tool_without_a_result_failed() -> None:
    state = answered(start(), response(call()), 0.0)
    assert isinstance(state, Execute)
    after = executed(state, [], 0.0)
    assert isinstance(after, Ask)
    assert after.progress.outcomes == (ToolOutcome("c1", '{"error":"the tool gave no result"}', failed=True),)


@pytest.mark.parametrize(
    ("limits", "costs", "reason", "turns"),
    [
        (LoopLimits(max_turns=3), [0.25], "max_turns", 3),
        (LoopLimits(max_turns=0), [0.25], "max_turns", 1),
        (LoopLimits(max_cost=0.5), [0.25], "max_cost", 2),
        (LoopLimits(max_cost=0.5), [None], "unknown_cost", 1),
        (LoopLimits(max_cost=0.5), [0.1, None], "unknown_cost", 2),
        (LoopLimits(deadline=2.0), [None], "deadline", 2),
        (LoopLimits(deadline=0.0), [None], "deadline", 0),
    ],
)
def test_limits(limits: LoopLimits, costs: list[float | None], reason: str, turns: int) -> None:
    run, _ = play(begin(REQUEST, [TOOL], limits, 0.0), [response(call(), cost=cost) for cost in costs])
    assert (run.reason, run.turns) == (reason, turns)


def test_the_deadline_may_pass_while_tools_run() -> None:
    state = answered(start(LoopLimits(deadline=1.0)), response(call()), 0.5)
    assert isinstance(state, Execute)
    end = executed(state, [], 1.5)
    assert isinstance(end, Finished)
    assert end.run.reason == "deadline"


def test_nothing_is_run_for_a_turn_that_may_not_be() -> None:
    end = answered(start(LoopLimits(max_turns=1)), response(call()), 0.0)
    assert isinstance(end, Finished)
    late = answered(start(LoopLimits(deadline=1.0)), response(call(name="halve")), 0.5)
    assert isinstance(late, Ask), "what is wrong with a call can be told in time"


def test_nothing_was_asked() -> None:
    run, _ = play(begin(ChatCompletionRequest(), [], LoopLimits(deadline=0.0), 0.0), [response()])
    assert (run.text, run.cost, run.response, run.messages) == ("", None, None, ())


def test_the_first_request() -> None:
    """The request's own tools stay, and a prompt becomes a message."""
    own = {"type": "openrouter:web_search"}
    first = start(request=ChatCompletionRequest(prompt="Go", tools=[own])).request
    assert first.messages == (ChatMessage.user("Go"),)
    assert first.prompt is None
    assert first.tools == [own, TOOL.definition()]


@pytest.mark.parametrize(("choice", "then"), [("required", None), ("auto", "auto"), ("none", "none"), (None, None)])
def test_a_tool_must_be_called_only_once(choice: str | None, then: str | None) -> None:
    """Exists for a loop in which the model is made to call tools until max_turns."""
    request = ChatCompletionRequest(messages=[ChatMessage.user("Go")], tool_choice=choice)
    first = start(request=request)
    assert first.request.tool_choice == choice
    state = answered(first, response(call('"x"')), 0.0)
    assert isinstance(state, Ask)
    assert state.request.tool_choice == then


def test_usage_adds_up() -> None:
    one = Usage(prompt_tokens=1, cost=1.0, is_byok=False, prompt_tokens_details=PromptTokensDetails(cached_tokens=2))
    two = Usage(prompt_tokens=3, cost=0.5, is_byok=True, prompt_tokens_details=PromptTokensDetails(cached_tokens=4))
    assert added(one, two) == Usage(
        prompt_tokens=4, cost=1.5, is_byok=True, prompt_tokens_details=PromptTokensDetails(cached_tokens=6)
    )
    assert added(one, None) == Usage(
        prompt_tokens=1, is_byok=False, prompt_tokens_details=PromptTokensDetails(cached_tokens=2)
    )
    assert added(None, None) is None
    assert added(Usage(total_tokens=3), Usage(prompt_tokens=1, total_tokens=4)) == Usage(
        prompt_tokens=1, total_tokens=7
    )


NO_NUMBERS: list[Any] = [-1, float("nan"), float("inf"), "3", [], True]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_turns", 0),
        ("tool_timeout_secs", 0.0),
        *((field, value) for field in ("max_turns", "max_cost_usd", "tool_timeout_secs") for value in NO_NUMBERS),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_name(field: str, value: Any) -> None:
    """Exists for limits in text, which compare with no number: the loop raised in the middle."""
    given = {"max_turns": 1, "max_cost_usd": 1.0, "tool_timeout_secs": 1.0, field: value}
    limits = LoopLimits(max_turns=given["max_turns"], max_cost=given["max_cost_usd"])
    error = bounded(limits, given["tool_timeout_secs"]).failure()
    assert (error.field, error.value) == (field, repr(value))
    assert error.bound
    assert error.bound in error.message


def test_limits_that_make_sense() -> None:
    for limits in (LoopLimits(), LoopLimits(max_turns=1, max_cost=0), LoopLimits(max_cost=0.5, deadline=3.0)):
        assert bounded(limits, 1) == Success(limits)
