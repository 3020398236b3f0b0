"""What is sent for a request: values -> bytes and headers, and back. Pure; never raises.

The same request built twice gives the same bytes, so that repeating a call can be answered from OpenRouter's cache.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.headers import JSON_BODY, SAFE_RETRIES, Headers, merge
from openrouter_core.refuse import explain, refuse
from openrouter_core.validate import WIRE_NAMES, Checked, check, encode
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.shape import Shape, restore

RETIRED: Mapping[str, str] = {"x-ai/grok-3-latest": "~x-ai/grok-latest"}
"""Slugs that OpenRouter no longer serves (it answers 400 "is not a valid model ID"), and what took their place."""

_RETIRED = tuple(RETIRED)


class BuildSettings(Shape, frozen=True, kw_only=True):
    """What is the same for all requests of a client.

    `headers` are those of `app_headers`, checked. `resolve_retired` replaces retired model slugs; `safe_retries` asks
    for OpenRouter's response cache, so that repeating a completed call costs nothing.
    """

    url: str
    default_model: str = ""
    resolve_retired: bool = True
    headers: Headers = ()
    safe_retries: bool = False


class Built(Shape, frozen=True, kw_only=True):
    """What is sent: the body's bytes and all headers but `Authorization`.

    `model` is the model that was asked for, as sent ('' where none is named). `replaced` lists retired slugs with what
    was sent in their place.
    """

    body: bytes
    headers: Headers
    model: str = ""
    replaced: tuple[tuple[str, str], ...] = ()


def build_chat(
    request: ChatCompletionRequest, settings: BuildSettings, *, stream: bool = False
) -> Result[Built, InvalidRequest]:
    """Make what is sent for a request, whole or as a stream.

    Fails with `InvalidRequest` for a request that must not be sent, and for one that asks for the other way.
    """
    built = built_chat(request, settings, stream=stream)
    return Success(built) if isinstance(built, Built) else Failure(built)


def built_chat(request: ChatCompletionRequest, settings: BuildSettings, *, stream: bool) -> Built | InvalidRequest:
    """Do what `build_chat` does, for each call of a client: a container costs more there than a look at the type."""
    if getattr(request, "stream", None) not in (None, stream):
        other = "use chat_completion(streamed=False)" if stream else "use stream_chat_completion"
        return refuse("stream", f"is set by the client: leave it out, or {other}", request.stream)
    checked = check(request, stream=stream)
    if not isinstance(checked, Checked):
        return checked
    body = checked.body
    replaced = _name_model(body, settings)
    data = encode(body)
    if not isinstance(data, bytes):
        return data
    headers = _standing_headers(settings)
    if checked.options:
        merged = merge(headers, checked.options)
        if isinstance(merged, Failure):
            refused: InvalidRequest = merged.failure()
            return refused
        headers = merged.unwrap()
    model = body.get("model") or next(iter(body.get("models", ())), "")
    return Built(body=data, headers=headers, model=model, replaced=replaced)


def parse_request(data: bytes) -> Result[ChatCompletionRequest, InvalidRequest]:
    """Read a request from the bytes that `build_chat` makes, or that any other client sends.

    Top-level names that are no fields become `extra`. Fails for what is not JSON, or does not fit the types and bounds;
    rules about several fields are not applied (`check` does that).
    """
    try:
        raw: Any = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:  # besides DecodeError, bytes that are not UTF-8 have their own kind
        return Failure(refuse("request", f"must be JSON: {error}"))
    if not isinstance(raw, dict):
        return Failure(refuse("request", "must be a JSON object", raw))
    body = cast("dict[str, Any]", raw)
    known = {name: value for name, value in body.items() if name in WIRE_NAMES}
    extra = {name: value for name, value in body.items() if name not in WIRE_NAMES}
    try:
        return Success(msgspec.convert({**known, "@extra": extra or None}, ChatCompletionRequest, dec_hook=restore))
    except msgspec.ValidationError as error:
        return Failure(explain(error, body))
    except RecursionError:
        return Failure(refuse("request", "must not be nested so deeply"))


def _standing_headers(settings: BuildSettings) -> Headers:
    return JSON_BODY + settings.headers + (SAFE_RETRIES if settings.safe_retries else ())


def _name_model(body: dict[str, Any], settings: BuildSettings) -> tuple[tuple[str, str], ...]:
    """Fill in the default model and replace retired slugs, in place; tell which were replaced.

    A request with `models` or a `preset` names its models there: a default `model` would go before the former and
    override the latter.
    """
    if settings.default_model and not ("model" in body or "models" in body or "preset" in body):
        body["model"] = settings.default_model
    if not settings.resolve_retired:
        return ()
    replaced: dict[str, str] = {}
    if "model" in body:
        body["model"] = _living(body["model"], replaced)
    if "models" in body:
        body["models"] = [_living(slug, replaced) for slug in body["models"]]
    return tuple(replaced.items())


def _living(slug: str, replaced: dict[str, str]) -> str:
    """Give the slug that is served today, with the suffixes (`:online`, `@preset/...`) of the one given."""
    if not slug.startswith(_RETIRED):  # as nearly every slug
        return slug
    for retired, successor in RETIRED.items():
        if slug.startswith(retired) and slug[len(retired) : len(retired) + 1] in ("", ":", "@"):
            replaced[slug] = successor + slug[len(retired) :]
            return replaced[slug]
    return slug
