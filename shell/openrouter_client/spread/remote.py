"""The way of a run through workers elsewhere: a conversation about each row, in the place of a call made here.

It lets each attempt go when the line says so and the intent is durable, and writes down what came of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from openrouter_client.bulk.asking import Workers
from openrouter_client.bulk.ledger import Ledger, Write
from openrouter_client.bulk.recording import RecordingWorld
from openrouter_client.bulk.sources import Raw
from openrouter_client.bulk.standing import Asked, Standing
from openrouter_client.bulk.tables import Flight
from openrouter_client.calls import CallOptions, Calls
from openrouter_client.spread.desk import Desk, Talk
from openrouter_core.admission import Admitted, Ticket
from openrouter_core.bulk.figures import counted, left
from openrouter_core.bulk.lines import doubtful
from openrouter_core.bulk.posts import Away, End, Enter, Given, Go, Kept, Leave, Note
from openrouter_core.limit.seen import NOTHING, UNSENT


class Gone(Exception):
    """The worker that had a row is no more."""


def noting(said: Note) -> Write:
    """Give what writes down which generation an attempt has become."""
    return lambda tables: tables.note(said.row, said.generation_id)


class Remote(Workers):
    """Has rows asked by the workers that come to the desk; the `adopted` ones are under way when the run begins."""

    def __init__(self, standing: Standing, calls: Calls, options: CallOptions) -> None:
        super().__init__(standing, calls, options)
        self.desk: Desk = Desk(standing.parts.settings.max_in_flight)
        self.adopted: set[int] = set()

    def rows(self) -> Iterator[tuple[int, Raw, bool]]:
        """Give the rows that are to be asked; those first that workers have already."""
        if self.adopted:
            for row, raw in enumerate(self.standing.parts.source.rows(), start=1):
                if row in self.adopted:
                    yield row, raw, True
        yield from super().rows()

    def talk(self, row: int) -> Talk:
        """Give the conversation about a row, begun if there is none."""
        talks = self.desk.talks
        if row not in talks:
            talks[row] = Talk(self.calls.place(0))
        return talks[row]

    async def _ask(self, asked: Asked, ledger: Ledger) -> None:
        """Have one row asked, and write down what came of it."""
        flight = asked[0]
        flight.sent = flight.row in self.adopted
        try:
            end = await self._under_way(flight, self.answered(asked, self.talk(flight.row), ledger))
        finally:
            self.desk.over(flight.row)
        if end is not None and end.outcome.stop is not None:
            self.stop(end.outcome.stop, end.told)

    async def answered(self, asked: Asked, talk: Talk, ledger: Ledger) -> End | None:
        """Offer a row until a worker has asked it to the end; None where it is left in doubt."""
        flight, request, place = asked
        while True:
            if not self.desk.held(flight.row):
                if flight.sent and not await self.doubted(flight, ledger):
                    return None
                talk.anew()
                self.desk.offer(Given(flight.row, flight.custom_id, place, request))
            try:
                with self.calls.line:
                    end = await self.conversed(flight, talk, ledger)
                await self.standing.end(flight, end.outcome, ledger)
            except Gone:
                continue
            else:
                self.desk.say(Kept(flight.row))
                self.desk.leases.over(flight.row)
                return end

    async def conversed(self, flight: Flight, talk: Talk, ledger: Ledger) -> End:
        """Listen to the worker that has a row, until its call has ended; raises `Gone` when the worker is no more."""
        line = self.calls.line
        try:
            while True:
                said = await talk.said.get()
                match said:
                    case Enter():
                        await self.entered(flight, talk, said)
                    case Leave(seen=seen) if talk.stamp is not None:
                        stamp, talk.stamp = talk.stamp, None
                        line.leave(stamp, seen)
                    case Note():
                        ledger.post(noting(said))
                    case End():
                        return said
                    case "lost":
                        raise Gone
                    case _:
                        continue
        finally:
            if talk.stamp is not None:
                line.leave(talk.stamp, NOTHING if flight.sent else UNSENT)
                talk.stamp = None

    async def entered(self, flight: Flight, talk: Talk, enter: Enter) -> None:
        """Let an attempt go when its turn has come, and the intent is durable."""
        line = self.calls.line
        if talk.stamp is not None:
            line.leave(talk.stamp, UNSENT)
            talk.stamp = None
        until = math.inf if enter.seconds is None else self.calls.world.now() + enter.seconds
        turn = await line.enter(Ticket(talk.place, enter.ask), until)
        if not isinstance(turn, Admitted):
            self.desk.say(Away(flight.row, turn.needed, turn.refused))
            return
        talk.stamp = turn.stamp
        if talk.lost:
            raise Gone
        world = self.calls.world
        if isinstance(world, RecordingWorld):
            await world.intend(flight)
        self.desk.say(Go(flight.row, turn.stamp.probe, line.admission.company))

    async def doubted(self, flight: Flight, ledger: Ledger) -> bool:
        """Settle a row whose worker was lost while it was asked, as the user wishes; tell whether it is asked again."""
        wish = self.standing.parts.settings.in_doubt
        await ledger.write(lambda tables: tables.doubt(flight.row, again=wish == "retry"))
        if wish == "retry" and self.standing.stopped is None:
            flight.sent = False
            return True
        if wish != "report":
            self.standing.counts = left(self.standing.counts, sent=wish == "skip")
        else:
            outcome = doubtful(flight.row, flight.custom_id, None)
            await ledger.write(lambda tables: tables.end(flight, outcome))
            self.standing.counts = counted(self.standing.counts, msgspec.structs.replace(outcome, event="fail"))
        return False
