"""The official package as an oracle: what we build is what its models say, and what they say we can read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pydantic
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openrouter import components
from tests.oracle import differences
from tests.oracle.package import Operation, the_operations, values

from openrouter_core.assemble import build_call
from openrouter_core.build import BuildSettings, build_chat, parse_request
from openrouter_core.endpoint import CallSettings, Endpoint, HttpRequest
from openrouter_core.endpoints.table import TABLE
from openrouter_core.wire.chunk import ChatCompletionChunk
from openrouter_core.wire.images import ImageEvent
from openrouter_core.wire.params import FileUpload
from openrouter_core.wire.responses_events import ResponsesEvent

pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
"""The package warns of old forms of its own; OpenRouter still takes them, and so do we."""

OPERATIONS = {operation.name: operation for operation in the_operations()}
PLACES = {(("/api/" + e.base if e.base else "") + e.path, e.method, e.form): name for name, e in TABLE.items()}
BASE = CallSettings(base_url="https://host/api/v1")

quickly = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
"""Without shrinking: an example that fails says which field it was anyway."""


def name_of(operation: Operation) -> str:
    return PLACES[operation.path, operation.method, operation.multipart]


def endpoint_of(operation: Operation) -> Endpoint[Any, Any]:
    return TABLE[name_of(operation)]


def missing_from(theirs: Any, ours: Any, path: str = "") -> Iterator[str]:
    """List what one JSON value has and another has not; nothing is nothing, in both."""
    match theirs, ours:
        case dict(), dict():
            for key, value in theirs.items():
                if key in ours:
                    yield from missing_from(value, ours[key], f"{path}.{key}")
                elif value not in (None, [], {}):
                    yield f"{path}.{key}"
        case list(), list():
            for value, mine in zip(theirs, ours, strict=True):
                yield from missing_from(value, mine, f"{path}[]")
        case _ if theirs == ours or (number(theirs) is not None and number(theirs) == number(ours)):
            return
        case _:
            yield f"{path}: {theirs!r} is not {ours!r}"


def number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def converted(value: Any, kind: Any) -> tuple[Any, str]:
    """Read a JSON value as one of our types, or say what is wrong with it."""
    try:
        return msgspec.convert(msgspec.json.decode(msgspec.json.encode(value)), kind, dec_hook=lambda _, it: it), ""
    except msgspec.ValidationError as error:
        return None, str(error)


def explained(text: str, reasons: dict[str, str]) -> bool:
    return any(words in re.sub(r"\[\d+\]", "[...]", text) for words in reasons)


# --- which there are ------------------------------------------------------------------------------------------------


def test_every_operation_of_the_package_is_an_endpoint() -> None:
    assert len(OPERATIONS) >= 139
    known = {name_of(operation) for operation in OPERATIONS.values()}
    assert set(TABLE) - known == set(differences.BEYOND)


@pytest.mark.parametrize(
    "operation", [op for op in OPERATIONS.values() if name_of(op) != "CHAT_COMPLETIONS"], ids=lambda op: op.name
)
def test_every_parameter_of_the_package_is_one_of_ours_and_in_the_same_place(operation: Operation) -> None:
    name, endpoint = name_of(operation), endpoint_of(operation)
    theirs: dict[str, str] = {}
    for field, (place, kind, _) in operation.fields().items():
        if place == "request" and not endpoint.whole:
            model = next(m for m in (kind, *getattr(kind, "__args__", ())) if hasattr(m, "model_fields"))
            theirs |= {f.alias or n: "body" for n, f in model.model_fields.items()}
        else:
            theirs[field] = place
    ours: dict[str, str] = {}
    for field in endpoint.params.__struct_encode_fields__:
        if f"{{{field}}}" in endpoint.path:
            ours[field] = "path"
        elif not field.startswith("@"):
            in_query = endpoint.method in ("GET", "DELETE") or field in endpoint.query
            ours[field] = "query" if in_query else "body"
    different = {field for field in theirs.keys() | ours.keys() if theirs.get(field) != ours.get(field)}
    assert {field for field in different if (name, field) not in differences.PARAMETERS} == set()


# --- what is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [op for op in OPERATIONS.values() if name_of(op) != "CHAT_COMPLETIONS" and not op.multipart],
    ids=lambda op: op.name,
)
@quickly
@given(data=st.data())
def test_what_its_models_accept_is_what_we_send(operation: Operation, data: st.DataObject) -> None:
    fields = operation.fields()
    always = {field: values(kind, field) for field, (place, kind, must) in fields.items() if must or place == "request"}
    sometimes = {field: values(kind, field) for field, (_, kind, _) in fields.items() if field not in always}
    given_ = data.draw(st.fixed_dictionaries(always, optional=sometimes))
    endpoint = endpoint_of(operation)
    placed: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "request": {}}
    for field, value in given_.items():
        placed[fields[field][0]][field] = value
    body = next(iter(placed["request"].values()), None)
    flat = {**placed["path"], **placed["query"], **({endpoint.whole: body} if endpoint.whole else body or {})}
    if "idempotency-key" in placed["header"]:
        flat["idempotency_key"] = placed["header"]["idempotency-key"]
    params, complaint = converted(flat, endpoint.params)
    if complaint:
        assert explained(complaint, differences.REFUSED), complaint
        return
    built = build_call(endpoint, params, BASE)
    problem = built.swap().value_or(None)
    if problem is not None:
        assert explained(problem.message, differences.REFUSED), problem
        return
    request = built.unwrap()
    check_address(operation, endpoint, request, placed)
    if body is None:
        assert request.body == b""
        return
    sent, asked = (
        {key: it for key, it in each.items() if key != "stream"} for each in (json.loads(request.body), body)
    )
    assert list(missing_from(asked, sent)) == []
    assert list(missing_from(sent, asked)) == []
    kind = next(kind for place, kind, _ in fields.values() if place == "request")
    pydantic.TypeAdapter(kind).validate_python(sent)


def check_address(
    operation: Operation, endpoint: Endpoint[Any, Any], request: HttpRequest, placed: dict[str, dict[str, Any]]
) -> None:
    parts = urlsplit(request.url)
    path = operation.path if endpoint.base else "/api/v1" + operation.path
    for field, value in placed["path"].items():
        path = path.replace(f"{{{field}}}", value)
    assert (request.method, unquote(parts.path)) == (operation.method, path)
    wanted = [
        (field, item if isinstance(item, str) else json.dumps(item))
        for field, value in placed["query"].items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    got = sorted(parse_qsl(parts.query, keep_blank_values=True))
    assert list(missing_from([list(pair) for pair in sorted(wanted)], [list(pair) for pair in got])) == []


@settings(quickly, max_examples=50)
@given(values(components.ChatRequest))
def test_a_chat_request_that_its_model_accepts_is_what_we_send(asked: dict[str, Any]) -> None:
    """Chat completions are built by `build_chat`, and their request is wider than the package's."""
    asked = {key: value for key, value in asked.items() if key != "stream"}
    settled = BuildSettings(url="https://host/api/v1/chat/completions")
    built = parse_request(msgspec.json.encode(asked)).bind(lambda request: build_chat(request, settled))
    problem = built.swap().value_or(None)
    if problem is not None:
        assert explained(problem.message, differences.REFUSED), problem
        return
    sent = json.loads(built.unwrap().body)
    assert list(missing_from(asked, sent)) == []
    assert list(missing_from(sent, asked)) == []
    components.ChatRequest.model_validate(sent)


def test_files_are_sent_as_forms_with_the_fields_of_the_package() -> None:
    file = FileUpload(name="a.mp3", content=b"\x00\xff--form", content_type="audio/mpeg")
    upload = TABLE["TRANSCRIPTION_UPLOADS"]
    params = upload.params(model="m", file=file, keyterms=["a", "b"], diarize=True, temperature=0.5)
    request = build_call(upload, params, BASE).unwrap()
    content_type = dict(request.headers)["Content-Type"]
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
    parts = [(part.get_param("name", header="content-disposition"), part) for part in form.get_payload()]  # type: ignore[union-attr] # a form has parts
    names = [name for name, _ in parts]
    assert names.count("keyterms[]") == 2
    model = next(op for op in OPERATIONS.values() if op.multipart and "audio" in op.path).fields()["request_body"][1]
    assert set(names) <= {field.alias or name for name, field in model.model_fields.items()}
    sent = dict(parts)["file"]
    assert (sent.get_filename(), sent.get_content_type()) == ("a.mp3", "audio/mpeg")  # type: ignore[union-attr] # a part is a message
    assert sent.get_payload(decode=True) == file.content  # type: ignore[union-attr] # a part is a message


# --- what is answered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda op: op.name)
@quickly
@given(data=st.data())
def test_answers_made_from_its_models_are_read_and_nothing_is_lost(operation: Operation, data: st.DataObject) -> None:
    endpoint, model = endpoint_of(operation), operation.answer()
    if model is None:
        assert endpoint.kind != "json"
        return
    assert endpoint.kind == "json"
    theirs = data.draw(values(model))
    ours, complaint = converted(theirs, endpoint.answer)
    if complaint:
        assert explained(complaint, differences.ANSWERS_REFUSED), complaint
        return
    lost = missing_from(theirs, msgspec.to_builtins(ours))
    assert [path for path in lost if path.partition(":")[0] not in differences.LOST] == []


STREAMS: dict[str, Any] = {
    "ChatStreamingResponse": ChatCompletionChunk,
    "ResponsesStreamingResponse": ResponsesEvent,
    "ImageStreamingResponse": ImageEvent,
}


@pytest.mark.parametrize("stream", STREAMS)
@quickly
@given(data=st.data())
def test_events_made_from_its_models_are_read_and_nothing_is_lost(stream: str, data: st.DataObject) -> None:
    event = STREAMS[stream]
    theirs = data.draw(values(getattr(components, stream)))["data"]
    ours = msgspec.to_builtins(msgspec.json.decode(msgspec.json.encode(theirs), type=event))
    lost = [path for path in missing_from(theirs, ours) if not path.startswith(".response.output_text")]
    assert lost == []
