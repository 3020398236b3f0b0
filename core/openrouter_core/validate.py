"""Whether a request may be sent: values -> plain JSON values, or the first reason why not. Pure; never raises.

Three steps. Whatever the caller gave becomes dicts, lists and scalars; these are held against the types and bounds that
stand in `wire`; then the rules that concern several fields apply, as a table. What is sent is the caller's own values,
not the checked copy, so keys that OpenRouter adds tomorrow pass through and the order of keys is kept.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from openrouter_core.errors import InvalidRequest
from openrouter_core.plain import AS_THEY_ARE, encoded, plain, unencodable
from openrouter_core.refuse import misfit, refuse
from openrouter_core.wire import message as roles
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.shape import Shape

ROLES = (roles.SYSTEM, roles.DEVELOPER, roles.USER, roles.ASSISTANT, roles.TOOL)

WIRE_NAMES = frozenset(name for name in ChatCompletionRequest.__struct_encode_fields__ if not name.startswith("@"))
"""The top-level names of the body that belong to fields."""


class Checked(Shape, frozen=True, kw_only=True):
    """A request that may be sent, as plain values: its `body` (to be encoded) and its `options` (to be headers)."""

    body: dict[str, Any]
    options: dict[str, Any] | None = None


def check(request: ChatCompletionRequest, *, stream: bool = False) -> Checked | InvalidRequest:
    """Decide whether a request may be sent, as a stream where `stream` says so.

    An `InvalidRequest` names the field, its value and the bound that it breaks.
    """
    try:
        body: dict[str, Any] = msgspec.to_builtins(request, enc_hook=plain, builtin_types=AS_THEY_ARE)
        if stream:
            body["stream"] = True
        unfit = misfit(body, ChatCompletionRequest)
    except Exception:  # noqa: BLE001 callers' own objects run their code here
        return unencodable(request)
    if unfit is not None:
        return unfit
    for field, rule in () if _RULED.isdisjoint(body) else _RULES:
        if field in body and (problem := rule(body)) is not None:
            return problem
    if (problem := _conversation(body)) is not None:
        return problem
    body.update(body.pop("@extra", None) or {})
    return Checked(options=body.pop("@options", None), body=body)


def is_request(value: object) -> bool:
    """Tell a request from what callers without type checkers may pass."""
    return isinstance(value, ChatCompletionRequest)


def encode(body: dict[str, Any]) -> bytes | InvalidRequest:
    """Write a checked body as JSON, but for what JSON cannot hold: NaN, infinity, lone surrogates, endless ints."""
    return encoded(body, _field)


def _field(path: str) -> str:
    """Name a field from a path into the body, where `extra` has been merged in."""
    path = path.removeprefix(".")
    first = path.partition(".")[0].partition("[")[0]
    return path if first in WIRE_NAMES else f"extra.{path}"


# --- rules about several fields, or about more than a type can say ----------------------------------------------------


def _conversation(body: dict[str, Any]) -> InvalidRequest | None:
    messages = body.get("messages")
    if messages is None and body.get("prompt") is not None:
        return None
    if not messages:
        return refuse("messages", 'must hold at least one message, such as ChatMessage.user("...")', messages)
    for index, message in enumerate(messages):
        role = message["role"]
        if role not in ROLES:
            return refuse(f"messages[{index}].role", f"must be one of {', '.join(ROLES)}", role)
        call_id = message.get("tool_call_id")
        if role == roles.TOOL and not call_id:
            return refuse(f"messages[{index}].tool_call_id", "must be the id of the tool call answered", call_id)
        if role != roles.ASSISTANT and message.get("content") is None:
            return refuse(f"messages[{index}].content", f"is required in a {role} message")
    return None


def _metadata(body: dict[str, Any]) -> InvalidRequest | None:
    pairs: dict[str, str] = body["metadata"]
    if len(pairs) > 16:
        return refuse("metadata", f"must have at most 16 pairs, not {len(pairs)}", pairs)
    for key, value in pairs.items():
        if len(key) > 64:
            return refuse("metadata", f"must have keys of at most 64 characters, not {len(key)}", key)
        if len(value) > 512:
            return refuse(f"metadata.{key}", f"must have at most 512 characters, not {len(value)}", value)
    return None


def _logit_bias(body: dict[str, Any]) -> InvalidRequest | None:
    for token, bias in body["logit_bias"].items():
        if not -100 <= bias <= 100:
            return refuse(f"logit_bias.{token}", "must be between -100 and 100", bias)
    return None


def _reasoning(body: dict[str, Any]) -> InvalidRequest | None:
    effort, budget = body["reasoning"].get("effort"), body["reasoning"].get("max_tokens")
    if effort is not None and budget is not None:
        return refuse("reasoning.max_tokens", f"cannot go with reasoning.effort = {effort!r}: leave out one", budget)
    shorthand = body.get("reasoning_effort")
    if effort is not None and shorthand is not None and effort != shorthand:
        return refuse("reasoning_effort", f"must equal reasoning.effort = {effort!r}, or be left out", shorthand)
    return None


def _modalities(body: dict[str, Any]) -> InvalidRequest | None:
    if "audio" in body["modalities"] and not body.get("stream"):
        return refuse("modalities", "can hold 'audio' only in a stream: use stream_chat_completion", body["modalities"])
    return None


def _debug(body: dict[str, Any]) -> InvalidRequest | None:
    if body["debug"].get("echo_upstream_body") and not body.get("stream"):
        return refuse("debug.echo_upstream_body", "works only in a stream: use stream_chat_completion", value=True)
    return None


def _models(body: dict[str, Any]) -> InvalidRequest | None:
    if not body["models"]:
        return refuse("models", "must name at least one model, or be left out", body["models"])
    return None


def _extra(body: dict[str, Any]) -> InvalidRequest | None:
    for name in body["@extra"]:
        if name in WIRE_NAMES:
            return refuse(f"extra.{name}", f"must not be given in extra: set the field {name} instead")
    return None


_RULES: tuple[tuple[str, Callable[[dict[str, Any]], InvalidRequest | None]], ...] = (
    ("models", _models),
    ("metadata", _metadata),
    ("logit_bias", _logit_bias),
    ("reasoning", _reasoning),
    ("modalities", _modalities),
    ("debug", _debug),
    ("@extra", _extra),
)
"""Which rule applies when a field is given. `_conversation` always does."""

_RULED = frozenset(field for field, _ in _RULES)
