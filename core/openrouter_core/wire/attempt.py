"""Our own record of a call: which attempts were made, when, and how each ended. Shapes only."""

from typing import Literal

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


class Hedged(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """That a second copy of the call was sent, `after` seconds, because the first was slow.

    `winner` is the copy whose answer this is. `other_cost` is what the other one cost in USD, None where that is not
    known: its connection was dropped, and whether the provider billed it, it does not say. `other_worst` is then the
    most that it can have cost, None where no price list tells. `other` says how it ended.
    """

    after: float
    winner: Literal["first", "second"]
    other: str
    other_cost: float | None = None
    other_worst: float | None = None


class CallRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """How an answer was obtained: every attempt in order, and the whole call's duration in seconds.

    `generation_id` is the header `X-Generation-Id`. `cache_status` is the header that tells whether OpenRouter answered
    from its response cache; None where the header was absent. `hedged` is there when two copies were sent.
    """

    attempts: tuple[Attempt, ...] = ()
    elapsed_secs: float = 0.0
    generation_id: str | None = None
    cache_status: str | None = None
    hedged: Hedged | None = None
