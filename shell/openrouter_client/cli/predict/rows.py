"""What came of each market, and what it adds up to.

Pure: rows and their sums are values, and each is also one line of `predict --json` (`type` tells them apart).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from openrouter_client.cli.exits import DONE, INTERRUPTED, SOME, code_of_all
from openrouter_client.cli.predict.prediction import Side

BEST_ROWS = 5


class Call(Struct, frozen=True, kw_only=True):
    """What one prediction took. Money in USD, time in seconds from asking to the end of the last attempt.

    `retried` says how each attempt that was tried again had ended; a wrong answer that was asked for again is one.
    `cost_usd` and the tokens are of all answers together, and `None` where nobody said: an attempt whose answer was
    lost may have been billed all the same.
    """

    attempts: int
    retried: tuple[str, ...]
    latency_secs: float
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    generation_id: str | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """A market that was to be asked about. `row` counts from 1 in the order of the file; prices as in `Market`."""

    row: int
    id: str
    question: str
    yes_price: float
    no_price: float


class Predicted(Asked, frozen=True, kw_only=True, tag_field="type", tag="prediction"):
    """A market with its prediction; `edge` in USD per contract."""

    prediction: Side
    confidence: float
    target_price: float
    edge: float
    reasoning: str
    call: Call


class Failed(Asked, frozen=True, kw_only=True, tag_field="type", tag="failure"):
    """A market without a prediction. `kind` is the name of the error's type, `error` one line for a person."""

    kind: str
    error: str
    call: Call


class NotDone(Asked, frozen=True, kw_only=True, tag_field="type", tag="not_done"):
    """A market that an interrupt left without an answer. If `asked`, its call was cut off and may be billed.

    `retried` is what it is in a `Call`, up to the interrupt.
    """

    asked: bool
    retried: tuple[str, ...] = ()


Row = Predicted | Failed | NotDone


class BestEdge(Struct, frozen=True, kw_only=True):
    """A row with one of the largest edges."""

    row: int
    id: str
    question: str
    prediction: Side
    edge: float


class Summary(Struct, frozen=True, kw_only=True, tag_field="type", tag="summary"):
    """What the rows add up to.

    `retries` are attempts after a row's first, `recovered` the rows that got an answer by them, `retried` what the
    attempts ended in that were tried again, and how often. `cost_usd` adds up the costs that are known;
    `rows_without_cost` counts the rows that were asked and told none. `models` says who answered, and how often: it
    need not be the model that was asked for. `stand_in`: no model was asked, the local simulator made the answers up.
    """

    markets: int
    predicted: int
    failed: int
    not_done: int
    cut_off: int
    yes: int
    no: int
    hold: int
    attempts: int
    retries: int
    recovered: int
    retried: Mapping[str, int]
    cost_usd: float
    rows_without_cost: int
    prompt_tokens: int
    completion_tokens: int
    models: Mapping[str, int]
    wall_secs: float
    best: tuple[BestEdge, ...]
    stand_in: bool
    exit_code: int


def summarise(rows: Sequence[Row], wall_secs: float, *, stand_in: bool) -> Summary:
    """The sums of the rows, and the exit code that they mean."""
    predicted = [row for row in rows if isinstance(row, Predicted)]
    failed = [row for row in rows if isinstance(row, Failed)]
    not_done = [row for row in rows if isinstance(row, NotDone)]
    calls = [row.call for row in rows if not isinstance(row, NotDone)]
    retried = [reason for call in calls for reason in call.retried] + [why for row in not_done for why in row.retried]
    first_attempts = len([call for call in calls if call.attempts]) + sum(row.asked for row in not_done)
    sides = Counter(row.prediction for row in predicted)
    return Summary(
        markets=len(rows),
        predicted=len(predicted),
        failed=len(failed),
        not_done=len(not_done),
        cut_off=sum(row.asked for row in not_done),
        yes=sides["yes"],
        no=sides["no"],
        hold=sides["hold"],
        attempts=first_attempts + len(retried),
        retries=len(retried),
        recovered=sum(row.call.attempts > 1 for row in predicted),
        retried=dict(Counter(retried).most_common()),
        cost_usd=sum(call.cost_usd or 0.0 for call in calls),
        rows_without_cost=sum(call.cost_usd is None for call in calls),
        prompt_tokens=sum(call.prompt_tokens or 0 for call in calls),
        completion_tokens=sum(call.completion_tokens or 0 for call in calls),
        models=dict(Counter(call.model for call in calls if call.model).most_common()),
        wall_secs=wall_secs,
        best=best_edges(predicted),
        stand_in=stand_in,
        exit_code=exit_code(len(predicted), [row.kind for row in failed], len(not_done)),
    )


def best_edges(rows: Sequence[Predicted]) -> tuple[BestEdge, ...]:
    """The rows with the largest edges above 0, best first; the order of the file among equals."""
    buyable = sorted((row for row in rows if row.edge > 0.0), key=lambda row: -row.edge)
    return tuple(
        BestEdge(row=row.row, id=row.id, question=row.question, prediction=row.prediction, edge=row.edge)
        for row in buyable[:BEST_ROWS]
    )


def exit_code(predicted: int, failed: Sequence[str], not_done: int) -> int:
    """How the command ends: interrupted, all rows predicted, some, or none; `failed` are the kinds of the errors."""
    if not_done:
        return INTERRUPTED
    if not failed:
        return DONE
    return SOME if predicted else code_of_all(failed)
