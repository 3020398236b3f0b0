"""What a request asks for: the body of POST /chat/completions, checked as OpenRouter checks it, and read. Pure.

Wordings follow what OpenRouter says where that is known (OpenRouter docs, api_reference/errors-and-debugging).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from openrouter_client.simulator import catalog
from openrouter_client.simulator.dice import digest
from openrouter_client.simulator.loose import mapping, number, sequence, text

Format = Literal["text", "json_object", "json_schema"]
"""The shapes of an answer that a request may ask for."""


class Wrong(Struct, frozen=True):
    """A request that is refused: the status and the message of the error."""

    status: int
    message: str


class Function(Struct, frozen=True):
    """A function that the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, object]


class Said(Struct, frozen=True):
    """A message: who said what, in text. `answers` is the id of the call that a tool's message answers."""

    role: str
    words: str
    answers: str = ""


class Ask(Struct, frozen=True, kw_only=True):
    """A request, read. `key` is the fingerprint of all that matters to the answer: how it is delivered does not."""

    key: bytes
    model: catalog.Model
    said: tuple[Said, ...]
    stream: bool
    functions: tuple[Function, ...]
    tool_choice: str
    parallel: bool
    format: Format
    schema: Mapping[str, object]
    effort: str | None
    shows_reasoning: bool
    max_tokens: int | None
    stop: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """All that was said, in one text."""
        return "\n".join(said.words for said in self.said)

    @property
    def question(self) -> str:
        """What the user said last."""
        return next((said.words for said in reversed(self.said) if said.role == "user"), "")


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "top_a": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "repetition_penalty": (0, 2),
    "top_k": (0, float("inf")),
    "top_logprobs": (0, 20),
    "max_tokens": (1, float("inf")),
    "max_completion_tokens": (1, float("inf")),
}
_FORMATS: Mapping[str, Format] = {"json_object": "json_object", "json_schema": "json_schema"}
_ROLES = ("system", "developer", "user", "assistant", "tool")
_DELIVERY = ("stream", "stream_options", "usage", "session_id", "user", "trace", "metadata", "debug")


def read(body: bytes) -> Ask | Wrong:
    """The request in these bytes, or what OpenRouter would refuse it with."""
    try:
        raw = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return Wrong(400, "Invalid JSON in request body")
    fields = mapping(raw)
    if not fields:
        return Wrong(400, 'Input required: specify "prompt" or "messages"')
    wrong = _wrong_numbers(fields) or _wrong_messages(fields) or _wrong_tools(fields)
    if wrong is not None:
        return wrong
    model = _model(fields)
    return model if isinstance(model, Wrong) else _read(fields, model)


def _wrong_numbers(fields: Mapping[str, object]) -> Wrong | None:
    for name, (low, high) in _BOUNDS.items():
        value = fields.get(name)
        if value is None:
            continue
        found = number(value)
        if found is None:
            return Wrong(400, f"{name}: Expected number, received {type(value).__name__}")
        if found < low:
            return Wrong(400, f"{name}: Number must be greater than or equal to {low:g}")
        if found > high:
            return Wrong(400, f"{name}: Number must be less than or equal to {high:g}")
    if not isinstance(fields.get("stream", False), bool | None):
        return Wrong(400, "stream: Expected boolean")
    if len(mapping(fields.get("metadata"))) > 16:
        return Wrong(400, "metadata: at most 16 pairs are allowed")
    return None


def _wrong_messages(fields: Mapping[str, object]) -> Wrong | None:
    messages = fields.get("messages")
    if messages is None:
        prompt = fields.get("prompt")
        return (
            None if isinstance(prompt, str) and prompt else Wrong(400, 'Input required: specify "prompt" or "messages"')
        )
    if not sequence(messages):
        return Wrong(400, "Input must have at least 1 token.")
    for index, message in enumerate(sequence(messages)):
        wrong = _wrong_message(f"messages[{index}]", mapping(message))
        if wrong is not None:
            return wrong
    return None


def _wrong_message(where: str, message: Mapping[str, object]) -> Wrong | None:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        return Wrong(400, f"{where}.role: Invalid enum value. Expected one of {', '.join(_ROLES)}, received {role!r}")
    if role == "tool" and not text(message.get("tool_call_id")):
        return Wrong(400, f"{where}.tool_call_id: Required")
    if role == "assistant" and content is None:
        return None
    if not isinstance(content, str) and not sequence(content):
        return Wrong(400, f"{where}.content: Expected string or array of parts")
    for index, part in enumerate(sequence(content)):
        if not text(mapping(part).get("type")):
            return Wrong(400, f"{where}.content[{index}].type: Required")
    return None


def _wrong_tools(fields: Mapping[str, object]) -> Wrong | None:
    for index, tool in enumerate(sequence(fields.get("tools"))):
        kind, name = text(mapping(tool).get("type")), text(mapping(mapping(tool).get("function")).get("name"))
        if not kind:
            return Wrong(400, f"tools[{index}].type: Required")
        if kind == "function" and not 0 < len(name) <= 64:
            return Wrong(400, f"tools[{index}].function.name: String must contain 1 to 64 characters")
    form = mapping(fields.get("response_format"))
    if form.get("type") == "json_schema" and not text(mapping(form.get("json_schema")).get("name")):
        return Wrong(400, "response_format.json_schema.name: Required")
    return None


def _model(fields: Mapping[str, object]) -> catalog.Model | Wrong:
    slugs = [fields["model"]] if fields.get("model") is not None else []
    slugs += sequence(fields.get("models"))
    models: list[catalog.Model] = []
    for slug in slugs or [catalog.DEFAULT]:
        if text(slug).endswith(catalog.BATCH):
            return Wrong(404, "This model is only available through the Batch API. Use the /batches endpoint instead.")
        found = catalog.find(text(slug))
        if found is None:
            return Wrong(400, f"{slug} is not a valid model ID")
        models.append(found)
    if models[0].house.thinks == "always" and _effort(fields) == "none":
        return Wrong(400, "Reasoning is mandatory for this endpoint and cannot be disabled.")
    return models[0]


def _effort(fields: Mapping[str, object]) -> str | None:
    """How hard the model shall think: an effort, or None where the request does not say."""
    reasoning = mapping(fields.get("reasoning"))
    if reasoning.get("enabled") is False:
        return "none"
    effort = reasoning.get("effort") or fields.get("reasoning_effort")
    asked = reasoning.get("enabled") is True or reasoning.get("max_tokens") or fields.get("include_reasoning") is True
    return text(effort) or ("medium" if asked else None)


def _read(fields: Mapping[str, object], model: catalog.Model) -> Ask:
    form = mapping(fields.get("response_format"))
    limits = (fields.get("max_completion_tokens"), fields.get("max_tokens"))
    shown = mapping(fields.get("reasoning")).get("exclude") is not True and fields.get("include_reasoning") is not False
    stop = fields.get("stop")
    return Ask(
        key=_key(fields),
        model=model,
        said=_said(fields),
        stream=fields.get("stream") is True,
        functions=_functions(sequence(fields.get("tools"))),
        tool_choice=_tool_choice(fields.get("tool_choice")),
        parallel=fields.get("parallel_tool_calls") is not False,
        format=_FORMATS.get(text(form.get("type")), "text"),
        schema=mapping(mapping(form.get("json_schema")).get("schema")),
        effort=_effort(fields),
        shows_reasoning=shown,
        max_tokens=next((int(limit) for limit in map(number, limits) if limit is not None), None),
        stop=tuple(text(item) for item in ([stop] if isinstance(stop, str) else sequence(stop)) if item),
    )


def _key(fields: Mapping[str, object]) -> bytes:
    kept = {name: value for name, value in fields.items() if name not in _DELIVERY}
    return digest(msgspec.json.encode(kept, order="deterministic"))


def _said(fields: Mapping[str, object]) -> tuple[Said, ...]:
    messages = sequence(fields.get("messages")) or [{"role": "user", "content": fields.get("prompt")}]
    return tuple(
        Said(text(message.get("role")), _words(message.get("content")), text(message.get("tool_call_id")))
        for message in map(mapping, messages)
    )


def _words(content: object) -> str:
    return text(content) or "\n".join(text(mapping(part).get("text")) for part in sequence(content))


def _functions(tools: Sequence[object]) -> tuple[Function, ...]:
    functions = (mapping(mapping(tool).get("function")) for tool in tools if mapping(tool).get("type") == "function")
    return tuple(Function(text(one.get("name")), mapping(one.get("parameters"))) for one in functions)


def _tool_choice(choice: object) -> str:
    """Whether functions are called: none, auto, required, or the name of the one that has to be."""
    return text(choice) or text(mapping(mapping(choice).get("function")).get("name")) or "auto"
