"""Quotas in common: what several processes need so that their limiters keep one key's quotas together.

The state of `quotas` is one frozen value. It lies in a store, with a version. Whoever wants to change it decides on
what it knows and asks the store to swap; which it does if the version is still the same. All read the store's clock:

    ahead       seconds that the store's clock is ahead of ours. Each answer says that it lies between
                (store's time - received) and (store's time - sent), and `ahead` is moved into that, no further.
    Abroad      a limiter on that clock, beside the calls of the other processes
    emptied     the state when every burst has just been spent: whoever is not sure what others have sent begins so.
                From then on no window of length w holds more than rate * w, and nothing before is overdrawn.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from openrouter_core.limit.compose import KEY, All, Scopes
from openrouter_core.limit.gate import GateState
from openrouter_core.limit.gcra import Gcra, GcraState
from openrouter_core.limit.learned import LearnedState
from openrouter_core.limit.quota import QuotaScope
from openrouter_core.limit.seen import Ask, Limiter, Seen
from openrouter_core.limit.standard import LimitSettings, QuotaState, quota_state_type, quotas
from openrouter_core.limit.unnamed import UnnamedState
from openrouter_core.limit.window import WindowState

STORED = (GcraState, Scopes, WindowState, GateState, LearnedState, UnnamedState)
LAYOUT = tuple(kind.__struct_fields__ for kind in STORED)
"""The fields of what is stored: clients that store other fields use other names."""


class Abroad(msgspec.Struct, frozen=True):
    """`inner` on a clock that is `ahead` seconds ahead of ours, where `others` more are beside each call."""

    inner: Limiter[Any, Any]
    ahead: float = 0.0
    others: int = 0

    def init(self, now: float) -> Any:
        """Give the inner state."""
        return self.inner.init(now + self.ahead)

    def admit(self, state: Any, ask: Ask, in_flight: int, now: float) -> float:
        """Ask the inner limiter."""
        return self.inner.admit(state, ask, in_flight, now + self.ahead)

    def on_send(self, state: Any, ask: Ask, now: float) -> tuple[Any, Any]:
        """Book with the inner limiter."""
        return self.inner.on_send(state, ask, now + self.ahead)

    def on_outcome(self, state: Any, stamp: Any, seen: Seen, in_flight: int, now: float) -> Any:
        """Tell the inner limiter."""
        told = msgspec.structs.replace(seen, company=seen.company + self.others) if self.others else seen
        return self.inner.on_outcome(state, stamp, told, in_flight, now + self.ahead)


def emptied(limiter: All, state: QuotaState, at: float) -> QuotaState:
    """Give the state of `quotas` in which every burst has just been spent at an instant, or later where it was."""
    *rates, scopes = state
    spent = [
        GcraState(max(rate.tat, at + known.burst / known.rate), rate.returned)
        for known, rate in zip(limiter.limiters, rates, strict=False)
        if isinstance(known, Gcra)
    ]
    return (
        *spent,
        Scopes({name: paced(scope, at) if scope else scope for name, scope in scopes.known.items()}, calm=scopes.calm),
    )


def paced(scope: QuotaScope, at: float) -> QuotaScope:
    """Let the next call of a scope go one slot after an instant."""
    window, gate, learned, unnamed = scope
    return window, gate, msgspec.structs.replace(learned, tat=max(learned.tat, at + 1 / learned.rate)), unnamed


def written(state: QuotaState) -> bytes:
    """Write a state for the store."""
    return msgspec.msgpack.encode(state)


def read(settings: LimitSettings, data: bytes) -> QuotaState | None:
    """Read a state from the store; None where there is none, or none that fits."""
    try:
        state: QuotaState = msgspec.msgpack.decode(data, type=quota_state_type(settings))
    except msgspec.DecodeError:
        return None
    return state if KEY in state[-1].known else None


def store_names(settings: LimitSettings, base_url: str, api_key: str) -> tuple[str, str]:
    """Name the state and its members in the store, by a hash of all that must be the same: so the key is not told."""
    told = "\0".join((base_url, api_key, repr(quotas(settings)), repr(LAYOUT)))
    digest = sha256(told.encode()).hexdigest()[:32]
    return f"openrouter:{{{digest}}}:quota", f"openrouter:{{{digest}}}:members"
