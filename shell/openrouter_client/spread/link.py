"""A worker's way to its coordinator: three calls, of which each may fail, and may be made again."""

from __future__ import annotations

from typing import Protocol

from openrouter_core.bulk.posts import FromWorker, Heard, Hello, ToWorker, Welcome


class LinkLost(Exception):
    """The coordinator does not answer; it may be back soon."""


class Link(Protocol):
    """What a worker can call. All raise `LinkLost`."""

    async def hello(self, hello: Hello) -> Welcome:
        """Present oneself; the answer comes when the run has begun."""
        ...

    async def post(self, session: str, heard: Heard[FromWorker]) -> bool:
        """Tell something; False where the session is not known any more."""
        ...

    async def hear(self, session: str, after: int) -> Heard[ToWorker] | None:
        """Wait for something to be told, with a number above that; None where the session is not known any more."""
        ...
