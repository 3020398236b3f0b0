"""The kinds of trouble that the simulator can make, as data. Pure; `trouble` names them, `sabotage` carries them out.

A fault says what goes wrong, never how it is sent. Times are seconds, sizes are MiB.
"""

from typing import Literal

from msgspec import Struct, field

Hint = Literal["retry-after", "retry-date", "rate-limit", "mirrored", "daily", "body", "availability"]
"""Where a refusal says when to come back: the header `Retry-After` in seconds or as a date, the headers
`X-RateLimit-*` or their copies in the body's metadata, the next midnight UTC, `metadata.retry_after_seconds`, or
`availability.retry_after`."""

Unclear = Literal["html", "cloudflare", "empty", "text", "badjson", "wrong-shape"]
"""Bodies that are no answer: a page, Cloudflare's error page, nothing, plain text, JSON cut short, other JSON."""

Hollow = Literal["error-only", "null-choices", "choice-error", "no-choices", "no-content"]
"""A 200 that is none: an error instead of choices, an error beside `choices: null`, an error inside the choice,
`choices: []`, and a choice with nothing in it for 0 completion tokens."""

Break = Literal["error", "bare", "alone", "late", "cut", "stall", "malformed", "unfinished"]
"""How a stream goes wrong: an error in the last choice, beside `choices: []`, alone in its chunk, or after a
finish_reason and with usage; a clean end with no finish_reason; comments for ever; a chunk that is not JSON; no
`[DONE]` at the end of an otherwise whole stream (which is legal)."""


class Healthy(Struct, frozen=True):
    """Nothing goes wrong."""


class Slow(Struct, frozen=True, kw_only=True):
    """The answer comes so many seconds late."""

    seconds: float


class Refusal(Struct, frozen=True, kw_only=True):
    """An HTTP error with one of OpenRouter's envelopes.

    - `code`: what `error.code` says if that is not the status. `{model}` and `{provider}` in texts are filled in.
    - `availability`: the code of the `availability` object; such an envelope has no `error.code`.
    - `zod`: the second envelope, `{"success": false, "error": {"name": "ZodError", ...}}`.
    - `seconds`: what the hints say.
    """

    status: int
    message: str
    code: int | str | None = None
    metadata: dict[str, object] = field(default_factory=dict[str, object])
    availability: str = ""
    retryable: bool = False
    error_type: str = ""
    zod: bool = False
    hints: tuple[Hint, ...] = ()
    seconds: float = 1.0


class Unreadable(Struct, frozen=True, kw_only=True):
    """A body that is no answer, under the given status."""

    body: Unclear
    status: int = 200


class Huge(Struct, frozen=True, kw_only=True):
    """A well-formed answer of so many MiB; compressed, it is small on the wire."""

    mebibytes: float
    compressed: bool = False


class False200(Struct, frozen=True, kw_only=True):
    """A 200 that is a failure. `code` is what its error says; it may be a string."""

    shape: Hollow
    code: int | str = 502


class Drip(Struct, frozen=True, kw_only=True):
    """One byte of whitespace every so many seconds: `times` times before the answer, or for ever."""

    seconds: float
    times: int | None = None


class Silent(Struct, frozen=True):
    """The request is read, and nothing is ever said."""


class Lost(Struct, frozen=True, kw_only=True):
    """The connection ends before the answer (with a RST or a FIN)."""

    reset: bool = False


class Cut(Struct, frozen=True, kw_only=True):
    """The connection ends in the middle of the body. `framing` is how the body's end would have been known."""

    framing: Literal["length", "chunked", "close"] = "length"
    reset: bool = False


class Redirect(Struct, frozen=True, kw_only=True):
    """A redirection to another host: whoever follows it carries the key along."""

    status: int = 302
    location: str = "http://127.0.0.1:9/elsewhere"


class BrokenStream(Struct, frozen=True, kw_only=True):
    """A stream that starts well (or not even that: `at_once`) and then breaks.

    - `done`: whether `[DONE]` follows.
    - `seconds`: between the comments of a stall.
    - `plainly`: the name of the fault that a request without `stream` meets instead.
    """

    shape: Break
    plainly: str
    at_once: bool = False
    code: int | str = 502
    done: bool = False
    seconds: float = 0.5


class NotAStream(Struct, frozen=True, kw_only=True):
    """A stream request gets JSON or HTML with status 200; other requests meet the fault named `plainly`."""

    body: Literal["json", "html"]
    plainly: str


class BatchEnds(Struct, frozen=True, kw_only=True):
    """A batch that does not complete: the first `share` of its requests have answers. Other requests are unharmed."""

    status: Literal["failed", "expired", "cancelled"]
    share: float = 0.5


Fault = (
    Healthy
    | Slow
    | Refusal
    | Unreadable
    | Huge
    | False200
    | Drip
    | Silent
    | Lost
    | Cut
    | Redirect
    | BrokenStream
    | NotAStream
    | BatchEnds
)
"""Everything that can go wrong, and nothing going wrong."""
