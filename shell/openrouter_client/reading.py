"""An answer's body, read up to a limit."""

from __future__ import annotations

from collections.abc import Mapping

from openrouter_client.direct import Answer, at_hand


class Reading:
    """What has been read of an answer so far; it stops at `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.pieces: list[bytes] = []
        self.size: int = 0
        self.overflow: bool = False

    def take(self, piece: bytes) -> None:
        """Add a piece, or note that it is too much."""
        self.size += len(piece)
        self.overflow = self.size > self.limit
        self.pieces.append(piece[: self.limit - self.size] if self.overflow else piece)

    def body(self) -> bytes:
        """Give the whole, without copying a body that came in one piece."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


async def read_whole(response: Answer, answer: Reading) -> None:
    """Read an answer to its end, or to the limit."""
    answer.status, answer.headers = response.status, response.headers
    content = response.content
    whole = at_hand(content)
    if whole is not None:
        answer.take(whole)
        return
    while not answer.overflow and not content.at_eof():
        answer.take(await content.readany())
