"""What the parameters of all endpoints have in common, and those that many share. Shapes only.

A field that is None is not sent. Where an update can also clear a value, UNSET leaves it alone and None sends null.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, UnsetType

from openrouter_core.wire.options import RequestOptions, SessionId
from openrouter_core.wire.routing import ProviderLike
from openrouter_core.wire.settings import TraceLike
from openrouter_core.wire.shape import Shape

T = TypeVar("T")

Clearable: TypeAlias = T | UnsetType | None
"""A value of an update: UNSET leaves it as it is, None clears it."""

Usd: TypeAlias = Decimal | float
"""An amount of money in US dollars."""

Slug = Annotated[str, Meta(min_length=1)]
AtLeastOne = Annotated[int, Meta(ge=1)]
AtLeastZero = Annotated[int, Meta(ge=0)]
ZeroToOne = Annotated[float, Meta(ge=0, le=1)]


class Parameters(Shape, frozen=True, kw_only=True):
    """The parameters of an endpoint that has none; what all others add theirs to.

    `extra` holds parameters that OpenRouter adds tomorrow; they go where the endpoint's own go, and cannot shadow one.
    `options` travels in headers.
    """

    extra: Mapping[str, Any] | None = msgspec.field(name="@extra", default=None)
    options: RequestOptions | None = msgspec.field(name="@options", default=None)


class Id(Parameters, frozen=True, kw_only=True):
    """Names one thing by its id."""

    id: Slug


class Paged(Parameters, frozen=True, kw_only=True):
    """Which part of a list: `limit` items after the first `offset`."""

    offset: AtLeastZero | None = None
    limit: AtLeastOne | None = None


class Inference(Parameters, frozen=True, kw_only=True):
    """What all requests to models have in common.

    `provider` says how to choose one, `session_id` groups requests, `user` is a stable id of the end user, `trace` is
    for observability tools.
    """

    provider: ProviderLike | None = None
    session_id: SessionId | None = None
    user: str | None = None
    trace: TraceLike | None = None


class FileUpload(Shape, frozen=True, kw_only=True):
    """A file to be sent: its bytes, its name, and its media type, such as "audio/mpeg"."""

    name: str
    content: bytes
    content_type: str | None = None
