"""What can go wrong, as values: one frozen struct per kind of failure, all of them `DataSourceError`.

Shapes only. Nothing here decides which failure it was (`classify`) or what to do about it (`policy`).
None is an exception: a function that can fail returns `Result[T, DataSourceError]`, and `unwrap`, in the shell,
is the one place that raises. Every error pickles, compares and prints itself in one line.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import msgspec

from openrouter_core.wire.attempt import Attempt
from openrouter_core.wire.response import ChatCompletionResponse

RAW_LIMIT = 2048
"""How much of an answer's body an error keeps, in characters."""


class DataSourceError(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Why a call gave no answer.

    `message` is the most telling text there is: the upstream provider's own words where OpenRouter passes them on.
    `attempts` lists what was tried, when (seconds since the call began) and how each try ended.
    `generation_id` is OpenRouter's handle of the request (`X-Generation-Id`), present on many errors too.
    `code` is the body's `error.code` (an int, a string or nothing), `status` the HTTP status, where one arrived.
    `error_type` is OpenRouter's canonical name of the error ("rate_limit_exceeded", ...).
    `raw` is the beginning of the body, at most `RAW_LIMIT` characters.
    `partial` is what had arrived of a streamed answer.
    """

    remedy: ClassVar[str] = ""
    """What a person can do about it; closes the line that `str()` gives."""

    message: str
    attempts: tuple[Attempt, ...] = ()
    generation_id: str | None = None
    provider_name: str | None = None
    status: int | None = None
    code: int | str | None = None
    error_type: str | None = None
    raw: str = ""
    partial: ChatCompletionResponse | None = None

    def __str__(self) -> str:
        """Say in one line what happened, to whom, after how many attempts, and what can be done."""
        facts = [f"HTTP {self.status}"] if self.status is not None else []
        if self.code is not None and self.code != self.status:
            facts.append(f"code {self.code}")
        facts += [text for text in (self.error_type, self.provider_name, self.generation_id) if text]
        if len(self.attempts) > 1:
            facts.append(f"{len(self.attempts)} attempts in {self.attempts[-1].ended:.1f} s")
        told = f" [{', '.join(facts)}]" if facts else ""
        advice = f". {self.advice()}" if self.advice() else ""
        return " ".join(f"{type(self).__name__}: {self.message.rstrip('. ')}{told}{advice}".split())

    def advice(self) -> str:
        """Give the remedy; variants that know more than their name say more."""
        return self.remedy


class ConnectError(DataSourceError, frozen=True, kw_only=True):
    """No connection could be made, so nothing was sent and nothing can be billed.

    `kind` tells which step failed: "dns", "refused", "tls", "reset", "proxy", "closed" (the client), or "other".
    """

    remedy = "Check the network, the proxy settings and base_url"

    kind: str = "other"
    host: str = ""
    errno: int | None = None


class AuthError(DataSourceError, frozen=True, kw_only=True):
    """The key is missing, malformed or not accepted (401). `key` is the kind that is wanted, where that is known."""

    remedy = "Set OPENROUTER_API_KEY or OpenRouterConfig(api_key=...) to a valid key from openrouter.ai/settings/keys"

    key: str = "inference"

    def advice(self) -> str:
        """Say where the key that is wanted is set."""
        if self.key != "management":
            return self.remedy
        return (
            "Set OPENROUTER_MANAGEMENT_KEY or OpenRouterConfig(management_key=...) to a management key from "
            "openrouter.ai/settings/management-keys"
        )


class InvalidRequest(DataSourceError, frozen=True, kw_only=True):
    """The request is wrong: refused here before sending (then `field` is set), or by the server (400, 413, 422).

    `field` is the path of the offending value, `value` its bounded repr, `bound` what it must satisfy.
    """

    field: str | None = None
    value: str | None = None
    bound: str | None = None


class InsufficientCredits(DataSourceError, frozen=True, kw_only=True):
    """The account or the key cannot pay for the request (402)."""

    remedy = "Add credits at openrouter.ai/settings/credits, raise the key's limit, or lower max_completion_tokens"

    retry_after: float | None = None


class Forbidden(DataSourceError, frozen=True, kw_only=True):
    """Moderation, a guardrail, a region or a budget forbids it (403)."""


class NotFound(DataSourceError, frozen=True, kw_only=True):
    """No such model, generation or file, or no provider that satisfies the request's constraints (404)."""


class RateLimited(DataSourceError, frozen=True, kw_only=True):
    """A quota is used up (429).

    `retry_after` is in seconds, `resets_at` in seconds since the epoch by the server's clock. `limit` is the quota,
    where the answer documents it: so many requests in each `window_secs`.
    """

    retry_after: float | None = None
    resets_at: float | None = None
    limit: float | None = None
    window_secs: float | None = None

    def advice(self) -> str:
        """Say how long to wait, when the server said so."""
        if self.retry_after is None:
            return "Send less at a time, or raise max_retries"
        return f"Try again in {self.retry_after:.0f} s"


class Timeout(DataSourceError, frozen=True, kw_only=True):
    """A clock ran out. `clock` names it ("connect", "attempt", "first_event", "idle"), `after` is its limit in seconds.

    `sent` tells whether the request had left: if so, it may have been billed.
    """

    clock: str = "attempt"
    after: float = 0.0
    sent: bool = True


class Disconnected(DataSourceError, frozen=True, kw_only=True):
    """The connection was lost after the request had been sent, so the call may have been billed."""

    remedy = "The call may have been billed; safe_retries=True makes repeating a completed call free"

    received: int = 0


class HttpError(DataSourceError, frozen=True, kw_only=True):
    """An HTTP status that has no kind of its own; redirects too, which are not followed: the key must not travel."""


class ProviderError(HttpError, frozen=True, kw_only=True):
    """OpenRouter or the provider behind it failed (5xx, 408, or an error inside a 200)."""


class ParseError(DataSourceError, frozen=True, kw_only=True):
    """An answer came that is not what it should be. `path` is where it differs, `text` the text that was read."""

    path: str | None = None
    text: str = ""


class EmptyCompletion(DataSourceError, frozen=True, kw_only=True):
    """An answer without choices, or (with `retry_empty`) without any content."""


class TruncatedStream(DataSourceError, frozen=True, kw_only=True):
    """A stream ended before it was finished. `partial` is what had arrived."""


class DeadlineExceeded(DataSourceError, frozen=True, kw_only=True):
    """The call cannot end within `deadline_secs`. `needed` is what the next step would have taken, in seconds.

    `cause` is the failure that the next attempt was to repair, if any.
    """

    deadline: float = 0.0
    needed: float | None = None
    cause: AnyError | None = None


class BudgetExceeded(DataSourceError, frozen=True, kw_only=True):
    """The call could cost more than `max_cost_usd` still allows; nothing was sent. All amounts are in USD.

    `worst` is the most that its next attempt could cost, None where that is unknown, and `missing` by how much that is
    too much. `spent` counts the worst case of attempts whose cost never became known; `reserved` is set aside for
    attempts that are under way.
    """

    maximum: float = 0.0
    spent: float = 0.0
    reserved: float = 0.0
    worst: float | None = None
    missing: float | None = None

    def advice(self) -> str:
        """Say what would let the call go."""
        if self.worst is None:
            return "Set max_completion_tokens and load_prices() first, or set assumed_cost_usd"
        return "Raise max_cost_usd, or lower max_completion_tokens"


class ToolLoopFailed(DataSourceError, frozen=True, kw_only=True):
    """A call of the model failed in a tool loop, after some turns had succeeded. `cause` is that call's error.

    `messages` is what had been said until then, so that the loop can be taken up again; `cost` is what the turns had
    cost in USD, None if that is unknown.
    """

    cause: AnyError
    messages: tuple[Any, ...] = ()
    turns: int = 0
    cost: float | None = None

    def advice(self) -> str:
        """Give the cause's remedy."""
        return self.cause.advice()


class LedgerFailed(DataSourceError, frozen=True, kw_only=True):
    """A bulk run cannot go on: its ledger or output is in use, belongs to another run, or cannot be read or written.

    `path` is the file in question. Nothing that was written down before is lost.
    """

    path: str = ""


AnyError = (
    ConnectError
    | AuthError
    | InvalidRequest
    | InsufficientCredits
    | Forbidden
    | NotFound
    | RateLimited
    | Timeout
    | Disconnected
    | HttpError
    | ProviderError
    | ParseError
    | EmptyCompletion
    | TruncatedStream
    | DeadlineExceeded
    | BudgetExceeded
    | ToolLoopFailed
    | LedgerFailed
)
"""The closed union of all errors, for exhaustive `match` and for reading an error back from JSON."""


def known(error: DataSourceError) -> AnyError:
    """Give an error its closed type: every error that is made here is one of the variants."""
    return cast("AnyError", error)


def replaced(error: DataSourceError, **changes: Any) -> DataSourceError:
    """Copy an error with some fields changed; its type stays."""
    return msgspec.structs.replace(error, **changes)
