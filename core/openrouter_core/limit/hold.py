"""An outage: hold the calls instead of failing them, probe with one, and start slowly after.

        5 sends in a row failed, or 5 outcomes
        in a row and as many as are in flight      one call goes
      Flowing  ----------------------->  Held  ------------------>  Probing
         ^                               ^ |  <------------------     |
         | `full` in flight              | |       it fails           | it answers
         |                               | |                          v
         |                               '-|-------------------  Recovering
         '---------------------------------|--------------------------'  ^
                                           | 5 minutes held              |
                                           '--------->  GivenUp  --------'
                                                                 an answer

    Held        admit = until - now;  until = now + min(2, 2^failed) seconds
    Probing     admit = until - now;  a probe that is silent for 2.5 s no longer bars the next one
    Recovering  admit = in_flight < cap ? 0 : inf;  cap = 8, plus 1 per answer
    GivenUp     admit = 0: the calls go, and fail by their own retries, so that each waiting call ends

Failures are 5xx and timeouts. An answer forgives the failures of earlier sends, not of later ones: what was sent
before an outage still comes back in it. An outage that ends all that is in flight ends it in any order; then the row
of outcomes tells. Chance failures are not that dense, and come back before the answers: hence "as many as are in
flight". An outcome of an attempt sent in an earlier state is ignored, but a probe's answer always counts. An outage
that only some calls see is the retry budget's business.

Probes every 2 s cost 15 sends in 30 s, and noticing costs 5: a client of 2 calls per second sends 0.35 per call that
comes in such an outage. Fewer would find its end too late.
"""

from __future__ import annotations

from math import inf
from typing import assert_never

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dense, noted


class Flowing(msgspec.Struct, frozen=True, tag=True, gc=False):
    """All is well.

    `sent` counts the sends of this generation, `recent` are the last failures among them, `row` the failures since the
    last answer.
    """

    generation: int = 0
    sent: int = 0
    recent: tuple[int, ...] = ()
    row: int = 0


class Held(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Nothing goes before `until`, then one probe. `failed`: probes so far. `since`: when the outage was noticed."""

    generation: int
    since: float
    until: float
    failed: int = 0


class Probing(msgspec.Struct, frozen=True, tag=True, gc=False):
    """One probe is under way; the next may go at `until`."""

    generation: int
    since: float
    until: float
    failed: int


class Recovering(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The server answers again. `cap`: how many may be in flight; the rest as in `Flowing`."""

    generation: int
    cap: int
    sent: int = 0
    recent: tuple[int, ...] = ()
    row: int = 0


class GivenUp(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The outage has outlasted patience: everything goes, until an answer comes."""

    generation: int


HoldState = Flowing | Held | Probing | Recovering | GivenUp


class Trial(msgspec.Struct, frozen=True, gc=False):
    """The stamp of an attempt: when it went. A probe's failure does not use up one of its call's attempts."""

    generation: int
    number: int
    probe: bool = False


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """`many` failures among `among` sends hold all calls; spans in seconds, `start` and `full` in calls in flight."""

    many: int = 5
    among: int = 5
    first: float = 1.0
    longest: float = 2.0
    silence: float = 2.5
    patience: float = 300.0
    start: int = 8
    full: int = 512

    def init(self, now: float) -> HoldState:
        """Start flowing."""
        return Flowing()

    def admit(self, state: HoldState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the probe's turn, or for room while recovering."""
        match state:
            case Flowing():
                return 0.0
            case GivenUp():
                return 0.0
            case Held() | Probing():
                return 0.0 if now - state.since >= self.patience else max(0.0, state.until - now)
            case Recovering():
                return 0.0 if in_flight < state.cap else inf
            case _:
                assert_never(state)

    def on_send(self, state: HoldState, ask: Ask, now: float) -> tuple[HoldState, Trial]:
        """Number the call; make the one that goes in an outage the probe."""
        match state:
            case Flowing():
                sent = state.sent + 1
                return Flowing(state.generation, sent, state.recent, state.row), Trial(state.generation, sent)
            case Recovering():
                sent = state.sent + 1
                recovering = Recovering(state.generation, state.cap, sent, state.recent, state.row)
                return recovering, Trial(state.generation, sent)
            case Held() | Probing() if now - state.since < self.patience:
                probing = Probing(state.generation, state.since, now + self.silence, state.failed + 1)
                return probing, Trial(state.generation, probing.failed, probe=True)
            case Held() | Probing():
                return GivenUp(state.generation + 1), Trial(state.generation + 1, 0)
            case GivenUp():
                return state, Trial(state.generation, 0)
            case _:
                assert_never(state)

    def on_outcome(self, state: HoldState, stamp: Trial, seen: Seen, in_flight: int, now: float) -> HoldState:
        """Follow the picture."""
        if stamp.generation != state.generation:
            return state
        failed = seen.kind in {"server", "timeout"}
        match state:
            case Flowing() if seen.kind == "ok":
                if not state.row and not state.recent:
                    return state
                return Flowing(state.generation, state.sent, after(state.recent, stamp.number))
            case Flowing() | Recovering() if failed:
                return self.failing(state, stamp, in_flight, now)
            case Recovering() if seen.kind == "ok":
                recent = after(state.recent, stamp.number)
                if state.cap + 1 >= self.full:
                    return Flowing(state.generation, state.sent, recent)
                return Recovering(state.generation, state.cap + 1, state.sent, recent)
            case Held() | Probing() | GivenUp() if seen.kind == "ok":
                return Recovering(state.generation + 1, self.start)
            case Probing() if stamp.number == state.failed:
                delay = min(self.longest, self.first * 2.0 ** min(stamp.number, 30)) if failed else 0.0
                return Held(state.generation, state.since, now + delay, stamp.number)
            case Flowing() | Recovering() | Held() | Probing() | GivenUp():
                return state
            case _:
                assert_never(state)

    def failing(self, state: Flowing | Recovering, stamp: Trial, in_flight: int, now: float) -> HoldState:
        """Note a failure, and hold when they are dense, or nothing else comes back."""
        recent, row = noted(state.recent, stamp.number, self.many), state.row + 1
        if dense(recent, self.many, self.among) or row >= max(self.many, in_flight):
            return Held(state.generation + 1, now, now + self.first)
        return msgspec.structs.replace(state, recent=recent, row=row)


def after(recent: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Keep the failures of sends after one that was answered."""
    return tuple(failure for failure in recent if failure > number)
