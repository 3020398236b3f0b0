"""An undocumented quota, learned from refusals: pace the sends, and read the quota off the ones that got through.

Every send is paced, one per 1 / rate seconds. A generation is the sends since the last hard cut; a refusal of an older
one is old news, so that one overload is answered by one cut. The ledger is the sends since the last cut of either kind.

                 4 refusals among 12 sends, or more than 1 + 5 % of the ledger: a hard cut
      ramping  -----------------------------------------------------------------------------.
                                                                                             v
      .------------------------------  engaged, above or at the capacity  <----------  engaged, after a cut
      |  a lone refusal: a mild cut              ^     100 sends or 30 s                     |   ^
      '--------------------------------------------------------------------------------------'   |
                                                 |         an answer after a drought             |
                                             resumed  <------------------------------------------' hard cuts

    ramping     rate = first + 1.4 * sent                           doubles each 0.5 s while it is the bottleneck
    engaged     rate = capacity * (1 + 0.03 * x^3)
                x = max(sends / 100, seconds / 30)                  after a hard cut, from the capacity upwards
                x = max(min(sends / 100, seconds / 2), seconds / 30) - 1    after a mild one, from 0.97 of it
    hard        capacity = rate * clamp(1 - 3 / span, 0.25, 0.9)    span: sends from the first of the 4 to the last
                capacity = accepted / elapsed                       where the refusals are many but not dense
    mild        capacity = m + 0.4 * (rate - m),  m = max(sent / elapsed, 0.965 * rate) in a ledger with at most 2
                refusals (a strict server's, or noise), accepted / elapsed in one with more; m <= rate
    resumed     capacity = accepted / elapsed since the last drought    if that is more than the rate

Why: a server's bucket is empty at two refusals in a row, so what it accepted between them is its quota, whatever its
burst. A lone refusal while nothing is known may be an upstream's noise and changes nothing. A drought is the rest of an
unnamed window: cuts that find (almost) nothing accepted measure its end and not the quota; what was accepted from one
end to the next does. Growth by sends bounds refusals at about one per 100 sends; the seconds keep slow keys moving and
fast keys from outrunning a window. Without a drought only refusals touch the state.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dense, noted


class LearnedState(msgspec.Struct, frozen=True, gc=False):
    """What is known of the quota.

    `rate`, `capacity` in requests per second; `capacity` is None until a quota shows. `tat`: when the next may go.
    `sent` counts a generation's sends; the ledger holds those after number `origin` and began at `since`.
    `below`: the growth begins under the capacity (1) or at it (0). `recent`: the last refusals, by send.
    `dry`: hard cuts at a wall, where less than 0.45 passed; it takes two in a new client, whose first bucket was full.
    `total`: accepted between `epoch`, the end of the last drought, and the ledger.
    """

    rate: float
    tat: float
    since: float
    epoch: float
    capacity: float | None = None
    generation: int = 0
    sent: int = 0
    origin: int = 0
    refused: int = 0
    recent: tuple[int, ...] = ()
    below: int = 0
    dry: int = -1
    total: int = 0


class Booked(msgspec.Struct, frozen=True, gc=False):
    """The stamp of a send: its generation, its number in it, and when it went."""

    generation: int
    number: int
    at: float


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The constants of the formulae above: rates in requests per second, spans in seconds.

    `slack` lets a pump that woke late catch up; a pause of more than `idle` is not counted as time of the ledger.
    """

    first: float = 80.0
    ramp: float = 1.4
    sends: float = 100.0
    seconds: float = 30.0
    briefly: float = 2.0
    growth: float = 0.03
    many: int = 4
    among: int = 12
    share: float = 0.05
    trusted: int = 20
    most_cut: float = 0.25
    least_cut: float = 0.9
    near: float = 0.965
    few: int = 2
    wall: float = 0.45
    mix: float = 0.4
    slowest: float = 1 / 600
    fastest: float = 10_000.0
    slack: float = 0.02
    idle: float = 1.0

    def init(self, now: float) -> LearnedState:
        """Know nothing: the first call goes at once, the next ones at the first rate."""
        return LearnedState(rate=self.first, tat=now, since=now, epoch=now)

    def admit(self, state: LearnedState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the next slot; a call that is alone never waits while no quota is known."""
        return 0.0 if state.tat <= now or (state.capacity is None and in_flight == 0) else state.tat - now

    def on_send(self, state: LearnedState, ask: Ask, now: float) -> tuple[LearnedState, Booked]:
        """Take the slot, and let the rate grow."""
        sent, since, tat = state.sent + 1, state.since, state.tat
        pause = now - tat
        if pause > self.idle and pause > 2 / state.rate:
            since += pause
        rate = self.grown(state, sent, now - since)
        tat = (tat if pause < self.slack else now - self.slack) + 1 / rate
        booked = LearnedState(
            rate, tat, since, state.epoch, state.capacity, state.generation, sent,
            state.origin, state.refused, state.recent, state.below, state.dry, state.total,
        )  # fmt: skip
        return booked, Booked(state.generation, sent, now)

    def grown(self, state: LearnedState, sent: int, seconds: float) -> float:
        """Give the rate after so many sends and busy seconds."""
        if state.capacity is None:
            return self.bounded(self.first + self.ramp * sent)
        strides = (sent - state.origin) / self.sends
        if state.below:
            strides = min(strides, seconds / self.briefly)
        x = min(max(strides, seconds / self.seconds) - state.below, 1e3)
        return self.bounded(state.capacity * (1 + self.growth * x**3))

    def bounded(self, rate: float) -> float:
        """Keep a rate finite and above zero."""
        return self.slowest if rate < self.slowest else min(rate, self.fastest)

    def on_outcome(self, state: LearnedState, stamp: Booked, seen: Seen, in_flight: int, now: float) -> LearnedState:
        """Learn from a refusal, and from the first answer after a drought. A documented limit is the window's."""
        if stamp.generation != state.generation:
            return state
        if seen.kind == "ok" and state.dry > 0:
            return self.resumed(state, stamp)
        if seen.kind == "rate" and seen.limit is None:
            recent = noted(state.recent, stamp.number, self.many)
            return self.refuse(msgspec.structs.replace(state, refused=state.refused + 1, recent=recent), stamp, now)
        return state

    def refuse(self, state: LearnedState, stamp: Booked, now: float) -> LearnedState:
        """Decide what one more refusal is evidence of."""
        sent, recent = state.sent - state.origin, state.recent
        elapsed = max(now - state.since, 1 / state.rate)
        if dense(recent, self.many, self.among):
            passed = 1 - (self.many - 1) / max(self.many - 1, max(recent) - min(recent))
            share = min(max(passed, self.most_cut), self.least_cut)
            return self.hard(state, share * state.rate, state.dry + (passed < self.wall), now)
        if sent >= self.trusted and state.refused > 1 + self.share * sent:
            return self.hard(state, min(self.accepted(state) / elapsed, state.rate), state.dry, now)
        strides = max((stamp.number - state.origin) / self.sends, (stamp.at - state.since) / self.seconds)
        if state.capacity is None or strides <= 0 or strides < state.below:
            return state
        if state.refused > self.few:
            return self.mild(state, min(self.accepted(state) / elapsed, state.rate), now)
        return self.mild(state, max(min(sent / elapsed, state.rate), self.near * state.rate), now)

    def accepted(self, state: LearnedState) -> int:
        """Count the ledger's sends that were not refused, as far as is known."""
        return max(0, state.sent - state.origin - state.refused)

    def hard(self, state: LearnedState, capacity: float, dry: int, now: float) -> LearnedState:
        """Open a new generation at a lower capacity."""
        rate = self.bounded(capacity)
        return LearnedState(
            rate=rate,
            tat=max(state.tat, now + 1 / rate),
            since=now,
            epoch=state.epoch,
            capacity=rate,
            generation=state.generation + 1,
            dry=dry,
            total=state.total + self.accepted(state),
        )

    def mild(self, state: LearnedState, measured: float, now: float) -> LearnedState:
        """Step back a little, and begin a new ledger. After a full one, no drought is near."""
        capacity = self.bounded(measured + self.mix * (state.rate - measured))
        rate = self.bounded(capacity * (1 - self.growth))
        return msgspec.structs.replace(
            state,
            rate=rate,
            tat=max(state.tat, now + 1 / rate),
            since=now,
            capacity=capacity,
            below=1,
            origin=state.sent,
            refused=0,
            dry=0 if state.sent - state.origin >= self.sends else state.dry,
            total=state.total + self.accepted(state),
        )

    def resumed(self, state: LearnedState, stamp: Booked) -> LearnedState:
        """End a drought, at what was accepted on average since the one before."""
        accepted = state.total + max(0, stamp.number - state.origin - state.refused)
        average = self.bounded(accepted / max(stamp.at - state.epoch, 0.1))
        if average <= state.rate:
            return msgspec.structs.replace(state, dry=0, epoch=stamp.at, total=0)
        return LearnedState(
            rate=average,
            tat=state.tat,
            since=stamp.at,
            epoch=stamp.at,
            capacity=average,
            generation=state.generation + 1,
            below=1,
            dry=0,
        )
