"""What belongs to a request but travels in its headers. Shapes only.

Source: OpenRouter docs, guides/features (response caching, router metadata) and api_reference/overview.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from openrouter_core.wire.shape import Shape

CacheSeconds = Annotated[int, Meta(ge=1, le=86_400)]
SessionId = Annotated[str, Meta(max_length=256)]


class RequestOptions(Shape, frozen=True, kw_only=True):
    """Settings of one request that are sent as headers; None leaves the header out.

    - `session_id`: groups requests (`x-session-id`); a `session_id` in the request itself wins.
    - `cache`: answer from OpenRouter's response cache where it can, free of charge (`X-OpenRouter-Cache`).
    - `cache_ttl_secs`: how long to keep the answer, 1 to 86400 seconds, 300 where absent (`X-OpenRouter-Cache-TTL`).
    - `cache_clear`: forget the kept answer first (`X-OpenRouter-Cache-Clear`).
    - `metadata`: say in the answer how it was routed (`X-OpenRouter-Metadata`).
    - `anthropic_beta`: Anthropic's beta features, one or several (`x-anthropic-beta`).
    - `app_visibility`: `X-OpenRouter-App-Visibility`.
    - `headers`: any others. They win over all headers above, but cannot replace those that make the HTTP request work.
    """

    session_id: SessionId | None = None
    cache: bool | None = None
    cache_ttl_secs: CacheSeconds | None = None
    cache_clear: bool | None = None
    metadata: bool | None = None
    anthropic_beta: str | Sequence[str] | None = None
    app_visibility: str | None = None
    headers: Mapping[str, str] | None = None
