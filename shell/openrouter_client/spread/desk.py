"""Where the coordinator of a spread run and its workers meet: the sessions, the leases, and who says what to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal
from uuid import uuid4

from openrouter_core.admission import Stamp
from openrouter_core.bulk.leases import Leases
from openrouter_core.bulk.posts import Drop, FromWorker, Given, Heard, Hello, Inbox, Outbox, ToWorker
from openrouter_core.limit.queue import Place

PATIENCE = 5.0
"""For so many seconds a worker waits for something to be told; then it asks again, and so shows that it lives."""

LOST: Final = "lost"


class Session:
    """An exchange of messages with one life of a worker."""

    def __init__(self, worker: str) -> None:
        self.name: str = uuid4().hex
        self.worker: str = worker
        self.outbox: Outbox[ToWorker] = Outbox()
        self.inbox: Inbox[FromWorker] = Inbox()
        self.bell: asyncio.Event = asyncio.Event()


class Talk:
    """The conversation about one row. `stamp` is that of the attempt that is under way; `lost`: the worker is."""

    def __init__(self, place: Place) -> None:
        self.place: Place = place
        self.stamp: Stamp | None = None
        self.lost: bool = False
        self.said: asyncio.Queue[FromWorker | Literal["lost"]] = asyncio.Queue()

    def anew(self) -> None:
        """Begin again, with another worker; the place in line stays."""
        self.lost, self.said = False, asyncio.Queue()


class Desk:
    """The workers that are there, their rows, and the conversations about these. Each has at most `room` rows.

    `sessions` is by their own names, `workers` by those of the workers.
    """

    def __init__(self, room: int) -> None:
        self.leases: Leases = Leases(room)
        self.sessions: dict[str, Session] = {}
        self.workers: dict[str, Session] = {}
        self.talks: dict[int, Talk] = {}
        self.given: dict[int, Given] = {}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def held(self, row: int) -> bool:
        """Tell whether a worker has a row."""
        return row in self.leases.holders

    def offer(self, given: Given) -> None:
        """Let a row wait for a worker."""
        self.given[given.row] = given
        self.leases.offer(given.row)
        self.assign()

    def assign(self) -> None:
        """Give the rows that wait to the workers that have room."""
        for row, _ in self.leases.assigned():
            self.say(self.given.pop(row))

    def say(self, message: ToWorker) -> None:
        """Tell the worker that has a row something, if anybody has it."""
        session = self.workers.get(self.leases.holders.get(message.row, ""))
        if session is not None:
            session.outbox.put(message)
            session.bell.set()

    def over(self, row: int) -> None:
        """End the conversation about a row; a worker that still has it is to leave it."""
        self.say(Drop(row))
        self.talks.pop(row, None)
        self.given.pop(row, None)
        self.leases.over(row)
        self.assign()

    def lose(self, rows: Sequence[int]) -> None:
        """Tell the conversations that their worker is no more."""
        for row in rows:
            if row in self.talks:
                self.talks[row].lost = True
                self.talks[row].said.put_nowait(LOST)

    # --- workers ------------------------------------------------------------------------------------------------------

    def joined(self, hello: Hello, now: float) -> tuple[Session, frozenset[int]]:
        """Let a worker in; give its session, and which of the rows are its own that it claims."""
        claims = frozenset(claim.row for claim in hello.claims)
        self.lose(self.leases.joined(hello.worker, hello.life, claims, now))
        self.leave(hello.worker)
        session = self.workers[hello.worker] = Session(hello.worker)
        self.sessions[session.name] = session
        kept = claims & self.leases.members[hello.worker].rows
        self.assign()
        return session, kept

    def leave(self, worker: str) -> None:
        """End a worker's session."""
        session = self.workers.pop(worker, None)
        if session is not None:
            self.sessions.pop(session.name).bell.set()

    def look(self, now: float) -> None:
        """Take their rows from workers that are silent."""
        for worker in self.leases.silent(now):
            self.lose(self.leases.gone(worker))
            self.leave(worker)

    def close(self) -> None:
        """End all sessions."""
        for worker in list(self.workers):
            self.leave(worker)

    def post(self, session: str, heard: Heard[FromWorker], now: float) -> bool:
        """Hear what a worker tells; False where its session is not known any more."""
        known = self.sessions.get(session)
        if known is None:
            return False
        self.leases.heard(known.worker, now)
        for message in known.inbox.fresh(heard):
            if self.leases.holders.get(message.row) == known.worker and message.row in self.talks:
                self.talks[message.row].said.put_nowait(message)
        return True

    async def hear(self, session: str, after: int, now: float) -> Heard[ToWorker] | None:
        """Give what a worker is to be told, as soon as there is something; None where its session is not known."""
        known = self.sessions.get(session)
        if known is None:
            return None
        self.leases.heard(known.worker, now)
        heard = known.outbox.after(after)
        if not heard.messages:
            known.bell.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await known.bell.wait()
            except TimeoutError:
                return heard
            heard = known.outbox.after(after)
        return heard if session in self.sessions else None
