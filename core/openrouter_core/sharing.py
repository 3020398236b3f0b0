"""Sharing one key's quotas through a store: the machine of a process, without the store and without a clock.

    new --told--> shared --lost--> lost --back--> shared

A round decides on what is known, without waiting, and ends with a `Swap` for the store, or with how long nothing is to
be done. Nobody who was chosen goes before the store has agreed. Where somebody else was faster, the round is undone:
the calls stand where they stood, and the next round decides on what the store holds. So the process knows everything
that was let go before its own calls, whatever happens between the processes.

A round that finds somebody who may go within `LEAD` seconds books the slots of the next `HORIZON` seconds. So the way
to the store costs no slot, and processes that all want the next slot meet once for many slots, not once for each.

Without the store each goes on with its part, 1 / members, of what was known, as if all bursts had been spent. Whoever
finds it again first writes that nobody goes for `PAUSE` seconds, within which all others find it too. A store that has
forgotten the state is given it anew, with every burst spent. So a known rate keeps to rate * t + burst through all of
this, if all have lost the store, and if burst >= members: apart, each has a burst of one call at least. One that alone
has lost the store sends its part on top of what the others do.
"""

from __future__ import annotations

import math
from typing import Generic, TypeVar

import msgspec

from openrouter_core.admission import Admission, Admitted, Mode, Saved, Sharing, Stamp, Ticket, Turn
from openrouter_core.limit.common import Abroad, emptied, read, written
from openrouter_core.limit.compose import All
from openrouter_core.limit.pump import TurnedAway, Wait
from openrouter_core.limit.seen import Seen
from openrouter_core.limit.standard import LimitSettings, QuotaState, health, quotas, share, share_of_state

T = TypeVar("T")

HORIZON = 0.05
"""How many seconds ahead slots are booked."""
LEAD = 0.02
"""How many seconds before its first slot a round begins."""
MOST = 64
"""How many calls one round lets go."""
STALE = 1.0
"""After so many seconds what is known of the store is not decided on, but asked for again."""
PAUSE = 1.5
"""For so many seconds nobody goes once a lost store is back, so that all find it: longer than between two looks."""
DOUBT = 0.1
"""What was written within so many seconds after a loss may have been written before it: clocks differ."""


class Swap(msgspec.Struct, frozen=True):
    """What the store is asked: to hold `state` if it holds the version `expected`; without one, only what it holds."""

    expected: str = ""
    state: bytes = b""


class Held(msgspec.Struct, frozen=True):
    """What the store answers: whether it swapped, what it holds, its clock in seconds, and how many are members.

    Where it holds nothing, the version is "0". A version is the microsecond of its swap. `state` is empty after a swap.
    """

    swapped: bool
    version: str
    state: bytes
    now: float
    members: int


class Leaving(msgspec.Struct, Generic[T], frozen=True):
    """A turn that comes at an instant of our clock."""

    at: float
    turn: Turn[T]


class Round(msgspec.Struct, Generic[T], frozen=True):
    """What waits for the store's answer: the bookings before it, how many ends it has heard, and who is to go."""

    before: Saved
    heard: int = 0
    going: tuple[Leaving[T], ...] = ()


class Shared(Generic[T]):
    """The machine. `T` is a call that waits, and can be hashed. Until the store has told, `assumed` are members."""

    def __init__(self, admission: Admission[T], settings: LimitSettings, assumed: int = 1) -> None:
        self.admission: Admission[T] = admission
        self.settings: LimitSettings = settings
        self.common: int = len(quotas(settings).limiters)
        self.mode: Mode = "new"
        self.members: int = assumed
        self.part: float = 1.0
        self.ahead: float | None = None
        self.version: str = "0"
        self.kept: QuotaState | None = None
        self.offered: bytes = b""
        self.asked: float = -math.inf
        self.lost_at: float = -math.inf
        self.round: Round[T] | None = None
        self.standing: dict[T, tuple[Ticket, float]] = {}
        self.ended: list[tuple[Stamp, Seen, float]] = []
        self.out: list[Leaving[T]] = []
        self.swaps: int = 0
        self.conflicts: int = 0

    # --- what happens here --------------------------------------------------------------------------------------------

    def wait(self, ticket: Ticket, call: T, expires: float, now: float) -> None:
        """Let a call wait, until `expires` on our clock; or turn it away, if those before it alone take longer."""
        self.standing[call] = (ticket, expires)
        turned = self.admission.wait(ticket, call, expires, now)
        if turned is not None:
            self.out.append(Leaving(now, turned))

    def stand(self, call: T) -> None:
        """Let a call stand where it stood."""
        ticket, expires = self.standing[call]
        self.admission.lines.push(ticket.place, ticket.ask, call, expires)

    def cancel(self, call: T) -> None:
        """Take a call out of its line. If its round is under way, it may still come out, and must be given back."""
        if call in self.standing:
            ticket, _ = self.standing.pop(call)
            self.admission.cancel(ticket)

    def over(self, stamp: Stamp, seen: Seen, now: float) -> None:
        """Hear that an attempt has ended; the next round learns from it."""
        self.ended.append((stamp, self.admission.beside(seen), now))

    def taken(self) -> list[Leaving[T]]:
        """Hand out those who go, and when."""
        out, self.out = self.out, []
        for leaving in out:
            self.standing.pop(leaving.turn.call, None)
        return out

    # --- rounds -------------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> Swap | Wait:
        """Decide a round: what the store is to be asked, or for how long there is nothing to do."""
        if self.mode == "new" or (self.mode == "shared" and self.standing and now - self.asked > STALE):
            return Swap()
        before = self.admission.saved()
        for stamp, seen, at in self.ended:
            self.admission.learn(stamp, seen, at)
        heard, (going, wait) = len(self.ended), self.plan(now)
        if self.mode == "lost" or self.quota == before.state[: self.common]:
            self.ended.clear()
            self.out += going
            return Wait(wait)
        self.round = Round(before, heard, going)
        return Swap(self.version, written(self.quota))

    def plan(self, now: float) -> tuple[tuple[Leaving[T], ...], float]:
        """Choose who goes now and within the horizon; give for how many seconds then nobody does.

        Who is turned away is told whatever the store says; but not before its time.
        """
        at, going = now, list[Leaving[T]]()
        while len(going) < MOST:
            match self.admission.next(at):
                case Admitted() as turn:
                    going.append(Leaving(at, turn))
                case TurnedAway(call=call) if at > now:
                    self.stand(call)
                    return tuple(going), at - now
                case TurnedAway() as turn:
                    self.out.append(Leaving(now, turn))
                case Wait(seconds):
                    later = max(at + seconds, math.nextafter(at, math.inf))
                    if later > now + (HORIZON if going or seconds <= LEAD else LEAD):
                        most = STALE if self.mode == "shared" else math.inf
                        return tuple(going), min(later - now - LEAD, most)
                    at = later
                case _:
                    return tuple(going), math.inf
        return tuple(going), 0.0

    def settle(self, held: Held, sent: float, now: float) -> None:
        """Hear the store's answer to the round that was sent at `sent`: who goes, or that it must be decided anew."""
        mine = self.undone(keep=held.swapped)
        self.hear(held, sent, now)
        if held.swapped:
            self.version = held.version
            self.swaps += 1
        elif held.version != self.version or self.mode == "new":
            self.conflicts += mine
            self.adopt(held)

    def undone(self, *, keep: bool = False) -> bool:
        """End the round: for good, or as if it had not been. Tell whether it had booked anything."""
        booked, self.round = self.round, None
        if booked is None:
            return False
        if keep:
            self.out += booked.going
            del self.ended[: booked.heard]
        else:
            self.admission.restore(booked.before)
            for call in (leaving.turn.call for leaving in booked.going):
                if call in self.standing:
                    self.stand(call)
        return bool(booked.going or booked.heard)

    # --- the store ----------------------------------------------------------------------------------------------------

    def hear(self, held: Held, sent: float, now: float) -> None:
        """Learn the store's clock and members. A clock that was set back makes what is known useless."""
        low, high = held.now - now, held.now - sent
        if self.ahead is not None and high < self.ahead - 1.0:
            self.mode = "new"
        moved = (low + high) / 2 if self.ahead is None else self.ahead
        self.ahead = min(max(moved, low), high)
        self.members, self.asked = max(1, held.members), now
        self.limit_to(1.0)

    def adopt(self, held: Held) -> None:
        """Take what the store holds; where it holds nothing, what was known, with every burst spent."""
        state = read(self.settings, held.state)
        if state is None:
            known = quotas(self.settings)
            now = held.now
            state = emptied(known, self.quota, now + HORIZON) if self.mode == "shared" else known.init(now)
        self.version, self.mode, self.quota = held.version, "shared", state

    def lost(self, now: float) -> None:
        """Go on without the store."""
        self.undone()
        self.kept = self.quota if self.mode == "shared" else None
        there = now + (self.ahead or 0.0)
        self.mode, self.lost_at = "lost", there + DOUBT
        self.limit_to(1 / self.members)
        limiter = quotas(share(self.settings, self.part))
        state = limiter.init(there) if self.kept is None else share_of_state(self.kept, self.part)
        self.quota = emptied(limiter, state, there + HORIZON)

    def back(self, held: Held, sent: float, now: float) -> Swap | None:
        """Hear the store again: a `Swap` to ask it next, or None when its state is shared again.

        Who comes back first, and finds what was there before, makes all wait until the others are back.
        """
        if not held.swapped and int(held.version) <= self.lost_at * 1e6:
            known = quotas(self.settings)
            state = read(self.settings, held.state) or self.kept or known.init(held.now)
            self.offered = written(emptied(known, state, held.now + PAUSE))
            return Swap(held.version, self.offered)
        self.hear(held, sent, now)
        self.adopt(msgspec.structs.replace(held, state=self.offered) if held.swapped else held)
        return None

    def limit_to(self, part: float) -> None:
        """Keep to a part of the quotas, on the store's clock."""
        self.part = part
        known = quotas(share(self.settings, part))
        abroad = [Abroad(limiter, self.ahead or 0.0, self.members - 1) for limiter in known.limiters]
        self.admission.limiter = All((*abroad, *health(self.settings)))

    @property
    def quota(self) -> QuotaState:
        """The part of the limiter's state that is shared: that of its first `common` limiters."""
        quota: QuotaState = self.admission.state[: self.common]
        return quota

    @quota.setter
    def quota(self, quota: QuotaState) -> None:
        self.admission.state = (*quota, *self.admission.state[self.common :])

    @property
    def sharing(self) -> Sharing:
        """How the quota is shared, to look at."""
        return Sharing(mode=self.mode, members=self.members, part=self.part, swaps=self.swaps, conflicts=self.conflicts)
