"""The command `predict`: how it asks, what it shows, what it adds up, and how it ends."""

import asyncio
import io
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure, Result, Success
from rich.console import Console

from openrouter_client import cli
from openrouter_client.cli import session
from openrouter_client.cli.options import Reach
from openrouter_client.cli.predict import command
from openrouter_client.cli.predict.asking import Asking
from openrouter_client.cli.predict.boards import Board, JsonBoard
from openrouter_client.cli.predict.command import predict
from openrouter_client.cli.predict.markets import Market
from openrouter_client.cli.predict.report import Heading, Wait, facts, intent, outcome_line, stand_in_notice
from openrouter_client.cli.predict.rows import Call, Failed, NotDone, Predicted, Row, Summary, exit_code, summarise
from openrouter_client.cli.predict.table import TableBoard
from openrouter_client.cli.predict.witness import MISFIT, Witness
from openrouter_client.cli.spending import usages_in
from openrouter_client.simulator import Simulator
from openrouter_core.errors import DataSourceError, ProviderError, RateLimited
from openrouter_core.journal import Answered, Event, Moment, Sent, Slept
from openrouter_core.outcome import Responded
from openrouter_core.question import Question, ask, read
from openrouter_core.typed import Parsed
from openrouter_core.wire.attempt import Attempt
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "markets.jsonl"

type_of_row = msgspec.json.Decoder(Predicted | Failed | NotDone | Summary)


def markets(count: int) -> list[Market]:
    return [
        Market(
            id=f"m{n}",
            question=f"Will it rain on day {n}, and for longer than a question of this length may be on one line?",
            description="",
            yes_price=0.4,
            no_price=0.62,
            volume_24h=1.0,
            liquidity=1.0,
            hours_to_resolution=1.0 + n,
        )
        for n in range(count)
    ]


def answer(text: str = "", **changes: Any) -> ChatCompletionResponse:
    told = {"prediction": "yes", "confidence": 0.7, "reasoning": "clouds", "target_price": 0.55} | changes
    message = ResponseMessage(role="assistant", content=text or json.dumps(told))
    usage = Usage(prompt_tokens=300, completion_tokens=50, cost=0.001)
    return ChatCompletionResponse(id="gen-1", model="x/y", choices=[Choice(message=message)], usage=usage)


ERROR = ProviderError(
    message="upstream hung up", status=503, attempts=(Attempt(number=1, started=0, ended=1, outcome="HTTP 503"),)
)


class Notes(Board):
    """A board that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def asked(self, index: int) -> None:
        self.told.append(("asked", index))

    def waiting(self, index: int, wait: Wait) -> None:
        self.told.append(("waiting", index, wait))

    def sending(self, index: int, attempt: int) -> None:
        self.told.append(("sending", index, attempt))

    def finished(self, row: Row) -> None:
        self.told.append(("finished", row.row))


T = TypeVar("T")
Given = Result[ChatCompletionResponse, DataSourceError]


class Fake:
    """A client whose calls are retried a seeded number of times, and which counts how many are under way."""

    def __init__(
        self, results: Callable[[int], Given], seed: int = 0, witness: Witness | None = None, turns: int = 6
    ) -> None:
        self.results = results
        self.dice = random.Random(seed)
        self.turns = turns
        self.witness = witness
        self.under_way = 0
        self.most = 0
        self.prompts: list[str] = []

    def tell(self, event: Event) -> None:
        if self.witness is not None:
            self.witness(Moment(0, 0.0, event))

    async def chat_completion_as(
        self, wanted: type[T], request: ChatCompletionRequest, *, repair: int = 0
    ) -> Result[Parsed[T], DataSourceError]:
        question: Question[T] | Parsed[T] = ask(wanted, request, repair).unwrap()
        while isinstance(question, Question):
            answer = await self.chat_completion(question.request)
            if isinstance(answer, Failure):
                return answer
            got = read(question, answer.unwrap())
            if isinstance(got, Failure):
                return got
            question = got.unwrap()
        return Success(question)

    async def chat_completion(self, request: ChatCompletionRequest) -> Given:
        number = len(self.prompts)
        self.prompts.append(str(request.messages))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            turns = self.dice.randrange(self.turns)
            for turn in range(turns):
                self.tell(Sent(turn + 1, 4, 60.0))
                await asyncio.sleep(0)
                self.tell(Slept(turn + 1, 4, 1.0, RateLimited(message=request_day(request), status=429)))
            self.tell(Sent(turns + 1, 4, 60.0))
            self.tell(Answered(Responded(200, msgspec.json.encode(self.results(number).value_or(None))), 0.0))
            return self.results(number)
        finally:
            self.under_way -= 1


def request_day(request: ChatCompletionRequest) -> str:
    return str(request.messages).partition("rain on day ")[2].partition(",")[0]


async def run(
    client: Any, asked: Sequence[Market], board: Any, concurrency: int, witness: Witness | None = None
) -> list[Row]:
    return await Asking(client, asked, model=None, board=board, witness=witness or Witness(board)).all(concurrency)


# ---------------------------------------------------------------------------------------------------- asking


@given(st.integers(0, 12), st.integers(1, 15), st.integers(0, 999))
def test_rows_come_back_in_order_and_no_more_calls_are_under_way_than_allowed(
    count: int, width: int, seed: int
) -> None:
    """For the bugs of `gather` without a bound, of one call too many, and of rows in the order of their ends."""
    fake, board = Fake(lambda number: Success(answer()) if number % 3 else Failure(ERROR), seed), Notes()
    rows = asyncio.run(run(fake, markets(count), board, width))
    assert [row.id for row in rows] == [f"m{n}" for n in range(count)]
    assert [row.row for row in rows] == list(range(1, count + 1))
    assert fake.most <= width
    assert len(fake.prompts) == count
    assert sorted(told[1] for told in board.told if told[0] == "finished") == list(range(1, count + 1))  # type: ignore[type-var] # a note holds anything


@given(st.integers(1, 10), st.integers(1, 10), st.integers(0, 999))
def test_retries_are_told_of_the_row_that_they_belong_to(count: int, width: int, seed: int) -> None:
    """For the bug of one "current row" for all workers: calls are under way together, and the hook is one."""
    board = Notes()
    witness = Witness(board)
    rows = asyncio.run(run(Fake(lambda _: Success(answer()), seed, witness), markets(count), board, width, witness))
    waits = [(told[1], told[2].reason) for told in board.told if told[0] == "waiting" and isinstance(told[2], Wait)]
    assert all(reason == f"429 RateLimited: {index}" for index, reason in waits)
    retried = [len(row.call.retried) for row in rows if isinstance(row, Predicted)]
    assert sum(retried) == len(waits)


def test_a_hook_outside_of_any_row_is_ignored() -> None:
    board = Notes()
    Witness(board)(Moment(0, 0.0, Sent(1, 4, 60.0)))
    assert board.told == []


async def test_cancelling_gives_the_rows_that_are_there() -> None:
    class Hanging(Fake):
        both = asyncio.Event()

        async def chat_completion(self, request: ChatCompletionRequest) -> Given:
            if request_day(request) in {"0", "2"}:
                return Success(answer())
            self.under_way += 1
            if self.under_way == 2:
                self.both.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.under_way -= 1
            return Failure(ERROR)

    fake, board = Hanging(lambda _: Success(answer())), Notes()
    task = asyncio.create_task(run(fake, markets(6), board, 2))
    await fake.both.wait()
    task.cancel()
    rows = await task
    assert fake.under_way == 0
    assert [type(row) for row in rows] == [Predicted, NotDone, Predicted, NotDone, NotDone, NotDone]
    assert [row.asked for row in rows if isinstance(row, NotDone)] == [True, True, False, False]
    summary = summarise(rows, 1.0, stand_in=False)
    assert (summary.exit_code, summary.not_done, summary.cut_off) == (130, 4, 2)
    assert "interrupted: 2 calls cut off, which may be billed, 2 never asked" in dict(facts(summary))["rows"]


async def test_when_nobody_reads_on_nobody_pays_on() -> None:
    class Gone(Notes):
        def finished(self, row: Row) -> None:
            raise BrokenPipeError(row.row)

    fake = Fake(lambda _: Success(answer()))
    rows = await run(fake, markets(20), Gone(), 2)
    assert len(fake.prompts) < 5
    assert sum(isinstance(row, NotDone) and not row.asked for row in rows) > 15


async def told_by(answers: Sequence[Given], count: int) -> tuple[list[Row], Notes]:
    """Rows whose calls are answered in this order, with no retries but repairs."""
    notes = Notes()
    witness = Witness(notes)
    fake = Fake(lambda number: answers[number], witness=witness, turns=1)
    return await run(fake, markets(count), notes, 1, witness), notes


async def test_a_wrong_answer_is_asked_for_again_and_both_are_paid_for() -> None:
    """For the bug of counting only the cost of the answer that was right in the end."""
    (row,), notes = await told_by([Success(answer(confidence=2)), Success(answer())], 1)
    assert isinstance(row, Predicted)
    assert (row.call.attempts, row.call.retried) == (2, (MISFIT,))
    assert row.call.cost_usd == pytest.approx(0.002)
    assert row.call.prompt_tokens == 600
    assert [told[0] for told in notes.told] == ["asked", "sending", "waiting", "sending", "finished"]
    summary = summarise([row], 1.0, stand_in=False)
    assert (summary.attempts, summary.retries, summary.recovered) == (2, 1, 1)


async def test_an_answer_that_is_no_prediction_is_a_failure_that_was_paid_for() -> None:
    cut = msgspec.structs.replace(
        answer("Well, {"), choices=[Choice(finish_reason="length", message=ResponseMessage(content="Well, {"))]
    )
    refusal = ResponseMessage(content=None, refusal="not my business")
    refused = msgspec.structs.replace(answer(), choices=[Choice(message=refusal)])
    wrong = answer(confidence=2)
    rows, _ = await told_by([Success(one) for one in (cut, cut, refused, refused, wrong, wrong)], 3)
    errors = [row.error for row in rows if isinstance(row, Failed) and row.kind == "ParseError"]
    assert "cut off" in errors[0]
    assert "not my business" in errors[1]
    assert "$.confidence" in errors[2]
    summary = summarise(rows, 1.0, stand_in=False)
    assert (summary.exit_code, summary.failed, summary.rows_without_cost) == (3, 3, 0)
    assert summary.cost_usd == pytest.approx(0.006)
    assert summary.models == {"x/y": 3}


async def test_a_repair_that_fails_otherwise_does_not_hide_what_the_wrong_answer_cost() -> None:
    (row,), _ = await told_by([Success(answer("no")), Failure(ERROR)], 1)
    assert isinstance(row, Failed)
    assert (row.kind, row.call.attempts, row.call.cost_usd) == ("ProviderError", 2, 0.001)


async def test_a_failure_says_why_in_one_line() -> None:
    (row,), _ = await told_by([Failure(ERROR)], 1)
    assert isinstance(row, Failed)
    assert (row.kind, row.call.attempts, row.call.cost_usd) == ("ProviderError", 1, None)
    assert row.error == str(ERROR)
    assert "\n" not in row.error


def test_bytes_that_are_no_answer_do_not_trouble_the_witness() -> None:
    for body in (b"", b"<html>", b"[1]", b'{"usage": {"cost": "much"}}', b"\xff", b'{"usage": "\xff"}'):
        assert usages_in(body) == []


# ------------------------------------------------------------------------------------------------- adding up

calls = st.builds(
    lambda retried, cost: Call(attempts=len(retried) + 1, retried=tuple(retried), latency_secs=1.0, cost_usd=cost),
    st.lists(st.sampled_from(["503 ProviderError", "Timeout"]), max_size=3),
    st.none() | st.floats(0.0, 1.0),
)


def row_of(n: int, kind: str, side: Any, edge: float, call: Call) -> Row:
    named: Any = {"row": n, "id": f"m{n}", "question": "Q", "yes_price": 0.5, "no_price": 0.5}
    match kind:
        case "predicted":
            return Predicted(
                **named, prediction=side, confidence=0.5, target_price=0.5, edge=edge, reasoning="", call=call
            )
        case "failed":
            return Failed(**named, kind="E", error="e", call=call)
        case _:
            return NotDone(**named, asked=edge > 0.0, retried=call.retried if edge > 0.0 else ())


kinds = st.sampled_from(["predicted", "failed", "not done"])
row_lists = st.lists(
    st.tuples(kinds, st.sampled_from(["yes", "no", "hold"]), st.floats(-1.0, 1.0), calls), max_size=12
).map(lambda found: [row_of(n, *one) for n, one in enumerate(found, start=1)])


@given(row_lists)
def test_the_sums_add_up(rows: list[Row]) -> None:
    """For the bugs of counting a failed row's retries as recovered, or an unknown cost as free."""
    summary = summarise(rows, 2.0, stand_in=True)
    assert summary.markets == summary.predicted + summary.failed + summary.not_done == len(rows)
    assert summary.yes + summary.no + summary.hold == summary.predicted
    assert sum(summary.retried.values()) == summary.retries
    assert summary.attempts == summary.retries + summary.predicted + summary.failed + summary.cut_off
    assert summary.recovered <= min(summary.retries, summary.predicted)
    known = [row.call.cost_usd for row in rows if not isinstance(row, NotDone) and row.call.cost_usd is not None]
    assert summary.cost_usd == pytest.approx(sum(known))
    assert summary.rows_without_cost == summary.predicted + summary.failed - len(known)
    edges = [best.edge for best in summary.best]
    assert edges == sorted(edges, reverse=True)
    assert all(edge > 0.0 for edge in edges)
    assert all("\n" not in words for _, words in facts(summary))


@given(row_lists)
def test_json_lines_are_in_order_and_read_back(rows: list[Row]) -> None:
    out, notes = io.StringIO(), io.StringIO()
    board, summary = JsonBoard(out, notes), summarise(rows, 2.0, stand_in=False)
    for row in random.Random(0).sample(rows, len(rows)):
        board.finished(row)
    board.closed(rows, summary)
    assert [type_of_row.decode(line) for line in out.getvalue().splitlines()] == [*rows, summary]
    assert notes.getvalue() == ""


@pytest.mark.parametrize(
    ("predicted", "failed", "not_done", "code"),
    [
        (5, [], 0, 0),
        (4, ["RateLimited"], 0, 1),
        (0, ["ProviderError"] * 5, 0, 3),
        (0, ["RateLimited"] * 5, 0, 6),
        (0, ["RateLimited", "Timeout"], 0, 3),
        (4, [], 1, 130),
        (0, [], 5, 130),
        (0, ["Timeout"] * 4, 1, 130),
    ],
)
def test_the_exit_code_tells_how_it_ended(predicted: int, failed: list[str], not_done: int, code: int) -> None:
    assert exit_code(predicted, failed, not_done) == code


# ---------------------------------------------------------------------------------------------------- showing

HEADING = Heading(
    source="m.jsonl",
    markets=40,
    model="x/y",
    concurrency=8,
    max_retries=3,
    base_url="https://o.test",
    stand_in="seed 0",
)


def test_the_heading_says_who_answers() -> None:
    real = msgspec.structs.replace(HEADING, stand_in=None)
    assert "https://o.test" in intent(real)
    assert stand_in_notice(real) == ""
    assert "local stand-in" in intent(HEADING)
    assert "not forecasts" in stand_in_notice(HEADING)


@settings(max_examples=25)  # each draws a table a few times
@given(
    st.lists(st.sampled_from(["predicted", "failed"]), min_size=32, max_size=32),
    st.sampled_from([(100, 40), (100, 24), (100, 22), (80, 24), (160, 50)]),
    st.sets(st.integers(32, 39), max_size=8),
)
def test_the_live_table_fits_the_terminal(kinds: list[str], size: tuple[int, int], running: set[int]) -> None:
    """For the bug of a table that is higher than the terminal: it is cut, or smeared over the screen."""
    width, height = size
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, highlight=False)
    board = TableBoard(console, [one.question for one in markets(40)])
    call = Call(attempts=1, retried=(), latency_secs=1.0, cost_usd=None)
    rows = [row_of(n, kind, "no", 0.1, call) for n, kind in enumerate(kinds, start=1)]
    board.opened(HEADING)
    for row in rows:
        board.asked(row.row - 1)
        board.finished(row)
    for index in sorted(running):
        board.asked(index)
        board.sending(index, 1)
        board.waiting(index, Wait(retry=1, of=3, delay=1.0, reason="503 ProviderError: " + "long " * 50))
        if index % 2:
            board.sending(index, 2)
    board.refresh()
    above = 5  # the heading and the notice
    lines = console.render_lines(board._view())
    assert len(lines) <= height - above
    board.closed(rows, summarise(rows, 1.0, stand_in=True))
    shown = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO, by our own hand
    assert "not forecasts" in shown
    assert all(f"#{row.row} failed" in shown for row in rows if isinstance(row, Failed))


async def test_a_bug_gives_the_cursor_back() -> None:
    """For a client that raises, which it never should: the traceback has to be seen, and the cursor too."""

    def raising(_: int) -> Given:
        raise LookupError("a bug")

    out = io.StringIO()
    board = TableBoard(Console(file=out, force_terminal=True, width=100), ["Q", "Q", "Q"])
    asking = Asking(Fake(raising), markets(3), model=None, board=board, witness=Witness(board))
    with pytest.raises(ExceptionGroup):
        await command._ask(asking, board, HEADING)
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")


def test_without_a_terminal_retries_are_lines_and_the_table_comes_at_the_end() -> None:
    out = io.StringIO()
    board = TableBoard(Console(file=out, width=120), ["Q"] * 12)
    call = Call(attempts=2, retried=("503 ProviderError",), latency_secs=1.0, cost_usd=0.001)
    rows = [row_of(n, "predicted", "no", 0.1, call) for n in range(1, 10)]
    rows += [row_of(10, "failed", "no", 0.0, call), row_of(11, "", "no", 1.0, call), row_of(12, "", "no", 0.0, call)]
    board.opened(HEADING)
    board.waiting(0, Wait(retry=1, of=None, delay=1.0, reason="503 ProviderError: upstream hung up"))
    for row in reversed(rows):
        board.finished(row)
    board.closed(rows, summarise(rows, 1.0, stand_in=True))
    shown = out.getvalue()
    lines = [line.strip() for line in shown.splitlines()]
    assert "\x1b" not in shown
    assert "LOCAL STAND-IN" in shown
    assert "not forecasts" in lines[-1]
    told = ["#1 retry 1 in 1.0 s: 503 ProviderError: upstream hung up", "#10 failed on attempt 2", "10 of 12 done"]
    places = [lines.index(words) for words in (*told, "#1 predicted on attempt 2", "#10 failed: e")]
    assert places == sorted(places)
    table = [line for line in lines if re.match(r"\d+ +Q ", line)]
    assert [int(line.split()[0]) for line in table] == list(range(1, 12))
    assert table[0].split() == ["1", "Q", "NO", "50%", "0.500", "0.500", "+0.100", "$0.001", "2", "1.0", "s"]
    assert "FAILED" in table[9]
    assert "CUT" in table[10]


@pytest.mark.parametrize(("edge", "words"), [(1.0, "#1 cut off"), (0.0, "#1 not asked")])
def test_rows_without_an_end_are_told_too(edge: float, words: str) -> None:
    call = Call(attempts=1, retried=(), latency_secs=1.0)
    assert outcome_line(row_of(1, "", "no", edge, call)) == words


# ------------------------------------------------------------------------------------------------ end to end


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "STAND_IN_LATENCY", (0.0, 0.0))
    for name in ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "OPENROUTER_TIMEOUT_SECS"):
        monkeypatch.delenv(name, raising=False)


def ended(
    capsys: pytest.CaptureFixture[str], *, limit: int | None = None, **options: Any
) -> tuple[int, list[Any], str]:
    """Run `predict --json` in this process: its exit code, its lines read back, and what people were told."""
    code = predict(EXAMPLES, json=True, limit=limit, reach=Reach(retry_delay_ms=1, **options))
    captured = capsys.readouterr()
    return code, [type_of_row.decode(line) for line in captured.out.splitlines()], captured.err


@pytest.mark.usefixtures("fast")
def test_all_markets_are_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, notes = ended(capsys, simulate=True)
    *rows, summary = lines
    assert code == summary.exit_code == 0
    assert len(rows) == summary.markets == summary.predicted >= 36
    assert [row.row for row in rows] == list(range(1, len(rows) + 1))
    assert summary.stand_in
    assert summary.cost_usd > 0.0
    assert "LOCAL STAND-IN" in notes


@pytest.mark.usefixtures("fast")
def test_faults_are_retried_and_recovered_from(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = ended(capsys, simulate=True, seed=3, faults="502:0.2,error200:0.1,reset:0.1", retries=12)
    summary = lines[-1]
    assert (code, summary.failed) == (0, 0)
    assert summary.recovered > 5
    assert {"502 ProviderError", "ProviderError in a 200", "Disconnected"} <= set(summary.retried)
    assert summary.retries == sum(summary.retried.values()) == summary.attempts - summary.markets


@pytest.mark.usefixtures("fast")
def test_answers_that_are_no_predictions_are_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines, _ = ended(capsys, simulate=True, faults="no-content:0.3", limit=20)
    *rows, summary = lines
    assert set(summary.retried) == {MISFIT}
    assert summary.retries == summary.attempts - summary.markets
    assert summary.recovered > 1
    assert all(row.call.attempts == 2 and row.kind == "ParseError" for row in rows if isinstance(row, Failed))


@pytest.mark.usefixtures("fast")
def test_some_failed_rows_are_told_and_the_exit_code_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = ended(capsys, simulate=True, faults="400:0.4", limit=20)
    failed = [row for row in lines if isinstance(row, Failed)]
    assert code == 1
    assert 0 < len(failed) < 20
    assert all(row.kind == "InvalidRequest" and row.call.attempts == 1 and row.error for row in failed)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("faults", "expected"), [("402:1", 5), ("500:1", 3)])
def test_when_nothing_is_predicted_the_common_error_decides(
    capsys: pytest.CaptureFixture[str], faults: str, expected: int
) -> None:
    code, lines, _ = ended(capsys, simulate=True, faults=faults, limit=3, retries=0)
    assert code == expected
    assert [type(line) for line in lines] == [Failed, Failed, Failed, Summary]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("options", "expected", "words"),
    [
        ({}, 4, ["export OPENROUTER_API_KEY", "--simulate"]),
        ({"faults": "500:0.1"}, 2, ["add --simulate"]),
        ({"simulate": True, "faults": "fuor:0.1"}, 2, ["--faults fuor:0.1", "unknown fault"]),
        ({"simulate": True, "timeout": 1e12}, 2, ["timeout_secs"]),
    ],
)
def test_bad_usage_has_its_exit_code_and_says_what_to_do(
    options: dict[str, Any], expected: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, notes = ended(capsys, **options)
    assert (code, lines) == (expected, [])
    assert [word for word in words if word not in notes] == []


def test_a_bad_setting_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENROUTER_TIMEOUT_SECS", "soon")
    assert predict(EXAMPLES) == 2
    assert "OPENROUTER_TIMEOUT_SECS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"", "holds no market"),
        (b"{}\n" * 20, "and 150 more"),
    ],
)
def test_a_bad_file_is_exit_code_2(
    content: bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "markets.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert predict(path, reach=Reach(simulate=True)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert str(path) in captured.err


@pytest.mark.usefixtures("fast")
async def test_with_a_key_the_configured_server_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator(seed=5) as server:
        monkeypatch.setenv("OPENROUTER_API_KEY", server.api_key)
        monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
        code = await asyncio.to_thread(predict, EXAMPLES, limit=3, model="x-ai/grok-4")
        shown = capsys.readouterr().out
        assert code == 0
        assert len(server.requests) == 3
        assert server.base_url in shown
        assert server.api_key not in shown
        assert "stand-in" not in shown
        assert {json.loads(request.body)["model"] for request in server.requests} == {"x-ai/grok-4"}


@pytest.mark.usefixtures("fast")
async def test_the_example_strategy_runs() -> None:
    async with Simulator(seed=1) as server:
        told = {"OPENROUTER_API_KEY": server.api_key, "OPENROUTER_BASE_URL": server.base_url}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(EXAMPLES.with_name("strategy.py"))),
            env={**os.environ, **told},
            stdout=asyncio.subprocess.PIPE,
        )
        shown, _ = await process.communicate()
    verdicts = [line.split()[0] for line in shown.decode().splitlines()]
    assert process.returncode == 0
    assert len(verdicts) == 10
    assert set(verdicts) == {"buy", "pass"}


@pytest.mark.usefixtures("fast")
def test_the_demo_succeeds_by_retries_with_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """The options are those of `make demo`: a change of the prompt changes which requests its faults hit."""
    makefile = EXAMPLES.parents[1].joinpath("Makefile").read_text("utf-8")
    options = dict(re.findall(r"^(FAULTS|SEED|STAND_IN) [?:]= (.*)$", makefile, re.MULTILINE))
    told = options["STAND_IN"].replace("$(SEED)", options["SEED"]).replace("$(FAULTS)", options["FAULTS"])
    assert cli.main(["predict", str(EXAMPLES), *shlex.split(told), "--retry-delay-ms", "1"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "48 of 48 markets predicted, 0 failed" in shown
    assert shown.count(" retry 1/5 in ") > 5
    assert shown.count(" predicted on attempt ") > 5
    assert all(words in shown for words in ("502 ProviderError", "RateLimited", "Disconnected", "in a 200"))


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_an_output_without_the_characters_loses_nothing_else(options: list[str], tmp_path: Path) -> None:
    """For the bug of a UnicodeEncodeError at the end of a run that was paid for."""
    path = tmp_path / "markets.jsonl"
    line = next(line for line in EXAMPLES.read_text("utf-8").splitlines() if "Niña" in line)
    path.write_text(line, "utf-8")
    script = "import sys; from openrouter_client.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", script, "predict", str(path), "--simulate", *options],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    shown = done.stdout.decode("utf-8")
    assert "made up" in shown or '"stand_in":true' in shown
    assert ("Niña" in shown) == bool(options)
    assert ("La Ni?a" in shown) == (not options)


@pytest.mark.usefixtures("fast")
def test_a_reader_that_has_gone_ends_the_command_quietly() -> None:
    script = (
        "import sys; from openrouter_client.cli import main, session; "
        "session.STAND_IN_LATENCY = (0.0, 0.01); "
        f"sys.exit(main(['predict', {str(EXAMPLES)!r}, '--json', '--simulate', '--concurrency', '2']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert isinstance(type_of_row.decode(process.stdout.readline()), Predicted)
        process.stdout.close()
        assert len(process.stderr.readlines()) == 1
        assert process.wait(timeout=20) == 130


@pytest.mark.usefixtures("fast")
def test_ctrl_c_says_what_was_done() -> None:
    script = (
        "import sys; from openrouter_client.cli import main; "
        f"sys.exit(main(['predict', {str(EXAMPLES)!r}, *'--json --simulate --faults silent:1 --limit 9'.split()]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "LOCAL STAND-IN" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    *rows, summary = [type_of_row.decode(line) for line in out.splitlines()]
    assert (process.returncode, errors) == (130, "")
    assert len(rows) == 9
    assert isinstance(summary, Summary)
    assert (summary.not_done, summary.exit_code) == (9, 130)
