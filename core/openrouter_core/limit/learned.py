"""An undocumented quota, learned from refusals: pace the sends, and read the quota off the ones that got through.

Every send is paced, one per 1 / rate seconds. A generation is the sends since the last refusal that was acted on; a
refusal of an older one is old news, so that one overload is answered by one step.

      ramping  ---- 4 refusals among 12 sends: a cut ---->  engaged  ----------------.  a refusal that counts: a step,
         |                                                   ^    ^                  |  4 among 12: a step, then a cut
         | 4 of at most 6 sends: a wall                      |    '------------------'
         v                                                   |    |
      drought  -- a probe is answered, or not refused -------'    | 3 refusals in a row: a wall
         ^  ^     within a pause                                  |
         |  '-----------------------------------------------------'
         '--- a probe is refused: the next after 1.3 times the pause

    ramping     rate = 80 + 1.4 * sent                              doubles each 0.5 s while it is the bottleneck
    engaged     rate = capacity * (1 + 0.01 * x + 0.025 * x^3)      x >= 0
                rate = capacity * (1 + below * x^3)                 x < 0: from under the capacity
                x = max(2 * min(sends / 100, seconds / 2), seconds / 30)        after a cut
                x = max(min(sends / 100, seconds / 2), seconds / 30) - 1        after a step or a drought
    counts      a refusal from x = 0 on; after a cut, two among 20 sends; any more than 2 + 5 % of a generation
    step        capacity = m + 0.35 * (rate - m);  m <= rate
                m = max((sent - 0.3 * refused) / elapsed, 0.965 * rate)         at most 2 + 3 % refused: partly noise
                m = accepted / elapsed                                          more; with more than 5 %: capacity = m
                below = 1 %, and 1.5 % for each refusal but the first, at most 5 %
    cut         capacity = rate * clamp(1 - 3 / span, 0.25, 0.9)    span: sends from the first of the 4 to the last
                Where the quota had settled, first a step with m = 0.9 * rate: a strict server refuses every other call
                that comes a little too fast, as one does whose quota has halved. The second time tells.
    wall        the capacity stays where it had settled, else as for a cut;  pause = max(4 / rate, 2 * refusal's delay)
    drought's   a = accepted / elapsed since the last drought's end
    end         capacity = a + min(0.2 * (capacity - a), 0.05 * a)  with at least 20 accepted; with fewer, only upwards

Why: a server's bucket is empty at two refusals in a row, so what it accepted between them is its quota, whatever its
burst; a strict server's is nearer to the rate that was refused. A lone refusal while little is known may be an
upstream's noise and changes nothing. A wall is the end of an unnamed window: what passes until the next one opens says
nothing about the quota, what was accepted from one opening to the next does. Growth by sends bounds refusals at about
one per 100 sends; the seconds keep slow keys moving.

What cannot be had: growth that finds four times the quota within some 500 sends runs into an unnamed window of so many
sends, and each wall costs 3 refusals and one for each time its drought grows by a third: up to 4 % of the sends. A
quota of some 2 per second cannot be followed with one refusal per 100 sends in a time that anybody waits. And chance
refusals look like a strict server's: 2 % of them cost up to a tenth of a quota.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dense, noted


class LearnedState(msgspec.Struct, frozen=True, gc=False):
    """What is known of the quota.

    `rate`, `capacity` in requests per second; `capacity` is None until a quota shows. `tat`: when the next may go.
    `since`: when the generation began. `epoch`: when the last drought ended; `total`: accepted from then to `since`.
    `sent` and `refused` count the generation's sends, `recent` are its last refusals, by send.
    `below`: the share of the capacity that the growth begins under. `pause`: seconds between a drought's probes, or 0.
    `settled`: a whole generation has gone well at about this capacity.
    """

    rate: float
    tat: float
    since: float
    epoch: float
    capacity: float | None = None
    generation: int = 0
    sent: int = 0
    refused: int = 0
    recent: tuple[int, ...] = ()
    below: float = 0.0
    pause: float = 0.0
    total: int = 0
    settled: bool = False


class Booked(msgspec.Struct, frozen=True, gc=False):
    """The stamp of a send: its generation, its number in it, and when it went."""

    generation: int
    number: int
    at: float


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The constants of the formulae above: rates in requests per second, spans in seconds.

    `slack` lets a pump that woke late catch up; an idle time of more than `idle` is not counted as the generation's.
    """

    first: float = 80.0
    ramp: float = 1.4
    sends: float = 100.0
    seconds: float = 30.0
    briefly: float = 2.0
    bold: float = 2.0
    linear: float = 0.01
    cubic: float = 0.025
    many: int = 4
    among: int = 12
    trusted: int = 20
    share: float = 0.05
    few: int = 2
    noise: float = 0.03
    near: float = 0.965
    doubt: float = 0.3
    mix: float = 0.35
    drop: float = 0.01
    deeper: float = 0.015
    deepest: float = 0.05
    most_cut: float = 0.25
    least_cut: float = 0.9
    wall: float = 0.45
    row: int = 3
    patience: float = 2.0
    longer: float = 1.3
    over: float = 0.2
    most_over: float = 0.05
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
        """Take the slot, and let the rate grow. In a drought: probe, or end it where the last probe was not refused."""
        if state.pause:
            if not state.sent:
                probing = msgspec.structs.replace(state, sent=1, tat=now + state.pause)
                return probing, Booked(state.generation, 1, now)
            state = self.resumed(state, now)
        sent, since, tat = state.sent + 1, state.since, state.tat
        late = now - tat
        if late > self.idle and late > 2 / state.rate:
            since += late
        rate = self.grown(state, sent, now - since)
        tat = (tat if late < self.slack else now - self.slack) + 1 / rate
        booked = LearnedState(
            rate, tat, since, state.epoch, state.capacity, state.generation, sent,
            state.refused, state.recent, state.below, 0.0, state.total, state.settled,
        )  # fmt: skip
        return booked, Booked(state.generation, sent, now)

    def grown(self, state: LearnedState, sent: int, seconds: float) -> float:
        """Give the rate after so many sends and busy seconds."""
        if state.capacity is None:
            return self.bounded(self.first + self.ramp * sent)
        strides = min(sent / self.sends, seconds / self.briefly) * (1.0 if state.below else self.bold)
        x = min(max(strides, seconds / self.seconds) - (state.below > 0.0), 1e3)
        more = state.below * x**3 if x < 0.0 else self.linear * x + self.cubic * x**3
        return self.bounded(state.capacity * (1 + more))

    def bounded(self, rate: float) -> float:
        """Keep a rate finite and above zero."""
        return self.slowest if rate < self.slowest else min(rate, self.fastest)

    def on_outcome(self, state: LearnedState, stamp: Booked, seen: Seen, in_flight: int, now: float) -> LearnedState:
        """Learn from a refusal, and from the answer of a drought's probe. A documented limit is the window's."""
        if stamp.generation != state.generation:
            return state
        if seen.kind == "ok" and state.pause:
            return self.resumed(state, stamp.at)
        if seen.kind != "rate" or seen.limit is not None:
            return state
        if state.pause:
            return self.next(state, state.capacity or state.rate, now, pause=self.longer * state.pause)
        recent = noted(state.recent, stamp.number, self.many)
        return self.refuse(msgspec.structs.replace(state, refused=state.refused + 1, recent=recent), stamp, now)

    def refuse(self, state: LearnedState, stamp: Booked, now: float) -> LearnedState:
        """Decide what one more refusal is evidence of."""
        rate, sent, recent = state.rate, state.sent, state.recent
        elapsed = max(now - state.since, 1 / rate)
        delivered = min(self.accepted(state) / elapsed, rate)
        strides = max(stamp.number / self.sends, (stamp.at - state.since) / self.seconds)
        settled = state.settled or (state.capacity is not None and strides >= 1.0)
        pause = max(self.many / rate, self.patience * (now - stamp.at))
        if settled and dense(recent[-self.row :], self.row, self.row):
            return self.next(state, state.capacity or rate, now, pause=pause)
        if dense(recent, self.many, self.among):
            passed = 1 - (self.many - 1) / max(self.many - 1, max(recent) - min(recent))
            if settled:
                return self.back(state, self.between(self.least_cut * rate, rate), now, settled=False)
            share = min(max(passed, self.most_cut), self.least_cut)
            return self.next(state, share * rate, now, pause=pause if passed < self.wall else 0.0)
        if sent >= self.trusted and state.refused > self.few + self.share * sent:
            return self.back(state, delivered, now, settled=settled)
        if state.capacity is None or (strides < 1.0 if state.below else not dense(recent[-2:], 2, self.trusted)):
            return state
        if state.refused <= self.few + self.noise * sent:
            doubted = (sent - self.doubt * state.refused) / elapsed
            delivered = max(min(doubted, rate), self.near * rate)
        return self.back(state, self.between(delivered, rate), now, settled=settled)

    def between(self, low: float, high: float) -> float:
        """Give a capacity between what was delivered and what was refused."""
        return low + self.mix * (high - low)

    def accepted(self, state: LearnedState) -> int:
        """Count the generation's sends that were not refused, as far as is known."""
        return max(0, state.sent - state.refused)

    def next(self, state: LearnedState, capacity: float, now: float, *, pause: float = 0.0) -> LearnedState:
        """Open a new generation at another capacity: a cut, or a drought whose first probe is a pause away."""
        rate = self.bounded(capacity)
        pause = min(pause, self.seconds)
        return LearnedState(
            rate=rate,
            tat=now + (pause or 1 / rate),
            since=now,
            epoch=state.epoch,
            capacity=rate,
            generation=state.generation + 1,
            pause=pause,
            total=state.total + self.accepted(state),
            settled=state.settled and pause > 0.0,
        )

    def back(self, state: LearnedState, capacity: float, now: float, *, settled: bool) -> LearnedState:
        """Open a new generation a step back: the further under the capacity, the more was refused."""
        capacity = self.bounded(capacity)
        below = min(self.drop + self.deeper * max(0, state.refused - 1), self.deepest)
        rate = self.bounded(capacity * (1 - below))
        return LearnedState(
            rate=rate,
            tat=now + 1 / rate,
            since=now,
            epoch=state.epoch,
            capacity=capacity,
            generation=state.generation + 1,
            below=below,
            total=state.total + self.accepted(state),
            settled=settled,
        )

    def resumed(self, state: LearnedState, now: float) -> LearnedState:
        """End a drought, at what was accepted on average since the one before."""
        capacity, total, epoch = state.capacity or state.rate, state.total, state.epoch
        average = total / max(now - epoch, 0.1)
        if total >= self.trusted or average > capacity:
            over = max(0.0, capacity - average)
            capacity = self.bounded(average + min(self.over * over, self.most_over * average))
        if total >= self.trusted:
            total, epoch = 0, now
        return LearnedState(
            rate=capacity,
            tat=now,
            since=now,
            epoch=epoch,
            capacity=capacity,
            generation=state.generation + 1,
            below=self.drop,
            total=total,
        )
