"""assemble: each parameter goes where it belongs, can be read back from there, and nothing else can be smuggled in."""

from __future__ import annotations

import json
from decimal import Decimal
from email import message_from_bytes
from email.message import Message
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from tests.core.strategies import JSON

from openrouter_core.assemble import build_call
from openrouter_core.endpoint import ByCursor, ByOffset, CallSettings, Endpoint, HttpRequest, Raw
from openrouter_core.endpoints import access, catalogue, inference, management, organization
from openrouter_core.endpoints.table import TABLE
from openrouter_core.errors import InvalidRequest
from openrouter_core.wire.audio import TranscriptionUpload
from openrouter_core.wire.batches import BatchItem, BatchRequest, ListBatches
from openrouter_core.wire.decisions import DecisionsRequest
from openrouter_core.wire.embeddings import EmbeddingInput, EmbeddingsRequest
from openrouter_core.wire.files import FileId, UploadFile
from openrouter_core.wire.guardrails import UpdateGuardrail
from openrouter_core.wire.keys import CreateKey, KeyHash, UpdateKey
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.models import ListModels, ModelName
from openrouter_core.wire.options import RequestOptions
from openrouter_core.wire.organization import UserName
from openrouter_core.wire.params import FileUpload, Id, Parameters
from openrouter_core.wire.parts import TextPart
from openrouter_core.wire.presets import PresetFromChat
from openrouter_core.wire.private_endpoints import CreatePrivateEndpoint
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.responses import ResponsesRequest

HOME = CallSettings(base_url="https://host/api/v1", headers=(("HTTP-Referer", "https://me"),))
TEXT = st.text(st.characters(codec="utf-8"), min_size=1)


def built(endpoint: Endpoint[Any, Any], params: Parameters, **how: Any) -> HttpRequest:
    return build_call(endpoint, params, HOME, **how).unwrap()


def refused(endpoint: Endpoint[Any, Any], params: Any, **how: Any) -> InvalidRequest:
    return build_call(endpoint, params, HOME, **how).failure()


# --- where parameters go --------------------------------------------------------------------------------------------


@given(TEXT)
def test_any_text_in_a_path_comes_out_as_it_went_in_and_stays_one_step(user: str) -> None:
    """Exists because `..`, `/`, `?` and `#` would lead to another address."""
    result = build_call(organization.GET_EXTERNAL_USER, UserName(user=user), HOME)
    if user in (".", ".."):
        assert result.failure().field == "user"
        return
    parts = urlsplit(result.unwrap().url)
    assert unquote(parts.path.removeprefix("/api/v1/external-users/")) == user
    assert (parts.path.count("/"), parts.query, parts.fragment) == (4, "", "")
    assert parts.path.isascii()


@given(TEXT, st.floats(0, 1e6), st.integers(0, 10**6))
def test_any_value_in_a_query_comes_out_as_it_went_in(text: str, price: float, offset: int) -> None:
    params = ListModels(q=text, min_price=price, offset=offset, extra={text + "!": text, "flag": True})
    parts = urlsplit(built(catalogue.LIST_MODELS, params).url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    assert query == {
        "q": text,
        "min_price": query["min_price"],
        "offset": str(offset),
        text + "!": text,
        "flag": "true",
    }
    assert float(query["min_price"]) == price
    assert not parts.fragment


@given(st.dictionaries(TEXT, JSON, max_size=3))
def test_what_is_sent_is_the_same_each_time_and_holds_extra(extra: dict[str, Any]) -> None:
    known = set(CreateKey.__struct_encode_fields__)
    params = CreateKey(name="n", extra={key: value for key, value in extra.items() if key not in known})
    one, two = build_call(access.CREATE_KEY, params, HOME), build_call(access.CREATE_KEY, params, HOME)
    assert one == two
    if one.value_or(None) is not None:
        assert json.loads(one.unwrap().body)["name"] == "n"


def test_no_value_ends_where_another_would() -> None:
    url = built(catalogue.LIST_MODELS, ListModels(q="a/b", extra={"c/d": "e&f"})).url
    assert url.endswith("/models?q=a%2Fb&c%2Fd=e%26f")


def test_a_list_repeats_its_name_and_none_is_not_sent() -> None:
    params = ListBatches(limit=2, status=["failed", "expired"])
    assert (
        built(inference.LIST_BATCHES, params).url == "https://host/api/v1/batches?limit=2&status=failed&status=expired"
    )
    assert built(inference.LIST_BATCHES, ListBatches()) == HttpRequest(
        "GET", "https://host/api/v1/batches", HOME.headers
    )


def test_a_body_is_json_and_money_keeps_its_digits() -> None:
    request = built(access.CREATE_KEY, CreateKey(name="n", limit=Decimal("0.10000000000000000001")))
    assert request.body == b'{"name":"n","limit":0.10000000000000000001}'
    assert dict(request.headers) == {"Content-Type": "application/json", "HTTP-Referer": "https://me"}
    assert request.key == "management"


def test_an_update_can_leave_clear_and_set() -> None:
    assert built(access.UPDATE_KEY, UpdateKey(hash="h")).body == b"{}"
    request = built(access.UPDATE_KEY, UpdateKey(hash="h", limit=None, limit_reset="daily"))
    assert (request.url, json.loads(request.body)) == (
        "https://host/api/v1/keys/h",
        {"limit": None, "limit_reset": "daily"},
    )
    guardrail = UpdateGuardrail(id="g", allowed_models=None, description=UNSET)
    assert json.loads(built(management.UPDATE_GUARDRAIL, guardrail).body) == {"allowed_models": None}


def test_a_post_without_parameters_of_its_own_has_no_body() -> None:
    request = built(organization.ENABLE_PRIVATE_ENDPOINT, Id(id="e"))
    assert (request.url, request.headers, request.body) == (
        "https://host/api/v1/private-endpoints/e/enable",
        HOME.headers,
        b"",
    )
    assert built(organization.START_SYNC, Parameters(extra={"new": 1})).body == b'{"new":1}'


def test_another_version_of_the_api_has_its_own_root() -> None:
    params = DecisionsRequest(model="m", state="s", questions={"q": {"type": "score", "instructions": "?"}})
    assert built(inference.DECISIONS, params).url == "https://host/api/alpha/decisions"
    elsewhere = CallSettings(base_url="http://localhost:8080/")
    assert build_call(inference.DECISIONS, params, elsewhere).unwrap().url == "http://localhost:8080/alpha/decisions"
    below = CallSettings(base_url="http://localhost:8080/X/")
    assert build_call(inference.DECISIONS, params, below).unwrap().url == "http://localhost:8080/X/alpha/decisions"


def test_a_batch_names_endpoint_and_model_before_its_requests() -> None:
    """OpenRouter reads the body as a stream, and must know them by then."""
    item = BatchItem(custom_id="1", body={"messages": []})
    params = BatchRequest(requests=[item], callback_url="https://me/done", model="m", endpoint="/v1/chat/completions")
    body = built(inference.CREATE_BATCH, params).body
    assert list(json.loads(body)) == ["endpoint", "model", "callback_url", "requests"]


def test_a_header_of_its_own() -> None:
    params = CreatePrivateEndpoint(model_permaslug="m", provider_slug="p", upstream_model_id="u", idempotency_key="k")
    request = built(organization.CREATE_PRIVATE_ENDPOINT, params)
    assert dict(request.headers)["idempotency-key"] == "k"
    assert b"idempotency" not in request.body
    broken = msgspec.structs.replace(params, idempotency_key="k\r\nX-Other: 1")
    assert refused(organization.CREATE_PRIVATE_ENDPOINT, broken).field == "idempotency-key"


def test_the_whole_body_may_be_one_parameter() -> None:
    inner = ChatCompletionRequest(
        messages=[ChatMessage.user("hi")], extra={"new": 1}, options=RequestOptions(metadata=True)
    )
    params = PresetFromChat(slug="s", request=inner, options=RequestOptions(session_id="x"), extra={"newer": 2})
    request = built(access.CREATE_PRESET_FROM_CHAT, params)
    assert request.url == "https://host/api/v1/presets/s/chat/completions"
    assert set(json.loads(request.body)) == {"messages", "new", "newer"}
    assert {"X-OpenRouter-Metadata": "enabled", "x-session-id": "x"}.items() <= dict(request.headers).items()
    plain = PresetFromChat(slug="s", request=ChatCompletionRequest(messages=[ChatMessage.user("hi")]))
    assert list(json.loads(built(access.CREATE_PRESET_FROM_CHAT, plain).body)) == ["messages"]
    shadowing = PresetFromChat(
        slug="s", request=ChatCompletionRequest(messages=[ChatMessage.user("hi")], extra={"messages": 1})
    )
    assert refused(access.CREATE_PRESET_FROM_CHAT, shadowing).field == "extra.messages"
    outside = msgspec.structs.replace(plain, extra={"slug": 1})
    assert refused(access.CREATE_PRESET_FROM_CHAT, outside).field == "extra.slug"


def test_typed_settings_and_mappings_are_the_same() -> None:
    typed = EmbeddingsRequest(model="m", input=[EmbeddingInput(content=[TextPart(text="t")])])
    mapped = EmbeddingsRequest(model="m", input=[{"content": [{"type": "text", "text": "t"}]}])
    assert built(inference.EMBEDDINGS, typed) == built(inference.EMBEDDINGS, mapped)
    own = ResponsesRequest(provider=MappingProxyType({"only": ("x",)}))
    assert built(inference.RESPONSES, own).body == b'{"provider":{"only":["x"]}}'


def test_a_stream_is_asked_for_where_there_is_one() -> None:
    params = ResponsesRequest(input="hi")
    assert json.loads(built(inference.RESPONSES, params, stream=True).body) == {"input": "hi", "stream": True}
    told = refused(access.GET_CREDITS, Parameters(), stream=True)
    assert told.message == "stream is not what GET /credits offers: call it without"


# --- forms ----------------------------------------------------------------------------------------------------------


def form_of(request: HttpRequest) -> list[tuple[Any, Message]]:
    content_type = dict(request.headers)["Content-Type"]
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
    return [
        (each.get_param("name", header="content-disposition"), each)
        for each in cast("list[Message]", whole.get_payload())
    ]


@given(st.binary(), st.text(st.characters(codec="utf-8", exclude_categories=["C"])))
def test_a_file_comes_out_of_the_form_as_it_went_in(content: bytes, name: str) -> None:
    params = UploadFile(file=FileUpload(name=name, content=content), workspace_id="w")
    request = built(inference.UPLOAD_FILE, params)
    assert request == built(inference.UPLOAD_FILE, params)
    assert request.url == "https://host/api/v1/files?workspace_id=w"
    boundary = dict(request.headers)["Content-Type"].partition("boundary=")[2].encode()
    assert request.body.count(b"--" + boundary) == 2
    start = request.body.index(b"\r\n\r\n") + 4
    assert request.body[start : -len(boundary) - 8] == content


def test_the_fields_of_a_form() -> None:
    params = TranscriptionUpload(
        model="m",
        file=FileUpload(name='a".mp3', content=b"x", content_type="audio/mpeg"),
        keyterms=["a", "b"],
        provider={"options": {"x": 1}},
        diarize=False,
        temperature=0.5,
    )
    fields = form_of(built(inference.TRANSCRIPTION_UPLOADS, params))
    texts = [(name, part.get_payload()) for name, part in fields if part.get_filename() is None]
    assert texts == [
        ("provider", '{"options":{"x":1}}'),
        ("model", "m"),
        ("temperature", "0.5"),
        ("keyterms[]", "a"),
        ("keyterms[]", "b"),
        ("diarize", "false"),
    ]
    [file] = [part for _, part in fields if part.get_filename() is not None]
    assert (file.get_filename(), file.get_content_type(), file.get_payload()) == ("a%22.mp3", "audio/mpeg", "x")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        (UploadFile(file=FileUpload(name="\ud800", content=b"")), "file.name"),
        (UploadFile(file=FileUpload(name="a", content=b"", content_type="a\r\nb")), "file.content_type"),
        (UploadFile(file=FileUpload(name="a", content=b""), extra={"a": float("nan")}), "a"),
        (UploadFile(file=FileUpload(name="a", content=b""), extra={"a": [None]}), "a"),
        (UploadFile(file=FileUpload(name="a", content=b""), extra={"a": Decimal("NaN")}), "a"),
        (UploadFile(file=FileUpload(name="a", content=b""), extra={"a": {"b": Decimal("Infinity")}}), "a.b"),
        (UploadFile(file=FileUpload(name="a", content=b""), workspace_id="\ud800"), "workspace_id"),
        (UploadFile(file=FileUpload(name="a", content=b""), extra={"a": {"b": float("inf")}}), "a.b"),
    ],
)
def test_a_form_holds_nothing_that_cannot_be_written(params: UploadFile, field: str) -> None:
    assert refused(inference.UPLOAD_FILE, params).field == field


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "params", "message"),
    [
        (access.GET_KEY, KeyHash(hash=""), "hash = '': must be a string of length at least 1"),
        (access.GET_KEY, KeyHash(hash="\ud800"), "hash = '\\ud800': must be text without lone surrogates"),
        (access.GET_KEY, KeyHash(hash="."), "hash = '.': must be a name that can stand in an address"),
        (organization.GET_EXTERNAL_USER, UserName(user=""), "user = '': must be"),
        (
            inference.RESPONSES,
            ResponsesRequest(plugins=[{"id": "fusion", "max_tool_calls": 0}]),
            "plugins[0].max_tool_calls = 0: must be an integer at least 1",
        ),
        (access.GET_KEY, KeyHash(hash=".."), "hash = '..': must be a name that can stand in an address"),
        (access.GET_KEY, Parameters(), "params = Parameters(): must be KeyHash(...)"),
        (
            access.GET_KEY,
            KeyHash(hash="h", extra={"hash": 1}),
            "extra.hash must not be given in extra: set the field hash",
        ),
        (access.GET_KEY, KeyHash(hash="h", extra={"a": {}}), "a = {}: must be text, a number, True or False"),
        (
            access.GET_KEY,
            KeyHash(hash="h", extra={"\ud800": 1}),
            "extra = '\\ud800': must be text without lone surrogates",
        ),
        (
            access.CREATE_KEY,
            CreateKey(name="n", limit=Decimal("NaN")),
            "limit = Decimal('NaN'): must be a finite number",
        ),
        (access.CREATE_KEY, CreateKey(name="n", limit=float("inf")), "limit = inf: must be a finite number"),
        (access.CREATE_KEY, CreateKey(name=cast("Any", 5)), "name = 5: must be a string, not an integer"),
        (access.CREATE_KEY, CreateKey(name=cast("Any", object())), "name = <object object at"),
        (catalogue.LIST_MODELS, ListModels(limit=0), "limit = 0: must be at least 1"),
        (inference.RESPONSES, ResponsesRequest(temperature=3), "temperature = 3: must be between 0 and 2"),
        (
            access.GET_CREDITS,
            Parameters(options=RequestOptions(headers={"Authorization": "x"})),
            "options.headers['Authorization'] cannot be set",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_its_bound(
    endpoint: Endpoint[Any, Any], params: Parameters, message: str
) -> None:
    assert refused(endpoint, params).message.startswith(message)


class Named(Parameters, frozen=True, kw_only=True):
    """Parameters of an endpoint that is none of the table's."""

    name: str


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_step_that_would_be_dropped_is_refused(name: str) -> None:
    endpoint = Endpoint("GET", "/names/{name}", Named, Raw)
    bound = "must be a name that can stand in an address: not '', '.' or '..'"
    assert refused(endpoint, Named(name=name)).message == f"name = {name!r}: {bound}"


@given(st.text())
def test_no_header_can_be_smuggled_in(value: str) -> None:
    params = Id(id="e", options=RequestOptions(headers={"X-Mine": value}))
    for _, text in build_call(organization.GET_DESTINATION, params, HOME).map(lambda it: it.headers).value_or(()):
        assert text.isprintable()
        assert text.isascii()


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_each_line_of_the_table_hangs_together(name: str) -> None:
    endpoint = TABLE[name]
    fields = set(endpoint.params.__struct_encode_fields__)
    named = {step[1:-1] for step in endpoint.path.split("/") if step.startswith("{")}
    assert endpoint.path.startswith("/")
    assert not endpoint.path.endswith("/")
    assert named | set(endpoint.query) | {field for field, _ in endpoint.headers} <= fields
    assert not endpoint.whole or endpoint.whole in fields
    assert endpoint.method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert endpoint.method == "POST" or endpoint.repeatable, "only what makes something is not to be repeated"
    if endpoint.kind == "json":
        msgspec.json.Decoder(endpoint.answer)
    if endpoint.pages is not None:
        here = "offset" if isinstance(endpoint.pages, ByOffset) else endpoint.pages.param
        assert here in fields
        assert isinstance(endpoint.pages, ByOffset) or endpoint.pages.mark in ("last_id", "cursor")


def test_no_two_lines_are_the_same_operation() -> None:
    places = [(endpoint.method, endpoint.base, endpoint.path, endpoint.form) for endpoint in TABLE.values()]
    assert len(set(places)) == len(places) >= 142


def test_the_kinds_of_answers_and_of_pages() -> None:
    assert inference.SPEECH.kind == "bytes"
    assert access.DELETE_SECRET.kind == "empty"
    assert access.GET_CREDITS.kind == "json"
    assert inference.LIST_FILES.pages == ByCursor("cursor", "cursor")


def test_slugs_are_two_steps() -> None:
    params = ModelName(author="x-ai", slug="grok-4.7:free")
    assert built(catalogue.GET_MODEL, params).url == "https://host/api/v1/model/x-ai/grok-4.7%3Afree"
    assert built(inference.GET_FILE, FileId(file_id="f", provider="openai")).url.endswith("/files/f?provider=openai")
