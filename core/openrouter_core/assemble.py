"""What is sent for a call of any endpoint: its parameters -> the HTTP request, or what is wrong with them.

    parameters --check--> plain values --+--> path     names in the template, percent-encoded
                                         +--> query    the rest of GET and DELETE, and the exceptions
                                         +--> headers  the exceptions, and `options`
                                         +--> body     the rest: JSON, or a form with files

Pure; never raises. The same parameters built twice give the same bytes. Chat completions have `build.build_chat`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.endpoint import CallSettings, Endpoint, Headers, HttpRequest
from openrouter_core.envelope import items
from openrouter_core.errors import InvalidRequest
from openrouter_core.headers import JSON_BODY, merge, problem_with
from openrouter_core.multipart import form_data
from openrouter_core.plain import AS_THEY_ARE, encoded, plain, unencodable
from openrouter_core.refuse import misfit, ranges_of, refuse
from openrouter_core.wire.params import FileUpload, Parameters
from openrouter_core.wire.shape import Shape

NUMBERS = msgspec.json.Encoder(decimal_format="number")
"""Amounts of money are numbers in JSON; as decimals they keep their digits."""

BODY_METHODS = ("POST", "PUT", "PATCH")
SOME_HEADER = "X-Type"


class _Placed(Shape, frozen=True, kw_only=True):
    """Plain values, each where it goes. Without a `body` none is sent."""

    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    options: dict[str, Any]
    body: dict[str, Any] | None


def build_call(
    endpoint: Endpoint[Any, Any], params: Parameters, settings: CallSettings, *, stream: bool = False
) -> Result[HttpRequest, InvalidRequest]:
    """Make what is sent for a call, asking for a stream of events where `stream` says so.

    Fails with `InvalidRequest`, naming the field, its value and the bound that it breaks.
    """
    if not isinstance(params, endpoint.params):
        return Failure(refuse("params", f"must be {endpoint.params.__name__}(...)", params))
    if stream and endpoint.events is None:
        return Failure(refuse("stream", f"is not what {endpoint.method} {endpoint.path} offers: call it without"))
    checked = _checked(endpoint.params, params)
    if isinstance(checked, Failure):
        return checked
    placed = _placed(endpoint, checked.unwrap(), stream=stream)
    if isinstance(placed, InvalidRequest):
        return Failure(placed)
    problem = _problem(endpoint, placed)
    if problem is not None:
        return Failure(problem)
    written = _written(endpoint, placed.body)
    if isinstance(written, Failure):
        return written
    kind, body = written.unwrap()
    named = tuple((header, _text(value)) for header, value in placed.headers.items())
    merged = merge(kind + settings.headers + named, placed.options)
    if isinstance(merged, Failure):
        return merged
    return Success(HttpRequest(endpoint.method, _url(endpoint, settings, placed), merged.unwrap(), body, endpoint.key))


# --- which value goes where -----------------------------------------------------------------------------------------


def _checked(kind: type[Parameters], params: Parameters) -> Result[dict[str, Any], InvalidRequest]:
    """Hold parameters against their types and bounds; give them as plain values, files and decimals as they are."""
    try:
        values: dict[str, Any] = msgspec.to_builtins(params, enc_hook=plain, builtin_types=(*AS_THEY_ARE, Decimal))
        unfit = misfit(values, kind, ranges_of(kind))
    except Exception:  # noqa: BLE001 callers' own objects run their code here
        return Failure(unencodable(params))
    return Success(values) if unfit is None else Failure(unfit)


def _placed(endpoint: Endpoint[Any, Any], values: dict[str, Any], *, stream: bool) -> _Placed | InvalidRequest:
    options: dict[str, Any] = values.pop("@options", None) or {}
    extra: dict[str, Any] = values.pop("@extra", None) or {}
    shadowed = [name for name in extra if name in endpoint.params.__struct_encode_fields__]
    path = {name: values.pop(name) for name in _steps(endpoint.path)}
    headers = {header: values.pop(name) for name, header in endpoint.headers if name in values}
    query = {name: values.pop(name) for name in endpoint.query if name in values}
    if endpoint.whole:
        values = values.pop(endpoint.whole)
        options = {**(values.pop("@options", None) or {}), **options}
        extra = {**(values.pop("@extra", None) or {}), **extra}
        shadowed += [name for name in extra if name in values]
    if shadowed:
        name = shadowed[0]
        return refuse(f"extra.{name}", f"must not be given in extra: set the field {name} instead")
    rest = values | extra | ({"stream": True} if stream else {})
    if endpoint.method not in BODY_METHODS:
        return _Placed(path=path, query=query | rest, headers=headers, options=options, body=None)
    body = rest if rest or _has_body(endpoint) else None
    return _Placed(path=path, query=query, headers=headers, options=options, body=body)


def _steps(template: str) -> list[str]:
    """List the names in a path's template, in order."""
    return [step[1:-1] for step in template.split("/") if step.startswith("{")]


def _has_body(endpoint: Endpoint[Any, Any]) -> bool:
    """Tell whether an endpoint has parameters of its own for the body: then there is one, if only `{}`."""
    elsewhere = {"@extra", "@options", *_steps(endpoint.path), *endpoint.query, *(name for name, _ in endpoint.headers)}
    return not elsewhere.issuperset(endpoint.params.__struct_encode_fields__)


# --- whether it can be written --------------------------------------------------------------------------------------


def _problem(endpoint: Endpoint[Any, Any], placed: _Placed) -> InvalidRequest | None:
    """Find the first value that cannot stand where it goes."""
    for name, value in placed.path.items():
        if (problem := _unwritable(name, value)) is not None:
            return problem
        if value in ("", ".", ".."):  # servers and proxies would drop the step, and serve another address
            return refuse(name, "must be a name that can stand in an address: not '', '.' or '..'", value)
    for header, value in placed.headers.items():
        if (problem := _unwritable(header, value) or problem_with(header, header, _text(value))) is not None:
            return problem
    texts = _pairs(placed.query)
    if endpoint.form:
        texts += _pairs({name: value for name, value in (placed.body or {}).items() if not _is_object(value)})
    for name, value in texts:
        if (problem := _unwritable("extra", name) or _unwritable(name, value)) is not None:
            return problem
    return None


def _unwritable(name: str, value: Any) -> InvalidRequest | None:
    """Say why a value cannot be written as text, if it cannot."""
    if not isinstance(value, str | int | float | Decimal):
        return refuse(name, "must be text, a number, True or False", value)
    written = encoded({name: value}, encoder=NUMBERS)
    return written if isinstance(written, InvalidRequest) else None


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


# --- how it is written ----------------------------------------------------------------------------------------------


def _url(endpoint: Endpoint[Any, Any], settings: CallSettings, placed: _Placed) -> str:
    root = settings.base_url.rstrip("/")
    if endpoint.base:
        root = f"{root.removesuffix('/v1')}/{endpoint.base}"
    path = endpoint.path
    for name, value in placed.path.items():
        path = path.replace(f"{{{name}}}", quoted(_text(value)))
    query = "&".join(f"{quoted(name)}={quoted(_text(value))}" for name, value in _pairs(placed.query))
    return f"{root}{path}?{query}" if query else root + path


def quoted(text: str) -> str:
    """Write a text so that it ends no step and no value of an address."""
    return quote(text, safe="")


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Give each value with its name; a list repeats its name."""
    pairs: list[tuple[str, Any]] = []
    for name, value in values.items():
        pairs.extend((name, item) for item in (items(value) if isinstance(value, list) else [value]))
    return pairs


def _text(value: Any) -> str:
    """Write a plain value as it stands in addresses, forms and headers."""
    return value if isinstance(value, str) else NUMBERS.encode(value).decode()


def _written(
    endpoint: Endpoint[Any, Any], body: dict[str, Any] | None
) -> Result[tuple[Headers, bytes], InvalidRequest]:
    """Write the body, and give it with its Content-Type."""
    if body is None:
        return Success(((), b""))
    if not endpoint.form:
        data = encoded(body, encoder=NUMBERS)
        return Failure(data) if isinstance(data, InvalidRequest) else Success((JSON_BODY, data))
    fields: list[tuple[str, str | FileUpload]] = []
    for name, value in _pairs(body):
        field = _field(name, value)
        if isinstance(field, InvalidRequest):
            return Failure(field)
        fields.append((name, field))
    content_type, data = form_data(fields)
    return Success(((("Content-Type", content_type),), data))


def _field(name: str, value: Any) -> str | FileUpload | InvalidRequest:
    """Write a field of a form: files keep their name and type, mappings are JSON."""
    match value:
        case {"content": bytes()}:
            upload = msgspec.convert(value, FileUpload)
            unwritable = _unwritable(f"{name}.name", upload.name)
            return unwritable or problem_with(f"{name}.content_type", SOME_HEADER, upload.content_type or "") or upload
        case dict():
            flaw = encoded({name: value}, encoder=NUMBERS)
            return flaw if isinstance(flaw, InvalidRequest) else _text(value)
        case _:
            return _text(value)
