"""An undocumented quota in fixed windows, told from a bucket by how its droughts end.

A bucket that refuses has a place again after 1 / rate seconds; a window has none until it is over, and then all of
them. So who is refused on and on while a bucket would have filled has met a window. It opens between the last refused
send and the first one after it that is answered: an edge. Two of them tell the length, and what was accepted between
them is the limit. From then on the window is used up early and left alone until it is over; the learned rate rests.

            3 refusals in a row, or 4 among 12 sends
     open  ------------------------------------------>  shut
      ^                                                  |
      '--------------------------------------------------'
           a send after the last refusal is answered: an edge

    evidence  accepted / seconds since the edge before * seconds of the drought >= 4: from the first refusal to the
              last, or to the end that hints have named, if they asked for more than 1 s; after an edge also any that
              ends a usual length later, with as many accepted, to a quarter
    length    the most usual that two edges with evidence allow
    admit     length / (3 * limit) after the last send; not before high + length + guard when `limit` are sent;
              while shut: a probe after length / 10, and then after twice the time each
    search    while shut after an edge, and no length is known: a probe where the next window of a usual length would
              open, if the drought is evidence of one as long; before that, the learned rate's probes
    test      one send more than `limit`, after 150 others, if the next window is surely not open yet; when it is
              answered the limit doubles, when it is refused that was all
    edge      where the known length put it, to a tenth, and a quarter of the limit accepted at least: the narrower of
              both, and the limit is what was accepted. Elsewhere the length is read anew, or with less the learned
              rate goes on: a window that refuses from its beginning is another one

Why: `high` is an instant at which a send was accepted, so a window begun there is never begun too early; what that
costs is caught up by sending at three times the pace. An edge that is no multiple of a usual length is not a window's.
A length that is wrong meets an edge out of its time.
"""

from __future__ import annotations

from math import floor, inf

import msgspec

from openrouter_core.limit.seen import Ask, Seen, dry, noted

LENGTHS = (60.0, 10.0, 1.0, 30.0, 5.0, 15.0, 20.0, 2.0, 12.0, 6.0, 3.0, 45.0, 4.0, 8.0)
"""The lengths of windows that servers use, in seconds, the usual ones first: where edges allow for several, it is the
first. A longer one is not waited for without being told."""


class UnnamedState(msgspec.Struct, frozen=True, gc=False):
    """The window that is open opened between `low` and `high`; `low` is None where nothing spoke for a window.

    `length` in seconds is None until two edges tell it, `limit` is how many sends a window takes.
    `sent`: sends so far, the last one at `last`; the first `first` of them were before this window, `refused` of the
    others were refused. `recent`: the last refusals, by send. `untested`: sends since the last test.
    `shuts`, `shut`: when the first and the last of the refusals in a row were sent; `shuts` is None while it is open.
    `until`: the latest end of the window that hints have named.
    """

    low: float | None
    high: float
    last: float
    length: float | None = None
    limit: int = 0
    sent: int = 0
    first: int = 0
    refused: int = 0
    recent: tuple[int, ...] = ()
    untested: int = 0
    shuts: float | None = None
    shut: float = 0.0
    until: float = 0.0


class Placed(msgspec.Struct, frozen=True, gc=False):
    """The stamp of a send: its number, when it went, and its place in the window if that was a test, or else 0."""

    number: int
    at: float
    test: int = 0


class Unnamed(msgspec.Struct, frozen=True, kw_only=True):
    """The constants above; `guard` and `vague` in seconds. A hint of `vague` may be a shorter one, rounded up."""

    many: int = 4
    among: int = 12
    row: int = 3
    evidence: float = 4.0
    pace: float = 3.0
    probes: float = 10.0
    tested: int = 150
    slack: float = 0.1
    worth: float = 4.0
    guard: float = 0.05
    vague: float = 1.0

    def init(self, now: float) -> UnnamedState:
        """Know of no window."""
        return UnnamedState(None, now, now)

    def rolled(self, state: UnnamedState, length: float, now: float) -> UnnamedState:
        """Open the window that `now` falls in."""
        over = state.high + length + self.guard
        if state.low is None or state.shuts is not None or now < over:
            return state
        ahead, used = (1 + floor((now - over) / length)) * length, state.sent - state.first
        return msgspec.structs.replace(
            state,
            low=state.low + ahead,
            high=state.high + ahead,
            first=state.sent,
            refused=0,
            untested=0 if used > state.limit else state.untested + used,
        )

    def admit(self, state: UnnamedState, ask: Ask, in_flight: int, now: float) -> float:
        """Wait for the next window when this one is used up, and for the next probe while it is shut."""
        length = state.length
        if length is None:
            return max(0.0, self.opens(state) - now)
        if state.shuts is not None:
            return max(0.0, state.last + max(length / self.probes, state.last - state.shuts) - now)
        state = self.rolled(state, length, now)
        used = state.sent - state.first
        if used < state.limit or (used == state.limit and self.tests(state, length, now)):
            return max(0.0, state.last + length / (self.pace * state.limit) - now)
        return max(0.0, state.high + length + self.guard - now)

    def opens(self, state: UnnamedState) -> float:
        """Give the next instant at which a window of a usual length would open, if one of that length may have shut."""
        if state.low is None or state.shuts is None:
            return 0.0
        accepted = state.sent - state.first - state.refused
        longest = accepted * (state.shut - state.shuts - self.guard) / self.evidence
        spans = [length + self.guard for length in LENGTHS]
        span = min((span for span in spans if state.high + span > state.last), default=inf)
        return state.high + span if span <= longest else 0.0

    def tests(self, state: UnnamedState, length: float, now: float) -> bool:
        """Decide whether one send more than the limit may go: nobody must take the next window for a larger one."""
        return state.untested >= self.tested and now < (state.low or 0.0) + length

    def on_send(self, state: UnnamedState, ask: Ask, now: float) -> tuple[UnnamedState, Placed]:
        """Count the send."""
        if state.length is not None:
            state = self.rolled(state, state.length, now)
        sent, place = state.sent + 1, state.sent + 1 - state.first
        counted = UnnamedState(
            state.low, state.high, now, state.length, state.limit, sent, state.first,
            state.refused, state.recent, state.untested, state.shuts, state.shut, state.until,
        )  # fmt: skip
        tests = state.length is not None and state.shuts is None and place > state.limit
        return counted, Placed(sent, now, place if tests else 0)

    def on_outcome(self, state: UnnamedState, stamp: Placed, seen: Seen, in_flight: int, now: float) -> UnnamedState:
        """Learn from a refusal, and from an answer after one. A documented limit is another limiter's."""
        if seen.kind == "ok":
            return self.answer(state, stamp)
        known = seen.kind != "rate" or seen.limit is not None
        return state if known or stamp.test or stamp.number <= state.first else self.refuse(state, stamp, seen)

    def answer(self, state: UnnamedState, stamp: Placed) -> UnnamedState:
        """Learn from an answer: of a test, after the refusals, or among them, which were by chance then."""
        if state.length is not None and stamp.test > state.limit:
            return msgspec.structs.replace(state, limit=2 * state.limit)
        if state.shuts is None or stamp.at <= state.shuts:
            return state
        if stamp.number > max(state.recent):
            return self.edge(state, stamp.at, max(state.recent))
        return msgspec.structs.replace(state, shuts=None, low=None if state.length is None else state.low)

    def refuse(self, state: UnnamedState, stamp: Placed, seen: Seen) -> UnnamedState:
        """Count a refusal; a window that refuses in a row is used up."""
        recent = noted(state.recent, stamp.number, self.many)
        shuts, shut, hint = state.shuts, max(state.shut, stamp.at), seen.hint or 0.0
        if shuts is None and dry(recent, self.row, self.many, self.among):
            shuts = shut = stamp.at
        until = max(state.until, stamp.at + hint) if hint > self.vague else state.until
        refused = state.refused + 1
        return msgspec.structs.replace(state, recent=recent, refused=refused, shuts=shuts, shut=shut, until=until)

    def edge(self, state: UnnamedState, high: float, first: int) -> UnnamedState:
        """A window has opened after the send with number `first`, and before `high`."""
        low, drought = min(state.shut, high), max(state.shut, min(state.until, high)) - (state.shuts or 0.0)
        accepted = max(1, first - state.first - state.refused)
        fresh = UnnamedState(low, high, state.last, limit=accepted, sent=state.sent, first=first)
        if state.length is None and not self.speaks(state, low, high, accepted, drought):
            return msgspec.structs.replace(fresh, low=None)
        if state.low is None:
            return fresh
        length, windows, limit = state.length, 1, accepted
        worth = length is None or self.worth * accepted >= state.limit
        if length is not None and round((high - state.high) / length) < 1:
            windows, limit = 0, state.limit
        another = windows == 1 and not worth
        if length is None or another or not self.due(state, low, high, windows * length, self.slack * length):
            length = self.told(state, low, high) if worth else None
            windows, limit = 1, accepted
        if length is None:
            return fresh
        lows, highs = (low, state.low + windows * length), (high, state.high + windows * length)
        if max(lows) < min(highs):
            low, high = max(lows), min(highs)
        return msgspec.structs.replace(fresh, low=low, high=high, length=length, limit=limit)

    def speaks(self, state: UnnamedState, low: float, high: float, accepted: int, drought: float) -> bool:
        """Tell whether a drought speaks for a window: it was long, or came as it would after one that was."""
        if accepted * drought >= self.evidence * (high - state.high):
            return True
        alike = state.low is not None and self.worth * abs(accepted - state.limit) <= state.limit
        return alike and self.told(state, low, high) is not None

    def told(self, state: UnnamedState, low: float, high: float) -> float | None:
        """Give the length that two edges tell."""
        return next((known for known in LENGTHS if self.due(state, low, high, known)), None)

    def due(self, state: UnnamedState, low: float, high: float, ahead: float, slack: float = 0.0) -> bool:
        """Tell whether an edge between `low` and `high` can be `ahead` seconds after the one that is known."""
        return low - state.high - slack <= ahead <= high - (state.low or 0.0) + slack
