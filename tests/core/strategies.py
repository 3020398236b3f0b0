"""Hypothesis strategies for requests and answers, biased towards what goes wrong: edges, nulls, unknown keys."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from openrouter_core.wire import plugins, settings, tools
from openrouter_core.wire.formats import ResponseFormat
from openrouter_core.wire.message import ASSISTANT, TOOL, ChatMessage, ConfigurationUpdate, ToolCall
from openrouter_core.wire.parts import AudioPart, CacheControl, FilePart, ImagePart, TextPart, VideoPart
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.routing import MaxPrice, Percentiles, ProviderPreferences, ProviderSort

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["null", "hi", "\u2028", "\0"])
NAMES = st.text("abcdefghij_-", min_size=1, max_size=64)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | FINITE | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
UNKNOWN = st.dictionaries(TEXTS.map("x {}".format), JSON, max_size=3).map(
    lambda known: {**known, "of tomorrow": 1, "type": "new", "id": "new"}
)
"""Mappings that fit no struct without loss, and so stay mappings."""


def some(kind: Any, required: dict[str, Any] | None = None, **optional: Any) -> st.SearchStrategy[Any]:
    """Build structs with any choice of the optional fields."""
    return st.fixed_dictionaries(required or {}, optional=optional).map(lambda fields: kind(**fields))


# --- requests -------------------------------------------------------------------------------------------------------

_CACHE = some(CacheControl, ttl=st.sampled_from(["5m", "1h"]))

PARTS = st.one_of(
    some(TextPart, {"text": TEXTS}, cache_control=_CACHE),
    st.builds(ImagePart.of, TEXTS, st.none() | st.just("high")),
    st.builds(AudioPart.of, TEXTS, st.just("wav")),
    st.builds(VideoPart.of, TEXTS),
    st.builds(FilePart.of, TEXTS, TEXTS),
    UNKNOWN,
)
CONTENTS = TEXTS | st.lists(PARTS, max_size=3)
TOOL_CALLS = st.lists(st.builds(ToolCall.of, NAMES, NAMES, TEXTS) | UNKNOWN, max_size=2)
_EFFORTS = st.sampled_from(["none", "low", "high", "of tomorrow"])

MESSAGES = st.one_of(
    st.builds(ChatMessage.user, CONTENTS, name=st.none() | NAMES),
    st.builds(ChatMessage.developer, CONTENTS),
    some(
        ChatMessage,
        {"role": st.just("system"), "content": CONTENTS},
        configuration_update=st.builds(ConfigurationUpdate, reasoning=some(settings.Reasoning, effort=_EFFORTS)),
    ),
    some(ChatMessage, {"role": st.just(TOOL), "content": CONTENTS, "tool_call_id": NAMES}),
    some(
        ChatMessage,
        {"role": st.just(ASSISTANT)},
        content=CONTENTS,
        tool_calls=TOOL_CALLS,
        reasoning=TEXTS,
        reasoning_details=st.lists(OBJECTS, max_size=2),
        annotations=st.lists(OBJECTS, max_size=2),
        images=st.lists(OBJECTS, max_size=2),
        audio=OBJECTS,
        refusal=TEXTS,
        model=NAMES,
    ),
)

TOOLS = st.one_of(
    st.builds(tools.FunctionTool.of, NAMES, st.none() | OBJECTS, strict=st.none() | st.booleans()),
    some(tools.ServerTool, {"type": st.just(tools.WEB_SEARCH)}, parameters=OBJECTS),
    UNKNOWN,
)
PLUGINS = st.one_of(
    some(plugins.WebPlugin, max_results=st.integers(1, 9), x_search=OBJECTS),
    some(plugins.AlignmentPlugin, {"rules": st.lists(OBJECTS, max_size=2)}, threshold=st.floats(0.01, 1)),
    some(plugins.FusionPlugin, analysis_models=st.lists(NAMES, min_size=1, max_size=8)),
    st.just(plugins.ModerationPlugin()),
    UNKNOWN,
)
PROVIDERS = (
    some(
        ProviderPreferences,
        only=st.lists(NAMES, max_size=2),
        zdr=st.booleans(),
        sort=st.just("price") | some(ProviderSort, by=NAMES),
        max_price=some(MaxPrice, prompt=FINITE | st.just("0.5")),
        preferred_max_latency=FINITE | some(Percentiles, p50=FINITE),
        options=OBJECTS,
    )
    | UNKNOWN
)
STOP_CONDITIONS = st.one_of(
    st.builds(tools.StepCountIs, step_count=st.integers(1, 9)),
    st.builds(tools.HasToolCall, tool_name=NAMES),
    st.builds(tools.MaxCost, max_cost_in_dollars=FINITE),
    st.builds(tools.MaxTokensUsed, max_tokens=st.integers()),
    st.builds(tools.FinishReasonIs, reason=NAMES),
    UNKNOWN,
)
FORMATS = st.one_of(
    st.sampled_from([ResponseFormat.text(), ResponseFormat.json(), ResponseFormat.python()]),
    st.builds(ResponseFormat.json_schema, OBJECTS, name=NAMES),
    st.builds(ResponseFormat.grammar, TEXTS),
    UNKNOWN,
)
_SHARE = st.floats(0, 1)
_AROUND_ZERO = st.floats(-2, 2)

OPTIONAL_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": NAMES,
    "models": st.lists(NAMES, min_size=1, max_size=2),
    "prompt": TEXTS,
    "preset": NAMES,
    "stream": st.booleans(),
    "stream_options": some(settings.StreamOptions, include_usage=st.booleans()),
    "usage": some(settings.UsageOptions, include=st.booleans()),
    "max_completion_tokens": st.integers(1),
    "max_tokens": st.integers(1),
    "temperature": st.floats(0, 2),
    "top_p": _SHARE,
    "top_k": st.integers(0),
    "top_a": _SHARE,
    "min_p": _SHARE,
    "frequency_penalty": _AROUND_ZERO,
    "presence_penalty": _AROUND_ZERO,
    "repetition_penalty": st.floats(0, 2),
    "seed": st.integers(),
    "stop": TEXTS | st.lists(TEXTS, max_size=4),
    "logit_bias": st.dictionaries(TEXTS, st.floats(-100, 100), max_size=2),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 20),
    "tools": st.lists(TOOLS, max_size=2),
    "tool_choice": st.one_of(st.just("auto"), st.builds(tools.ToolChoice.of, NAMES), UNKNOWN),
    "parallel_tool_calls": st.booleans(),
    "deferred_tools": st.builds(settings.DeferredTools.of, OBJECTS),
    "stop_server_tools_when": st.lists(STOP_CONDITIONS, max_size=2),
    "max_tool_calls": st.integers(0),
    "response_format": FORMATS,
    "structured_outputs": st.booleans(),
    "reasoning": some(settings.Reasoning, max_tokens=st.integers(0), exclude=st.booleans(), context=JSON) | UNKNOWN,
    "reasoning_effort": _EFFORTS,
    "include_reasoning": st.booleans(),
    "verbosity": NAMES,
    "modalities": st.lists(st.sampled_from(["text", "image", "of tomorrow"]), max_size=2),
    "audio": some(settings.AudioOutput, voice=NAMES),
    "image_config": OBJECTS,
    "prediction": st.builds(settings.Prediction, content=TEXTS | st.lists(st.builds(TextPart, text=TEXTS), max_size=2)),
    "provider": PROVIDERS,
    "plugins": st.lists(PLUGINS, max_size=2),
    "route": NAMES,
    "transforms": st.lists(NAMES, max_size=2),
    "web_search_options": OBJECTS,
    "service_tier": NAMES,
    "cache_control": _CACHE,
    "prompt_cache_key": TEXTS,
    "prompt_cache_options": some(settings.CacheOptions, ttl=st.just("30m")),
    "session_id": st.text("abc", max_size=256),
    "user": TEXTS,
    "metadata": st.dictionaries(TEXTS, TEXTS, max_size=16),
    "trace": some(settings.Trace, trace_id=NAMES) | UNKNOWN,
    "debug": some(settings.DebugOptions, echo_upstream_body=st.just(value=False)),
    "safe_prompt": JSON,
    "raw_mode": JSON,
    "extra": st.dictionaries(NAMES.map("x_{}".format), JSON, min_size=1, max_size=2),
}


def requests() -> st.SearchStrategy[ChatCompletionRequest]:
    """Requests that may be sent, as `parse_request` would give them: lists for sequences, structs where lossless."""
    messages: dict[str, st.SearchStrategy[Any]] = {"messages": st.lists(MESSAGES, min_size=1, max_size=3)}
    fields = st.fixed_dictionaries(messages, optional=OPTIONAL_FIELDS)
    return fields.map(lambda given: ChatCompletionRequest(**given))


# --- answers --------------------------------------------------------------------------------------------------------


def _null_or(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with any choice of the fields, each of which may be null, and with fields that nobody knows."""
    known = st.fixed_dictionaries({}, optional={name: _null_or(values) for name, values in fields.items()})
    return st.builds(lambda one, other: {**other, **one}, known, st.just({}) | st.just({"of tomorrow": {"a": [1]}}))


_COUNT = st.integers(0, 10**9)
_COST = st.just(0) | st.floats(0, 10)
_DETAILS = st.lists(UNKNOWN | st.just({"type": "reasoning.encrypted", "data": "b64", "index": 0}), max_size=2)

ANSWER_MESSAGES = _object(
    role=st.just("assistant"),
    content=TEXTS | st.lists(st.just({"type": "text", "text": "hi"}) | UNKNOWN, max_size=2),
    refusal=TEXTS,
    reasoning=TEXTS,
    reasoning_details=_DETAILS,
    annotations=st.lists(OBJECTS, max_size=2),
    images=st.lists(OBJECTS, max_size=2),
    audio=OBJECTS,
    tool_calls=st.lists(
        _object(id=NAMES, type=st.just("function"), index=_COUNT, function=_object(name=NAMES, arguments=TEXTS)),
        max_size=2,
    ),
)
USAGES = _object(
    prompt_tokens=_COUNT,
    completion_tokens=_COUNT,
    total_tokens=_COUNT,
    cost=_COST,
    is_byok=st.booleans(),
    cost_details=_object(upstream_inference_cost=_COST),
    prompt_tokens_details=_object(cached_tokens=_COUNT),
    completion_tokens_details=_object(reasoning_tokens=_COUNT, image_tokens=_COUNT),
)
CHOICES = _object(
    index=_COUNT,
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter", "of tomorrow"]),
    native_finish_reason=NAMES,
    logprobs=_object(content=st.lists(_object(token=TEXTS, logprob=FINITE, bytes=st.lists(_COUNT, max_size=2)))),
    message=ANSWER_MESSAGES,
)


def answers() -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of kind chat.completion as plain JSON values: anything may be null, absent or unheard of."""
    return _object(
        id=NAMES,
        object=st.just("chat.completion"),
        created=_COUNT,
        model=NAMES,
        provider=NAMES,
        choices=st.lists(CHOICES, max_size=2),
        usage=USAGES,
        system_fingerprint=TEXTS,
        service_tier=NAMES,
        openrouter_metadata=_object(
            requested=NAMES, attempt=_COUNT, pipeline=st.lists(_object(type=NAMES), max_size=1)
        ),
    )
