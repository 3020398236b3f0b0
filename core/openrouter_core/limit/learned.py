"""An undocumented quota, learned from refusals: pace the sends, and read the quota off the ones that got through.

Every send is paced, one per 1 / rate seconds; but a call that is alone while no quota is known neither waits nor takes
a slot. A generation is the sends since the last refusal that was acted on; a refusal of an older one is old news, so
that one overload is answered by one step.

                     3 refusals in a row, or 4 among 12 sends
      ramping  ---------------------------------------------------->  drought  <-.
                                                                       |  ^  |   | the probe is refused: the next one
                 the probe is answered, or not refused within a pause  |  |  '---' after 1.3 times the pause
      engaged  <-------------------------------------------------------'  |
       ^   |                                                              |
       |   |---------- 3 refusals in a row, or 4 among 12 sends ----------'
       '---' a refusal that counts: a step

    ramping     rate = 130 + 2.4 * paced                            doubles each 0.3 s while it is the bottleneck; the
                first refusal stops it for as long as it took: those under way will tell whether it was chance
    engaged     rate = capacity * (1 + 0.01 * x^3)                  x < 0: from 1 % under the capacity
                rate = capacity * (1 + 0.01 * x + 0.025 * x^3)      x >= 0
                x = max(paced / length, seconds / 30) - 1;  length = clamp(known, 10, 1000) sends
                and no more than one length in (2 * length / 100) seconds, or in 16 times what a refusal takes
                paced, seconds: without the sends whose slot stood empty for 0.1 s, and without that time
    counts      a refusal after half a length, or any if more than 2 + 5 % of a generation are refused
    step        capacity = m + mix * (rate - m);  m = accepted / seconds
                mix, at first 0.45 and within 0.5 +- 0.3, is moved by 0.1 * (x - 0.25): a generation is to last for
                1.25 lengths
    drought     pause = max(4 / rate, 2 * the refusal's delay); after a second refused probe at least 1/40 of the time
                since the last drought's end, or of 30 s
    its end     a = accepted / seconds since the last drought's end;  capacity = a + 0.05 * (rate - a),
                or a + min(0.2 * (rate - a), 0.05 * a) if probes were refused; a after ramping
    known       to one part in how many: min(sends that showed it, 3 * rate / (rate - m or a)), 100 at most; after a
                step no less than before, after ramping 50 at most, after a drought without a refused probe 90; if
                probes were refused, the sends accepted since the last drought
    surprise    a drought's end at under 0.85 of a capacity that was known to one part in 100 may be chance, or a strict
                server that refuses every other call. The capacity falls to 0.85 first. The second time tells.

Why: a server's bucket is empty when it refuses in a row, and a window is used up. So what was accepted from one drought
to the next is the quota, whatever its burst. After a lone refusal the quota lies between what was accepted and the rate
that was refused: near the first if the server lends a burst, near the second if it is strict. Which it is shows in how
soon it refuses next: hence `mix`. The better the capacity is known, the slower it is left: it is found in steps that
get smaller, and from 100 on costs one refusal in some 120 sends. Refused probes mean a window: it is not left before it
is over. The seconds keep slow keys moving, and fast ones from hurrying through short windows; who grows within the time
that a refusal takes to come hears of the wall too late, over and over. And what nobody asks for tests nothing: a rate
that grew through quiet hours would meet the next burst with hundreds of refusals, and a quota measured over them would
be what was asked for and not what there is.

What cannot be had: growth that finds four times the quota within some 500 sends runs into an unnamed window of so many
sends, and each wall costs 3 refusals and one for each time its drought grows by a third: up to 4 % of the sends, until
two droughts have told the window (`limit/unnamed.py`). Longer steps cost fewer, but tell its edges worse, and two
windows are taken for one. A quota of some 2 per second cannot be followed with one refusal per 100 sends in a time that
anybody waits. Chance refusals look like a strict server's: 2 % of them cost a few percent of a quota, at times more.
"""

from __future__ import annotations

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dry, noted


class LearnedState(msgspec.Struct, frozen=True, gc=False):
    """What is known of the quota.

    `rate`, `capacity` in requests per second; `capacity` is None until a quota shows. `tat`: when the next may go.
    `since`: when the generation began; `sent`, `refused` count its sends, `recent` are its last refusals, by send.
    `paced` of them took their slot when it came: the others were alone, or came long after it.
    `epoch`: when the last drought ended; `total`: accepted from then to `since`. Both move on in idle time.
    `known`: to one part in how many the capacity is known. `mix`: where between accepted and refused it is looked for.
    `delay`: how many seconds a refusal takes. `pause`: seconds between a drought's probes, or 0; `probes`: how many of
    them were refused.
    """

    rate: float
    tat: float
    since: float
    epoch: float
    capacity: float | None = None
    generation: int = 0
    sent: int = 0
    paced: int = 0
    refused: int = 0
    recent: tuple[int, ...] = ()
    total: int = 0
    known: float = 0.0
    mix: float = 0.45
    delay: float = 0.0
    pause: float = 0.0
    probes: int = 0


class Booked(msgspec.Struct, frozen=True, gc=False):
    """The stamp of a send: its generation, its number in it, and when it went."""

    generation: int
    number: int
    at: float


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The constants of the formulae above: rates in requests per second, spans in seconds.

    `slack` lets a pump that woke late catch up; a slot that stood empty for more than `idle` was not asked for.
    """

    first: float = 130.0
    ramp: float = 2.4
    sends: float = 100.0
    fewest: float = 10.0
    most: float = 1000.0
    seconds: float = 30.0
    briefly: float = 2.0
    delays: float = 16.0
    smooth: float = 0.2
    drop: float = 0.01
    linear: float = 0.01
    cubic: float = 0.025
    many: int = 4
    among: int = 12
    row: int = 3
    counts: float = 0.5
    trusted: int = 20
    few: int = 2
    share: float = 0.05
    mix: float = 0.45
    gain: float = 0.1
    goal: float = 1.25
    spread: float = 0.3
    longest: float = 2.0
    width: float = 3.0
    over: float = 0.05
    over_window: float = 0.2
    most_over: float = 0.05
    surprise: float = 0.85
    doubted: float = 0.9
    patience: float = 2.0
    longer: float = 1.3
    probed: float = 40.0
    slowest: float = 1 / 600
    fastest: float = 100_000.0
    slack: float = 0.02
    idle: float = 0.1

    def init(self, now: float) -> LearnedState:
        """Know nothing: the first call goes at once, the next ones at the first rate."""
        return LearnedState(rate=self.first, tat=now, since=now, epoch=now, mix=self.mix)

    def admit(self, state: LearnedState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the next slot; a call that is alone never waits while no quota is known."""
        alone = in_flight == 0 and state.capacity is None and not state.pause
        return 0.0 if state.tat <= now or alone else state.tat - now

    def on_send(self, state: LearnedState, ask: Ask, now: float) -> tuple[LearnedState, Booked]:
        """Take the slot, and let the rate grow. In a drought: probe, or end it where the last probe was not refused."""
        if state.pause:
            if not state.sent:
                probing = msgspec.structs.replace(state, sent=1, tat=now + state.pause)
                return probing, Booked(state.generation, 1, now)
            state = self.resumed(state, now)
        sent, since, epoch, tat, paced = state.sent + 1, state.since, state.epoch, state.tat, state.paced
        late = now - tat
        alone = late < 0.0 and state.capacity is None
        if late > self.idle and late > 2 / state.rate:
            since, epoch = since + late, epoch + late
        elif not alone:
            paced += 1
        rate = self.grown(state, paced, now - since)
        if not alone:
            tat = (tat if late < self.slack else now - self.slack) + 1 / rate
        booked = LearnedState(
            rate, tat, since, epoch, state.capacity, state.generation, sent, paced,
            state.refused, state.recent, state.total, state.known, state.mix, state.delay,
        )  # fmt: skip
        return booked, Booked(state.generation, sent, now)

    def grown(self, state: LearnedState, paced: int, seconds: float) -> float:
        """Give the rate after so many sends and busy seconds."""
        if state.capacity is None:
            return self.bounded(self.first + self.ramp * paced)
        x = min(self.strides(state, paced, seconds), 1e3) - 1.0
        more = self.drop * x**3 if x < 0.0 else self.linear * x + self.cubic * x**3
        return self.bounded(state.capacity * (1 + more))

    def strides(self, state: LearnedState, sent: int, seconds: float) -> float:
        """Tell how far a generation has come: the better the capacity is known, the longer a stride."""
        length = min(max(state.known, self.fewest), self.most)
        briefly = max(self.briefly * length / self.sends, self.delays * state.delay)
        return max(min(sent / length, seconds / briefly), seconds / self.seconds)

    def bounded(self, rate: float) -> float:
        """Keep a rate finite and above zero."""
        return self.slowest if rate < self.slowest else min(rate, self.fastest)

    def on_outcome(self, state: LearnedState, stamp: Booked, seen: Seen, in_flight: int, now: float) -> LearnedState:
        """Learn from a refusal, and from the answer of a drought's probe. A documented limit is the window's."""
        if stamp.generation != state.generation:
            return state
        if seen.kind == "ok" and state.pause:
            return msgspec.structs.replace(self.resumed(state, stamp.at), tat=now)  # nothing is caught up with
        if seen.kind != "rate" or seen.limit is not None:
            return state
        if state.pause:
            least = min(now - state.epoch, self.seconds) / self.probed if state.probes else 0.0
            return self.drought(state, max(self.longer * state.pause, least), now)
        recent, took = noted(state.recent, stamp.number, self.many), now - stamp.at
        delay = state.delay + self.smooth * (took - state.delay) if state.delay else took
        refused = msgspec.structs.replace(state, refused=state.refused + 1, recent=recent, delay=delay)
        return self.refuse(refused, stamp, now)

    def refuse(self, state: LearnedState, stamp: Booked, now: float) -> LearnedState:
        """Decide what one more refusal is evidence of."""
        took = now - stamp.at
        if dry(state.recent, self.row, self.many, self.among):
            return self.drought(state, max(self.many / state.rate, self.patience * took), now)
        if state.capacity is None:
            return state if state.refused > 1 else msgspec.structs.replace(state, tat=max(state.tat, now + took))
        heavy = state.sent >= self.trusted and state.refused > self.few + self.share * state.sent
        late = self.strides(state, stamp.number, stamp.at - state.since) >= self.counts
        return self.back(state, now) if heavy or late else state

    def accepted(self, state: LearnedState) -> int:
        """Count the generation's sends that were not refused, as far as is known."""
        return max(0, state.sent - state.refused)

    def precision(self, sends: float, low: float, high: float) -> float:
        """Tell to one part in how many a capacity is known: by the sends that showed it, and where it can lie."""
        return min(sends, self.width * high / max(high - low, 1e-3 * high))

    def back(self, state: LearnedState, now: float) -> LearnedState:
        """Open a new generation a step back."""
        elapsed = max(now - state.since, 1 / state.rate)
        delivered = min(self.accepted(state) / elapsed, state.rate)
        strides = min(self.strides(state, state.paced, elapsed), self.longest)
        mix = min(max(state.mix + self.gain * (strides - self.goal), 0.5 - self.spread), 0.5 + self.spread)
        capacity = self.bounded(delivered + mix * (state.rate - delivered))
        rate = self.bounded(capacity * (1 - self.drop))
        return LearnedState(
            rate=rate,
            tat=max(state.tat, now + 1 / rate),
            since=now,
            epoch=state.epoch,
            capacity=capacity,
            generation=state.generation + 1,
            total=state.total + self.accepted(state),
            known=min(max(state.known, self.precision(state.sent, delivered, state.rate)), self.sends),
            mix=mix,
            delay=state.delay,
        )

    def drought(self, state: LearnedState, pause: float, now: float) -> LearnedState:
        """Send nothing but a probe after a pause: the first one, or the one after a refused one."""
        pause = min(pause, self.seconds)
        return msgspec.structs.replace(
            state,
            tat=now + pause,
            since=now,
            generation=state.generation + 1,
            sent=0,
            paced=0,
            refused=0,
            recent=(),
            total=state.total + (0 if state.pause else self.accepted(state)),
            pause=pause,
            probes=state.probes + 1 if state.pause else 0,
        )

    def resumed(self, state: LearnedState, now: float) -> LearnedState:
        """End a drought, at what was accepted on average since the one before: the last probe too."""
        capacity, known = self.measured(state, (state.total + 1) / max(now - state.epoch, 0.1))
        return LearnedState(
            rate=capacity,
            tat=now,
            since=now,
            epoch=now,
            capacity=capacity,
            generation=state.generation + 1,
            known=known,
            mix=state.mix,
            delay=state.delay,
        )

    def measured(self, state: LearnedState, average: float) -> tuple[float, float]:
        """Read the capacity off what was accepted on average, and tell how well it is known."""
        low, window = min(average, state.rate), state.probes > 0
        known = self.precision(state.total, low, state.rate)
        if state.capacity is None:
            return self.bounded(low), min(known, self.sends / 2)
        if window:
            over = min(self.over_window * (state.rate - low), self.most_over * low)
            return self.bounded(low + over), float(state.total)
        found = self.bounded(low + self.over * (state.rate - low))
        if found >= self.surprise * state.capacity:
            return found, min(max(known, state.known), self.doubted * self.sends)
        if state.known >= self.sends:
            return self.surprise * state.capacity, self.sends / 2
        return found, known
