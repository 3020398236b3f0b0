"""The catalogue's pages: models, listed, counted and one by one, as OpenRouter lists them. Pure."""

import re
from collections.abc import Mapping

from openrouter_client.simulator import catalog
from openrouter_client.simulator.envelopes import plain
from openrouter_client.simulator.loose import Json
from openrouter_client.simulator.wire import Reply, json_reply

_LISTS = ("/api/v1/models", "/api/v1/models/user")
_ONE = re.compile(r"/api/v1/model/([^/]+/[^/]+)|/api/v1/models/([^/]+/[^/]+)/endpoints")


def listing(path: str, query: Mapping[str, str]) -> Reply | None:
    """The page of a path; None for a path that is none of the catalogue's."""
    if path in _LISTS:
        return _list(query)
    if path == "/api/v1/models/count":
        return json_reply("ok", 200, {"data": {"count": len(catalog.MODELS)}})
    match = _ONE.fullmatch(path)
    if match is None:
        return None
    slug = (match[1] or match[2]).replace("%3A", ":")
    model = next((one for one in catalog.MODELS if one.id == slug), None)
    if model is None:
        return plain(404, f"Model {slug} not found")
    return json_reply("ok", 200, {"data": catalog.listed(model) if match[1] else _endpoints(model)})


def _list(query: Mapping[str, str]) -> Reply:
    words = query.get("q", "").lower()
    found = [model for model in catalog.MODELS if words in model.id or words in model.name.lower()]
    first = _whole(query.get("offset"), 0)
    shown = found[first : first + _whole(query.get("limit"), len(found))]
    beyond = first + len(shown)
    more = f"/api/v1/models?offset={beyond}&limit={len(shown)}" if shown and beyond < len(found) else None
    data = [catalog.listed(model) for model in shown]
    return json_reply("ok", 200, {"data": data, "total_count": len(found), "links": {"next": more}})


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise


def _endpoints(model: catalog.Model) -> Json:
    listed = catalog.listed(model)
    house = model.house.provider
    endpoint: Json = {
        "name": f"{house} | {model.id}",
        "model_id": model.id,
        "model_name": model.name,
        "provider_name": house,
        "tag": house.lower().replace(" ", "-"),
        "context_length": model.context,
        "max_completion_tokens": 16_384,
        "max_prompt_tokens": None,
        "quantization": "unknown",
        "status": 0,
        "uptime_last_30m": 100,
        "uptime_last_5m": 100,
        "uptime_last_1d": 100,
        "supports_implicit_caching": False,
        "latency_last_30m": None,
        "throughput_last_30m": None,
        "pricing": listed["pricing"],
        "supported_parameters": listed["supported_parameters"],
    }
    names = ("id", "name", "created", "description", "architecture")
    return {**{name: listed[name] for name in names}, "endpoints": [endpoint]}
