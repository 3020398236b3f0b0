"""An OpenTelemetry SDK that keeps everything in memory, and what a test wants to know of it."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from openrouter_client.otel import Telemetry
from openrouter_core.genai import names


class Counting(SpanProcessor):
    """Counts the spans that have begun and not ended."""

    def __init__(self) -> None:
        self.open = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.open += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.open -= 1


class Memory:
    """Everything that was told to an SDK."""

    def __init__(self) -> None:
        self.spans_kept = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.counting = Counting()
        self.tracing = TracerProvider()
        self.tracing.add_span_processor(self.counting)
        self.tracing.add_span_processor(SimpleSpanProcessor(self.spans_kept))
        self.metering = MeterProvider([self.reader])
        self.tracer = self.tracing.get_tracer("test")

    def telemetry(self, **settings: Any) -> Telemetry:
        """Telemetry that is told to this SDK."""
        return Telemetry(tracer_provider=self.tracing, meter_provider=self.metering, **settings)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended, in that order."""
        return self.spans_kept.get_finished_spans()

    @property
    def calls(self) -> list[ReadableSpan]:
        """The spans of calls."""
        return [span for span in self.spans if span.kind is SpanKind.CLIENT]

    @property
    def attempts(self) -> list[ReadableSpan]:
        """The spans of attempts."""
        return [span for span in self.spans if span.name == names.ATTEMPT]

    @property
    def call(self) -> ReadableSpan:
        """The span of the only call."""
        (span,) = self.calls
        return span

    def told(self) -> dict[str, Any]:
        """All metrics by name, as they stand now."""
        data = self.reader.get_metrics_data()
        found = [] if data is None else data.resource_metrics
        return {one.name: one for each in found for scope in each.scope_metrics for one in scope.metrics}

    def points(self, name: str) -> list[Any]:
        """The points of a metric."""
        told = self.told()
        return list(told[name].data.data_points) if name in told else []
