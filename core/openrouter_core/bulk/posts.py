"""What the workers of a spread run and its coordinator tell each other, and how nothing of it is lost or heard twice.

    worker -> coordinator   Enter, Leave, Note, End        about one row each
    coordinator -> worker   Given, Go, Away, Kept, Drop

Messages travel many at a time, and a way that breaks is tried again: so they are numbered, the sender keeps them until
the receiver has told how far it has heard, and the receiver passes over what it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from openrouter_core.bulk.lines import Outcome
from openrouter_core.limit.money import Refused
from openrouter_core.limit.seen import Ask, Seen
from openrouter_core.prices import Price
from openrouter_core.wire.request import ChatCompletionRequest

T = TypeVar("T")


class Enter(msgspec.Struct, frozen=True):
    """A call wants to send its next attempt, and can wait for so many seconds; None: for ever."""

    row: int
    ask: Ask
    seconds: float | None


class Leave(msgspec.Struct, frozen=True):
    """An attempt is over."""

    row: int
    seen: Seen


class Note(msgspec.Struct, frozen=True):
    """An attempt has become this generation."""

    row: int
    generation_id: str


class End(msgspec.Struct, frozen=True):
    """A call has ended; `told` is its error in words."""

    row: int
    outcome: Outcome
    told: str = ""


class Given(msgspec.Struct, frozen=True):
    """A row is the worker's to ask. `place` says where in the input it stands."""

    row: int
    custom_id: str | None
    place: str
    request: ChatCompletionRequest


class Go(msgspec.Struct, frozen=True):
    """An attempt may be sent; that it will be is written down. `company`: so many other calls are alive in the run."""

    row: int
    probe: bool
    company: int


class Away(msgspec.Struct, frozen=True):
    """An attempt may not be sent; see `TurnedAway`."""

    row: int
    needed: float
    refused: Refused | None


class Kept(msgspec.Struct, frozen=True):
    """How a row ended is written down."""

    row: int


class Drop(msgspec.Struct, frozen=True):
    """A row is not the worker's any more."""

    row: int


FromWorker = Enter | Leave | Note | End
ToWorker = Given | Go | Away | Kept | Drop


class Claim(msgspec.Struct, frozen=True):
    """A row that a worker has, of which an attempt was sent. `under_way`: one is; `ended`: its call has ended."""

    row: int
    under_way: bool
    ended: bool


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """A worker presents itself: its name, which of its lives this is, and what it has. `flaw`: why it cannot work."""

    worker: str
    life: str
    claims: tuple[Claim, ...] = ()
    flaw: str = ""


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: under which name messages are exchanged from now on, which of the claims hold, and the price list.

    `over`: there is nothing to do any more.
    """

    session: str = ""
    accepted: frozenset[int] = frozenset()
    prices: Mapping[str, Price] | None = None
    over: bool = False


class Heard(msgspec.Struct, Generic[T], frozen=True):
    """Messages, and the number of the first of them."""

    first: int
    messages: tuple[T, ...] = ()


class Outbox(Generic[T]):
    """What is to be told, numbered from 1; mutable, and private to its owner."""

    def __init__(self) -> None:
        self.first: int = 1
        self.kept: list[T] = []

    def put(self, message: T) -> None:
        """Add a message."""
        self.kept.append(message)

    def after(self, number: int) -> Heard[T]:
        """Forget what was heard, up to that number, and give what was not."""
        known = min(max(0, number - self.first + 1), len(self.kept))
        del self.kept[:known]
        self.first += known
        return Heard(self.first, tuple(self.kept))


class Inbox(Generic[T]):
    """Up to which number messages were heard; mutable, and private to its owner."""

    def __init__(self) -> None:
        self.last: int = 0

    def fresh(self, heard: Heard[T]) -> Sequence[T]:
        """Give the messages that were not heard before. One that follows on a gap is left for when the gap is told."""
        if heard.first > self.last + 1:
            return ()
        new = heard.messages[self.last + 1 - heard.first :]
        self.last += len(new)
        return new
