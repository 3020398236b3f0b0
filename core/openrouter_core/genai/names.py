"""OpenTelemetry's names for calls of generative models, and the buckets of their histograms.

The only place that knows them, and it knows nothing else of OpenTelemetry. No `gen_ai.*` name is stable yet.
Source: open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md and gen-ai-metrics.md; of `server.*`,
`error.*`, `http.*` and `url.*` open-telemetry/semantic-conventions, docs/registry. The names `openrouter.*` are our
own, for what has none there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

Value = str | bool | int | float | Sequence[str]
Attributes = dict[str, Value]

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
STREAM: Final = "gen_ai.request.stream"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
OUTPUT_TYPE: Final = "gen_ai.output.type"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - not that kind of token
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
METHOD: Final = "http.request.method"
RESENT: Final = "http.request.resend_count"
STATUS: Final = "http.response.status_code"
TEMPLATE: Final = "url.template"

OPENROUTER: Final = "openrouter"
"""The provider's name. There is no well-known value for it; other instrumentations use the same word."""

COST: Final = "openrouter.usage.cost"
UPSTREAM: Final = "openrouter.provider"
GENERATION: Final = "openrouter.generation.id"
ERROR_CODE: Final = "openrouter.error.type"
CALL: Final = "openrouter.call"
ATTEMPTS: Final = "openrouter.attempts"
ATTEMPT: Final = "openrouter.attempt"
OUTCOME: Final = "openrouter.attempt.outcome"
QUEUED: Final = "openrouter.queue.duration"
WAITED: Final = "openrouter.retry.delay"
SCOPE: Final = "openrouter.scope"

LEFT: Final = "cancelled"
"""The `error.type` of a call that was cancelled, or whose stream was closed."""

SECONDS: Final = tuple(round(0.01 * 2**n, 2) for n in range(14))
"""The buckets of durations, in seconds."""

TOKENS: Final = tuple(4**n for n in range(14))
"""The buckets of token counts."""

DURATION: Final = "gen_ai.client.operation.duration"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - the same
TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
TIME_PER_CHUNK: Final = "gen_ai.client.operation.time_per_output_chunk"
CLIENT_COST: Final = "openrouter.client.cost"
CLIENT_QUEUE: Final = "openrouter.client.queue.duration"
CLIENT_RETRIES: Final = "openrouter.client.retries"
CLIENT_ALIVE: Final = "openrouter.client.calls"
CLIENT_WAITING: Final = "openrouter.client.calls.waiting"
CLIENT_IN_FLIGHT: Final = "openrouter.client.attempts.in_flight"
CLIENT_RESERVED: Final = "openrouter.client.cost.reserved"
LIMITER_RATE: Final = "openrouter.limiter.rate"
LIMITER_CONCURRENCY: Final = "openrouter.limiter.concurrency"
LIMITER_PAUSED: Final = "openrouter.limiter.paused"
LIMITER_HELD: Final = "openrouter.limiter.held"

OPERATIONS: Final = {
    "/chat/completions": "chat",
    "/responses": "chat",
    "/messages": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}
"""The well-known names of operations. What else asks a model is named after its path."""

REQUESTED: Final = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "n": "gen_ai.request.choice.count",
    "dimensions": "gen_ai.embeddings.dimension.count",
}
"""Numbers of a request."""

REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
CONVERSATION: Final = "gen_ai.conversation.id"
STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
