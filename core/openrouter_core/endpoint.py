"""An endpoint of the API as a value, and the HTTP request that a call of it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, Generic, Literal, TypeVar

import msgspec

Params = TypeVar("Params")
Answer = TypeVar("Answer")

Headers = tuple[tuple[str, str], ...]

Key = Literal["inference", "management", "none"]
"""Which key a request wants. A management key cannot do inference, nor an inference key manage."""


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all calls of a client: where the API is, and the headers of `app_headers`, checked."""

    base_url: str
    headers: Headers = ()


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent, ready to send, but for the key: the transport alone adds `Authorization`.

    `url` is percent-encoded already, and must not be encoded again. `key` says which key is to be added.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    key: Key = "inference"


class Raw(msgspec.Struct, frozen=True):
    """A good answer as it came: the names of `headers` are in lower case, `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Give the body, decoded as plain JSON values; raises msgspec.DecodeError if it is not JSON."""
        return msgspec.json.decode(self.body)


KINDS: dict[Any, Literal["bytes", "empty", "raw"]] = {bytes: "bytes", NoneType: "empty", Raw: "raw"}
"""What the body of an answer is that is not JSON, by the answer's type."""


class ByOffset(msgspec.Struct, frozen=True, tag=True):
    """Pages by number of items: the next one begins after all that came, until `total_count` or an empty page."""


class ByCursor(msgspec.Struct, frozen=True, tag=True):
    """Pages by mark: the answer's field `mark` goes into the parameter `param`, as long as there is more."""

    param: str = "after"
    mark: str = "last_id"


Pages = ByOffset | ByCursor


class Endpoint(msgspec.Struct, Generic[Params, Answer], frozen=True):
    """One operation of the API: where it is, what it takes, what it answers, and which key it wants.

    `path` is relative to `base_url`, or where `base` names another version of the API ("alpha"), to that one's root.
    `repeatable` tells whether sending it twice does no harm beyond its price; what is not repeatable is sent again only
    when it was certainly not done. `billed` says that what it does has a price.

    Where a parameter goes follows from its name: what the path names goes into the path, the rest into the query of GET
    and DELETE and into the JSON body of the others. The exceptions: `query` are names that go into the query although
    there is a body, `headers` pairs of a name and the header that it becomes, `whole` the one name whose value is the
    body, and with `form` the body is multipart/form-data.

    An `answer` of bytes is handed over as it came, as is one that is `Raw`, with status and headers; one of None is
    empty (HTTP 204), all others are JSON. `events` is
    the type of its events where it can also answer as a stream. `reports` says that an `error` in a good answer belongs
    to the job that it tells about, and is no failure of this call.
    """

    method: str
    path: str
    params: type[Params]
    answer: type[Answer]
    key: Key = "inference"
    repeatable: bool = True
    base: str = ""
    query: tuple[str, ...] = ()
    headers: Headers = ()
    whole: str = ""
    form: bool = False
    events: type[Any] | None = None
    reports: bool = False
    billed: bool = False
    pages: Pages | None = None

    @property
    def kind(self) -> Literal["json", "bytes", "empty", "raw"]:
        """What the body of a good answer is."""
        return KINDS.get(self.answer, "json")
