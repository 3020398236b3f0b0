"""What is given as `observe`: it begins a span for each call, and knows the instruments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import Span, SpanKind, Tracer, TracerProvider, get_tracer

from openrouter_client.bringing import is_plain
from openrouter_client.environment import content_is_captured
from openrouter_client.masking import secrets_of
from openrouter_client.observe import Hook
from openrouter_client.otel.instruments import Clients, Instruments
from openrouter_client.otel.watching import CallSpan
from openrouter_core.admission import Stats
from openrouter_core.config import MASK, OpenRouterConfig
from openrouter_core.endpoint import HttpRequest
from openrouter_core.genai.content import input_content
from openrouter_core.genai.facts import begun, joined, read_request, requested, span_name
from openrouter_core.genai.names import Attributes, Value
from openrouter_core.states import Job
from openrouter_core.version import __version__

T = TypeVar("T")

SCOPE_NAME = "openrouter_client"

CONTENT_LIMIT = 32_768
"""How much of a prompt, or of an answer, goes into an attribute, in characters, where content is captured."""


class Telemetry:
    """Spans and metrics of a client's calls, by OpenTelemetry's conventions for generative models.

    Each call is one CLIENT span, a child of the caller's current span, with a child span for each attempt. `hook` is
    called with each `Moment` as a function given as `observe` would be, with the call's span as the current one.

    `content` puts prompts, answers and tools into the span's attributes, each about `content_limit` characters at most;
    None leaves that to OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, and without it there is no content.
    With `join_broadcast` the request names the trace and the call's span in its `trace`, so that the spans which
    OpenRouter's Broadcast sends become its children. That makes every request another one for OpenRouter's cache.

    The providers are the global ones, if left out. One object may serve several clients. A value that does not fit is a
    ValueError that names it.
    """

    def __init__(
        self,
        *,
        hook: Hook | None = None,
        content: bool | None = None,
        content_limit: int = CONTENT_LIMIT,
        join_broadcast: bool = False,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        if hook is not None and not is_plain(hook):
            raise ValueError(f"hook = {hook!r}: must be a plain function of a Moment: nobody would await a coroutine")
        if content_limit < 1:
            raise ValueError(f"content_limit = {content_limit!r}: must be at least 1; content=False turns content off")
        self.hook: Hook | None = hook
        self.content: bool = content_is_captured() if content is None else content
        self.content_limit: int = content_limit
        self.join_broadcast: bool = join_broadcast
        self.tracer: Tracer = get_tracer(SCOPE_NAME, __version__, tracer_provider)
        self.clients: Clients = Clients()
        self.instruments: Instruments = Instruments(get_meter(SCOPE_NAME, __version__, meter_provider), self.clients)
        self.secrets: frozenset[str] = frozenset()

    def attached(self, config: OpenRouterConfig, stats: Callable[[], Stats]) -> None:
        """Get to know a client."""
        self.secrets |= set(secrets_of(config))
        self.clients.add(stats)

    def begun(self, number: int, job: Job[T]) -> tuple[Job[T], CallSpan]:
        """Begin the span of a call, in the caller's context."""
        asked = read_request(job.request.body)
        attributes = self.clean(begun(job, asked))
        wall, now = time.time_ns(), asyncio.get_running_loop().time()
        span = self.tracer.start_span(
            span_name(attributes), kind=SpanKind.CLIENT, attributes=attributes, start_time=wall
        )
        try:
            if span.is_recording():
                span.set_attributes(self.clean(requested(asked)))
                if self.content:
                    span.set_attributes(self.clean(dict(input_content(asked, self.content_limit))))
            sent = named(job, span) if self.join_broadcast and takes_trace(job) else job
        except BaseException:
            span.end()
            raise
        return sent, CallSpan(self, number, span, attributes, wall=wall, now=now)

    def clean(self, attributes: Attributes) -> Attributes:
        """Strike secrets out, wherever they come from."""
        return {name: self.cleaned(value) for name, value in attributes.items()}

    def cleaned(self, value: Value) -> Value:
        """Strike secrets out of a value."""
        if isinstance(value, (list, tuple)):
            return [self.struck(text) for text in value]
        return self.struck(value) if isinstance(value, str) else value

    def struck(self, text: str) -> str:
        """Strike the secrets of all clients out of a text, the longest first."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def __repr__(self) -> str:
        return f"Telemetry(content={self.content}, join_broadcast={self.join_broadcast})"


def takes_trace(job: Job[Any]) -> bool:
    """Tell whether the endpoint takes the name of a trace."""
    return "trace" in getattr(job.endpoint.params, "__struct_fields__", ())


def named(job: Job[T], span: Span) -> Job[T]:
    """Name a span that is sampled in the requests of a call."""
    context = span.get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return job

    def in_trace(request: HttpRequest) -> HttpRequest:
        return joined(request, f"{context.trace_id:032x}", f"{context.span_id:016x}")

    others = tuple(msgspec.structs.replace(one, request=in_trace(one.request)) for one in job.alternatives)
    return msgspec.structs.replace(job, request=in_trace(job.request), alternatives=others)
