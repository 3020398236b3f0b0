"""One call as a span: it watches the call's states, and ends the span whatever happens.

Instants are the loop's, on which the call runs; they become wall time by what the wall's clock showed when it began. So
a span is as long as the call was, even where clocks are set, or where the loop's time is virtual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from returns.result import Failure

from openrouter_client.observe import tell
from openrouter_core.errors import DataSourceError
from openrouter_core.genai import names
from openrouter_core.genai.content import output_content
from openrouter_core.genai.facts import answered, failed, tried, used
from openrouter_core.genai.names import Attributes
from openrouter_core.journal import Answered, Event, Moment, event_of, left
from openrouter_core.outcome import Outcome
from openrouter_core.reader import Heard
from openrouter_core.states import Done, Queue, Send, Sleep, State
from openrouter_core.wire.attempt import Attempt

if TYPE_CHECKING:
    from openrouter_client.otel.telemetry import Telemetry

BILLION = 1_000_000_000


class CallSpan:
    """Watches one call: `attributes` are those that its span began with, `now` by the loop's clock, `wall` in ns."""

    def __init__(
        self, telemetry: Telemetry, number: int, span: Span, attributes: Attributes, *, wall: int, now: float
    ) -> None:
        self.telemetry = telemetry
        self.number = number
        self.span = span
        self.context: Context = set_span_in_context(span)
        self.attributes = attributes
        self.asks_model: bool = names.OPERATION in attributes
        self.wall: int = wall
        self.began: float = now
        self.attempt: Span | None = None
        self.last: State[Any] | None = None
        self.queued: float = now
        self.sent: float = now
        self.chunk: float | None = None
        self.first_chunk: float | None = None
        self.cost: float | None = None

    # --- what is told ---------------------------------------------------------------------------------------------

    @property
    def heard(self) -> Heard | None:
        """Who is told of a stream's events."""
        return self.came if self.asks_model else None

    def came(self, at: float) -> None:
        """Measure when a chunk came."""
        if self.chunk is None:
            self.first_chunk = max(0.0, at - self.sent)
            self.telemetry.instruments.first_chunk.record(self.first_chunk, self.attributes, self.context)
        else:
            gap = max(0.0, at - self.chunk)
            self.telemetry.instruments.per_chunk.record(gap, self.attributes, self.context)
        self.chunk = at

    def state(self, at: float, state: State[Any]) -> None:
        """See the call in a new state."""
        self.last = state
        try:
            self.seen(at, state)
            self.tell(at, event_of(state))
        finally:
            if isinstance(state, Done):
                self.span.end(self.instant(at))

    def outcome(self, at: float, outcome: Outcome, roll: float, company: int) -> None:
        """See how an attempt ended; what it means comes with the next state."""
        self.tell(at, Answered(outcome, roll, company))

    def left(self, at: float) -> None:
        """See that the call was left."""
        reason: Attributes = {names.ERROR_TYPE: names.LEFT}
        try:
            self.end_attempt(at, reason, names.LEFT)
            self.end(at, reason, None, names.LEFT)
            if self.last is not None:
                self.tell(at, left(self.last, at))
        finally:
            self.span.end(self.instant(at))

    def tell(self, at: float, event: Event) -> None:
        """Tell the hook, with the call's span as the current one."""
        hook = self.telemetry.hook
        if hook is None:
            return
        token = attach(self.context)
        try:
            tell(self.number, hook, Moment(self.number, at, event))
        finally:
            detach(token)

    # --- what is made of it ---------------------------------------------------------------------------------------

    def seen(self, at: float, state: State[Any]) -> None:
        """Begin and end attempts, and measure."""
        if self.attempt is not None and state.past.attempts:
            cost = state.past.seen.cost
            self.cost = self.cost if cost is None else (self.cost or 0.0) + cost
            self.attempted(at, state.past.attempts[-1], state.past.error)
        match state:
            case Queue():
                self.queued = max(self.began, at)
            case Send():
                self.begin_attempt(at, state)
            case Sleep(error=error):
                why = {**self.attributes, names.ERROR_TYPE: type(error).__name__}
                self.telemetry.instruments.retries.add(1, why, self.context)
            case Done():
                self.done(at, state)

    def begin_attempt(self, at: float, state: Send[Any]) -> None:
        """Begin the span of an attempt, and measure how long it has waited for its turn."""
        waited = max(0.0, at - self.queued)
        self.telemetry.instruments.queue.record(waited, self.attributes, self.context)
        self.sent, self.chunk, self.first_chunk = at, None, None
        attributes: Attributes = {names.ATTEMPT: state.number, names.QUEUED: waited}
        if state.number > 1:
            attributes |= {names.RESENT: state.number - 1, names.WAITED: state.past.waited}
        if state.job.model:
            attributes[names.REQUEST_MODEL] = state.job.model
        self.attempt = self.telemetry.tracer.start_span(
            names.ATTEMPT, self.context, SpanKind.INTERNAL, attributes, start_time=self.instant(at)
        )

    def attempted(self, at: float, attempt: Attempt, error: DataSourceError | None) -> None:
        """End the span of an attempt, with how it went."""
        self.end_attempt(at, tried(attempt, error), None if error is None else type(error).__name__)

    def end_attempt(self, at: float, attributes: Attributes, trouble: str | None) -> None:
        """End the span of an attempt, if there is one."""
        span, self.attempt = self.attempt, None
        if span is None:
            return
        try:
            span.set_attributes(attributes)
            if trouble is not None:
                span.set_status(Status(StatusCode.ERROR, trouble))
        finally:
            span.end(self.instant(at))

    def done(self, at: float, state: Done[Any]) -> None:
        """Tell how the call ended."""
        told: Attributes = {names.ATTEMPTS: len(state.past.attempts)}
        if isinstance(state.result, Failure):
            error = state.result.failure()
            answer, trouble = error.partial, type(error).__name__
            told |= failed(error)
        else:
            answer, trouble = state.result.unwrap(), None
            told |= answered(answer)
        self.measure_use(answer, told)
        self.end(at, told, answer, trouble)

    def measure_use(self, answer: Any, told: Attributes) -> None:
        """Record tokens and cost."""
        spent, common = used(answer), self.common(told)
        tokens = {"input": spent.input, "output": spent.output} if self.asks_model else {}
        for kind, count in tokens.items():
            if count is not None and count >= 0:
                self.telemetry.instruments.tokens.record(count, {**common, names.TOKEN_TYPE: kind}, self.context)
        if self.cost is not None:
            told[names.COST] = self.cost
            self.telemetry.instruments.cost.add(max(0.0, self.cost), common, self.context)

    def end(self, at: float, told: Attributes, answer: Any, trouble: str | None) -> None:
        """Record how long the call took, and tell its span what is known."""
        if self.asks_model:
            why: Attributes = {} if trouble is None else {names.ERROR_TYPE: trouble}
            lasted, common = max(0.0, at - self.began), self.common(told)
            self.telemetry.instruments.duration.record(lasted, {**common, **why}, self.context)
        if not self.span.is_recording():
            return
        if self.first_chunk is not None:
            told[names.FIRST_CHUNK] = self.first_chunk
        if self.telemetry.content:
            told |= output_content(answer, self.telemetry.content_limit)
        self.span.set_attributes(self.telemetry.clean(told))
        if trouble is not None:
            self.span.set_status(Status(StatusCode.ERROR, trouble))

    def common(self, told: Attributes) -> Attributes:
        """Give what the call's metrics have in common, with the model that answered."""
        model = told.get(names.RESPONSE_MODEL)
        return self.attributes if model is None else {**self.attributes, names.RESPONSE_MODEL: model}

    def instant(self, at: float) -> int:
        """Tell an instant of the loop's clock in wall time, in nanoseconds since the epoch."""
        return self.wall + int(max(0.0, at - self.began) * BILLION)
