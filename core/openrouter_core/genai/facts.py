"""What telemetry tells of a call: from its request, its answer, its attempts and its failure to attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from openrouter_core.endpoint import Endpoint, HttpRequest
from openrouter_core.envelope import UNDECODABLE, items, mapping
from openrouter_core.errors import DataSourceError
from openrouter_core.genai.names import (
    CACHE_READ,
    CACHE_WRITE,
    CONVERSATION,
    ENCODING_FORMATS,
    ERROR_CODE,
    ERROR_TYPE,
    FINISH_REASONS,
    GENERATION,
    INPUT_TOKENS,
    METHOD,
    OPENROUTER,
    OPERATION,
    OPERATIONS,
    OUTCOME,
    OUTPUT_TOKENS,
    OUTPUT_TYPE,
    PROVIDER,
    REASONING_LEVEL,
    REASONING_TOKENS,
    REQUEST_MODEL,
    REQUESTED,
    RESPONSE_ID,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
    STATUS,
    STOP_SEQUENCES,
    STREAM,
    TEMPLATE,
    UPSTREAM,
    Attributes,
)
from openrouter_core.states import Job
from openrouter_core.wire.attempt import Attempt


class Asked(msgspec.Struct, frozen=True):
    """What telemetry wants to know of a request, read from its bytes: nothing is taken for granted.

    What may be large stays undecoded.
    """

    model: Any = None
    models: Any = None
    max_tokens: Any = None
    max_output_tokens: Any = None
    max_completion_tokens: Any = None
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    frequency_penalty: Any = None
    presence_penalty: Any = None
    seed: Any = None
    n: Any = None
    dimensions: Any = None
    encoding_format: Any = None
    stop: Any = None
    stream: Any = None
    reasoning: Any = None
    session_id: Any = None
    response_format: Any = None
    modalities: Any = None
    messages: msgspec.Raw = msgspec.Raw(b"null")
    prompt: msgspec.Raw = msgspec.Raw(b"null")
    input: msgspec.Raw = msgspec.Raw(b"null")
    system: msgspec.Raw = msgspec.Raw(b"null")
    instructions: msgspec.Raw = msgspec.Raw(b"null")
    tools: msgspec.Raw = msgspec.Raw(b"null")


KINDS = {"text": "text", "json_object": "json", "json_schema": "json", "image": "image", "audio": "speech"}
"""What the conventions call the kinds of output that a request can ask for."""

LONGEST = 256
"""How long a name may be (of a model, of an id), in characters: whoever is at the other end may send anything."""


class Used(msgspec.Struct, frozen=True):
    """What an answer used: tokens, those of the cache among the input's, and USD. None: nobody told."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost: float | None = None


def read_request(body: bytes) -> Asked:
    """Read the body of a request; what is no JSON object tells nothing."""
    try:
        return msgspec.json.decode(body, type=Asked)
    except UNDECODABLE:
        return Asked()


def operation(endpoint: Endpoint[Any, Any]) -> str | None:
    """Name what a call does; None when it asks no model."""
    known = OPERATIONS.get(endpoint.path)
    return known or (endpoint.path.removeprefix("/").replace("/", "_") if endpoint.billed else None)


def begun(job: Job[Any], asked: Asked) -> Attributes:
    """Tell of a call what must be known when its span begins, and what its metrics have in common."""
    url, doing = urlsplit(job.request.url), operation(job.endpoint)
    port = url.port or (443 if url.scheme == "https" else 80)
    where: Attributes = {SERVER_ADDRESS: url.hostname or "", SERVER_PORT: port}
    if doing is None:
        return {METHOD: job.endpoint.method, TEMPLATE: job.endpoint.path, **where}
    model = asked_model(asked)
    named: Attributes = {REQUEST_MODEL: model[:LONGEST]} if model else {}
    return {OPERATION: doing, PROVIDER: OPENROUTER, **named, **where}


def span_name(attributes: Attributes) -> str:
    """Name a call's span after what it does, and the model that it asks."""
    if OPERATION not in attributes:
        return f"{attributes[METHOD]} {attributes[TEMPLATE]}"
    return f"{attributes[OPERATION]} {attributes.get(REQUEST_MODEL, '')}".strip()


def asked_model(asked: Asked) -> str | None:
    """Tell which model is asked first."""
    return next((model for model in (asked.model, *items(asked.models)) if isinstance(model, str) and model), None)


def requested(asked: Asked) -> Attributes:
    """Tell the settings of a request."""
    told: Attributes = {}
    for field, name in REQUESTED.items():
        value = getattr(asked, field)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            told[name] = value
    texts = {
        CONVERSATION: asked.session_id,
        REASONING_LEVEL: mapping(asked.reasoning).get("effort"),
        OUTPUT_TYPE: output_type(asked),
    }
    told |= {name: text[:LONGEST] for name, text in texts.items() if isinstance(text, str)}
    if asked.stream is True:
        told[STREAM] = True
    stops = [asked.stop] if isinstance(asked.stop, str) else items(asked.stop)
    if stops:
        told[STOP_SEQUENCES] = [stop[:LONGEST] for stop in stops if isinstance(stop, str)]
    if isinstance(asked.encoding_format, str):
        told[ENCODING_FORMATS] = [asked.encoding_format[:LONGEST]]
    return told


def output_type(asked: Asked) -> str | None:
    """Tell what kind of output was asked for, where the request says so."""
    wished = [one for one in items(asked.modalities) if one != "text"]
    said = [mapping(asked.response_format).get("type"), *wished]
    return next((KINDS[one] for one in said if isinstance(one, str) and one in KINDS), None)


def used(answer: Any) -> Used:
    """Tell what an answer used, whatever its usage calls it. Anthropic's input does not count what was cached."""
    usage = getattr(answer, "usage", None)

    def count(*names: str) -> int | None:
        found = (getattr(usage, name, None) for name in names)
        return next((number for number in found if isinstance(number, int)), None)

    def detail(which: str, name: str) -> int | None:
        details = (getattr(usage, f"{side}_tokens_details", None) for side in which.split())
        found = (getattr(one, name, None) for one in details)
        return next((number for number in found if isinstance(number, int)), None)

    cached, written = count("cache_read_input_tokens"), count("cache_creation_input_tokens")
    read = count("prompt_tokens", "input_tokens")
    return Used(
        input=None if read is None else read + (cached or 0) + (written or 0),
        output=count("completion_tokens", "output_tokens"),
        cache_read=detail("prompt input", "cached_tokens") if cached is None else cached,
        cache_write=detail("prompt input", "cache_write_tokens") if written is None else written,
        reasoning=detail("completion output", "reasoning_tokens"),
        cost=getattr(usage, "cost", None),
    )


def answered(answer: Any) -> Attributes:
    """Tell of an answer: where it comes from, how it ended, and the tokens that it used."""
    spent, told = used(answer), {}
    choices = getattr(answer, "choices", None) or ()
    reasons = [reason for choice in choices if (reason := getattr(choice, "finish_reason", None))]
    stopped = getattr(answer, "stop_reason", None)
    record = getattr(answer, "call", None)
    told = {
        RESPONSE_ID: getattr(answer, "id", None),
        RESPONSE_MODEL: getattr(answer, "model", None),
        UPSTREAM: getattr(answer, "provider", None),
        GENERATION: getattr(record, "generation_id", None),
        FINISH_REASONS: reasons or ([stopped] if isinstance(stopped, str) else None),
        INPUT_TOKENS: spent.input,
        OUTPUT_TOKENS: spent.output,
        CACHE_READ: spent.cache_read,
        CACHE_WRITE: spent.cache_write,
        REASONING_TOKENS: spent.reasoning,
    }
    return {name: short(value) for name, value in told.items() if isinstance(value, (str, int, list))}


def short(value: Any) -> Any:
    """Cut a text that a server made too long to be a name."""
    if isinstance(value, list):
        return [short(one) for one in items(value)]
    return value[:LONGEST] if isinstance(value, str) else value


def failed(error: DataSourceError) -> Attributes:
    """Tell of a failure; not its message, which a provider may have copied from the prompt."""
    told = {
        **answered(error.partial),
        ERROR_TYPE: type(error).__name__,
        STATUS: error.status,
        ERROR_CODE: error.error_type,
        UPSTREAM: error.provider_name,
        GENERATION: error.generation_id,
    }
    return {name: short(value) for name, value in told.items() if value is not None}


def tried(attempt: Attempt, error: DataSourceError | None) -> Attributes:
    """Tell of an attempt that has ended, well or in an error."""
    told = {
        OUTCOME: attempt.outcome,
        STATUS: attempt.status,
        ERROR_TYPE: None if error is None else type(error).__name__,
    }
    return {name: value for name, value in told.items() if value is not None}


def joined(request: HttpRequest, trace_id: str, span_id: str) -> HttpRequest:
    """Name a trace in a request, so that what OpenRouter broadcasts becomes part of it; a trace of the caller's stays.

    Source: OpenRouter docs, guides/features/broadcast ("trace_id", "parent_span_id").
    """
    try:
        fields = msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])
        trace: Mapping[str, Any] = msgspec.json.decode(fields.get("trace", b"{}"), type=dict[str, Any])
    except UNDECODABLE:
        return request
    if "trace_id" in trace:
        return request
    ours = {"trace_id": trace_id, "parent_span_id": span_id, **trace}
    fields["trace"] = msgspec.Raw(msgspec.json.encode(ours))
    return msgspec.structs.replace(request, body=msgspec.json.encode(fields))
