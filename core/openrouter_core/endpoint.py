"""An endpoint of the API as a value, and the HTTP request that a call of it becomes."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

import msgspec

Params = TypeVar("Params")
Answer = TypeVar("Answer")

Headers = tuple[tuple[str, str], ...]


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent, ready to send, but for the key: the transport alone adds `Authorization`."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


class Endpoint(msgspec.Struct, Generic[Params, Answer], frozen=True):
    """One operation of the API: where it is, what it takes, what it answers, and which key it wants.

    `path` is relative to `base_url`. `repeatable` tells whether sending it twice does no harm beyond its price.
    """

    method: str
    path: str
    params: type[Params]
    answer: type[Answer]
    key: Literal["inference", "management", "none"] = "inference"
    repeatable: bool = True
