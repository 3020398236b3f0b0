"""Our own record of a call: which attempts were made, when, and how each ended. Shapes only."""

import msgspec


class Attempt(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One try of a call, with its times in seconds since the call began.

    `number` counts from 1. `outcome` says in a few words how it ended ("200", "timeout", "refused", ...), `status` is
    the HTTP status where one arrived, and `waited` is how many seconds the call waited before this try. `model` is set
    where it was another than the request asked for: a fallback.
    """

    number: int
    started: float
    ended: float
    outcome: str
    status: int | None = None
    waited: float = 0.0
    model: str = ""


class CallRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """How an answer was obtained: every attempt in order, and the whole call's duration in seconds.

    `generation_id` is the header `X-Generation-Id`. `cache_status` is the header that tells whether OpenRouter answered
    from its response cache; None where the header was absent.
    """

    attempts: tuple[Attempt, ...] = ()
    elapsed_secs: float = 0.0
    generation_id: str | None = None
    cache_status: str | None = None
